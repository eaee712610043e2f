package test

import (
	"context"
	"net/http"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"lampworks/internal/infra/store/pgtest"
)

// A caller gives commands as fast as they are accepted, and goes on when they are not.
type caller struct {
	mu       sync.Mutex
	accepted []string
	refused  int
}

func (c *caller) run(ctx context.Context, t *testing.T, s *server, device string) {
	for n := 0; ctx.Err() == nil; n++ {
		var v commandView
		status, err := s.try("POST", "/api/v1/devices/"+device+"/commands", newCommand{
			Kind: "property_set", Params: map[string]any{"colorTemperature": 2700 + n%3000}, DeadlineMS: 2000,
		}, &v)
		c.mu.Lock()
		switch {
		case err == nil:
			c.accepted = append(c.accepted, v.ID)
		case status == http.StatusServiceUnavailable:
			c.refused++
		default:
			t.Errorf("a command is answered %d: %v", status, err)
		}
		c.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond): // a person is not faster
		}
	}
}

func (c *caller) counts() (accepted, refused int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.accepted), c.refused
}

// ordering places orders for triples of the first product, one after the other, until the database is away: then some wait,
// and some are being issued.
func ordering(t *testing.T, s *server) (done <-chan []string) {
	t.Helper()
	var products struct{ Items []struct{ ID string } }
	s.call(t, "GET", "/api/v1/products", nil, &products)
	ids := make(chan []string, 1)
	go func() {
		var all []string
		defer func() { ids <- all }()
		for range 90 { // of the 100 that may be open
			var o struct{ ID string }
			if _, err := s.try("POST", "/api/v1/products/"+products.Items[0].ID+"/orders", map[string]any{"quantity": 500, "purpose": "debug"}, &o); err != nil {
				return
			}
			all = append(all, o.ID)
		}
	}()
	return ids
}

// ordersIssued waits until each order is issued, and its job has ended: nobody starts the program again for that.
func ordersIssued(t *testing.T, s *server, ids []string) {
	t.Helper()
	for _, id := range ids {
		eventually(t, "order "+id+" issued", func() (bool, any) {
			var o struct{ State, Job string }
			s.call(t, "GET", "/api/v1/orders/"+id, nil, &o)
			var j struct{ State string }
			s.call(t, "GET", "/api/v1/jobs/"+o.Job, nil, &j)
			return o.State == "issued" && j.State == "done", o.State + ", its job " + j.State
		})
	}
}

// TestDatabaseOutage stops PostgreSQL under load and starts it again, after 30 s in make soak. Meanwhile devices stay, what
// they post is acknowledged and kept, and acts are refused as unavailable. Afterwards the program works again by itself:
// every accepted command has ended, every order is issued, every acknowledged post is in the history.
func TestDatabaseOutage(t *testing.T) {
	outage := 3 * time.Second
	if os.Getenv("LAMPWORKS_SOAK") != "" {
		outage = 30 * time.Second
	}
	database := pgtest.Start(t)
	s := own(t, "demo", "--no-open", "--spare-devices", "1", "--database", database.Address("postgres"))
	d := s.spare(t)
	device := &forgetful{t: t, d: d, id: s.device(t, d.DeviceName).ID, executed: make(map[string]int)}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var c caller
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() { device.run(ctx, s.mqtt) })
	wg.Go(func() { c.run(ctx, t, s, device.id) })
	ready := func(want int) {
		t.Helper()
		eventually(t, "/readyz", func() (bool, any) {
			status, _ := s.try("GET", "/readyz", nil, nil)
			return status == want, status
		})
	}
	ready(http.StatusOK)
	eventually(t, "commands", func() (bool, any) { n, _ := c.counts(); return n > 10, n })
	ordered := ordering(t, s)
	eventually(t, "orders", func() (bool, any) {
		var page idPage
		s.call(t, "GET", "/api/v1/orders", nil, &page)
		return len(page.Items) > 3, len(page.Items)
	})
	database.Stop(t, syscall.SIGINT)
	over := time.After(outage)
	ready(http.StatusServiceUnavailable)
	eventually(t, "refusals", func() (bool, any) { _, n := c.counts(); return n > 5, n })
	device.mu.Lock()
	posted := len(device.acked)
	device.mu.Unlock()
	<-over
	device.mu.Lock()
	if len(device.acked) == posted {
		t.Error("no post was acknowledged while the database was away")
	}
	device.mu.Unlock()
	database.Again(t)
	before, _ := c.counts()
	ready(http.StatusOK)
	eventually(t, "commands after the outage", func() (bool, any) { n, _ := c.counts(); return n > before+10, n })
	stop()
	wg.Wait()
	commandsEnded(t, s, slices.Clone(c.accepted))
	ordersIssued(t, s, <-ordered)
	historyHolds(t, s, []*forgetful{device})
}
