package gateway_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/uplink"
)

// A reply is what the platform answers a device.
type reply struct {
	ID      string
	Code    int
	Message string
	Data    json.RawMessage
	Method  string
}

// asks publishes at QoS 1 and returns the reply on the topic with the ending _reply, which the lamp subscribes to.
func (l *lamp5) asks(t *testing.T, topic, payload string) (r reply) {
	t.Helper()
	if _, err := l.Subscribe(t.Context(), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: topic + "_reply", QoS: 1}}}); err != nil {
		t.Fatal(err)
	}
	l.says(t, topic, payload) // refused or not: it is answered
	p := got(t, "reply on "+topic, l.came)
	if p.Topic != topic+"_reply" {
		t.Fatalf("%s came on %s", p.Payload, p.Topic)
	}
	if err := json.Unmarshal(p.Payload, &r); err != nil {
		t.Fatalf("%s: %v", p.Payload, err)
	}
	return r
}

// kept counts the messages of a device in the Log, behind a position.
func (h *house) kept(t *testing.T, d device.Device, after uplink.Position) (messages []device.Message) {
	t.Helper()
	records, err := h.Log.Read(t.Context(), after, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if r.Device != d.ID || r.Kind != uplink.Message {
			continue
		}
		m, err := device.DecodeMessage(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, m)
	}
	return messages
}

// TestReports posts batches and histories: what is taken is in the Log before it is answered, and what is not is answered
// with place, value and rule, and is not in the Log.
func TestReports(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	l, _ := h.paho5(t, d, nil)
	const rule = "milliseconds since 1970 UTC, from the year 2000 to a day ahead of now"
	at := func(ahead time.Duration) int64 { return time.Now().Add(ahead).UnixMilli() }
	identity := func(name string) string {
		return fmt.Sprintf(`"identity":{"productKey":"%s","deviceName":"%s"},`, h.Product.ProductKey, name)
	}
	for _, tt := range []struct {
		topic, params string
		code          int
		message       string
	}{
		{"history", `[{"properties":[{"brightness":{"value":5,"time":946684800000}}],"events":[{"fault":{"value":{"code":1},"time":1700000000000}}]}]`, 200, "success"},
		{"history", `[{` + identity(d.Name) + `"properties":[{"brightness":{"value":5,"time":946684800000}}]}]`, 200, "success"},
		{"history", `{"properties":[{"brightness":{"value":5,"time":946684800000}},{"brightness":{"value":4,"time":1600000000000}}]}`, 200, "success"},
		{"history", fmt.Sprintf(`[{"properties":[{"brightness":{"value":5,"time":%d}}]}]`, at(23*time.Hour)), 200, "success"},
		{"history", `[{"properties":[{"brightness":{"value":5,"time":0}}]}]`, 460, "/params/0/properties/0/brightness/time is missing, want " + rule},
		{"history", `[{"properties":[{"brightness":{"value":5,"time":86400000}}]}]`, 460, "/params/0/properties/0/brightness/time is 86400000, want " + rule},           // 1970
		{"history", `[{"properties":[{"brightness":{"value":5,"time":4084646400000}}]}]`, 460, "/params/0/properties/0/brightness/time is 4084646400000, want " + rule}, // 2099
		{"history", `[{"properties":[{"brightness":5}]}]`, 460, "/params/0/properties/0/brightness/time is missing, want " + rule},
		{"history", `[{` + identity("78da07ffffff") + `"properties":[]}]`, 520, "/params/0 is of 78da07ffffff of product key " + h.Product.ProductKey + ", which has no session here"},
		{"pack", `{"properties":{"brightness":[1,{"value":2,"time":1700000000000}]},"events":{"fault":{"value":{"code":2}}}}`, 200, "success"},
		{"batch", `{"properties":{"brightness":5,"powerstate":[0,1]}}`, 200, "success"},
		{"batch", `{"properties":{"brightness":[5,101]}}`, 460, "/params/properties/brightness/1 is 101, want an integer from 1 to 100 %"},
		{"batch", `{"events":{"fault":{"value":{}}}}`, 460, "/params/events/fault/value/code is missing, want one of 0 (恢复正常), 1 (过热), 2 (驱动故障)"},
		{"pack", `{"brightness":5}`, 400, "/params/brightness is unknown, want properties, events or identity"},
		{"pack", `{"subDevices":[{` + identity("78da07ffffff") + `"properties":{}}]}`, 520, "/params/subDevices/0 is of 78da07ffffff of product key " + h.Product.ProductKey + ", which has no session here"},
	} {
		before := h.Log.Tail()
		r := l.asks(t, h.topic(d, "thing/event/property/"+tt.topic+"/post"), `{"id":"7","version":"1.0","params":`+tt.params+`}`)
		if r.Code != tt.code || r.Message != tt.message || r.ID != "7" || r.Method != "thing.event.property."+tt.topic+".post" {
			t.Errorf("%s %s\n got %d %s\nwant %d %s (%+v)", tt.topic, tt.params, r.Code, r.Message, tt.code, tt.message, r)
		}
		if n := len(h.kept(t, d, before)); n != 1 && tt.code == 200 || n != 0 && tt.code != 200 {
			t.Errorf("%s %s was answered %d and is %d times in the Log", tt.topic, tt.params, tt.code, n)
		}
	}
}
