package test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lampworks/alink"
)

// sign makes the three fields of CONNECT as the field manual of Alink has them.
func sign(t testing.TB, d triple, fields string) (clientID, user, password string) {
	t.Helper()
	clientID = d.ProductKey + "." + d.DeviceName + fields
	return clientID, d.DeviceName + "&" + d.ProductKey, signature(t, d, clientID)
}

// signature is the password that belongs to a client id.
func signature(t testing.TB, d triple, clientID string) string {
	t.Helper()
	id, err := alink.ParseClientID(clientID)
	if err != nil {
		t.Fatal(err)
	}
	password, err := alink.Sign(id.SignMethod, d.DeviceSecret, id, d.DeviceName, d.ProductKey)
	if err != nil {
		t.Fatal(err)
	}
	return password
}

// topic is one of a device's own.
func (d triple) topic(tail string) string {
	return "/sys/" + d.ProductKey + "/" + d.DeviceName + "/" + tail
}

type message struct {
	topic, payload string
}

// pahoDevice is a device on Eclipse Paho that hands on what it gets.
func pahoDevice(t *testing.T, s *server, d triple, method string) (client paho.Client, got chan message, lost chan error) {
	t.Helper()
	got, lost = make(chan message, 100), make(chan error, 1)
	id, user, password := sign(t, d, fmt.Sprintf("|securemode=3,signmethod=%s,timestamp=%d|", method, time.Now().UnixMilli()))
	o := paho.NewClientOptions().AddBroker("tcp://" + s.mqtt).SetClientID(id).SetUsername(user).SetPassword(password).
		SetAutoReconnect(false).SetConnectTimeout(patience).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { got <- message{m.Topic(), string(m.Payload())} }).
		SetConnectionLostHandler(func(_ paho.Client, err error) { lost <- err })
	client = paho.NewClient(o)
	done(t, "connect", client.Connect())
	t.Cleanup(func() { client.Disconnect(0) })
	return client, got, lost
}

func done(t testing.TB, what string, token paho.Token) {
	t.Helper()
	if !token.WaitTimeout(patience) {
		t.Fatalf("%s: no answer within %s", what, patience)
	}
	if err := token.Error(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// next waits for the next message and wants it on a topic.
func next(t testing.TB, got <-chan message, topic string) (id string, code int, text string, params json.RawMessage) {
	t.Helper()
	select {
	case m := <-got:
		if m.topic != topic {
			t.Fatalf("message on %s: %s\nwant one on %s", m.topic, m.payload, topic)
		}
		var in struct {
			ID      string          `json:"id"`
			Code    int             `json:"code"`
			Message string          `json:"message"`
			Params  json.RawMessage `json:"params"`
		}
		if err := json.Unmarshal([]byte(m.payload), &in); err != nil {
			t.Fatalf("%s: %v", m.payload, err)
		}
		return in.ID, in.Code, in.Message, in.Params
	case <-time.After(patience):
		t.Fatalf("nothing came on %s within %s", topic, patience)
	}
	return
}

// TestPaho plays a light with Eclipse Paho and topics written by hand.
func TestPaho(t *testing.T) {
	for _, method := range []string{"hmacsha256", "hmacsha1", "hmacmd5"} {
		t.Run(method, func(t *testing.T) { playPaho(t, shared(t), method) })
	}
}

func playPaho(t *testing.T, s *server, method string) {
	d := s.spare(t)
	client, got, lost := pahoDevice(t, s, d, method)
	post, postReply := d.topic("thing/event/property/post"), d.topic("thing/event/property/post_reply")
	setTopic, event := d.topic("thing/service/property/set"), d.topic("thing/event/fault/post")
	done(t, "subscribe", client.SubscribeMultiple(map[string]byte{
		postReply: 1, d.topic("thing/event/+/post_reply"): 1, setTopic: 1, d.topic("thing/service/identify"): 1,
	}, nil))

	done(t, "post", client.Publish(post, 1, false, `{"id":"1","version":"1.0","params":{"powerstate":0,"brightness":{"value":80,"time":1700000000000}},"method":"thing.event.property.post"}`))
	if id, code, _, _ := next(t, got, postReply); id != "1" || code != 200 {
		t.Errorf("the post was answered %q %d, want \"1\" 200", id, code)
	}
	for _, tt := range []struct{ params, want string }{
		{`{"brightness":0}`, "/params/brightness is 0, want an integer from 1 to 100 %"},
		{`{"brightness":"50"}`, `/params/brightness is "50", want an integer from 1 to 100 %`},
		{`{"powerstate":true}`, "/params/powerstate is true, want either 0 (关) or 1 (开)"},
		{`{"loudness":3}`, "/params/loudness is not in the thing model"},
		{`{"brightness":1,"brightness":2}`, "/params/brightness is given twice"},
	} {
		done(t, "post", client.Publish(post, 1, false, `{"id":"2","version":"1.0","params":`+tt.params+`,"method":"thing.event.property.post"}`))
		if _, code, text, _ := next(t, got, postReply); code != 460 || text != tt.want {
			t.Errorf("post of %s was answered %d %q\nwant 460 %q", tt.params, code, text, tt.want)
		}
	}
	done(t, "event", client.Publish(event, 1, false, `{"id":"3","version":"1.0","params":{"value":{"code":1}},"method":"thing.event.fault.post"}`))
	if id, code, _, _ := next(t, got, event+"_reply"); id != "3" || code != 200 {
		t.Errorf("the event was answered %q %d, want \"3\" 200", id, code)
	}
	id := s.device(t, d.DeviceName).ID
	s.reported(t, id, "brightness", "80")

	ends := make(chan commandView, 1)
	order := func(c newCommand) { go func() { ends <- s.command(t, id, c) }() }
	order(set("powerstate", 1))
	wire, _, _, params := next(t, got, setTopic)
	if string(params) != `{"powerstate":1}` {
		t.Errorf("the set carried %s", params)
	}
	done(t, "report", client.Publish(post, 0, false, `{"id":"4","version":"1.0","params":{"powerstate":1}}`))
	next(t, got, postReply)
	done(t, "answer", client.Publish(setTopic+"_reply", 1, false, `{"id":"`+wire+`","code":200,"data":{}}`))
	wantEnd(t, <-ends, "succeeded", "")

	order(set("powerstate", 0))
	wire, _, _, _ = next(t, got, setTopic)
	done(t, "refusal", client.Publish(setTopic+"_reply", 1, false, `{"id":"`+wire+`","code":5000,"message":"坏了","data":{}}`))
	refused := <-ends
	wantEnd(t, refused, "failed", "refused")
	if refused.Note != "5000 坏了" {
		t.Errorf("the refusal was noted as %q", refused.Note)
	}

	order(newCommand{Kind: "service", Service: "identify", Params: map[string]any{}, WaitMS: 15_000})
	wire, _, _, _ = next(t, got, d.topic("thing/service/identify"))
	done(t, "answer", client.Publish(d.topic("thing/service/identify_reply"), 1, false, `{"id":"`+wire+`","code":200,"data":{}}`))
	wantEnd(t, <-ends, "succeeded", "")

	pahoDevice(t, s, d, method) // a second connection of the same device
	select {
	case <-lost:
	case <-time.After(patience):
		t.Error("the first connection was not closed by the second")
	}
}
