package enforce_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/enforce"
)

func (c *court) order(t *testing.T, of enforce.Subject, due time.Duration) enforce.Measure {
	t.Helper()
	return c.impose(t, enforce.NewMeasure{Subject: of, Kind: enforce.OrderDeletion, Due: c.now().Add(due)})
}

// life is where a measure stands, and why.
func (c *court) life(t *testing.T, id string) string {
	t.Helper()
	m, err := c.Measure(t.Context(), admin, id)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(m.State) + " " + m.Closing)
}

// TestOrdersDoNotBlockEachOther lets the day of several orders pass of which the first cannot be followed up: what it is
// about is being deleted already, was deleted, or is no more.
func TestOrdersDoNotBlockEachOther(t *testing.T) {
	s := storetest.Open(t)
	c := newCourt(t, s, newShelf(t, s, 8).rooms()...)
	product := func(id string) enforce.Subject { return enforce.Subject{Kind: enforce.KindProduct, ID: id} }
	held := c.order(t, product("held"), time.Hour)
	c.impose(t, enforce.NewMeasure{Subject: product("held"), Kind: enforce.DeleteData})
	gone := c.order(t, product("gone"), time.Hour)
	c.vanished = "gone"
	all := c.order(t, enforce.Subject{Kind: enforce.KindOrganisation, ID: organisation}, time.Hour)
	last := c.order(t, product("last"), time.Hour)
	c.forward(2 * time.Hour)
	c.tick(t)
	for _, tt := range []struct{ what, id, want string }{
		{"of what is announced to be deleted", held.ID, "in_force"},
		{"of what is no more", gone.ID, "ended fulfilled: what was to be deleted is deleted"},
		{"of the organisation", all.ID, "ended the day has passed"},
		{"behind them", last.ID, "ended the day has passed"},
	} {
		if got := c.life(t, tt.id); got != tt.want {
			t.Errorf("an order %s is %s, want %s", tt.what, got, tt.want)
		}
	}
	page, err := c.Deletions(t.Context(), admin, listing.Ask{})
	if err != nil || len(page.Items) != 3 {
		t.Errorf("announced are %+v, %v", page.Items, err)
	}
}

// TestFulfilledOrderEnds deletes what an order is about before its day.
func TestFulfilledOrderEnds(t *testing.T) {
	s := storetest.Open(t)
	c := newCourt(t, s, newShelf(t, s, 8).rooms()...)
	order := c.order(t, enforce.Subject{Kind: enforce.KindOrganisation, ID: organisation}, 9*24*time.Hour)
	d := c.announced(t)
	c.forward(8 * 24 * time.Hour)
	if d = c.work(t, t.Context(), d.ID); d.State != enforce.Done {
		t.Fatalf("the deletion is %s", d.State)
	}
	c.forward(2 * 24 * time.Hour)
	c.tick(t)
	if got, want := c.life(t, order.ID), "ended fulfilled: what was to be deleted is deleted"; got != want {
		t.Errorf("the order is %s, want %s", got, want)
	}
	if n := count(t, s, "SELECT COUNT(*) FROM enforce_deletion"); n != 1 {
		t.Errorf("%d deletions were announced, want 1", n)
	}
}

// TestOneThatFailsKeepsNoneBack lets the owner of the first order be unknown at the moment.
func TestOneThatFailsKeepsNoneBack(t *testing.T) {
	c := newCourt(t, storetest.Open(t))
	first := c.order(t, enforce.Subject{Kind: enforce.KindProduct, ID: "first"}, time.Hour)
	second := c.order(t, enforce.Subject{Kind: enforce.KindProduct, ID: "second"}, time.Hour)
	c.unknown = "first"
	c.forward(2 * time.Hour)
	want := "following order " + first.ID + " up: the owner cannot be asked"
	if err := c.Tick(t.Context()); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	for id, want := range map[string]string{first.ID: "in_force", second.ID: "ended the day has passed"} {
		if got := c.life(t, id); got != want {
			t.Errorf("an order is %s, want %s", got, want)
		}
	}
}

// TestDeletedOnce announces a deletion of what is to be deleted already.
func TestDeletedOnce(t *testing.T) {
	c := newCourt(t, storetest.Open(t))
	d := c.announced(t)
	before := count(t, c.store, "SELECT COUNT(*) FROM enforce_measure")
	_, err := c.Impose(t.Context(), admin, enforce.NewMeasure{Subject: d.Subject, Kind: enforce.DeleteData, Cause: "infringement", Reason: "r"})
	if f := fault.Of(err); f == nil || f.What != "a deletion of "+d.Subject.String()+" is under way already" || fmt.Sprint(f.Open) != "[call_back]" {
		t.Errorf("the refusal is %+v", f)
	}
	if n := count(t, c.store, "SELECT COUNT(*) FROM enforce_measure"); n != before {
		t.Errorf("%d measures, want %d", n, before)
	}
}

