package certify

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/blob/blobtest"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/lifecycle"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/notice"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A hall is a service on a store of its own, with a clock that stands.
type hall struct {
	*Service
	t      *testing.T
	time   time.Time
	told   []string // what rests on products was told
	refuse error    // of the hook
}

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func open(t *testing.T) *hall {
	t.Helper()
	s := storetest.Open(t)
	h := &hall{t: t, time: start}
	h.Service = New(Config{
		Store: s, Blobs: blobtest.Open(t), Notices: notice.New(notice.Config{Store: s}),
		Changed: func(_ context.Context, _ *store.Tx, product string, inForce bool, why string) error {
			h.told = append(h.told, fmt.Sprintf("%s %t %s", product, inForce, why))
			return h.refuse
		},
	})
	h.now = func() time.Time { return h.time }
	return h
}

func person(name, organisation string, roles ...access.Role) access.Actor {
	return access.Actor{Kind: access.KindUser, ID: name, User: name, Login: name, Organisation: organisation, Roles: roles, Strong: true}
}

var (
	ann   = person("ann", "maker", access.Engineer)
	bob   = person("bob", "other", access.Owner)
	carl  = person("carl", "", access.Certifier)
	admin = person("ada", "", access.Admin)
)

func tester(laboratory string) access.Actor {
	who := person("lou", "", access.Laboratory)
	who.Laboratory = laboratory
	return who
}

func text(err error) string {
	if err == nil {
		return ""
	}
	if f := fault.Of(err); f != nil {
		return string(f.Code) + ": " + f.Sentence()
	}
	return err.Error()
}

func (h *hall) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *hall) open(product string) Case {
	h.t.Helper()
	var c Case
	err := h.Store.Write(h.t.Context(), func(tx *store.Tx) (err error) {
		c, err = h.OpenIn(h.t.Context(), tx, ann, Opening{Product: product, Kind: "module", Covers: Covers{Protocols: []string{"mqtt"}, Firmware: "lw 1.x"}})
		return err
	})
	h.must(err)
	return c
}

// assigned is a case that the operator's own people test, with evidence.
func (h *hall) assigned(product string) Case {
	h.t.Helper()
	c := h.open(product)
	c, err := h.Assign(h.t.Context(), carl, c.ID, "")
	h.must(err)
	_, err = h.AddEvidence(h.t.Context(), carl, c.ID, strings.NewReader("%PDF-1.7 all green"))
	h.must(err)
	return c
}

func (h *hall) pass(product string, from, until time.Time) Certificate {
	h.t.Helper()
	c := h.assigned(product)
	_, err := h.Record(h.t.Context(), carl, c.ID, Result{Passed: true, Report: "R-1", ValidFrom: from, ValidUntil: until})
	h.must(err)
	page, err := h.Certificates(h.t.Context(), carl, listing.Ask{Filters: map[string]string{"product": product}})
	h.must(err)
	return page.Items[0]
}

func (h *hall) laboratory(a Appointment) Laboratory {
	h.t.Helper()
	a.Names = map[string]string{"en": "Lab"}
	if a.ValidFrom.IsZero() {
		a.ValidFrom, a.ValidUntil = start.Add(-time.Hour), start.Add(time.Hour)
	}
	l, err := h.Appoint(h.t.Context(), admin, a)
	h.must(err)
	return l
}

// inForce says what stands of a product.
func (h *hall) inForce(product string) string {
	h.t.Helper()
	var c Certificate
	err := h.Store.Read(h.t.Context(), func(v *store.View) (err error) {
		c, err = h.InForce(h.t.Context(), v, product)
		return err
	})
	if err != nil {
		return fault.Of(err).Got + ": " + text(err)
	}
	return "in force until " + fault.Stamp(c.ValidUntil)
}

func (h *hall) trace() string {
	h.t.Helper()
	var b strings.Builder
	h.must(h.Store.Read(h.t.Context(), func(v *store.View) error {
		for _, table := range []string{"laboratory", "certification", "certification_evidence", "certificate", "certify_standing", "audit_entry", "notice_message"} {
			var n int
			if err := v.QueryRow(h.t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
				return err
			}
			fmt.Fprint(&b, n, " ")
		}
		var revisions int
		err := v.QueryRow(h.t.Context(), "SELECT COALESCE(SUM(revision), 0) FROM certification").Scan(&revisions)
		fmt.Fprint(&b, revisions)
		return err
	}))
	return b.String()
}

