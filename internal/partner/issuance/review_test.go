package issuance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

func TestDebugOrdersAreIssuedAtOnce(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	o, err := w.Request(t.Context(), maker, NewOrder{Product: w.product.ID, Quantity: 100, Purpose: Debug})
	if err != nil || o.State != StateIssuing {
		t.Fatal(o, err)
	}
	if o = w.wait(t, o); o.State != StateIssued || o.DecidedBy != "" {
		t.Errorf("%+v", o)
	}
	_, err = w.Request(t.Context(), maker, NewOrder{Product: w.product.ID, Quantity: 1, Purpose: Debug})
	if want := "debug_triples is 101, the limit is 100 triples for each product"; text(err) != want {
		t.Errorf("one more\n got %q\nwant %q", text(err), want)
	}
}

func TestDecide(t *testing.T) {
	w := newWorks(t)
	w.exec(t, "INSERT INTO member (organisation, user_id, role, created_at) VALUES ('lamps', 'rex2', 'owner', 0)")
	member := reviewer1
	member.ID, member.User = "rex2", "rex2"
	engineer := maker
	engineer.Roles = []access.Role{access.Engineer}
	request := func() string {
		o, err := w.Request(t.Context(), maker, w.mass(5))
		if err != nil || o.State != StateRequested || o.Job != "" || w.count(t, "issuance_range WHERE batch = '"+o.ID+"'") != 0 {
			t.Fatalf("%+v, %v", o, err)
		}
		return o.ID
	}
	waiting, done := request(), request()
	if _, err := w.Decide(t.Context(), reviewer1, done, Reject, "unknown factory"); err != nil {
		t.Fatal(err)
	}
	withdrawn := request()
	if o, err := w.Cancel(t.Context(), maker, withdrawn, ""); err != nil || o.State != StateWithdrawn || o.Reason != "it was withdrawn" {
		t.Fatalf("%+v, %v", o, err)
	}
	for _, tt := range []struct {
		who    access.Actor
		order  string
		act    Act
		reason string
		want   string
	}{
		{engineer, waiting, Approve, "", "order.review is not allowed: it needs role admin or reviewer"},
		{member, waiting, Approve, "", "order.review is not allowed: it needs a reviewer who is no member of the organisation"},
		{reviewer1, waiting, Reject, "", "/reason is empty, want 1 to 500 characters"},
		{reviewer1, waiting, Cancel, "", `/act is cancel, want "approve" or "reject"`},
		{reviewer1, done, Approve, "", "approve is not open in state rejected"},
		{reviewer2, done, Approve, "", fmt.Sprintf("order %q was changed by somebody else meanwhile", done)},
		{reviewer1, withdrawn, Approve, "", "approve is not open in state withdrawn"},
		{reviewer1, "none", Approve, "", `there is no order "none"`},
		{reviewer1, waiting, Approve, "checked by telephone", ""},
	} {
		before := w.count(t, "audit_entry")
		o, err := w.Decide(t.Context(), tt.who, tt.order, tt.act, tt.reason)
		if text(err) != tt.want {
			t.Errorf("%s %s\n got %q\nwant %q", tt.who.ID, tt.act, text(err), tt.want)
		}
		if after := w.count(t, "audit_entry"); (err == nil) != (after == before+1) {
			t.Errorf("%s %s: %d entries, were %d", tt.who.ID, tt.act, after, before)
		}
		if err == nil && (o.State != StateIssuing || o.DecidedBy != "rex" || o.DecidedAt.IsZero()) {
			t.Errorf("%+v", o)
		}
	}
	if o, err := w.Load(t.Context(), maker, done); err != nil || o.State != StateRejected || o.Reason != "unknown factory" {
		t.Errorf("%+v, %v", o, err)
	}
	if want := []string{"order.rejected " + done + " unknown factory"}; !slices.Equal(w.told, want) {
		t.Errorf("told was %q, want %q", w.told, want)
	}
}