// TestDeletionWaitsForAppeals keeps what an appeal may still save, and takes no appeal that could save nothing.
func TestDeletionWaitsForAppeals(t *testing.T) {
	s := storetest.Open(t)
	c := newCourt(t, s, newShelf(t, s, 8).rooms()...)
	d := c.announced(t)
	self := member("o", access.Owner)
	c.forward(6 * 24 * time.Hour)
	a, err := c.Appeal(t.Context(), self, d.Measure, "it does not burn", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.forward(2 * 24 * time.Hour)
	if d = c.work(t, short(t), d.ID); d.State != enforce.Announced || count(t, s, "SELECT COUNT(*) FROM lamp") != 8 {
		t.Fatalf("while an appeal is open the deletion is %s", d.State)
	}
	if _, err := c.Decide(t.Context(), judge, a.ID, enforce.Decision{Act: enforce.Uphold, Why: "it does"}); err != nil {
		t.Fatal(err)
	}
	if d = c.work(t, t.Context(), d.ID); d.State != enforce.Done {
		t.Fatalf("once it is decided the deletion is %s", d.State)
	}
	if m, err := c.Measure(t.Context(), admin, d.Measure); err != nil || !m.AppealUntil.Equal(d.Started) {
		t.Errorf("appeals are taken until %v, %v; want %v", m.AppealUntil, err, d.Started)
	}
	if _, err := c.Appeal(t.Context(), self, d.Measure, "once more", nil); !fault.Is(err, fault.Lapsed) {
		t.Errorf("an appeal against what is done: %v", err)
	}
}

// TestOrderWaitsForAppeals lets the day of an order pass while an appeal against it is open.
func TestOrderWaitsForAppeals(t *testing.T) {
	for _, tt := range []struct {
		name    string
		who     access.Actor
		d       enforce.Decision
		want    string
		deletes int // deletions that are announced
	}{
		{"upheld", judge, enforce.Decision{Act: enforce.Uphold, Why: "w"}, "ended the day has passed", 1},
		{"withdrawn", owner, enforce.Decision{Act: enforce.Withdraw}, "ended the day has passed", 1},
		{"lifted", judge, enforce.Decision{Act: enforce.LiftMeasure, Why: "w"}, "lifted appeal ", 0},
		{"given another day", judge, enforce.Decision{Act: enforce.Change, Why: "w", Ends: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}, "in_force", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := storetest.Open(t)
			c := newCourt(t, s, newShelf(t, s, 8).rooms()...)
			announced := func() int { return count(t, s, "SELECT COUNT(*) FROM enforce_deletion") }
			order := c.order(t, enforce.Subject{Kind: enforce.KindProduct, ID: "p"}, time.Hour)
			a, err := c.Appeal(t.Context(), owner, order.ID, "it does not burn", nil)
			if err != nil {
				t.Fatal(err)
			}
			c.forward(2 * time.Hour)
			c.tick(t)
			if got := c.life(t, order.ID); got != "in_force" || announced() != 0 {
				t.Fatalf("while an appeal is open the order is %s, %d deletions are announced", got, announced())
			}
			if _, err := c.Decide(t.Context(), tt.who, a.ID, tt.d); err != nil {
				t.Fatal(err)
			}
			c.tick(t)
			if got := c.life(t, order.ID); !strings.HasPrefix(got, tt.want) || announced() != tt.deletes {
				t.Errorf("decided, the order is %s, %d deletions are announced; want %s, %d", got, announced(), tt.want, tt.deletes)
			}
			c.forward(24 * time.Hour)
			c.tick(t)
			if got, lifted := c.life(t, order.ID), tt.d.Act == enforce.LiftMeasure; !lifted && got != "ended the day has passed" || lifted && announced() != 0 {
				t.Errorf("a day later the order is %s, %d deletions are announced", got, announced())
			}
		})
	}
}

// TestFulfilledOrderEndsUnderAppeal deletes what an order is about for another reason: nothing is left to decide about.
func TestFulfilledOrderEndsUnderAppeal(t *testing.T) {
	c := newCourt(t, storetest.Open(t))
	order := c.order(t, enforce.Subject{Kind: enforce.KindProduct, ID: "p"}, time.Hour)
	if _, err := c.Appeal(t.Context(), owner, order.ID, "it does not burn", nil); err != nil {
		t.Fatal(err)
	}
	c.vanished = "p"
	c.forward(2 * time.Hour)
	c.tick(t)
	if got, want := c.life(t, order.ID), "ended fulfilled: what was to be deleted is deleted"; got != want {
		t.Errorf("the order is %s, want %s", got, want)
	}
}

