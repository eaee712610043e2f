package entitlement

import (
	"testing"
	"time"

	"lampworks/internal/infra/store"
)

func TestErase(t *testing.T) {
	s := newShop(t)
	s.set(t, NewBar{Service: "certification", Kind: Paid})
	s.set(t, NewBar{Service: "remote_control", Kind: ByApplication})
	p := s.plan(t, "certification", map[string]int64{"products": 77, "members": 5})
	a := s.apply(t, owner, "certification", p.ID)
	s.apply(t, foreign, "certification", p.ID)
	s.apply(t, owner, "remote_control", "")
	if _, err := s.Decide(t.Context(), operator, a.ID, Grant, "", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Override(t.Context(), operator, NewOverride{Organisation: works, Service: "voice", Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	holds := func(organisation string) (n int64) {
		err := s.Store.Read(t.Context(), func(v *store.View) error {
			var err error
			n, err = s.Holds(t.Context(), v, "organisation", organisation)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := holds(works); n != 5 {
		t.Errorf("%d rows are held, want 5", n)
	}
	for more, turns := true, 0; more; turns++ {
		err := s.Store.Write(t.Context(), func(tx *store.Tx) error {
			var err error
			more, err = s.Erase(t.Context(), tx, "organisation", works, 1)
			return err
		})
		if err != nil || turns > 20 {
			t.Fatalf("turn %d: %v", turns, err)
		}
	}
	if a, b := holds(works), holds(chips); a != 0 || b != 1 {
		t.Errorf("%d rows are left, %d of another; want 0, 1", a, b)
	}
}
