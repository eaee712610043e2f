package gateway_test

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/infra/uplink"
	"lampworks/mqtt"
)

var versions = []mqtt.Version{mqtt.V311, mqtt.V5}

// returns connects a light whose session stays: it did not ask for a clean one, and MQTT 5 says how long.
func (h *house) returns(t *testing.T, d device.Device, v mqtt.Version, will *mqtt.Will) (*rawLamp, mqtt.Packet) {
	t.Helper()
	return h.rawAs(t, d, func(p *mqtt.Packet) {
		p.Connect.Version, p.Connect.Clean, p.Connect.Will = v, false, will
		if v == mqtt.V5 {
			p.Properties = p.Properties.Append(mqtt.Property{ID: mqtt.SessionExpiry, Int: 3600})
		}
	})
}

// cut ends the connection without goodbye and waits until the gateway knows.
func (h *house) cut(t *testing.T, d device.Device, r *rawLamp) {
	t.Helper()
	if tcp, ok := r.nc.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = r.nc.Close()
	devicetest.Eventually(t, "the session to end", func() (bool, any) { return !h.Live(d.ID), nil })
}

func (h *house) submit(t *testing.T, r command.Request) command.Command {
	t.Helper()
	r.Deadline = time.Minute
	cs, err := h.commands.Submit(t.Context(), h.Maker, r)
	if err != nil {
		t.Fatal(err)
	}
	return cs[0]
}

func subscribe(id uint16, v mqtt.Version, topics ...string) []byte {
	p := mqtt.Packet{Type: mqtt.SUBSCRIBE, ID: id}
	for _, topic := range topics {
		p.Filters = append(p.Filters, mqtt.Filter{Topic: []byte(topic), QoS: 1})
	}
	return mqtt.AppendPacket(nil, &p, v)
}

// TestSessionStays: what a device subscribed to outlives its connection, and a command that came meanwhile waits for it.
func TestSessionStays(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{Takeovers: 1000})
	d := h.Lights[0]
	for _, v := range versions {
		r, ack := h.returns(t, d, v, nil)
		if ack.SessionPresent {
			t.Errorf("%s: a session was there before the first", v)
		}
		r.send(t, subscribe(1, v, h.topic(d, "thing/service/#"), h.topic(d, "thing/event/#")))
		r.await(t, mqtt.SUBACK, 1)
		r.send(t, mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.UNSUBSCRIBE, ID: 2, Filters: []mqtt.Filter{{Topic: []byte(h.topic(d, "thing/event/#"))}}}, v))
		r.await(t, mqtt.UNSUBACK, 1)
		h.cut(t, d, r)
		c := h.submit(t, command.Request{Device: d.ID, Kind: command.PropertySet, Params: json.RawMessage(`{"brightness":20}`)})
		if r, ack = h.returns(t, d, v, nil); !ack.SessionPresent {
			t.Errorf("%s: the session was not there", v)
		}
		p := r.await(t, mqtt.PUBLISH, 1)
		if p.Dup || p.QoS != 1 {
			t.Errorf("%s: the command came as %+v", v, p)
		}
		r.send(t, mqtt.AppendPuback(nil, p.ID))
		r.send(t, mqtt.AppendPublish(nil, v, h.topic(d, "thing/service/property/set_reply"), fmt.Appendf(nil, `{"id":"%d","code":200,"data":{}}`, c.Seq), 0, 0, false, false))
		devicetest.Eventually(t, "the command to succeed", func() (bool, any) {
			now, err := h.commands.Load(t.Context(), h.Maker, c.ID)
			return err == nil && now.State == command.Succeeded, now.State
		})
		r.send(t, mqtt.AppendPublish(nil, v, h.post(d), []byte(`{"id":"9","version":"1.0","params":{"brightness":7}}`), 1, 3, false, false))
		if p := r.await(t, mqtt.PUBACK, 1); p.Code != 0 {
			t.Errorf("%s: a post was answered %+v", v, p) // and by no post_reply: that subscription was taken back
		}
		h.cut(t, d, r)
		h.raw(t, d, v) // a clean session
		if _, ack = h.returns(t, d, v, nil); ack.SessionPresent {
			t.Errorf("%s: a session was there after a clean one", v)
		}
		h.raw(t, d, v)
	}
}

