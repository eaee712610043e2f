package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lampworks/alink"
	"lampworks/tsl"
)

// An act is something that a device and the platform do together.
type act struct {
	name string
	play func(*testing.T, *actor)
}

// acts is the surface of Alink that the platform serves, as a device meets it. Each is seen from both sides: by the device, and in
// the API.
var acts = []act{
	{"taken over", playTakeover},
	{"property report", playReport},
	{"event", playEvent},
	{"batches", playBatches},
	{"history", playHistory},
	{"property set", playSet},
	{"property get", playGet},
	{"service", playService},
	{"synchronous call", playCall},
	{"desired values", playDesired},
	{"tags", playTags},
	{"thing model", playModel},
	{"raw data", playRaw},
	{"configuration", playConfiguration},
	{"device log", playLog},
	{"firmware", playFirmware},
	{"time", playTime},
	{"own topics", playOwn},
	{"call on an own topic", playOwnCall},
	{"errors", playErrors},
	{"classic shadow", playShadow},
	{"home and reset", playHome},
	{"disabled and enabled", playDisabled},
	{"deleted", playDeleted},
	{"told", playTold},
}

// TestAlink plays every topic of Alink that is served with clients that others have made: Alibaba's own SDK for JavaScript, unchanged
// but for the address, and Eclipse Paho's of both versions. What the SDK did is what the page says.
func TestAlink(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, 3*len(clients), len(clients))
	w.registers(t)
	t.Run("with", func(t *testing.T) { // returns when all have ended
		for i, c := range clients {
			own, child, fresh := w.light.triples[3*i], w.light.triples[3*i+1], w.light.triples[3*i+2]
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				t.Run("device", func(t *testing.T) {
					t.Parallel()
					w.play(t, c.start, acts, own)
				})
				t.Run("gateway", func(t *testing.T) {
					t.Parallel()
					w.play(t, c.start, hubActs, w.hub.triples[i], child, fresh)
				})
			})
		}
	})
}

// play has a client play a list of acts, with a device and those behind it.
func (w *workshop) play(t *testing.T, start starter, acts []act, d triple, child ...triple) {
	t.Helper()
	a := &actor{workshop: w, whole: t, client: start(t, w.server, d, child...), start: start, triple: d, child: child, id: w.device(t, d.DeviceName).ID}
	for _, act := range acts {
		if !t.Run(act.name, func(t *testing.T) { act.play(t, a) }) {
			return // what follows stands on it
		}
	}
	if k, is := a.client.(*sdk); is {
		k.holdPage(t, len(child) > 0)
	}
}

var clients = []struct {
	name  string
	start starter
}{
	{"Paho 3.1.1", func(t *testing.T, s *server, d triple, child ...triple) client { return startPaho3(t, s, d, child...) }},
	{"Paho 5", func(t *testing.T, s *server, d triple, child ...triple) client { return startPaho5(t, s, d, child...) }},
	{"JavaScript SDK", func(t *testing.T, s *server, d triple, child ...triple) client {
		needSDK(t)
		return startSDK(t, "mqtt://"+s.mqtt, d, child)
	}},
}

// playTakeover has the device connect from a second place, which it goes on from.
func playTakeover(t *testing.T, a *actor) {
	first := a.client
	a.client = a.start(a.whole, a.server, a.triple)
	first.lost(t)
	first.leaves()
}

func playReport(t *testing.T, a *actor) {
	a.does(t, alink.PropertyPost, "", map[string]any{"powerstate": 0, "brightness": 80})
	r := a.asks(t, alink.PropertyPost, "", map[string]any{"brightness": 101})
	if want := "/params/brightness is 101, want an integer from 1 to 100 %"; r.Code != 460 || r.Message != want {
		t.Errorf("the refused report was answered %d %q\nwant 460 %q", r.Code, r.Message, want)
	}
	a.reported(t, a.id, "brightness", "80")
}

func playEvent(t *testing.T, a *actor) {
	a.does(t, alink.EventPost, "fault", map[string]any{"code": 1, "detail": "过热"})
}

func playBatches(t *testing.T, a *actor) {
	a.does(t, alink.PackPost, "", map[string]any{"properties": map[string]any{"brightness": []int{1, 2}}})
	a.reported(t, a.id, "brightness", "2")
	a.does(t, alink.BatchPost, "", map[string]any{"properties": map[string]any{"brightness": 30, "powerstate": []int{0, 1}}})
	a.reported(t, a.id, "brightness", "30")
}

