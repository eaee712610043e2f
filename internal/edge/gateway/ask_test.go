package gateway_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/mqtt"
	"lampworks/tsl"
)

// hears subscribes a lamp to topics.
func (l *lamp5) hears(t *testing.T, topics ...string) {
	t.Helper()
	s := &paho.Subscribe{}
	for _, topic := range topics {
		s.Subscriptions = append(s.Subscriptions, paho.SubscribeOptions{Topic: topic, QoS: 1})
	}
	if ack, err := l.Subscribe(t.Context(), s); err != nil {
		t.Fatalf("subscribing to %q: %+v, %v", topics, ack, err)
	}
}

// says publishes at QoS 1 and returns the reason it was acknowledged with.
func (l *lamp5) says(t *testing.T, topic, payload string) mqtt.Reason {
	t.Helper()
	ack, err := l.Publish(t.Context(), &paho.Publish{Topic: topic, QoS: 1, Payload: []byte(payload)})
	if ack == nil {
		t.Fatalf("publishing %s on %s: %v", payload, topic, err)
	}
	return mqtt.Reason(ack.ReasonCode)
}

func (l *lamp5) quiet(t *testing.T) {
	t.Helper()
	select {
	case p := <-l.came:
		t.Errorf("%s came on %s", p.Payload, p.Topic)
	default:
	}
}

// TestTime tells a device the time, in the form of its own; what it does not understand goes to the topic of errors.
func TestTime(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	ext := func(what, rest string) string {
		return "/ext/" + what + "/" + h.Product.ProductKey + "/" + d.Name + rest
	}
	l, _ := h.paho5(t, d, nil)
	l.hears(t, ext("ntp", "/response"), ext("error", ""))
	before := time.Now().UnixMilli()
	l.says(t, ext("ntp", "/request"), `{"deviceSendTime":"1234567890123"}`)
	p := got(t, "time", l.came)
	var r struct{ DeviceSendTime, ServerRecvTime, ServerSendTime string }
	if err := json.Unmarshal(p.Payload, &r); err != nil || p.Topic != ext("ntp", "/response") {
		t.Fatalf("%s on %s, %v", p.Payload, p.Topic, err)
	}
	recv, err := strconv.ParseInt(r.ServerRecvTime, 10, 64)
	send, err2 := strconv.ParseInt(r.ServerSendTime, 10, 64)
	if err != nil || err2 != nil || r.DeviceSendTime != "1234567890123" || recv < before || send < recv || send > time.Now().UnixMilli() {
		t.Errorf("answered %s, not before %d", p.Payload, before)
	}
	if reason := l.says(t, ext("ntp", "/request"), `{"deviceSendTime":"soon"}`); reason != mqtt.BadPayload {
		t.Errorf("acknowledged with %s", reason)
	}
	p = got(t, "error", l.came)
	var e reply
	if err := json.Unmarshal(p.Payload, &e); err != nil || p.Topic != ext("error", "") || e.Code != 400 || !strings.HasPrefix(e.Message, `/deviceSendTime is "soon", want`) {
		t.Errorf("%s on %s, %v", p.Payload, p.Topic, err)
	}
	if want := fmt.Sprintf(`{"topic":"%s"}`, ext("ntp", "/request")); string(e.Data) != want {
		t.Errorf("the error is about %s, want %s", e.Data, want)
	}
}

