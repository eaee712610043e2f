package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

type fleetCommand struct {
	List     fleetList     `cmd:"" help:"List devices."`
	Show     fleetShow     `cmd:"" help:"One device."`
	Session  fleetSession  `cmd:"" help:"The session of a device: its connection, subscriptions and will (会话)."`
	Shadow   fleetShadow   `cmd:"" help:"What a device reported and what is desired of it (设备影子)."`
	History  fleetHistory  `cmd:"" help:"The values of a property over time."`
	Tags     fleetTags     `cmd:"" help:"Tags of a device (设备标签)."`
	Firmware fleetFirmware `cmd:"" help:"Versions that a device says it runs."`
	Log      fleetLog      `cmd:"" help:"Lines of a device's own log, newest first."`
	Timeline fleetTimeline `cmd:"" help:"What happened to a device: connections, messages, refusals, commands (设备时间线)."`
	Children fleetChildren `cmd:"" help:"What a gateway carries (子设备)."`
	Attach   fleetAttach   `cmd:"" help:"Have a gateway carry a device."`
	Detach   fleetDetach   `cmd:"" help:"Take a device from its gateway."`
	Permit   fleetPermit   `cmd:"" help:"Let sub-devices join a gateway for a while."`
	State    fleetState    `cmd:"" help:"Put a device's triple in or out of force."`
	Reset    fleetReset    `cmd:"" help:"Let a device register once more (动态注册)."`
	Revoke   fleetRevoke   `cmd:"" help:"Take every secret of a device that was handed out out of force."`
	Command  fleetDo       `cmd:"" help:"Command a device, as its maker would when debugging it."`
	Call     fleetCall     `cmd:"" help:"Call a service of a device."`
	Send     fleetSend     `cmd:"" help:"Publish to a device on a topic of its own below /user/."`
	Commands fleetCommands `cmd:"" help:"Commands of a device, newest first."`
	Result   fleetResult   `cmd:"" help:"One command, with what came of it."`
	Cancel   fleetCancel   `cmd:"" help:"Cancel a command that has not left yet."`
	Fault    fleetFault    `cmd:"" help:"Make a virtual device misbehave."`
}

const devicePath = "/api/v1/devices/{}"

type fleetList struct {
	sorted
	Product string `help:"Only those of this product." placeholder:"ID"`
	Order   string `help:"Only those of this order." placeholder:"ID"`
	Name    string `help:"DeviceName (设备名称)." placeholder:"NAME"`
	Online  string `help:"true or false." placeholder:"BOOL"`
	Tag     string `help:"A tag that it carries." placeholder:"KEY=VALUE"`
}

func (f *fleetList) Run(ctx context.Context) error {
	return f.list(ctx, "/api/v1/devices", "id device_name state online product order generation activated_at seen_at reason",
		"product", f.Product, "order", f.Order, "name", f.Name, "online", f.Online, "tag", f.Tag)
}

type oneDevice struct {
	client
	Device string `arg:"" help:"Id of the device."`
}

func (f *oneDevice) path(rest string) string { return at(devicePath, f.Device) + rest }

type fleetShow struct{ oneDevice }

func (f *fleetShow) Run(ctx context.Context) error { return f.do(ctx, "GET", f.path(""), nil) }

type fleetSession struct{ oneDevice }

func (f *fleetSession) Run(ctx context.Context) error {
	return f.do(ctx, "GET", f.path("/session"), nil)
}

type fleetShadow struct{ oneDevice }

func (f *fleetShadow) Run(ctx context.Context) error {
	return f.do(ctx, "GET", f.path("/shadow"), nil)
}

type fleetHistory struct {
	pages
	Device   string    `arg:"" help:"Id of the device."`
	Property string    `arg:"" help:"Name of the property."`
	From     time.Time `help:"From this time on." placeholder:"TIME"`
	To       time.Time `help:"Before this time." placeholder:"TIME"`
}

func (f *fleetHistory) Run(ctx context.Context) error {
	return f.list(ctx, at(devicePath+"/history", f.Device), "at value", "property", f.Property, "from", moment(f.From), "to", moment(f.To))
}

type fleetTags struct {
	sorted
	Device string `arg:"" help:"Id of the device."`
}

func (f *fleetTags) Run(ctx context.Context) error {
	return f.list(ctx, at(devicePath+"/tags", f.Device), "key value updated_at")
}

type fleetFirmware struct {
	sorted
	Device string `arg:"" help:"Id of the device."`
}

func (f *fleetFirmware) Run(ctx context.Context) error {
	return f.list(ctx, at(devicePath+"/firmware", f.Device), "module version informed_at")
}

type fleetLog struct {
	sorted
	Device string `arg:"" help:"Id of the device."`
	Level  string `help:"Only lines of this level: FATAL, ERROR, WARN, INFO, DEBUG, or a word of the device's own." placeholder:"LEVEL"`
	Module string `help:"Only lines of this module." placeholder:"NAME"`
	Text   string `help:"Only lines with this anywhere, in any case." placeholder:"TEXT"`
}

func (f *fleetLog) Run(ctx context.Context) error {
	return f.list(ctx, at(devicePath+"/log", f.Device), "received_at level module text code", "level", f.Level, "module", f.Module, "text", f.Text)
}

