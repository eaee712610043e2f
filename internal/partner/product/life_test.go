package product

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/blob/blobtest"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/lifecycle"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/certify"
	"lampworks/internal/partner/notice"
	"lampworks/internal/partner/quota"
)

var (
	carl = access.Actor{Kind: access.KindUser, ID: "carl", User: "carl", Roles: []access.Role{access.Certifier}, Strong: true}
	rita = access.Actor{Kind: access.KindUser, ID: "rita", User: "rita", Roles: []access.Role{access.Reviewer}, Strong: true}
)

// A trade is a works whose products are certified: by "chips" and "mods" for others, by "maker" for families.
type trade struct {
	*works
	t           *testing.T
	chips, mods access.Actor
	kinds       map[string][]account.Kind
	devices     int64
}

func newTrade(t *testing.T) *trade {
	t.Helper()
	r := &trade{works: newWorks(t), t: t, chips: engineer("chips"), mods: engineer("mods"), kinds: map[string][]account.Kind{
		"chips": {account.ChipMaker}, "mods": {account.ModuleMaker, account.SoftwareProvider}, "maker": {account.TerminalMaker}, "other": {account.HardwareProvider},
	}}
	r.t.Helper()
	r.works.t = time.Now() // certificates go by the clock of their own room
	notices := notice.New(notice.Config{Store: r.store})
	blobs := blobtest.Open(t)
	r.With(Parts{
		Certify: certify.New(certify.Config{Store: r.store, Blobs: blobs, Notices: notices, Changed: r.Certified}), Blobs: blobs, Notices: notices,
		Kinds:   func(_ context.Context, _ store.Querier, o string) ([]account.Kind, error) { return r.kinds[o], nil },
		Devices: func(context.Context, store.Querier, string) (int64, error) { return r.devices, nil },
	})
	return r
}

func (r *trade) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *trade) make(who access.Actor, n NewProduct) Product {
	r.t.Helper()
	if n.Names == nil {
		n.Names = Names{"zh-CN": "东西", "en": "thing"}
	}
	p, err := r.Create(r.t.Context(), who, n)
	r.must(err)
	return p
}

func (r *trade) move(who access.Actor, id string, acts ...Act) Product {
	r.t.Helper()
	var p Product
	for _, act := range acts {
		var err error
		p, err = r.Move(r.t.Context(), who, id, act, "")
		r.must(err)
	}
	return p
}

// certified opens the case of a product and passes it.
func (r *trade) certifies(who access.Actor, id string) certify.Certificate {
	r.t.Helper()
	ctx := r.t.Context()
	p, words := r.load(who, id), []string(nil)
	r.must(r.store.Read(ctx, func(v *store.View) (err error) {
		words, err = speaks(ctx, v, &p)
		return err
	}))
	if len(words) == 0 {
		words = []string{"mqtt"}
	}
	c, err := r.OpenCase(ctx, who, id, certify.Covers{Protocols: words})
	r.must(err)
	_, err = r.Certify.Assign(ctx, carl, c.ID, "")
	r.must(err)
	_, err = r.Certify.AddEvidence(ctx, carl, c.ID, strings.NewReader("%PDF-1.7"))
	r.must(err)
	_, err = r.Certify.Record(ctx, carl, c.ID, certify.Result{Passed: true, Report: "R", ValidFrom: time.Now().Add(-time.Hour), ValidUntil: time.Now().Add(99 * time.Hour)})
	r.must(err)
	page, err := r.Certify.Certificates(ctx, carl, listing.Ask{Filters: map[string]string{"product": id}})
	r.must(err)
	return page.Items[0]
}

func icon(t *testing.T, width, height int) io.Reader {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return &b
}

// offered is a product that others can build on, with its certificate.
func (r *trade) offered(who access.Actor, n NewProduct) (Product, certify.Certificate) {
	r.t.Helper()
	p := r.make(who, n)
	r.move(who, p.ID, Develop, Debug, Certify)
	c := r.certifies(who, p.ID)
	_, err := r.SetIcon(r.t.Context(), who, p.ID, icon(r.t, 128, 128))
	r.must(err)
	return r.move(who, p.ID, Publish), c
}

func (r *trade) chip() (Product, certify.Certificate) {
	return r.offered(r.chips, NewProduct{Kind: Chip, Protocols: []string{"mqtt", "ble_mesh"}})
}

func (r *trade) module() (Product, certify.Certificate) {
	chip, _ := r.chip()
	return r.offered(r.mods, NewProduct{Kind: Module, BuiltOn: chip.ID})
}

