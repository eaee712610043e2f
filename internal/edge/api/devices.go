package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/history"
	"lampworks/internal/fleet/virtual"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
)

type deviceView struct {
	ID          string `json:"id"`
	Product     string `json:"product"`
	DeviceName  string `json:"device_name"`
	Order       string `json:"order"`
	Generation  uint32 `json:"generation"`
	State       string `json:"state" enum:"enabled,disabled"`
	Online      bool   `json:"online"`
	CreatedAt   moment `json:"created_at"`
	ActivatedAt moment `json:"activated_at,omitzero" doc:"First session."`
	ResetAt     moment `json:"reset_at,omitzero" doc:"When it said last that somebody reset it."`
	SeenAt      moment `json:"seen_at,omitzero" doc:"Last message, or change of session."`
	Reason      string `json:"reason,omitempty" doc:"Why the last session ended, or connected."`
	Address     string `json:"address,omitempty"`
	Gateway     string `json:"gateway,omitempty" doc:"The device that carries it (网关)."`
}

func viewOf(d *device.Device) deviceView {
	return deviceView{
		ID: d.ID, Product: d.Product, DeviceName: d.Name, Order: d.Order, Generation: d.Generation, State: string(d.State), Online: d.Online,
		CreatedAt: moment(d.CreatedAt), ActivatedAt: moment(d.ActivatedAt), ResetAt: moment(d.ResetAt), SeenAt: moment(d.SeenAt), Reason: d.Reason, Address: d.Address, Gateway: d.Gateway,
	}
}

type devicesInput struct {
	ListInput
	Product string `query:"product" maxLength:"64"`
	Order   string `query:"order" maxLength:"64"`
	Name    string `query:"name" maxLength:"64" doc:"Beginning of the DeviceName."`
	Online  string `query:"online" enum:"true,false" doc:"false: it had a session and has none now."`
	Tag     string `query:"tag" maxLength:"400" doc:"key=value: a tag that it carries."`
}

type deviceInput struct {
	Device string `path:"device" maxLength:"64"`
}

type stateView struct {
	Version  int64                `json:"version"`
	Reported map[string]valueView `json:"reported"`
	Desired  map[string]valueView `json:"desired"`
}

type commandView struct {
	ID             string          `json:"id"`
	Device         string          `json:"device"`
	Kind           command.Kind    `json:"kind" enum:"property_set,property_get,service,raw,message,permit_join"`
	Service        string          `json:"service,omitempty"`
	Topic          string          `json:"topic,omitempty" doc:"Of a message: what stands behind /user/."`
	Sync           bool            `json:"sync,omitempty" doc:"A synchronous call (RRPC)."`
	Params         json.RawMessage `json:"params"`
	State          command.State   `json:"state" enum:"accepted,sent,acknowledged,succeeded,failed,expired,cancelled"`
	Reason         command.Reason  `json:"reason,omitempty" doc:"Why it ended other than by success: unconfirmed, refused, wrong, offline, undeliverable, replaced, withdrawn, parted."`
	Note           string          `json:"note,omitempty" doc:"What the device said, or why it was not sent."`
	Result         json.RawMessage `json:"result,omitempty"`
	Origin         string          `json:"origin"`
	CreatedAt      moment          `json:"created_at"`
	DeadlineAt     moment          `json:"deadline_at"`
	SentAt         moment          `json:"sent_at,omitzero"`
	AcknowledgedAt moment          `json:"acknowledged_at,omitzero"`
	EndedAt        moment          `json:"ended_at,omitzero"`
}

func commandOf(c *command.Command) commandView {
	return commandView{
		ID: c.ID, Device: c.Device, Kind: c.Kind, Service: c.Service, Topic: c.Topic, Sync: c.Call != "", Params: c.Params, State: c.State, Reason: c.Reason,
		Note: c.Note, Result: c.Result, Origin: c.Origin, CreatedAt: moment(c.CreatedAt),
		DeadlineAt: moment(c.DeadlineAt), SentAt: moment(c.SentAt), AcknowledgedAt: moment(c.AcknowledgedAt), EndedAt: moment(c.EndedAt),
	}
}

