package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/mqtt"
)

// online waits until the rows say that a device has a session.
func (h *house) online(t *testing.T, d device.Device) {
	t.Helper()
	devicetest.Eventually(t, "the device to be online", func() (bool, any) {
		got, err := h.Devices.Load(t.Context(), h.Maker, d.ID)
		return err == nil && got.Online, got
	})
}

func (h *house) orders(t *testing.T, d device.Device, req command.Request) command.Command {
	t.Helper()
	req.Device = d.ID
	cs, err := h.commands.Submit(t.Context(), h.Maker, req)
	if err != nil {
		t.Fatal(err)
	}
	return cs[0]
}

// ended waits for the end of a command and tells it.
func (h *house) ended(t *testing.T, c command.Command) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cs, err := h.commands.Wait(ctx, c.ID)
	if err != nil {
		t.Fatalf("%+v, %v", cs, err)
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s", cs[0].State, cs[0].Reason, cs[0].Note, cs[0].Result))
}

// TestKinds sends each kind of command on its topic, and ends it by its answer.
func TestKinds(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	user := "/" + h.Product.ProductKey + "/" + d.Name + "/user/"
	l, _ := h.paho5(t, d, nil)
	l.hears(t, h.topic(d, "thing/service/property/get"), h.topic(d, "thing/model/down_raw"), user+"#")
	if _, err := l.Subscribe(t.Context(), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: user + "#", QoS: 1}}}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		req            command.Request
		topic, payload string // {seq} is the command's
		qos            byte
		replyTopic     string
		reply          string
		want           string
	}{
		{
			command.Request{Kind: command.PropertyGet, Params: json.RawMessage(`["brightness","powerstate"]`)},
			h.topic(d, "thing/service/property/get"), `{"id":"{seq}","version":"1.0","params":["brightness","powerstate"],"method":"thing.service.property.get"}`, 1,
			h.topic(d, "thing/service/property/get_reply"), `{"id":"{seq}","code":200,"data":{"brightness":50,"powerstate":1}}`,
			`succeeded   {"brightness":50,"powerstate":1}`,
		},
		{
			command.Request{Kind: command.Raw, Params: json.RawMessage(`{"base64":"AP8="}`)},
			h.topic(d, "thing/model/down_raw"), "\x00\xff", 1,
			h.topic(d, "thing/model/down_raw_reply"), "\xfe", `succeeded   {"base64":"/g=="}`,
		},
		{
			command.Request{Kind: command.Message, Topic: "get", Params: json.RawMessage(`{"text":"你好","qos":1}`)},
			user + "get", "你好", 1,
			"", "", "succeeded",
		},
		{
			command.Request{Kind: command.Message, Topic: "a/b", Params: json.RawMessage(`{"base64":""}`)},
			user + "a/b", "", 0,
			"", "", "succeeded  sent at QoS 0: nobody knows whether it arrived",
		},
	} {
		c := h.orders(t, d, tt.req)
		m := got(t, "command", l.came)
		seq := strconv.FormatInt(c.Seq, 10)
		if want := strings.ReplaceAll(tt.payload, "{seq}", seq); m.Topic != tt.topic || string(m.Payload) != want || m.QoS != tt.qos {
			t.Errorf("%s: %q came on %s with QoS %d\nwant %q on %s with QoS %d", tt.req.Kind, m.Payload, m.Topic, m.QoS, want, tt.topic, tt.qos)
		}
		if response := m.Properties.ResponseTopic; response != tt.replyTopic {
			t.Errorf("%s: to be answered on %q, want %q", tt.req.Kind, response, tt.replyTopic)
		}
		if tt.replyTopic != "" {
			l.says(t, tt.replyTopic, strings.ReplaceAll(tt.reply, "{seq}", seq))
		}
		if got := h.ended(t, c); got != tt.want {
			t.Errorf("%s ended as %q, want %q", tt.req.Kind, got, tt.want)
		}
	}
	before := h.Log.Tail()
	l.says(t, user+"update/error", "\x00 not JSON")
	l.says(t, h.topic(d, "thing/model/up_raw"), "\x01")
	if kept := h.kept(t, d, before); len(kept) != 2 || kept[0].Arg != "update/error" || string(kept[0].Payload) != "\x00 not JSON" || string(kept[1].Payload) != "\x01" {
		t.Errorf("the Log has %+v", kept)
	}
}