// TestSentAgain: what a device was sent and did not acknowledge goes again over its next connection, in order, with the same
// identifiers and DUP: sets, and services that the model calls idempotent. What it acknowledged does not, nor what an earlier
// session was sent.
func TestSentAgain(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{Takeovers: 1000})
	d := h.Lights[0]
	for _, v := range versions {
		r, _ := h.returns(t, d, v, nil)
		r.send(t, subscribe(1, v, h.topic(d, "thing/service/#")))
		r.await(t, mqtt.SUBACK, 1)
		var sent [3]command.Command
		var ids [3]uint16
		for i, req := range []command.Request{
			{Kind: command.Service, Service: "identify", Params: json.RawMessage(`{}`)},
			{Kind: command.PropertySet, Params: json.RawMessage(`{"brightness":20}`)},
			{Kind: command.PropertySet, Params: json.RawMessage(`{"colorTemperature":3000}`)},
		} {
			req.Device = d.ID
			sent[i] = h.submit(t, req)
			ids[i] = r.await(t, mqtt.PUBLISH, 1).ID
		}
		r.send(t, append(mqtt.AppendPuback(nil, ids[2]), 0xc0, 0))
		r.await(t, mqtt.PINGRESP, 1)
		for range 3 {
			h.cut(t, d, r)
			r, _ = h.returns(t, d, v, nil)
			for i := range 2 {
				p := r.await(t, mqtt.PUBLISH, 1)
				if !p.Dup || p.ID != ids[i] || !strings.Contains(string(p.Payload), fmt.Sprintf(`"id":"%d"`, sent[i].Seq)) {
					t.Errorf("%s: again came DUP %v, identifier %d, %s; want command %d with DUP and identifier %d", v, p.Dup, p.ID, p.Payload, sent[i].Seq, ids[i])
				}
			}
		}
		after := h.submit(t, command.Request{Device: d.ID, Kind: command.PropertySet, Params: json.RawMessage(`{"brightness":30}`)})
		if p := r.await(t, mqtt.PUBLISH, 1); p.Dup || !strings.Contains(string(p.Payload), fmt.Sprintf(`"id":"%d"`, after.Seq)) {
			t.Errorf("%s: DUP %v %s came, want command %d alone", v, p.Dup, p.Payload, after.Seq)
		}
		h.raw(t, d, v) // a clean session: what the one before was sent is not that of the next
	}
}

// TestExactlyOnceAcrossConnections sends a message of QoS 2 over a hundred connections before it is released: the Log has it
// once. The release comes again, too; then its identifier is free.
func TestExactlyOnceAcrossConnections(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{Takeovers: 1000})
	d := h.Lights[0]
	for _, v := range versions {
		before := h.Log.Tail()
		message := func(dup bool) []byte { return mqtt.AppendPublish(nil, v, h.post(d), brightness, 2, 7, dup, false) }
		var r *rawLamp
		for n := range 100 {
			r, _ = h.returns(t, d, v, nil)
			r.send(t, message(n > 0))
			if n%3 > 0 { // else it is lost with the answer
				r.await(t, mqtt.PUBREC, 1)
			}
			_ = r.nc.Close()
		}
		release := []byte{0x62, 2, 0, 7}
		for range 3 {
			r, _ = h.returns(t, d, v, nil)
			r.send(t, message(true))
			r.await(t, mqtt.PUBREC, 1)
			h.cut(t, d, r)
		}
		for n := range 3 {
			r, _ = h.returns(t, d, v, nil)
			r.send(t, release)
			if p := r.await(t, mqtt.PUBCOMP, 1); n == 0 && p.Code != 0 {
				t.Errorf("%s: the release was answered %+v", v, p)
			}
			h.cut(t, d, r)
		}
		if n := h.messages(t, d, before); n != 1 {
			t.Errorf("%s: the message is in the Log %d times", v, n)
		}
		r, _ = h.returns(t, d, v, nil)
		r.send(t, message(false))
		r.await(t, mqtt.PUBREC, 1)
		if n := h.messages(t, d, before); n != 2 {
			t.Errorf("%s: with the next one of the same identifier the Log has %d", v, n)
		}
		r.send(t, release)
		r.await(t, mqtt.PUBCOMP, 1)
		h.raw(t, d, v)
	}
}

