package api

import (
	"context"
	"encoding/json"
	"time"

	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/access"
)

type childView struct {
	ID         string `json:"id"`
	Product    string `json:"product"`
	DeviceName string `json:"device_name"`
	State      string `json:"state" enum:"enabled,disabled"`
	Online     bool   `json:"online"`
	SeenAt     moment `json:"seen_at,omitzero" doc:"Last message, or change of session."`
	Reason     string `json:"reason,omitempty" doc:"Why the last session ended, or connected."`
	Pinned     bool   `json:"pinned" doc:"The maker attached it, and no gateway takes it away."`
	AttachedAt moment `json:"attached_at"`
}

func childOf(c *device.Child) childView {
	return childView{c.ID, c.Product, c.Name, string(c.State), c.Online, moment(c.SeenAt), c.Reason, c.Pinned, moment(c.AttachedAt)}
}

type childrenInput struct {
	ListInput
	Device string `path:"device" maxLength:"64"`
	Online string `query:"online" enum:"true,false"`
}

type childInput struct {
	Device string `path:"device" maxLength:"64" doc:"The gateway."`
	Child  string `path:"child" maxLength:"64" doc:"The device that it carries."`
}

type permitInput struct {
	Device string `path:"device" maxLength:"64"`
	Body   struct {
		Seconds    int    `json:"seconds" minimum:"0" maximum:"600" doc:"How long sub-devices may join; 0: no longer."`
		ProductKey string `json:"product_key,omitempty" maxLength:"64" doc:"Only those of this product."`
		WaitMS     int64  `json:"wait_ms,omitempty" minimum:"0" maximum:"20000" doc:"Answer when the gateway has answered, or after this time."`
	}
}

// childRoutes are about gateways (网关) and what they carry (子设备).
func (a *API) childRoutes() {
	const children = "/api/v1/devices/{device}/children"
	list(a, children, access.ReadDevice, ofDevice, "What a gateway carries (子设备)", func(ctx context.Context, who access.Actor, in *childrenInput) (page[childView], error) {
		p, err := a.Devices.Children(ctx, who, in.Device, in.ask(map[string]string{device.ByOnline: in.Online}))
		return pageFrom(p, childOf), err
	})
	route(a, "PUT", children+"/{child}", access.WriteDevice, ofDevice, "Have a gateway carry a device, whoever carries it now", func(ctx context.Context, who access.Actor, in *childInput) (nothing, error) {
		return nothing{}, a.Devices.Attach(ctx, who, in.Device, in.Child)
	})
	route(a, "DELETE", children+"/{child}", access.WriteDevice, ofDevice, "Take a device from the gateway that carries it", func(ctx context.Context, who access.Actor, in *childInput) (nothing, error) {
		return nothing{}, a.Devices.Detach(ctx, who, in.Device, in.Child)
	})
	create(a, "/api/v1/devices/{device}/permit-join", access.ControlDevice, ofDevice, "Let sub-devices join a gateway for a while", a.permitJoin)
}

func (a *API) permitJoin(ctx context.Context, who access.Actor, in *permitInput) (commandView, error) {
	params, err := json.Marshal(command.Window{Seconds: in.Body.Seconds, ProductKey: in.Body.ProductKey})
	if err != nil {
		return commandView{}, err
	}
	return a.order(ctx, who, time.Duration(in.Body.WaitMS)*time.Millisecond, command.Request{Device: in.Device, Kind: command.PermitJoin, Params: params})
}