// paper adds a paper of a kind to a product.
func (r *trade) paper(who access.Actor, id, kind string) Paper {
	r.t.Helper()
	d, err := r.AddPaper(r.t.Context(), who, id, NewPaper{Kind: kind, Number: "N-" + kind, Issuer: "CNCA", ValidFrom: fault.StampDate(r.now().Add(-time.Hour)), ValidUntil: fault.StampDate(r.now().Add(100 * day))}, strings.NewReader("%PDF-1.7"))
	r.must(err)
	return d
}

// used is what a subject has taken of a limit.
func (r *trade) used(of quota.Subject, l quota.Limit) (n int64) {
	r.t.Helper()
	r.must(r.store.Read(r.t.Context(), func(v *store.View) error {
		return v.QueryRow(r.t.Context(), "SELECT COALESCE(SUM(used), 0) FROM quota_used WHERE subject = ? AND name = ?", of.ID, l.String()).Scan(&n)
	}))
	return n
}

// kept is what the files of an organisation have of bytes, by their rows.
func (r *trade) kept(organisation string) (n int64) {
	r.t.Helper()
	r.must(r.store.Read(r.t.Context(), func(v *store.View) error {
		here, err := Stored(r.t.Context(), v, organisation)
		if err != nil {
			return err
		}
		evidence, err := certify.Stored(r.t.Context(), v, organisation)
		n = here + evidence
		return err
	}))
	return n
}

// terminal is a lamp on a module that waits for nothing but to be published.
func (r *trade) terminal(module string) Product {
	r.t.Helper()
	ctx := r.t.Context()
	p := r.make(r.maker, NewProduct{Category: "light", BuiltOn: module})
	r.move(r.maker, p.ID, Develop, Debug, Certify)
	r.certifies(r.maker, p.ID)
	_, err := r.SetIcon(ctx, r.maker, p.ID, icon(r.t, 256, 256))
	r.must(err)
	_, err = r.Set(ctx, r.maker, p.ID, Change{Care: &Care{WarrantyMonths: 24, Phone: "400 800 1234"}})
	r.must(err)
	r.paper(r.maker, p.ID, "ccc")
	r.paper(r.maker, p.ID, "srrc")
	return p
}

func (r *trade) load(who access.Actor, id string) Product {
	r.t.Helper()
	p, err := r.Load(r.t.Context(), who, id)
	r.must(err)
	return p
}

func codes(err error) string {
	lacks, _ := errors.AsType[Lacks](err)
	var all []string
	for _, l := range lacks {
		all = append(all, l.Code)
	}
	return strings.Join(all, " ")
}

// The whole way from a chip to a lamp in mass production.
func TestFromChipToLamp(t *testing.T) {
	r := newTrade(t)
	module, _ := r.module()
	lamp := r.terminal(module.ID)
	p := r.move(r.maker, lamp.ID, Publish, Produce)
	if p.State != MassProduction || p.Offered || p.Flagged {
		t.Errorf("the lamp ends as %+v", p)
	}
	p = r.move(r.maker, lamp.ID, Retire)
	if got := p.Open(r.maker); p.State != Retired || len(got) != 0 {
		t.Errorf("a retired lamp is %s, and open to %v", p.State, got)
	}
	for name, err := range map[string]error{
		"Rename": r.Rename(t.Context(), r.maker, p.ID, Names{"en": "x"}),
		"AddPaper": func() error {
			_, err := r.AddPaper(t.Context(), r.maker, p.ID, NewPaper{Kind: "rohs", Number: "1", Issuer: "x", ValidFrom: "2026-01-01"}, strings.NewReader("%PDF-"))
			return err
		}(),
		"Ready": r.store.Read(t.Context(), func(v *store.View) error { return r.Ready(t.Context(), v, r.maker, p.ID, false) }),
	} {
		if !fault.Is(err, fault.Clash) {
			t.Errorf("%s of a retired product: %v", name, err)
		}
	}
	if _, err := r.Model(t.Context(), p.ID); err != nil {
		t.Errorf("its devices go on with their model: %v", err)
	}
}