// messages counts the messages of a device in the Log.
func (h *house) messages(t *testing.T, d device.Device, after uplink.Position) (n int) {
	t.Helper()
	for {
		records, err := h.Log.Read(t.Context(), after, 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(records) == 0 {
			return n
		}
		for _, r := range records {
			if r.Kind == uplink.Message && r.Device == d.ID {
				n++
			}
		}
		after = records[len(records)-1].Pos
	}
}

// TestWills: a will is said once when its device goes without goodbye, after the delay it asked for, and not when it came
// back before, said goodbye, or was cut off by the platform.
func TestWills(t *testing.T) {
	h := newHouse(t, 13, nil, gateway.Limits{})
	later := func(seconds uint32) mqtt.Properties {
		return mqtt.Properties{}.Append(mqtt.Property{ID: mqtt.WillDelay, Int: seconds})
	}
	for i, tt := range []struct {
		name string
		v    mqtt.Version
		will mqtt.Will
		ends func(*testing.T, device.Device, *rawLamp)
		want int
	}{
		{"cut", mqtt.V311, mqtt.Will{Payload: brightness}, h.cut, 1},
		{"cut", mqtt.V5, mqtt.Will{Payload: brightness, QoS: 1}, h.cut, 1},
		{"broken", mqtt.V5, mqtt.Will{Payload: brightness, QoS: 2}, says([]byte{0}), 1},
		{"goodbye", mqtt.V311, mqtt.Will{Payload: brightness}, says([]byte{0xe0, 0}), 0},
		{"goodbye", mqtt.V5, mqtt.Will{Payload: brightness}, says([]byte{0xe0, 0}), 0},
		{"goodbye with the will", mqtt.V5, mqtt.Will{Payload: brightness}, says([]byte{0xe0, 1, 4}), 1},
		{"back before its delay", mqtt.V5, mqtt.Will{Payload: brightness, Properties: later(3)}, func(t *testing.T, d device.Device, r *rawLamp) {
			h.cut(t, d, r)
			h.returns(t, d, mqtt.V5, nil)
		}, 0},
		{"taken over", mqtt.V311, mqtt.Will{Payload: brightness}, func(t *testing.T, d device.Device, _ *rawLamp) { h.returns(t, d, mqtt.V311, nil) }, 0},
		{"taken over by a clean session", mqtt.V5, mqtt.Will{Payload: brightness}, func(t *testing.T, d device.Device, _ *rawLamp) { h.raw(t, d, mqtt.V5) }, 0},
		{"after its delay", mqtt.V5, mqtt.Will{Payload: brightness, Properties: later(1)}, h.cut, 1},
		{"what the thing model does not take", mqtt.V5, mqtt.Will{Payload: []byte(`{"id":"1","params":{"brightness":999}}`)}, h.cut, 0},
		{"cut off by the platform", mqtt.V5, mqtt.Will{Payload: brightness}, func(t *testing.T, d device.Device, _ *rawLamp) {
			if err := h.Devices.SetState(t.Context(), h.Maker, d.ID, device.Disabled, "a test"); err != nil {
				t.Fatal(err)
			}
		}, 0},
	} {
		t.Run(tt.name+" "+tt.v.String(), func(t *testing.T) {
			t.Parallel()
			d := h.Lights[i]
			tt.will.Topic = []byte(h.post(d))
			r, ack := h.returns(t, d, tt.v, &tt.will)
			if ack.Code != 0 {
				t.Fatalf("CONNACK %+v", ack)
			}
			tt.ends(t, d, r)
			if tt.want > 0 {
				devicetest.Eventually(t, "the will to be said", func() (bool, any) { return h.messages(t, d, 0) > 0, nil })
			}
			time.Sleep(3 * gateway.RoundEvery)
			if n := h.messages(t, d, 0); n != tt.want {
				t.Errorf("the will was said %d times, want %d", n, tt.want)
			}
		})
	}
}

// says ends a session by what it sends.
func says(b []byte) func(*testing.T, device.Device, *rawLamp) {
	return func(t *testing.T, _ device.Device, r *rawLamp) { r.send(t, b) }
}

// TestWillsThatAreRefused: a will is for the device's own topics, and not to be retained.
func TestWillsThatAreRefused(t *testing.T) {
	h := newHouse(t, 2, nil, gateway.Limits{})
	d := h.Lights[0]
	for name, w := range map[string]*mqtt.Will{
		"a foreign topic": {Topic: []byte(h.post(h.Lights[1])), Payload: brightness},
		"to be retained":  {Topic: []byte(h.post(d)), Payload: brightness, Retain: true},
	} {
		for _, v := range versions {
			if _, ack := h.returns(t, d, v, w); ack.Code == 0 {
				t.Errorf("%s, %s: a will was taken", name, v)
			}
		}
	}
}
