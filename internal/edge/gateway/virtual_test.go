package gateway_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/fleet/virtual"
	"lampworks/triple"
)

// TestVirtualHub plays a gateway with more children than one login takes: all come online, and do what they are told.
func TestVirtualHub(t *testing.T) {
	u := newHub(t, 60)
	u.c.Kill()
	v := u.virtual(t, u.Lights...)
	stop := v.run(t)
	for _, d := range u.Lights {
		if !u.Live(d.ID) {
			t.Fatalf("%s is not there", d.Name)
		}
	}
	set := u.orders(t, u.Lights[59], command.Request{Kind: command.PropertySet, Params: json.RawMessage(`{"brightness":7}`), Deadline: time.Minute})
	if got := u.ended(t, set); !strings.HasPrefix(got, "succeeded") {
		t.Errorf("a child's command %s", got)
	}
	permit := u.orders(t, u.d, command.Request{Kind: command.PermitJoin, Params: json.RawMessage(`{"time":60}`), Deadline: time.Minute})
	if got := u.ended(t, permit); got != "succeeded" {
		t.Errorf("letting others join %s", got)
	}
	stop()
	u.presence(t, u.Lights[0], false, "its gateway is gone")
}

// A virtualHub is a hub that is played, and what it tells.
type virtualHub struct {
	c     virtual.Config
	ready chan struct{}
	told  chan string
}

// virtual is the hub as a virtual device that carries some.
func (u *hub) virtual(t *testing.T, children ...device.Device) *virtualHub {
	t.Helper()
	triples := func(key string, d device.Device) triple.Triple {
		who, err := u.Devices.Identify(t.Context(), key, d.Name)
		if err != nil {
			t.Fatal(err)
		}
		return triple.Triple{MAC: who.MAC(), Secret: who.Secret}
	}
	model, err := u.Products.Model(t.Context(), u.Product.ID)
	if err != nil {
		t.Fatal(err)
	}
	v := &virtualHub{ready: make(chan struct{}, 10), told: make(chan string, 1000)}
	v.c = virtual.Config{Addr: u.addr, ProductKey: u.product.ProductKey, Triple: triples(u.product.ProductKey, u.d), Model: model, QoS: 1}
	for _, d := range children {
		v.c.Children = append(v.c.Children, virtual.Config{ProductKey: u.Product.ProductKey, Triple: triples(u.Product.ProductKey, d), Model: model})
	}
	v.c.OnState = func(err error) {
		if err == nil {
			v.ready <- struct{}{}
		}
	}
	v.c.OnNews = func(n virtual.News) { v.told <- fmt.Sprintf("%s %s %d", n.Device, n.What, n.Code) }
	return v
}

// run plays the hub and returns when all that it carries was logged in.
func (v *virtualHub) run(t *testing.T) (stop func()) {
	t.Helper()
	stop = devicetest.Run(t, virtual.New(v.c).Run)
	got(t, "connection", v.ready)
	return stop
}

// tells waits until the hub has told each of some news, in any order.
func (v *virtualHub) tells(t *testing.T, want ...string) {
	t.Helper()
	for len(want) > 0 {
		news := got(t, strings.Join(want, ", "), v.told)
		want = slices.DeleteFunc(want, func(w string) bool { return w == news })
	}
}

