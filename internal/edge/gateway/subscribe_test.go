package gateway_test

import (
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/infra/uplink"
	"lampworks/internal/partner/quota"
	"lampworks/mqtt"
)

// TestUnchangedSubscriptions: what a device subscribed to is written down when it changes, and then only.
func TestUnchangedSubscriptions(t *testing.T) {
	h, log := newGated(t, 1, gateway.Limits{})
	d := h.Lights[0]
	r, _ := h.returns(t, d, mqtt.V5, nil)
	var written atomic.Int32
	log.set(func(r uplink.Record) <-chan struct{} {
		if r.Subject == "session.filters" {
			written.Add(1)
		}
		return nil
	}, nil)
	for id := range uint16(3) {
		r.send(t, subscribe(id+1, mqtt.V5, h.topic(d, "thing/service/#"), h.topic(d, "thing/event/#")))
		if p := r.await(t, mqtt.SUBACK, 1); fmt.Sprintf("%x", p.Codes) != "0101" {
			t.Errorf("SUBACK %x", p.Codes)
		}
		r.send(t, mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.UNSUBSCRIBE, ID: 9, Filters: []mqtt.Filter{{Topic: []byte("nothing")}}}, mqtt.V5))
		r.await(t, mqtt.UNSUBACK, 1)
	}
	if n := written.Load(); n != 1 {
		t.Errorf("they were written down %d times", n)
	}
}

// TestUnsubscribedIsWrittenDown: a device of MQTT 3.1.1 is not told that it is unsubscribed when that could not be written
// down: it would be subscribed again after the next connection. MQTT 5 has a word for it.
func TestUnsubscribedIsWrittenDown(t *testing.T) {
	h, log := newGated(t, 1, gateway.Limits{})
	d := h.Lights[0]
	for _, v := range versions {
		log.set(nil, nil)
		r, _ := h.returns(t, d, v, nil)
		r.send(t, subscribe(1, v, h.topic(d, "thing/service/#")))
		r.await(t, mqtt.SUBACK, 1)
		log.set(nil, func(r uplink.Record) bool { return r.Subject == "session.filters" })
		r.send(t, mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.UNSUBSCRIBE, ID: 2, Filters: []mqtt.Filter{{Topic: []byte(h.topic(d, "thing/service/#"))}}}, v))
		if v == mqtt.V5 {
			if p := r.await(t, mqtt.UNSUBACK, 1); fmt.Sprintf("%x", p.Codes) != "80" {
				t.Errorf("UNSUBACK %x", p.Codes)
			}
			continue
		}
		_ = r.nc.SetReadDeadline(time.Now().Add(patience))
		if b, err := io.ReadAll(r.nc); err == nil && len(b) > 0 {
			t.Errorf("%s: it was answered %x", v, b)
		}
	}
}

// TestEverythingIsCharged: what is no message of its own counts against the rate of a device, too: subscribing, and messages
// on foreign topics.
func TestEverythingIsCharged(t *testing.T) {
	g := newGuarded(t, 1)
	d := g.Lights[0]
	for name, packet := range map[string][]byte{
		"subscribing":     subscribe(1, mqtt.V5, g.topic(d, "thing/service/#")),
		"unsubscribing":   mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.UNSUBSCRIBE, ID: 1, Filters: []mqtt.Filter{{Topic: []byte("x")}}}, mqtt.V5),
		"a foreign topic": mqtt.AppendPublish(nil, mqtt.V5, "foreign", brightness, 1, 7, false, false),
	} {
		r := g.raw(t, d, mqtt.V5)
		limit, err := g.quota.Override(t.Context(), operator, quota.NewOverride{
			Subject: quota.Device(d.ID, d.Product, d.Organisation), Limit: quota.DeviceMessageRate, Purpose: quota.CutOff, Value: 0, Reason: "for the test",
		})
		if err != nil {
			t.Fatal(err)
		}
		r.send(t, packet)
		if p := r.await(t, mqtt.DISCONNECT, 1); mqtt.Reason(p.Code) != mqtt.QuotaExceeded {
			t.Errorf("%s: DISCONNECT %s", name, mqtt.Reason(p.Code))
		}
		if _, err := g.quota.Lift(t.Context(), operator, limit.ID, "for the test"); err != nil {
			t.Fatal(err)
		}
	}
}
