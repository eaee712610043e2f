package gateway_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/paho"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/fleet/timeline"
	"lampworks/internal/infra/listing"
)

// TestRefusalsAreToldOf: why a device was not let in, and why its messages were not taken, is in its timeline.
func TestRefusalsAreToldOf(t *testing.T) {
	h := newHouse(t, 2, nil, gateway.Limits{})
	lines := timeline.New(h.Store, h.commands, h.Bus, h.Quiet)
	stop := devicetest.Run(t, func(ctx context.Context) error { return lines.Follow(ctx, h.Log) })
	devicetest.Eventually(t, "the Log to be followed", func() (bool, any) {
		_, ok := h.Log.Cursors()["timeline.log"]
		return ok, nil
	})
	d, out := h.Lights[0], h.Lights[1]
	if err := h.Devices.SetState(t.Context(), h.Maker, out.ID, device.Disabled, ""); err != nil {
		t.Fatal(err)
	}
	h.paho5(t, d, func(in *paho.Connect) { in.Password = []byte("wrong") })
	h.paho5(t, out, nil)
	l, _ := h.paho5(t, d, nil)
	l.says(t, h.post(d), `{"id":"1","params":{"brightness":5000}}`)
	l.says(t, h.post(d), `{"id":"1","params":{"brightness":5000}}`)
	l.says(t, h.post(out), `{}`)
	_ = l.Disconnect(&paho.Disconnect{})
	devicetest.Eventually(t, "its end", func() (bool, any) {
		page, err := lines.List(t.Context(), h.Maker, d.ID, listing.Ask{Limit: 50, Filters: map[string]string{timeline.ByKind: string(timeline.Disconnected)}})
		return err == nil && len(page.Items) == 1, err
	})
	stop()
	for id, want := range map[string][]string{
		d.ID:   {"refused  wrong signature", "connected 127.0.0.1:", "refused " + h.post(d) + " /params/brightness is 5000, want an integer from 1 to 100 % x2", "refused " + h.post(out) + " published on a topic that is not its own"},
		out.ID: {"refused  device is disabled"},
	} {
		page, err := lines.List(t.Context(), h.Maker, id, listing.Ask{Limit: 50})
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, e := range page.Items {
			text := fmt.Sprintf("%s %s %s", e.Kind, e.What, e.Why)
			if e.Times > 1 {
				text += fmt.Sprint(" x", e.Times)
			}
			told = append(told, text)
		}
		all := strings.Join(told, "\n")
		for _, line := range want {
			if !strings.Contains(all, line) {
				t.Errorf("no %q in\n%s", line, all)
			}
		}
	}
}

// TestRegistrationIsToldOf: that a device was handed a secret is in its timeline, as are the attempts that were refused, and the secret is not.
func TestRegistrationIsToldOf(t *testing.T) {
	p := newPlant(t, 1)
	d := p.Lights[0]
	lines := timeline.New(p.Store, p.commands, p.Bus, p.Quiet)
	devicetest.Run(t, func(ctx context.Context) error { return lines.Follow(ctx, p.Log) })
	p.opens(t)
	_, handed := p.asks(t, d.Name, p.secret)
	p.asks(t, d.Name, p.secret)
	devicetest.Eventually(t, "both attempts", func() (bool, any) {
		page, err := lines.List(t.Context(), p.Maker, d.ID, listing.Ask{Limit: 50})
		var told []string
		for _, e := range page.Items {
			told = append(told, fmt.Sprintf("%s %s", e.Kind, e.Why))
		}
		all := strings.Join(told, "\n")
		if strings.Contains(all, handed) {
			t.Errorf("the timeline shows a secret: %s", all)
		}
		return err == nil && strings.Contains(all, "registered registered by https from 127.0.0.1:") && strings.Contains(all, "refused registration by https from 127.0.0.1:"), all
	})
}