// A certificate is in force from its first millisecond to its last, whatever the clock's moves have done.
func TestInForceIsExact(t *testing.T) {
	h := open(t)
	if got, want := h.inForce("p"), "uncertified: conflict: product p is not certified"; got != want {
		t.Errorf("before:\n got %s\nwant %s", got, want)
	}
	from, until := start.Add(time.Hour), start.Add(49*time.Hour)
	h.pass("p", from, until)
	for _, tt := range []struct {
		at   time.Time
		want string
	}{
		{from.Add(-time.Millisecond), "not_yet: conflict: the certificate of product p is valid from 2026-03-01T13:00:00Z"},
		{from, "in force until 2026-03-03T13:00:00Z"},
		{until.Add(-time.Millisecond), "in force until 2026-03-03T13:00:00Z"},
		{until, "expired: conflict: the certificate of product p expired at 2026-03-03T13:00:00Z"},
	} {
		h.time = tt.at
		if got := h.inForce("p"); got != tt.want {
			t.Errorf("at %s\n got %s\nwant %s", tt.at, got, tt.want)
		}
	}
}

// What rests on a product is told when its last certificate ends, in that transaction, and when one is in force again.
func TestWhatRestsIsTold(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	c := h.pass("p", start, start.Add(60*24*time.Hour))
	h.pass("p", start.Add(time.Hour), start.Add(2*time.Hour)) // ends first: nothing changes for who rests on it
	h.time = start.Add(3 * time.Hour)
	h.must(h.Tick(ctx))
	want := []string{"p true "}
	if !slices.Equal(h.told, want) {
		t.Fatalf("told %q, want %q", h.told, want)
	}

	h.refuse = fault.Unavailable("no", nil)
	before := h.trace()
	if _, err := h.Revoke(ctx, carl, c.ID, "a fault"); text(err) != "unavailable: no" || h.trace() != before {
		t.Errorf("the hook's refusal: %v, %s then %s", err, before, h.trace())
	}
	h.refuse, h.told = nil, nil
	if _, err := h.Revoke(ctx, carl, c.ID, "a fault"); err != nil {
		t.Fatal(err)
	}
	h.pass("p", h.time.Add(time.Hour), h.time.Add(40*24*time.Hour))
	h.time = h.time.Add(time.Hour)
	h.must(h.Tick(ctx))
	h.time = h.time.Add(15 * 24 * time.Hour)
	h.must(h.Tick(ctx)) // the warning
	h.time = h.time.Add(30 * 24 * time.Hour)
	h.must(h.Tick(ctx))
	h.must(h.Tick(ctx)) // nothing is due twice
	want = []string{
		"p false the certificate of product p was revoked at 2026-03-01T15:00:00Z", "p true ",
		"p false the certificate of product p expired at 2026-04-10T15:00:00Z",
	}
	if !slices.Equal(h.told, want) {
		t.Errorf("told\n got %q\nwant %q", h.told, want)
	}
	var kinds []string
	h.must(h.Store.Read(ctx, func(v *store.View) (err error) {
		kinds, err = texts(ctx, v, "SELECT kind FROM notice_message WHERE organisation = 'maker' AND kind LIKE 'certificate.%' ORDER BY id")
		return err
	}))
	if want := []string{"certificate.expired", "certificate.revoked", "certificate.expiring", "certificate.expired"}; !slices.Equal(kinds, want) {
		t.Errorf("the maker was told %q, want %q", kinds, want)
	}
}