func playHistory(t *testing.T, a *actor) {
	at := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	a.does(t, alink.HistoryPost, "", []any{map[string]any{"properties": []any{map[string]any{"colorTemperature": map[string]any{"value": 4000, "time": at.UnixMilli()}}}}})
	a.shows(t, a.path("/history?property=colorTemperature"), at.UTC().Format("2006-01-02T15:04:05.000Z")+" 4000", "at", "value")
}

func playSet(t *testing.T, a *actor) {
	a.hears(t, alink.PropertySet, "")
	c := a.orders(t, "/commands", map[string]any{"kind": "property_set", "params": map[string]any{"brightness": 50}})
	h := a.next(t, alink.PropertySet)
	if r := h.request(t); string(r.Params) != `{"brightness":50}` || r.Method != "thing.service.property.set" {
		t.Errorf("the set is %s", h)
	}
	a.does(t, alink.PropertyPost, "", map[string]any{"brightness": 50})
	a.replies(t, alink.PropertySet, h, 200, map[string]any{})
	if got := a.ended(t, c); got != "succeeded" {
		t.Errorf("the command ended as %s", got)
	}
	a.reported(t, a.id, "brightness", "50")
}

func playGet(t *testing.T, a *actor) {
	a.hears(t, alink.PropertyGet, "")
	c := a.orders(t, "/commands", map[string]any{"kind": "property_get", "params": []string{"brightness"}})
	h := a.next(t, alink.PropertyGet)
	if r := h.request(t); string(r.Params) != `["brightness"]` {
		t.Errorf("the request is %s", h)
	}
	a.replies(t, alink.PropertyGet, h, 200, map[string]any{"brightness": 44})
	if got := a.ended(t, c); got != `succeeded {"brightness":44}` {
		t.Errorf("the command ended as %s", got)
	}
	a.reported(t, a.id, "brightness", "44")
}

func playService(t *testing.T, a *actor) {
	a.hears(t, alink.ServiceInvoke, "identify")
	for _, tt := range []struct {
		code int
		want string
	}{{200, "succeeded {}"}, {5000, "failed refused 5000"}} {
		c := a.orders(t, "/services/identify", map[string]any{"params": map[string]any{}})
		h := a.next(t, alink.ServiceInvoke)
		if r := h.request(t); string(r.Params) != `{}` || r.Method != "thing.service.identify" || h.arg != "identify" {
			t.Errorf("the service came as %s", h)
		}
		a.replies(t, alink.ServiceInvoke, h, tt.code, map[string]any{})
		if got := a.ended(t, c); got != tt.want {
			t.Errorf("the command ended as %s, want %s", got, tt.want)
		}
	}
}

func playCall(t *testing.T, a *actor) {
	a.hears(t, alink.RRPCRequest, "+")
	end := a.calls(t, "/services/identify", map[string]any{"params": map[string]any{}, "sync": true})
	h := a.next(t, alink.RRPCRequest)
	if r := h.request(t); r.Method != "thing.service.identify" {
		t.Errorf("the call came as %s", h)
	}
	a.replies(t, alink.RRPCRequest, h, 200, map[string]any{"blinks": 3})
	if got := <-end; got != `succeeded {"blinks":3}` {
		t.Errorf("the call ended as %s", got)
	}
}

// playDesired has the device ask what is desired before it does it, as one does that was away.
func playDesired(t *testing.T, a *actor) {
	c := a.orders(t, "/commands", map[string]any{"kind": "property_set", "params": map[string]any{"brightness": 60}})
	h := a.next(t, alink.PropertySet)
	var desired map[string]struct{ Value, Version int }
	if data := a.does(t, alink.DesiredGet, "", []string{"brightness"}); json.Unmarshal(data, &desired) != nil || desired["brightness"].Value != 60 {
		t.Errorf("desired is %s", data)
	}
	a.does(t, alink.DesiredDelete, "", map[string]any{"brightness": map[string]any{"version": desired["brightness"].Version}})
	if data := a.does(t, alink.DesiredGet, "", []string{"brightness"}); string(data) != "{}" {
		t.Errorf("what was deleted is desired: %s", data)
	}
	var sh struct{ Desired map[string]any }
	if a.call(t, "GET", a.path("/shadow"), nil, &sh); sh.Desired["brightness"] != nil {
		t.Errorf("the platform desires %v", sh.Desired)
	}
	a.replies(t, alink.PropertySet, h, 200, map[string]any{})
	if got := a.ended(t, c); got != "succeeded" {
		t.Errorf("the command ended as %s", got)
	}
}

