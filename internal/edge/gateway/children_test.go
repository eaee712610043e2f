package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lampworks/alink"
	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/uplink"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/product"
	"lampworks/mqtt"
)

// A hub is a gateway on the wire: a device whose product may carry others.
type hub struct {
	*house
	product product.Product
	d       device.Device
	c       *mqtt.Client
	came    chan mqtt.Message
	ids     atomic.Int64
}

func (h *house) hubProduct(t *testing.T) product.Product {
	t.Helper()
	p, err := h.Products.Create(t.Context(), h.Maker, product.NewProduct{Category: "light", Names: product.Names{"en": "hub"}, Gateway: true})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (h *house) hub(t *testing.T, p product.Product) *hub {
	t.Helper()
	u := &hub{house: h, product: p, d: h.IssueOf(t, h.Maker, p.ID, 1)[0]}
	u.connect(t)
	return u
}

func (u *hub) connect(t *testing.T) {
	t.Helper()
	own := *u.house
	works := *u.Works
	works.Product = u.product
	own.Works = &works
	a := own.credentials(t, u.d)
	came := make(chan mqtt.Message, 4096)
	u.came = came
	a.OnMessage = func(_ *mqtt.Client, m mqtt.Message) {
		m.Payload = slices.Clone(m.Payload)
		came <- m
	}
	var err error
	if u.c, err = mqtt.Dial(t.Context(), u.addr, a); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.c.Kill)
	names := u.product.ProductKey + "/" + u.d.Name
	if _, err := u.c.Subscribe(t.Context(), "/sys/"+names+"/thing/#", "/ext/session/"+names+"/#", "/ext/error/"+names); err != nil {
		t.Fatal(err)
	}
}

// hears is the next message on a topic of the hub; others are passed over.
func (u *hub) hears(t *testing.T, topic string) []byte {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case m := <-u.came:
			if m.Topic == topic {
				return m.Payload
			}
		case <-deadline:
			t.Fatalf("nothing came on %s", topic)
		}
	}
}

// asks publishes a request of the hub and returns code, data and message of the answer.
func (u *hub) asks(t *testing.T, of alink.Template, params string) (code int, data, message string) {
	t.Helper()
	id := fmt.Sprint(u.ids.Add(1))
	text := `{"id":"` + id + `","version":"1.0","params":` + params + `}`
	if err := u.c.Publish(t.Context(), of.Topic(u.product.ProductKey, u.d.Name, ""), []byte(text), 1); err != nil {
		t.Fatalf("%s: %v", of, err)
	}
	r, err := alink.ParseReply(u.hears(t, of.Reply().Topic(u.product.ProductKey, u.d.Name, "")))
	if err != nil || string(r.ID) != id {
		t.Fatalf("%s: answered %+v, %v", of, r, err)
	}
	return r.Code, string(r.Data), alink.Text(r.Message)
}

// does asks for what must succeed.
func (u *hub) does(t *testing.T, of alink.Template, params string) (data string) {
	t.Helper()
	code, data, message := u.asks(t, of, params)
	if code != alink.CodeOK {
		t.Fatalf("%s of %.200s: %d %s", of, params, code, message)
	}
	return data
}

// fails asks for what must be refused with a code.
func (u *hub) fails(t *testing.T, of alink.Template, params string, want int) (data string) {
	t.Helper()
	code, data, message := u.asks(t, of, params)
	if code != want {
		t.Errorf("%s of %.300s: %d %s, want %d", of, params, code, message, want)
	}
	return data
}

func (u *hub) fellow(p product.Product, d device.Device) string {
	return `{"productKey":"` + p.ProductKey + `","deviceName":"` + d.Name + `"}`
}

// signed is what a hub says of devices of a product, signed with the secret each has.
func (u *hub) signed(t *testing.T, p product.Product, ds ...device.Device) string {
	t.Helper()
	var list []string
	for _, d := range ds {
		who, err := u.Devices.Identify(t.Context(), p.ProductKey, d.Name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, signedWith(t, p.ProductKey, d.Name, who.Secret.Reveal()))
	}
	return "[" + strings.Join(list, ",") + "]"
}

