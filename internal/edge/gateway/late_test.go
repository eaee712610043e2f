package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"lampworks/alink"
	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/infra/uplink"
	"lampworks/internal/partner/quota"
)

// A turnstile is a Log that lets a test act while the beginning of a device's session is being noted.
type turnstile struct {
	uplink.Log
	mu      sync.Mutex
	device  string // whose beginning waits
	came    func() // is called at its beginning, once
	offline chan struct{}
}

func (g *turnstile) Append(ctx context.Context, r uplink.Record, done func(uplink.Position, error)) error {
	if p, err := device.DecodePresence(r.Body); r.Kind == uplink.Presence && err == nil {
		g.mu.Lock()
		came := g.came
		of := g.device == r.Device
		if of && p.Online {
			g.came = nil
		}
		g.mu.Unlock()
		switch {
		case of && p.Online && came != nil:
			came()
		case of && !p.Online && g.offline != nil:
			defer close(g.offline)
			g.offline = nil
		}
	}
	return g.Log.Append(ctx, r, done)
}

// at has do called when the session of a device begins the next time, before that is in the Log.
func (g *turnstile) at(d device.Device, do func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.device, g.came, g.offline = d.ID, do, make(chan struct{})
}

func newGatedHub(t *testing.T, lights int) (*hub, *turnstile) {
	t.Helper()
	g := new(turnstile)
	h := newHouse(t, lights, func(l uplink.Log) uplink.Log { g.Log = l; return g }, gateway.Limits{Takeovers: 1000})
	devicetest.Run(t, func(ctx context.Context) error { return h.Devices.Follow(ctx, h.Log) })
	return h.hub(t, h.hubProduct(t)), g
}

// TestChildThatComesAndGoes disables a sub-device in the moment in which it logs in: it is not online for ever.
func TestChildThatComesAndGoes(t *testing.T) {
	u, g := newGatedHub(t, 1)
	d := u.Lights[0]
	u.does(t, alink.TopoAdd, u.signed(t, u.Product, d))
	g.at(d, func() {
		gone := g.offline
		if err := u.Devices.SetState(t.Context(), u.Maker, d.ID, device.Disabled, ""); err != nil {
			t.Error(err)
		}
		for u.Live(d.ID) {
			time.Sleep(time.Millisecond)
		}
		select {
		case <-gone:
		case <-time.After(200 * time.Millisecond): // it is noted behind, as it should
		}
	})
	u.does(t, alink.CombineLogin, one(u.signed(t, u.Product, d)))
	if err := u.c.Publish(t.Context(), "/"+u.product.ProductKey+"/"+u.d.Name+"/user/update", []byte("1"), 1); err != nil { // behind all that
		t.Fatal(err)
	}
	records, err := u.Log.Read(t.Context(), 0, 1000)
	var last device.Presence
	for _, r := range records {
		if r.Kind == uplink.Presence && r.Device == d.ID {
			last, err = device.DecodePresence(r.Body)
		}
	}
	if err != nil || last.Online || last.Reason != "disabled" {
		t.Errorf("the Log says in the end %+v, %v", last, err)
	}
	u.presence(t, d, false, "disabled")
}

// TestChildLimits holds a sub-device to its own number of filters, and its logins to the connects of its organisation.
func TestChildLimits(t *testing.T) {
	g := newGuarded(t, 2)
	u := g.hub(t, g.hubProduct(t))
	d, other := u.Lights[0], u.Lights[1]
	g.holds(t, d, quota.DeviceFilters, 2)
	u.carries(t, d)
	codes, err := u.c.Subscribe(t.Context(), u.topic(d, "thing/service/#"), u.topic(d, "thing/event/+/post_reply"), u.topic(d, "thing/disable"))
	if want := []byte{1, 1, 0x80}; err == nil && !bytes.Equal(codes, want) || err != nil && len(codes) > 0 && !bytes.Equal(codes, want) {
		t.Errorf("SUBACK %x, %v, want %x", codes, err, want)
	}
	if g.Counts()["over_limit_device_subscriptions_total"] != 1 {
		t.Errorf("the counters say %v", g.Counts())
	}
	if n := g.Holds(quota.Device(d.ID, d.Product, d.Organisation), quota.DeviceFilters); n != 2 {
		t.Errorf("it holds %d filters", n)
	}
	u.does(t, alink.TopoAdd, u.signed(t, u.Product, other))
	cut := quota.NewOverride{Subject: quota.Organisation(u.Maker.Organisation), Limit: quota.ConnectRate, Purpose: quota.CutOff, Value: 0, Reason: "for the test"}
	if _, err := g.quota.Override(t.Context(), operator, cut); err != nil {
		t.Fatal(err)
	}
	u.fails(t, alink.CombineLogin, one(u.signed(t, u.Product, other)), alink.CodeTooMany)
	u.does(t, alink.CombineLogin, one(u.signed(t, u.Product, d))) // it is there already
	if g.Counts()["over_limit_connects_per_second_total"] != 1 {
		t.Errorf("the counters say %v", g.Counts())
	}
}

// TestLateLogin has the connection of a gateway that another took the place of go on with its logins: they take nothing from the newer one, and
// what is to go to its sub-devices waits for them.
func TestLateLogin(t *testing.T) {
	u, g := newGatedHub(t, 3)
	slow, taken, told := u.Lights[0], u.Lights[1], u.Lights[2]
	u.carries(t, told)
	if _, err := u.c.Subscribe(t.Context(), u.topic(told, "thing/service/#")); err != nil {
		t.Fatal(err)
	}
	u.does(t, alink.TopoAdd, u.signed(t, u.Product, slow, taken))
	old, both := u.c, u.signed(t, u.Product, slow, taken)
	inside, on := make(chan struct{}), make(chan struct{})
	goOn := sync.OnceFunc(func() { close(on) })
	t.Cleanup(goOn)
	g.at(slow, func() { close(inside); <-on })
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_ = old.Publish(t.Context(), alink.BatchLogin.Topic(u.product.ProductKey, u.d.Name, ""), []byte(`{"id":"1","params":{"deviceList":`+both+`}}`), 1)
	}()
	<-inside
	u.connect(t)
	c := u.orders(t, told, command.Request{Kind: command.Service, Service: "identify", Params: json.RawMessage(`{}`), Deadline: time.Minute})
	for range 30 {
		if now, err := u.commands.Load(t.Context(), u.Maker, c.ID); err != nil || now.State != command.Accepted {
			t.Fatalf("the command went to a connection that is over: %+v, %v", now.State, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	u.does(t, alink.CombineLogin, one(u.signed(t, u.Product, taken)))
	goOn()
	<-sent
	devicetest.Eventually(t, "the older connection is over", func() (bool, any) { return !u.Live(slow.ID), nil })
	before := u.Log.Tail()
	if err := u.c.Publish(t.Context(), u.post(taken), brightness, 1); err != nil {
		t.Fatal(err)
	}
	if got := u.kept(t, taken, before); len(got) != 1 || !u.Live(taken.ID) {
		t.Errorf("what a device said that the newer connection logged in is %d times in the Log, live %t", len(got), u.Live(taken.ID))
	}
	u.presence(t, taken, true, "connected")
	u.does(t, alink.CombineLogin, one(u.signed(t, u.Product, told)))
	if _, err := u.c.Subscribe(t.Context(), u.topic(told, "thing/service/#")); err != nil {
		t.Fatal(err)
	}
	u.hears(t, u.topic(told, "thing/service/identify"))
}