// What the state of a product refuses names what is open to who asked.
func TestRefusalsNameWhatIsOpen(t *testing.T) {
	r := newTrade(t)
	ctx := t.Context()
	chip, _ := r.chip()
	lamp := r.make(r.maker, NewProduct{Category: "light"})
	ready := func(who access.Actor) error {
		return r.store.Read(ctx, func(v *store.View) error { return r.Ready(ctx, v, who, lamp.ID, true) })
	}
	set := func(who access.Actor, id string, c Change) error { _, err := r.Set(ctx, who, id, c); return err }
	_, early := r.OpenCase(ctx, r.maker, lamp.ID, certify.Covers{Protocols: []string{"mqtt"}})
	r.move(r.maker, lamp.ID, Develop, Debug)
	_, waiting := r.Move(ctx, r.maker, lamp.ID, Certify, "")
	for _, tt := range []struct {
		what string
		err  error
		want string
	}{
		{"certifying a draft", early, "conflict: applying for certification is not open in state draft [develop retire]"},
		{"an act that waits", waiting, "conflict: certify waits: one thing is missing: what it is built on [redesign retire]"},
		{"mass production", ready(r.maker), "conflict: product " + lamp.ID + " is not in mass production, but in state debug [certify redesign retire]"},
		{"mass production, as others see it", ready(rita), "conflict: product " + lamp.ID + " is not in mass production, but in state debug []"},
		{"another design", set(r.chips, chip.ID, Change{Protocols: &[]string{"mqtt"}}), "conflict: changing what it is built of is not open in state published [produce reopen retire]"},
	} {
		if got := fmt.Sprint(text(tt.err), " ", fault.Of(tt.err).Open); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.what, got, tt.want)
		}
	}
}

// An act that waits names everything it waits for at once, and changes nothing.
func TestWhatActsWaitFor(t *testing.T) {
	r := newTrade(t)
	ctx := t.Context()
	lamp := r.make(r.maker, NewProduct{Category: "light", Names: Names{"en": "Lamp"}})
	r.move(r.maker, lamp.ID, Develop, Debug)
	before := r.rows(t)
	if _, err := r.Move(ctx, r.maker, lamp.ID, Certify, ""); text(err) != "conflict: certify waits: one thing is missing: what it is built on" {
		t.Errorf("certify: %s", text(err))
	}
	chip := r.make(r.chips, NewProduct{Kind: Chip})
	r.move(r.chips, chip.ID, Develop, Debug)
	if _, err := r.Move(ctx, r.chips, chip.ID, Certify, ""); codes(err) != "protocols" {
		t.Errorf("a chip without protocols waits for %q", codes(err))
	}
	module, certificate := r.module()
	_, err := r.Set(ctx, r.maker, lamp.ID, Change{BuiltOn: &module.ID})
	r.must(err)
	r.move(r.maker, lamp.ID, Certify)
	_, err = r.Certify.Revoke(ctx, carl, certificate.ID, "a fault")
	r.must(err)
	r.paper(r.maker, lamp.ID, "authorisation_logo")
	_, err = r.Move(ctx, r.maker, lamp.ID, Publish, "")
	if want := "base names icon care papers authorisations certificate"; codes(err) != want {
		t.Errorf("publish waits for\n got %q\nwant %q", codes(err), want)
	}
	if !strings.Contains(text(err), "7 things are missing: the certificate of product "+module.ID+" was revoked at ") ||
		!strings.HasSuffix(text(err), "; names in zh-CN and en; an icon; the warranty and an after-sales contact; papers in force: ccc, srrc; "+
			"a reviewer's approval of the authorisation N-authorisation_logo; product "+lamp.ID+" is not certified") {
		t.Errorf("the refusal says %s", text(err))
	}
	steps, err := r.Steps(ctx, r.maker, lamp.ID)
	r.must(err)
	var got []string
	for _, s := range steps {
		got = append(got, fmt.Sprintf("%s %t %t %d", s.Act, s.Done, s.Next, len(s.Missing)))
	}
	if want := []string{"develop true false 0", "debug true false 0", "certify true false 1", "publish false true 7", "produce false false 7"}; !slices.Equal(got, want) {
		t.Errorf("the steps are\n got %q\nwant %q", got, want)
	}
	if r.load(r.maker, lamp.ID).State != Certifying || before == "" {
		t.Error("a refusal moved the lamp")
	}
}

