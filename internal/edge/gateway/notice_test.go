package gateway_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/eclipse/paho.golang/paho"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/household/home"
	"lampworks/mqtt"
)

// TestNotices: a device is told before it is shut out, and when it comes back; nobody else is.
func TestNotices(t *testing.T) {
	h := newHouse(t, 2, nil, gateway.Limits{})
	devicetest.Run(t, func(ctx context.Context) error { return h.Devices.Follow(ctx, h.Log) })
	for i, version := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		d := h.Lights[i]
		connect := func() (chan mqtt.Message, *mqtt.Client) {
			t.Helper()
			came := make(chan mqtt.Message, 10)
			a := h.credentials(t, d)
			a.Version = version
			a.OnMessage = func(_ *mqtt.Client, m mqtt.Message) { came <- m }
			c, err := mqtt.Dial(t.Context(), h.addr, a)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Kill)
			for _, topic := range []string{"thing/service/property/set", "thing/service/property/get", "thing/config/push", "thing/enable", "thing/disable"} {
				if _, err := c.Subscribe(t.Context(), h.topic(d, topic)); err != nil { // the last while it is given what waits since the first
					t.Fatal(err)
				}
			}
			return came, c
		}
		state := func(to device.State) {
			t.Helper()
			if err := h.Devices.SetState(t.Context(), h.Maker, d.ID, to, "a test"); err != nil {
				t.Fatal(err)
			}
		}
		hears := func(came chan mqtt.Message, what string) {
			t.Helper()
			m := got(t, what, came)
			var in struct{ ID, Method string }
			if err := json.Unmarshal(m.Payload, &in); err != nil || m.Topic != h.topic(d, "thing/"+what) || in.Method != "thing."+what || in.ID == "" {
				t.Errorf("version %d: %s on %s, %v", version, m.Payload, m.Topic, err)
			}
		}
		came, _ := connect()
		h.online(t, d)
		state(device.Disabled)
		hears(came, "disable")
		devicetest.Eventually(t, "the end of the session", func() (bool, any) {
			got, err := h.Devices.Load(t.Context(), h.Maker, d.ID)
			return err == nil && got.Reason == "disabled", got
		})
		state(device.Enabled)
		came, _ = connect()
		hears(came, "enable")
		h.online(t, d)
		again, c := connect() // it knows by now
		if err := c.Publish(t.Context(), h.post(d), brightness, 1); err != nil {
			t.Fatal(err)
		}
		select {
		case m := <-again:
			t.Errorf("version %d: a third session heard %s", version, m.Topic)
		case m := <-came:
			t.Errorf("version %d: the second session heard %s", version, m.Topic)
		default:
		}
	}
}

// TestBindingNotice: a device hears that it was placed in a home, and taken from it, by people or by its own reset.
func TestBindingNotice(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	homes := home.New(h.Store)
	homes.TellOn(h.Bus)
	d := h.Lights[0]
	l, _ := h.paho5(t, d, nil)
	l.hears(t, h.topic(d, "_thing/event/notify"))
	names := home.Names{"en": "x"}
	where, err := homes.Create(t.Context(), h.Maker, names)
	if err != nil {
		t.Fatal(err)
	}
	bind := func() {
		t.Helper()
		if _, err := homes.Bind(t.Context(), h.Maker, where.ID, "", d.ID, home.Label{Names: names}); err != nil {
			t.Fatal(err)
		}
	}
	bind()
	hears := func(operation string) {
		t.Helper()
		m := got(t, operation, l.came)
		var in struct {
			Params struct {
				Identifier string
				Value      struct{ Operation string }
			}
		}
		if err := json.Unmarshal(m.Payload, &in); err != nil || in.Params.Identifier != "awss.BindNotify" || in.Params.Value.Operation != operation {
			t.Errorf("%s, %v, want %s", m.Payload, err, operation)
		}
	}
	hears("Bind")
	if err := homes.Unbind(t.Context(), h.Maker, where.ID, d.ID); err != nil {
		t.Fatal(err)
	}
	hears("Unbind")
	bind()
	hears("Bind")
	h.Devices.OnReset(homes.Leave)
	devicetest.Run(t, func(ctx context.Context) error { return h.Devices.Follow(ctx, h.Log) })
	if _, err := l.Publish(t.Context(), &paho.Publish{Topic: h.topic(d, "thing/reset"), QoS: 1, Payload: []byte(`{"id":"1","version":"1.0","params":{}}`)}); err != nil {
		t.Fatal(err)
	}
	hears("Unbind")
}