// TestNobodyJudgesTheirOwn lets one of the operator's people act upon an organisation that they are a member of.
func TestNobodyJudgesTheirOwn(t *testing.T) {
	s := storetest.Open(t)
	c := newCourt(t, s, newShelf(t, s, 8).rooms()...)
	d := c.announced(t)
	m := c.impose(t, enforce.NewMeasure{Subject: enforce.Subject{Kind: enforce.KindProduct, ID: "p"}, Kind: enforce.TakeDown})
	a, err := c.Appeal(t.Context(), owner, m.ID, "it does not burn", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.members = "own"
	own := operator("own")
	for _, tt := range []struct {
		what string
		do   func() error
		act  access.Act
	}{
		{"imposing", func() error {
			_, err := c.Impose(t.Context(), own, enforce.NewMeasure{Subject: m.Subject, Kind: enforce.Warn, Cause: "infringement", Reason: "r"})
			return err
		}, access.Enforce},
		{"lifting", func() error { _, err := c.Lift(t.Context(), own, m.ID, "w"); return err }, access.Enforce},
		{"calling back", func() error { _, err := c.CallBack(t.Context(), own, d.ID, "w"); return err }, access.Enforce},
		{"deciding", func() error {
			_, err := c.Decide(t.Context(), own, a.ID, enforce.Decision{Act: enforce.LiftMeasure, Why: "w"})
			return err
		}, access.DecideAppeal},
	} {
		want := string(tt.act) + " is not allowed: it needs somebody who is no member of the organisation"
		if err := tt.do(); err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", tt.what, err, want)
		}
	}
	if _, err := c.Decide(t.Context(), judge, a.ID, enforce.Decision{Act: enforce.LiftMeasure, Why: "w"}); err != nil {
		t.Errorf("somebody else decides: %v", err)
	}
}

// TestChangesAreOfWhatKeepsOutside counts the changes that whoever holds sessions must follow.
func TestChangesAreOfWhatKeepsOutside(t *testing.T) {
	c := newCourt(t, storetest.Open(t))
	changes := func() int { return count(t, c.store, "SELECT COUNT(*) FROM enforce_change") }
	of := enforce.Subject{Kind: enforce.KindProduct, ID: "p"}
	mark, err := c.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	warning := c.impose(t, enforce.NewMeasure{Subject: of, Kind: enforce.Warn})
	c.impose(t, enforce.NewMeasure{Subject: of, Kind: enforce.SuspendService, Service: "voice"})
	if changed, _, err := c.Changes(t.Context(), mark); err != nil || len(changed) != 0 || changes() != 0 {
		t.Errorf("a warning changes %v, %v, and leaves %d rows", changed, err, changes())
	}
	m := c.impose(t, enforce.NewMeasure{Subject: of, Kind: enforce.TakeDown})
	for _, id := range []string{warning.ID, m.ID} {
		if _, err := c.Lift(t.Context(), admin, id, "w"); err != nil {
			t.Fatal(err)
		}
	}
	if n := changes(); n != 2 {
		t.Errorf("a take-down, its end, and that of a warning leave %d changes, want 2", n)
	}
}

// TestStandingsOfDevices asks for many devices at once.
func TestStandingsOfDevices(t *testing.T) {
	c := newCourt(t, storetest.Open(t))
	m := c.impose(t, enforce.NewMeasure{Subject: enforce.Subject{Kind: enforce.KindDevice, ID: "d 7"}, Kind: enforce.TakeDown})
	c.impose(t, enforce.NewMeasure{Subject: enforce.Subject{Kind: enforce.KindDevice, ID: "d 8"}, Kind: enforce.TakeDown, Starts: c.now().Add(time.Hour)})
	c.impose(t, enforce.NewMeasure{Subject: enforce.Subject{Kind: enforce.KindDevice, ID: "d 1000"}, Kind: enforce.TakeDown})
	var devices []string
	for i := range 500 {
		devices = append(devices, fmt.Sprintf("d %d", i))
	}
	of, err := c.Standings(t.Context(), devices)
	if err != nil || len(of) != 1 || of["d 7"].Refusal(enforce.Connect).ID != m.ID {
		t.Errorf("the standings are %+v, %v", of, err)
	}
}

// TestStartIsWrittenOnce lets two processes see the same measure that is to start.
func TestStartIsWrittenOnce(t *testing.T) {
	s := storetest.Open(t)
	c := newCourt(t, s)
	m := c.impose(t, enforce.NewMeasure{Subject: enforce.Subject{Kind: enforce.KindProduct, ID: "p"}, Kind: enforce.TakeDown, Starts: c.now().Add(time.Minute)})
	c.forward(time.Minute)
	// The other process is faster by the time this one may write.
	ctx := store.Before(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE enforce_measure SET state = 'in_force' WHERE id = ?", m.ID)
		return err
	})
	if err := c.Tick(ctx); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s, "SELECT COUNT(*) FROM enforce_event WHERE kind = 'started'"); n != 0 {
		t.Errorf("a start that another has written is told %d times more", n)
	}
}
