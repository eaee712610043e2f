package gateway_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/eclipse/paho.golang/paho"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/infra/uplink"
	"lampworks/mqtt"
)

// presences is what the Log says of a device's coming and going.
func (h *house) presences(t *testing.T, d device.Device) (all []string) {
	t.Helper()
	records, err := h.Log.Read(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if r.Device != d.ID || r.Kind != uplink.Presence {
			continue
		}
		p, err := device.DecodePresence(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("online %t replaced %t", p.Online, p.Replaced))
	}
	return all
}

// TestWhoIsReplacedIsNotGone: the end of a session that another one of the device took the place of says so, and a CONNECT that was
// refused has none that could end.
func TestWhoIsReplacedIsNotGone(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	h.paho5(t, d, nil)
	second, _ := h.paho5(t, d, nil)
	want := []string{"online false replaced true", "online true replaced false", "online true replaced false"} // the first two in either order
	devicetest.Eventually(t, "what is told of the takeover", func() (bool, any) {
		got := h.presences(t, d)
		return len(got) == 3, got
	})
	got := h.presences(t, d)
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("of a takeover the Log tells %q", got)
	}
	bad := h.credentials(t, d)
	bad.Will = &mqtt.Will{Topic: []byte("/sys/of/another/thing/event/property/post"), Payload: brightness}
	if c, err := mqtt.Dial(t.Context(), h.addr, bad); err == nil {
		c.Kill()
		t.Error("a will for another device was taken")
	}
	if err := second.Disconnect(&paho.Disconnect{}); err != nil {
		t.Fatal(err)
	}
	devicetest.Eventually(t, "the end of the second", func() (bool, any) {
		got := h.presences(t, d)
		return slices.Contains(got, "online false replaced false"), got
	})
	if got := h.presences(t, d); len(got) != 4 {
		t.Errorf("with a CONNECT that was refused the Log tells %q", got)
	}
}

// TestEndsAreSaidInTheEnd: a device that goes while the Log takes nothing is offline, and its will is said, once the Log does.
func TestEndsAreSaidInTheEnd(t *testing.T) {
	h, log := newGated(t, 1, gateway.Limits{})
	devicetest.Run(t, func(ctx context.Context) error { return h.Devices.Follow(ctx, h.Log) })
	d := h.Lights[0]
	r, _ := h.returns(t, d, mqtt.V311, &mqtt.Will{Topic: []byte(h.post(d)), Payload: brightness})
	online := func(want bool) {
		t.Helper()
		devicetest.Eventually(t, fmt.Sprintf("online %t", want), func() (bool, any) {
			got, err := h.Devices.Load(t.Context(), h.Maker, d.ID)
			return err == nil && got.Online == want, got.Reason
		})
	}
	online(true)
	lost := make(chan string, 100)
	log.set(nil, func(r uplink.Record) bool {
		if r.Device == d.ID {
			lost <- r.Subject
		}
		return r.Device == d.ID
	})
	h.cut(t, d, r)
	for range 3 { // the two ends, and the first of them once more
		got(t, "a record that is lost", lost)
	}
	if n := h.messages(t, d, 0); n != 0 {
		t.Errorf("the will was said %d times", n)
	}
	log.set(nil, nil)
	online(false)
	devicetest.Eventually(t, "the will to be said", func() (bool, any) { n := h.messages(t, d, 0); return n == 1, n })
}