type newCommandInput struct {
	Device string `path:"device" maxLength:"64"`
	Body   struct {
		Kind       string          `json:"kind" enum:"property_set,property_get,service,raw"`
		Service    string          `json:"service,omitempty" maxLength:"64"`
		Params     json.RawMessage `json:"params" doc:"property_set, service: an object of property or input parameter to value; property_get: a list of properties; raw: an object with base64, sent as it is on down_raw."`
		DeadlineMS int64           `json:"deadline_ms,omitempty" minimum:"0" maximum:"604800000" doc:"How long it may take; 10,000 if not given."`
		WaitMS     int64           `json:"wait_ms,omitempty" minimum:"0" maximum:"20000" doc:"Answer when it has ended, or after this time."`
	}
}

type commandsInput struct {
	PageInput
	Device string `path:"device" maxLength:"64"`
}

type commandInput struct {
	Command string `path:"command" maxLength:"64"`
}

type historyInput struct {
	PageInput
	Device   string    `path:"device" maxLength:"64"`
	Property string    `query:"property" required:"true" maxLength:"64"`
	From     time.Time `query:"from" doc:"Default: a day before to."`
	To       time.Time `query:"to" doc:"Default: now."`
}

type pointView struct {
	At    moment          `json:"at" doc:"By the device where it said one, else of receipt."`
	Value json.RawMessage `json:"value"`
}

type faultInput struct {
	Device string `path:"device" maxLength:"64"`
	Body   struct {
		Fault string `json:"fault" enum:"none,silent,slow,wrong,duplicate,wrong-type,flapping"`
	}
}

type deviceStateInput struct {
	Device string `path:"device" maxLength:"64"`
	Body   struct {
		State string `json:"state" enum:"enabled,disabled"`
		Note  string `json:"note,omitempty" maxLength:"500"`
	}
}

type revokeDeviceInput struct {
	Device string `path:"device" maxLength:"64"`
	Body   reasonBody
}

func (a *API) deviceRoutes() {
	list(a, "/api/v1/devices", access.ReadDevice, ofCaller, "List devices", func(ctx context.Context, who access.Actor, in *devicesInput) (page[deviceView], error) {
		ds, err := a.Devices.List(ctx, who, in.ask(map[string]string{
			device.ByProduct: in.Product, device.ByOrder: in.Order, device.ByName: in.Name, device.ByOnline: in.Online, device.ByTag: in.Tag,
		}))
		return pageFrom(ds, viewOf), err
	})
	route(a, "GET", "/api/v1/devices/{device}", access.ReadDevice, ofDevice, "A device", func(ctx context.Context, who access.Actor, in *deviceInput) (deviceView, error) {
		d, err := a.Devices.Load(ctx, who, in.Device)
		return viewOf(&d), err
	})
	route(a, "POST", "/api/v1/devices/{device}/revocation", access.RevokeTriples, ofDevice, "Take every secret of a device that was handed out out of force; the next download of its order hands out another", func(ctx context.Context, who access.Actor, in *revokeDeviceInput) (nothing, error) {
		return nothing{}, a.Devices.Revoke(ctx, who, in.Device, in.Body.Reason)
	})
	route(a, "PUT", "/api/v1/devices/{device}/state", access.WriteDevice, ofDevice, "Put a device's triple in or out of force", func(ctx context.Context, who access.Actor, in *deviceStateInput) (nothing, error) {
		return nothing{}, a.Devices.SetState(ctx, who, in.Device, device.State(in.Body.State), in.Body.Note)
	})
	route(a, "GET", "/api/v1/devices/{device}/shadow", access.ReadDevice, ofDevice, "What a device reported and what is desired of it (设备影子)", a.shadow)
	route(a, "GET", "/api/v1/devices/{device}/session", access.ReadDevice, ofDevice, "The session of a device: its connection, its subscriptions, its will, and what waits for it (会话)", a.deviceSession)
	list(a, "/api/v1/devices/{device}/history", access.ReadDevice, ofDevice, "The values of a property over time", a.history)
	a.saidRoutes()
	list(a, "/api/v1/devices/{device}/commands", access.ReadDevice, ofDevice, "Commands of a device, newest first", a.commands)
	create(a, "/api/v1/devices/{device}/commands", access.ControlDevice, ofDevice, "Command a device", a.newCommand)
	a.callRoutes()
	a.childRoutes()
	route(a, "GET", "/api/v1/commands/{command}", access.ReadDevice, ofCommand, "A command", func(ctx context.Context, who access.Actor, in *commandInput) (commandView, error) {
		c, err := a.Commands.Load(ctx, who, in.Command)
		return commandOf(&c), err
	})
	route(a, "DELETE", "/api/v1/commands/{command}", access.ControlDevice, ofCommand, "Cancel a command that has not left yet", func(ctx context.Context, who access.Actor, in *commandInput) (commandView, error) {
		c, err := a.Commands.Cancel(ctx, who, in.Command)
		return commandOf(&c), err
	})
	route(a, "PUT", "/api/v1/virtual-devices/{device}/fault", access.RunVirtualDevice, ofDevice, "Make a virtual device misbehave", func(ctx context.Context, who access.Actor, in *faultInput) (nothing, error) {
		if _, err := a.Devices.Load(ctx, who, in.Device); err != nil {
			return nothing{}, err
		}
		d := a.Virtual.Find(in.Device)
		if d == nil {
			return nothing{}, fault.NotFound("virtual device", in.Device)
		}
		d.SetFault(virtual.Fault(in.Body.Fault))
		return nothing{}, nil
	})
}

