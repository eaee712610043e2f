package account

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
)

// A postman keeps what leaves, by recipient.
type postman struct {
	mu  sync.Mutex
	got map[string][]string
}

func (p *postman) Send(_ context.Context, m outbox.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.got == nil {
		p.got = make(map[string][]string)
	}
	p.got[m.To] = append(p.got[m.To], m.Body)
	return nil
}

// A village is a town with a post office.
type village struct {
	*town
	post *postman
}

func newVillage(t *testing.T) *village {
	t.Helper()
	v := &village{newTown(t), &postman{}}
	v.outbox = outbox.New(v.store, map[string]outbox.Sender{outbox.Mail: v.post, outbox.SMS: v.post}, nil, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() { _ = v.outbox.Run(ctx) })
	t.Cleanup(func() { stop(); wg.Wait() })
	return v
}

// letter waits for the nth message to a recipient.
func (v *village) letter(t *testing.T, to string, n int) string {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		v.post.mu.Lock()
		all := v.post.got[to]
		v.post.mu.Unlock()
		if len(all) >= n {
			return all[n-1]
		}
	}
	t.Fatalf("no message %d to %s", n, to)
	return ""
}

var (
	coded  = regexp.MustCompile(`\b[a-z2-7]{4}-[a-z2-7]{4}\b`)
	sealed = regexp.MustCompile(`\b[a-z2-7]{16}$`)
)

func codeIn(form *regexp.Regexp, text string) Code { return Code{hide(form.FindString(text))} }

// ask asks for a code to sign up with, and reads it.
func (v *village) ask(t *testing.T, contact string, n int) (id string, code Code) {
	t.Helper()
	a, err := v.AskSignUp(t.Context(), contact, home, "en")
	if err != nil {
		t.Fatal(err)
	}
	return a.ID, codeIn(coded, v.letter(t, contact, n))
}

const badContactCode = "the code is wrong, too old, or was used before"

