package enforce_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/enforce"
)

// A shelf is a room of the test: two tables, lamps and what is noted of them.
type shelf struct {
	lamps []string
	calls int
	cut   func(call int) // called within each transaction that deletes
}

const (
	organisation = "0198f3c2-0000-7000-8000-00000000000a"
	stranger     = "0198f3c2-0000-7000-8000-00000000000b"
)

func newShelf(t *testing.T, s *store.Store, n int) *shelf {
	t.Helper()
	sh := &shelf{}
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		for _, statement := range []string{
			"CREATE TABLE lamp (id TEXT NOT NULL PRIMARY KEY, organisation TEXT NOT NULL)",
			"CREATE TABLE lamp_note (id TEXT NOT NULL PRIMARY KEY, lamp TEXT NOT NULL, note TEXT NOT NULL)",
		} {
			if _, err := tx.Exec(t.Context(), statement); err != nil {
				return err
			}
		}
		for i := range n {
			of := organisation
			if i%4 == 3 {
				of = stranger
			}
			id := uuid.Must(uuid.NewV7()).String()
			if of == organisation {
				sh.lamps = append(sh.lamps, id)
			}
			if _, err := tx.Exec(t.Context(), "INSERT INTO lamp (id, organisation) VALUES (?, ?)", id, of); err != nil {
				return err
			}
			if _, err := tx.Exec(t.Context(), "INSERT INTO lamp_note (id, lamp, note) VALUES (?, ?, ?)", fmt.Sprint(i), id, "on the shelf"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sh
}

// rooms are the notes and, below them, the lamps.
func (sh *shelf) rooms() []enforce.Room {
	exec := func(ctx context.Context, tx *store.Tx, query string, args ...any) (int64, error) {
		if sh.calls++; sh.cut != nil {
			sh.cut(sh.calls)
		}
		r, err := tx.Exec(ctx, query, args...)
		if err != nil {
			return 0, err
		}
		return r.RowsAffected()
	}
	notes := func(ctx context.Context, tx *store.Tx, kind, id string, _ int) (bool, error) {
		if kind == enforce.KindDevice {
			_, err := exec(ctx, tx, "DELETE FROM lamp_note WHERE lamp = ?", id)
			return false, err
		}
		n, err := exec(ctx, tx, "DELETE FROM lamp_note WHERE id IN (SELECT n.id FROM lamp_note n JOIN lamp l ON l.id = n.lamp WHERE l.organisation = ? LIMIT 5)", id)
		return n == 5, err
	}
	lamps := func(ctx context.Context, tx *store.Tx, _, id string, _ int) (bool, error) {
		n, err := exec(ctx, tx, "DELETE FROM lamp WHERE id IN (SELECT id FROM lamp WHERE organisation = ? LIMIT 5)", id)
		return n == 5, err
	}
	return []enforce.Room{
		{Name: "note", Erase: notes},
		{Name: "device", Erase: lamps, Holds: func(ctx context.Context, q store.Querier, _, id string) (n int64, err error) {
			err = q.QueryRow(ctx, "SELECT COUNT(*) FROM lamp WHERE organisation = ?", id).Scan(&n)
			return n, err
		}, Lists: func(ctx context.Context, q store.Querier, _, id, after string, limit int) ([]string, error) {
			rows, err := q.Query(ctx, "SELECT id FROM lamp WHERE organisation = ? AND id > ? ORDER BY id LIMIT ?", id, after, min(limit, 7))
			if err != nil {
				return nil, err
			}
			defer rows.Close()
			var ids []string
			for rows.Next() {
				var lamp string
				if err := rows.Scan(&lamp); err != nil {
					return nil, err
				}
				ids = append(ids, lamp)
			}
			return ids, rows.Err()
		}},
	}
}

func count(t *testing.T, s *store.Store, query string, args ...any) (n int) {
	t.Helper()
	err := s.Read(t.Context(), func(v *store.View) error { return v.QueryRow(t.Context(), query, args...).Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// announced imposes the deletion of the organisation and lets its hold pass.
func (c *court) announced(t *testing.T) enforce.Deletion {
	t.Helper()
	m := c.impose(t, enforce.NewMeasure{Subject: enforce.Subject{Kind: enforce.KindOrganisation, ID: organisation}, Kind: enforce.DeleteData})
	page, err := c.Deletions(t.Context(), admin, listing.Ask{Filters: map[string]string{"state": "announced", "organisation": "o"}})
	if err != nil || len(page.Items) != 1 || page.Items[0].Measure != m.ID {
		t.Fatalf("announced are %+v, %v", page.Items, err)
	}
	return page.Items[0]
}

// work runs jobs until the deletion is done, or ctx ends.
func (c *court) work(t *testing.T, ctx context.Context, id string) enforce.Deletion {
	t.Helper()
	due := func() {
		err := c.store.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error { // the hold has passed: the jobs have a clock of their own
			_, err := tx.Exec(context.WithoutCancel(ctx), "UPDATE job SET due_at = 0 WHERE ended_at IS NULL")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	due()
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- c.jobs.Run(running) }()
	d, err := c.Deletion(t.Context(), admin, id)
	if err == nil {
		_, _ = c.jobs.Wait(running, access.System("test", ""), d.Job)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if d, err = c.Deletion(t.Context(), admin, id); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDeletionIsProven deletes an organisation and wants nothing of it left but what the proof lists.
func TestDeletionIsProven(t *testing.T) {
	s := storetest.Open(t)
	sh := newShelf(t, s, 40)
	c := newCourt(t, s, sh.rooms()...)
	d := c.announced(t)
	c.forward(8 * 24 * time.Hour)
	if d = c.work(t, t.Context(), d.ID); d.State != enforce.Done {
		t.Fatalf("the deletion is %s, stage %d", d.State, d.Stage)
	}
	var p enforce.Proof
	if err := json.Unmarshal(d.Proof, &p); err != nil {
		t.Fatal(err)
	}
	if p.IDs != len(sh.lamps)+1 || len(p.Found) != 0 || p.Tables < 20 || p.Rows == 0 || p.Rooms[1] != (enforce.Left{Room: "device"}) {
		t.Errorf("the proof is %+v", p)
	}
	for _, r := range p.Residue {
		if !strings.HasPrefix(r.Table, "enforce_") && !strings.HasPrefix(r.Table, "audit_") || r.Why == "" {
			t.Errorf("%+v stays", r)
		}
	}
	if n := count(t, s, "SELECT COUNT(*) FROM lamp"); n != 10 {
		t.Errorf("%d lamps are left, want the 10 of others", n)
	}
	if n := count(t, s, "SELECT COUNT(*) FROM enforce_erased"); n != 0 {
		t.Errorf("%d ids are still listed", n)
	}
	if _, err := c.Lift(t.Context(), admin, d.Measure, "too late"); !fault.Is(err, fault.Clash) {
		t.Errorf("a measure is lifted whose data are gone: %v", err)
	}
}

// TestDeletionFindsWhatCameLate writes a note of a lamp that is deleted already; the proof sees it, and the next round
// deletes it by its id.
func TestDeletionFindsWhatCameLate(t *testing.T) {
	s := storetest.Open(t)
	sh := newShelf(t, s, 8)
	c := newCourt(t, s, append(sh.rooms(), enforce.Room{Name: "late", Erase: func(ctx context.Context, tx *store.Tx, kind, _ string, _ int) (bool, error) {
		if kind == enforce.KindOrganisation && sh.cut == nil {
			sh.cut = func(int) {}
			_, err := tx.Exec(ctx, "INSERT INTO lamp_note (id, lamp, note) VALUES ('late', ?, '{}')", sh.lamps[0])
			return false, err
		}
		return false, nil
	}})...)
	d := c.announced(t)
	c.forward(8 * 24 * time.Hour)
	if d = c.work(t, t.Context(), d.ID); d.State != enforce.Done || count(t, s, "SELECT COUNT(*) FROM lamp_note WHERE id = 'late'") != 0 {
		t.Errorf("the deletion is %s", d.State)
	}
}

// TestDeletionIsCalledBack ends a deletion before its hold is over, and not after.
func TestDeletionIsCalledBack(t *testing.T) {
	s := storetest.Open(t)
	sh := newShelf(t, s, 8)
	c := newCourt(t, s, sh.rooms()...)
	d := c.announced(t)
	if early := c.work(t, short(t), d.ID); early.State != enforce.Announced || count(t, s, "SELECT COUNT(*) FROM lamp") != 8 {
		t.Errorf("before the hold is over the deletion is %s", early.State)
	}
	if _, err := c.Lift(t.Context(), admin, d.Measure, "it was somebody else"); err != nil {
		t.Fatal(err)
	}
	c.forward(8 * 24 * time.Hour)
	if d = c.work(t, short(t), d.ID); d.State != enforce.CalledBack || count(t, s, "SELECT COUNT(*) FROM lamp") != 8 {
		t.Errorf("called back the deletion is %s", d.State)
	}
}

// TestDeletionWaitsAfterAJump lets a hold pass by a clock that was set: nothing begins, by its job or by a new one.
func TestDeletionWaitsAfterAJump(t *testing.T) {
	s := storetest.Open(t)
	c := newCourt(t, s, newShelf(t, s, 8).rooms()...)
	d := c.announced(t)
	c.forward(8 * 24 * time.Hour)
	c.Jump(time.Now())
	if got := c.work(t, short(t), d.ID); got.State != enforce.Announced || count(t, s, "SELECT COUNT(*) FROM lamp") != 8 {
		t.Errorf("after a jump the deletion is %s, and %d lamps are left", got.State, count(t, s, "SELECT COUNT(*) FROM lamp"))
	}
	if err := s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), "DELETE FROM job")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := c.Tick(t.Context()); err != nil || count(t, s, "SELECT COUNT(*) FROM job") != 0 {
		t.Errorf("after a jump a deletion is queued: %v", err)
	}
}

func short(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// TestLeaving ends an organisation by its own will; its owner may change their mind while it is held.
func TestLeaving(t *testing.T) {
	s := storetest.Open(t)
	c := newCourt(t, s, newShelf(t, s, 8).rooms()...)
	self := member(organisation, access.Owner)
	if _, err := c.Leave(t.Context(), member(organisation, access.Engineer), ""); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("an engineer ends the organisation: %v", err)
	}
	first, err := c.Leave(t.Context(), self, "moving on")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Leave(t.Context(), self, "again"); !fault.Is(err, fault.Clash) {
		t.Errorf("it leaves twice: %v", err)
	}
	if _, err := c.CallBack(t.Context(), member(stranger, access.Owner), first.ID, ""); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger calls it back: %v", err)
	}
	if d, err := c.CallBack(t.Context(), self, first.ID, "we stay"); err != nil || d.State != enforce.CalledBack {
		t.Errorf("called back it is %s, %v", d.State, err)
	}
	d, err := c.Leave(t.Context(), self, "moving on after all")
	if err != nil {
		t.Fatal(err)
	}
	c.forward(8 * 24 * time.Hour)
	if d = c.work(t, t.Context(), d.ID); d.State != enforce.Done {
		t.Errorf("the deletion is %s", d.State)
	}
	if got := c.refuses(t, enforce.Chain{Organisation: organisation}); !strings.Contains(got, "connect") {
		t.Errorf("afterwards it refuses %s", got)
	}
}

// TestDeletionCutOff ends the program within every step of a deletion; the next start goes on, and ends with the proof.
func TestDeletionCutOff(t *testing.T) {
	cuts := 20
	for at := 1; at <= cuts; at++ {
		s := storetest.Open(t)
		sh := newShelf(t, s, 40)
		c := newCourt(t, s, sh.rooms()...)
		d := c.announced(t)
		c.forward(8 * 24 * time.Hour)
		ctx, cut := context.WithCancel(t.Context())
		sh.cut = func(call int) {
			if call == at {
				cut()
			}
		}
		c.work(t, ctx, d.ID)
		cut()
		next := newCourt(t, s, sh.rooms()...)
		next.forward(8 * 24 * time.Hour)
		if d = next.work(t, t.Context(), d.ID); d.State != enforce.Done {
			t.Fatalf("cut off at step %d the deletion is %s", at, d.State)
		}
		if n := count(t, s, "SELECT COUNT(*) FROM enforce_event WHERE kind = 'done'"); n != 1 {
			t.Errorf("cut off at step %d it is done %d times", at, n)
		}
		if n := count(t, s, "SELECT COUNT(*) FROM lamp"); n != 10 {
			t.Errorf("cut off at step %d there are %d lamps", at, n)
		}
	}
}
