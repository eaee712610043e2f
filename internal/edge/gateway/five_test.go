package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/infra/uplink"
	"lampworks/mqtt"
)

// A lamp5 is a light that speaks MQTT 5 by Eclipse Paho.
type lamp5 struct {
	*paho.Client
	came chan *paho.Publish
	left chan *paho.Disconnect
}

// paho5 connects a light; ask may change what it says.
func (h *house) paho5(t *testing.T, d device.Device, ask func(*paho.Connect)) (*lamp5, *paho.Connack) {
	t.Helper()
	nc, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	l := &lamp5{came: make(chan *paho.Publish, 100), left: make(chan *paho.Disconnect, 1)}
	l.Client = paho.NewClient(paho.ClientConfig{
		Conn: nc, OnServerDisconnect: func(d *paho.Disconnect) { l.left <- d },
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(r paho.PublishReceived) (bool, error) {
			l.came <- r.Packet
			return true, nil
		}},
	})
	a := h.credentials(t, d)
	in := &paho.Connect{
		ClientID: a.ClientID, CleanStart: true, KeepAlive: 60, UsernameFlag: true, Username: a.Username, PasswordFlag: true, Password: []byte(a.Password),
	}
	if ask != nil {
		ask(in)
	}
	ack, err := l.Connect(t.Context(), in)
	if ack == nil {
		t.Fatal(err)
	}
	return l, ack
}

func got[T any](t *testing.T, what string, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(patience):
		t.Fatalf("no %s came", what)
	}
	return v
}

// TestMQTT5Refusals: a device of MQTT 5 is told what was wrong, and stays where the standard lets it.
func TestMQTT5Refusals(t *testing.T) {
	h := newHouse(t, 2, nil, gateway.Limits{})
	d, other := h.Lights[0], h.Lights[1]
	_, ack := h.paho5(t, d, func(in *paho.Connect) { in.Password = []byte("wrong") })
	if ack.ReasonCode != byte(mqtt.BadLogin) || ack.Properties.ReasonString != "the user name or the signature is wrong" {
		t.Errorf("a wrong signature: %#x %q", ack.ReasonCode, ack.Properties.ReasonString)
	}
	_, ack = h.paho5(t, d, func(in *paho.Connect) { in.Username = "78da07ffffff&" + h.Product.ProductKey })
	if ack.ReasonCode != byte(mqtt.BadLogin) || ack.Properties.ReasonString != "the user name or the signature is wrong" {
		t.Errorf("an unknown device: %#x %q", ack.ReasonCode, ack.Properties.ReasonString)
	}
	l, ack := h.paho5(t, d, nil)
	if p := ack.Properties; p.RetainAvailable || p.SharedSubAvailable || !p.WildcardSubAvailable || !p.SubIDAvailable || p.MaximumQoS != nil {
		t.Errorf("CONNACK says %+v", p)
	}
	for _, tt := range []struct {
		topic, payload string
		code           mqtt.Reason
		why            string
	}{
		{h.post(d), `{"id":"1","version":"1.0","params":{"brightness":50}}`, mqtt.Success, ""},
		{h.post(d), `{"id":"1","version":"1.0","params":{"brightness":5000}}`, mqtt.BadPayload, "5000"},
		{h.post(other), `{}`, mqtt.NotAuthorised, "not its own"},
	} {
		for _, qos := range []byte{1, 2} {
			r, err := l.Publish(t.Context(), &paho.Publish{Topic: tt.topic, QoS: qos, Payload: []byte(tt.payload)})
			if r == nil || r.ReasonCode != byte(tt.code) || r.Properties != nil && !strings.Contains(r.Properties.ReasonString, tt.why) {
				t.Errorf("QoS %d on %s: %+v, %v, want %s because %q", qos, tt.topic, r, err, tt.code, tt.why)
			}
		}
	}
	sub, _ := l.Subscribe(t.Context(), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{
		{Topic: h.topic(d, "thing/service/#"), QoS: 2}, {Topic: h.topic(other, "thing/service/#"), QoS: 1},
	}})
	if sub == nil || fmt.Sprint(sub.Reasons) != "[2 135]" {
		t.Errorf("SUBACK %+v", sub)
	}
	un, _ := l.Unsubscribe(t.Context(), &paho.Unsubscribe{Topics: []string{h.topic(d, "thing/service/#"), h.topic(d, "thing/event/#")}})
	if un == nil || fmt.Sprint(un.Reasons) != "[0 17]" {
		t.Errorf("UNSUBACK %+v", un)
	}
	alias := uint16(3)
	for _, topic := range []string{h.post(d), ""} {
		if r, err := l.Publish(t.Context(), &paho.Publish{Topic: topic, QoS: 1, Payload: brightness, Properties: &paho.PublishProperties{TopicAlias: &alias}}); err != nil {
			t.Errorf("by alias: %+v, %v", r, err)
		}
	}
	if _, err := l.Publish(t.Context(), &paho.Publish{Topic: h.post(other), Payload: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if bye := got(t, "DISCONNECT", l.left); bye.ReasonCode != byte(mqtt.NotAuthorised) {
		t.Errorf("QoS 0 on a foreign topic: %+v", bye)
	}
}

// TestSharedSubscriptions are refused with the word for it, and nothing else of the packet with them.
func TestSharedSubscriptions(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	raw := h.raw(t, d, mqtt.V5)
	raw.send(t, mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.SUBSCRIBE, ID: 3, Filters: []mqtt.Filter{
		{Topic: []byte("$share/a" + h.topic(d, "thing/service/#")), QoS: 1}, {Topic: []byte(h.topic(d, "thing/service/#")), QoS: 1},
	}}, mqtt.V5))
	if p := raw.await(t, mqtt.SUBACK, 1); fmt.Sprintf("%x", p.Codes) != "9e01" {
		t.Errorf("SUBACK %x", p.Codes)
	}
}