// Of two reviewers at once one decides, and the other is told.
func TestTwoReviewers(t *testing.T) {
	w := newWorks(t)
	for range 20 {
		o, err := w.Request(t.Context(), maker, w.mass(1))
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, act := range []Act{Approve, Reject} {
			wg.Go(func() {
				_, errs[i] = w.Decide(t.Context(), []access.Actor{reviewer1, reviewer2}[i], o.ID, act, "because")
			})
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) || !fault.Is(errs[0], fault.Outdated) && !fault.Is(errs[1], fault.Outdated) {
			t.Errorf("%v and %v", errs[0], errs[1])
		}
		if n := w.count(t, "audit_entry WHERE object = '"+o.ID+"' AND act <> 'order.request'"); n != 1 {
			t.Errorf("%d entries of the decision", n)
		}
	}
}

func TestLimitsByLevel(t *testing.T) {
	w := newWorks(t)
	level := 0
	w.c.Level = func(context.Context, store.Querier, string) (int, error) { return level, nil }
	may := error(nil)
	w.c.May = func(context.Context, store.Querier, access.Actor, string, string, bool) error { return may }
	for _, tt := range []struct {
		level, quantity int
		want            string
	}{
		{0, 1, "/quantity is 1, the limit is 0 triples an order at verification level 0"},
		{1, 1001, "/quantity is 1001, the limit is 1000 triples an order at verification level 1"},
		{1, 1000, ""},
		{1, 1000, ""},
		{1, 1000, ""},
		{1, 1000, ""},
		{1, 1000, ""},
		{1, 1, "triples in open orders is 5001, the limit is 5000 at verification level 1"},
		{2, 100_000, ""},
		{9, 1_000_000, ""},
	} {
		level = tt.level
		if _, err := w.Request(t.Context(), maker, w.mass(tt.quantity)); text(err) != tt.want {
			t.Errorf("level %d, %d triples\n got %q\nwant %q", tt.level, tt.quantity, text(err), tt.want)
		}
	}
	// What has changed since the application counts when it is decided.
	level = 3
	o, err := w.Request(t.Context(), maker, w.mass(2000))
	if err != nil {
		t.Fatal(err)
	}
	level = 1
	if _, err := w.Decide(t.Context(), reviewer1, o.ID, Approve, ""); !strings.HasPrefix(text(err), "/quantity is 2000, the limit is 1000") {
		t.Errorf("approved at a lower level: %v", err)
	}
	level, may = 3, fault.Conflict("product", "the product is not published")
	if _, err := w.Decide(t.Context(), reviewer1, o.ID, Approve, ""); text(err) != "the product is not published" {
		t.Errorf("approved for a product that is not published: %v", err)
	}
	if o, err := w.Load(t.Context(), maker, o.ID); err != nil || o.State != StateRequested || o.DecidedBy != "" {
		t.Errorf("a refused decision left %+v, %v", o, err)
	}
}

// The last triple of a product is given once, whatever runs at the same time, and comes back from an order that is not issued.
func TestRaceForTheLastTriple(t *testing.T) {
	w := newWorks(t)
	races := 1000
	if testing.Short() {
		races = 50
	}
	const at = 3
	for range races {
		// Each race is for the hundredth: 99 are taken.
		w.exec(t, "UPDATE quota_used SET used = 99 WHERE name = 'debug_triples'")
		if w.count(t, "quota_used WHERE name = 'debug_triples'") == 0 {
			if _, err := w.Request(t.Context(), maker, NewOrder{Product: w.product.ID, Quantity: 99, Purpose: Debug}); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		orders, errs := make([]Order, at), make([]error, at)
		for i := range at {
			wg.Go(func() {
				orders[i], errs[i] = w.Request(t.Context(), maker, NewOrder{Product: w.product.ID, Quantity: 1, Purpose: Debug})
			})
		}
		wg.Wait()
		given := 0
		for i, err := range errs {
			if err == nil {
				given++
				if _, err := w.Cancel(t.Context(), maker, orders[i].ID, ""); err != nil {
					t.Fatal(err)
				}
			} else if !fault.Is(err, fault.OverLimit) {
				t.Fatal(err)
			}
		}
		if given != 1 {
			t.Fatalf("the last triple was given %d times", given)
		}
		if got := w.text(t, "SELECT used FROM quota_used WHERE name = 'debug_triples'"); got != "99" {
			t.Fatalf("after it came back %s are used", got)
		}
	}
}