// TestVirtualHubFollows has a maker shut out, bring back, detach and attach what a virtual hub carries: it does as it is told, without
// another connection, and tells of it.
func TestVirtualHubFollows(t *testing.T) {
	u := newHub(t, 3)
	u.c.Kill()
	d, stays, stranger := u.Lights[0], u.Lights[1], u.Lights[2]
	v := u.virtual(t, d, stays)
	v.run(t)
	v.tells(t, d.Name+" logged in 0", stays.Name+" logged in 0")
	state := func(to device.State) {
		t.Helper()
		if err := u.Devices.SetState(t.Context(), u.Maker, d.ID, to, "a test"); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		state(device.Disabled)
		v.tells(t, d.Name+" disabled 0")
		devicetest.Eventually(t, "the child to be out", func() (bool, any) { return !u.Live(d.ID), "live" })
		state(device.Enabled)
		v.tells(t, d.Name+" enabled 0", d.Name+" logged in 0")
		set := u.orders(t, d, command.Request{Kind: command.PropertySet, Params: json.RawMessage(`{"brightness":7}`), Deadline: time.Minute})
		if got := u.ended(t, set); !strings.HasPrefix(got, "succeeded") {
			t.Errorf("the command of a child that is back %s", got)
		}
	}
	if err := u.Devices.Detach(t.Context(), u.Maker, u.d.ID, d.ID); err != nil {
		t.Fatal(err)
	}
	v.tells(t, d.Name+" detached 0")
	devicetest.Eventually(t, "the child to be out", func() (bool, any) { return !u.Live(d.ID), "live" })
	for _, k := range []device.Device{stranger, d} {
		if err := u.Devices.Attach(t.Context(), u.Maker, u.d.ID, k.ID); err != nil {
			t.Fatal(err)
		}
	}
	v.tells(t, stranger.Name+" unknown 0", d.Name+" attached 0", d.Name+" logged in 0")
	if !u.Live(d.ID) || !u.Live(stays.ID) || len(v.ready) > 0 {
		t.Errorf("live: %t, the other: %t, connections more: %d", u.Live(d.ID), u.Live(stays.ID), len(v.ready))
	}
	permit := u.orders(t, u.d, command.Request{Kind: command.PermitJoin, Params: json.RawMessage(`{"time":60}`), Deadline: time.Minute})
	u.ended(t, permit)
	v.tells(t, u.d.Name+" permit-join 0")
}

// TestVirtualHubRefused plays hubs of which the platform takes a child never, or not yet: only the first end.
func TestVirtualHubRefused(t *testing.T) {
	u := newHub(t, 3)
	u.c.Kill()
	shut, fine := u.Lights[0], u.Lights[1]
	other := u.hub(t, u.product)
	other.c.Kill()
	for what, tt := range map[string]struct {
		spoil func(v *virtualHub)
		code  int
	}{
		"a wrong secret": {func(v *virtualHub) { v.c.Children[0].Triple.Secret = v.c.Triple.Secret }, alink.CodeSign},
		"no such device": {func(v *virtualHub) { v.c.Children[0].ProductKey = "nothing" }, alink.CodeUnknown},
		"a gateway": {func(v *virtualHub) {
			v.c.Children[0] = other.virtual(t).c
		}, alink.CodeItself},
		"no gateway": {func(v *virtualHub) {
			own := v.c.Children[0]
			v.c.ProductKey, v.c.Triple, v.c.Children = own.ProductKey, own.Triple, v.c.Children[1:]
		}, alink.CodeBadRequest},
	} {
		v := u.virtual(t, shut, fine)
		tt.spoil(v)
		ended := make(chan error, 1)
		go func() { ended <- virtual.New(v.c).Run(t.Context()) }()
		if denied, ok := errors.AsType[*virtual.Denied](got(t, "end of "+what, ended)); !ok || denied.Code != tt.code {
			t.Errorf("%s ended with %v, want %d", what, denied, tt.code)
		}
	}
	if err := u.Devices.SetState(t.Context(), u.Maker, shut.ID, device.Disabled, "a test"); err != nil {
		t.Fatal(err)
	}
	v := u.virtual(t, shut, fine)
	v.run(t)
	v.tells(t, shut.Name+" refused 522", fine.Name+" logged in 0")
	if err := u.Devices.SetState(t.Context(), u.Maker, shut.ID, device.Enabled, "a test"); err != nil {
		t.Fatal(err)
	}
	v.tells(t, shut.Name+" logged in 0")
}
