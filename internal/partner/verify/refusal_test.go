package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store"
)

func TestListsAreIndexed(t *testing.T) {
	o := newOffice(t)
	listingtest.Prove(t, o.c.Store, queue())
	listingtest.Prove(t, o.c.Store, waiverList())
	listingtest.Prove(t, o.c.Store, submissions())
}

// sized is a PDF of n bytes.
func sized(n int) []byte { return append(bytes.Clone(pdf), make([]byte, n-len(pdf))...) }

func TestUpload(t *testing.T) {
	o := newOffice(t)
	licence := need()[0]
	for _, tt := range []struct {
		name string
		n    NewPaper
		body []byte
		want string
	}{
		{"at the limit", licence, sized(maxPaper), ""},
		{"one more", NewPaper{Slot: "other"}, sized(maxPaper + 1), "/paper has 10485761 bytes, the most is 10485760"},
		{"empty", NewPaper{Slot: "other"}, nil, "/paper is empty, want a file of the type application/pdf or image/png or image/jpeg or image/webp"},
		{"svg", NewPaper{Slot: "other"}, []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`), "/paper is image/svg+xml, want a file of the type application/pdf or image/png or image/jpeg or image/webp"},
		{"a program", NewPaper{Slot: "other"}, []byte("MZ\x90\x00"), "/paper is of another type, want a file of the type application/pdf or image/png or image/jpeg or image/webp"},
		{"html that calls itself PDF", NewPaper{Slot: "other", MediaType: "application/pdf"}, []byte("<!doctype html>"), "/paper is of another type, want a file of the type application/pdf or image/png or image/jpeg or image/webp"},
		{"PDF that calls itself PNG", NewPaper{Slot: "other", MediaType: "image/png"}, pdf, "Content-Type is image/png, supported is application/pdf, which is what the bytes are"},
		{"declared", NewPaper{Slot: "other", MediaType: "application/pdf; q=1"}, pdf, ""},
		{"second licence", licence, pdf, "papers business_licence is 2, the limit is 1 in a submission"},
		{"no number", NewPaper{Slot: "trademark"}, pdf, "/query/number is empty, want given for the paper trademark"},
		{"a number that nobody asks", NewPaper{Slot: "authorisation_letter", About: About{Number: "1"}}, pdf, "/query/number is given, want nothing for the paper authorisation_letter"},
		{"expired", NewPaper{Slot: "other", ValidUntil: "2026-11-26"}, pdf, "/query/valid_until is 2026-11-26, want a date to come: the paper has expired"},
		{"the last day", NewPaper{Slot: "other", ValidUntil: "2026-11-27"}, pdf, ""},
		{"not yet valid", NewPaper{Slot: "other", ValidFrom: "2026-11-28"}, pdf, "/query/valid_from is 2026-11-28, want a date that has begun"},
		{"no date", NewPaper{Slot: "other", ValidFrom: "yesterday"}, pdf, "/query/valid_from is yesterday, want a date as 2026-01-31"},
		{"backwards", NewPaper{Slot: "other", ValidFrom: "2026-11-27", ValidUntil: "2026-11-27"}, pdf, ""},
		{"no slot", NewPaper{Slot: "selfie"}, pdf, "/query/slot is selfie, want one of the 16 that GET /api/v1/verification/catalogue lists"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := o.number("SELECT COUNT(*) FROM verify_paper")
			_, err := o.Upload(t.Context(), owner, works, tt.n, bytes.NewReader(tt.body))
			if got := said(err); !strings.HasSuffix(got, tt.want) || (got == "") != (tt.want == "") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			files, err := o.files.List(t.Context(), "", 100)
			if n := o.number("SELECT COUNT(*) FROM verify_paper"); err != nil || int64(len(files)) != n || (n == before) != (tt.want != "") {
				t.Errorf("%d files, %d rows, were %d: %v", len(files), n, before, err)
			}
		})
	}
	if used, sum := o.number("SELECT used FROM quota_used WHERE name = 'storage_bytes'"), o.number("SELECT SUM(size) FROM verify_paper"); used != sum {
		t.Errorf("%d bytes are counted, %d are there", used, sum)
	}
}

func TestUploadBeyondStorage(t *testing.T) {
	o := newOffice(t)
	o.upload(NewPaper{Slot: "other"})
	o.exec("UPDATE quota_used SET used = ? WHERE name = 'storage_bytes'", int64(5<<30))
	_, err := o.Upload(t.Context(), owner, works, NewPaper{Slot: "other"}, bytes.NewReader(pdf))
	files, listed := o.files.List(t.Context(), "", 10)
	if !fault.Is(err, fault.OverLimit) || len(files) != 1 || listed != nil {
		t.Errorf("got %v and %d files, want a limit and the first", err, len(files))
	}
}

// broken is a body that breaks off.
type broken struct{ r io.Reader }

func (b broken) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func TestUploadThatBreaksOff(t *testing.T) {
	o := newOffice(t)
	_, err := o.Upload(t.Context(), owner, works, NewPaper{Slot: "other"}, broken{bytes.NewReader(sized(300_000))})
	files, listed := o.files.List(t.Context(), "", 10)
	if !errors.Is(err, io.ErrUnexpectedEOF) || len(files) != 0 || listed != nil || o.number("SELECT COUNT(*) FROM verify_paper") != 0 {
		t.Errorf("got %v and %d files", err, len(files))
	}
}

func TestUploadsAtOnce(t *testing.T) {
	o := newOffice(t)
	try := func() error {
		_, err := o.Upload(t.Context(), owner, works, NewPaper{Slot: "other"}, bytes.NewReader(pdf))
		return err
	}
	var leave []func()
	for i := range blob.MaxAtOnce {
		l, err := o.intake.Take(fmt.Sprint("another ", i/blob.MaxAtOnceEach))
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, l)
	}
	if err, want := try(), "32 papers are being taken in already"; said(err) != want || fault.Of(err).RetryAfter == 0 {
		t.Errorf("got %v, want %s", err, want)
	}
	for _, l := range leave[1:] {
		l()
	}
	for range blob.MaxAtOnceEach {
		if err := try(); err != nil {
			t.Errorf("while others wait: %v", err)
		}
		l, err := o.intake.Take(works)
		if err != nil {
			t.Fatal(err)
		}
		defer l()
	}
	if err, want := try(), "papers taken in at once is 3, the limit is 2 of an organisation"; said(err) != want || fault.Of(err).RetryAfter == 0 {
		t.Errorf("got %v, want %s", err, want)
	}
}

// drip gives a byte at each read, and each takes a second.
type drip struct {
	o *office
	n int
}

func (d *drip) Read(p []byte) (int, error) {
	d.o.clock.pass(time.Second)
	d.n++
	return copy(p, pdf[:1]), nil
}

func TestSlowUpload(t *testing.T) {
	o := newOffice(t)
	d := &drip{o: o}
	_, err := o.Upload(t.Context(), owner, works, NewPaper{Slot: "other"}, d)
	if want := "the paper comes too slowly: less than 64 KiB a second"; fault.Of(err) == nil || fault.Of(err).Sentence() != want || d.n > 12 {
		t.Errorf("after %d bytes: %v, want %s", d.n, err, want)
	}
	for range blob.MaxAtOnceEach {
		if _, err := o.intake.Take(works); err != nil {
			t.Errorf("it still counts: %v", err)
		}
	}
}

func TestLook(t *testing.T) {
	o := newOffice(t)
	p := o.upload(NewPaper{Slot: "other"})
	for _, tt := range []struct {
		who  access.Actor
		want string
	}{
		{owner, ""},
		{judge, ""},
		{admin, ""},
		{engineer, "verification.submit is not allowed: it needs role owner"},
		{support, "verification.review is not allowed: it needs role admin or reviewer"},
		{insider, "verification.review is not allowed: it needs a reviewer who is not a member of the organisation"},
		{foreign, `there is no paper "` + p.ID + `"`},
		{access.Actor{}, "nobody is signed in"},
	} {
		_, r, err := o.Look(t.Context(), tt.who, works, p.ID)
		if said(err) != tt.want {
			t.Errorf("%s\n got %q\nwant %q", tt.who.User, said(err), tt.want)
		}
		if err == nil && !bytes.Equal(readAll(t, r), pdf) {
			t.Errorf("%s sees other bytes", tt.who.User)
		}
	}
	if n := o.number("SELECT COUNT(*) FROM audit_entry WHERE act = 'verification.look'"); n != 2 {
		t.Errorf("%d looks of reviewers are recorded, want 2", n)
	}
	if _, _, err := o.Look(t.Context(), foreign, chips, p.ID); !fault.Is(err, fault.Missing) {
		t.Errorf("a foreign paper under one's own organisation: %v", err)
	}
}

func TestForm(t *testing.T) {
	o := newOffice(t)
	for _, tt := range []struct {
		form  Form
		name  string
		value string
		want  string
	}{
		{"company", "", "", "/form is company, want organisation or person"},
		{FormPerson, "legal_name", "灯火", "the field legal_name is of another form or for other kinds of organisations, want one of full_name, resident_id, contact_name, contact_phone, contact_email, website, brands"},
		{FormOrganisation, "tuned_protocols", "BLE", "the field tuned_protocols is of another form or for other kinds of organisations, want one of legal_name, unified_social_credit_code, organisation_type, founded_on, registered_address, legal_representative, legal_representative_id, contact_name, contact_phone, contact_email, website, brands"},
		{FormOrganisation, "legal_name", "灯", "/values/legal_name is 灯, want 2 to 100 characters"},
		{FormOrganisation, "contact_phone", "12345", "/values/contact_phone is 1****, want a phone number: + and country code, or a mainland number"},
		{FormOrganisation, "legal_name", "", ""},
	} {
		_, err := o.SetForm(t.Context(), owner, works, Draft{tt.form, map[string]string{tt.name: tt.value}})
		if tt.name == "" {
			_, err = o.SetForm(t.Context(), owner, works, Draft{Form: tt.form})
		}
		if said(err) != tt.want {
			t.Errorf("%s=%s\n got %q\nwant %q", tt.name, tt.value, said(err), tt.want)
		}
	}
}

// TestFormNamesAllThatIsWrong: of several wrong values each is named at once, and none of a form with one is kept.
func TestFormNamesAllThatIsWrong(t *testing.T) {
	o := newOffice(t)
	_, err := o.SetForm(t.Context(), owner, works, Draft{FormOrganisation, map[string]string{"legal_name": "灯", "contact_phone": "12345", "nonsense": "x", "contact_name": "王小明"}})
	wrong, _ := errors.AsType[Wrong](err)
	var places []string
	for _, f := range wrong {
		places = append(places, f.Where)
	}
	if want := []string{"/values/contact_phone", "/values/legal_name", "/values/nonsense"}; !slices.Equal(places, want) {
		t.Errorf("the refusal %v names %q, want %q", err, places, want)
	}
	if f := fault.Of(err); f == nil || f.Sentence() != "3 values of the form are wrong" {
		t.Errorf("the refusal says %v", err)
	}
}

func TestSubmitNamesWhatIsMissing(t *testing.T) {
	o := newOffice(t)
	submit := func() string {
		_, err := o.Submit(t.Context(), owner, works)
		return said(err)
	}
	if got, want := submit(), "the verification is not complete: form"; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q…", got, want)
	}
	v := values()
	delete(v, "brands")
	o.must(o.SetForm(t.Context(), owner, works, Draft{FormOrganisation, v}))
	if got, want := submit(), "the verification is not complete: field.brands, paper.business_licence, paper.authorisation_letter, paper.trademark missing"; got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	o.fill()
	for _, c := range []string{"paper.trademark", "field.brands"} {
		if _, err := o.Waive(t.Context(), judge, Waiver{Organisation: works, Condition: c, Reason: "a start-up", Wording: "豁免", Ends: o.now().Add(90 * day)}); err != nil {
			t.Fatal(err)
		}
	}
	w, err := o.Worksheet(t.Context(), owner, works)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range w.Papers {
		if p.Slot == "trademark" {
			if err := o.Remove(t.Context(), owner, works, p.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	o.must(o.SetForm(t.Context(), owner, works, Draft{FormOrganisation, v}))
	if got := submit(); got != "" {
		t.Errorf("what is waived is still asked for: %s", got)
	}
	if sub, err := o.Submission(t.Context(), judge, works, 1); err != nil || strings.Join(sub.Waived, " ") != "paper.trademark field.brands" {
		t.Errorf("the submission says waived: %v, %v", sub.Waived, err)
	}
}

func TestSubmitWithAPaperThatHasExpired(t *testing.T) {
	o := newOffice(t)
	o.fill()
	o.clock.pass(time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC).Sub(o.now()))
	_, err := o.Submit(t.Context(), owner, works)
	if want := "the paper trademark has expired on 2027-03-31: upload the renewed one"; said(err) != want {
		t.Errorf("got %q, want %q", said(err), want)
	}
}

// TestSnapshot changes everything after a submission: what was submitted stays.
func TestSnapshot(t *testing.T) {
	o := newOffice(t)
	o.fill()
	o.must(o.Submit(t.Context(), owner, works))
	before, err := o.Submission(t.Context(), judge, works, 1)
	if err != nil {
		t.Fatal(err)
	}
	v := values()
	v["brands"] = "别的牌子"
	v["contact_phone"] = "13900008000"
	o.must(o.SetForm(t.Context(), owner, works, Draft{FormOrganisation, v}))
	o.replace("trademark")
	after, err := o.Submission(t.Context(), judge, works, 1)
	if err != nil {
		t.Fatal(err)
	}
	if marshal(before.Values) != marshal(after.Values) || len(before.Papers) != 3 || listed(before.Papers, "trademark") != listed(after.Papers, "trademark") {
		t.Errorf("the submission was %v %d, is %v %d", before.Values, len(before.Papers), after.Values, len(after.Papers))
	}
	o.do(Reject)
	o.must(o.Submit(t.Context(), owner, works))
	sub, err := o.Submission(t.Context(), judge, works, 2)
	if err != nil {
		t.Fatal(err)
	}
	var changes []string
	for _, c := range sub.Changes {
		changes = append(changes, c.Where)
	}
	if got, want := strings.Join(changes, " "), "field.brands field.contact_phone paper.trademark"; got != want {
		t.Errorf("changes are %s, want %s", got, want)
	}
	if err := o.Remove(t.Context(), owner, works, listed(before.Papers, "trademark")); !fault.Is(err, fault.Clash) {
		t.Errorf("removing what was submitted: %v", err)
	}
}

func TestDecisions(t *testing.T) {
	o := newOffice(t)
	o.fill()
	o.must(o.Submit(t.Context(), owner, works))
	reasons := func(r ...Reason) Decision { return Decision{Submission: 1, Reasons: r} }
	for _, tt := range []struct {
		name string
		who  access.Actor
		d    Decision
		want string
	}{
		{"a member", insider, Decision{Submission: 1, Approve: true}, "verification.review is not allowed: it needs a reviewer who is not a member of the organisation"},
		{"its owner", owner, Decision{Submission: 1, Approve: true}, "verification.review is not allowed: it needs role admin or reviewer"},
		{"support", support, Decision{Submission: 1, Approve: true}, "verification.review is not allowed: it needs role admin or reviewer"},
		{"another number", judge, Decision{Submission: 2, Approve: true}, `there is no submission "2"`},
		{"no reason", judge, reasons(), "/reasons is 0, want at least one for a rejection, none for an approval"},
		{"a reason to approve", judge, Decision{Submission: 1, Approve: true, Reasons: []Reason{{Code: "other"}}}, "/reasons is 1, want at least one for a rejection, none for an approval"},
		{"no such reason", judge, reasons(Reason{Code: "ugly"}), "/reasons/0/code is ugly, want one of unreadable, wrong_paper, expired_paper, no_seal, mismatch, not_registered, incomplete, not_eligible, duplicate, other"},
		{"no such place", judge, reasons(Reason{Where: "paper.protocol_statement", Code: "unreadable"}), "/reasons/0/where is paper.protocol_statement, want one of the 23 that GET /api/v1/verification/catalogue lists; the nearest are paper.trademark, paper.telecom_licence, paper.radio_approval"},
		{"a reason for something else", judge, reasons(Reason{Where: "field.brands", Code: "no_seal"}), "/reasons/0/code is no_seal, want a reason for a field"},
		{"other without words", judge, reasons(Reason{Code: "other"}), "/reasons/0/text is empty, want the reason in words"},
		{"no such qualification", judge, Decision{Submission: 1, Approve: true, Decline: []string{"magic"}}, "/decline/0 is magic, want one of brand_use, bluetooth, radio, mains_power, public_service"},
		{"rejected", judge, reasons(Reason{Where: "paper.trademark", Code: "unreadable", Text: "页面缺失"}, Reason{Code: "other", Text: "x"}), ""},
		{"again by the same", judge, Decision{Submission: 1, Approve: true}, "approve is not open in state rejected"},
		{"again", second, Decision{Submission: 1, Approve: true}, `submission "1" was changed by somebody else meanwhile`},
	} {
		before := o.number("SELECT COUNT(*) FROM audit_entry")
		if _, err := o.Decide(t.Context(), tt.who, works, tt.d); said(err) != tt.want {
			t.Errorf("%s\n got %q\nwant %q", tt.name, said(err), tt.want)
		}
		if n := o.number("SELECT COUNT(*) FROM audit_entry") - before; (n == 0) != (tt.want != "") {
			t.Errorf("%s leaves %d audit entries", tt.name, n)
		}
	}
	sub, err := o.Submission(t.Context(), owner, works, 1)
	if err != nil || len(sub.Reasons) != 2 || sub.Reasons[0].Where != "paper.trademark" || sub.DecidedBy != "judge" {
		t.Errorf("the submission tells %+v, %v", sub.Reasons, err)
	}
	for lang, want := range map[string]string{
		"en":    "Registration of the trademark: It cannot be read 页面缺失; Another reason x",
		"zh-CN": "商标注册证：文件不清晰或无法打开 页面缺失；其他原因 x",
	} {
		if got := o.catalogue.said(sub.Reasons, lang); got != want {
			t.Errorf("in %s the organisation reads\n got %q\nwant %q", lang, got, want)
		}
	}
}

func TestApproveWithAPaperThatExpiredMeanwhile(t *testing.T) {
	o := newOffice(t)
	o.fill()
	o.must(o.Submit(t.Context(), owner, works))
	o.clock.pass(time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC).Sub(o.now()))
	_, err := o.Decide(t.Context(), judge, works, Decision{Submission: 1, Approve: true})
	if want := "a paper of the submission has expired on 2027-03-31 meanwhile: reject it with expired_paper"; said(err) != want {
		t.Errorf("got %q, want %q", said(err), want)
	}
}

func TestClaims(t *testing.T) {
	o := newOffice(t)
	o.fill()
	ctx := t.Context()
	claim := func(who access.Actor, user string) string {
		_, err := o.Claim(ctx, who, works, user)
		return said(err)
	}
	if got, want := claim(judge, ""), "claim is not open in state unverified"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	o.must(o.Submit(ctx, owner, works))
	const other = "another reviewer works on it, until 2026-11-27T17:00:00Z at the longest"
	for _, tt := range []struct{ got, want string }{
		{claim(insider, ""), "verification.review is not allowed: it needs a reviewer who is not a member of the organisation"},
		{claim(judge, "second"), "verification.review is not allowed: it needs role admin, to give it to somebody else"},
		{claim(owner, ""), "verification.review is not allowed: it needs role admin or reviewer"},
		{claim(admin, "nobody"), `there is no reviewer "nobody"`},
		{claim(admin, "ira"), "verification.review is not allowed: it needs a reviewer who is not a member of the organisation"},
		{claim(judge, ""), ""},
		{claim(judge, ""), ""},
		{claim(second, ""), other},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
	if _, err := o.Decide(ctx, second, works, Decision{Submission: 1, Approve: true}); said(err) != other {
		t.Errorf("got %q, want %q", said(err), other)
	}
	if _, err := o.Release(ctx, second, works); said(err) != other {
		t.Errorf("got %q, want %q", said(err), other)
	}
	o.must(o.Release(ctx, judge, works))
	if _, err := o.Release(ctx, judge, works); said(err) != "nobody works on it" || fmt.Sprint(fault.Of(err).Open) != "[approve reject revoke]" {
		t.Errorf("got %q, %v are open", said(err), fault.Of(err).Open)
	}
	o.must(o.Claim(ctx, admin, works, "judge"))
	o.clock.pass(claimTime)
	o.must(o.Decide(ctx, second, works, Decision{Submission: 1, Approve: true}))
}

func TestDemands(t *testing.T) {
	o := verified(t)
	o.clock.pass(time.Second)
	good := Demand{Act: AskRecheck, Text: "again", Papers: []string{"trademark"}, Due: o.now().Add(day), Consequence: LevelDrops}
	for _, tt := range []struct {
		change func(*Demand)
		want   string
	}{
		{func(d *Demand) { d.Act = Revoke }, "/act is revoke, want ask_recheck or ask_supplement"},
		{func(d *Demand) { d.Text = "" }, "/text is empty, want 1 to 2000 characters, no space around"},
		{func(d *Demand) { d.Consequence = "death" }, "/consequence is death, want level_drops or agreement_ends"},
		{func(d *Demand) { d.Due = o.now() }, "/due is 2026-11-27T09:00:01Z, want a time to come, within 366 days"},
		{func(d *Demand) { d.Due = o.now().Add(longestDue + time.Millisecond) }, "/due is 2027-11-28T09:00:01Z, want a time to come, within 366 days"},
		{func(d *Demand) { d.Papers = []string{"selfie"} }, "/papers/0 is selfie, want one of business_licence, authorisation_letter, quality_certificate, trademark, third_party_authorisation, bluetooth_membership, radio_approval, compulsory_certification, telecom_licence, security_grading, other"},
		{func(d *Demand) { d.Papers = make([]string, 41) }, "/papers is 41, the limit is 40"},
		{func(*Demand) {}, ""},
		{func(*Demand) {}, "ask_recheck is not open in state recheck"},
	} {
		d := good
		tt.change(&d)
		if _, err := o.Ask(t.Context(), judge, works, d); said(err) != tt.want {
			t.Errorf("got %q, want %q", said(err), tt.want)
		}
	}
	// the paper that is there already does not answer it
	if _, err := o.Submit(t.Context(), owner, works); said(err) != "the verification is not complete: paper.trademark missing" {
		t.Errorf("got %q", said(err))
	}
	o.replace("trademark")
	if c := o.must(o.Submit(t.Context(), owner, works)); c.State != Answered || o.level() != 2 {
		t.Errorf("answered, it is %s of level %d", c.State, o.level())
	}
	o.clock.pass(30 * day) // the date has passed: an answer in time is not late because its review is
	if o.tick(); o.level() != 2 {
		t.Error("an answer lost its level while it waits for its review")
	}
}

func TestFalsePapers(t *testing.T) {
	o := verified(t, NewPaper{Slot: "bluetooth_membership", About: About{Number: "1"}})
	if _, err := o.Waive(t.Context(), judge, Waiver{Organisation: works, Condition: "qualification.radio", Reason: "r", Wording: "w", Ends: o.now().Add(day)}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Revoke(t.Context(), judge, works, ""); said(err) != "/reason is empty, want 1 to 2000 characters, no space around" {
		t.Errorf("got %q", said(err))
	}
	o.must(o.Revoke(t.Context(), judge, works, "the licence is forged"))
	o.tick()
	if o.level() != 0 || len(o.enforced) != 1 || o.enforced[0].Kind != FalsePapers || o.enforced[0].Reason != "the licence is forged" {
		t.Errorf("level %d, consequences %+v", o.level(), o.enforced)
	}
	for _, q := range []string{"bluetooth", "radio"} {
		if holds, err := o.qualified(q); holds || err != nil {
			t.Errorf("%s is still held: %v", q, err)
		}
	}
	for _, tt := range []struct {
		do   func() error
		want string
	}{
		{func() error { _, err := o.Reinstate(t.Context(), judge, works, "x"); return err }, "reinstate is not allowed: it needs another reviewer than the one who revoked it"},
		{func() error { _, err := o.Submit(t.Context(), owner, works); return err }, "submit is not open in state revoked"},
		{func() error {
			_, err := o.Upload(t.Context(), owner, works, NewPaper{Slot: "other"}, bytes.NewReader(pdf))
			return err
		}, "upload is not open in state revoked"},
		{func() error {
			_, err := o.SetForm(t.Context(), owner, works, Draft{FormOrganisation, values()})
			return err
		}, "fill_in is not open in state revoked"},
	} {
		if err := tt.do(); said(err) != tt.want {
			t.Errorf("got %q, want %q", said(err), tt.want)
		}
	}
}

func (o *office) qualified(name string) (holds bool, err error) {
	err = o.c.Store.Read(o.t.Context(), func(v *store.View) (err error) {
		holds, err = o.Qualified(o.t.Context(), v, works, name)
		return err
	})
	return holds, err
}

func (o *office) require(names ...string) string {
	err := o.c.Store.Read(o.t.Context(), func(v *store.View) error { return o.Require(o.t.Context(), v, works, names...) })
	return said(err)
}

func TestQualifications(t *testing.T) {
	o := verified(t,
		NewPaper{Slot: "radio_approval", About: About{Number: "1", Issuer: "SRRC"}, ValidUntil: "2026-12-31"},
		NewPaper{Slot: "radio_approval", About: About{Number: "2", Issuer: "SRRC"}, ValidUntil: "2027-01-31"},
		NewPaper{Slot: "telecom_licence", About: About{Number: "2", Issuer: "MIIT"}, ValidUntil: "2027-01-31"})
	if got := o.level(); got != 3 {
		t.Errorf("with the approval of its radios it is of level %d, want 3", got)
	}
	const lacks = " is not allowed: it needs the qualification "
	if got, want := o.require("radio", "public_service"), "qualification public_service"+lacks+"public_service (对公众提供互联网服务 / Internet services to the public)"; got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if _, err := o.qualified("magic"); err == nil {
		t.Error("a qualification that there is not is asked for in vain")
	}
	o.told = nil
	o.clock.pass(time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC).Sub(o.now()) - time.Millisecond)
	if o.level() != 3 {
		t.Error("the last day of the second approval does not count")
	}
	o.clock.pass(time.Millisecond)
	if o.level() != 2 || o.require("radio") == "" {
		t.Error("the qualification outlives its papers")
	}
	o.tick()
	if got, want := strings.Join(o.told, ", "), "1 expiring 2027-03-31, 1 qualification_expired 2027-01-31"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
	err := o.c.Store.Read(t.Context(), func(v *store.View) error {
		return o.RequireLevel(t.Context(), v, works, access.IssueTriples, 3)
	})
	if want := "triple.issue is not allowed: it needs verification of level 3 (企业认证并具备量产资质 / Verified organisation with the qualification for mass production); it is verified, of level 2"; said(err) != want {
		t.Errorf("got %q\nwant %q", said(err), want)
	}
}

func TestDeclinedQualification(t *testing.T) {
	o := newOffice(t)
	o.fill(NewPaper{Slot: "bluetooth_membership", About: About{Number: "1"}})
	o.must(o.Submit(t.Context(), owner, works))
	o.must(o.Decide(t.Context(), judge, works, Decision{Submission: 1, Approve: true, Decline: []string{"bluetooth"}}))
	if holds, err := o.qualified("bluetooth"); holds || err != nil {
		t.Errorf("a declined qualification is held: %v", err)
	}
}

func TestWaivers(t *testing.T) {
	o := verified(t)
	ctx := t.Context()
	good := Waiver{Organisation: works, Condition: "qualification.radio", Reason: "uses a certified module", Wording: "豁免书第 1 号", Starts: o.now().Add(day), Ends: o.now().Add(3 * day)}
	for _, tt := range []struct {
		who    access.Actor
		change func(*Waiver)
		want   string
	}{
		{judge, func(w *Waiver) { w.Condition = "qualification.magic" }, "/condition is qualification.magic, want one of the 39 that GET /api/v1/verification/catalogue lists; the nearest are qualification.radio, qualification.brand_use, qualification.bluetooth"},
		{judge, func(w *Waiver) { w.Condition = "everything" }, "/condition is everything, want one of the 39 that GET /api/v1/verification/catalogue lists"},
		{judge, func(w *Waiver) { w.Reason = "" }, "/reason is empty, want 1 to 2000 characters, no space around"},
		{judge, func(w *Waiver) { w.Wording = "" }, "/wording is empty, want 1 to 8000 characters, no space around"},
		{judge, func(w *Waiver) { w.Ends = w.Starts }, "/ends_at is 2026-11-28T09:00:00Z, want a time later than the start, by two years at most"},
		{judge, func(w *Waiver) { w.Ends = w.Starts.Add(longestWaiver + time.Millisecond) }, "/ends_at is 2028-11-29T09:00:00Z, want a time later than the start, by two years at most"},
		{judge, func(w *Waiver) { w.Paper = "nothing" }, `there is no paper "nothing"`},
		{judge, func(w *Waiver) { w.Organisation = "none" }, `there is no organisation "none"`},
		{insider, func(*Waiver) {}, "verification.review is not allowed: it needs a reviewer who is not a member of the organisation"},
		{owner, func(*Waiver) {}, "verification.review is not allowed: it needs role admin or reviewer"},
	} {
		w := good
		tt.change(&w)
		if _, err := o.Waive(ctx, tt.who, w); said(err) != tt.want {
			t.Errorf("got %q, want %q", said(err), tt.want)
		}
	}
	w, err := o.Waive(ctx, judge, good)
	if err != nil {
		t.Fatal(err)
	}
	levels := func(want ...int) {
		t.Helper()
		for _, level := range want {
			if got := o.level(); got != level {
				t.Errorf("on %s the level is %d, want %d", o.now(), got, level)
			}
			o.clock.pass(day)
		}
	}
	levels(2, 3, 3, 2)
	good.Starts, good.Ends = time.Time{}, o.now().Add(9*day)
	if w, err = o.Waive(ctx, judge, good); err != nil || o.level() != 3 {
		t.Fatalf("a waiver from now on: level %d, %v", o.level(), err)
	}
	if _, err := o.RevokeWaiver(ctx, judge, chips, w.ID, "x"); !fault.Is(err, fault.Missing) {
		t.Errorf("revoking under another organisation: %v", err)
	}
	if _, err := o.RevokeWaiver(ctx, judge, works, w.ID, "not needed any more"); err != nil || o.level() != 2 {
		t.Errorf("revoked, the level is %d: %v", o.level(), err)
	}
	if _, err := o.RevokeWaiver(ctx, second, works, w.ID, "again"); said(err) != "the waiver has ended already" {
		t.Errorf("got %v", err)
	}
	page, err := o.Waivers(ctx, owner, listing.Ask{})
	if err != nil || len(page.Items) != 2 || page.Items[0].RevokedFor != "not needed any more" || page.Items[0].By != "judge" {
		t.Errorf("the organisation sees %+v, %v", page.Items, err)
	}
	if page, err = o.Waivers(ctx, foreign, listing.Ask{}); err != nil || len(page.Items) != 0 {
		t.Errorf("a stranger sees %+v, %v", page.Items, err)
	}
}

// TestForeign asks for everything of an organisation in the name of another.
func TestForeign(t *testing.T) {
	o := verified(t)
	ctx := t.Context()
	want := `there is no organisation "` + works + `"`
	for name, err := range map[string]error{
		"load":        second2(o.Load(ctx, foreign, works)),
		"worksheet":   second2(o.Worksheet(ctx, foreign, works)),
		"position":    second2(o.Position(ctx, foreign, works)),
		"form":        second2(o.SetForm(ctx, foreign, works, Draft{FormOrganisation, nil})),
		"upload":      second2(o.Upload(ctx, foreign, works, NewPaper{Slot: "other"}, bytes.NewReader(pdf))),
		"remove":      o.Remove(ctx, foreign, works, "x"),
		"submit":      second2(o.Submit(ctx, foreign, works)),
		"withdraw":    second2(o.Withdraw(ctx, foreign, works)),
		"submission":  second2(o.Submission(ctx, foreign, works, 1)),
		"submissions": second2(o.Submissions(ctx, foreign, works, listing.Ask{})),
		"waivers":     second2(o.Waivers(ctx, foreign, listing.Ask{Filters: map[string]string{"organisation": works}})),
	} {
		if said(err) != want {
			t.Errorf("%s: got %q, want %q", name, said(err), want)
		}
	}
	if _, err := o.Queue(ctx, owner, listing.Ask{}); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("the queue of reviewers, to an owner: %v", err)
	}
	if _, err := o.Figures(ctx, owner); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("the figures of reviewers, to an owner: %v", err)
	}
}

func second2[T any](_ T, err error) error { return err }

func TestQueue(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	o.fill()
	o.must(o.Submit(ctx, owner, works))
	o.must(o.SetForm(ctx, foreign, chips, Draft{Form: FormPerson, Values: map[string]string{"full_name": "Bob"}}))
	o.clock.pass(2 * day)
	for _, tt := range []struct {
		filters map[string]string
		sort    string
		want    int
	}{
		{nil, "", 2},
		{map[string]string{"state": "pending"}, "submitted_at", 1},
		{map[string]string{"state": "pending", "kind": "terminal_maker", "form": "organisation"}, "-submitted_at", 1},
		{map[string]string{"state": "pending", "kind": "chip_maker"}, "submitted_at", 0},
		{map[string]string{"state": "unverified"}, "due_at", 1},
		{map[string]string{"reviewer": "judge"}, "submitted_at", 0},
	} {
		page, err := o.Queue(ctx, judge, listing.Ask{Filters: tt.filters, Sort: tt.sort})
		if err != nil || len(page.Items) != tt.want {
			t.Errorf("%v by %s: %d, want %d: %v", tt.filters, tt.sort, len(page.Items), tt.want, err)
		}
	}
	if _, err := o.Queue(ctx, judge, listing.Ask{Filters: map[string]string{"form": "person"}}); !fault.Is(err, fault.NotSupported) {
		t.Errorf("a combination without an index: %v", err)
	}
	f, err := o.Figures(ctx, judge)
	if err != nil || f.States[Pending] != 1 || f.States[Unverified] != 1 || f.Waiting[1] != (Age{3, 1}) || !o.now().Equal(f.Oldest.Add(2*day)) {
		t.Errorf("figures are %+v, %v", f, err)
	}
}

// TestNobodyWithoutARole does everything in a role that may not.
func TestNobodyWithoutARole(t *testing.T) {
	o := newOffice(t)
	for name, err := range map[string]error{
		"submit as engineer":     second2(o.Submit(t.Context(), engineer, works)),
		"form as engineer":       second2(o.SetForm(t.Context(), engineer, works, Draft{Form: FormPerson})),
		"upload as engineer":     second2(o.Upload(t.Context(), engineer, works, NewPaper{Slot: "other"}, bytes.NewReader(pdf))),
		"remove as engineer":     o.Remove(t.Context(), engineer, works, "x"),
		"reveal as owner":        second2(o.Reveal(t.Context(), owner, works, 1, "x")),
		"ask as owner":           second2(o.Ask(t.Context(), owner, works, Demand{Act: AskRecheck})),
		"clear as owner":         second2(o.Clear(t.Context(), owner, works, "x")),
		"revoke as owner":        second2(o.Revoke(t.Context(), owner, works, "x")),
		"reinstate as owner":     second2(o.Reinstate(t.Context(), owner, works, "x")),
		"release as owner":       second2(o.Release(t.Context(), owner, works)),
		"revoke waiver as owner": second2(o.RevokeWaiver(t.Context(), owner, works, "x", "x")),
		"submit as reviewer":     second2(o.Submit(t.Context(), judge, works)),
	} {
		if !fault.Is(err, fault.NotAllowed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := o.Load(context.Background(), access.Actor{}, works); !fault.Is(err, fault.NoActor) {
		t.Errorf("nobody: %v", err)
	}
}
