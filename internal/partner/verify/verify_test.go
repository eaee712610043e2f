package verify

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/blob/dir"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/lifecycle"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	works = "0197aaaa-0000-7000-8000-000000000001" // makes terminals
	chips = "0197aaaa-0000-7000-8000-000000000002" // makes chips
)

var (
	owner    = access.Actor{Kind: access.KindUser, ID: "ann", User: "ann", Organisation: works, Roles: []access.Role{access.Owner}}
	engineer = access.Actor{Kind: access.KindUser, ID: "eve", User: "eve", Organisation: works, Roles: []access.Role{access.Engineer}}
	foreign  = access.Actor{Kind: access.KindUser, ID: "bob", User: "bob", Organisation: chips, Roles: []access.Role{access.Owner}}
	judge    = access.Actor{Kind: access.KindUser, ID: "judge", User: "judge", Roles: []access.Role{access.Reviewer}, Strong: true}
	second   = access.Actor{Kind: access.KindUser, ID: "second", User: "second", Roles: []access.Role{access.Reviewer}, Strong: true}
	insider  = access.Actor{Kind: access.KindUser, ID: "ira", User: "ira", Roles: []access.Role{access.Reviewer}, Strong: true} // a member of works
	admin    = access.Actor{Kind: access.KindUser, ID: "root", User: "root", Roles: []access.Role{access.Admin}, Strong: true}
	support  = access.Actor{Kind: access.KindUser, ID: "sue", User: "sue", Roles: []access.Role{access.PlatformSupport}, Strong: true}
)

// canary is a person's name and number that must stand nowhere in the clear.
const (
	canaryName = "欧阳金丝雀"
	canaryID   = "11010519491231002X"
)

// A clock is the time of a test.
type testClock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *testClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *testClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// An office is the service with two organisations.
type office struct {
	*Service
	t        testing.TB
	clock    *testClock
	files    *dir.Files
	told     []string // kind and data
	enforced []Consequence
	fails    error // of enforcing
}

