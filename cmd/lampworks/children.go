package main

import (
	"context"
	"time"
)

type fleetChildren struct {
	sorted
	Device string `arg:"" help:"Id of the gateway."`
	Online string `help:"true or false." placeholder:"BOOL"`
}

func (f *fleetChildren) Run(ctx context.Context) error {
	return f.list(ctx, at(devicePath+"/children", f.Device), "id device_name state online product pinned attached_at reason", "online", f.Online)
}

// ofGateway is a gateway and a device that it carries, or is to carry.
type ofGateway struct {
	oneDevice
	Child string `arg:"" help:"Id of the device."`
}

func (f *ofGateway) route() string { return at(devicePath+"/children/{}", f.Device, f.Child) }

type fleetAttach struct{ ofGateway }

func (f *fleetAttach) Run(ctx context.Context) error { return f.do(ctx, "PUT", f.route(), nil) }

type fleetDetach struct{ ofGateway }

func (f *fleetDetach) Run(ctx context.Context) error { return f.do(ctx, "DELETE", f.route(), nil) }

type fleetPermit struct {
	oneDevice
	Window     time.Duration `help:"How long, in whole seconds, ten minutes at most; 0: no longer. Default: a minute." default:"1m" placeholder:"DURATION" sends:"seconds" most:"10m"`
	ProductKey string        `help:"Only those of this product." placeholder:"KEY"`
	Wait       time.Duration `help:"Answer when the gateway has answered, or after this time; up to 20s. Default: at once." placeholder:"DURATION" sends:"wait_ms" least:"1ms" most:"20s"`
}

func (f *fleetPermit) Help() string { return endsOf }

func (f *fleetPermit) Run(ctx context.Context) error {
	in := body("seconds", int64(f.Window/time.Second), "product_key", f.ProductKey)
	if f.Wait > 0 {
		in["wait_ms"] = f.Wait.Milliseconds()
	}
	return f.order(ctx, f.path("/permit-join"), in, f.Wait > 0)
}