// Who makes what, and what it may be built on.
func TestReferences(t *testing.T) {
	r := newTrade(t)
	module, _ := r.module()
	chip := r.load(r.chips, r.load(r.mods, module.ID).BuiltOn)
	draft := r.make(r.mods, NewProduct{Kind: Module})
	own := r.make(r.maker, NewProduct{Category: "light"})
	for _, tt := range []struct {
		who  access.Actor
		n    NewProduct
		want string
	}{
		{r.maker, NewProduct{Kind: "thing"}, "invalid: /kind is thing, want one of chip, module, solution, terminal"},
		{r.maker, NewProduct{Kind: Chip}, "forbidden: making a chip is not allowed: it needs an organisation of the kind chip_maker"},
		{r.maker, NewProduct{Kind: Module}, "forbidden: making a module is not allowed: it needs an organisation of the kind module_maker"},
		{r.chips, NewProduct{Kind: Solution}, "forbidden: making a solution is not allowed: it needs an organisation of the kind software_provider or hardware_provider"},
		{r.chips, NewProduct{Category: "light"}, "forbidden: making a terminal is not allowed: it needs an organisation of the kind terminal_maker or hardware_provider"},
		{r.chips, NewProduct{Kind: Chip, BuiltOn: chip.ID}, "invalid: /built_on is " + chip.ID + ", want nothing: a chip has none"},
		{r.mods, NewProduct{Kind: Module, BuiltOn: module.ID}, "invalid: /built_on is a product of the kind module, want a product of the kind chip"},
		{r.mods, NewProduct{Kind: Module, Solution: chip.ID}, "invalid: /solution is " + chip.ID + ", want nothing: a module has none"},
		{r.chips, NewProduct{Kind: Chip, Protocols: []string{"mqtt", "MQTT"}}, "invalid: /protocols/1 is MQTT, want one of mqtt, ble_combo, sub_device, ble_mesh, ble_gatt, ble_broadcast, cloud"},
		{r.chips, NewProduct{Kind: Chip, Protocols: []string{"mqtt", "mqtt"}}, "invalid: /protocols/1 is mqtt, want each protocol once"},
		{r.maker, NewProduct{Category: "light", BuiltOn: draft.ID}, `not_found: there is no product "` + draft.ID + `"`},
		{r.maker, NewProduct{Category: "light", BuiltOn: "none"}, `not_found: there is no product "none"`},
		{r.maker, NewProduct{Category: "light", BuiltOn: own.ID}, "invalid: /built_on is a product of the kind terminal, want a product of the kind module or chip"},
		{r.maker, NewProduct{Category: "light", Solution: module.ID}, "invalid: /solution is a product of the kind module, want a product of the kind solution"},
		{r.mods, NewProduct{Kind: Solution, BuiltOn: draft.ID}, "conflict: product " + draft.ID + " is not certified"},
	} {
		if tt.n.Names == nil {
			tt.n.Names = Names{"en": "x"}
		}
		if _, err := r.Create(t.Context(), tt.who, tt.n); text(err) != tt.want {
			t.Errorf("Create(%+v)\n got %s\nwant %s", tt.n, text(err), tt.want)
		}
	}
	r.move(r.mods, module.ID, Produce, Retire)
	if _, err := r.Create(t.Context(), r.mods, NewProduct{Kind: Solution, BuiltOn: module.ID, Names: Names{"en": "x"}}); text(err) != "conflict: product "+module.ID+" is retired: nothing new is built on it" {
		t.Errorf("building on what is retired: %s", text(err))
	}
}

// What is built on a product whose certificate ends is flagged in that transaction, down to the lamp, and cleared again.
func TestFlags(t *testing.T) {
	r := newTrade(t)
	ctx := t.Context()
	chip, certificate := r.chip()
	module, _ := r.offered(r.mods, NewProduct{Kind: Module, BuiltOn: chip.ID})
	lamp := r.terminal(module.ID)
	r.move(r.maker, lamp.ID, Publish)
	_, err := r.Certify.Revoke(ctx, carl, certificate.ID, "a fault")
	r.must(err)
	for who, id := range map[string]string{"mods": module.ID, "maker": lamp.ID} {
		p := r.load(engineer(who), id)
		if !p.Flagged || !strings.HasPrefix(p.Flag, "the certificate of product "+chip.ID+" was revoked at ") || p.FlaggedAt.IsZero() {
			t.Errorf("what %s makes is flagged %t: %s", who, p.Flagged, p.Flag)
		}
	}
	if _, err := r.Move(ctx, r.maker, lamp.ID, Produce, ""); codes(err) != "base" {
		t.Errorf("mass production of a flagged lamp waits for %q", codes(err))
	}
	modules := listing.Ask{Filters: map[string]string{ByKind: "module"}}
	if page, err := r.Catalogue(ctx, r.maker, modules); err != nil || len(page.Items) != 1 || page.Items[0].Certified {
		t.Errorf("the catalogue shows a module on a revoked chip as %+v, %v", page.Items, err)
	}
	if _, err := r.Create(ctx, r.maker, NewProduct{Category: "light", Names: Names{"en": "x"}, BuiltOn: module.ID}); !strings.Contains(text(err), "was revoked at") {
		t.Errorf("a new lamp on a flagged module: %s", text(err))
	}
	r.certifies(r.chips, chip.ID)
	if page, err := r.Catalogue(ctx, r.maker, modules); err != nil || len(page.Items) != 1 || !page.Items[0].Certified {
		t.Errorf("the catalogue shows a module on a chip certified anew as %+v, %v", page.Items, err)
	}
	if p := r.load(r.maker, lamp.ID); p.Flagged || p.Flag != "" {
		t.Errorf("the lamp is still flagged: %s", p.Flag)
	}
	var kinds []string
	r.must(r.store.Read(ctx, func(v *store.View) (err error) {
		kinds, err = texts(ctx, v, "SELECT kind FROM notice_message WHERE organisation = 'maker' AND kind LIKE 'product.%' ORDER BY id")
		return err
	}))
	if want := []string{"product.flagged", "product.cleared"}; !slices.Equal(kinds, want) {
		t.Errorf("its maker was told %q, want %q", kinds, want)
	}
	r.move(r.maker, lamp.ID, Produce)
}