// TestTakenOverIsTold: the older of two connections hears that a newer one came.
func TestTakenOverIsTold(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	first, _ := h.paho5(t, h.Lights[0], nil)
	h.paho5(t, h.Lights[0], nil)
	if bye := got(t, "DISCONNECT", first.left); bye.ReasonCode != byte(mqtt.TakenOver) {
		t.Errorf("the older connection heard %+v", bye)
	}
}

// TestMQTT5Command: a command carries how long it is good for, where to answer and with what, and the identifiers of
// every filter that fits it.
func TestMQTT5Command(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	l, _ := h.paho5(t, d, nil)
	for id, filter := range map[int]string{7: "thing/service/#", 9: "thing/service/property/set"} {
		if _, err := l.Subscribe(t.Context(), &paho.Subscribe{
			Properties: &paho.SubscribeProperties{SubscriptionIdentifier: &id}, Subscriptions: []paho.SubscribeOptions{{Topic: h.topic(d, filter), QoS: 1}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	c, err := h.commands.Submit(t.Context(), h.Maker, command.Request{
		Device: d.ID, Kind: command.PropertySet, Params: json.RawMessage(`{"brightness":20}`), Deadline: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	p := got(t, "command", l.came)
	props := p.Properties
	if p.QoS != 1 || props.ResponseTopic != h.topic(d, "thing/service/property/set_reply") || props.MessageExpiry == nil || *props.MessageExpiry == 0 || *props.MessageExpiry > 60 {
		t.Errorf("the command came with QoS %d and %+v", p.QoS, props)
	}
	if props.SubscriptionIdentifier == nil {
		t.Error("the command has no subscription identifier")
	}
	answer := fmt.Sprintf(`{"id":%q,"code":200,"data":{}}`, props.CorrelationData)
	if _, err := l.Publish(t.Context(), &paho.Publish{Topic: props.ResponseTopic, QoS: 1, Payload: []byte(answer)}); err != nil {
		t.Fatal(err)
	}
	devicetest.Eventually(t, "the command to succeed", func() (bool, any) {
		now, err := h.commands.Load(t.Context(), h.Maker, c[0].ID)
		return err == nil && now.State == command.Succeeded, now.State
	})
}

// TestNotStoredMQTT5 breaks the disk: the device is told, and its session stays.
func TestNotStoredMQTT5(t *testing.T) {
	disk := &slowDisk{open: make(chan struct{})}
	h := newHouse(t, 1, func(l uplink.Log) uplink.Log { disk.Log = l; return disk }, gateway.Limits{})
	close(disk.open)
	d := h.Lights[0]
	l, _ := h.paho5(t, d, nil)
	disk.broken.Store(true)
	r, err := l.Publish(t.Context(), &paho.Publish{Topic: h.post(d), QoS: 1, Payload: brightness})
	if r == nil || r.ReasonCode != byte(mqtt.QuotaExceeded) {
		t.Errorf("not stored: %+v, %v, want %s", r, err, mqtt.QuotaExceeded)
	}
	disk.broken.Store(false)
	if _, err := l.Publish(t.Context(), &paho.Publish{Topic: h.post(d), QoS: 2, Payload: brightness}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestExactlyOnceOnOneConnection repeats a message of QoS 2 a hundred times before it is released: the Log has it once.
func TestExactlyOnceOnOneConnection(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		raw := h.raw(t, d, v)
		before := h.Log.Tail()
		for n := range 100 {
			raw.send(t, mqtt.AppendPublish(nil, v, h.post(d), brightness, 2, 7, n > 0, false))
		}
		raw.await(t, mqtt.PUBREC, 1)
		raw.send(t, []byte{0x62, 2, 0, 7})
		raw.await(t, mqtt.PUBCOMP, 1)
		records, err := h.Log.Read(context.Background(), before, 300)
		n := 0
		for _, r := range records {
			if r.Kind == uplink.Message {
				n++
			}
		}
		if err != nil || n != 1 {
			t.Errorf("%s: the message is in the Log %d times, %v", v, n, err)
		}
	}
}

// A rawLamp is a light whose packets the test makes.
type rawLamp struct {
	nc   net.Conn
	in   mqtt.Decoder
	came []mqtt.Packet // and was not asked for yet
}

// raw connects a light with a clean session.
func (h *house) raw(t *testing.T, d device.Device, v mqtt.Version) *rawLamp {
	t.Helper()
	r, ack := h.rawAs(t, d, func(p *mqtt.Packet) { p.Connect.Version = v })
	if ack.Code != 0 {
		t.Fatalf("CONNACK %+v", ack)
	}
	return r
}

// rawAs connects a light whose CONNECT ask completes.
func (h *house) rawAs(t *testing.T, d device.Device, ask func(*mqtt.Packet)) (*rawLamp, mqtt.Packet) {
	t.Helper()
	nc, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	return h.speaks(t, nc, d, ask)
}

// speaks is rawAs over a connection that is there.
func (h *house) speaks(t *testing.T, nc net.Conn, d device.Device, ask func(*mqtt.Packet)) (*rawLamp, mqtt.Packet) {
	t.Helper()
	t.Cleanup(func() { nc.Close() })
	a := h.credentials(t, d)
	p := mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{
		Clean: true, HasUsername: true, HasPassword: true, ClientID: []byte(a.ClientID), Username: []byte(a.Username), Password: []byte(a.Password),
	}}
	ask(&p)
	r := &rawLamp{nc: nc, in: mqtt.Decoder{Version: p.Connect.Version}}
	r.send(t, mqtt.AppendPacket(nil, &p, p.Connect.Version))
	return r, r.await(t, mqtt.CONNACK, 1)
}

func (r *rawLamp) send(t *testing.T, b []byte) {
	t.Helper()
	if _, err := r.nc.Write(b); err != nil {
		t.Fatal(err)
	}
}

// await reads until n packets of a type came, and gives the last. What comes before it is passed over, what came behind it waits.
func (r *rawLamp) await(t *testing.T, want mqtt.Type, n int) (last mqtt.Packet) {
	t.Helper()
	for {
		if last = r.next(t); last.Type != want {
			continue
		}
		if n--; n == 0 {
			return last
		}
	}
}

// next is the packet that comes next.
func (r *rawLamp) next(t *testing.T) (p mqtt.Packet) {
	t.Helper()
	for b := make([]byte, 4096); ; {
		if len(r.came) > 0 {
			p, r.came = r.came[0], r.came[1:]
			return p
		}
		_ = r.nc.SetReadDeadline(time.Now().Add(patience))
		got, err := r.nc.Read(b)
		if err != nil {
			t.Fatalf("waiting for a packet: %v", err)
		}
		if err := r.in.Push(b[:got], func(p *mqtt.Packet) error {
			q := *p
			q.Topic, q.Payload, q.Codes, q.Properties = bytes.Clone(p.Topic), bytes.Clone(p.Payload), bytes.Clone(p.Codes), bytes.Clone(p.Properties)
			r.came = append(r.came, q)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestClones: two places that sign in with one triple are named, in the Log and on the live page, and the one that is there
// stays.
func TestClones(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	before := h.Log.Tail()
	from := func(n int, v mqtt.Version) mqtt.Packet {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+n%2))}}
		nc, err := dialer.Dial("tcp", h.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { nc.Close() })
		_, ack := h.over(t, nc, d, v)
		return ack
	}
	for n := range 5 { // the first takes nothing over
		if ack := from(n, mqtt.V5); ack.Code != 0 {
			t.Fatalf("%d is answered %+v", n, ack)
		}
	}
	if ack := from(5, mqtt.V5); ack.Code != byte(mqtt.Busy) {
		t.Errorf("the next one is answered %+v, want %s", ack, mqtt.Busy)
	}
	if ack := from(5, mqtt.V311); ack.Code != mqtt.RefusedServer {
		t.Errorf("the next one of 3.1.1 is answered %+v", ack)
	}
	if !h.Live(d.ID) {
		t.Error("the one that was there did not stay")
	}
	devicetest.Eventually(t, "the Log to name both", func() (bool, any) {
		records, err := h.Log.Read(t.Context(), before, 100)
		for _, r := range records {
			if r.Subject == device.CloneFact {
				why, err := device.DecodeRefusal(r.Body)
				return err == nil && strings.Contains(why.Why, "127.0.0.1:") && strings.Contains(why.Why, "127.0.0.2:"), why
			}
		}
		return false, err
	})
	if ack := from(4, mqtt.V5); ack.Code != 0 {
		t.Errorf("the host whose session it is comes back and is answered %+v", ack)
	}
}
