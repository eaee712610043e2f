package api

import (
	"context"
	"encoding/json"
	"time"

	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/history"
	"lampworks/internal/fleet/virtual"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
)

type deviceView struct {
	ID          string     `json:"id"`
	Product     string     `json:"product"`
	DeviceName  string     `json:"device_name"`
	Order       string     `json:"order"`
	Generation  uint32     `json:"generation"`
	State       string     `json:"state" enum:"enabled,disabled"`
	Online      bool       `json:"online"`
	CreatedAt   time.Time  `json:"created_at"`
	ActivatedAt *time.Time `json:"activated_at,omitempty"`
	SeenAt      *time.Time `json:"seen_at,omitempty"`
	Reason      string     `json:"reason,omitempty" doc:"Why the last session ended, or connected."`
	Address     string     `json:"address,omitempty"`
}

func viewOf(d *device.Device) deviceView {
	return deviceView{
		ID: d.ID, Product: d.Product, DeviceName: d.Name, Order: d.Order, Generation: d.Generation, State: string(d.State), Online: d.Online,
		CreatedAt: d.CreatedAt, ActivatedAt: some(d.ActivatedAt), SeenAt: some(d.SeenAt), Reason: d.Reason, Address: d.Address,
	}
}

// some is t, or nothing where it never was.
func some(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

type devicesInput struct {
	PageInput
	Product string `query:"product" maxLength:"64"`
	Order   string `query:"order" maxLength:"64"`
	Name    string `query:"name" maxLength:"64" doc:"Beginning of the DeviceName."`
	Online  string `query:"online" enum:"true,false"`
}

type DeviceInput struct {
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
	Kind           string          `json:"kind"`
	Service        string          `json:"service,omitempty"`
	Params         json.RawMessage `json:"params"`
	State          string          `json:"state"`
	Reason         string          `json:"reason,omitempty"`
	Note           string          `json:"note,omitempty" doc:"What the device said."`
	Result         json.RawMessage `json:"result,omitempty"`
	Origin         string          `json:"origin"`
	CreatedAt      time.Time       `json:"created_at"`
	DeadlineAt     time.Time       `json:"deadline_at"`
	SentAt         *time.Time      `json:"sent_at,omitempty"`
	AcknowledgedAt *time.Time      `json:"acknowledged_at,omitempty"`
	EndedAt        *time.Time      `json:"ended_at,omitempty"`
}

func commandOf(c *command.Command) commandView {
	return commandView{
		ID: c.ID, Device: c.Device, Kind: string(c.Kind), Service: c.Service, Params: c.Params, State: string(c.State), Reason: string(c.Reason),
		Note: c.Note, Result: c.Result, Origin: c.Origin, CreatedAt: c.CreatedAt, DeadlineAt: c.DeadlineAt,
		SentAt: some(c.SentAt), AcknowledgedAt: some(c.AcknowledgedAt), EndedAt: some(c.EndedAt),
	}
}

type newCommandInput struct {
	DeviceInput
	Body struct {
		Kind       string          `json:"kind" enum:"property_set,service"`
		Service    string          `json:"service,omitempty" maxLength:"64"`
		Params     json.RawMessage `json:"params" doc:"Property or input parameter to value."`
		DeadlineMS int64           `json:"deadline_ms,omitempty" minimum:"0" maximum:"604800000" doc:"How long it may take; 10,000 if not given."`
		WaitMS     int64           `json:"wait_ms,omitempty" minimum:"0" maximum:"20000" doc:"Answer when it has ended, or after this time."`
	}
}

type commandInput struct {
	Command string `path:"command" maxLength:"64"`
}

type historyInput struct {
	DeviceInput
	Property string    `query:"property" required:"true" maxLength:"64"`
	From     time.Time `query:"from" doc:"Default: a day before to."`
	To       time.Time `query:"to" doc:"Default: now."`
	Limit    int       `query:"limit" minimum:"0" maximum:"1000"`
}

type pointView struct {
	At    time.Time       `json:"at"`
	Value json.RawMessage `json:"value"`
}

type faultInput struct {
	DeviceInput
	Body struct {
		Fault string `json:"fault" enum:"none,silent,slow,wrong"`
	}
}

type deviceStateInput struct {
	DeviceInput
	Body struct {
		State string `json:"state" enum:"enabled,disabled"`
		Note  string `json:"note,omitempty" maxLength:"500"`
	}
}

func (a *API) deviceRoutes() {
	route(a, "GET", "/api/v1/devices", access.ReadDevice, "List devices", func(ctx context.Context, who access.Actor, in *devicesInput) (page[deviceView], error) {
		f := device.Filter{Product: in.Product, Order: in.Order, Name: in.Name, After: in.Cursor, Limit: in.Limit}
		if in.Online != "" {
			online := in.Online == "true"
			f.Online = &online
		}
		ds, more, err := a.Devices.List(ctx, who, f)
		return pageOf(ds, more, func(d *device.Device) string { return d.ID }, viewOf), err
	})
	route(a, "GET", "/api/v1/devices/{device}", access.ReadDevice, "A device", func(ctx context.Context, who access.Actor, in *DeviceInput) (deviceView, error) {
		d, err := a.Devices.Load(ctx, who, in.Device)
		return viewOf(&d), err
	})
	route(a, "PUT", "/api/v1/devices/{device}/state", access.WriteDevice, "Put a device's triple in or out of force", func(ctx context.Context, who access.Actor, in *deviceStateInput) (nothing, error) {
		return nothing{}, a.Devices.SetState(ctx, who, in.Device, device.State(in.Body.State), in.Body.Note)
	})
	route(a, "GET", "/api/v1/devices/{device}/shadow", access.ReadDevice, "What a device reported and what is desired of it (设备影子)", a.shadow)
	route(a, "GET", "/api/v1/devices/{device}/history", access.ReadDevice, "The values of a property over time", a.history)
	route(a, "GET", "/api/v1/devices/{device}/commands", access.ReadDevice, "Commands of a device, newest first", func(ctx context.Context, who access.Actor, in *struct {
		DeviceInput
		Before int64 `query:"cursor"`
		Limit  int   `query:"limit" minimum:"0" maximum:"500"`
	},
	) (page[commandView], error) {
		cs, more, err := a.Commands.List(ctx, who, in.Device, in.Before, in.Limit)
		return pageOf(cs, more, func(c *command.Command) string { return seqText(c.Seq) }, commandOf), err
	})
	create(a, "/api/v1/devices/{device}/commands", access.ControlDevice, "Command a device", a.newCommand)
	route(a, "GET", "/api/v1/commands/{command}", access.ReadDevice, "A command", func(ctx context.Context, who access.Actor, in *commandInput) (commandView, error) {
		c, err := a.Commands.Load(ctx, who, in.Command)
		return commandOf(&c), err
	})
	route(a, "DELETE", "/api/v1/commands/{command}", access.ControlDevice, "Cancel a command that has not left yet", func(ctx context.Context, who access.Actor, in *commandInput) (commandView, error) {
		c, err := a.Commands.Cancel(ctx, who, in.Command)
		return commandOf(&c), err
	})
	route(a, "PUT", "/api/v1/virtual-devices/{device}/fault", access.RunVirtualDevice, "Make a virtual device misbehave", func(ctx context.Context, who access.Actor, in *faultInput) (nothing, error) {
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

func (a *API) shadow(ctx context.Context, who access.Actor, in *DeviceInput) (stateView, error) {
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
	points, more, err := a.History.Points(ctx, who, q)
	return pageOf(points, more, func(p *history.Point) string { return p.At.Format(time.RFC3339Nano) }, func(p *history.Point) pointView {
		return pointView{p.At, p.Value}
	}), err
}

func (a *API) newCommand(ctx context.Context, who access.Actor, in *newCommandInput) (commandView, error) {
	cs, err := a.Commands.Submit(ctx, who, command.Request{
		Device: in.Device, Kind: command.Kind(in.Body.Kind), Service: in.Body.Service, Params: in.Body.Params,
		Deadline: time.Duration(in.Body.DeadlineMS) * time.Millisecond, Origin: "api",
	})
	if err != nil {
		return commandView{}, err
	}
	if in.Body.WaitMS > 0 {
		wait, cancel := context.WithTimeout(ctx, time.Duration(in.Body.WaitMS)*time.Millisecond)
		defer cancel()
		if ended, err := a.Commands.Wait(wait, cs[0].ID); err == nil || wait.Err() != nil && len(ended) == 1 {
			return commandOf(&ended[0]), nil
		}
	}
	return commandOf(&cs[0]), nil
}