// The catalogue shows what can be built on, and nothing that is a draft.
func TestCatalogue(t *testing.T) {
	r := newTrade(t)
	module, certificate := r.module()
	r.make(r.chips, NewProduct{Kind: Chip})
	for kind, want := range map[string]int{"": 2, "module": 1, "chip": 1, "solution": 0} {
		page, err := r.Catalogue(t.Context(), r.maker, listing.Ask{Filters: map[string]string{ByKind: kind}})
		if err != nil || len(page.Items) != want {
			t.Errorf("of the kind %q it shows %d, %v, want %d", kind, len(page.Items), err, want)
		}
		if kind == "module" && (page.Items[0].ID != module.ID || page.Items[0].Certificate.ID != certificate.ID) {
			t.Errorf("it shows %+v", page.Items[0])
		}
	}
	if _, err := r.Load(t.Context(), r.maker, module.ID); !fault.Is(err, fault.Missing) {
		t.Errorf("what is in the catalogue is not open itself: %v", err)
	}
	if _, err := r.Move(t.Context(), r.mods, module.ID, Reopen, ""); err != nil {
		t.Errorf("reopening a module that nobody builds on: %v", err)
	}
	if page, err := r.Catalogue(t.Context(), r.maker, listing.Ask{Filters: map[string]string{ByKind: "module"}}); err != nil || len(page.Items) != 0 {
		t.Errorf("a reopened module is shown: %v, %v", page.Items, err)
	}
}

