// Package devicetest gives tests of the rooms above device a maker with a product and devices of it, on a real store,
// a real Log and real triples.
//
// It owns nothing and promises that all of it ends with the test.
package devicetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/bus/inproc"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/infra/uplink"
	uplinksqlite "lampworks/internal/infra/uplink/sqlite"
	"lampworks/internal/partner/issuance"
	"lampworks/internal/partner/product"
	"lampworks/internal/partner/quota"
)

// A Works is a maker's light and what it needs.
type Works struct {
	Store    *store.Store
	Keys     *keyring.Keyring
	Products *product.Service
	Devices  *device.Service
	Orders   *issuance.Service
	Bus      *inproc.Bus
	Log      uplink.Log
	Quiet    *slog.Logger

	Maker, Stranger access.Actor
	Product         product.Product // of the category light
	Lights          []device.Device
}

// New gives a works with some lights.
func New(t testing.TB, lights int) *Works {
	t.Helper()
	dir := t.TempDir()
	w := &Works{
		Store: storetest.OpenAt(t, filepath.Join(dir, "lampworks.db")), Bus: inproc.New(), Quiet: slog.New(slog.DiscardHandler),
		Maker: owner("ann", "lamps"), Stranger: owner("eve", "others"),
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	w.Keys, err = keyring.Open(t.Context(), w.Store, filepath.Join(dir, "root.key"))
	must(err)
	w.Log, err = uplinksqlite.Open(t.Context(), filepath.Join(dir, "uplink.db"), uplinksqlite.Options{Logger: w.Quiet})
	must(err)
	t.Cleanup(func() { must(w.Log.Close()); must(w.Bus.Close()) })
	w.Products = product.New(w.Store, w.Keys, w.Quiet)
	w.Devices = device.New(w.Store, w.Products, w.Keys, w.Bus, w.Quiet)
	jobs := job.New(w.Store, w.Quiet)
	w.Orders = issuance.New(issuance.Config{
		Store: w.Store, Products: w.Products, Keys: w.Keys, Jobs: jobs, Issued: w.Devices.Register, Revoked: w.Devices.Revoked, Logger: w.Quiet,
	})
	_, err = quota.New(quota.Config{Store: w.Store, Logger: w.Quiet}).Override(t.Context(), access.Actor{Kind: access.KindUser, ID: "op", User: "op", Roles: []access.Role{access.Admin}, Strong: true}, quota.NewOverride{
		Subject: quota.Organisation(w.Maker.Organisation), Limit: quota.DebugTriples, Purpose: quota.Set, Value: 10_000, Reason: "a test",
	})
	must(err)
	Run(t, jobs.Run)
	w.Product, err = w.Products.Create(t.Context(), w.Maker, product.NewProduct{Category: "light", Names: product.Names{"zh-CN": "灯", "en": "light"}})
	must(err)
	if lights > 0 {
		w.Lights = w.Issue(t, lights)
	}
	return w
}

func owner(user, organisation string) access.Actor {
	return access.Actor{Kind: access.KindUser, ID: user, User: user, Organisation: organisation, Roles: []access.Role{access.Owner}, From: "192.0.2.1"}
}

// Issue makes devices of the product, up to 500.
func (w *Works) Issue(t testing.TB, n int) []device.Device {
	t.Helper()
	return w.IssueOf(t, w.Maker, w.Product.ID, n)
}

// IssueOf makes devices of a product of who's, up to 500.
func (w *Works) IssueOf(t testing.TB, who access.Actor, product string, n int) []device.Device {
	t.Helper()
	order, err := w.Orders.Request(t.Context(), who, issuance.NewOrder{Product: product, Quantity: n, Purpose: issuance.Debug})
	if err != nil {
		t.Fatal(err)
	}
	if order, err = w.Orders.Wait(t.Context(), who, order.ID); err != nil || order.State != issuance.StateIssued {
		t.Fatalf("order %s is %s: %v", order.ID, order.State, err)
	}
	ds, err := w.Devices.List(t.Context(), who, listing.Ask{Filters: map[string]string{device.ByOrder: order.ID}, Limit: n})
	if err != nil || len(ds.Items) != n {
		t.Fatalf("%d devices of %d: %v", len(ds.Items), n, err)
	}
	return ds.Items
}

// Says puts what a device says on a topic into the Log, as the gateway does, and returns when it is stored.
func (w *Works) Says(t testing.TB, d device.Device, topic alink.Template, arg, payload string) uplink.Position {
	t.Helper()
	m := device.Message{Product: w.Product.ID, Template: topic, Arg: arg, Payload: []byte(payload)}
	body, err := m.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.Append(t, uplink.Record{At: time.Now(), Kind: uplink.Message, Device: d.ID, Subject: topic.String(), Body: body})
}

// Posts is a property post of the members given.
func (w *Works) Posts(t testing.TB, d device.Device, members string) uplink.Position {
	t.Helper()
	return w.Says(t, d, alink.PropertyPost, "", fmt.Sprintf(`{"id":"1","version":"1.0","params":{%s}}`, members))
}

// Append puts a record into the Log and returns when it is stored.
func (w *Works) Append(t testing.TB, r uplink.Record) uplink.Position {
	t.Helper()
	type stored struct {
		pos uplink.Position
		err error
	}
	done := make(chan stored, 1)
	if err := w.Log.Append(t.Context(), r, func(pos uplink.Position, err error) { done <- stored{pos, err} }); err != nil {
		t.Fatal(err)
	}
	s := <-done
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.pos
}

// Run runs work until the test ends or stop is called; it must end without an error.
func Run(t testing.TB, work func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- work(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) { // it may have been stopped before it began
			t.Errorf("what runs beside the test: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// patience bounds every wait of a test.
const patience = 10 * time.Second

// Eventually waits until ok holds; saw is what it saw when it does not.
func Eventually(t testing.TB, what string, ok func() (held bool, saw any)) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		held, saw := ok()
		if held {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s, got %v", patience, what, saw)
		}
	}
}
