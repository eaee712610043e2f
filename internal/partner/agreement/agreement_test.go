package agreement

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/blob/dir"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/account"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	works = "org-works" // makes terminals
	chips = "org-chips" // makes chips
	day   = 24 * time.Hour
)

var (
	legal    = access.Actor{Kind: access.KindUser, ID: "legal", User: "legal", Roles: []access.Role{access.Admin}, Strong: true}
	judge    = access.Actor{Kind: access.KindUser, ID: "judge", User: "judge", Roles: []access.Role{access.Reviewer}, Strong: true}
	owner    = access.Actor{Kind: access.KindUser, ID: "ann", User: "ann", Organisation: works, Roles: []access.Role{access.Owner}, From: "192.0.2.7:4000"}
	engineer = access.Actor{Kind: access.KindUser, ID: "eve", User: "eve", Organisation: works, Roles: []access.Role{access.Engineer}, From: "192.0.2.8:4000"}
	foreign  = access.Actor{Kind: access.KindUser, ID: "bob", User: "bob", Organisation: chips, Roles: []access.Role{access.Owner}}
	alone    = access.Actor{Kind: access.KindUser, ID: "zoe", User: "zoe"}
)

// A clock is the time of a test.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// An office is the service with two organisations.
type office struct {
	*Service
	clock   *clock
	files   *dir.Files
	minors  map[string]account.Month // of age in it; "never": it is not known when
	sent    []string                 // contact, code
	told    []string                 // user, kind, until
	exports int
}

func newOffice(t testing.TB) *office {
	t.Helper()
	o := &office{clock: &clock{t: time.Now().Truncate(time.Millisecond)}, minors: make(map[string]account.Month)}
	db := storetest.Open(t)
	keys, err := keyring.Open(t.Context(), db, filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	if o.files, err = dir.Open(filepath.Join(t.TempDir(), "blobs")); err != nil {
		t.Fatal(err)
	}
	o.Service = New(Config{
		Store: db,
		Keys:  keys,
		Blobs: blob.New(o.files, func(context.Context, string, string) ([32]byte, error) { return [32]byte{7}, nil }),
		Minor: func(_ context.Context, _ store.Querier, user string) (bool, account.Month, error) {
			month, minor := o.minors[user]
			return minor, account.Month(strings.TrimSuffix(string(month), "never")), nil
		},
		Tell: func(_ context.Context, _ *store.Tx, user, kind string, data map[string]string) error {
			o.told = append(o.told, user+" "+kind+" "+data["until"])
			return nil
		},
		Send: func(_ context.Context, _ *store.Tx, contact, code, _ string) error {
			o.sent = []string{contact, code}
			return nil
		},
		Export: func(context.Context, *store.Tx, string, string) (string, error) {
			o.exports++
			return "job-1", nil
		},
	})
	o.now = o.clock.now
	o.exec(t, "INSERT INTO organisation (id, names, kinds, created_at) VALUES (?, '{}', '[\"terminal_maker\"]', 1)", works)
	o.exec(t, "INSERT INTO organisation (id, names, kinds, created_at) VALUES (?, '{}', '[\"chip_maker\"]', 1)", chips)
	return o
}

func (o *office) exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	if err := o.try(t, statement, args...); err != nil {
		t.Fatal(err)
	}
}

func (o *office) try(t testing.TB, statement string, args ...any) error {
	t.Helper()
	return o.Store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), statement, args...)
		return err
	})
}