func TestRecordRefusals(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	lab := h.laboratory(Appointment{})
	other := h.laboratory(Appointment{})
	bare, err := h.Assign(ctx, carl, h.open("bare").ID, "")
	h.must(err)
	labs, err := h.Assign(ctx, carl, h.open("labs").ID, lab.ID)
	h.must(err)
	own := h.assigned("own")
	h.must(h.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO member (organisation, user_id, role, created_at) VALUES ('maker', 'cora', 'query', 0)")
		return err
	}))
	cora := person("cora", "", access.Certifier)
	good := Result{Passed: true, Report: "R", ValidFrom: start, ValidUntil: start.Add(time.Hour)}
	with := func(change func(*Result)) Result {
		r := good
		change(&r)
		return r
	}
	before := h.trace()
	for _, tt := range []struct {
		who  access.Actor
		id   string
		r    Result
		want string
	}{
		{access.Actor{}, own.ID, good, "unauthenticated: nobody is signed in"},
		{ann, own.ID, good, "forbidden: certification.record is not allowed: it needs role certifier or laboratory"},
		{cora, own.ID, good, "forbidden: recording a result is not allowed: it needs somebody who is no member of the organisation that is certified"},
		{carl, "none", good, `not_found: there is no certification "none"`},
		{carl, bare.ID, good, "conflict: certification " + bare.ID + " has no evidence yet"},
		{carl, labs.ID, good, "forbidden: recording a result is not allowed: it needs somebody of laboratory " + lab.ID + ", which the case is assigned to"},
		{tester(other.ID), labs.ID, good, `not_found: there is no certification "` + labs.ID + `"`},
		{tester(""), own.ID, good, `not_found: there is no certification "` + own.ID + `"`},
		{carl, own.ID, with(func(r *Result) { r.Report = "" }), "invalid: /report is empty, want 1 to 64 letters without blanks around them and without control characters"},
		{carl, own.ID, with(func(r *Result) { r.Note = "\x00" }), "invalid: /note is \uFFFD, want 0 to 1000 letters without blanks around them and without control characters"},
		{carl, own.ID, with(func(r *Result) { r.Conditions = " a" }), "invalid: /conditions is  a, want 0 to 1000 letters without blanks around them and without control characters"},
		{carl, own.ID, with(func(r *Result) { r.ValidFrom = time.Time{} }), "invalid: /valid_from is empty, want a time as 2026-01-31T08:00:00Z"},
		{carl, own.ID, with(func(r *Result) { r.ValidUntil = start }), "invalid: /valid_until is 2026-03-01T12:00:00Z, want a time after valid_from, 2026-03-01T12:00:00Z"},
		{carl, own.ID, with(func(r *Result) { r.ValidFrom, r.ValidUntil = start.Add(-2*time.Hour), start }), "invalid: /valid_until is 2026-03-01T12:00:00Z, want a time to come"},
		{carl, own.ID, with(func(r *Result) { r.ValidUntil = start.Add(11 * 366 * 24 * time.Hour) }), "invalid: /valid_until is 2037-03-09T12:00:00Z, want a time at most ten years after valid_from"},
		{carl, own.ID, with(func(r *Result) { r.Passed = false }), "invalid: /result is failed, want no validity and no conditions with it"},
		{carl, own.ID, Result{Report: "R"}, "invalid: /note is empty, want what failed, for the maker"},
	} {
		if _, err := h.Record(ctx, tt.who, tt.id, tt.r); text(err) != tt.want {
			t.Errorf("Record(%s, %+v)\n got %s\nwant %s", tt.who.ID, tt.r, text(err), tt.want)
		}
	}
	if after := h.trace(); after != before {
		t.Errorf("refusals changed rows: %s, before %s", after, before)
	}
}