// TestCalls: a synchronous call goes to the session that is there; that one alone may answer it, once. The id is random.
func TestCalls(t *testing.T) {
	h := newHouse(t, 2, nil, gateway.Limits{})
	devicetest.Run(t, func(ctx context.Context) error { return h.Devices.Follow(ctx, h.Log) })
	d, other := h.Lights[0], h.Lights[1]
	l, _ := h.paho5(t, d, nil)
	stranger, _ := h.paho5(t, other, nil)
	l.hears(t, h.topic(d, "rrpc/request/+"), "/ext/rrpc/+/"+h.Product.ProductKey+"/"+d.Name+"/user/#", h.topic(d, "thing/service/#"))
	h.online(t, d)
	h.online(t, other)
	call := command.Request{Kind: command.Service, Service: "identify", Params: json.RawMessage(`{}`), Sync: true}

	c := h.orders(t, d, call)
	m := got(t, "call", l.came)
	want := fmt.Sprintf(`{"id":"%d","version":"1.0","params":{},"method":"thing.service.identify"}`, c.Seq)
	if m.Topic != h.topic(d, "rrpc/request/"+c.Call) || string(m.Payload) != want || m.Properties.ResponseTopic != h.topic(d, "rrpc/response/"+c.Call) {
		t.Errorf("%s came on %s, to be answered on %s", m.Payload, m.Topic, m.Properties.ResponseTopic)
	}
	answer := h.topic(d, "rrpc/response/"+c.Call)
	for _, tt := range []struct {
		what, topic, payload string
		by                   *lamp5
		want                 mqtt.Reason
	}{
		{"another device on its own topic", h.topic(other, "rrpc/response/"+c.Call), `{"code":200}`, stranger, mqtt.BadPayload},
		{"another device on the topic of this one", answer, `{"code":200}`, stranger, mqtt.NotAuthorised},
		{"a made-up id", h.topic(d, "rrpc/response/4711"), `{"code":200}`, l, mqtt.BadPayload},
		{"no answer at all", answer, `{"code":"x"}`, l, mqtt.BadPayload},
		{"the answer", answer, `{"id":"1","code":200,"data":{"done":1}}`, l, mqtt.Success},
		{"a second one", answer, `{"id":"1","code":5000,"data":{}}`, l, mqtt.BadPayload},
	} {
		if reason := tt.by.says(t, tt.topic, tt.payload); reason != tt.want {
			t.Errorf("%s was acknowledged with %s, want %s", tt.what, reason, tt.want)
		}
	}
	if got := h.ended(t, c); got != `succeeded   {"done":1}` {
		t.Errorf("the call ended as %s", got)
	}

	ext := h.orders(t, d, command.Request{Kind: command.Message, Topic: "ask/me", Params: json.RawMessage(`{"text":"how?"}`), Sync: true})
	m = got(t, "call", l.came)
	topic := "/ext/rrpc/" + ext.Call + "/" + h.Product.ProductKey + "/" + d.Name + "/user/ask/me"
	if m.Topic != topic || string(m.Payload) != "how?" || ext.Call == c.Call {
		t.Errorf("%s came on %s, want %s", m.Payload, m.Topic, topic)
	}
	l.says(t, topic, "\x00so")
	if got := h.ended(t, ext); got != `succeeded   {"base64":"AHNv"}` {
		t.Errorf("the call ended as %s", got)
	}

	taken := h.orders(t, d, call)
	got(t, "call", l.came)
	next, _ := h.paho5(t, d, nil) // takes the session over
	if reason := next.says(t, h.topic(d, "rrpc/response/"+taken.Call), `{"code":200}`); reason != mqtt.BadPayload {
		t.Errorf("the next session's answer was acknowledged with %s", reason)
	}
	next.quiet(t)
	if back, err := h.commands.Load(t.Context(), h.Maker, taken.ID); err != nil || back.Ended() {
		t.Errorf("the call is %+v, %v", back, err)
	}
}

// TestOfflineMessages: messages at QoS 1 and raw data wait for their device, in order.
func TestOfflineMessages(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	user := "/" + h.Product.ProductKey + "/" + d.Name + "/user/get"
	var sent []command.Command
	for i := range 3 {
		sent = append(sent, h.orders(t, d, command.Request{Kind: command.Message, Topic: "get", Params: json.RawMessage(fmt.Sprintf(`{"text":"%d","qos":1}`, i)), Deadline: time.Minute}))
	}
	l, _ := h.paho5(t, d, nil)
	l.hears(t, user)
	for i := range 3 {
		if m := got(t, "message", l.came); string(m.Payload) != strconv.Itoa(i) {
			t.Errorf("message %d is %s", i, m.Payload)
		}
		if got := h.ended(t, sent[i]); got != "succeeded" {
			t.Errorf("message %d ended as %s", i, got)
		}
	}
}
