package gateway_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/partner/product"
	"lampworks/mqtt"
)

// carries reports whether a packet holds a command.
func carries(p mqtt.Packet, c command.Command) bool {
	return strings.Contains(string(p.Payload), fmt.Sprintf(`"id":"%d"`, c.Seq))
}

// TestNotSentAgain: a service that the thing model does not call idempotent goes once, over however many connections; what
// waits behind it goes.
func TestNotSentAgain(t *testing.T) {
	h := newHouse(t, 0, nil, gateway.Limits{Takeovers: 1000})
	var err error
	h.Product, err = h.Products.Create(t.Context(), h.Maker, product.NewProduct{Category: "kettle", Names: product.Names{"zh-CN": "水壶", "en": "kettle"}})
	if err != nil {
		t.Fatal(err)
	}
	d := h.Issue(t, 1)[0]
	for _, v := range versions {
		r, _ := h.returns(t, d, v, nil)
		r.send(t, subscribe(1, v, h.topic(d, "thing/service/#")))
		r.await(t, mqtt.SUBACK, 1)
		once := h.submit(t, command.Request{Device: d.ID, Kind: command.Service, Service: "boil", Params: json.RawMessage(`{}`)})
		if p := r.await(t, mqtt.PUBLISH, 1); !carries(p, once) {
			t.Fatalf("%s: %s came", v, p.Payload)
		}
		for range 2 {
			h.cut(t, d, r)
			next := h.submit(t, command.Request{Device: d.ID, Kind: command.PropertyGet, Params: json.RawMessage(`["powerstate"]`)})
			r, _ = h.returns(t, d, v, nil)
			p := r.await(t, mqtt.PUBLISH, 1)
			if p.Dup || !carries(p, next) {
				t.Errorf("%s: DUP %v, %s came, want command %d alone", v, p.Dup, p.Payload, next.Seq)
			}
			r.send(t, append(mqtt.AppendPuback(nil, p.ID), 0xc0, 0))
			r.await(t, mqtt.PINGRESP, 1)
		}
		h.raw(t, d, v)
	}
}

// TestAllIsSentAgain: a device that takes less at once than before gets everything again all the same, in order, and then what
// waited meanwhile.
func TestAllIsSentAgain(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{Takeovers: 1000})
	d := h.Lights[0]
	takes := func(n uint32) *rawLamp {
		r, ack := h.rawAs(t, d, func(p *mqtt.Packet) {
			p.Connect.Version, p.Connect.Clean = mqtt.V5, false
			p.Properties = p.Properties.Append(mqtt.Property{ID: mqtt.SessionExpiry, Int: 3600}).Append(mqtt.Property{ID: mqtt.ReceiveMaximum, Int: n})
		})
		if ack.Code != 0 {
			t.Fatalf("CONNACK %+v", ack)
		}
		return r
	}
	r := takes(10)
	r.send(t, subscribe(1, mqtt.V5, h.topic(d, "thing/service/#")))
	r.await(t, mqtt.SUBACK, 1)
	var sent []command.Command
	for n := range 5 {
		sent = append(sent, h.submit(t, command.Request{Device: d.ID, Kind: command.PropertySet, Params: fmt.Appendf(nil, `{"brightness":%d}`, n+1)}))
		r.await(t, mqtt.PUBLISH, 1)
	}
	h.cut(t, d, r)
	sent = append(sent, h.submit(t, command.Request{Device: d.ID, Kind: command.PropertySet, Params: json.RawMessage(`{"brightness":90}`)}))
	r = takes(2)
	for i, c := range sent {
		p := r.await(t, mqtt.PUBLISH, 1)
		if !carries(p, c) || p.Dup != (i < 5) {
			t.Errorf("%d: DUP %v, %s came, want command %d", i, p.Dup, p.Payload, c.Seq)
		}
		r.send(t, mqtt.AppendPuback(nil, p.ID))
	}
}

// TestTooLarge: a command that the device cannot take ends with the reason, and what waits behind it goes.
func TestTooLarge(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	large := h.submit(t, command.Request{Device: d.ID, Kind: command.Raw, Params: fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("x", 5000))})
	small := h.submit(t, command.Request{Device: d.ID, Kind: command.PropertySet, Params: json.RawMessage(`{"brightness":20}`)})
	r, ack := h.rawAs(t, d, func(p *mqtt.Packet) {
		p.Connect.Version = mqtt.V5
		p.Properties = p.Properties.Append(mqtt.Property{ID: mqtt.MaximumPacketSize, Int: 1000})
	})
	if ack.Code != 0 {
		t.Fatalf("CONNACK %+v", ack)
	}
	r.send(t, subscribe(1, mqtt.V5, h.topic(d, "thing/service/#"), h.topic(d, "thing/model/#")))
	if p := r.await(t, mqtt.PUBLISH, 1); !carries(p, small) {
		t.Errorf("%s came", p.Payload)
	}
	devicetest.Eventually(t, "the large one to end", func() (bool, any) {
		c, err := h.commands.Load(t.Context(), h.Maker, large.ID)
		return err == nil && c.State == command.Failed && c.Reason == command.Undeliverable && c.Note == "the packet is larger than the device takes", c
	})
}

// TestQoSZeroGoesOnce: what went at QoS 0 does not go again over the next connection of the session.
func TestQoSZeroGoesOnce(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	filter := mqtt.Packet{Type: mqtt.SUBSCRIBE, ID: 1, Filters: []mqtt.Filter{{Topic: []byte(h.topic(d, "thing/service/#"))}}}
	r, _ := h.returns(t, d, mqtt.V311, nil)
	r.send(t, mqtt.AppendPacket(nil, &filter, mqtt.V311))
	r.await(t, mqtt.SUBACK, 1)
	first := h.submit(t, command.Request{Device: d.ID, Kind: command.PropertySet, Params: json.RawMessage(`{"brightness":20}`)})
	if p := r.await(t, mqtt.PUBLISH, 1); p.QoS != 0 || !carries(p, first) {
		t.Fatalf("QoS %d, %s came", p.QoS, p.Payload)
	}
	h.cut(t, d, r)
	next := h.submit(t, command.Request{Device: d.ID, Kind: command.PropertySet, Params: json.RawMessage(`{"colorTemperature":3000}`)})
	r, _ = h.returns(t, d, mqtt.V311, nil)
	if p := r.await(t, mqtt.PUBLISH, 1); p.Dup || !carries(p, next) {
		t.Errorf("DUP %v, %s came, want command %d alone", p.Dup, p.Payload, next.Seq)
	}
}