// A laboratory is given cases only within its appointment, and records none outside of it.
func TestAppointments(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	c := h.open("p")
	span := func(from, until time.Duration) Appointment {
		return Appointment{ValidFrom: start.Add(from), ValidUntil: start.Add(until)}
	}
	ended := h.laboratory(Appointment{})
	_, err := h.EndLaboratory(ctx, admin, ended.ID, "moved")
	h.must(err)
	for _, tt := range []struct{ id, want string }{
		{"none", `not_found: there is no laboratory "none"`},
		{ended.ID, "conflict: laboratory * is appointed no longer"},
		{h.laboratory(span(time.Hour, 2*time.Hour)).ID, "conflict: laboratory * is appointed from 2026-03-01T13:00:00Z on"},
		{h.laboratory(Appointment{Kinds: []string{"chip", "solution"}}).ID, "conflict: laboratory * is not appointed for the kind module, but for chip, solution"},
		{h.laboratory(Appointment{Categories: []string{"light"}}).ID, `conflict: laboratory * is not appointed for the category "", but for light`},
	} {
		if _, err := h.Assign(ctx, carl, c.ID, tt.id); strings.ReplaceAll(text(err), tt.id, "*") != strings.ReplaceAll(tt.want, tt.id, "*") {
			t.Errorf("Assign\n got %s\nwant %s", text(err), tt.want)
		}
	}
	lab := h.laboratory(Appointment{Kinds: []string{"module"}})
	_, err = h.Assign(ctx, carl, c.ID, lab.ID)
	h.must(err)
	_, err = h.AddEvidence(ctx, tester(lab.ID), c.ID, strings.NewReader("%PDF-1.7"))
	h.must(err)
	r := Result{Report: "R", Note: "drops the session"}
	h.time = lab.ValidUntil
	if _, err := h.Record(ctx, tester(lab.ID), c.ID, r); text(err) != "conflict: laboratory "+lab.ID+" was appointed until 2026-03-01T13:00:00Z" {
		t.Errorf("recording after the appointment: %s", text(err))
	}
	h.time = lab.ValidUntil.Add(-time.Millisecond)
	if got, err := h.Record(ctx, tester(lab.ID), c.ID, r); err != nil || got.State != Failed {
		t.Errorf("recording within it: %+v, %v", got, err)
	}
	for _, tt := range []struct {
		who  access.Actor
		a    Appointment
		want string
	}{
		{carl, Appointment{Names: map[string]string{"en": "L"}, ValidFrom: start, ValidUntil: start.Add(9 * time.Hour)}, "forbidden: laboratory.appoint is not allowed: it needs role admin"},
		{admin, Appointment{}, "invalid: /names is empty, want a name in zh-CN, en or both"},
		{admin, Appointment{Names: map[string]string{"fr": "L"}}, "invalid: /names/fr is fr, want the language zh-CN or en"},
		{admin, Appointment{Names: map[string]string{"en": "L"}, Kinds: []string{"A"}}, "invalid: /kinds/0 is A, want a word of its own of 1 to 64 lower-case letters, digits, dots, dashes and underscores"},
		{admin, Appointment{Names: map[string]string{"en": "L"}, Categories: make([]string, 33)}, "invalid: /categories is 33 words, want at most 32"},
	} {
		if _, err := h.Appoint(ctx, tt.who, tt.a); text(err) != tt.want {
			t.Errorf("Appoint(%+v)\n got %s\nwant %s", tt.a, text(err), tt.want)
		}
	}
	if _, err := h.EndLaboratory(ctx, admin, ended.ID, "again"); text(err) != "conflict: end is not open in state ended" {
		t.Errorf("ending twice: %s", text(err))
	}
}

// A laboratory sees its own cases and nothing else; an organisation its own; nobody else anything.
func TestWhoSeesWhat(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	lab := h.laboratory(Appointment{})
	mine, err := h.Assign(ctx, carl, h.open("p").ID, lab.ID)
	h.must(err)
	_, err = h.AddEvidence(ctx, tester(lab.ID), mine.ID, strings.NewReader("%PDF-1.7 seen"))
	h.must(err)
	others := h.assigned("q")
	certificate := h.pass("r", start, start.Add(time.Hour))
	for _, tt := range []struct {
		who  access.Actor
		want string
	}{
		{ann, "3 cases, 1 certificates, case true, other true, certificate true"},
		{carl, "3 cases, 1 certificates, case true, other true, certificate true"},
		{tester(lab.ID), "1 cases, 0 certificates, case true, other false, certificate false"},
		{tester("elsewhere"), "0 cases, 0 certificates, case false, other false, certificate false"},
		{bob, "0 cases, 0 certificates, case false, other false, certificate false"},
	} {
		cs, err := h.Cases(ctx, tt.who, listing.Ask{})
		h.must(err)
		ks, err := h.Certificates(ctx, tt.who, listing.Ask{Filters: map[string]string{"organisation": "maker", "laboratory": ""}})
		if tt.who.Organisation == "" && err != nil { // a laboratory's own filter and another are not served together
			ks, err = h.Certificates(ctx, tt.who, listing.Ask{})
		}
		h.must(err)
		sees := func(load func() error) bool { return load() == nil }
		got := fmt.Sprintf("%d cases, %d certificates, case %t, other %t, certificate %t", len(cs.Items), len(ks.Items),
			sees(func() error { _, err := h.Case(ctx, tt.who, mine.ID); return err }),
			sees(func() error { _, err := h.Evidence(ctx, tt.who, others.ID); return err }),
			sees(func() error { _, err := h.Certificate(ctx, tt.who, certificate.ID); return err }))
		if got != tt.want {
			t.Errorf("%s of %q sees\n got %s\nwant %s", tt.who.ID, tt.who.Laboratory, got, tt.want)
		}
	}
	if _, err := h.Cases(ctx, tester(""), listing.Ask{}); text(err) != "forbidden: certification.read is not allowed: it needs a laboratory to work for" {
		t.Errorf("nobody's tester: %s", text(err))
	}
	all, err := h.Evidence(ctx, tester(lab.ID), mine.ID)
	h.must(err)
	_, r, err := h.OpenEvidence(ctx, ann, mine.ID, all[0].ID)
	h.must(err)
	defer r.Close()
	if b, err := io.ReadAll(r); string(b) != "%PDF-1.7 seen" || err != nil {
		t.Errorf("the evidence reads %q, %v", b, err)
	}
	if _, _, err := h.OpenEvidence(ctx, ann, others.ID, all[0].ID); text(err) != `not_found: there is no evidence "`+all[0].ID+`"` {
		t.Errorf("evidence of another case: %s", text(err))
	}
	if named, err := h.Named(ctx, []string{all[0].ID, "x"}); err != nil || !slices.Equal(named, []string{all[0].ID}) {
		t.Errorf("Named gives %q, %v", named, err)
	}
}