func signedWith(t *testing.T, key, name, secret string) string {
	t.Helper()
	id := alink.ClientID{Bare: key + "." + name, Timestamp: "1524448722000"}
	sign, err := alink.Sign("hmacsha1", secret, id, name, key)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"productKey":%q,"deviceName":%q,"clientId":%q,"timestamp":"1524448722000","signMethod":"hmacSha1","sign":%q,"cleanSession":"true"}`, key, name, id.Bare, sign)
}

func one(list string) string { return list[1 : len(list)-1] }

// carries has a hub carry lights, and logs them in.
func (u *hub) carries(t *testing.T, ds ...device.Device) {
	t.Helper()
	for some := range slices.Chunk(ds, alink.MaxChildren) {
		u.does(t, alink.TopoAdd, u.signed(t, u.Product, some...))
		u.does(t, alink.BatchLogin, `{"deviceList":`+u.signed(t, u.Product, some...)+`}`)
	}
}

// presence waits until a device is known as online, or as gone for a reason.
func (u *hub) presence(t *testing.T, d device.Device, online bool, reason string) {
	t.Helper()
	devicetest.Eventually(t, fmt.Sprintf("online %t, %s", online, reason), func() (bool, any) {
		got, err := u.Devices.Load(t.Context(), u.Maker, d.ID)
		return err == nil && got.Online == online && strings.HasPrefix(got.Reason, reason), fmt.Sprint(got, err)
	})
}

func newHub(t *testing.T, lights int) *hub {
	t.Helper()
	h := newHouse(t, lights, nil, gateway.Limits{Takeovers: 1000})
	devicetest.Run(t, func(ctx context.Context) error { return h.Devices.Follow(ctx, h.Log) })
	return h.hub(t, h.hubProduct(t))
}

// TestChildren walks a sub-device through its life: it is in no topology, then in one, logged in, speaks and is spoken to
// over its gateway's connection, is logged out, and goes with its gateway.
func TestChildren(t *testing.T) {
	u := newHub(t, 1)
	d := u.Lights[0]
	signed := u.signed(t, u.Product, d)
	u.fails(t, alink.CombineLogin, one(signed), alink.CodeNoTopology)
	if got, want := u.does(t, alink.TopoAdd, signed), "["+u.fellow(u.Product, d)+"]"; got != want {
		t.Errorf("topo/add answered %s, want %s", got, want)
	}
	u.does(t, alink.TopoAdd, signed) // twice is once
	if got, want := u.does(t, alink.TopoGet, "{}"), "["+u.fellow(u.Product, d)+"]"; got != want {
		t.Errorf("topo/get answered %s, want %s", got, want)
	}
	if got, want := u.does(t, alink.CombineLogin, one(signed)), u.fellow(u.Product, d); got != want {
		t.Errorf("login answered %s, want %s", got, want)
	}
	u.presence(t, d, true, "connected")
	if !u.Live(d.ID) {
		t.Error("the child is not live")
	}
	before := u.Log.Tail()
	if _, err := u.c.Subscribe(t.Context(), u.topic(d, "thing/service/#"), u.topic(d, "thing/event/+/post_reply")); err != nil {
		t.Fatal(err)
	}
	if err := u.c.Publish(t.Context(), u.post(d), brightness, 1); err != nil {
		t.Fatal(err)
	}
	if r, err := alink.ParseReply(u.hears(t, u.topic(d, "thing/event/property/post_reply"))); err != nil || r.Code != alink.CodeOK {
		t.Errorf("the child's post was answered %+v, %v", r, err)
	}
	if got := u.kept(t, d, before); len(got) != 1 || got[0].Template != alink.PropertyPost {
		t.Errorf("the Log has %+v of the child", got)
	}
	c := u.orders(t, d, command.Request{Kind: command.Service, Service: "identify", Params: json.RawMessage(`{}`), Deadline: time.Minute})
	req, err := alink.ParseRequest(u.hears(t, u.topic(d, "thing/service/identify")))
	if err != nil {
		t.Fatal(err)
	}
	if err := u.c.Publish(t.Context(), u.topic(d, "thing/service/identify_reply"), alink.AppendReply(nil, req.ID, 200, "success", nil, ""), 1); err != nil {
		t.Fatal(err)
	}
	if got := u.ended(t, c); !strings.HasPrefix(got, "succeeded") {
		t.Errorf("the child's command %s", got)
	}
	u.does(t, alink.CombineLogout, u.fellow(u.Product, d))
	u.presence(t, d, false, "logged out by its gateway")
	u.fails(t, alink.CombineLogout, u.fellow(u.Product, d), alink.CodeNoSession)
	if err := u.c.Publish(t.Context(), u.post(d), brightness, 1); err != nil { // late
		t.Fatal(err)
	}
	if r, err := alink.ParseReply(u.hears(t, "/ext/error/"+u.product.ProductKey+"/"+u.d.Name)); err != nil || r.Code != alink.CodeNoSession {
		t.Errorf("a late message was answered %+v, %v", r, err)
	}
	u.does(t, alink.BatchLogin, `{"deviceList":`+signed+`}`)
	u.presence(t, d, true, "connected")
	u.c.Kill()
	u.presence(t, d, false, "its gateway is gone: ")
	u.presence(t, u.d, false, "")
	if u.Sessions() != 0 {
		t.Errorf("%d sessions stay", u.Sessions())
	}
	u.connect(t)
	u.does(t, alink.BatchLogin, `{"deviceList":`+signed+`}`)
	u.presence(t, d, true, "connected")
	u.does(t, alink.TopoDelete, `[`+u.fellow(u.Product, d)+`]`)
	u.presence(t, d, false, "its gateway carries it no longer")
	if got := u.does(t, alink.TopoGet, "{}"); got != "[]" {
		t.Errorf("topo/get answered %s after all are deleted", got)
	}
	u.fails(t, alink.TopoDelete, `[`+u.fellow(u.Product, d)+`]`, alink.CodeNoTopology)
}

// TestUnlistedChild claims what is not the gateway's: nothing of it changes anything, and of others' devices it learns no more than of
// devices that are not there.
func TestUnlistedChild(t *testing.T) {
	u := newHub(t, 2)
	d := u.Lights[0]
	foreign, err := u.Products.Create(t.Context(), u.Stranger, product.NewProduct{Category: "light", Names: product.Names{"en": "theirs"}})
	if err != nil {
		t.Fatal(err)
	}
	theirs := u.IssueOf(t, u.Stranger, foreign.ID, 1)[0]
	other := u.hub(t, u.product)
	right := u.signed(t, u.Product, d)
	for _, tt := range []struct {
		what, params string
		want         int
	}{
		{"a wrong signature", `[` + signedWith(t, u.Product.ProductKey, d.Name, "00000000000000000000000000000000") + `]`, alink.CodeSign},
		{"another's signature", strings.ReplaceAll(u.signed(t, u.Product, u.Lights[1]), u.Lights[1].Name, d.Name), alink.CodeSign},
		{"no signature", `[` + u.fellow(u.Product, d) + `]`, alink.CodeParam},
		{"a device of another organisation, signed right", u.signed(t, foreign, theirs), alink.CodeUnknown},
		{"a device of another organisation, signed wrong", `[` + signedWith(t, foreign.ProductKey, theirs.Name, "x") + `]`, alink.CodeUnknown},
		{"an unknown device", `[` + signedWith(t, u.Product.ProductKey, "000000000000", "x") + `]`, alink.CodeUnknown},
		{"an unknown product", `[` + signedWith(t, "nothing", d.Name, "x") + `]`, alink.CodeUnknown},
		{"itself", u.signed(t, u.product, u.d), alink.CodeItself},
		{"another gateway", u.signed(t, u.product, other.d), alink.CodeItself},
		{"one of two is wrong", `[` + one(right) + `,` + signedWith(t, u.Product.ProductKey, u.Lights[1].Name, "x") + `]`, alink.CodeSign},
		{"one twice", `[` + one(right) + `,` + one(right) + `]`, alink.CodeParam},
		{"none", `[]`, alink.CodeParam},
		{"no list", `7`, alink.CodeParam},
		{"a wildcard", `[{"productKey":"+","deviceName":"#","sign":"x"}]`, alink.CodeParam},
		{"a name of SQL", `[{"productKey":"a' OR 1=1 --","deviceName":"x","sign":"x"}]`, alink.CodeParam},
		{"a name of the Bus", `[{"productKey":"a","deviceName":"a.>","sign":"x"}]`, alink.CodeParam},
		{"51 of them", `[` + strings.TrimSuffix(strings.Repeat(u.fellow(u.Product, d)+",", 51), ",") + `]`, alink.CodeParam},
	} {
		u.fails(t, alink.TopoAdd, tt.params, tt.want)
		if code, _, _ := u.asks(t, alink.BatchLogin, tt.params); code != tt.want && code != alink.CodeNoTopology {
			t.Errorf("%s: a login is answered %d, want %d", tt.what, code, tt.want)
		}
		if got := u.does(t, alink.TopoGet, "{}"); got != "[]" {
			t.Fatalf("%s: the gateway carries %s", tt.what, got)
		}
	}
	_, _, strange := u.asks(t, alink.TopoAdd, u.signed(t, foreign, theirs))
	if _, _, unknown := u.asks(t, alink.TopoAdd, `[`+signedWith(t, foreign.ProductKey, "000000000000", "x")+`]`); strange != unknown {
		t.Errorf("of another's device it hears %q, of none %q", strange, unknown)
	}
	u.does(t, alink.TopoAdd, right) // in the topology, and not logged in
	for _, d := range []device.Device{d, u.Lights[1]} {
		if codes, err := u.c.Subscribe(t.Context(), u.topic(d, "thing/service/#")); err == nil && codes[0] != 0x80 {
			t.Errorf("a gateway hears what is sent to a device that is not logged in: %x", codes)
		}
	}
	before := u.Log.Tail()
	for _, topic := range []string{"/sys/" + foreign.ProductKey + "/" + theirs.Name + "/thing/event/property/post", "/sys/nothing/000000000000/thing/event/property/post"} {
		if err := u.c.Publish(t.Context(), topic, brightness, 1); err == nil {
			t.Errorf("a gateway may publish on %s", topic)
		}
		u.connect(t)
	}
	if got := u.kept(t, theirs, before); len(got) != 0 {
		t.Errorf("the Log has %+v of a device of another organisation", got)
	}
}

// TestLateChild has a gateway come back and send what its last connection left unacknowledged, before it logs its sub-devices in, as MQTT
// clients do by themselves: it is told that they have no session, and stays, or it would be thrown out again and again.
func TestLateChild(t *testing.T) {
	u := newHub(t, 2)
	d := u.Lights[0]
	u.carries(t, d)
	u.c.Kill()
	u.presence(t, d, false, "its gateway is gone: ")
	u.connect(t)
	before := u.Log.Tail()
	for range 2 {
		for _, d := range u.Lights[:2] { // the second is carried by nobody: it was, perhaps
			if err := u.c.Publish(t.Context(), u.post(d), brightness, 1); err != nil {
				t.Fatalf("the gateway was thrown out: %v", err)
			}
			if r, err := alink.ParseReply(u.hears(t, "/ext/error/"+u.product.ProductKey+"/"+u.d.Name)); err != nil || r.Code != alink.CodeNoSession {
				t.Errorf("answered %+v, %v", r, err)
			}
		}
	}
	if got := u.kept(t, d, before); len(got) != 0 {
		t.Errorf("the Log has %+v of a device that has no session", got)
	}
	u.does(t, alink.CombineLogin, one(u.signed(t, u.Product, d)))
	if err := u.c.Publish(t.Context(), u.post(d), brightness, 1); err != nil {
		t.Fatal(err)
	}
	if got := u.kept(t, d, before); len(got) != 1 {
		t.Errorf("after its login the Log has %+v", got)
	}
}

// TestNoGateway lets a device that is none use the topics of gateways: it is refused, and stays.
func TestNoGateway(t *testing.T) {
	h := newHouse(t, 2, nil, gateway.Limits{})
	u := &hub{house: h, product: h.Product, d: h.Lights[0]}
	u.connect(t)
	for _, of := range []alink.Template{alink.TopoAdd, alink.TopoGet, alink.CombineLogin, alink.BatchLogin, alink.TopoDelete, alink.ListFound} {
		text := `{"id":"1","params":` + u.signed(t, h.Product, h.Lights[1]) + `}`
		if err := u.c.Publish(t.Context(), of.Topic(h.Product.ProductKey, u.d.Name, ""), []byte(text), 1); err != nil {
			t.Fatal(err)
		}
		r, err := alink.ParseReply(u.hears(t, of.Reply().Topic(h.Product.ProductKey, u.d.Name, "")))
		if err != nil || r.Code != alink.CodeBadRequest {
			t.Errorf("%s: %+v, %v", of, r, err)
		}
	}
}

// TestChildMoves has two gateways of one maker take a child from each other by its secret: it is with the newer, and the older one's
// late messages count for nothing. What the maker attached stays.
func TestChildMoves(t *testing.T) {
	u := newHub(t, 2)
	other := u.hub(t, u.product)
	d, pinned := u.Lights[0], u.Lights[1]
	u.carries(t, d)
	u.presence(t, d, true, "connected")
	other.fails(t, alink.CombineLogin, one(u.signed(t, u.Product, d)), alink.CodeNoTopology)
	if !u.Live(d.ID) {
		t.Error("a refused login ended the child's session")
	}
	other.carries(t, d)
	if got := u.hears(t, u.topicOf("thing/topo/change")); !strings.Contains(string(got), `"status":1,"subList":[`+u.fellow(u.Product, d)+`]`) {
		t.Errorf("the gateway that lost a child hears %s", got)
	}
	before := u.Log.Tail()
	if err := u.c.Publish(t.Context(), u.post(d), brightness, 1); err != nil {
		t.Fatal(err)
	}
	if got := u.kept(t, d, before); len(got) != 0 {
		t.Errorf("a late message of the older gateway counts: %+v", got)
	}
	u.presence(t, d, true, "connected")
	if got := u.does(t, alink.TopoGet, "{}"); got != "[]" {
		t.Errorf("the older gateway still carries %s", got)
	}
	if err := u.Devices.Attach(t.Context(), u.Maker, u.d.ID, pinned.ID); err != nil {
		t.Fatal(err)
	}
	if got := u.hears(t, u.topicOf("thing/topo/add/notify")); !strings.Contains(string(got), u.fellow(u.Product, pinned)) {
		t.Errorf("the gateway hears %s", got)
	}
	other.fails(t, alink.TopoAdd, u.signed(t, u.Product, pinned), alink.CodeElsewhere)
	u.fails(t, alink.TopoDelete, `[`+u.fellow(u.Product, pinned)+`]`, alink.CodeParam)
	u.does(t, alink.CombineLogin, one(u.signed(t, u.Product, pinned)))
	if err := u.Devices.Detach(t.Context(), u.Maker, u.d.ID, pinned.ID); err != nil {
		t.Fatal(err)
	}
	u.presence(t, pinned, false, "its gateway carries it no longer")
	self := u.dial(t, d) // by itself: the newest has it
	u.presence(t, d, true, "connected")
	devicetest.Eventually(t, "the gateway's session of the child to end", func() (bool, any) {
		err := other.c.Publish(t.Context(), u.post(d), brightness, 1)
		if err != nil {
			return false, err
		}
		got := u.kept(t, d, before)
		return len(got) == 0, got
	})
	if err := self.Publish(t.Context(), u.post(d), brightness, 1); err != nil {
		t.Errorf("the device itself is out: %v", err)
	}
}

func (u *hub) topicOf(tail string) string {
	return "/sys/" + u.product.ProductKey + "/" + u.d.Name + "/" + tail
}

// TestChildMeasures shuts children out: one that is logged in is logged out, told and kept out, and its gateway stays, and hears when it may
// come back.
func TestChildMeasures(t *testing.T) {
	g := newGuardedOn(t, 2, nil, gateway.Limits{})
	devicetest.Run(t, func(ctx context.Context) error { return g.Devices.Follow(ctx, g.Log) })
	u := g.hub(t, g.hubProduct(t))
	d, other := u.Lights[0], u.Lights[1]
	u.carries(t, d, other)
	if _, err := u.c.Subscribe(t.Context(), u.topic(d, "thing/#")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what string
		on   func() (off func())
	}{
		{"a measure", func() func() {
			m, err := g.enforce.Impose(t.Context(), operator, enforce.NewMeasure{Subject: enforce.Subject{Kind: enforce.KindDevice, ID: d.ID}, Kind: enforce.Suspend, Cause: "unsafe_product", Reason: "it burns"})
			if err != nil {
				t.Fatal(err)
			}
			return func() {
				if _, err := g.enforce.Lift(t.Context(), operator, m.ID, "a test"); err != nil {
					t.Fatal(err)
				}
			}
		}},
		{"its maker", func() func() {
			if err := u.Devices.SetState(t.Context(), u.Maker, d.ID, device.Disabled, "a test"); err != nil {
				t.Fatal(err)
			}
			return func() {
				if err := u.Devices.SetState(t.Context(), u.Maker, d.ID, device.Enabled, "a test"); err != nil {
					t.Fatal(err)
				}
			}
		}},
	} {
		off := tt.on()
		u.hears(t, u.topic(d, "thing/disable"))
		if got := u.hears(t, u.topicOf("thing/topo/change")); !strings.Contains(string(got), `"status":8`) {
			t.Errorf("%s: the gateway hears %s", tt.what, got)
		}
		devicetest.Eventually(t, "the child to be out", func() (bool, any) { return !u.Live(d.ID), "live" })
		u.fails(t, alink.CombineLogin, one(u.signed(t, u.Product, d)), alink.CodeShut)
		if err := u.c.Publish(t.Context(), u.post(d), brightness, 1); err != nil { // it is late, and no login
			t.Fatal(err)
		}
		if !u.Live(other.ID) || !u.Live(u.d.ID) {
			t.Errorf("%s: the gateway or another child is out, too", tt.what)
		}
		off()
		if got := u.hears(t, u.topicOf("thing/topo/change")); !strings.Contains(string(got), `"status":2`) || !strings.Contains(string(got), d.Name) {
			t.Errorf("%s is over: the gateway hears %s", tt.what, got)
		}
		u.does(t, alink.CombineLogin, one(u.signed(t, u.Product, d)))
		if _, err := u.c.Subscribe(t.Context(), u.topic(d, "thing/#")); err != nil {
			t.Fatal(err)
		}
	}
}

// TestManyChildren fills a gateway up: the limit is the registry's, each child has one session, one word of its coming and one of its going.
func TestManyChildren(t *testing.T) {
	u := newHub(t, 0)
	var all []device.Device
	for range 4 {
		all = append(all, u.Issue(t, 400)...)
	}
	const most = 1500
	before := u.Log.Tail()
	u.carries(t, all[:most]...)
	u.fails(t, alink.TopoAdd, u.signed(t, u.Product, all[most]), alink.CodeFull)
	if u.Sessions() != most+1 {
		t.Errorf("%d sessions, want %d", u.Sessions(), most+1)
	}
	page, err := u.Devices.Children(t.Context(), u.Maker, u.d.ID, listing.Ask{Limit: 200})
	if err != nil || len(page.Items) != 200 || page.Next == "" {
		t.Errorf("a page of %d children, next %q, %v", len(page.Items), page.Next, err)
	}
	u.does(t, alink.TopoDelete, `[`+u.fellow(u.Product, all[0])+`]`)
	u.does(t, alink.TopoAdd, u.signed(t, u.Product, all[most]))
	u.c.Kill()
	devicetest.Eventually(t, "all sessions to end", func() (bool, any) { return u.Sessions() == 0, u.Sessions() })
	u.presence(t, u.d, false, "") // the last word of all
	came, went := map[string]int{}, map[string]int{}
	for pos := before; ; {
		records, err := u.Log.Read(t.Context(), pos, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(records) == 0 {
			break
		}
		for _, r := range records {
			pos = r.Pos
			if r.Kind != uplink.Presence || r.Device == u.d.ID {
				continue
			}
			if p, err := device.DecodePresence(r.Body); err == nil && p.Online {
				came[r.Device]++
			} else {
				went[r.Device]++
			}
		}
	}
	for _, d := range all[:most] {
		if came[d.ID] != 1 || went[d.ID] != 1 {
			t.Fatalf("a child came %d times and went %d times", came[d.ID], went[d.ID])
		}
	}
}

// TestChildrenShareTheWindow gives many children more commands than their connection takes unacknowledged: each gets each once, in order.
func TestChildrenShareTheWindow(t *testing.T) {
	h := newHouse(t, 8, nil, gateway.Limits{Inflight: 3, Takeovers: 1000})
	u := h.hub(t, h.hubProduct(t))
	u.carries(t, h.Lights...)
	const each = 12
	for range each {
		for _, d := range h.Lights {
			u.submit(t, command.Request{Device: d.ID, Kind: command.Service, Service: "identify", Params: json.RawMessage(`{}`), Deadline: time.Minute})
		}
	}
	for _, d := range h.Lights {
		if _, err := u.c.Subscribe(t.Context(), u.topic(d, "thing/service/#")); err != nil {
			t.Fatal(err)
		}
	}
	seen, last := map[string]int{}, map[string]string{}
	for n := range each * len(h.Lights) {
		m := got(t, fmt.Sprintf("command %d", n), u.came)
		req, err := alink.ParseRequest(m.Payload)
		if err != nil {
			t.Fatal(err)
		}
		if seen[m.Topic]++; len(last[m.Topic]) > len(req.ID) || len(last[m.Topic]) == len(req.ID) && last[m.Topic] >= string(req.ID) {
			t.Errorf("%s came after %s", req.ID, last[m.Topic])
		}
		last[m.Topic] = string(req.ID)
	}
	for topic, n := range seen {
		if n != each {
			t.Errorf("%d commands came on %s, want %d", n, topic, each)
		}
	}
}

// TestPermitJoin opens a gateway for sub-devices, as a command that its answer ends; what it finds then is kept.
func TestPermitJoin(t *testing.T) {
	u := newHub(t, 1)
	c := u.orders(t, u.d, command.Request{Kind: command.PermitJoin, Params: json.RawMessage(`{"time":60,"productKey":"` + u.Product.ProductKey + `"}`), Deadline: time.Minute})
	req, err := alink.ParseRequest(u.hears(t, u.topicOf("thing/gateway/permit")))
	if err != nil || string(req.Params) != `{"time":60,"productKey":"`+u.Product.ProductKey+`"}` || string(req.Method) != "thing.gateway.permit" {
		t.Fatalf("the gateway hears %s of %s, %v", req.Params, req.Method, err)
	}
	if err := u.c.Publish(t.Context(), u.topicOf("thing/gateway/permit_reply"), alink.AppendReply(nil, req.ID, 200, "success", nil, ""), 1); err != nil {
		t.Fatal(err)
	}
	if got := u.ended(t, c); got != "succeeded" {
		t.Errorf("the command %s", got)
	}
	before := u.Log.Tail()
	u.does(t, alink.ListFound, `[`+u.fellow(u.Product, u.Lights[0])+`]`)
	if got := u.kept(t, u.d, before); len(got) != 1 || got[0].Template != alink.ListFound {
		t.Errorf("the Log has %+v", got)
	}
	u.fails(t, alink.ListFound, `[{"productKey":"x"}]`, alink.CodeParam)
	for _, r := range []command.Request{
		{Device: u.Lights[0].ID, Kind: command.PermitJoin, Params: json.RawMessage(`{"time":60}`)},
		{Device: u.d.ID, Kind: command.PermitJoin, Params: json.RawMessage(`{"time":601}`)},
		{Device: u.d.ID, Kind: command.PermitJoin, Params: json.RawMessage(`[]`)},
	} {
		if _, err := u.commands.Submit(t.Context(), u.Maker, r); err == nil {
			t.Errorf("a command %s to %s was taken", r.Params, r.Device)
		}
	}
}

// TestNoSignatureIsShown has a gateway log a sub-device in, rightly and wrongly: who looks at its traffic, or reads the Log, does not see by what
// the sub-device could be logged in elsewhere.
func TestNoSignatureIsShown(t *testing.T) {
	u := newHub(t, 2)
	d := u.Lights[0]
	seen := make(chan string, 100)
	for _, subject := range []string{device.AskedSubject, device.RefusedSubject} {
		t.Cleanup(u.Bus.Subscribe(subject+u.d.ID, func(_ string, payload []byte) { seen <- string(payload) }))
	}
	before := u.Log.Tail()
	if err := u.c.Unsubscribe(t.Context(), "/ext/session/"+u.product.ProductKey+"/"+u.d.Name+"/#", "/ext/error/"+u.product.ProductKey+"/"+u.d.Name); err != nil {
		t.Fatal(err)
	}
	u.does(t, alink.TopoAdd, u.signed(t, u.Product, d))
	right, other := one(u.signed(t, u.Product, d)), one(u.signed(t, u.Product, u.Lights[1]))
	for of, params := range map[alink.Template]string{alink.CombineLogin: right, alink.BatchLogin: `{"deviceList":[` + right + `,` + other + `]}`} {
		if err := u.c.Publish(t.Context(), of.Topic(u.product.ProductKey, u.d.Name, ""), []byte(`{"id":"7","params":`+params+`}`), 1); err != nil {
			t.Fatal(err)
		}
	}
	signs := make(map[string]bool)
	for _, text := range []string{right, other} {
		var in struct{ Sign string }
		if err := json.Unmarshal([]byte(text), &in); err != nil {
			t.Fatal(err)
		}
		signs[in.Sign] = true
	}
	shows := func(where, text string) {
		t.Helper()
		for sign := range signs {
			if strings.Contains(text, sign) {
				t.Errorf("%s shows a signature: %s", where, text)
			}
		}
	}
	for range 3 {
		text := got(t, "traffic", seen)
		if !strings.Contains(text, d.Name) {
			t.Errorf("the view shows nothing of what was asked: %s", text)
		}
		shows("the view", text)
	}
	devicetest.Eventually(t, "a refusal that nobody heard", func() (bool, any) {
		records, err := u.Log.Read(t.Context(), before, 1000)
		for _, r := range records {
			if r.Kind == uplink.Fact {
				shows("the Log", string(r.Body))
				return strings.Contains(string(r.Body), u.Lights[1].Name), string(r.Body)
			}
		}
		return false, err
	})
}