func newOffice(t testing.TB) *office {
	t.Helper()
	o := &office{t: t, clock: &testClock{t: time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)}}
	s := storetest.Open(t)
	keys, err := keyring.Open(t.Context(), s, filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := dir.Open(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	o.files = files
	blobs := blob.New(files, func(context.Context, string, string) ([32]byte, error) { return [32]byte{7}, nil })
	o.Service, err = New(Config{
		Store: s, Keys: keys, Blobs: blobs, Logger: slog.New(slog.DiscardHandler), Now: o.clock.now,
		Tell: func(_ context.Context, _ *store.Tx, organisation, kind string, data map[string]string) error {
			o.told = append(o.told, organisation[len(organisation)-1:]+" "+strings.TrimPrefix(kind, "verification.")+" "+data["until"])
			return nil
		},
		Enforce: func(ctx context.Context, c Consequence) error {
			if o.fails != nil {
				return o.fails
			}
			o.enforced = append(o.enforced, c)
			return s.Write(ctx, func(*store.Tx) error { return nil })
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	o.exec(`INSERT INTO organisation (id, names, kinds, created_at) VALUES (?, '{}', '["terminal_maker"]', 1)`, works)
	o.exec(`INSERT INTO organisation (id, names, kinds, created_at) VALUES (?, '{}', '["chip_maker"]', 1)`, chips)
	o.exec("INSERT INTO member (organisation, user_id, role, created_at) VALUES (?, 'ira', 'query', 1)", works)
	for _, login := range []string{"judge", "second", "ira"} {
		o.exec(`INSERT INTO account_user (id, login, login_key, email, password, platform_role, state, created_at, password_at)
			VALUES (?, ?, ?, '', '', 'reviewer', 'active', 1, 1)`, login, login, login)
	}
	return o
}

func (o *office) exec(statement string, args ...any) {
	o.t.Helper()
	err := o.c.Store.Write(o.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(o.t.Context(), statement, args...)
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

// number is what a counting query gives.
func (o *office) number(query string, args ...any) (n int64) {
	o.t.Helper()
	err := o.c.Store.Read(o.t.Context(), func(v *store.View) error {
		return v.QueryRow(o.t.Context(), query, args...).Scan(&n)
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return n
}

// texts is a column of all rows.
func (o *office) texts(query string) string {
	o.t.Helper()
	var out []byte
	err := o.c.Store.Read(o.t.Context(), func(v *store.View) error {
		rows, err := v.Query(o.t.Context(), query)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var b []byte
			if err := rows.Scan(&b); err != nil {
				return err
			}
			out = append(append(out, b...), '\n')
		}
		return rows.Err()
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return string(out)
}

// must is for acts that are to succeed.
func (o *office) must(c *Case, err error) *Case {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
	return c
}

// said is the whole text of an error.
func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

var pdf = []byte("%PDF-1.7\n1 0 obj\n<<>>\nendobj\n")

// values is a form that is filled in, of a terminal maker.
func values() map[string]string {
	return map[string]string{
		"legal_name": "杭州灯火科技有限公司", "unified_social_credit_code": "91330100799655058B", "organisation_type": "enterprise",
		"founded_on": "2010-05-01", "registered_address": "杭州市西湖区灯火路 1 号", "legal_representative": canaryName,
		"contact_name": canaryName, "contact_phone": "13800138000", "brands": "灯火",
	}
}

// need are the papers that it needs, and until when each is good.
func need() []NewPaper {
	return []NewPaper{
		{Slot: "business_licence", About: About{Number: "330100000000001", Name: "执照.pdf"}},
		{Slot: "authorisation_letter", ValidFrom: "2026-01-01", ValidUntil: "2027-06-30"},
		{Slot: "trademark", About: About{Number: "1234567"}, ValidUntil: "2027-03-31"},
	}
}

func (o *office) upload(n NewPaper) Paper {
	o.t.Helper()
	p, err := o.Upload(o.t.Context(), owner, works, n, bytes.NewReader(pdf))
	if err != nil {
		o.t.Fatal(err)
	}
	return p
}

// fill makes a draft that is complete.
func (o *office) fill(more ...NewPaper) {
	o.t.Helper()
	o.must(o.SetForm(o.t.Context(), owner, works, Draft{FormOrganisation, values()}))
	for _, n := range append(need(), more...) {
		o.upload(n)
	}
}

func (o *office) approve() *Case {
	o.t.Helper()
	c, err := o.Load(o.t.Context(), judge, works)
	if err != nil {
		o.t.Fatal(err)
	}
	return o.must(o.Decide(o.t.Context(), judge, works, Decision{Submission: c.Submission, Approve: true}))
}

// verified is an office with works verified until the trademark ends.
func verified(t testing.TB, more ...NewPaper) *office {
	t.Helper()
	o := newOffice(t)
	o.fill(more...)
	o.must(o.Submit(t.Context(), owner, works))
	o.approve()
	return o
}

func (o *office) tick() {
	o.t.Helper()
	for range 3 { // what is done may make more due
		if err := o.Tick(o.t.Context()); err != nil {
			o.t.Fatal(err)
		}
	}
}

func (o *office) level() int {
	o.t.Helper()
	var n int
	err := o.c.Store.Read(o.t.Context(), func(v *store.View) (err error) {
		n, err = o.Level(o.t.Context(), v, works)
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return n
}

// TestWalk carries every path of the table out on an organisation of its own.
func TestWalk(t *testing.T) {
	if err := moves.Check(Unverified); err != nil {
		t.Fatal(err)
	}
	moves.Walk(Unverified, func(path []lifecycle.Move[State, Act]) {
		var name []string
		for _, m := range path {
			name = append(name, string(m.Act))
		}
		t.Run(strings.Join(name, " "), func(t *testing.T) {
			o := newOffice(t)
			o.fill()
			for i, m := range path {
				before := o.number("SELECT COUNT(*) FROM audit_entry")
				o.do(m.Act)
				c := o.must(o.Load(t.Context(), judge, works))
				if c.State != m.To {
					t.Fatalf("after %s it is %s, want %s", strings.Join(name[:i+1], " "), c.State, m.To)
				}
				if c.Holds(o.now()) != m.To.Holds() {
					t.Errorf("%s: what was approved holds: %t", m.To, c.Holds(o.now()))
				}
				if n := o.number("SELECT COUNT(*) FROM audit_entry") - before; n < 1 || n > 1 && m.Act != Expire && m.Act != Submit {
					t.Errorf("%s leaves %d audit entries, want 1", m.Act, n)
				}
			}
		})
	})
}

// do carries an act out as it is done.
func (o *office) do(act Act) {
	o.t.Helper()
	ctx := o.t.Context()
	c := o.must(o.Load(ctx, judge, works))
	var err error
	switch act {
	case Submit:
		if c.Ask != nil {
			o.replace(c.Ask.Papers[0])
		}
		if c.State == Expired || c.State == Rejected {
			o.replace("trademark")
		}
		_, err = o.Submit(ctx, owner, works)
	case Withdraw:
		_, err = o.Withdraw(ctx, owner, works)
	case Approve, Reject:
		d := Decision{Submission: c.Submission, Approve: act == Approve}
		if act == Reject {
			d.Reasons = []Reason{{Where: "paper.trademark", Code: "unreadable"}}
		}
		_, err = o.Decide(ctx, judge, works, d)
	case AskRecheck, AskSupplement:
		_, err = o.Ask(ctx, judge, works, Demand{Act: act, Text: "the trademark again", Papers: []string{"trademark"}, Due: o.now().Add(10 * day), Consequence: LevelDrops})
	case Clear:
		_, err = o.Clear(ctx, judge, works, "seen at the registry")
	case Revoke:
		_, err = o.Revoke(ctx, judge, works, "the licence is forged")
	case Reinstate:
		_, err = o.Reinstate(ctx, second, works, "it was another's licence")
	case Lapse:
		o.clock.pass(11 * day)
		o.tick()
	case Expire:
		// the asked date would come first: what expires is taken to be nearer
		o.exec("UPDATE verify_case SET expires_at = ?, next_at = ? WHERE organisation = ?", ms(o.now().Add(time.Hour)), ms(o.now().Add(time.Hour)), works)
		o.clock.pass(time.Hour)
		o.tick()
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

// replace uploads a paper anew in the place of the one that is there.
func (o *office) replace(slot string) {
	o.t.Helper()
	w, err := o.Worksheet(o.t.Context(), owner, works)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, p := range w.Papers {
		if p.Slot == slot {
			if err := o.Remove(o.t.Context(), owner, works, p.ID); err != nil {
				o.t.Fatal(err)
			}
		}
	}
	for _, n := range need() {
		if n.Slot == slot {
			n.ValidUntil = "2028-03-31"
			o.upload(n)
		}
	}
}

// TestClosedActs tries every act in every state that has no such move.
func TestClosedActs(t *testing.T) {
	for _, who := range []access.Actor{owner, judge} {
		for _, state := range States() {
			open := moves.Open(state, who)
			for _, m := range moves {
				_, err := moves.Next(state, m.Act, who)
				if ok := err == nil; ok != contains(open, m.Act) {
					t.Errorf("%s in %s as %s: %v", m.Act, state, who.User, err)
				}
			}
		}
	}
	o := newOffice(t)
	want := "withdraw is not open in state unverified"
	if _, err := o.Withdraw(t.Context(), owner, works); said(err) != want {
		t.Errorf("got %q, want %q", said(err), want)
	}
	if n := o.number("SELECT COUNT(*) FROM verify_case"); n != 0 {
		t.Errorf("a refused act made %d rows", n)
	}
}

func contains(acts []Act, act Act) bool {
	for _, a := range acts {
		if a == act {
			return true
		}
	}
	return false
}

// TestTwoDecide lets two reviewers decide at once.
func TestTwoDecide(t *testing.T) {
	o := newOffice(t)
	o.fill()
	o.must(o.Submit(t.Context(), owner, works))
	errs := make(chan error, 2)
	for _, d := range []struct {
		who access.Actor
		Decision
	}{
		{judge, Decision{Submission: 1, Approve: true}},
		{second, Decision{Submission: 1, Reasons: []Reason{{Code: "not_eligible"}}}},
	} {
		go func() {
			_, err := o.Decide(t.Context(), d.who, works, d.Decision)
			errs <- err
		}()
	}
	first, other := <-errs, <-errs
	if first == nil {
		first, other = other, first
	}
	if want := `submission "1" was changed by somebody else meanwhile`; said(first) != want || other != nil {
		t.Errorf("got %v and %v, want %q and none", first, other, want)
	}
	if n := o.number("SELECT COUNT(*) FROM audit_entry WHERE act IN ('verification.approve', 'verification.reject')"); n != 1 {
		t.Errorf("%d decisions are recorded, want 1", n)
	}
}

// TestConsequence hands a consequence on exactly once, however often it fails before.
func TestConsequence(t *testing.T) {
	o := verified(t)
	due := o.now().Add(20 * day)
	o.must(o.Ask(t.Context(), judge, works, Demand{Act: AskSupplement, Text: "the trademark again", Papers: []string{"trademark"}, Due: due, Consequence: EndsAgreement}))
	o.clock.pass(20*day - time.Millisecond)
	if o.tick(); o.level() != 2 || len(o.enforced) != 0 {
		t.Fatalf("before the date: level %d, %d consequences", o.level(), len(o.enforced))
	}
	o.clock.pass(time.Millisecond)
	if o.level() != 0 {
		t.Error("the level holds at the date, before the clock has run")
	}
	o.fails = errors.New("not now")
	if err := o.Tick(t.Context()); err == nil || len(o.enforced) != 0 {
		t.Fatalf("a consequence that fails: %v", err)
	}
	o.fails = nil
	o.tick()
	if len(o.enforced) != 1 || o.enforced[0].Kind != EndsAgreement || o.enforced[0].Organisation != works || o.enforced[0].Reason != "the trademark again" {
		t.Errorf("consequences: %+v", o.enforced)
	}
	if c := o.must(o.Load(t.Context(), judge, works)); c.State != Expired || o.level() != 0 {
		t.Errorf("state %s, level %d", c.State, o.level())
	}
}

// TestWorthlessAnswer answers what was asked for with anything, and does not come away with it.
func TestWorthlessAnswer(t *testing.T) {
	for _, tt := range []struct {
		name          string
		answer, judge time.Duration // before the date
		want          State
		consequences  int
	}{
		{"rejected before the date", 2 * day, day, Supplement, 0},
		{"rejected after the date", time.Minute, -day, Expired, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := verified(t)
			due := o.now().Add(20 * day)
			o.must(o.Ask(t.Context(), judge, works, Demand{Act: AskRecheck, Text: "the trademark again", Papers: []string{"trademark"}, Due: due, Consequence: EndsAgreement}))
			o.clock.pass(due.Add(-tt.answer).Sub(o.now()))
			o.do(Submit)
			o.clock.pass(due.Add(-tt.judge).Sub(o.now()))
			o.tick()
			o.do(Reject)
			o.tick()
			if c := o.must(o.Load(t.Context(), judge, works)); c.State != tt.want || len(o.enforced) != tt.consequences {
				t.Errorf("it is %s with %d consequences, want %s with %d", c.State, len(o.enforced), tt.want, tt.consequences)
			}
			o.clock.pass(3 * day)
			o.tick()
			if c := o.must(o.Load(t.Context(), judge, works)); c.State != Expired || len(o.enforced) != 1 || o.level() != 0 {
				t.Errorf("after the date it is %s with %d consequences, level %d", c.State, len(o.enforced), o.level())
			}
		})
	}
}

// TestConsequenceOutlivesTheVerification lets a paper expire, and withdraw the answer, before the date of what was asked for.
func TestConsequenceOutlivesTheVerification(t *testing.T) {
	for _, acts := range [][]Act{{Expire}, {Submit, Expire, Reject}, {Submit, Expire, Withdraw}} {
		o := verified(t)
		o.must(o.Ask(t.Context(), judge, works, Demand{Act: AskSupplement, Text: "the trademark again", Papers: []string{"trademark"}, Due: o.now().Add(20 * day), Consequence: EndsAgreement}))
		for _, act := range acts {
			o.do(act)
		}
		o.clock.pass(21 * day)
		if o.tick(); len(o.enforced) != 1 {
			t.Errorf("%v: %d consequences, want 1", acts, len(o.enforced))
		}
	}
}

// TestRenewalKeepsNobodyFromAsking makes a spot check of an organisation that always has a submission under way.
func TestRenewalKeepsNobodyFromAsking(t *testing.T) {
	o := verified(t)
	o.do(Submit)
	o.do(AskRecheck)
	sub, err := o.Submission(t.Context(), owner, works, 2)
	if c := o.must(o.Load(t.Context(), judge, works)); err != nil || c.State != Recheck || c.Ask == nil || sub.State != Void {
		t.Errorf("the case is %s, the submission %s (%v)", c.State, sub.State, err)
	}
	o.do(Submit)
	if c := o.approve(); c.State != Verified || c.Ask != nil || !c.DueAt.IsZero() {
		t.Errorf("after the answer it is %s, asked for %+v", c.State, c.Ask)
	}
}

// TestWarnings follows a verification to its end.
func TestWarnings(t *testing.T) {
	o := verified(t)
	o.told = nil
	end := time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC) // after the trademark's last day
	for _, at := range []time.Duration{-61 * day, -60 * day, -31 * day, -30 * day, -8 * day, -7 * day, -time.Millisecond, 0} {
		o.clock.pass(end.Add(at).Sub(o.now()))
		want := 2
		if at == 0 {
			want = 0
		}
		if got := o.level(); got != want {
			t.Errorf("%s before the end the level is %d, want %d", -at, got, want)
		}
		o.tick()
	}
	want := "1 expiring 2027-03-31, 1 expiring 2027-03-31, 1 expiring 2027-03-31, 1 expired 2027-03-31"
	if got := strings.Join(o.told, ", "); got != want {
		t.Errorf("told\n got %s\nwant %s", got, want)
	}
	if c := o.must(o.Load(t.Context(), owner, works)); c.State != Expired {
		t.Errorf("it is %s at its end", c.State)
	}
}

// TestOneWarningAfterAPause tells once what was missed while nothing ran.
func TestOneWarningAfterAPause(t *testing.T) {
	o := verified(t)
	o.told = nil
	o.clock.pass(time.Date(2027, 3, 20, 0, 0, 0, 0, time.UTC).Sub(o.now()))
	o.tick()
	if got, want := strings.Join(o.told, ", "), "1 expiring 2027-03-31"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
}

// TestSealed looks for a person's name and number in whatever the database holds.
func TestSealed(t *testing.T) {
	o := newOffice(t)
	v := values()
	v["legal_representative_id"] = canaryID
	o.must(o.SetForm(t.Context(), owner, works, Draft{FormOrganisation, v}))
	for _, n := range need() {
		o.upload(n)
	}
	o.must(o.Submit(t.Context(), owner, works))
	for _, query := range []string{
		"SELECT draft FROM verify_case", "SELECT ask FROM verify_case", "SELECT content FROM verify_submission", "SELECT about FROM verify_paper", "SELECT note FROM audit_entry",
	} {
		found := o.texts(query)
		for _, canary := range []string{canaryName, canaryID, "13800138000"} {
			if strings.Contains(found, canary) || found == "" {
				t.Errorf("%s: %s stands in %q", query, canary, found)
			}
		}
	}
	sub, err := o.Submission(t.Context(), owner, works, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := sub.Values["legal_representative"]+" "+sub.Values["legal_representative_id"]+" "+sub.Values["contact_phone"], "欧**** 1*************002X 1******8000"; got != want {
		t.Errorf("shown\n got %s\nwant %s", got, want)
	}
	if sub, err = o.Reveal(t.Context(), judge, works, 1, "to compare with the id"); err != nil || sub.Values["legal_representative_id"] != canaryID {
		t.Errorf("revealed: %v %v", sub.Values, err)
	}
	if n := o.number("SELECT COUNT(*) FROM audit_entry WHERE act = 'verification.reveal'"); n != 1 {
		t.Errorf("%d entries tell of the look, want 1", n)
	}
}

// TestMaskedSentBack keeps a personal value that comes back as it was shown.
func TestMaskedSentBack(t *testing.T) {
	o := newOffice(t)
	o.fill()
	w, err := o.Worksheet(t.Context(), owner, works)
	if err != nil {
		t.Fatal(err)
	}
	w.Draft.Values["brands"] = "灯火二代"
	o.must(o.SetForm(t.Context(), owner, works, w.Draft))
	o.must(o.Submit(t.Context(), owner, works))
	sub, err := o.Reveal(t.Context(), judge, works, 1, "test")
	if err != nil {
		t.Fatal(err)
	}
	if sub.Values["legal_representative"] != canaryName || sub.Values["brands"] != "灯火二代" {
		t.Errorf("values are %v", sub.Values)
	}
}

// TestErase leaves nothing of an organisation, and everything of the other.
func TestErase(t *testing.T) {
	o := verified(t)
	o.must(o.SetForm(t.Context(), foreign, chips, Draft{Form: FormPerson, Values: map[string]string{"full_name": "Bob"}}))
	if _, err := o.Waive(t.Context(), judge, Waiver{Organisation: works, Condition: "qualification.radio", Reason: "r", Wording: "w", Ends: o.now().Add(day)}); err != nil {
		t.Fatal(err)
	}
	holds := func(organisation string) (n int64) {
		err := o.c.Store.Read(t.Context(), func(v *store.View) (err error) {
			n, err = o.Holds(t.Context(), v, "organisation", organisation)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	theirs := holds(chips)
	for more := true; more; {
		err := o.c.Store.Write(t.Context(), func(tx *store.Tx) (err error) {
			more, err = o.Erase(t.Context(), tx, "organisation", works, 2)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := holds(works); n != 3 {
		t.Errorf("%d things are left, want the bytes of 3 papers", n)
	}
	o.tick()
	files, err := o.files.List(t.Context(), "", 10)
	if n := holds(works); n != 0 || len(files) != 0 || err != nil || holds(chips) != theirs || theirs == 0 {
		t.Errorf("%d things and %d files are left, of the other %d of %d: %v", n, len(files), holds(chips), theirs, err)
	}
	if n := o.number("SELECT COALESCE(SUM(used), 0) FROM quota_used WHERE name = 'storage_bytes'"); n != 0 {
		t.Errorf("%d bytes are still counted", n)
	}
}

func readAll(t testing.TB, r io.ReadCloser) []byte {
	t.Helper()
	b, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return b
}

// What false papers brought ends when they turn out to be true, or never begins.
func TestReinstatementTakesConsequencesBack(t *testing.T) {
	for _, tt := range []struct {
		carried bool
		want    string
	}{{true, "false_papers true_papers"}, {false, "true_papers"}} {
		o := newOffice(t)
		o.fill()
		o.must(o.Submit(t.Context(), owner, works))
		o.must(o.Revoke(t.Context(), judge, works, "the licence is forged"))
		if tt.carried {
			o.tick()
		}
		o.must(o.Reinstate(t.Context(), second, works, "it is not"))
		o.tick()
		var got []string
		for _, c := range o.enforced {
			got = append(got, c.Kind)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("handed on were %q, want %s", got, tt.want)
		}
	}
}