func TestOpenRefusals(t *testing.T) {
	h := open(t)
	c := h.open("p")
	before := h.trace()
	for _, tt := range []struct {
		who  access.Actor
		o    Opening
		want string
	}{
		{carl, Opening{Product: "q", Covers: c.Covers}, "forbidden: certification.apply is not allowed: it needs role owner or engineer"},
		{ann, Opening{Product: "q"}, "invalid: /covers/protocols is empty, want at least one protocol that is tested"},
		{ann, Opening{Product: "q", Covers: Covers{Protocols: []string{"mqtt", "mqtt"}}}, "invalid: /covers/protocols/1 is mqtt, want a word of its own of 1 to 64 lower-case letters, digits, dots, dashes and underscores"},
		{ann, Opening{Product: "q", Covers: Covers{Protocols: []string{"mqtt"}, Features: []string{""}}}, "invalid: /covers/features/0 is empty, want a word of its own of 1 to 64 lower-case letters, digits, dots, dashes and underscores"},
		{ann, Opening{Product: "q", Covers: Covers{Protocols: []string{"mqtt"}, Firmware: " 1"}}, "invalid: /covers/firmware is  1, want 0 to 64 letters without blanks around them and without control characters"},
		{ann, Opening{Product: "p", Covers: c.Covers}, "conflict: product p has a certification that is not decided yet"},
	} {
		err := h.Store.Write(t.Context(), func(tx *store.Tx) error {
			_, err := h.OpenIn(t.Context(), tx, tt.who, tt.o)
			return err
		})
		if text(err) != tt.want {
			t.Errorf("OpenIn(%+v)\n got %s\nwant %s", tt.o, text(err), tt.want)
		}
		if f := fault.Of(err); f.Code == fault.Clash && fmt.Sprint(f.Open) != "[withdraw]" {
			t.Errorf("beside the other case %v are open", f.Open)
		}
	}
	if after := h.trace(); after != before {
		t.Errorf("refusals changed rows: %s, before %s", after, before)
	}
}

// Every path of the tables is walked; whatever a table does not list is refused and changes no row.
func TestLives(t *testing.T) {
	for _, err := range []error{moves.Check(Open), certificateMoves.Check(Pending), appointmentMoves.Check(Appointed)} {
		if err != nil {
			t.Error(err)
		}
	}
	h := open(t)
	ctx := t.Context()
	n := 0
	do := func(c Case, act Act) (Case, error) {
		switch act {
		case Assign:
			return h.Assign(ctx, carl, c.ID, "")
		case Withdraw:
			return h.Withdraw(ctx, ann, c.ID)
		case Pass:
			return h.Record(ctx, carl, c.ID, Result{Passed: true, Report: "R", ValidFrom: start, ValidUntil: start.Add(time.Hour)})
		}
		return h.Record(ctx, carl, c.ID, Result{Report: "R", Note: "no"})
	}
	moves.Walk(Open, func(path []lifecycle.Move[State, Act]) {
		n++
		c := h.open(fmt.Sprint("walk ", n))
		for _, m := range path {
			if m.Act == Pass || m.Act == Fail {
				_, err := h.AddEvidence(ctx, carl, c.ID, bytes.NewReader([]byte("%PDF-1.7")))
				h.must(err)
			}
			var err error
			if c, err = do(c, m.Act); err != nil || c.State != m.To {
				t.Fatalf("%v: %s leads to %s, %v", path, m.Act, c.State, err)
			}
		}
		before := h.trace()
		for _, act := range []Act{Assign, Pass, Fail, Withdraw} {
			if slices.ContainsFunc(moves, func(m lifecycle.Move[State, Act]) bool { return m.From == c.State && m.Act == act }) {
				continue
			}
			if _, err := do(c, act); !fault.Is(err, fault.Clash) {
				t.Errorf("%s in state %s: %v", act, c.State, err)
			}
		}
		if after := h.trace(); after != before {
			t.Errorf("refusals in state %s changed rows: %s, before %s", c.State, after, before)
		}
	})
	certificate := h.pass("revoked", start, start.Add(time.Hour))
	if _, err := h.Revoke(ctx, ann, certificate.ID, "x"); text(err) != "forbidden: certification.record is not allowed: it needs role certifier or laboratory" {
		t.Errorf("a maker revokes: %s", text(err))
	}
	_, err := h.Revoke(ctx, carl, certificate.ID, "x")
	h.must(err)
	if _, err := h.Revoke(ctx, carl, certificate.ID, "x"); text(err) != "conflict: revoke is not open in state revoked" {
		t.Errorf("revoking twice: %s", text(err))
	}
	pending := h.pass("pending", start.Add(time.Hour), start.Add(2*time.Hour))
	if got, err := h.Revoke(ctx, carl, pending.ID, "x"); err != nil || got.State != Revoked {
		t.Errorf("revoking what is not valid yet: %+v, %v", got, err)
	}
}

