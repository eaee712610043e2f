package agreement

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

func guardian() NewConsent {
	return NewConsent{Guardian: Guardian{Name: "Mary Miller", Relation: "mother", Contact: "mary@example.com"}, Lang: "en"}
}

func TestGuardianIsAskedFor(t *testing.T) {
	o := newOffice(t)
	if got := o.gate(t, engineer); got != "" {
		t.Fatalf("a grown-up is stopped: %q", got)
	}
	o.minors["eve"] = "never"
	o.clock.pass(believed)
	if got, want := o.gate(t, engineer), "a guardian's consent is missing"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c, err := o.AskConsent(t.Context(), engineer, guardian())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := o.gate(t, engineer), "a guardian's consent waits for its confirmation"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	seen := []string{o.upload(t, c.ID, Signed).ID, o.upload(t, c.ID, Relationship).ID}
	if c, err = o.DecideConsent(t.Context(), judge, c.ID, ConsentDecision{Act: Confirm, Papers: seen}); err != nil || c.ConfirmedBy != "reviewer" || c.Guardian.Name != "Mary Miller" {
		t.Fatalf("confirming: %+v, %v", c, err)
	}
	if got := o.gate(t, engineer); got != "" {
		t.Errorf("with the consent: %q", got)
	}
	if _, err = o.DecideConsent(t.Context(), engineer, c.ID, ConsentDecision{Act: WithdrawConsent, Reason: "she changed her mind"}); err != nil {
		t.Fatal(err)
	}
	if got, want := o.gate(t, engineer), "a guardian's consent is missing"; got != want {
		t.Errorf("after its withdrawal: got %q, want %q", got, want)
	}
}

