package gateway_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/infra/listing"
	"lampworks/mqtt"
)

// TestSaid: a device gives itself tags, tells its versions, its log and that it was reset. What it is answered 200 is there.
func TestSaid(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	l, _ := h.paho5(t, d, nil)
	long := strings.Repeat("x", 2049)
	for _, tt := range []struct {
		topic, params string
		code          int
		message       string
	}{
		{"thing/deviceinfo/update", `[{"attrKey":"Temperature","attrValue":"36.8"},{"attrKey":"room","attrValue":"客厅"}]`, 200, "success"},
		{"thing/deviceinfo/update", `[{"attrKey":"Temperature","attrValue":"36.9"}]`, 200, "success"},
		{"thing/deviceinfo/update", `[{"attrKey":"Temperature"}]`, 460, "/params/0/attrValue is missing, want a value"},
		{"thing/deviceinfo/update", `[{"attrKey":"a/b","attrValue":""}]`, 460, `/params/0/attrKey is "a/b", want letters, digits and . _ - : @`},
		{"thing/deviceinfo/update", manyTags(99), 429, "tags of the device is 101, the limit is 100"},
		{"thing/deviceinfo/delete", `[{"attrKey":"room"},{"attrKey":"nothing"}]`, 200, "success"},
		{"thing/deviceinfo/delete", `["room"]`, 460, `/params/0 is "room", want a list such as [{"attrKey":"room","attrValue":"2"}]`},
		{"thing/log/post", `[{"utcTime":"2026-03-14T20:00:00.000+0800","logLevel":"ERROR","module":"wifi","code":"","logContent":"lost"}]`, 200, "success"},
		{"thing/log/post", `[{"logLevel":"ERROR","logContent":"` + long + `"}]`, 460, "/params/0/logContent is 2049 bytes long, want at most 2048 bytes"},
		{"thing/reset", `{}`, 200, "success"},
	} {
		before := h.Log.Tail()
		r := l.asks(t, h.topic(d, tt.topic), `{"id":"1","version":"1.0","params":`+tt.params+`}`)
		if r.Code != tt.code || r.Message != tt.message {
			t.Errorf("%s %.80s\n got %d %s\nwant %d %s", tt.topic, tt.params, r.Code, r.Message, tt.code, tt.message)
		}
		kept, want := len(h.kept(t, d, before)), 0
		if tt.code == 200 && !strings.Contains(tt.topic, "deviceinfo") {
			want = 1
		}
		if kept != want {
			t.Errorf("%s %.80s is %d times in the Log", tt.topic, tt.params, kept)
		}
	}
	tags, err := h.Devices.Tags(t.Context(), h.Maker, d.ID, listing.Ask{})
	if err != nil || len(tags.Items) != 1 || tags.Items[0].Value != "36.9" {
		t.Errorf("tags are %+v, %v", tags, err)
	}
}

func manyTags(n int) string {
	var tags []map[string]string
	for i := range n {
		tags = append(tags, map[string]string{"attrKey": "k" + strconv.Itoa(i), "attrValue": ""})
	}
	b, _ := json.Marshal(tags)
	return string(b)
}

// TestFirmwareInform: versions have no topic of replies. A wrong one is told by the reason of MQTT 5 and on the topic of errors.
func TestFirmwareInform(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	inform := "/ota/device/inform/" + h.Product.ProductKey + "/" + d.Name
	l, _ := h.paho5(t, d, nil)
	l.hears(t, "/ext/error/"+h.Product.ProductKey+"/"+d.Name)
	before := h.Log.Tail()
	if r := l.says(t, inform, `{"id":"1","params":{"version":"1.0.0"}}`); r != mqtt.Success || len(h.kept(t, d, before)) != 1 {
		t.Errorf("acknowledged with %s", r)
	}
	if r := l.says(t, inform, `{"id":1,"params":{"module":"MCU"}}`); r != mqtt.BadPayload {
		t.Errorf("acknowledged with %s", r)
	}
	p := got(t, "error", l.came)
	var e reply
	if err := json.Unmarshal(p.Payload, &e); err != nil || e.Code != 460 || e.ID != "1" || e.Message != "/params/version is missing, want a version" {
		t.Errorf("%s, %v", p.Payload, err)
	}
}
