package issuance

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/triple"
)

// A repeated download hands out the next generation for what nobody has logged in with, and no secret twice.
func TestRepeatedDownload(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	o := w.wait(t, w.request(t, 5))
	seen := make(map[string]uint32)
	var macs []triple.MAC
	take := func(generation uint32, quantity int) []triple.Triple {
		t.Helper()
		d := w.grant1(t, o.ID)
		cover, all := w.read(t, w.file(t, d))
		if d.Generation != generation || cover.Generation != generation || len(all) != quantity || cover.LeftOut != 5-quantity {
			t.Errorf("download %d of %d triples has the cover %+v and %d triples", generation, quantity, cover, len(all))
		}
		for _, x := range all {
			if g, twice := seen[x.Secret.Reveal()]; twice {
				t.Errorf("downloads %d and %d share a secret", g, generation)
			}
			seen[x.Secret.Reveal()] = generation
		}
		return all
	}
	for _, x := range take(1, 5) {
		macs = append(macs, x.MAC)
	}
	if got := w.standing(t, o, macs[0]); got != "[1] false" {
		t.Errorf("after the first download: %s", got)
	}
	if err := w.login(t, o, macs[0], 1); err != nil {
		t.Fatal(err)
	}
	take(2, 4)
	if got := w.standing(t, o, macs[0]) + w.standing(t, o, macs[1]); got != "[1] true[2 1] false" {
		t.Errorf("after the second download: %s", got)
	}
	// The first login with either decides.
	for i, g := range map[int]uint32{1: 1, 2: 2} {
		if err := w.login(t, o, macs[i], g); err != nil {
			t.Fatal(err)
		}
		if got := w.standing(t, o, macs[i]); got != fmt.Sprintf("[%d] true", g) {
			t.Errorf("after a login with %d: %s", g, got)
		}
		if err := w.login(t, o, macs[i], 3-g); text(err) != "the secret is not in force any more" {
			t.Errorf("a login with the other: %v", err)
		}
	}
	take(3, 2)
	// The older ones end after 30 days; what was logged in with stays.
	w.now = func() time.Time { return time.Now().Add(windowAfter + time.Second) }
	if got := w.standing(t, o, macs[0]) + w.standing(t, o, macs[3]); got != "[1] true[3] false" {
		t.Errorf("after 30 days: %s", got)
	}
	for i := 3; i < 5; i++ {
		if err := w.login(t, o, macs[i], 3); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Grant(t.Context(), maker, o.ID, why); !fault.Is(err, fault.Clash) {
		t.Errorf("with every triple activated: %v", err)
	}
}

// What a file holds is decided when it is granted: a device that logs in meanwhile does not change its bytes.
func TestLoginDuringADownload(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	o := w.wait(t, w.request(t, 5))
	mac := func(i int) triple.MAC {
		first, _, _ := w.macs(t, o)
		return triple.MACOf(first + uint64(i))
	}
	w.file(t, w.grant1(t, o.ID))
	if err := w.login(t, o, mac(4), 1); err != nil {
		t.Fatal(err)
	}
	d := w.grant1(t, o.ID)
	var head bytes.Buffer
	if err := w.Fetch(t.Context(), maker, d.ID, Asked{End: 2000}, to(&head)); err != nil {
		t.Fatal(err)
	}
	for i, g := range []uint32{1, 2} {
		if err := w.login(t, o, mac(i), g); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Fetch(t.Context(), maker, d.ID, Asked{From: 2000}, to(&head)); err != nil {
		t.Fatal(err)
	}
	if cover, all := w.read(t, head.Bytes()); len(all) != 4 || cover.LeftOut != 1 {
		t.Errorf("%d triples, %d left out", len(all), cover.LeftOut)
	}
}

func TestRevoke(t *testing.T) {
	w := newWorks(t)
	var told int
	w.c.Revoked = func(context.Context, *store.Tx, string) error { told++; return nil }
	w.run(t)
	o := w.wait(t, w.request(t, 3))
	first, _, _ := w.macs(t, o)
	a, b := triple.MACOf(first), triple.MACOf(first+1)
	one := w.grant1(t, o.ID)
	w.file(t, one)
	two := w.grant1(t, o.ID)
	for mac, g := range map[triple.MAC]uint32{a: 1, b: 2} {
		if err := w.login(t, o, mac, g); err != nil {
			t.Fatal(err)
		}
	}
	// By download: what it handed out, and nothing else. An open download ends.
	if err := w.RevokeDownload(t.Context(), maker, one.ID, "lost on a train"); err != nil || told != 1 {
		t.Fatal(err, told)
	}
	if got := w.standing(t, o, a) + w.standing(t, o, b); got != "[2] false[2] true" {
		t.Errorf("after download 1 was revoked: %s", got)
	}
	if err := w.Fetch(t.Context(), maker, two.ID, Asked{}, to(io.Discard)); !fault.Is(err, fault.Clash) {
		t.Errorf("an open download goes on: %v", err)
	}
	if err := w.RevokeDownload(t.Context(), maker, one.ID, "again"); !fault.Is(err, fault.Clash) {
		t.Errorf("twice: %v", err)
	}
	// What was revoked is handed out anew, what is fixed is not.
	three := w.grant1(t, o.ID)
	if _, all := w.read(t, w.file(t, three)); len(all) != 2 || all[0].MAC != a {
		t.Errorf("%d triples from %v", len(all), all)
	}
	if err := w.login(t, o, a, 3); err != nil {
		t.Fatal(err)
	}
	// By order: all of it.
	if err := w.RevokeOrder(t.Context(), maker, o.ID, "the factory was broken into"); err != nil || told != 2 {
		t.Fatal(err, told)
	}
	if got := w.standing(t, o, a) + w.standing(t, o, b); got != "[] false[] false" {
		t.Errorf("after the order was revoked: %s", got)
	}
	four := w.grant1(t, o.ID)
	if _, all := w.read(t, w.file(t, four)); len(all) != 3 || four.Generation != 4 {
		t.Errorf("%d triples of generation %d", len(all), four.Generation)
	}
	// By device.
	err := w.store.Write(t.Context(), func(tx *store.Tx) error { _, err := RevokeOne(t.Context(), tx, o.ID, b, w.now()); return err })
	if err != nil {
		t.Fatal(err)
	}
	if got := w.standing(t, o, a) + w.standing(t, o, b); got != "[4] false[] false" {
		t.Errorf("after one device was revoked: %s", got)
	}
	for _, err := range []error{
		w.RevokeOrder(t.Context(), stranger, o.ID, "x"), w.RevokeDownload(t.Context(), stranger, four.ID, "x"),
	} {
		if !fault.Is(err, fault.Missing) {
			t.Errorf("a stranger revokes: %v", err)
		}
	}
	if err := w.RevokeOrder(t.Context(), maker, o.ID, " "); text(err) != "/reason is  , want 1 to 500 characters" {
		t.Errorf("without a reason: %v", err)
	}
}

// After a restore of older data no generation is handed out again, and what was lost is named.
func TestRestoreHandsOutNothingTwice(t *testing.T) {
	w := newWorks(t)
	stop := w.run(t)
	kept := w.wait(t, w.request(t, 2))
	w.file(t, w.grant1(t, kept.ID))
	restore := w.snapshot(t, stop)

	w = worksAt(t, w.dir)
	stop = w.run(t)
	w.file(t, w.grant1(t, kept.ID))
	lost := w.wait(t, w.request(t, 2))
	stop()
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}

	w = restore()
	w.run(t)
	all, err := w.Missing(t.Context())
	want := map[string]Lost{kept.ID: {kept.ID, 2, 1}, lost.ID: {lost.ID, 1, 0}}
	if err != nil || len(all) != 2 || all[0] != want[all[0].Order] || all[1] != want[all[1].Order] {
		t.Errorf("missing: %+v, %v", all, err)
	}
	if d := w.grant1(t, kept.ID); d.Generation != 3 {
		t.Errorf("the next download has generation %d", d.Generation)
	}
	if o := w.wait(t, w.request(t, 1)); o.Generation != 3 {
		t.Errorf("the next order begins with generation %d", o.Generation)
	}
}

// A device that is revoked before anybody had a workbook is in the first one with a secret that opens.
func TestRevokedBeforeTheFirstDownload(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	o := w.wait(t, w.request(t, 2))
	first, _, _ := w.macs(t, o)
	revoked, other := triple.MACOf(first), triple.MACOf(first+1)
	err := w.store.Write(t.Context(), func(tx *store.Tx) error { _, err := RevokeOne(t.Context(), tx, o.ID, revoked, w.now()); return err })
	if err != nil {
		t.Fatal(err)
	}
	d := w.grant1(t, o.ID)
	if _, all := w.read(t, w.file(t, d)); len(all) != 2 {
		t.Fatalf("%d triples", len(all))
	}
	for _, mac := range []triple.MAC{revoked, other} {
		if err := w.login(t, o, mac, d.Generation); err != nil {
			t.Errorf("%s with generation %d of the workbook: %v", mac, d.Generation, err)
		}
	}
}