func TestPapers(t *testing.T) {
	r := newTrade(t)
	ctx := t.Context()
	lamp := r.make(r.maker, NewProduct{Category: "light"})
	good := NewPaper{Kind: "ccc", Number: "1", Issuer: "CNCA", ValidFrom: fault.StampDate(r.now()), ValidUntil: fault.StampDate(r.now().Add(40 * day))}
	for _, tt := range []struct {
		change func(*NewPaper)
		file   string
		want   string
	}{
		{func(n *NewPaper) { n.Kind = "3c" }, "%PDF-", "invalid: /kind is 3c, want one of ccc, srrc, network_access, energy_label, rohs, authorisation_name, authorisation_brand, authorisation_logo"},
		{func(n *NewPaper) { n.Number = "" }, "%PDF-", "invalid: /number is empty, want 1 to 64 letters on one line without blanks around them"},
		{func(n *NewPaper) { n.Issuer = " x" }, "%PDF-", "invalid: /issuer is  x, want 1 to 64 letters on one line without blanks around them"},
		{func(n *NewPaper) { n.ValidFrom = "" }, "%PDF-", "invalid: /valid_from is empty, want a date as 2026-01-31"},
		{func(n *NewPaper) { n.ValidFrom = "2026-01-01T00:00:00Z" }, "%PDF-", "invalid: /valid_from is 2026-01-01T00:00:00Z, want a date as 2026-01-31"},
		{func(n *NewPaper) { n.ValidUntil = "" }, "%PDF-", "invalid: /valid_until is empty, want a date as 2026-01-31"},
		{func(n *NewPaper) { n.ValidUntil = "2026-02-30" }, "%PDF-", "invalid: /valid_until is 2026-02-30, want a date as 2026-01-31"},
		{func(n *NewPaper) { n.ValidUntil = "2001-01-01" }, "%PDF-", "invalid: /valid_until is 2001-01-01, want a date not before valid_from"},
		{func(n *NewPaper) { n.ValidFrom, n.ValidUntil = "2001-01-01", "2001-01-01" }, "%PDF-", "invalid: /valid_until is 2001-01-01, want a date that is not over"},
		{func(*NewPaper) {}, "hello", "invalid: /file is of another type, want a file of the type application/pdf or image/png or image/jpeg or image/webp"},
	} {
		n := good
		tt.change(&n)
		if _, err := r.AddPaper(ctx, r.maker, lamp.ID, n, strings.NewReader(tt.file)); text(err) != tt.want {
			t.Errorf("AddPaper(%+v)\n got %s\nwant %s", n, text(err), tt.want)
		}
	}
	d, err := r.AddPaper(ctx, r.maker, lamp.ID, good, strings.NewReader("%PDF-1.7"))
	r.must(err)
	if _, err := r.Paper(ctx, r.other, d.ID); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger reads the paper: %v", err)
	}
	if from, last := fault.StampDate(d.ValidFrom), fault.StampDate(d.LastDay()); from != good.ValidFrom || last != good.ValidUntil {
		t.Errorf("the paper counts from %s to %s, want %s to %s", from, last, good.ValidFrom, good.ValidUntil)
	}
	logo := r.paper(r.maker, lamp.ID, "authorisation_logo")
	if logo.counts(r.now()) || !d.counts(r.now()) || d.counts(d.ValidUntil) || !d.counts(d.ValidUntil.Add(-time.Millisecond)) {
		t.Error("what counts is wrong")
	}
	for _, tt := range []struct {
		who     access.Actor
		approve bool
		want    string
	}{
		{r.maker, true, "forbidden: product.review is not allowed: it needs role admin or reviewer"},
		{rita, false, "invalid: /note is empty, want why it is refused"},
		{rita, true, ""},
		{rita, true, "conflict: approve is not open in state approved"},
	} {
		if _, err := r.ReviewPaper(ctx, tt.who, logo.ID, tt.approve, ""); text(err) != tt.want {
			t.Errorf("ReviewPaper by %s\n got %s\nwant %s", tt.who.ID, text(err), tt.want)
		}
	}
	r.must(r.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO member (organisation, user_id, role, created_at) VALUES ('maker', 'rita', 'query', 0)")
		return err
	}))
	if _, err := r.ReviewPaper(ctx, rita, d.ID, true, ""); text(err) != "forbidden: product.review is not allowed: it needs somebody who is no member of the organisation" {
		t.Errorf("a member reviews: %s", text(err))
	}
	r.works.pass(15 * 24 * time.Hour)
	r.must(r.Tick(ctx))
	r.must(r.Tick(ctx))
	r.works.pass(30 * 24 * time.Hour)
	r.must(r.Tick(ctx))
	var kinds []string
	r.must(r.store.Read(ctx, func(v *store.View) (err error) {
		kinds, err = texts(ctx, v, "SELECT kind FROM notice_message WHERE organisation = 'maker' AND kind LIKE 'product.paper.%' ORDER BY id")
		return err
	}))
	if want := []string{"product.paper.expiring", "product.paper.expired"}; !slices.Equal(kinds, want) {
		t.Errorf("the maker was told %q, want %q", kinds, want)
	}
	r.must(r.RemovePaper(ctx, r.maker, d.ID))
	if named, err := r.Named(ctx, []string{d.File, logo.File}); err != nil || !slices.Equal(named, []string{logo.File}) {
		t.Errorf("Named gives %q, %v", named, err)
	}
}

// A paper that a published product needs stays until another takes its place.
func TestPaperThatIsNeeded(t *testing.T) {
	r := newTrade(t)
	module, _ := r.module()
	lamp := r.terminal(module.ID)
	r.move(r.maker, lamp.ID, Publish)
	page, err := r.Papers(t.Context(), r.maker, listing.Ask{Filters: map[string]string{"product": lamp.ID}})
	r.must(err)
	d := page.Items[0] // srrc
	if err := r.RemovePaper(t.Context(), r.maker, d.ID); text(err) != "conflict: product "+lamp.ID+" is published and has no other paper of the kind srrc in force" {
		t.Errorf("removing it: %s", text(err))
	}
	r.paper(r.maker, lamp.ID, "srrc")
	r.must(r.RemovePaper(t.Context(), r.maker, d.ID))
	l, err := r.Label(t.Context(), lamp.ID)
	if err != nil || len(l.Papers) != 2 || l.Care.Phone != "400 800 1234" || l.Care.WarrantyMonths != 24 {
		t.Errorf("a family reads %+v, %v", l, err)
	}
}