func TestSignUp(t *testing.T) {
	v := newVillage(t)
	id, code := v.ask(t, "eve@example.com", 1)
	in := SignUp{
		User: NewUser{Login: "eve", Password: NewPassword(good)}, Code: id, Proof: code, From: home,
		Organisation: &NewOrganisation{Names: Names{"en": "Eve"}, Kinds: []Kind{ModuleMaker}}, Person: true,
		BirthDate: v.clock.now().AddDate(-fullAge, 0, 1),
	}
	u, err := v.SignUp(t.Context(), in)
	if err != nil || !u.Minor {
		t.Fatalf("signing up: %+v, %v", u, err)
	}
	if got := v.newest(t); got != "user.sign_up of "+u.ID+" by "+u.ID {
		t.Errorf("the audit says %s", got)
	}
	s := v.login(t, "eve")
	if s.Actor.Organisation == "" || !s.Actor.Has(access.Owner) {
		t.Errorf("eve acts as %+v", s.Actor)
	}
	o, err := v.Organisation(t.Context(), s.Actor, s.Actor.Organisation)
	if err != nil || o.Form != FormPerson {
		t.Errorf("the organisation is %+v, %v", o, err)
	}
	if all, err := v.Contacts(t.Context(), s.Actor); err != nil || len(all) != 1 || all[0].Address != "eve@example.com" {
		t.Errorf("contacts %+v, %v", all, err)
	}
	err = v.store.Read(t.Context(), func(q *store.View) error {
		minor, month, err := v.Minor(t.Context(), q, u.ID)
		if want := MonthOf(v.clock.now().AddDate(0, 0, 1)); !minor || month != want {
			t.Errorf("minor %t, of age in %q, want %q", minor, month, want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.SignUp(t.Context(), in); text(err) != badContactCode {
		t.Errorf("with the same code again: %v", err)
	}
}

// TestOneCodeTriesThreeNames: whoever is told that a login is taken takes another, and has used the code up with the third.
func TestOneCodeTriesThreeNames(t *testing.T) {
	v := newVillage(t)
	id, code := v.ask(t, "eve@example.com", 1)
	try := func(login string) string {
		_, err := v.SignUp(t.Context(), SignUp{User: NewUser{Login: login, Password: NewPassword(good)}, Code: id, Proof: code, From: home})
		return text(err)
	}
	for range 2 {
		if got, want := try("ann"), "the login ann is taken"; got != want {
			t.Errorf("got %q\nwant %q", got, want)
		}
	}
	if got := try("eve"); got != "" {
		t.Errorf("the same code for another name: %q", got)
	}
	id, code = v.ask(t, "zoe@example.com", 1)
	for range maxTaken {
		if got, want := try("ann"), "the login ann is taken"; got != want {
			t.Errorf("got %q\nwant %q", got, want)
		}
	}
	if got := try("zoe"); got != badContactCode {
		t.Errorf("the same code for a fourth name: %q\nwant %q", got, badContactCode)
	}
}

// TestInvitingTellsNotWhoExists: a login that nobody has is answered as one that somebody has.
func TestInvitingTellsNotWhoExists(t *testing.T) {
	v := newVillage(t)
	bob := v.user(t, "bob")
	for _, login := range []string{"bob", "nobody"} {
		i, err := v.Invite(t.Context(), v.owner, v.org.ID, NewInvitation{Login: login, Role: access.Query})
		if err != nil || i.Kind != byUser || len(i.To) != len(bob.ID) || i.State != "open" {
			t.Errorf("inviting %s gives %+v, %v", login, i, err)
		}
	}
	if page, err := v.Invitations(t.Context(), v.owner, v.org.ID, listing.Ask{}); err != nil || len(page.Items) != 2 {
		t.Errorf("%d invitations, %v", len(page.Items), err)
	}
}

func TestSignUpRules(t *testing.T) {
	v := newVillage(t)
	now := v.clock.now()
	person := &NewOrganisation{Names: Names{"en": "x"}, Kinds: []Kind{ChipMaker}}
	for _, tt := range []struct {
		in   SignUp
		want string
	}{
		{SignUp{User: NewUser{Login: "x", Password: NewPassword(good)}}, "/login is x, want 3 to 64 letters, digits or . _ - @ +"},
		{SignUp{User: NewUser{Login: "eve", Password: NewPassword("short")}}, "/password is 5 characters, want 10 to 256 characters, no control characters"},
		{SignUp{User: NewUser{Login: "eve", Password: NewPassword(good)}, Person: true, Organisation: person}, "/birth_date is empty, want the date on which a person on their own was born"},
		{SignUp{User: NewUser{Login: "eve", Password: NewPassword(good)}, Person: true, BirthDate: now.AddDate(-30, 0, 0)}, "/organisation is none, want names and kinds of what the person works as"},
		{SignUp{User: NewUser{Login: "eve", Password: NewPassword(good)}, Organisation: &NewOrganisation{}}, `/names is no name, want a name in "zh-CN" or "en"`},
		{SignUp{User: NewUser{Login: "eve", Password: NewPassword(good)}, Code: "none"}, badContactCode},
	} {
		before := v.entries(t)
		if _, err := v.SignUp(t.Context(), tt.in); text(err) != tt.want {
			t.Errorf("%+v:\n got %q\nwant %q", tt.in.User.Login, text(err), tt.want)
		}
		if v.entries(t) != before {
			t.Errorf("%q left an audit entry", tt.want)
		}
	}
	for _, contact := range []string{"", "nobody", "+12", "+86 138 x", "a@b@c", "13800000000"} {
		if _, err := v.AskSignUp(t.Context(), contact, away, ""); !fault.Is(err, fault.Malformed) {
			t.Errorf("contact %q: %v", contact, err)
		}
	}
	v.closed = true
	if _, err := v.AskSignUp(t.Context(), "eve@example.com", home, ""); text(err) != "user.sign_up is not allowed: it needs an operator who makes the account, or an invitation" {
		t.Errorf("closed: %v", err)
	}
}

// TestContactTellsNothing: a contact that has an account and one that has none get the same answer; the difference is in
// the message, and no code is right where there must not be one.
func TestContactTellsNothing(t *testing.T) {
	v := newVillage(t)
	id, code := v.ask(t, "eve@example.com", 1)
	if _, err := v.SignUp(t.Context(), SignUp{User: NewUser{Login: "eve", Password: NewPassword(good)}, Code: id, Proof: code, From: home}); err != nil {
		t.Fatal(err)
	}
	if a, err := v.AskSignUp(t.Context(), "EVE@example.com", home, "zh-CN"); err != nil || a.ID == "" {
		t.Errorf("a taken contact: %+v, %v", a, err)
	}
	if got := v.letter(t, "eve@example.com", 2); !strings.Contains(got, "已有账号") || coded.MatchString(got) {
		t.Errorf("the message says %q", got)
	}
	if _, err := v.AskReset(t.Context(), "unknown@example.com", home, "en"); err != nil {
		t.Errorf("a reset of nobody: %v", err)
	}
	if got := v.letter(t, "unknown@example.com", 1); !strings.Contains(got, "there is none") || coded.MatchString(got) {
		t.Errorf("the message says %q", got)
	}
}

// TestCodeHoldsItsLifeAndGuessesEndNone: wrong codes slow down the address that sends them, and the right one is good from
// another until its end.
func TestCodeHoldsItsLifeAndGuessesEndNone(t *testing.T) {
	v := newVillage(t)
	try := func(id string, code Code, from string) error {
		_, err := v.SignUp(t.Context(), SignUp{User: NewUser{Login: "eve", Password: NewPassword(good)}, Code: id, Proof: code, From: from})
		return err
	}
	id, code := v.ask(t, "+8613800000000", 1)
	for i := range 2 * freeAttempts {
		err := try(id, Code{hide("aaaa-aaaa")}, away)
		if want := map[bool]string{true: badContactCode, false: "too many wrong codes from this address"}[i < freeAttempts]; text(err) != want {
			t.Fatalf("wrong code %d: %v", i, err)
		}
	}
	if err := try(id, code, away); !fault.Is(err, fault.OverLimit) {
		t.Errorf("the right code after wrong ones from the same address: %v", err)
	}
	v.clock.pass(firstLife)
	if err := try(id, code, home); text(err) != badContactCode {
		t.Errorf("after ten minutes: %v", err)
	}
	id, code = v.ask(t, "+8613800000000", 2)
	v.clock.pass(lives[1] - time.Second)
	if err := try(id, Code{hide(strings.ToUpper(strings.ReplaceAll(code.Reveal(), "-", " ")))}, home); err != nil {
		t.Errorf("a second before its end: %v", err)
	}
}

func TestReset(t *testing.T) {
	v := newVillage(t)
	id, code := v.ask(t, "eve@example.com", 1)
	if _, err := v.SignUp(t.Context(), SignUp{User: NewUser{Login: "eve", Password: NewPassword(good)}, Code: id, Proof: code, From: home}); err != nil {
		t.Fatal(err)
	}
	s := v.login(t, "eve")
	a, err := v.AskReset(t.Context(), "eve@example.com", home, "en")
	if err != nil {
		t.Fatal(err)
	}
	const fresh = "eight blue lamps"
	if err := v.Reset(t.Context(), a.ID, codeIn(coded, v.letter(t, "eve@example.com", 2)), NewPassword(fresh), home, "en"); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Authenticate(t.Context(), s.Token.Reveal(), home); text(err) != badToken {
		t.Errorf("the session afterwards: %v", err)
	}
	if _, err := v.Login(t.Context(), "eve", NewPassword(good), home); err == nil {
		t.Error("the old password is still good")
	}
	if _, err := v.Login(t.Context(), "eve", NewPassword(fresh), home); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if got := v.letter(t, "eve@example.com", 3); !strings.Contains(got, "was changed") {
		t.Errorf("eve is told %q", got)
	}
}

func TestChangeOfContactTellsTheOldOne(t *testing.T) {
	v := newVillage(t)
	for n, contact := range []string{"ann@old.example", "ann@new.example"} {
		a, err := v.AskContact(t.Context(), v.owner, contact, "en")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.ChangeContact(t.Context(), v.operator, a.ID, codeIn(coded, v.letter(t, contact, 1)), "en"); text(err) != badContactCode {
			t.Errorf("somebody else's code %d: %v", n, err)
		}
		if _, err := v.ChangeContact(t.Context(), v.owner, a.ID, codeIn(coded, v.letter(t, contact, 1)), "en"); err != nil {
			t.Fatal(err)
		}
	}
	if got := v.letter(t, "ann@old.example", 2); !strings.Contains(got, "A contact of your Lampworks account was changed") {
		t.Errorf("the old contact is told %q", got)
	}
	if all, err := v.Contacts(t.Context(), v.owner); err != nil || len(all) != 1 || all[0].Address != "ann@new.example" {
		t.Errorf("contacts %+v, %v", all, err)
	}
	if _, err := v.Login(t.Context(), "ann", NewPassword(good), away); err != nil {
		t.Fatal(err)
	}
	if got := v.letter(t, "ann@new.example", 2); !strings.Contains(got, "a place it was not used from before") {
		t.Errorf("of a new place ann is told %q", got)
	}
}

func TestInvitations(t *testing.T) {
	v := newVillage(t)
	ctx := t.Context()
	v.user(t, "bob")
	bob := v.login(t, "bob").Actor
	byLogin, err := v.Invite(ctx, v.owner, v.org.ID, NewInvitation{Login: "bob", Role: access.Engineer})
	if err != nil {
		t.Fatal(err)
	}
	if mine, err := v.Invited(ctx, bob, listing.Ask{}); err != nil || len(mine.Items) != 1 || mine.Items[0].ID != byLogin.ID {
		t.Errorf("bob sees %+v, %v", mine, err)
	}
	if _, err := v.Accept(ctx, v.operator, byLogin.ID, Code{}); !fault.Is(err, fault.Missing) {
		t.Errorf("somebody else accepts: %v", err)
	}
	if m, err := v.Accept(ctx, bob, byLogin.ID, Code{}); err != nil || m.Role != access.Engineer || m.Organisation.ID != v.org.ID {
		t.Errorf("bob accepts: %+v, %v", m, err)
	}
	if _, err := v.Accept(ctx, bob, byLogin.ID, Code{}); !fault.Is(err, fault.Missing) {
		t.Errorf("a second time: %v", err)
	}
	if _, err := v.Invite(ctx, bob, v.org.ID, NewInvitation{Login: "ann", Role: access.Query}); !fault.Is(err, fault.Missing) && !fault.Is(err, fault.NotAllowed) {
		t.Errorf("an engineer invites: %v", err)
	}
	byMail, err := v.Invite(ctx, v.owner, v.org.ID, NewInvitation{Contact: "Carl@example.com", Role: access.Factory, Lang: "en"})
	if err != nil {
		t.Fatal(err)
	}
	old := codeIn(sealed, v.letter(t, "carl@example.com", 1))
	if err := v.ResendInvitation(ctx, v.owner, v.org.ID, byMail.ID, "en"); err != nil {
		t.Fatal(err)
	}
	code := codeIn(sealed, v.letter(t, "carl@example.com", 2))
	carl := NewUser{Login: "carl", Password: NewPassword(good)}
	if _, err := v.SignUpInvited(ctx, carl, old, home); !fault.Is(err, fault.Missing) {
		t.Errorf("with the code before it was sent again: %v", err)
	}
	v.closed = true // an invitation opens it
	if _, err := v.SignUpInvited(ctx, carl, code, home); err != nil {
		t.Fatal(err)
	}
	if s := v.login(t, "carl"); s.Organisation != v.org.ID || !s.Actor.Has(access.Factory) {
		t.Errorf("carl acts as %+v", s.Actor)
	}
	late, err := v.Invite(ctx, v.owner, v.org.ID, NewInvitation{Contact: "dora@example.com", Role: access.Query})
	if err != nil {
		t.Fatal(err)
	}
	v.clock.pass(invitationLife)
	if _, err := v.SignUpInvited(ctx, NewUser{Login: "dora", Password: NewPassword(good)}, codeIn(sealed, v.letter(t, "dora@example.com", 1)), away); !fault.Is(err, fault.Missing) {
		t.Errorf("after seven days: %v", err)
	}
	page, err := v.Invitations(ctx, v.owner, v.org.ID, listing.Ask{})
	var states []string
	for _, i := range page.Items {
		states = append(states, i.State+" "+i.To)
	}
	if got := fmt.Sprint(states); err != nil || page.Next != "" || got != "[accepted  accepted  expired dora@example.com]" {
		t.Errorf("the list is %s, %v", got, err)
	}
	if err := v.RevokeInvitation(ctx, v.owner, v.org.ID, late.ID); err != nil {
		t.Errorf("revoking: %v", err)
	}
	if _, err := v.Invitations(ctx, v.owner, "another", listing.Ask{}); !fault.Is(err, fault.Missing) {
		t.Errorf("another organisation's: %v", err)
	}
}

func TestLeaving(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	w.user(t, "bob")
	if _, err := w.AddMember(ctx, w.operator, w.org.ID, "bob", access.Engineer); err != nil {
		t.Fatal(err)
	}
	bob := w.login(t, "bob").Actor
	const last = "this is the last owner of the organisation"
	if err := w.Leave(ctx, w.owner, w.org.ID); text(err) != last {
		t.Errorf("the last owner leaves: %v", err)
	}
	if err := w.DeleteUser(ctx, w.owner, NewPassword(good)); text(err) != last {
		t.Errorf("the last owner is deleted: %v", err)
	}
	if err := w.DeleteUser(ctx, w.operator, NewPassword(good)); text(err) != "this is the last operator who can act" {
		t.Errorf("the last admin is deleted: %v", err)
	}
	if err := w.Transfer(ctx, bob, w.org.ID, bob.User); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("an engineer takes over: %v", err)
	}
	if err := w.Transfer(ctx, w.owner, w.org.ID, bob.User); err != nil {
		t.Fatal(err)
	}
	if err := w.Leave(ctx, w.owner, w.org.ID); err != nil {
		t.Errorf("the former owner leaves: %v", err)
	}
	if err := w.DeleteUser(ctx, w.owner, NewPassword("guess guess")); text(err) != "the login or the password is wrong" {
		t.Errorf("deleted with a wrong password: %v", err)
	}
	if err := w.DeleteUser(ctx, w.owner, NewPassword(good)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Login(ctx, "ann", NewPassword(good), home); err == nil {
		t.Error("who was deleted signs in")
	}
	if err := w.SetDisabled(ctx, w.operator, w.owner.User, false, ""); !fault.Is(err, fault.Missing) {
		t.Errorf("who was deleted is enabled: %v", err)
	}
	if w.user(t, "ann").ID == w.owner.User {
		t.Error("the login is somebody else's now, and has the same id")
	}
}

func TestEraseOrganisation(t *testing.T) {
	w := newTown(t)
	w.token(t, w.owner)
	if _, err := w.Invite(t.Context(), w.owner, w.org.ID, NewInvitation{Login: "operator", Role: access.Query}); err != nil {
		t.Fatal(err)
	}
	other := w.organisation(t, "eve")
	holds := func(id string) (n int64) {
		err := w.store.Read(t.Context(), func(v *store.View) (err error) {
			n, err = w.Holds(t.Context(), v, "organisation", id)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if holds(w.org.ID) == 0 {
		t.Fatal("it holds nothing at first")
	}
	for more, rounds := true, 0; more; rounds++ {
		err := w.store.Write(t.Context(), func(tx *store.Tx) (err error) {
			more, err = w.Erase(t.Context(), tx, "organisation", w.org.ID, 1)
			return err
		})
		if err != nil || rounds > 50 {
			t.Fatalf("after %d rounds: %v", rounds, err)
		}
	}
	if n := holds(w.org.ID); n != 0 {
		t.Errorf("%d are left", n)
	}
	if holds(other.ID) == 0 {
		t.Error("another organisation is gone, too")
	}
}

// TestOwns knows a person's contacts, the unverified address that the operator gave too.
func TestOwns(t *testing.T) {
	w := newTown(t)
	u, err := w.AddUser(t.Context(), w.operator, NewUser{Login: "cat", Email: "cat@example.com", Password: NewPassword(good)})
	if err != nil {
		t.Fatal(err)
	}
	err = w.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO account_contact (kind, address, user_id, verified_at) VALUES ('sms', '+8613800000000', ?, 1)", u.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for contact, want := range map[string]bool{"CAT@example.com": true, "+8613800000000": true, "mary@example.com": false, "next door": false} {
		var got bool
		err := w.store.Read(t.Context(), func(v *store.View) (err error) {
			got, err = w.Owns(t.Context(), v, u.ID, contact)
			return err
		})
		if err != nil || got != want {
			t.Errorf("%s: %t %v, want %t", contact, got, err, want)
		}
	}
}