// tag is a label that a device gives itself.
type tag struct {
	Key   string `json:"attrKey"`
	Value string `json:"attrValue,omitempty"`
}

func playTags(t *testing.T, a *actor) {
	a.does(t, alink.TagUpdate, "", []tag{{"room", "客厅"}, {"Temperature", "36.8"}})
	a.shows(t, a.path("/tags"), "Temperature 36.8, room 客厅", "key", "value")
	a.does(t, alink.TagDelete, "", []tag{{Key: "Temperature"}})
	a.shows(t, a.path("/tags"), "room 客厅", "key", "value")
}

func playModel(t *testing.T, a *actor) {
	for _, of := range []alink.Template{alink.TemplateGet, alink.DynamicModelGet} {
		doc, err := tsl.Parse(a.does(t, of, "", map[string]any{}))
		if err != nil || doc.Profile.DeviceName != a.DeviceName || len(doc.Properties) == 0 {
			t.Errorf("%s: %+v, %v", of, doc, err)
		}
	}
}

func playRaw(t *testing.T, a *actor) {
	a.says(t, alink.RawUp, "", []byte("\x00\xff"))
	a.hears(t, alink.RawDown, "")
	c := a.orders(t, "/commands", map[string]any{"kind": "raw", "params": map[string]any{"base64": "AP8="}})
	if h := a.next(t, alink.RawDown); string(h.data) != "\x00\xff" {
		t.Errorf("the bytes came as %q", h.data)
	}
	a.says(t, alink.RawDownReply, "", []byte("\xfe"))
	if got := a.ended(t, c); got != `succeeded {"base64":"/g=="}` {
		t.Errorf("the command ended as %s", got)
	}
}

// playConfiguration also hears what is pushed for the other players: the product is theirs, too.
func playConfiguration(t *testing.T, a *actor) {
	a.hears(t, alink.ConfigPush, "")
	a.configuring.Lock()
	defer a.configuring.Unlock()
	var made struct {
		Version    int
		SHA256     string `json:"sha256"`
		Size       int
		ConfigID   string `json:"config_id"`
		ID         int64
		Sent, Took int64
	}
	at := "/api/v1/products/" + a.light.product + "/configurations"
	a.call(t, "POST", at, map[string]any{"document": map[string]string{"for": a.DeviceName}}, &made)
	var offer struct {
		URL, Sign  string
		ConfigSize int
	}
	data := a.does(t, alink.ConfigGet, "", map[string]string{"configScope": "product", "getType": "file"})
	if err := json.Unmarshal(data, &offer); err != nil {
		t.Fatal(err)
	}
	if res, err := http.Get(offer.URL); err != nil || res.StatusCode != 200 || res.ContentLength != int64(offer.ConfigSize) || res.Body.Close() != nil {
		t.Errorf("%s leads to %+v, %v", data, res, err)
	}
	a.call(t, "POST", fmt.Sprintf("%s/%d/pushes", at, made.Version), nil, &made)
	for id := ""; id != strconv.FormatInt(made.ID, 10); {
		h := a.next(t, alink.ConfigPush)
		r := h.request(t)
		if id = r.ID; json.Unmarshal(r.Params, &offer) != nil || r.Method != "thing.config.push" {
			t.Errorf("pushed was %s", h)
		}
		a.replies(t, alink.ConfigPush, h, 200, map[string]any{})
	}
	if offer.Sign != made.SHA256 {
		t.Errorf("pushed was %+v, want %+v", offer, made)
	}
	eventually(t, "the push to be confirmed", func() (bool, any) {
		var page struct {
			Items []struct{ ID, Confirmed int64 }
		}
		a.call(t, "GET", "/api/v1/products/"+a.light.product+"/configuration-pushes", nil, &page)
		for _, push := range page.Items {
			if push.ID == made.ID && push.Confirmed > 0 {
				return true, nil
			}
		}
		return false, page
	})
}

func playLog(t *testing.T, a *actor) {
	a.does(t, alink.LogPost, "", []any{map[string]string{"utcTime": "2026-03-14T20:00:00.000+0800", "logLevel": "ERROR", "module": "wifi", "code": "4", "logContent": "连接断开"}})
	a.shows(t, a.path("/log"), "ERROR wifi 4 连接断开", "level", "module", "code", "text")
}

func playFirmware(t *testing.T, a *actor) {
	a.says(t, alink.OTAInform, "", []byte(`{"id":"1","params":{"version":"1.0.3"}}`))
	a.says(t, alink.OTAInform, "", []byte(`{"id":"2","params":{"version":"2.7","module":"mcu"}}`))
	a.shows(t, a.path("/firmware"), "default 1.0.3, mcu 2.7", "module", "version")
}

