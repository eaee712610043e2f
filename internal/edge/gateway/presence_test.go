package gateway_test

import (
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
