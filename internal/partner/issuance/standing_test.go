package issuance

import (
	"context"
	"io"
	"testing"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/enforce"
)

// under puts a suspension on a subject and gives what lifts it.
func (w *works) under(t *testing.T, kind, id string) (lift func()) {
	t.Helper()
	measures := enforce.New(enforce.Config{
		Store: w.store, Owner: func(context.Context, enforce.Subject) (string, error) { return maker.Organisation, nil },
	})
	m, err := measures.Impose(t.Context(), operator, enforce.NewMeasure{
		Subject: enforce.Subject{Kind: kind, ID: id}, Kind: enforce.TakeDown, Cause: "unsafe_product", Reason: "it burns",
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if _, err := measures.Lift(t.Context(), operator, m.ID, "mended"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMeasuresKeepTriples asks for every act that hands triples out under a measure against each of what they belong to: it
// is refused, and what takes triples back or ends an order is not.
func TestMeasuresKeepTriples(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	o := w.wait(t, w.request(t, 1))
	d := w.grant1(t, o.ID)
	b, err := w.open(t.Context(), maker, d.ID)
	if err != nil {
		t.Fatal(err)
	}
	waiting := func() string {
		o, err := w.Request(t.Context(), maker, w.mass(5))
		if err != nil {
			t.Fatal(err)
		}
		return o.ID
	}
	other := waiting()
	for _, tt := range []struct{ kind, id string }{{enforce.KindOrganisation, "lamps"}, {enforce.KindProduct, w.product.ID}, {enforce.KindBatch, o.ID}} {
		lift := w.under(t, tt.kind, tt.id)
		of := map[string]func() error{
			"making a download": func() error { _, err := w.Grant(t.Context(), maker, o.ID, why); return err },
			"adding a grant": func() error { // that was looked at before the measure
				return w.store.Write(t.Context(), func(tx *store.Tx) error { return w.insertGrant(t.Context(), tx, maker, &d, o.Generation) })
			},
			"taking a download": func() error { return w.Fetch(t.Context(), maker, d.ID, Asked{}, to(io.Discard)) },
			"going on with it":  func() error { _, _, err := w.leaf(t.Context(), b, 0); return err },
		}
		if tt.kind != enforce.KindBatch {
			of["ordering"] = func() error {
				_, err := w.Request(t.Context(), maker, NewOrder{Product: w.product.ID, Quantity: 1, Purpose: Debug})
				return err
			}
			of["approving"] = func() error { _, err := w.Decide(t.Context(), reviewer1, other, Approve, ""); return err }
		}
		for what, do := range of {
			if err := do(); !fault.Is(err, fault.Suspended) {
				t.Errorf("%s under a measure against the %s: %v", what, tt.kind, err)
			}
		}
		lift()
	}
	lift := w.under(t, enforce.KindProduct, w.product.ID)
	if _, err := w.Decide(t.Context(), reviewer1, other, Reject, "not now"); err != nil {
		t.Errorf("rejecting under a measure: %v", err)
	}
	if err := w.RevokeOrder(t.Context(), maker, o.ID, "to be sure"); err != nil {
		t.Errorf("revoking under a measure: %v", err)
	}
	lift()
}

// TestRoleIsLostBeforeTheFile takes the role away between the grant and the file, and while the file is written.
func TestRoleIsLostBeforeTheFile(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	role := access.Factory
	w.c.Role = func(_ context.Context, _ store.Querier, organisation, user string) (access.Role, error) {
		if organisation != "lamps" || user != "ann" {
			t.Errorf("asked for the role of %s in %s", user, organisation)
		}
		return role, nil
	}
	o := w.wait(t, w.request(t, 1))
	d := w.grant1(t, o.ID)
	b, err := w.open(t.Context(), maker, d.ID)
	if err != nil {
		t.Fatal(err)
	}
	aged := maker
	aged.Proved = w.now().Add(-2 * access.Fresh)
	if _, err := w.open(t.Context(), aged, d.ID); err != nil {
		t.Errorf("with a factor shown for the grant: %v", err)
	}
	for _, role = range []access.Role{access.Engineer, ""} {
		const want = "triple.download is not allowed: it needs role owner or factory"
		if err := w.Fetch(t.Context(), maker, d.ID, Asked{}, to(io.Discard)); text(err) != want {
			t.Errorf("as %q a file is answered\n got %v\nwant %s", role, err, want)
		}
		if _, _, err := w.leaf(t.Context(), b, 0); text(err) != want {
			t.Errorf("as %q its next rows are answered\n got %v\nwant %s", role, err, want)
		}
	}
}

// TestRevokingNothing is refused, and tells nobody.
func TestRevokingNothing(t *testing.T) {
	w := newWorks(t)
	told := 0
	w.c.Revoked = func(context.Context, *store.Tx, string) error { told++; return nil }
	w.run(t)
	o := w.wait(t, w.request(t, 1))
	const want = "nothing that was handed out of this order is in force: there is nothing to revoke"
	for range 2 { // what a download hands out is in force again, once
		if err := w.RevokeOrder(t.Context(), maker, o.ID, "to be sure"); err != nil {
			t.Fatal(err)
		}
		before := told
		if err := w.RevokeOrder(t.Context(), maker, o.ID, "to be sure"); text(err) != want || told != before {
			t.Errorf("again it is answered %v, want %s; it was told %d times, want %d", err, want, told, before)
		}
		w.grant1(t, o.ID)
	}
	if n := w.count(t, "audit_entry WHERE act = 'order.revoke'"); n != 2 {
		t.Errorf("%d entries in the audit, want 2", n)
	}
}