func TestIconsAndCare(t *testing.T) {
	r := newTrade(t)
	ctx := t.Context()
	lamp := r.make(r.maker, NewProduct{Category: "light"})
	for _, tt := range []struct {
		in   io.Reader
		want string
	}{
		{icon(t, 127, 127), "invalid: /icon is 127 × 127 pixels, want sides of 128 to 1024 pixels"},
		{icon(t, 1025, 1025), "invalid: /icon is 1025 × 1025 pixels, want sides of 128 to 1024 pixels"},
		{icon(t, 128, 129), "invalid: /icon is 128 × 129 pixels, want a square"},
		{strings.NewReader("<svg/>"), "invalid: /icon is image/svg+xml, want a file of the type image/png or image/webp"},
		{io.MultiReader(icon(t, 128, 128), strings.NewReader(strings.Repeat("x", 512<<10))), "too_large: /icon has 524289 bytes, the most is 524288"},
	} {
		if _, err := r.SetIcon(ctx, r.maker, lamp.ID, tt.in); text(err) != tt.want {
			t.Errorf("SetIcon\n got %s\nwant %s", text(err), tt.want)
		}
	}
	first, err := r.SetIcon(ctx, r.maker, lamp.ID, icon(t, 1024, 1024))
	r.must(err)
	second, err := r.SetIcon(ctx, r.maker, lamp.ID, icon(t, 128, 128))
	r.must(err)
	if now := r.load(r.maker, lamp.ID); second.Revision != now.Revision || second.Icon != now.Icon || second.Icon == first.Icon {
		t.Errorf("SetIcon gives %+v, it is %+v", second, now)
	}
	if _, _, err := r.OpenIcon(ctx, first.Icon); text(err) != `not_found: there is no icon "`+first.Icon+`"` {
		t.Errorf("the old icon: %s", text(err))
	}
	media, content, err := r.OpenIcon(ctx, second.Icon)
	r.must(err)
	r.must(content.Close())
	if media != "image/png" {
		t.Errorf("the icon is %s", media)
	}
	for _, tt := range []struct {
		c    Care
		want string
	}{
		{Care{WarrantyMonths: 601}, "invalid: /care/warranty_months is 601, want an integer from 0 to 600"},
		{Care{Warranty: Names{"fr": "x"}}, "invalid: /care/warranty/fr is x, want 1 to 500 letters on one line in zh-CN or en"},
		{Care{Phone: "call me"}, "invalid: /care/phone is call me, want digits, blanks and dashes, at most 32"},
		{Care{Email: "a"}, "invalid: /care/email is a, want an e-mail address"},
		{Care{Website: "javascript:x"}, "invalid: /care/website is javascript:x, want an address that begins with https:// or http://"},
		{Care{Address: "a\nb"}, "invalid: /care/address is a\uFFFDb, want at most 500 letters on one line"},
	} {
		if _, err := r.Set(ctx, r.maker, lamp.ID, Change{Care: &tt.c}); text(err) != tt.want {
			t.Errorf("Set(%+v)\n got %s\nwant %s", tt.c, text(err), tt.want)
		}
	}
}

// Over devices in use a thing model breaks nothing unless its maker has seen how many they are.
func TestBreakingWhatIsOut(t *testing.T) {
	r := newTrade(t)
	ctx := t.Context()
	module, _ := r.module()
	lamp := r.terminal(module.ID)
	r.move(r.maker, lamp.ID, Publish)
	c, err := FindCategory("light")
	r.must(err)
	narrower := bytes.Replace(c.Document, []byte(`"max":"100"`), []byte(`"max":"50"`), 1)
	_, err = r.SaveDraft(ctx, r.maker, lamp.ID, NewDraft{Document: narrower})
	r.must(err)
	r.devices = 120
	if d, err := r.Draft(ctx, r.maker, lamp.ID); err != nil || d.Devices != 120 {
		t.Errorf("the draft would hit %d devices, %v", d.Devices, err)
	}
	few, enough := int64(119), int64(120)
	for _, accept := range []*int64{nil, &few} {
		if _, err := r.Publish(ctx, r.maker, lamp.ID, Publication{AcceptBreaking: accept}); text(err) != "conflict: the version breaks what 120 devices in use rely on: /properties/brightness/max: max was 100, is 50" {
			t.Errorf("Publish: %s", text(err))
		}
	}
	if v, err := r.Publish(ctx, r.maker, lamp.ID, Publication{AcceptBreaking: &enough}); err != nil || !v.Breaking || v.Number != 2 {
		t.Errorf("Publish with what was seen: %+v, %v", v, err)
	}
}

