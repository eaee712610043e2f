package gateway_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/bus"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/job"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/quota"
	"lampworks/mqtt"
)

var operator = access.Actor{Kind: access.KindUser, ID: "operator", User: "operator", Roles: []access.Role{access.Admin}, Strong: true}

// deaf is a bus that loses every event.
type deaf struct{}

func (deaf) Publish(string, []byte)                        {}
func (deaf) Subscribe(string, func(string, []byte)) func() { return func() {} }

// guarded is a gateway that asks for standings and limits, and hears no event.
type guarded struct {
	*house
	enforce *enforce.Service
	quota   *quota.Service
}

func newGuarded(t *testing.T, lights int) *guarded {
	t.Helper()
	return newGuardedOn(t, lights, deaf{}, gateway.Limits{})
}

func newGuardedOn(t *testing.T, lights int, events bus.Bus, limits gateway.Limits) *guarded {
	t.Helper()
	h := newHouse(t, lights, nil, limits)
	if events == nil {
		events = h.Bus
	}
	g := &guarded{house: h}
	g.quota = quota.New(quota.Config{Store: h.Store, Logger: h.Quiet, Holds: func(of quota.Subject, l quota.Limit) int64 { return g.Holds(of, l) }})
	g.enforce = enforce.New(enforce.Config{
		Store: h.Store, Bus: deaf{}, Jobs: job.New(h.Store, h.Quiet), Logger: h.Quiet,
		Owner: func(context.Context, enforce.Subject) (string, error) { return h.Maker.Organisation, nil },
	})
	h.Gateway = gateway.New(gateway.Config{
		Devices: h.Devices, Products: h.Products, Commands: h.commands, Log: h.Log, Bus: events, Logger: h.Quiet, Enforce: g.enforce, Quota: g.quota, Orders: h.Orders, Limits: limits,
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.addr = l.Addr().String()
	gw := h.Gateway // a test may put another in its place
	devicetest.Run(t, gw.Run)
	devicetest.Run(t, func(ctx context.Context) error { return gw.Serve(ctx, l, false) })
	return g
}

// refused is the code that a device's CONNECT is answered with.
func (g *guarded) refused(t *testing.T, d device.Device) byte {
	t.Helper()
	c, err := mqtt.Dial(t.Context(), g.addr, g.credentials(t, d))
	if err == nil {
		c.Kill()
		return mqtt.Accepted
	}
	refused, ok := errors.AsType[*mqtt.Refused](err)
	if !ok {
		t.Fatal(err)
	}
	return refused.Code
}

// gone waits until a connection ends: five seconds are the promise.
func gone(t *testing.T, what string, c *mqtt.Client) {
	t.Helper()
	select {
	case <-c.Done():
	case <-time.After(5 * time.Second):
		t.Errorf("five seconds after a measure against its %s a device is still online", what)
	}
}

// TestMeasuresReachLiveSessions imposes measures on every level while every event is lost, now and at a time to come: each
// ends the sessions it is about and no other, keeps the device outside, and lets it in again once it is lifted.
func TestMeasuresReachLiveSessions(t *testing.T) {
	g := newGuarded(t, 2)
	d, other := g.Lights[0], g.Lights[1]
	bystander := g.dial(t, other)
	for _, tt := range []struct {
		what   string
		kind   enforce.Kind
		of     enforce.Subject
		starts time.Duration
		others bool // it is about the other device too
	}{
		{"device", enforce.Suspend, enforce.Subject{Kind: enforce.KindDevice, ID: d.ID}, 0, false},
		{"device, in a second", enforce.Suspend, enforce.Subject{Kind: enforce.KindDevice, ID: d.ID}, time.Second, false},
		{"batch", enforce.TakeDown, enforce.Subject{Kind: enforce.KindBatch, ID: d.Order}, 0, true},
		{"product", enforce.TakeDown, enforce.Subject{Kind: enforce.KindProduct, ID: d.Product}, 0, true},
		{"organisation", enforce.Terminate, enforce.Subject{Kind: enforce.KindOrganisation, ID: d.Organisation}, 0, true},
	} {
		c := g.dial(t, d)
		n := enforce.NewMeasure{Subject: tt.of, Kind: tt.kind, Cause: "unsafe_product", Reason: "it burns"}
		if tt.starts > 0 {
			n.Starts = time.Now().Add(tt.starts)
		}
		m, err := g.enforce.Impose(t.Context(), operator, n)
		if err != nil {
			t.Fatal(err)
		}
		gone(t, tt.what, c)
		if tt.others {
			gone(t, tt.what, bystander)
		} else if err := bystander.Publish(t.Context(), g.post(other), brightness, 1); err != nil {
			t.Errorf("a measure against the %s of another reaches it: %v", tt.what, err)
		}
		if code := g.refused(t, d); code != mqtt.RefusedAuthorised {
			t.Errorf("under a measure against its %s a device is answered %d", tt.what, code)
		}
		_, err = g.commands.Submit(t.Context(), g.Maker, command.Request{Device: d.ID, Kind: command.PropertySet, Params: []byte(`{"brightness":4}`)})
		if !fault.Is(err, fault.Suspended) {
			t.Errorf("under a measure against its %s a command is answered %v", tt.what, err)
		}
		if _, err := g.enforce.Lift(t.Context(), operator, m.ID, "mended"); err != nil {
			t.Fatal(err)
		}
		if code := g.refused(t, d); code != mqtt.Accepted {
			t.Errorf("once the measure against its %s is lifted a device is answered %d", tt.what, code)
		}
		if tt.others {
			bystander = g.dial(t, other)
		}
	}
}

// TestBeyondItsRate lets a device send more than it may: all of it is taken, more slowly. One that is cut off is closed,
// and told at its next CONNECT that the server does not serve it now.
func TestBeyondItsRate(t *testing.T) {
	g := newGuarded(t, 1)
	d := g.Lights[0]
	limit := func(purpose quota.Purpose, value int64) {
		t.Helper()
		_, err := g.quota.Override(t.Context(), operator, quota.NewOverride{
			Subject: quota.Device(d.ID, d.Product, d.Organisation), Limit: quota.DeviceMessageRate, Purpose: purpose, Value: value, Reason: "for the test",
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	limit(quota.Throttle, 5)
	c := g.dial(t, d)
	for range 12 {
		if err := c.Publish(t.Context(), g.post(d), brightness, 1); err != nil {
			t.Fatal(err)
		}
	}
	if n := g.Gateway.Stats.Limited.Load(); n != 0 {
		t.Errorf("%d messages were refused that were only early", n)
	}
	limit(quota.CutOff, 0)
	_ = c.PublishAsync(g.post(d), brightness, nil)
	gone(t, "rate", c)
	if code := g.refused(t, d); code != mqtt.RefusedServer {
		t.Errorf("a device that is cut off is answered %d", code)
	}
}