func (o *office) count(t testing.TB, table string) (n int) {
	t.Helper()
	err := o.Store.Read(t.Context(), func(v *store.View) error {
		return v.QueryRow(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func both(en, zh string) account.Names { return account.Names{"en": en, "zh-CN": zh} }

func (o *office) add(t testing.TB, subject Subject, precedence int, kinds ...account.Kind) Agreement {
	t.Helper()
	a, err := o.Add(t.Context(), legal, NewAgreement{
		Precedence: precedence, Names: both("Terms of the "+string(subject), "条款"), Prevails: both("The master agreement prevails.", "以主协议为准。"), Subject: subject, Kinds: kinds,
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// publish writes and publishes the next version, in force after d.
func (o *office) publish(t testing.TB, a Agreement, body string, d time.Duration) Version {
	t.Helper()
	v, err := o.SetDraft(t.Context(), legal, a.ID, map[string]NewText{"en": {body, "words"}, "zh-CN": {body + "。", "文字"}})
	if err != nil {
		t.Fatal(err)
	}
	when := time.Time{}
	if d > 0 {
		when = o.clock.now().Add(d)
	}
	if v, err = o.Publish(t.Context(), legal, v.ID, v.Digest(), when); err != nil {
		t.Fatal(err)
	}
	return v
}

func (o *office) accept(t testing.TB, who access.Actor, v Version) Acceptance {
	t.Helper()
	a, err := o.Accept(t.Context(), who, answer(v))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func answer(v Version) Answer {
	return Answer{Agreement: v.Agreement, Number: v.Number, Lang: "en", Hash: v.Texts["en"].Hash}
}

func (o *office) gate(t testing.TB, who access.Actor) string {
	t.Helper()
	return text(o.Gate(t.Context(), who, access.ReadProduct))
}

func (o *office) outstanding(t testing.TB, who access.Actor) Duties {
	t.Helper()
	var d Duties
	err := o.Store.Read(t.Context(), func(v *store.View) error {
		var err error
		d, err = o.Outstanding(t.Context(), v, who)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestMoves(t *testing.T) {
	if err := moves.Check(Draft); err != nil {
		t.Error(err)
	}
	if err := consentMoves.Check(Requested); err != nil {
		t.Error(err)
	}
}

func TestListsAreIndexed(t *testing.T) {
	o := newOffice(t)
	listingtest.Prove(t, o.Store, acceptances())
	listingtest.Prove(t, o.Store, consents())
	listingtest.Prove(t, o.Store, agreements(), "agreement")
	listingtest.Prove(t, o.Store, versionsFor(legal))
	listingtest.Prove(t, o.Store, versionsFor(owner))
}

func TestAddRules(t *testing.T) {
	o := newOffice(t)
	good := NewAgreement{Precedence: 1, Names: both("Master", "主协议"), Prevails: both("It prevails.", "为准"), Subject: Organisation}
	with := func(change func(*NewAgreement)) NewAgreement {
		n := good
		change(&n)
		return n
	}
	for _, tt := range []struct {
		who  access.Actor
		n    NewAgreement
		want string
	}{
		{owner, good, "agreement.manage is not allowed: it needs role admin"},
		{legal, with(func(n *NewAgreement) { n.Precedence = 0 }), "/precedence is 0, want an integer from 1 to 1000000"},
		{legal, with(func(n *NewAgreement) { n.Names = account.Names{"en": "x"} }), "/names/zh-CN is empty, want 1 to 100 characters, no control characters"},
		{legal, with(func(n *NewAgreement) { n.Names = account.Names{"fr": "x"} }), "/names/fr is fr, want the language zh-CN or en"},
		{legal, with(func(n *NewAgreement) { n.Prevails = nil }), "/prevails/zh-CN is empty, want 1 to 1000 characters, no control characters"},
		{legal, with(func(n *NewAgreement) { n.Subject = "robot" }), "/subject is robot, want user, organisation or product"},
		{legal, with(func(n *NewAgreement) { n.Subject, n.Kinds = User, []account.Kind{account.ChipMaker} }), "/kinds is given, want none where the subject is user"},
		{legal, with(func(n *NewAgreement) { n.Categories = []string{"light"} }), "/categories is given, want none where the subject is not product"},
		{legal, with(func(n *NewAgreement) { n.Kinds = []account.Kind{"witch"} }), "/kinds/0 is witch, want one of chip_maker, module_maker, software_provider, hardware_provider, terminal_maker"},
		{legal, with(func(n *NewAgreement) { n.Subject, n.Categories = Product, []string{""} }), "/categories/0 is empty, want the name of a category"},
		{legal, with(func(n *NewAgreement) { n.Subject, n.Categories = Product, make([]string, 101) }), "/categories is 101, want at most 100"},
		{legal, good, ""},
	} {
		before := o.count(t, "agreement") + o.count(t, "audit_entry")
		_, err := o.Add(t.Context(), tt.who, tt.n)
		if got := text(err); got != tt.want {
			t.Errorf("%+v\n got %q\nwant %q", tt.n, got, tt.want)
		}
		if after := o.count(t, "agreement") + o.count(t, "audit_entry"); tt.want != "" && after != before || tt.want == "" && after != before+2 {
			t.Errorf("%+v: %d rows before, %d after", tt.n, before, after)
		}
	}
}

func TestVersionRules(t *testing.T) {
	o := newOffice(t)
	a := o.add(t, Organisation, 1)
	draft := func(texts map[string]NewText) func() error {
		return func() error {
			_, err := o.SetDraft(t.Context(), legal, a.ID, texts)
			return err
		}
	}
	publish := func(id string, d time.Duration) func() error {
		return func() error {
			v, err := o.Version(t.Context(), legal, id)
			if err != nil {
				return err
			}
			_, err = o.Publish(t.Context(), legal, id, v.Digest(), o.clock.now().Add(d))
			return err
		}
	}
	withdraw := func(id, note string) func() error {
		return func() error { return o.Withdraw(t.Context(), legal, id, note) }
	}
	v, err := o.SetDraft(t.Context(), legal, a.ID, map[string]NewText{"en": {"# Terms\r\n", ""}})
	if err != nil || v.Number != 1 || v.Texts["en"].Body != "# Terms\n" {
		t.Fatalf("the first draft: %+v, %v", v, err)
	}
	whole := map[string]NewText{"en": {"# Terms", ""}, "zh-CN": {"# 条款", ""}}
	changed := map[string]NewText{"en": {"# Terms", "a"}, "zh-CN": {"# 条款", "甲"}}
	for _, tt := range []struct {
		name string
		do   func() error
		want string
	}{
		{"draft by an owner", func() error { _, err := o.SetDraft(t.Context(), owner, a.ID, whole); return err }, "agreement.manage is not allowed: it needs role admin"},
		{"draft of none", func() error { _, err := o.SetDraft(t.Context(), legal, "none", whole); return err }, `there is no agreement "none"`},
		{"draft in French", draft(map[string]NewText{"fr": {}}), "/texts/fr is fr, want the language zh-CN or en"},
		{"draft at the limit", draft(map[string]NewText{"en": {strings.Repeat("x", MaxBody), ""}}), ""},
		{"draft too large", draft(map[string]NewText{"en": {strings.Repeat("x", MaxBody+1), ""}}), "/texts/en/body has 262145 bytes, the most is 262144"},
		{"draft with control characters", draft(map[string]NewText{"en": {"a\x00", ""}}), "/texts/en/body is text with control characters, want Markdown in UTF-8, no control characters"},
		{"summary too long", draft(map[string]NewText{"en": {"a", strings.Repeat("x", 4001)}}), "/texts/en/changes is " + strings.Repeat("x", 61) + "…, want at most 4000 characters, no control characters"},
		{"publish half", publish(v.ID, 0), "/texts/zh-CN/body is empty, want a text in both languages, zh-CN and en"},
		{"draft whole", draft(whole), ""},
		{"publish by an owner", func() error { _, err := o.Publish(t.Context(), owner, v.ID, "x", time.Time{}); return err }, "agreement.manage is not allowed: it needs role admin"},
		{"read one of none", func() error { _, err := o.Numbered(t.Context(), legal, "none", 1); return err }, `there is no agreement "none"`},
		{"publish none", publish("none", 0), `there is no version "none"`},
		{"publish too far ahead", publish(v.ID, maxAhead+time.Second), "/effective_at is " + o.clock.now().Add(maxAhead+time.Second).UTC().Format(time.RFC3339) + ", want a time from now to two years ahead"},
		{"publish in the past", publish(v.ID, -time.Second), "/effective_at is " + o.clock.now().Add(-time.Second).UTC().Format(time.RFC3339) + ", want a time from now to two years ahead"},
		{"publish", publish(v.ID, 0), ""},
		{"publish again", publish(v.ID, 0), "publish is not open in state published"},
		{"withdraw without a reason", withdraw(v.ID, ""), "/note is empty, want 1 to 1000 characters, no control characters"},
		{"withdraw by an owner", func() error { return o.Withdraw(t.Context(), owner, v.ID, "x") }, "agreement.manage is not allowed: it needs role admin"},
		{"draft again", draft(whole), ""},
	} {
		before := o.count(t, "audit_entry")
		if got := text(tt.do()); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
		if after := o.count(t, "audit_entry"); tt.want != "" && after != before || tt.want == "" && after != before+1 {
			t.Errorf("%s: %d entries before, %d after", tt.name, before, after)
		}
	}
	page, err := o.Versions(t.Context(), legal, a.ID, listing.Ask{})
	all := page.Items
	if err != nil || len(all) != 2 || all[0].State != Draft || all[0].Number != 2 {
		t.Fatalf("versions: %+v, %v", all, err)
	}
	if _, err := o.Version(t.Context(), owner, all[0].ID); !fault.Is(err, fault.Missing) {
		t.Errorf("an owner reads a draft: %v", err)
	}
	if got, want := text(publish(all[0].ID, 0)()), "/texts/zh-CN/changes is empty, want a summary of what differs from the version before"; got != want {
		t.Errorf("second version without a summary:\n got %q\nwant %q", got, want)
	}
	if err := errors.Join(draft(changed)(), publish(all[0].ID, 0)()); err != nil {
		t.Fatal(err)
	}
	if got, want := text(withdraw(v.ID, "x")()), "withdraw is not open in state superseded"; got != want {
		t.Errorf("withdrawing the old one:\n got %q\nwant %q", got, want)
	}
}

// What is published is what was read: whoever changed a text or a summary meanwhile has it read again.
func TestPublishIsHeldToWhatWasRead(t *testing.T) {
	o := newOffice(t)
	a := o.add(t, User, 1)
	draft := func(en, changes, zh string) string {
		v, err := o.SetDraft(t.Context(), legal, a.ID, map[string]NewText{"en": {en, changes}, "zh-CN": {zh, "甲"}})
		if err != nil {
			t.Fatal(err)
		}
		return v.Digest()
	}
	read := draft("terms", "a", "条款")
	page, err := o.Versions(t.Context(), legal, a.ID, listing.Ask{})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("versions: %+v, %v", page, err)
	}
	id := page.Items[0].ID
	publish := func(digest string) string {
		_, err := o.Publish(t.Context(), legal, id, digest, time.Time{})
		return text(err)
	}
	stale := `version "` + id + `" was changed by somebody else meanwhile`
	for _, changed := range [][3]string{{"other terms", "a", "条款"}, {"terms", "b", "条款"}, {"terms", "a", "条款。"}} {
		draft(changed[0], changed[1], changed[2])
		if got := publish(read); got != stale {
			t.Errorf("read before %q:\n got %q\nwant %q", changed, got, stale)
		}
	}
	if got, want := publish(""), "/digest is empty, want the digest of the texts that were read"; got != want {
		t.Errorf("without a digest:\n got %q\nwant %q", got, want)
	}
	if got := publish(draft("terms", "a", "条款")); got != "" {
		t.Errorf("as it was read: %s", got)
	}
}

func TestPublishedTextsStay(t *testing.T) {
	o := newOffice(t)
	v := o.publish(t, o.add(t, User, 1), "terms", 0)
	a := o.accept(t, engineer, v)
	for _, statement := range []string{
		"UPDATE agreement_text SET body = 'other'",
		"DELETE FROM agreement_text",
		"UPDATE agreement_acceptance SET hash = 'other'",
		"DELETE FROM agreement_acceptance",
	} {
		if o.try(t, statement) == nil {
			t.Errorf("%s changed what must stay", statement)
		}
	}
	if err := o.Withdraw(t.Context(), legal, v.ID, "wrong"); err != nil {
		t.Fatal(err)
	}
	again, err := o.Version(t.Context(), engineer, v.ID)
	if err != nil || again.Texts["en"].Body != "terms" || again.Texts["en"].Hash != a.Hash {
		t.Errorf("after the withdrawal the text is %+v, %v", again.Texts, err)
	}
}

// The gate asks for what is in force, for the person and for the organisation, and for nothing else.
func TestGate(t *testing.T) {
	o := newOffice(t)
	for _, who := range []access.Actor{owner, engineer, foreign, alone, legal} {
		if got := o.gate(t, who); got != "" {
			t.Fatalf("nothing is published, and the gate says %q", got)
		}
	}
	user := o.publish(t, o.add(t, User, 2), "for people", 0)
	org := o.publish(t, o.add(t, Organisation, 1, account.TerminalMaker), "for makers", 0)
	o.publish(t, o.add(t, Product, 3), "for products", 0)
	const (
		noUser = `"Terms of the user" / "条款" (version 1, by the user)`
		noOrg  = `"Terms of the organisation" / "条款" (version 1, by the organisation)`
	)
	step := func(name string, want map[string]string) {
		t.Helper()
		for login, who := range map[string]access.Actor{"owner": owner, "engineer": engineer, "foreign": foreign, "alone": alone} {
			if got := o.gate(t, who); got != want[login] {
				t.Errorf("%s, %s:\n got %q\nwant %q", name, login, got, want[login])
			}
		}
	}
	step("at first", map[string]string{
		"owner": "not accepted yet: " + noOrg + ", " + noUser, "engineer": "not accepted yet: " + noOrg + ", " + noUser,
		"foreign": "not accepted yet: " + noUser, "alone": "not accepted yet: " + noUser,
	})
	f := fault.Of(o.Gate(t.Context(), owner, access.ReadProduct))
	if f.Code != fault.Agreement || fmt.Sprint(f.Open) != fmt.Sprint([]string{org.Agreement, user.Agreement}) || f.Fix == "" {
		t.Errorf("the refusal is %+v", f)
	}
	for _, act := range []access.Act{"", access.AcceptAgreement, access.LeaveOrganisation, access.ReadJob, access.ExportAudit, access.ReadEnforcement, access.Appeal} {
		if err := o.Gate(t.Context(), owner, act); err != nil {
			t.Errorf("the gate stops %q: %v", act, err)
		}
	}
	token := engineer
	token.Kind, token.ID = access.KindToken, "token"
	if o.gate(t, token) == "" {
		t.Error("a token passes where its person does not")
	}
	for name, who := range map[string]access.Actor{
		"device": {Kind: access.KindDevice, ID: "d", Organisation: works}, "system": access.System("x", works), "clock": access.Clock("x", works), "staff": legal,
	} {
		if got := o.gate(t, who); got != "" {
			t.Errorf("the gate stops the %s: %s", name, got)
		}
	}
	o.accept(t, owner, org)
	step("the organisation accepted", map[string]string{
		"owner": "not accepted yet: " + noUser, "engineer": "not accepted yet: " + noUser, "foreign": "not accepted yet: " + noUser, "alone": "not accepted yet: " + noUser,
	})
	for _, who := range []access.Actor{owner, engineer, foreign} {
		o.accept(t, who, user)
	}
	step("people accepted", map[string]string{"alone": "not accepted yet: " + noUser})
}

// A new version is asked for ahead, and enforced from its date without anything running.
func TestNewVersion(t *testing.T) {
	o := newOffice(t)
	a := o.add(t, User, 1)
	first := o.publish(t, a, "first", 0)
	o.accept(t, engineer, first)
	o.accept(t, owner, first)
	second := o.publish(t, a, "second", day)
	d := o.outstanding(t, engineer)
	if len(d.Now) != 0 || len(d.Ahead) != 1 || d.Ahead[0].Version.ID != second.ID || d.Ahead[0].Hashes["en"] != second.Texts["en"].Hash {
		t.Fatalf("ahead of the date: %+v", d)
	}
	o.accept(t, owner, second)
	o.clock.pass(day - time.Second)
	if got := o.gate(t, engineer); got != "" { // believed from here for 5 s, were it not for the date
		t.Errorf("a second before: %q", got)
	}
	o.clock.pass(time.Second)
	if got, want := o.gate(t, engineer), `not accepted yet: "Terms of the user" / "条款" (version 2, by the user)`; got != want {
		t.Errorf("from the date on:\n got %q\nwant %q", got, want)
	}
	if got := o.gate(t, owner); got != "" {
		t.Errorf("who accepted ahead is asked again: %q", got)
	}
	_, err := o.Accept(t.Context(), engineer, answer(first))
	if got, want := text(err), "version 1 is superseded"; got != want {
		t.Errorf("accepting the old one:\n got %q\nwant %q", got, want)
	}
	if err := o.Withdraw(t.Context(), legal, second.ID, "wrong"); err != nil {
		t.Fatal(err)
	}
	if got := o.gate(t, engineer); got != "" {
		t.Errorf("after the withdrawal: %q", got)
	}
	if page, err := o.Set(t.Context(), listing.Ask{}); err != nil || page.Items[0].InForce != nil || page.Items[0].Ahead != nil {
		t.Errorf("after the withdrawal the old version is back: %+v, %v", page.Items, err)
	}
}

func TestAcceptRules(t *testing.T) {
	o := newOffice(t)
	user := o.publish(t, o.add(t, User, 2), "for people", 0)
	org := o.publish(t, o.add(t, Organisation, 1, account.TerminalMaker), "for makers", 0)
	product, err := o.Add(t.Context(), legal, NewAgreement{
		Precedence: 3, Names: both("Lights", "灯"), Prevails: both("x", "甲"), Subject: Product, Categories: []string{"light"},
	})
	if err != nil {
		t.Fatal(err)
	}
	terms := o.publish(t, product, "for lights", 0)
	draft, err := o.SetDraft(t.Context(), legal, user.Agreement, map[string]NewText{"en": {"x", ""}})
	if err != nil {
		t.Fatal(err)
	}
	change := func(v Version, with func(*Answer)) Answer {
		a := answer(v)
		with(&a)
		return a
	}
	scoped := engineer
	scoped.Kind, scoped.Scopes = access.KindToken, []access.Act{access.ReadProduct}
	for _, tt := range []struct {
		name string
		who  access.Actor
		in   Answer
		want string
	}{
		{"nobody", access.Actor{}, answer(user), "agreement.accept is not allowed: it needs a person who is signed in"},
		{"the platform", access.System("x", works), answer(user), "agreement.accept is not allowed: it needs a person who is signed in"},
		{"a scoped token", scoped, answer(user), "agreement.accept is not allowed: it needs a token with the scope agreement.accept"},
		{"no agreement", engineer, Answer{Agreement: "none"}, `there is no agreement "none"`},
		{"no version", engineer, change(user, func(a *Answer) { a.Number = 9 }), `there is no version "9"`},
		{"a draft", engineer, change(draft, func(a *Answer) { a.Number = 2 }), `there is no version "2"`},
		{"no language", engineer, change(user, func(a *Answer) { a.Lang = "fr" }), "/lang is fr, want zh-CN or en"},
		{"another text", engineer, change(user, func(a *Answer) { a.Hash = "abc" }), "/hash is abc, want the hash of the text that was read"},
		{"the other language's hash", engineer, change(user, func(a *Answer) { a.Lang = "zh-CN" }), "/hash is " + user.Texts["en"].Hash[:61] + "…, want the hash of the text that was read"},
		{"no owner", engineer, answer(org), "agreement.accept is not allowed: it needs role owner"},
		{"no organisation", access.Actor{Kind: access.KindUser, User: "x", Roles: []access.Role{access.Owner}}, answer(org), "the agreement is an organisation's to accept, and this session acts for none"},
		{"another kind", foreign, answer(org), "the agreement does not concern this organisation"},
		{"another category", owner, change(terms, func(a *Answer) { a.Product, a.Category = "p", "fan" }), "the agreement does not concern this product"},
		{"no product", owner, change(terms, func(a *Answer) { a.Category = "light" }), "/product is empty, want the id of a product"},
	} {
		before := o.count(t, "agreement_acceptance") + o.count(t, "agreement_person") + o.count(t, "audit_entry")
		_, err := o.Accept(t.Context(), tt.who, tt.in)
		if got := strings.Replace(text(err), user.Texts["en"].Hash, user.Texts["en"].Hash[:61]+"…", 1); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
		if _, err := o.Decline(t.Context(), tt.who, tt.in); err == nil {
			t.Errorf("%s: it can be declined", tt.name)
		}
		if after := o.count(t, "agreement_acceptance") + o.count(t, "agreement_person") + o.count(t, "audit_entry"); after != before {
			t.Errorf("%s: %d rows before, %d after", tt.name, before, after)
		}
	}
}

func TestGateProduct(t *testing.T) {
	o := newOffice(t)
	lights, err := o.Add(t.Context(), legal, NewAgreement{
		Precedence: 3, Names: both("Lights", "灯"), Prevails: both("x", "甲"), Subject: Product, Categories: []string{"light"}, Kinds: []account.Kind{account.TerminalMaker},
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(organisation, product, category string) (got string) {
		t.Helper()
		err := o.Store.Read(t.Context(), func(v *store.View) error {
			got = text(o.GateProduct(t.Context(), v, organisation, product, category))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := ask(works, "p1", "light"); got != "" {
		t.Errorf("before there are terms: %q", got)
	}
	v := o.publish(t, lights, "terms", 0)
	in := answer(v)
	in.Product, in.Category = "p1", "light"
	const missing = `not accepted yet: "Lights" / "灯" (version 1, by the product)`
	if got := ask(works, "p1", "light"); got != missing {
		t.Errorf("got %q, want %q", got, missing)
	}
	if _, err := o.Accept(t.Context(), owner, in); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ organisation, product, category, want string }{
		{works, "p1", "light", ""},
		{works, "p2", "light", missing},
		{works, "p2", "fan", ""},
		{chips, "p3", "light", ""},
	} {
		if got := ask(tt.organisation, tt.product, tt.category); got != tt.want {
			t.Errorf("%s of %s:\n got %q\nwant %q", tt.category, tt.organisation, got, tt.want)
		}
	}
}

func TestDecline(t *testing.T) {
	o := newOffice(t)
	org := o.publish(t, o.add(t, Organisation, 1), "for makers", 0)
	w, err := o.Decline(t.Context(), owner, answer(org))
	if err != nil || w.Export != "job-1" || w.Evidence.Decision != Declined || o.exports != 1 {
		t.Fatalf("declining: %+v, %v, %d exports", w, err, o.exports)
	}
	again, err := o.Decline(t.Context(), owner, answer(org))
	if err != nil || again.Evidence.ID != w.Evidence.ID || o.count(t, "agreement_acceptance") != 1 {
		t.Errorf("declining again: %+v, %v", again, err)
	}
	if d := o.outstanding(t, owner); len(d.Now) != 1 || !d.Now[0].Declined || !d.Now[0].May {
		t.Errorf("outstanding: %+v", d)
	}
	if o.gate(t, owner) == "" {
		t.Error("who declined passes the gate")
	}
	if d := o.outstanding(t, engineer); d.Now[0].May {
		t.Error("an engineer may accept for the organisation")
	}
	a := o.accept(t, owner, org)
	if same := o.accept(t, owner, org); same.ID != a.ID || o.count(t, "agreement_acceptance") != 2 {
		t.Errorf("accepting twice: %s and %s", a.ID, same.ID)
	}
	if o.gate(t, owner) != "" {
		t.Error("who accepted after all does not pass")
	}
	_, err = o.Decline(t.Context(), owner, answer(org))
	if got, want := text(err), "the version was accepted on "+a.At.Format(time.RFC3339); got != want {
		t.Errorf("declining after accepting:\n got %q\nwant %q", got, want)
	}
}

// The evidence survives its person, without telling who it was.
func TestEvidence(t *testing.T) {
	o := newOffice(t)
	user := o.publish(t, o.add(t, User, 2), "for people", 0)
	org := o.publish(t, o.add(t, Organisation, 1), "for makers", 0)
	o.accept(t, engineer, user)
	o.accept(t, owner, user)
	receipt := o.accept(t, owner, org)
	list := func(who access.Actor, filters map[string]string) []Acceptance {
		t.Helper()
		page, err := o.Acceptances(t.Context(), who, listing.Ask{Filters: filters})
		if err != nil {
			t.Fatal(err)
		}
		return page.Items
	}
	if got := list(legal, nil); len(got) != 3 || got[0].ID != receipt.ID || got[0].User != "ann" || got[0].Address != owner.From || got[0].Channel != "session" {
		t.Errorf("the manager sees %+v", got)
	}
	if got := list(owner, nil); len(got) != 1 || got[0].Organisation != works {
		t.Errorf("the owner sees %+v", got)
	}
	if got := list(owner, map[string]string{"person": Me}); len(got) != 2 || got[0].ID != receipt.ID || got[1].Person != receipt.Person || got[1].Organisation != "" {
		t.Errorf("the owner sees of what they decided %+v", got)
	}
	if got := list(engineer, nil); len(got) != 1 || got[0].User != "eve" {
		t.Errorf("the engineer sees %+v", got)
	}
	if got := list(alone, nil); len(got) != 0 {
		t.Errorf("somebody else sees %+v", got)
	}
	_, err := o.Acceptances(t.Context(), foreign, listing.Ask{Filters: map[string]string{"organisation": works}})
	if got, want := text(err), `there is no organisation "org-works"`; got != want {
		t.Errorf("a foreign owner:\n got %q\nwant %q", got, want)
	}
	for _, subject := range []struct {
		kind, id string
		holds    int64
	}{{"user", "ann", 3}, {"organisation", works, 0}, {"user", "eve", 2}, {"product", "p", 0}} {
		erase(t, o, subject.kind, subject.id, subject.holds)
	}
	got := list(legal, nil)
	if len(got) != 3 || got[0].ID != receipt.ID || got[0].Person != receipt.Person || got[0].Hash != receipt.Hash || got[0].User != "" || got[0].Address != "" {
		t.Errorf("after the deletion: %+v", got)
	}
}

func erase(t *testing.T, o *office, kind, id string, holds int64) {
	t.Helper()
	held := func() (n int64) {
		err := o.Store.Read(t.Context(), func(v *store.View) error {
			var err error
			n, err = o.Holds(t.Context(), v, kind, id)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := held(); n != holds {
		t.Errorf("%s %s: %d rows are held, want %d", kind, id, n, holds)
	}
	for more, turns := true, 0; more; turns++ {
		err := o.Store.Write(t.Context(), func(tx *store.Tx) error {
			var err error
			more, err = o.Erase(t.Context(), tx, kind, id, 1)
			return err
		})
		if err != nil || turns > 10 {
			t.Fatalf("erasing %s %s, turn %d: %v", kind, id, turns, err)
		}
	}
	if n := held(); n != 0 {
		t.Errorf("%s %s: %d rows are left", kind, id, n)
	}
}

// What was read before a change is not believed after it.
func TestVerdictsOfThePastAreNotKept(t *testing.T) {
	var v verdicts
	key := subject{"ann", works}
	now := time.Now()
	before := verdict{until: now.Add(believed), generation: v.now()}
	v.forget("ann", works)
	v.keep(key, before)
	if _, ok := v.find(key, now); ok {
		t.Error("a verdict from before the change is kept")
	}
	v.keep(key, verdict{until: now.Add(believed), generation: v.now()})
	if _, ok := v.find(key, now); !ok {
		t.Error("a verdict is not kept")
	}
	if _, ok := v.find(key, now.Add(believed)); ok {
		t.Error("a verdict is believed beyond its time")
	}
	for i := range maxVerdicts + 10 {
		v.keep(subject{user: fmt.Sprint(i)}, verdict{generation: v.now()})
	}
	if len(v.of) > maxVerdicts {
		t.Errorf("%d verdicts are kept", len(v.of))
	}
}

// Another process published: this one asks again after 5 s.
func TestGateSeesOtherProcesses(t *testing.T) {
	o := newOffice(t)
	a := o.add(t, User, 1)
	if o.gate(t, engineer) != "" {
		t.Fatal("nothing is published")
	}
	other := New(o.Config)
	other.now = o.clock.now
	(&office{Service: other, clock: o.clock}).publish(t, a, "terms", 0)
	o.clock.pass(believed)
	if o.gate(t, engineer) == "" {
		t.Error("5 s later the gate is still open")
	}
}

func BenchmarkGate(b *testing.B) {
	o := newOffice(b)
	o.now = time.Now
	o.accept(b, engineer, o.publish(b, o.add(b, User, 1), "terms", 0))
	b.Run("believed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := o.Gate(b.Context(), engineer, access.ReadProduct); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			o.verdicts.forgetAll()
			if err := o.Gate(b.Context(), engineer, access.ReadProduct); err != nil {
				b.Fatal(err)
			}
		}
	})
}
