package product

import (
	"context"
	"strings"
	"testing"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/certify"
	"lampworks/internal/partner/enforce"
)

// under puts a measure on a subject and gives what lifts it.
func (r *trade) under(of enforce.Subject, kind enforce.Kind) (lift func()) {
	r.t.Helper()
	measures := enforce.New(enforce.Config{
		Store: r.store, Owner: func(context.Context, enforce.Subject) (string, error) { return "maker", nil },
	})
	judge := access.Actor{Kind: access.KindUser, ID: "judge", User: "judge", Roles: []access.Role{access.Admin}, Strong: true}
	m, err := measures.Impose(r.t.Context(), judge, enforce.NewMeasure{Subject: of, Kind: kind, Cause: "unsafe_product", Reason: "it burns"})
	r.must(err)
	return func() {
		r.t.Helper()
		_, err := measures.Lift(r.t.Context(), judge, m.ID, "mended")
		r.must(err)
	}
}

// TestMeasuresKeepProducts holds acts upon a product to the table of what measures refuse, of the product and of its maker.
func TestMeasuresKeepProducts(t *testing.T) {
	r := newTrade(t)
	ctx := t.Context()
	lamp := r.make(r.maker, NewProduct{Category: "light"})
	other := r.make(r.maker, NewProduct{Category: "light"})
	draft := func() error {
		v, err := r.Version(ctx, r.maker, lamp.ID, 1)
		r.must(err)
		_, err = r.SaveDraft(ctx, r.maker, lamp.ID, NewDraft{Document: v.Document})
		return err
	}
	r.must(draft())
	publishing := map[string]func() error{
		"moving":     func() error { _, err := r.Move(ctx, r.maker, lamp.ID, Develop, ""); return err },
		"publishing": func() error { _, err := r.Publish(ctx, r.maker, lamp.ID, Publication{}); return err },
	}
	writing := map[string]func() error{
		"renaming":         func() error { return r.Rename(ctx, r.maker, lamp.ID, Names{"zh-CN": "灯", "en": "lamp"}) },
		"setting":          func() error { _, err := r.Set(ctx, r.maker, lamp.ID, Change{Care: &Care{Phone: "123"}}); return err },
		"saving a draft":   draft,
		"dropping a draft": func() error { return r.DropDraft(ctx, r.maker, lamp.ID) },
		"adding a paper": func() error {
			_, err := r.AddPaper(ctx, r.maker, lamp.ID, NewPaper{Kind: "rohs", Number: "1", Issuer: "x", ValidFrom: "2026-01-01"}, strings.NewReader("%PDF-"))
			return err
		},
	}
	for _, tt := range []struct {
		of     enforce.Subject
		kind   enforce.Kind
		writes bool
	}{
		{enforce.Subject{Kind: enforce.KindProduct, ID: lamp.ID}, enforce.Suspend, true},
		{enforce.Subject{Kind: enforce.KindOrganisation, ID: "maker"}, enforce.Suspend, true},
		{enforce.Subject{Kind: enforce.KindProduct, ID: lamp.ID}, enforce.TakeDown, false},
	} {
		lift := r.under(tt.of, tt.kind)
		for what, do := range publishing {
			if err := do(); !fault.Is(err, fault.Suspended) {
				t.Errorf("%s under %s of the %s: %v", what, tt.kind, tt.of.Kind, err)
			}
		}
		for what, do := range writing {
			if !tt.writes && what == "dropping a draft" {
				continue
			}
			if err := do(); fault.Is(err, fault.Suspended) != tt.writes {
				t.Errorf("%s under %s of the %s: %v", what, tt.kind, tt.of.Kind, err)
			}
		}
		if err := r.Rename(ctx, r.maker, other.ID, Names{"zh-CN": "灯", "en": "lamp"}); tt.of.Kind == enforce.KindProduct && err != nil {
			t.Errorf("another product under %s of the %s: %v", tt.kind, tt.of.Kind, err)
		}
		lift()
	}
	lift := r.under(enforce.Subject{Kind: enforce.KindOrganisation, ID: "maker"}, enforce.Suspend)
	if _, err := r.Create(ctx, r.maker, NewProduct{Category: "light", Names: Names{"zh-CN": "灯", "en": "lamp"}}); !fault.Is(err, fault.Suspended) {
		t.Errorf("making a product under suspension of the organisation: %v", err)
	}
	lift()
	if _, err := r.Move(ctx, r.maker, lamp.ID, Develop, ""); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestNothingIsBuiltOnWhatWasTakenDown tells another organisation that there is a measure, and its own which.
func TestNothingIsBuiltOnWhatWasTakenDown(t *testing.T) {
	r := newTrade(t)
	module, _ := r.module()
	lamp := r.make(r.maker, NewProduct{Category: "light"})
	lift := r.under(enforce.Subject{Kind: enforce.KindProduct, ID: module.ID}, enforce.TakeDown)
	build := func() error { _, err := r.Set(t.Context(), r.maker, lamp.ID, Change{BuiltOn: &module.ID}); return err }
	if got, want := text(build()), "conflict: product "+module.ID+" is under a measure of the operator: nothing new is built on it"; got != want {
		t.Errorf("building on it:\n got %s\nwant %s", got, want)
	}
	if _, err := r.OpenCase(t.Context(), r.mods, module.ID, certify.Covers{Protocols: []string{"mqtt"}}); fault.Is(err, fault.Suspended) {
		t.Errorf("a take-down keeps from certifying: %v", err)
	}
	lift()
	r.must(build())
}