func (a *API) shadow(ctx context.Context, who access.Actor, in *deviceInput) (stateView, error) {
	if _, err := a.Devices.Load(ctx, who, in.Device); err != nil {
		return stateView{}, err
	}
	states, err := a.Shadows.States(ctx, in.Device)
	if err != nil {
		return stateView{}, err
	}
	s := states[in.Device]
	return stateView{s.Version, valuesOf(s.Reported), valuesOf(s.Desired)}, nil
}

func (a *API) history(ctx context.Context, who access.Actor, in *historyInput) (page[pointView], error) {
	q := history.Query{Device: in.Device, Property: in.Property, From: in.From, To: in.To, Limit: in.Limit}
	if q.To.IsZero() {
		q.To = time.Now()
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-24 * time.Hour)
	}
	var err error
	if q.After, err = pointAfter(in.Cursor); err != nil {
		return page[pointView]{}, err
	}
	points, more, err := a.History.Points(ctx, who, q)
	return pageOf(points, more, pointCursor, func(p *history.Point) pointView { return pointView{moment(p.At), p.Value} }), err
}

// pointCursor names a point by its time, its report and its place in that: several may share a millisecond.
func pointCursor(p *history.Point) string {
	return fmt.Sprintf("%d-%d-%d", p.At.UnixMilli(), p.Pos, p.N)
}

func pointAfter(cursor string) (*history.Point, error) {
	if cursor == "" {
		return nil, nil //nolint:nilnil // no cursor is the first page
	}
	var ms int64
	p := new(history.Point)
	if _, err := fmt.Sscanf(cursor, "%d-%d-%d", &ms, &p.Pos, &p.N); err != nil {
		return nil, badCursor(cursor)
	}
	if p.At = time.UnixMilli(ms).UTC(); pointCursor(p) != cursor {
		return nil, badCursor(cursor)
	}
	return p, nil
}

func (a *API) commands(ctx context.Context, who access.Actor, in *commandsInput) (page[commandView], error) {
	before, err := number(in.Cursor)
	if err != nil {
		return page[commandView]{}, err
	}
	cs, more, err := a.Commands.List(ctx, who, in.Device, before, in.Limit)
	return pageOf(cs, more, func(c *command.Command) string { return strconv.FormatInt(c.Seq, 10) }, commandOf), err
}

func (a *API) newCommand(ctx context.Context, who access.Actor, in *newCommandInput) (commandView, error) {
	return a.order(ctx, who, time.Duration(in.Body.WaitMS)*time.Millisecond, command.Request{
		Device: in.Device, Kind: command.Kind(in.Body.Kind), Service: in.Body.Service, Params: in.Body.Params,
		Deadline: time.Duration(in.Body.DeadlineMS) * time.Millisecond,
	})
}

// order submits a command and gives it as it is when it has ended, or after wait.
func (a *API) order(ctx context.Context, who access.Actor, wait time.Duration, req command.Request) (commandView, error) {
	req.Origin = "api"
	cs, err := a.Commands.Submit(ctx, who, req)
	if err != nil {
		return commandView{}, err
	}
	if wait > 0 {
		wait, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		if ended, err := a.Commands.Wait(wait, cs[0].ID); err == nil || wait.Err() != nil && len(ended) == 1 {
			return commandOf(&ended[0]), nil
		}
	}
	return commandOf(&cs[0]), nil
}
