package enforce_test

import (
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/enforce"
)

// TestOwnerFulfilsAnOrder deletes what was ordered to be deleted long before its day, at the word of the owner alone.
func TestOwnerFulfilsAnOrder(t *testing.T) {
	s := storetest.Open(t)
	c := newCourt(t, s, newShelf(t, s, 8).rooms()...)
	order := c.order(t, enforce.Subject{Kind: enforce.KindOrganisation, ID: organisation}, 9*24*time.Hour)
	warning := c.impose(t, enforce.NewMeasure{Subject: order.Subject, Kind: enforce.Warn})
	a, err := c.Appeal(t.Context(), owner, order.ID, "no", nil)
	if err != nil {
		t.Fatal(err)
	}
	fulfil := func(id, confirm, want string) {
		t.Helper()
		if _, err := c.Fulfil(t.Context(), owner, id, confirm); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	fulfil(warning.ID, organisation, "only an order to delete is fulfilled")
	fulfil(order.ID, "x", "the id of what will be deleted")
	fulfil(order.ID, organisation, "withdraw it first")
	if _, err := c.Fulfil(t.Context(), member("o", "engineer"), order.ID, organisation); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("an engineer: %v", err)
	}
	if _, err := c.Decide(t.Context(), owner, a.ID, enforce.Decision{Act: enforce.Withdraw}); err != nil {
		t.Fatal(err)
	}
	m, err := c.Fulfil(t.Context(), owner, order.ID, organisation)
	if err != nil || m.State != enforce.Ended {
		t.Fatalf("the order is %s, %v", m.State, err)
	}
	page, err := c.Deletions(t.Context(), admin, listing.Ask{})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("announced are %+v, %v", page.Items, err)
	}
	if d := c.work(t, t.Context(), page.Items[0].ID); d.State != enforce.Done {
		t.Errorf("the deletion is %s", d.State)
	}
}

// TestRefusalNamesTheDayOfAnOrder tells who is refused by when to delete, and how.
func TestRefusalNamesTheDayOfAnOrder(t *testing.T) {
	c := newCourt(t, storetest.Open(t))
	order := c.order(t, enforce.Subject{Kind: enforce.KindProduct, ID: "p"}, time.Hour)
	st, err := c.Standing(t.Context(), enforce.Chain{Product: "p"})
	if err != nil {
		t.Fatal(err)
	}
	f := fault.Of(st.Check(enforce.Publish))
	if f == nil || !strings.Contains(f.What, "order to delete (measure "+order.ID+") by "+fault.Stamp(order.Due)+",") || !strings.Contains(f.Fix, order.ID+"/fulfilment") {
		t.Errorf("the refusal is %+v", f)
	}
}

// TestLiftGrantsTheOpenAppeal lifts a measure without its appeal, and lets nobody uphold with an end.
func TestLiftGrantsTheOpenAppeal(t *testing.T) {
	c := newCourt(t, storetest.Open(t))
	m := c.impose(t, enforce.NewMeasure{Subject: enforce.Subject{Kind: enforce.KindProduct, ID: "p"}, Kind: enforce.Suspend})
	a, err := c.Appeal(t.Context(), owner, m.ID, "no", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Decide(t.Context(), judge, a.ID, enforce.Decision{Act: enforce.Uphold, Why: "x", Ends: c.now().Add(time.Hour)})
	if f := fault.Of(err); f == nil || f.Where != "/ends" {
		t.Errorf("upheld with an end: %v", err)
	}
	if _, err := c.Lift(t.Context(), admin, m.ID, "a mistake"); err != nil {
		t.Fatal(err)
	}
	if a, err = c.LoadAppeal(t.Context(), owner, a.ID); err != nil || a.State != enforce.AppealLifted || a.Decision != "a mistake" || a.DecidedBy != admin.User {
		t.Errorf("the appeal is %+v, %v", a, err)
	}
	c.tick(t)
	if last := c.told[len(c.told)-1]; last.Kind != "appeal lifted" {
		t.Errorf("told last is %+v", last)
	}
}