// TestAReviewerEndsMinority lets a reviewer say of somebody who signed up as a minor that they are none any more.
func TestAReviewerEndsMinority(t *testing.T) {
	o := newOffice(t)
	o.exec(t, `INSERT INTO account_user (id, login, login_key, email, password, platform_role, state, created_at, password_at)
		VALUES ('eve', 'eve', 'eve', '', '', '', 'active', 1, 1)`)
	o.minors["eve"] = "never"
	if got, want := o.gate(t, engineer), "a guardian's consent is missing"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := o.DeclareCapacity(t.Context(), judge, "eve", Capacity{Reason: "her identity card"}); err != nil {
		t.Fatal(err)
	}
	if got := o.gate(t, engineer); got != "" {
		t.Errorf("of age: %q", got)
	}
	if err := o.DeclareCapacity(t.Context(), judge, "eve", Capacity{NeedsGuardian: true, Reason: "the card was another's"}); err != nil {
		t.Fatal(err)
	}
	if got, want := o.gate(t, engineer), "a guardian's consent is missing"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestGuardianIsAnother refuses a person who names themselves as their guardian.
func TestGuardianIsAnother(t *testing.T) {
	o := newOffice(t)
	o.Owns = func(_ context.Context, _ store.Querier, user, contact string) (bool, error) {
		return user == "eve" && contact == "mary@example.com", nil
	}
	_, err := o.AskConsent(t.Context(), engineer, guardian())
	if want := "/contact is the person's own, want the guardian's own e-mail address or phone number"; text(err) != want || o.count(t, "agreement_guardian") != 0 {
		t.Errorf("got %q, want %q", text(err), want)
	}
	n := guardian()
	n.Contact = "maria@example.com"
	if _, err := o.AskConsent(t.Context(), engineer, n); err != nil {
		t.Error(err)
	}
}

func TestConsentRules(t *testing.T) {
	o := newOffice(t)
	with := func(change func(*NewConsent)) NewConsent {
		n := guardian()
		change(&n)
		return n
	}
	token := engineer
	token.Kind = access.KindToken
	for _, tt := range []struct {
		who  access.Actor
		n    NewConsent
		want string
	}{
		{token, guardian(), "guardian.ask is not allowed: it needs a session opened with login and password"},
		{engineer, with(func(n *NewConsent) { n.Name = "" }), "/name is 0 characters, want 1 to 100 characters, no control characters"},
		{engineer, with(func(n *NewConsent) { n.Relation = "" }), "/relation is 0 characters, want 1 to 50 characters, no control characters"},
		{engineer, with(func(n *NewConsent) { n.Contact = "a\nb" }), "/contact is 3 characters, want 1 to 254 characters, no control characters"},
		{engineer, with(func(n *NewConsent) { n.Lang = "fr" }), "/lang is fr, want zh-CN or en"},
		{engineer, guardian(), ""},
		{engineer, guardian(), "a consent is requested already"},
	} {
		before := o.count(t, "agreement_guardian") + o.count(t, "audit_entry")
		_, err := o.AskConsent(t.Context(), tt.who, tt.n)
		if got := text(err); got != tt.want {
			t.Errorf("%+v\n got %q\nwant %q", tt.n, got, tt.want)
		}
		if fault.Is(err, fault.Clash) && fmt.Sprint(fault.Of(err).Open) != "[prove withdraw]" {
			t.Errorf("beside the other consent %v are open", fault.Of(err).Open)
		}
		if after := o.count(t, "agreement_guardian") + o.count(t, "audit_entry"); tt.want != "" && after != before {
			t.Errorf("%+v: %d rows before, %d after", tt.n, before, after)
		}
	}
	o.Send = nil
	_, err := o.AskConsent(t.Context(), owner, with(func(n *NewConsent) { n.SendCode = true }))
	if got, want := text(err), "/send_code is true, supported is a signed paper that a reviewer confirms: this platform sends no messages"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestConsentByCode(t *testing.T) {
	o := newOffice(t)
	n := guardian()
	n.SendCode = true
	ask := func() Consent {
		t.Helper()
		c, err := o.AskConsent(t.Context(), engineer, n)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	prove := func(who access.Actor, c Consent, code string) string {
		t.Helper()
		_, err := o.ProveConsent(t.Context(), who, c.ID, code)
		return text(err)
	}
	c := ask()
	if o.sent[0] != "mary@example.com" || len(o.sent[1]) != 8 {
		t.Fatalf("sent %q", o.sent)
	}
	var sealed []byte
	if err := o.Store.Read(t.Context(), func(v *store.View) error {
		return v.QueryRow(t.Context(), "SELECT sealed FROM agreement_guardian").Scan(&sealed)
	}); err != nil || bytes.Contains(sealed, []byte("Mary")) || bytes.Contains(sealed, []byte(o.sent[1])) {
		t.Errorf("the row tells %q, %v", sealed, err)
	}
	for _, tt := range []struct {
		name string
		who  access.Actor
		code string
		want string
	}{
		{"somebody else", owner, o.sent[1], `there is no consent "` + c.ID + `"`},
		{"a reviewer", judge, o.sent[1], "guardian.prove is not allowed: it needs the person whom the consent is for"},
		{"wrong", engineer, "0", "/code is another, want the code that the guardian got"},
		{"wrong", engineer, "", "/code is another, want the code that the guardian got"},
		{"wrong", engineer, "1", "/code is another, want the code that the guardian got"},
		{"wrong", engineer, "2", "/code is another, want the code that the guardian got"},
		{"right at the last try", engineer, o.sent[1], ""},
		{"again", engineer, o.sent[1], "prove is not open in state confirmed"},
	} {
		if got := prove(tt.who, c, tt.code); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
	decide := func(who access.Actor, c Consent, act ConsentAct, reason string) string {
		_, err := o.DecideConsent(t.Context(), who, c.ID, ConsentDecision{Act: act, Reason: reason})
		return text(err)
	}
	if got := decide(judge, c, WithdrawConsent, "the guardian wrote"); got != "" {
		t.Fatal(got)
	}
	c = ask()
	for range codeTries {
		prove(engineer, c, "0")
	}
	if got, want := prove(engineer, c, o.sent[1]), "number of wrong codes is 5, the limit is 5"; got != want {
		t.Errorf("after five: got %q, want %q", got, want)
	}
	for _, tt := range []struct {
		who    access.Actor
		act    ConsentAct
		reason string
		want   string
	}{
		{engineer, Confirm, "", "confirm is not allowed: it needs another role"},
		{engineer, Refuse, "no", "refuse is not allowed: it needs another role"},
		{judge, Lapse, "x", "/act is lapse, want confirm, refuse or withdraw"},
		{judge, Prove, "", "/act is prove, want confirm, refuse or withdraw"},
		{judge, Refuse, "", "/reason is empty, want 1 to 1000 characters, no control characters"},
		{judge, Refuse, "no such person", ""},
		{judge, Confirm, "", "confirm is not open in state refused"},
	} {
		if got := decide(tt.who, c, tt.act, tt.reason); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.act, got, tt.want)
		}
	}
	self := engineer
	self.Roles, self.Strong = append(self.Roles, access.Reviewer), true
	c = ask()
	if got, want := decide(self, c, Confirm, ""), "guardian.confirm is not allowed: it needs another reviewer than the person whom the consent is for"; got != want {
		t.Errorf("one's own reviewer: got %q, want %q", got, want)
	}
	o.clock.pass(codeLife)
	if got, want := prove(engineer, c, o.sent[1]), `code of consent "`+c.ID+`" has expired`; got != want {
		t.Errorf("a day later: got %q, want %q", got, want)
	}
	page, err := o.Consents(t.Context(), engineer, listing.Ask{})
	if err != nil || len(page.Items) != 3 || page.Items[0].Guardian.Contact != "mary@example.com" {
		t.Errorf("the person sees %+v, %v", page.Items, err)
	}
	if page, err = o.Consents(t.Context(), owner, listing.Ask{}); err != nil || len(page.Items) != 0 {
		t.Errorf("somebody else sees %+v, %v", page.Items, err)
	}
	if page, err = o.Consents(t.Context(), judge, listing.Ask{Filters: map[string]string{"state": "refused"}}); err != nil || len(page.Items) != 1 {
		t.Errorf("a reviewer sees %+v, %v", page.Items, err)
	}
	_, err = o.Consents(t.Context(), owner, listing.Ask{Filters: map[string]string{"user": "eve"}})
	if got, want := text(err), `there is no user "eve"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	erase(t, o, "user", "eve", 3)
}

func TestCapacity(t *testing.T) {
	o := newOffice(t)
	for _, user := range []string{"eve", "judge"} {
		o.exec(t, `INSERT INTO account_user (id, login, login_key, email, password, platform_role, state, created_at, password_at)
			VALUES (?, ?, ?, '', '', '', 'active', 1, 1)`, user, user, user)
	}
	for _, tt := range []struct {
		who    access.Actor
		user   string
		needs  bool
		reason string
		want   string
	}{
		{access.System("x", ""), "eve", true, "x", "capacity.declare is not allowed: it needs a person who is signed in"},
		{owner, "eve", true, "x", `there is no user "eve"`},
		{judge, "none", true, "x", `there is no user "none"`},
		{judge, "eve", true, "", "/reason is empty, want 1 to 1000 characters, no control characters"},
		{engineer, "eve", true, "I am 17", ""},
		{engineer, "eve", false, "I am 18", "capacity.declare is not allowed: it needs a reviewer, and another than the person"},
		{judge, "judge", false, "x", "capacity.declare is not allowed: it needs a reviewer, and another than the person"},
	} {
		before := o.count(t, "audit_entry")
		if got := text(o.DeclareCapacity(t.Context(), tt.who, tt.user, Capacity{NeedsGuardian: tt.needs, Reason: tt.reason})); got != tt.want {
			t.Errorf("%s of %s:\n got %q\nwant %q", tt.who.User, tt.user, got, tt.want)
		}
		if after := o.count(t, "audit_entry"); tt.want != "" && after != before || tt.want == "" && after != before+1 {
			t.Errorf("%s of %s: %d entries before, %d after", tt.who.User, tt.user, before, after)
		}
	}
	if got, want := o.gate(t, engineer), "a guardian's consent is missing"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := o.DeclareCapacity(t.Context(), judge, "eve", Capacity{Reason: "born in 2001, seen on paper"}); err != nil {
		t.Fatal(err)
	}
	if got := o.gate(t, engineer); got != "" {
		t.Errorf("after the review: %q", got)
	}
}