func playTime(t *testing.T, a *actor) {
	a.hears(t, alink.NTPResponse, "")
	sent := strconv.FormatInt(time.Now().UnixMilli(), 10)
	a.says(t, alink.NTPRequest, "", []byte(`{"deviceSendTime":"`+sent+`"}`))
	h := a.next(t, alink.NTPResponse)
	var r struct{ DeviceSendTime, ServerRecvTime, ServerSendTime string }
	if err := json.Unmarshal(h.data, &r); err != nil || r.DeviceSendTime != sent || len(r.ServerRecvTime) != 13 || r.ServerSendTime < r.ServerRecvTime {
		t.Errorf("the time came as %s, %v", h, err)
	}
}

func playOwn(t *testing.T, a *actor) {
	a.says(t, alink.User, "update/more", []byte("\x00 not JSON"))
	a.hears(t, alink.User, "#")
	c := a.orders(t, "/messages", map[string]any{"topic": "get/it", "text": "你好", "qos": 1})
	if h := a.next(t, alink.User); string(h.data) != "你好" || h.arg != "get/it" {
		t.Errorf("the message came as %s on %s", h, h.arg)
	}
	if got := a.ended(t, c); got != "succeeded" {
		t.Errorf("the message ended as %s", got)
	}
}

func playOwnCall(t *testing.T, a *actor) {
	a.hears(t, alink.ExtRRPC, "+/"+a.ProductKey+"/"+a.DeviceName+"/user/ask")
	end := a.calls(t, "/messages", map[string]any{"topic": "ask", "text": "how?", "sync": true})
	h := a.next(t, alink.ExtRRPC)
	if string(h.data) != "how?" {
		t.Errorf("the call came as %s", h)
	}
	a.says(t, alink.ExtRRPC, h.arg, []byte("so"))
	if got := <-end; got != `succeeded {"base64":"c28="}` {
		t.Errorf("the call ended as %s", got)
	}
}

// playErrors says something wrong where no reply could tell it.
func playErrors(t *testing.T, a *actor) {
	a.hears(t, alink.Error, "")
	a.says(t, alink.OTAInform, "", []byte(`{"id":"7","params":{"module":"mcu"}}`))
	h := a.next(t, alink.Error)
	var r alinkReply
	if err := json.Unmarshal(h.data, &r); err != nil || r.ID != "7" || r.Code != 460 || r.Message != "/params/version is missing, want a version" {
		t.Errorf("the error came as %s", h)
	}
}

func playShadow(t *testing.T, a *actor) {
	a.hears(t, alink.ShadowGet, "")
	answered := func(method string, state any) (state2 map[string]map[string]any) {
		t.Helper()
		a.shadow(t, method, state)
		h := a.next(t, alink.ShadowGet)
		var r struct {
			Method  string
			Payload struct {
				Status string
				State  map[string]map[string]any
			}
		}
		if err := json.Unmarshal(h.data, &r); err != nil || r.Method != "reply" || r.Payload.Status != "success" {
			t.Errorf("%s was answered %s, %v", method, h, err)
		}
		return r.Payload.State
	}
	answered("update", map[string]any{"brightness": 71, "powerstate": 1})
	a.reported(t, a.id, "brightness", "71")
	if state := answered("get", nil); state["reported"]["brightness"] != 71.0 {
		t.Errorf("the shadow is %v", state)
	}
	answered("delete", []string{"brightness"})
	eventually(t, "the value to be gone", func() (bool, any) {
		var sh struct{ Reported map[string]any }
		a.call(t, "GET", a.path("/shadow"), nil, &sh)
		return sh.Reported["brightness"] == nil && sh.Reported["powerstate"] != nil, sh
	})
}

// playHome places the device in a home, where a reset takes it out.
func playHome(t *testing.T, a *actor) {
	a.hears(t, alink.CloudNotify, "")
	var home struct{ ID string }
	a.call(t, "POST", "/api/v1/homes", map[string]any{"names": names("家", "home of "+a.DeviceName)}, &home)
	a.call(t, "POST", "/api/v1/homes/"+home.ID+"/devices", map[string]any{"device": a.id, "names": names("灯", "lamp")}, nil)
	told := func(want string) {
		t.Helper()
		if h := a.next(t, alink.CloudNotify); !strings.Contains(string(h.data), `{"Operation":"`+want+`"}`) {
			t.Errorf("told was %s, want %s", h, want)
		}
	}
	told("Bind")
	a.does(t, alink.Reset, "", map[string]any{})
	told("Unbind")
	eventually(t, "the reset", func() (bool, any) {
		var d struct {
			ResetAt *time.Time `json:"reset_at"`
		}
		a.call(t, "GET", a.path(""), nil, &d)
		return d.ResetAt != nil, d
	})
}