// Of two who decide at once, one is told that the other was faster or that the act is open no more.
func TestTwoDecide(t *testing.T) {
	h := open(t)
	c := h.assigned("p")
	errs := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := h.Record(context.WithoutCancel(t.Context()), carl, c.ID, Result{Report: "R", Note: "no"})
			errs <- err
		}()
	}
	a, b := <-errs, <-errs
	if (a == nil) == (b == nil) {
		t.Errorf("the two end %v and %v", a, b)
	}
}

func TestEveryActIsRecorded(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	lab := h.laboratory(Appointment{})
	_, err := h.SetLaboratory(ctx, admin, lab.ID, Appointment{Names: map[string]string{"en": "L2"}, ValidFrom: start, ValidUntil: start.Add(time.Hour)})
	h.must(err)
	_, err = h.EndLaboratory(ctx, admin, lab.ID, "moved")
	h.must(err)
	c := h.pass("p", start, start.Add(time.Hour))
	_, err = h.Revoke(ctx, carl, c.ID, "fault")
	h.must(err)
	_, err = h.Withdraw(ctx, ann, h.open("q").ID)
	h.must(err)
	var got []string
	h.must(h.Store.Read(ctx, func(v *store.View) error {
		for _, organisation := range []string{"", "maker"} {
			entries, _, err := audit.List(ctx, v, organisation, audit.Filter{})
			if err != nil {
				return err
			}
			for _, e := range slices.Backward(entries) {
				got = append(got, e.Actor.ID+" "+e.Act)
			}
		}
		return nil
	}))
	want := []string{
		"ada laboratory.appoint", "ada laboratory.change", "ada laboratory.end",
		"carl certification.assign", "carl certification.evidence", "carl certification.pass", "carl certificate.revoke",
		"ann certification.open", "ann certification.open", "ann certification.withdraw",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the audit has\n got %q\nwant %q", got, want)
	}
}

func TestErase(t *testing.T) {
	for _, kind := range []string{"organisation", "product"} {
		h := open(t)
		h.pass("p", start, start.Add(time.Hour))
		id := map[string]string{"organisation": "maker", "product": "p"}[kind]
		holds := func() (n int64) {
			h.must(h.Store.Read(t.Context(), func(v *store.View) (err error) {
				n, err = h.Holds(t.Context(), v, kind, id)
				return err
			}))
			return n
		}
		if got := holds(); got != 4 {
			t.Errorf("of the %s it holds %d rows, want 4", kind, got)
		}
		calls := 0
		for more := true; more; calls++ {
			h.must(h.Store.Write(t.Context(), func(tx *store.Tx) (err error) {
				more, err = h.Erase(t.Context(), tx, kind, id, 1)
				return err
			}))
		}
		if got := holds(); got != 0 || calls < 4 {
			t.Errorf("after %d calls it holds %d rows of the %s", calls, got, kind)
		}
		if last := h.told[len(h.told)-1]; last != "p false its certificate is gone" {
			t.Errorf("what rests on the %s was told %q", kind, last)
		}
	}
}

func TestListsAreIndexed(t *testing.T) {
	s := storetest.Open(t)
	listingtest.Prove(t, s, cases())
	listingtest.Prove(t, s, certificates())
	listingtest.Prove(t, s, laboratories())
}
