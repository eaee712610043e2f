package test

import (
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// decided is what reviewers were told about their decisions.
type decided struct {
	mu   sync.Mutex
	acts map[string]string // order → act of who was told that it holds
	both []string          // orders about which two were told so
	lost int               // decisions about which somebody else was faster
}

// told notes an answer to a decision.
func (d *decided) told(order, act string, status int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case status == http.StatusConflict:
		d.lost++
	case status >= 300:
	case d.acts[order] != "":
		d.both = append(d.both, order)
	default:
		d.acts[order] = act
	}
}

// TestKillDuringApproval ends the program with SIGKILL while a maker applies for triples and two reviewers decide about the
// same orders at once. Afterwards what a reviewer was told holds, of two nobody else was told the same, each order has one
// entry about its decision, and the limit counts exactly what was issued.
func TestKillDuringApproval(t *testing.T) {
	t.Parallel()
	w := newWay(t, "en")
	w.agree(t)
	w.verify(t)
	w.certify(t)
	w.develop(t)
	w.maker.enrol(t)
	w.publish(t)
	if err := w.s.stop(); err != nil {
		t.Fatal(err)
	}
	said := &decided{acts: make(map[string]string)}
	kills := howOften()
	for range kills {
		w.restart(t)
		untilKilled(t.Context(), w.s, 4, w.applyAndDecide(said))
	}
	w.restart(t)
	quantity := w.allDecided(t, said)
	for _, order := range said.both {
		t.Errorf("two reviewers were told that their decision about order %s holds", order)
	}
	w.counted(t, map[string]int{"triples": quantity, "open_orders": 0})
	end(t, w.s)
	whole(t, w.s.dir)
	t.Logf("%d kills, %d decisions told, %d came second, %d triples", kills, len(said.acts), said.lost, quantity)
	if len(said.acts) == 0 || said.lost == 0 {
		t.Error("there was no load")
	}
}

// restart starts the program again on the data that are there.
func (w *way) restart(t *testing.T, flags ...string) {
	t.Helper()
	s, err := start(w.s.dir, "serve", flags...)
	if err != nil {
		t.Fatalf("the start after a kill: %v", err)
	}
	t.Cleanup(func() { _ = s.stop() })
	w.s = s
	for _, p := range []*person{w.admin, w.second, w.reviewer, w.certifier, w.maker} {
		p.s = s
	}
}

// applyAndDecide is one round of work: an order, and two decisions about the oldest one that waits, from two reviewers at once.
func (w *way) applyAndDecide(said *decided) func(context.Context) error {
	return func(ctx context.Context) error {
		mass := map[string]any{"quantity": 20 + rand.N(200), "purpose": "mass", "factory": map[string]string{"name": "Factory one"}}
		if _, err := w.maker.try(ctx, "POST", "/products/"+w.terminal+"/orders", mass); err != nil {
			return err
		}
		r, err := w.reviewer.try(ctx, "GET", "/orders?state=requested&limit=1", nil)
		if err != nil {
			return err
		}
		var page idPage
		if err := json.Unmarshal(r.body, &page); err != nil || len(page.Items) == 0 {
			return err
		}
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, who := range []*person{w.reviewer, w.second} {
			decision := map[string]string{"act": "approve"}
			if rand.N(3) == 0 {
				decision = map[string]string{"act": "reject", "reason": "Not this one."}
			}
			wg.Go(func() {
				r, err := who.try(ctx, "POST", "/orders/"+page.Items[0].ID+"/decision", decision)
				if errs[i] = err; err == nil {
					said.told(page.Items[0].ID, decision["act"], r.status)
				}
			})
		}
		wg.Wait()
		return errs[0]
	}
}

// allDecided has the rest approved, waits for the end of each order, and holds it against what was told.
func (w *way) allDecided(t *testing.T, said *decided) (quantity int) {
	t.Helper()
	w.s.token = w.admin.session
	for _, item := range w.s.all(t, "/api/v1/orders?product="+w.terminal).Items {
		at := "/orders/" + item.ID
		if w.reviewer.does(t, "GET", at, nil).text(t, "purpose") == "debug" {
			continue // nobody decides about those
		}
		if w.reviewer.does(t, "GET", at, nil).text(t, "state") == "requested" {
			w.reviewer.does(t, "POST", at+"/decision", map[string]string{"act": "approve"})
		}
		var state string
		eventually(t, "the end of order "+item.ID, func() (bool, any) {
			state = w.reviewer.does(t, "GET", at, nil).text(t, "state")
			return state == "issued" || state == "rejected", state
		})
		if act := said.acts[item.ID]; act == "approve" && state != "issued" || act == "reject" && state != "rejected" {
			t.Errorf("order %s is %s, and a reviewer was told that %s holds", item.ID, state, act)
		}
		want := map[string]int{"order.request": 1, "order.approve": 1, "order.issue": 1}
		if state == "rejected" {
			want = map[string]int{"order.request": 1, "order.reject": 1}
		} else {
			n, _ := w.reviewer.does(t, "GET", at, nil).at(t, "quantity").(float64)
			quantity += int(n)
		}
		if got := w.s.acts(t, item.ID); !maps.Equal(got, want) {
			t.Errorf("order %s, %s, has the entries %v, want %v", item.ID, state, got, want)
		}
	}
	return quantity
}

// counted holds what the limits of the organisation have counted against want, and against the rows they stand for.
func (w *way) counted(t *testing.T, want map[string]int) {
	t.Helper()
	items, _ := w.maker.does(t, "GET", "/organisations/"+w.organisation+"/limits", nil).at(t, "items").([]any)
	for _, item := range items {
		use := item.(map[string]any)
		if n, is := want[use["limit"].(string)]; is && use["used"] != float64(n) {
			t.Errorf("the limit %s counts %v, want %d", use["limit"], use["used"], n)
		}
	}
	items, _ = w.admin.does(t, "POST", "/organisations/"+w.organisation+"/limits/recount", nil).at(t, "items").([]any)
	for _, item := range items {
		if stock := item.(map[string]any); stock["was"] != stock["is"] {
			t.Errorf("what was counted is not what is there: %v", stock)
		}
	}
}

// acts counts the entries of the audit about an object.
func (s *server) acts(t *testing.T, object string) map[string]int {
	t.Helper()
	acts := make(map[string]int)
	for _, e := range s.all(t, "/api/v1/audit?object="+object).Items {
		acts[e.Act]++
	}
	return acts
}

// whole checks the chain of the audit in a data directory that nobody works on.
func whole(t *testing.T, dir string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, "audit", "verify", filepath.Join(dir, "data")).CombinedOutput()
	if err != nil {
		t.Errorf("the audit is not whole: %v\n%s", err, out)
	}
}
