package product

import (
	"strings"
	"testing"

	"lampworks/internal/infra/store"
	"lampworks/internal/partner/certify"
)

// A certificate is for what was tested: it ends when the product is built of something else.
func TestRedesignEndsCertificates(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(chip string) Change
		ends   bool
	}{
		{"built_on", func(chip string) Change { return Change{BuiltOn: &chip} }, true},
		{"names", func(string) Change { return Change{Names: Names{"zh-CN": "新", "en": "New"}} }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newTrade(t)
			ctx := t.Context()
			one, _ := r.chip()
			other, _ := r.chip()
			module, _ := r.offered(r.mods, NewProduct{Kind: Module, BuiltOn: one.ID})
			r.move(r.mods, module.ID, Reopen, Debug)
			if _, err := r.Set(ctx, r.mods, module.ID, tt.change(other.ID)); err != nil {
				t.Fatal(err)
			}
			r.move(r.mods, module.ID, Certify)
			_, err := r.Move(ctx, r.mods, module.ID, Publish, "")
			if got := codes(err); (got == "certificate") != tt.ends {
				t.Errorf("publishing it waits for %q (%s)", got, text(err))
			}
			if tt.ends {
				r.certifies(r.mods, module.ID)
				r.move(r.mods, module.ID, Publish)
			}
		})
	}
}

// A case that is open over a redesign is withdrawn: its result would be one of another product. What says the same as before
// is no redesign.
func TestRedesignWithdrawsTheCase(t *testing.T) {
	r := newTrade(t)
	ctx := t.Context()
	chip := r.make(r.chips, NewProduct{Kind: Chip, Protocols: []string{"mqtt", "ble_mesh"}})
	r.move(r.chips, chip.ID, Develop, Debug, Certify)
	c, err := r.OpenCase(ctx, r.chips, chip.ID, certify.Covers{Protocols: []string{"mqtt"}})
	r.must(err)
	r.move(r.chips, chip.ID, Recall)
	for _, tt := range []struct {
		protocols string
		want      certify.State
	}{
		{"ble_mesh mqtt", certify.Open},
		{"mqtt", certify.Withdrawn},
	} {
		words := strings.Fields(tt.protocols)
		_, err := r.Set(ctx, r.chips, chip.ID, Change{Protocols: &words})
		r.must(err)
		now, err := r.Certify.Case(ctx, r.chips, c.ID)
		r.must(err)
		if now.State != tt.want {
			t.Errorf("with protocols %s the case is %s, want %s", tt.protocols, now.State, tt.want)
		}
	}
}

// A product that lost what it was built on stays flagged whatever comes of what else it is built on, and nothing new is
// built on it.
func TestWhatIsGoneStaysFlagged(t *testing.T) {
	r := newTrade(t)
	ctx := t.Context()
	chip, _ := r.chip()
	module, _ := r.offered(r.mods, NewProduct{Kind: Module, BuiltOn: chip.ID})
	solution, certificate := r.offered(r.mods, NewProduct{Kind: Solution, BuiltOn: chip.ID})
	lamp := r.terminal(module.ID)
	r.move(r.maker, lamp.ID, Recall)
	_, err := r.Set(ctx, r.maker, lamp.ID, Change{Solution: &solution.ID})
	r.must(err)
	r.move(r.maker, lamp.ID, Certify)
	r.certifies(r.maker, lamp.ID)
	r.move(r.maker, lamp.ID, Publish, Produce)
	if err := r.ready(lamp.ID); err != nil {
		t.Fatal(err)
	}
	r.must(r.store.Write(ctx, func(tx *store.Tx) error {
		_, err := r.Erase(ctx, tx, "product", module.ID, 100)
		return err
	}))
	_, err = r.Certify.Revoke(ctx, carl, certificate.ID, "a fault")
	r.must(err)
	r.certifies(r.mods, solution.ID)
	if p := r.load(r.maker, lamp.ID); !p.Flagged || p.Flag != gone {
		t.Errorf("the lamp is flagged %t: %q", p.Flagged, p.Flag)
	}
	if err := r.ready(lamp.ID); !strings.Contains(text(err), gone) {
		t.Errorf("ready for mass production: %v", err)
	}
}

// What is built on a product that lost what it was built on is flagged, too.
func TestFlagsGoDownFromWhatIsGone(t *testing.T) {
	r := newTrade(t)
	chip, _ := r.chip()
	module, _ := r.offered(r.mods, NewProduct{Kind: Module, BuiltOn: chip.ID})
	lamp := r.terminal(module.ID)
	r.must(r.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := r.Erase(t.Context(), tx, "product", chip.ID, 100)
		return err
	}))
	if p, want := r.load(r.maker, lamp.ID), "what product "+module.ID+" was built on is gone"; p.Flag != want {
		t.Errorf("the lamp's flag is %q, want %q", p.Flag, want)
	}
	if _, err := r.Create(t.Context(), r.maker, NewProduct{Category: "light", Names: Names{"en": "x"}, BuiltOn: module.ID}); !strings.Contains(text(err), "is gone") {
		t.Errorf("a new lamp on it: %s", text(err))
	}
}

// ready asks whether a product may be mass-produced.
func (r *trade) ready(id string) error {
	return r.store.Read(r.t.Context(), func(v *store.View) error { return r.Ready(r.t.Context(), v, r.maker, id, true) })
}
