package test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/listing"
	"lampworks/internal/node"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/issuance"
	"lampworks/internal/partner/product"
	"lampworks/mqtt"
)

// deaf is a bus that loses every event.
type deaf struct{}

func (deaf) Publish(string, []byte)                        {}
func (deaf) Subscribe(string, func(string, []byte)) func() { return func() {} }

// A house is a node in this process, with one product and its devices.
type house struct {
	*node.Node
	who     access.Actor
	product product.Product
	devices []device.Device
}

func newHouse(t *testing.T, c node.Config, devices int) *house {
	t.Helper()
	c.Data = filepath.Join(t.TempDir(), "data")
	c.HTTP, c.MQTT, c.Operator = "127.0.0.1:0", "127.0.0.1:0", node.OperatorLater
	n, err := node.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	ready := make(chan struct{})
	go func() { ended <- n.Run(ctx, func() error { close(ready); return nil }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("running the node: %v", err)
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatalf("the node ended: %v", err)
	}
	h := &house{Node: n}
	h.furnish(t, devices)
	return h
}

// furnish makes an owner, a light and its triples.
func (h *house) furnish(t *testing.T, devices int) {
	t.Helper()
	ctx, system := t.Context(), access.System("test", "")
	password := account.NewPassword("correct horse battery staple")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	u, err := h.Accounts.AddUser(ctx, system, account.NewUser{Login: "owner", Password: password})
	must(err)
	_, err = h.Accounts.CreateOrganisation(ctx, system, account.NewOrganisation{
		Names: account.Names{"zh-CN": "星火照明", "en": "Spark Lighting"}, Kinds: []account.Kind{account.TerminalMaker}, Owner: u.ID,
	})
	must(err)
	session, err := h.Accounts.Login(ctx, "owner", password, "test")
	must(err)
	h.who, err = h.Accounts.Authenticate(ctx, session.Token.Reveal(), "test")
	must(err)
	h.product, err = h.Products.Create(ctx, h.who, product.NewProduct{Category: "light", Names: product.Names{"zh-CN": "灯", "en": "light"}})
	must(err)
	order, err := h.Orders.Request(ctx, h.who, issuance.NewOrder{Product: h.product.ID, Quantity: devices, Purpose: issuance.Debug})
	must(err)
	_, err = h.Orders.Wait(ctx, h.who, order.ID)
	must(err)
	page, err := h.Devices.List(ctx, h.who, listing.Ask{Filters: map[string]string{device.ByOrder: order.ID}})
	must(err)
	h.devices = page.Items
}

// triple is what the device of the house signs in with.
func (h *house) triple(t *testing.T, d device.Device) triple {
	t.Helper()
	id, err := h.Devices.Identify(t.Context(), h.product.ProductKey, d.Name)
	if err != nil {
		t.Fatal(err)
	}
	return triple{ProductKey: h.product.ProductKey, DeviceName: d.Name, DeviceSecret: id.Secret.Reveal()}
}

// obedient connects a device that answers every set with 200.
func (h *house) obedient(t *testing.T, d device.Device) *mqtt.Client {
	t.Helper()
	tr := h.triple(t, d)
	a := credentials(t, tr, plain)
	a.OnMessage = func(client *mqtt.Client, m mqtt.Message) {
		if req, err := alink.ParseRequest(m.Payload); err == nil {
			_ = client.PublishAsync(tr.topic("thing/service/property/set_reply"), alink.AppendReply(nil, req.ID, 200, "success", nil, ""), nil)
		}
	}
	client := dial(t, h.Addresses().MQTT, a)
	if _, err := client.Subscribe(within(t), tr.topic("thing/service/#")); err != nil {
		t.Fatal(err)
	}
	return client
}

func (h *house) order(t *testing.T, d device.Device, params string, deadline time.Duration) command.Command {
	t.Helper()
	cs, err := h.Commands.Submit(t.Context(), h.who, command.Request{
		Device: d.ID, Kind: command.PropertySet, Params: []byte(params), Deadline: deadline, Origin: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return cs[0]
}

// end waits for the end of a command and wants it to be state for reason.
func (h *house) end(t *testing.T, c command.Command, state command.State, reason command.Reason) {
	t.Helper()
	ended, err := h.Commands.Wait(within(t), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got := ended[0]; got.State != state || got.Reason != reason {
		t.Errorf("command %s ended as %s %q, want %s %q", c.Params, got.State, got.Reason, state, reason)
	}
}

// TestDeafBus runs a node whose bus loses every event. All that a wake-up would have brought happens all the same: what
// is due is delivered, answers are seen, deadlines end what waits, and a disabled device is sent away.
func TestDeafBus(t *testing.T) {
	t.Parallel()
	h := newHouse(t, node.Config{Bus: deaf{}}, 4)
	live, absent, mute, late := h.devices[0], h.devices[1], h.devices[2], h.devices[3]

	client := h.obedient(t, live)
	delivered := h.order(t, live, `{"brightness":40}`, 10*time.Second)
	lapsing := h.order(t, absent, `{"brightness":41}`, 2*time.Second)
	waiting := h.order(t, late, `{"brightness":42}`, time.Minute)

	tr := h.triple(t, mute)
	silent := dial(t, h.Addresses().MQTT, credentials(t, tr, plain))
	if _, err := silent.Subscribe(within(t), tr.topic("thing/service/property/set")); err != nil {
		t.Fatal(err)
	}
	unanswered := h.order(t, mute, `{"brightness":43}`, 4*time.Second)

	h.end(t, delivered, command.Succeeded, "")
	h.end(t, lapsing, command.Expired, command.Offline)
	h.end(t, unanswered, command.Failed, command.Unconfirmed)
	h.obedient(t, late)
	h.end(t, waiting, command.Succeeded, "")

	if err := h.Devices.SetState(t.Context(), h.who, live.ID, device.Disabled, "test"); err != nil {
		t.Fatal(err)
	}
	closed(t, client)
	var refused *mqtt.Refused
	if _, err := mqtt.Dial(t.Context(), h.Addresses().MQTT, credentials(t, h.triple(t, live), plain)); !errors.As(err, &refused) {
		t.Errorf("a disabled device connects: %v", err)
	}
}