// TestErrorTopic: a device of MQTT 3.1.1 that listens to the topic of errors hears there what was wrong with a message whose
// replies it does not listen to, and the Log need not keep it.
func TestErrorTopic(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	came := make(chan mqtt.Message, 10)
	a := h.credentials(t, d)
	a.OnMessage = func(_ *mqtt.Client, m mqtt.Message) { came <- m }
	start := h.Log.Tail()
	c, err := mqtt.Dial(t.Context(), h.addr, a)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Kill()
	topic := "/ext/error/" + h.Product.ProductKey + "/" + d.Name
	if _, err := c.Subscribe(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	devicetest.Eventually(t, "the coming of the device in the Log", func() (bool, any) { return h.Log.Tail() > start, h.Log.Tail() })
	before := h.Log.Tail()
	if err := c.Publish(t.Context(), h.post(d), []byte(`{"id":"9","version":"1.0","params":{"brightness":101}}`), 1); err != nil {
		t.Fatal(err)
	}
	m := got(t, "error", came)
	var e reply
	if err := json.Unmarshal(m.Payload, &e); err != nil || m.Topic != topic || e.ID != "9" || e.Code != 460 || e.Message != "/params/brightness is 101, want an integer from 1 to 100 %" || e.Method != "thing.event.property.post" {
		t.Errorf("%s on %s, %v", m.Payload, m.Topic, err)
	}
	if tail := h.Log.Tail(); tail != before {
		t.Errorf("the Log has %d records of what the device was told", tail-before)
	}
}

// TestModelGet gives a device the thing model in force, as a document that can be read again, and says so when it does not fit.
func TestModelGet(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	l, _ := h.paho5(t, d, nil)
	for _, topic := range []string{"thing/dsltemplate/get", "thing/dynamicTsl/get"} {
		r := l.asks(t, h.topic(d, topic), `{"id":"3","version":"1.0","params":{"nodes":["type","identifier"],"addDefault":false}}`)
		doc, err := tsl.Parse(r.Data)
		if err != nil || r.Code != 200 || r.ID != "3" || doc.Profile.DeviceName != d.Name || doc.Profile.ProductKey != h.Product.ProductKey || len(doc.Properties) == 0 {
			t.Errorf("%s: %d %s %+v, %v", topic, r.Code, r.Message, doc, err)
		}
	}
	if r := l.asks(t, h.topic(d, "thing/dsltemplate/get"), `{"id":"3","params":[1]}`); r.Code != 400 {
		t.Errorf("a list as params was answered %+v", r)
	}
	small, _ := h.paho5(t, d, func(in *paho.Connect) {
		limit := uint32(300)
		in.Properties = &paho.ConnectProperties{MaximumPacketSize: &limit}
	})
	r := small.asks(t, h.topic(d, "thing/dsltemplate/get"), `{"id":"3","params":{}}`)
	if r.Code != 400 || !strings.HasSuffix(r.Message, "more than the connection takes now") {
		t.Errorf("a device that takes 300 bytes was answered %+v", r)
	}
}

// TestDesired: a device that comes back asks what is desired of it, does it, and takes the wish off. What it was given so is
// not sent to it as a command, and the command succeeds by its report.
func TestDesired(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	submit := func(params string) command.Command {
		t.Helper()
		cs, err := h.commands.Submit(t.Context(), h.Maker, command.Request{Device: d.ID, Kind: command.PropertySet, Params: json.RawMessage(params), Deadline: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return cs[0]
	}
	fetched, sent := submit(`{"brightness":50}`), submit(`{"powerstate":1}`)
	l, _ := h.paho5(t, d, nil)
	desired := h.topic(d, "thing/property/desired/")
	if reason := l.says(t, desired+"get", `{"id":"1","params":["brightness"]}`); reason != mqtt.Success { // it would not hear the answer
		t.Errorf("acknowledged with %s", reason)
	}
	r := l.asks(t, desired+"get", `{"id":"1","version":"1.0","params":["brightness","loudness"],"method":"thing.property.desired.get"}`)
	if r.Code != 200 || string(r.Data) != `{"brightness":{"value":50,"version":1}}` {
		t.Errorf("desired is %+v", r)
	}
	l.hears(t, h.topic(d, "thing/service/property/set"))
	if p := got(t, "the other set", l.came); !strings.Contains(string(p.Payload), `{"powerstate":1}`) || !strings.Contains(string(p.Payload), strconv.FormatInt(sent.Seq, 10)) {
		t.Errorf("%s came", p.Payload)
	}
	l.says(t, h.post(d), `{"id":"2","version":"1.0","params":{"brightness":50}}`)
	ended, err := h.commands.Wait(t.Context(), fetched.ID)
	if err != nil || ended[0].State != command.Succeeded {
		t.Errorf("the fetched set ended as %+v, %v", ended, err)
	}
	for _, tt := range []struct {
		params, want string
		code         int
	}{
		{`{"brightness":{"version":2}}`, `{"brightness":{"value":50,"version":1},"powerstate":{"value":1,"version":1}}`, 200},
		{`{"brightness":{"version":1}}`, `{"powerstate":{"value":1,"version":1}}`, 200},
		{`{"powerstate":{}}`, `{}`, 200},
		{`["powerstate"]`, `{}`, 400},
	} {
		if r := l.asks(t, desired+"delete", `{"id":"4","params":`+tt.params+`}`); r.Code != tt.code {
			t.Errorf("deleting %s: %+v", tt.params, r)
		}
		if r := l.asks(t, desired+"get", `{"id":"5","params":[]}`); string(r.Data) != tt.want {
			t.Errorf("after deleting %s desired is %s, want %s", tt.params, r.Data, tt.want)
		}
	}
	l.quiet(t)
}

// TestWillOfAsking: a will cannot ask, for nobody would hear the answer.
func TestWillOfAsking(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	_, ack := h.paho5(t, d, func(in *paho.Connect) {
		in.WillMessage = &paho.WillMessage{Topic: h.topic(d, "thing/property/desired/get"), Payload: []byte(`{}`)}
	})
	if ack.ReasonCode != byte(mqtt.BadTopicName) {
		t.Errorf("connected with %#x", ack.ReasonCode)
	}
}
