package agreement

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

var pdf = []byte("%PDF-1.7\nthe household register of Mary Miller\n%%EOF\n")

func (o *office) ask(t testing.TB, who access.Actor) Consent {
	t.Helper()
	c, err := o.AskConsent(t.Context(), who, guardian())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// upload adds a paper to eve's consent.
func (o *office) upload(t testing.TB, consent string, kind PaperKind) Paper {
	t.Helper()
	p, err := o.Upload(t.Context(), engineer, consent, kind, "application/pdf", bytes.NewReader(pdf))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// held is how many files there are, and how many bytes count for a user.
func (o *office) held(t testing.TB, user string) string {
	t.Helper()
	files, err := o.files.List(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	var used int64
	err = o.Store.Read(t.Context(), func(v *store.View) error {
		return v.QueryRow(t.Context(), "SELECT COALESCE(SUM(used), 0) FROM quota_used WHERE subject_kind = 'user' AND subject = ? AND name = 'user_storage_bytes'", user).Scan(&used)
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d files, %d bytes", len(files), used)
}

func TestPapers(t *testing.T) {
	o := newOffice(t)
	c := o.ask(t, engineer)
	token := engineer
	token.Kind = access.KindToken
	tall := append(bytes.Clone(pdf), make([]byte, MaxPaper)...)
	for _, tt := range []struct {
		name     string
		who      access.Actor
		consent  string
		kind     PaperKind
		declared string
		body     []byte
		want     string
	}{
		{"a token", token, c.ID, Signed, "", pdf, "guardian.upload is not allowed: it needs a session opened with login and password"},
		{"another kind", engineer, c.ID, "photo", "", pdf, "/query/kind is photo, want consent or relation"},
		{"somebody else", owner, c.ID, Signed, "", pdf, `there is no consent "` + c.ID + `"`},
		{"a reviewer", judge, c.ID, Signed, "", pdf, "guardian.upload is not allowed: it needs the person whom the consent is for"},
		{"no consent", engineer, "none", Signed, "", pdf, `there is no consent "none"`},
		{"a drawing", engineer, c.ID, Signed, "", []byte("<svg></svg>"), "/paper is image/svg+xml, want a file of the type application/pdf or image/png or image/jpeg or image/webp"},
		{"nothing", engineer, c.ID, Signed, "", nil, "/paper is empty, want a file of the type application/pdf or image/png or image/jpeg or image/webp"},
		{"another type than said", engineer, c.ID, Signed, "image/png", pdf, "Content-Type is image/png, supported is application/pdf, which is what the bytes are"},
		{"too large", engineer, c.ID, Signed, "", tall, "/paper has 10485761 bytes, the most is 10485760"},
		{"at the limit", engineer, c.ID, Signed, "", tall[:MaxPaper], ""},
		{"as it is said to be", engineer, c.ID, Relationship, "application/pdf; charset=binary", pdf, ""},
	} {
		before := o.held(t, "eve")
		_, err := o.Upload(t.Context(), tt.who, tt.consent, tt.kind, tt.declared, bytes.NewReader(tt.body))
		if got := text(err); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
		if after := o.held(t, "eve"); tt.want != "" && after != before {
			t.Errorf("%s leaves %s, was %s", tt.name, after, before)
		}
	}
	if got, want := o.held(t, "eve"), fmt.Sprintf("2 files, %d bytes", MaxPaper+len(pdf)); got != want {
		t.Errorf("there are %s, want %s", got, want)
	}
	for range maxPapers - 1 {
		o.upload(t, c.ID, Relationship)
	}
	_, err := o.Upload(t.Context(), engineer, c.ID, Relationship, "", bytes.NewReader(pdf))
	if got, want := text(err), "papers relation is 5, the limit is 4 in a consent"; got != want {
		t.Errorf("one more:\n got %q\nwant %q", got, want)
	}
	first, err := o.Consent(t.Context(), engineer, c.ID)
	if err != nil || !first.Ready {
		t.Fatalf("%+v, %v", first, err)
	}
	if err := o.RemovePaper(t.Context(), engineer, c.ID, first.Papers[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := o.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := o.held(t, "eve"), fmt.Sprintf("4 files, %d bytes", 4*len(pdf)); got != want {
		t.Errorf("after one was removed there are %s, want %s", got, want)
	}
	if second, err := o.Consent(t.Context(), engineer, c.ID); err != nil || second.Ready || len(second.Papers) != 4 {
		t.Errorf("without what was signed it is %+v, %v", second, err)
	}
	for _, tt := range []struct {
		who      access.Actor
		consent  string
		id, want string
	}{
		{judge, c.ID, first.Papers[1].ID, "guardian.upload is not allowed: it needs the person whom the consent is for"},
		{owner, c.ID, first.Papers[1].ID, `there is no consent "` + c.ID + `"`},
		{engineer, c.ID, first.Papers[0].ID, `there is no paper "` + first.Papers[0].ID + `"`},
	} {
		if got := text(o.RemovePaper(t.Context(), tt.who, tt.consent, tt.id)); got != tt.want {
			t.Errorf("removing by %s:\n got %q\nwant %q", tt.who.User, got, tt.want)
		}
	}
}

// A paper is for the person and for reviewers, whose look is on record, and lies sealed.
func TestLookAtPaper(t *testing.T) {
	o := newOffice(t)
	c := o.ask(t, engineer)
	p := o.upload(t, c.ID, Relationship)
	for _, tt := range []struct {
		who     access.Actor
		entries int
		want    string
	}{
		{engineer, 0, ""},
		{judge, 1, ""},
		{owner, 0, `there is no consent "` + c.ID + `"`},
		{legal, 1, ""}, // admins review, too
	} {
		before := o.count(t, "audit_entry")
		found, r, err := o.LookAt(t.Context(), tt.who, c.ID, p.ID)
		if got := text(err); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.who.User, got, tt.want)
		}
		if n := o.count(t, "audit_entry") - before; n != tt.entries {
			t.Errorf("%s leaves %d entries, want %d", tt.who.User, n, tt.entries)
		}
		if err != nil {
			continue
		}
		b, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(b, pdf) || found.MediaType != blob.PDF {
			t.Errorf("%s reads %q of %+v, %v", tt.who.User, b, found, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := o.LookAt(t.Context(), judge, c.ID, "none"); text(err) != `there is no paper "none"` {
		t.Errorf("no paper: %v", err)
	}
	files, err := o.files.List(t.Context(), "", 10)
	if err != nil || len(files) != 1 {
		t.Fatalf("%+v, %v", files, err)
	}
	r, err := o.files.Open(t.Context(), files[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if b, err := io.ReadAll(r); err != nil || bytes.Contains(b, []byte("Mary")) {
		t.Errorf("the file tells %q, %v", b, err)
	}
}

// A reviewer confirms what they saw: both kinds of papers, and no others than those that are there.
func TestConfirmPapers(t *testing.T) {
	o := newOffice(t)
	c := o.ask(t, engineer)
	confirm := func(papers ...string) string {
		_, err := o.DecideConsent(t.Context(), judge, c.ID, ConsentDecision{Act: Confirm, Papers: papers})
		return text(err)
	}
	const missing = "what the guardian signed, or what shows the relationship, was not uploaded"
	stale := `consent "` + c.ID + `" was changed by somebody else meanwhile`
	if got := confirm(); got != missing {
		t.Errorf("without papers:\n got %q\nwant %q", got, missing)
	}
	signed := o.upload(t, c.ID, Signed).ID
	if got := confirm(signed); got != missing {
		t.Errorf("with one:\n got %q\nwant %q", got, missing)
	}
	waiting := func(want int) {
		t.Helper()
		page, err := o.Consents(t.Context(), judge, listing.Ask{Filters: map[string]string{"ready": "true"}})
		if err != nil || len(page.Items) != want {
			t.Errorf("%d wait for a reviewer, %v, want %d", len(page.Items), err, want)
		}
	}
	waiting(0)
	shown := o.upload(t, c.ID, Relationship).ID
	waiting(1)
	if err := o.RemovePaper(t.Context(), engineer, c.ID, shown); err != nil {
		t.Fatal(err)
	}
	waiting(0)
	other := o.upload(t, c.ID, Relationship).ID
	for _, seen := range [][]string{nil, {signed}, {signed, shown}, {signed, other, shown}, {signed, signed}} {
		if got := confirm(seen...); got != stale {
			t.Errorf("having seen %q:\n got %q\nwant %q", seen, got, stale)
		}
	}
	if got := confirm(other, signed); got != "" {
		t.Errorf("having seen both: %s", got)
	}
	waiting(0)
	if _, err := o.Upload(t.Context(), engineer, c.ID, Signed, "", bytes.NewReader(pdf)); text(err) != "changing the papers is not open in state confirmed" {
		t.Errorf("one more paper after that: %v", err)
	}
	if err := o.RemovePaper(t.Context(), engineer, c.ID, signed); text(err) != "changing the papers is not open in state confirmed" {
		t.Errorf("one paper less after that: %v", err)
	}
}

// The bytes of papers go with the end of the consent, however it ends; their hashes stay.
func TestPapersGoWithTheConsent(t *testing.T) {
	for _, act := range []ConsentAct{Refuse, WithdrawConsent} {
		o := newOffice(t)
		c := o.ask(t, engineer)
		p := o.upload(t, c.ID, Signed)
		if _, err := o.DecideConsent(t.Context(), judge, c.ID, ConsentDecision{Act: act, Reason: "it is not she"}); err != nil {
			t.Fatal(err)
		}
		if err := o.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := o.held(t, "eve"); got != "0 files, 0 bytes" {
			t.Errorf("%s leaves %s", act, got)
		}
		c, err := o.Consent(t.Context(), engineer, c.ID)
		if err != nil || len(c.Papers) != 1 || !c.Papers[0].Gone || c.Papers[0].SHA256 != p.SHA256 {
			t.Errorf("after %s: %+v, %v", act, c.Papers, err)
		}
		if _, _, err := o.LookAt(t.Context(), engineer, c.ID, p.ID); !fault.Is(err, fault.Lapsed) {
			t.Errorf("looking at it after %s: %v", act, err)
		}
	}
}

// Who is deleted leaves no paper, and no row that names them.
func TestPapersGoWithThePerson(t *testing.T) {
	o := newOffice(t)
	c := o.ask(t, engineer)
	o.upload(t, c.ID, Signed)
	o.upload(t, c.ID, Relationship)
	erase(t, o, "user", "eve", 3)
	if err := o.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := o.held(t, "nobody"); got != "0 files, 0 bytes" {
		t.Errorf("there are %s", got)
	}
	if n := o.count(t, "agreement_paper") + o.count(t, "agreement_waste"); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

// What a row names is not swept, and what none names is.
func TestPapersAreNotSwept(t *testing.T) {
	o := newOffice(t)
	o.upload(t, o.ask(t, engineer).ID, Signed)
	files, err := o.files.List(t.Context(), "", 10)
	if err != nil {
		t.Fatal(err)
	}
	named, err := o.Named(t.Context(), []string{"0197aaaa-0000-7000-8000-000000000000", files[0].ID})
	if err != nil || len(named) != 1 || named[0] != files[0].ID {
		t.Errorf("named are %q, %v", named, err)
	}
}

// The papers of a person count as their stored files, and what is beyond the limit leaves nothing.
func TestPapersCount(t *testing.T) {
	o := newOffice(t)
	c := o.ask(t, engineer)
	o.exec(t, "INSERT INTO quota_used (subject_kind, subject, name, since, used, told) VALUES ('user', 'eve', 'user_storage_bytes', 0, ?, 0)", 100<<20-len(pdf))
	o.upload(t, c.ID, Signed)
	before := o.held(t, "eve")
	_, err := o.Upload(t.Context(), engineer, c.ID, Signed, "", bytes.NewReader(pdf))
	if got, want := text(err), fmt.Sprintf("user_storage_bytes is %d, the limit is 104857600 bytes for each user", 100<<20+len(pdf)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if after := o.held(t, "eve"); after != before {
		t.Errorf("it leaves %s, was %s", after, before)
	}
}

// Two papers of one person come in at once, and no third.
func TestPapersAtOnce(t *testing.T) {
	o := newOffice(t)
	c := o.ask(t, engineer)
	for range blob.MaxAtOnceEach {
		if _, err := o.intake.Take("eve"); err != nil {
			t.Fatal(err)
		}
	}
	_, err := o.Upload(t.Context(), engineer, c.ID, Signed, "", bytes.NewReader(pdf))
	if got, want := text(err), "papers taken in at once is 3, the limit is 2 of a person"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A reviewer sees the contact masked, and in full only with the second factor and a reason, which is on record.
func TestReveal(t *testing.T) {
	o := newOffice(t)
	c := o.ask(t, engineer)
	const masked, whole = "m***@example.com", "mary@example.com"
	contact := func(who access.Actor) string {
		t.Helper()
		one, err := o.Consent(t.Context(), who, c.ID)
		page, listed := o.Consents(t.Context(), who, listing.Ask{Filters: map[string]string{"user": "eve"}})
		if err != nil || listed != nil || len(page.Items) != 1 || page.Items[0].Guardian != one.Guardian {
			t.Fatalf("%+v and %+v, %v, %v", one, page, err, listed)
		}
		return one.Guardian.Contact
	}
	if got := contact(engineer); got != whole {
		t.Errorf("the person sees %s", got)
	}
	if got := contact(judge); got != masked {
		t.Errorf("a reviewer sees %s", got)
	}
	proved := judge
	proved.Session, proved.Proved = "s", time.Now()
	for _, tt := range []struct {
		who    access.Actor
		reason string
		want   string
	}{
		{owner, "x", "verification.review is not allowed: it needs role admin or reviewer"},
		{judge, "x", "guardian.reveal shows secrets and needs a session in which the second factor was shown; a token has none"},
		{proved, "", "/reason is empty, want 1 to 1000 characters, no control characters"},
		{proved, "to call her", ""},
	} {
		before := o.count(t, "audit_entry")
		got, err := o.Reveal(t.Context(), tt.who, c.ID, tt.reason)
		if text(err) != tt.want {
			t.Errorf("%s because %q:\n got %q\nwant %q", tt.who.User, tt.reason, text(err), tt.want)
		}
		if n := o.count(t, "audit_entry") - before; (n == 1) != (tt.want == "") || err == nil && got.Guardian.Contact != whole || err != nil && strings.Contains(fmt.Sprint(got), whole) {
			t.Errorf("%s because %q: %+v and %d entries", tt.who.User, tt.reason, got, n)
		}
	}
	c, err := o.DecideConsent(t.Context(), judge, c.ID, ConsentDecision{Act: Refuse, Reason: "no"})
	if err != nil || c.Guardian.Contact != masked {
		t.Errorf("who refuses it is shown %+v, %v", c.Guardian, err)
	}
}