// moment is a time as a parameter: empty if it is not given.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

type fleetState struct {
	oneDevice
	State  string `arg:"" help:"enabled or disabled." enum:"enabled,disabled"`
	Reason string `help:"Why." aliases:"note" placeholder:"TEXT"`
}

func (f *fleetState) Run(ctx context.Context) error {
	return f.do(ctx, "PUT", f.path("/state"), body("state", f.State, "note", f.Reason))
}

type fleetRevoke struct {
	oneDevice
	Reason string `help:"Stays on record." required:"" placeholder:"TEXT"`
}

func (f *fleetRevoke) Run(ctx context.Context) error {
	return f.do(ctx, "POST", f.path("/revocation"), body("reason", f.Reason))
}

type fleetDo struct {
	oneDevice
	waiting
	Params  string `arg:"" help:"JSON object of properties, or of the service's input: {\"powerstate\":1}; with --get a list of properties, with --raw bytes in base64."`
	Service string `help:"Call this service. Default: set the properties." placeholder:"NAME" xor:"kind"`
	Get     bool   `help:"Ask the device for the properties." xor:"kind"`
	Raw     bool   `help:"Send the bytes as they are, on down_raw." xor:"kind"`
}

func (f *fleetDo) Help() string { return endsOf }

func (f *fleetDo) Run(ctx context.Context) error {
	kind := "property_set"
	params := json.RawMessage(f.Params)
	switch {
	case f.Service != "":
		kind = "service"
	case f.Get:
		kind = "property_get"
	case f.Raw:
		kind = "raw"
		var err error
		if params, err = json.Marshal(map[string]string{"base64": f.Params}); err != nil {
			return err
		}
	}
	if !json.Valid(params) {
		return usageError{fmt.Errorf("<params> %s: want JSON", f.Params)}
	}
	return f.order(ctx, f.path("/commands"), f.into(body("kind", kind, "params", params, "service", f.Service)), f.Wait > 0)
}

type fleetCall struct {
	oneDevice
	waiting
	Service string `arg:"" help:"Identifier of the service."`
	Params  string `arg:"" optional:"" help:"JSON object of its input. Default: none."`
	Sync    bool   `help:"Synchronously (RRPC): only the session that is there answers, within eight seconds, and the verb waits for it."`
}

func (f *fleetCall) Help() string { return endsOf }

func (f *fleetCall) Run(ctx context.Context) error {
	var params json.RawMessage
	if f.Params != "" {
		if params = json.RawMessage(f.Params); !json.Valid(params) {
			return usageError{fmt.Errorf("<params> %s: want JSON", f.Params)}
		}
	}
	return f.order(ctx, at(devicePath+"/services/{}", f.Device, f.Service), f.into(body("params", params, "sync", f.Sync)), f.Sync || f.Wait > 0)
}

type fleetSend struct {
	oneDevice
	waiting
	Topic  string `arg:"" help:"What stands behind /user/."`
	Text   string `help:"What to send." placeholder:"TEXT" xor:"what" required:""`
	Base64 string `name:"base64" help:"Bytes to send, in base64." placeholder:"BYTES" xor:"what" required:""`
	QoS    int    `name:"qos" help:"0 or 1. Default: 0." placeholder:"N"`
	Sync   bool   `help:"Synchronously, on /ext/rrpc: the verb waits for what the device answers."`
}

func (f *fleetSend) Help() string { return endsOf }

func (f *fleetSend) Run(ctx context.Context) error {
	in := body("topic", f.Topic, "base64", f.Base64, "sync", f.Sync)
	if f.Base64 == "" {
		in["text"] = f.Text
	}
	if f.QoS != 0 {
		in["qos"] = f.QoS
	}
	return f.order(ctx, f.path("/messages"), f.into(in), f.Sync || f.Wait > 0)
}

type fleetCommands struct {
	pages
	Device string `arg:"" help:"Id of the device."`
}

func (f *fleetCommands) Run(ctx context.Context) error {
	return f.list(ctx, at(devicePath+"/commands", f.Device), "id state kind service topic origin created_at ended_at reason")
}

const commandPath = "/api/v1/commands/{}"

type fleetResult struct {
	client
	Command string `arg:"" help:"Id of the command."`
}

func (f *fleetResult) Run(ctx context.Context) error {
	return f.do(ctx, "GET", at(commandPath, f.Command), nil)
}

type fleetCancel struct {
	client
	Command string `arg:"" help:"Id of the command."`
}

func (f *fleetCancel) Run(ctx context.Context) error {
	return f.do(ctx, "DELETE", at(commandPath, f.Command), nil)
}

type fleetFault struct {
	client
	Device string `arg:"" help:"Id of the device."`
	Fault  string `arg:"" help:"none, silent, slow, wrong, duplicate, wrong-type or flapping." enum:"none,silent,slow,wrong,duplicate,wrong-type,flapping"`
}

func (f *fleetFault) Run(ctx context.Context) error {
	return f.do(ctx, "PUT", at("/api/v1/virtual-devices/{}/fault", f.Device), body("fault", f.Fault))
}