func playDisabled(t *testing.T, a *actor) {
	a.hears(t, alink.Disable, "")
	a.hears(t, alink.Enable, "")
	a.call(t, "PUT", a.path("/state"), map[string]string{"state": "disabled", "note": "it flickers"}, nil)
	if h := a.next(t, alink.Disable); h.request(t).Method != "thing.disable" {
		t.Errorf("told was %s", h)
	}
	a.lost(t)
	if why := a.sessionEnd(t, a.DeviceName); why != "disabled" {
		t.Errorf("the session ended because %q", why)
	}
	a.call(t, "PUT", a.path("/state"), map[string]string{"state": "enabled", "note": "mended"}, nil)
	a.back(t)
	h := a.next(t, alink.Enable)
	if h.request(t).Method != "thing.enable" {
		t.Errorf("told was %s", h)
	}
	a.replies(t, alink.Enable, h, 200, map[string]any{})
}

func playDeleted(t *testing.T, a *actor) {
	a.hears(t, alink.Delete, "")
	a.operator.does(t, "POST", "/enforcement/measures", map[string]any{
		"subject": map[string]string{"kind": "device", "id": a.id}, "kind": "terminate", "cause": "unsafe_product", "reason": "It overheats.",
	})
	if h := a.next(t, alink.Delete); h.request(t).Method != "thing.delete" {
		t.Errorf("told was %s", h)
	}
	a.lost(t)
	a.leaves()
}

// playTold looks for all that was stored in the timeline of the device, which has it when the device is gone.
func playTold(t *testing.T, a *actor) {
	eventually(t, "the timeline to have every topic", func() (bool, any) {
		var page struct{ Items []struct{ What string } }
		a.call(t, "GET", a.path("/timeline?kind=message&limit=100"), nil, &page)
		missing := make(map[string]bool)
		for _, of := range []alink.Template{
			alink.PropertyPost, alink.EventPost, alink.PackPost, alink.BatchPost, alink.HistoryPost, alink.RawUp, alink.LogPost, alink.OTAInform,
			alink.Reset, alink.User, alink.ShadowUpdate,
		} {
			missing[strings.NewReplacer("{rest}", "update/more", "{id}", "fault").Replace(of.String())] = true
		}
		for _, e := range page.Items {
			delete(missing, e.What)
		}
		return len(missing) == 0, fmt.Sprint(missing, page)
	})
}

// holdPage holds what the pages say about the SDK, of the topics of gateways or of all others, against what it did and against the
// topics that are served.
func (k *sdk) holdPage(t *testing.T, gateways bool) {
	t.Helper()
	var want []string
	driven := map[alink.Template]bool{
		alink.Registered:    true, // instead the SDK has register, over HTTPS
		alink.EnrolleeMatch: true, // the SDK announces no bind token: gateway.TestBindToken does
	}
	for use := range k.used {
		if use.of.GatewayOnly() == gateways {
			want = append(want, use.method+" "+use.of.String())
		}
		driven[use.of] = true
	}
	about := make(map[string]bool)
	for _, of := range alink.Templates() {
		about[of.String()] = of.GatewayOnly() == gateways
		if of.Implemented() && of.GatewayOnly() == gateways && answers(of) == 0 && !driven[of] {
			t.Errorf("%s is served, and the SDK did not meet it", of)
		}
	}
	row := regexp.MustCompile("(?m)^\\| ((?:`[a-zA-Z]+` ?)+) \\| ((?:`/[^`]+` ?)+) \\|$")
	for _, language := range []string{"en", "zh-CN"} {
		page, err := os.ReadFile("../docs/" + language + "/alink.md")
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, m := range row.FindAllStringSubmatch(string(page), -1) {
			for _, method := range inTicks(m[1]) {
				for _, topic := range inTicks(m[2]) {
					if about[topic] {
						told = append(told, method+" "+topic)
					}
				}
			}
		}
		slices.Sort(want)
		slices.Sort(told)
		if !slices.Equal(told, want) {
			t.Errorf("%s: the page says that the SDK drives\n%s\nand it drove\n%s", language, strings.Join(told, "\n"), strings.Join(want, "\n"))
		}
	}
}
