package verify

import (
	"fmt"
	"testing"

	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
)

// declare gives works other kinds, as its owner may.
func (o *office) declare(kinds string) error {
	return o.c.Store.Write(o.t.Context(), func(tx *store.Tx) error {
		if _, err := tx.Exec(o.t.Context(), "UPDATE organisation SET kinds = ? WHERE id = ?", kinds, works); err != nil {
			return err
		}
		return o.Reprofiled(o.t.Context(), tx, works)
	})
}

func (o *office) kinds() (kinds []account.Kind) {
	o.t.Helper()
	err := o.c.Store.Read(o.t.Context(), func(v *store.View) (err error) {
		kinds, err = o.Kinds(o.t.Context(), v, works)
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return kinds
}

// TestKindsAreThoseThatWereApproved lets an organisation say of itself what it is, until somebody has approved it.
func TestKindsAreThoseThatWereApproved(t *testing.T) {
	o := newOffice(t)
	if err := o.declare(`["module_maker"]`); err != nil || fmt.Sprint(o.kinds()) != "[module_maker]" {
		t.Errorf("before a verification: %v %v", o.kinds(), err)
	}
	o = verified(t)
	changed := 0
	o.c.Changed = func(string) { changed++ }
	if err := o.declare(`["chip_maker","terminal_maker"]`); err != nil {
		t.Fatal(err)
	}
	c := o.must(o.Load(t.Context(), judge, works))
	if c.State != Recheck || c.Ask == nil || c.Ask.Consequence != LevelDrops || !c.DueAt.Equal(o.now().Add(profileTime)) {
		t.Errorf("the case is %s, asked for %+v by %s", c.State, c.Ask, c.DueAt)
	}
	if got := fmt.Sprint(o.kinds()); got != "[terminal_maker]" || o.level() != 2 || changed == 0 {
		t.Errorf("kinds %s, level %d, told %d times", got, o.level(), changed)
	}
	if err := o.declare(`["terminal_maker"]`); err != nil {
		t.Errorf("while it is asked: %v", err)
	}
	o.do(Clear)
	o.do(Submit)
	if err, want := o.declare(`["chip_maker"]`), "the names and kinds of a verified organisation stay while a submission waits for its review"; said(err) != want {
		t.Errorf("during a review\n got %v\nwant %s", err, want)
	}
	o.approve()
	o.clock.pass(3 * 366 * day)
	if o.tick(); o.level() != 0 || fmt.Sprint(o.kinds()) != "[terminal_maker]" {
		t.Errorf("after it has expired: %v", o.kinds())
	}
}