// Every path of the tables is walked; whatever they do not list is refused and changes no row.
func TestLives(t *testing.T) {
	for _, err := range []error{moves.Check(Drafted), paperMoves.Check(Submitted)} {
		if err != nil {
			t.Error(err)
		}
	}
	r := newTrade(t)
	moves.Walk(Drafted, func(path []lifecycle.Move[State, Act]) {
		p := r.make(r.chips, NewProduct{Kind: Chip, Protocols: []string{"mqtt"}})
		_, err := r.SetIcon(t.Context(), r.chips, p.ID, icon(t, 128, 128))
		r.must(err)
		for _, m := range path {
			if m.Act == Publish {
				r.certifies(r.chips, p.ID)
			}
			if p = r.move(r.chips, p.ID, m.Act); p.State != m.To {
				t.Fatalf("%s leads to %s, want %s", m.Act, p.State, m.To)
			}
		}
		before := r.rows(t)
		for _, act := range []Act{Develop, Debug, Redesign, Certify, Recall, Publish, Produce, Reopen, Retire} {
			if slices.ContainsFunc(moves, func(m lifecycle.Move[State, Act]) bool { return m.From == p.State && m.Act == act }) {
				continue
			}
			if _, err := r.Move(t.Context(), r.chips, p.ID, act, ""); !fault.Is(err, fault.Clash) {
				t.Errorf("%s in state %s: %v", act, p.State, err)
			}
		}
		if _, err := r.Move(t.Context(), query("chips"), p.ID, Retire, ""); !fault.Is(err, fault.NotAllowed) {
			t.Errorf("somebody who only looks retires it: %v", err)
		}
		if after := r.rows(t); after != before {
			t.Errorf("refusals in state %s changed rows: %s, before %s", p.State, after, before)
		}
	})
}

// What is erased leaves a number that is not given again, and nothing else; what was built on it is flagged.
func TestErase(t *testing.T) {
	for _, kind := range []string{"product", "organisation"} {
		r := newTrade(t)
		ctx := t.Context()
		module, _ := r.module()
		lamp := r.terminal(module.ID)
		r.paper(r.mods, module.ID, "rohs")
		id := map[string]string{"product": module.ID, "organisation": "mods"}[kind]
		holds := func() (n int64) {
			r.must(r.store.Read(ctx, func(v *store.View) (err error) {
				n, err = r.Holds(ctx, v, kind, id)
				return err
			}))
			return n
		}
		mods := quota.Organisation("mods")
		if got, is := r.used(mods, quota.Storage), r.kept("mods"); got != is || is <= 2*int64(len("%PDF-1.7")) {
			t.Errorf("papers, icon and evidence have %d bytes, and %d of the storage are taken", is, got)
		}
		if holds() != 2 {
			t.Errorf("of the %s it holds %d rows, want 2", kind, holds())
		}
		for more := true; more; {
			r.must(r.store.Write(ctx, func(tx *store.Tx) (err error) {
				more, err = r.Erase(ctx, tx, kind, id, 1)
				return err
			}))
		}
		for more := true; more; {
			r.must(r.store.Write(ctx, func(tx *store.Tx) (err error) {
				more, err = r.Certify.Erase(ctx, tx, kind, id, 1)
				return err
			}))
		}
		p := r.load(r.maker, lamp.ID)
		if holds() != 0 || !p.Flagged || p.BuiltOn != "" {
			t.Errorf("after the %s went it holds %d rows, and the lamp is %+v", kind, holds(), p)
		}
		if got, is := r.used(mods, quota.Storage), r.kept("mods"); got != 0 || is != 0 {
			t.Errorf("%d bytes of the storage were not given back, %d are kept", got, is)
		}
		if got := r.used(mods, quota.Products); got != 0 {
			t.Errorf("%d products were not given back", got)
		}
		next := r.make(r.maker, NewProduct{Category: "light"})
		if next.ProductID <= lamp.ProductID {
			t.Errorf("the number %s is given again", next.ProductID)
		}
		b, err := json.Marshal(p)
		if err != nil || bytes.Contains(b, []byte(module.ID)) {
			t.Errorf("the lamp still names what went: %s", b)
		}
	}
}
