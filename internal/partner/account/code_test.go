package account

import (
	"fmt"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/quota"
)

const (
	eve   = "eve@example.com"
	hotel = "198.51.100.7:1" // eve never signed in from there
)

// newHolder is a village in which eve has an account, a contact, and a place that she signed in from: home.
func newHolder(t *testing.T) *village {
	t.Helper()
	v := newVillage(t)
	id, code := v.ask(t, eve, 1)
	if _, err := v.SignUp(t.Context(), SignUp{User: NewUser{Login: "eve", Password: NewPassword(good)}, Code: id, Proof: code, From: home}); err != nil {
		t.Fatal(err)
	}
	v.login(t, "eve")
	return v
}

// mailed is how many messages to a recipient were put into the outbox.
func (v *village) mailed(t *testing.T, to string) (n int) {
	t.Helper()
	err := v.store.Read(t.Context(), func(q *store.View) error {
		return q.QueryRow(t.Context(), "SELECT COUNT(*) FROM outbox_message WHERE recipient = ?", to).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// askReset asks for a code for a new password, which is never refused.
func (v *village) askReset(t *testing.T, contact, from string) Asked {
	t.Helper()
	a, err := v.AskReset(t.Context(), contact, from, "en")
	if err != nil || a.ID == "" {
		t.Fatalf("a code to %s from %s: %+v, %v", contact, from, a, err)
	}
	return a
}

// asks is how many requests are kept.
func (v *village) asks(t *testing.T) (n int) {
	t.Helper()
	err := v.store.Read(t.Context(), func(q *store.View) error {
		return q.QueryRow(t.Context(), "SELECT COUNT(*) FROM account_ask").Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// address is one of very many, each another party's.
func address(n int) string {
	if n%2 == 0 {
		return fmt.Sprintf("203.%d.%d.%d:1", n>>16, n>>8&255, n&255)
	}
	return fmt.Sprintf("[2001:db8:%x:%x::1]:1", n>>8, n&255)
}

// TestFloodLeavesTheHolderTheirCodes plays a thousand requests of strangers from a thousand addresses, twice. The holder sets a
// new password from where they signed in before, by a code of their own, and from a new place, by the newest one that the
// flood has sent them.
func TestFloodLeavesTheHolderTheirCodes(t *testing.T) {
	v := newHolder(t)
	before := v.mailed(t, eve)
	flood := func() {
		for n := range 1000 {
			if a := v.askReset(t, eve, address(n)); a.Wait != 0 {
				t.Fatalf("request %d waits %s", n, a.Wait)
			}
			v.clock.pass(3 * time.Second)
		}
	}
	reset := func(id string, letter int, from, replacement string) {
		t.Helper()
		code := codeIn(coded, v.letter(t, eve, letter))
		if err := v.Reset(t.Context(), id, code, NewPassword(replacement), from, "en"); err != nil {
			t.Errorf("by the code of letter %d from %s: %v", letter, from, err)
		}
		if _, err := v.Login(t.Context(), "eve", NewPassword(replacement), home); err != nil {
			t.Errorf("with the new password: %v", err)
		}
	}

	flood()
	sent := v.mailed(t, eve) - before
	if sent > len(lives) {
		t.Errorf("the flood has sent %d messages", sent)
	}
	a := v.askReset(t, eve, home)
	if got := v.mailed(t, eve) - before; got != sent+1 {
		t.Fatalf("%d messages after the holder asked from a known place, want one more than %d", got, sent)
	}
	reset(a.ID, before+sent+1, home, "the first new password")

	before = v.mailed(t, eve)
	flood()
	sent = v.mailed(t, eve) - before
	a = v.askReset(t, eve, hotel)
	if got := v.mailed(t, eve) - before; got != sent || sent == 0 {
		t.Fatalf("%d messages after the holder asked from a new place, want the %d of the flood", got, sent)
	}
	reset(a.ID, before+sent, hotel, "the second new password")
}

// TestThereIsAlwaysACodeThatIsGood asks for a code every two minutes of a day: few are sent, and at
// every moment the newest is good for ten minutes more.
func TestThereIsAlwaysACodeThatIsGood(t *testing.T) {
	for _, tt := range []struct {
		name string
		from func(n int) string
		most int // messages of a day
	}{
		{"strangers", address, 7},
		{"a known place", func(int) string { return home }, 9},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := newHolder(t)
			day, began := v.mailed(t, eve), v.clock.now()
			for n := 0; v.clock.now().Before(began.Add(codeDay)); n++ {
				v.askReset(t, eve, tt.from(n))
				if left := v.goodFor(t, eve); left < firstLife-2*time.Minute {
					t.Fatalf("%s after the first the newest code is good for %s more", v.clock.now().Sub(began), left)
				}
				v.clock.pass(2 * time.Minute)
			}
			if got := v.mailed(t, eve) - day; got != tt.most {
				t.Errorf("%d messages in a day, want %d", got, tt.most)
			}
		})
	}
}

// goodFor is how long the codes of a contact are good still.
func (v *village) goodFor(t *testing.T, contact string) time.Duration {
	t.Helper()
	var ends int64
	err := v.store.Read(t.Context(), func(q *store.View) error {
		return q.QueryRow(t.Context(), "SELECT COALESCE(MAX(expires_at), 0) FROM account_code WHERE address = ? AND purpose = 'reset'", contact).Scan(&ends)
	})
	if err != nil {
		t.Fatal(err)
	}
	return at(ends).Sub(v.clock.now())
}

// TestAskingTellsNotWhoExists: at every step of a day a contact that has an account and one that has none get the same answer,
// and the same number of messages.
func TestAskingTellsNotWhoExists(t *testing.T) {
	const nobody = "nobody@example.com"
	asks := map[string]func(v *village, contact, from string) (Asked, error){
		"reset": func(v *village, contact, from string) (Asked, error) {
			return v.AskReset(t.Context(), contact, from, "en")
		},
		"sign-up": func(v *village, contact, from string) (Asked, error) {
			return v.AskSignUp(t.Context(), contact, from, "en")
		},
		"contact": func(v *village, contact, from string) (Asked, error) {
			who := v.owner
			who.From = from
			return v.AskContact(t.Context(), who, contact, "en")
		},
	}
	for name, ask := range asks {
		t.Run(name, func(t *testing.T) {
			v := newHolder(t)
			first := v.mailed(t, eve)
			for n, pause := range []time.Duration{0, 1, 59, 1, 60, 480, 1, 600, 3600, 20000, 1, 30000} {
				v.clock.pass(pause * time.Second)
				was := map[string]string{}
				for _, contact := range []string{eve, nobody} {
					a, err := ask(v, contact, address(n))
					sent := v.mailed(t, contact)
					if contact == eve {
						sent -= first
					}
					was[contact] = fmt.Sprintf("id of %d, wait %s, %v, %d messages", len(a.ID), a.Wait, err, sent)
				}
				if was[eve] != was[nobody] {
					t.Errorf("request %d:\nof somebody %s\nof nobody   %s", n, was[eve], was[nobody])
				}
			}
		})
	}
}

// TestOneAddressIsBounded: an address causes messages to few contacts, whatever they are, and is told to wait; other addresses
// and those whose place it is are not.
func TestOneAddressIsBounded(t *testing.T) {
	v := newHolder(t)
	const one = "[2001:db8:9:9::%x]:1"
	for n := range askBurst + 5 {
		to := fmt.Sprintf("u%d@example.com", n)
		a := v.askReset(t, to, fmt.Sprintf(one, n))
		if over := n >= askBurst; (a.Wait > 0) != over || (v.mailed(t, to) == 0) != over {
			t.Errorf("contact %d: wait %s, %d messages", n, a.Wait, v.mailed(t, to))
		}
	}
	if n := v.asks(t); n != askBurst+1 { // eve's own is used up; one is of all that were too many
		t.Errorf("%d requests are kept, want %d", n, askBurst+1)
	}
	const late = "late@example.com"
	if v.askReset(t, late, hotel); v.mailed(t, late) != 1 {
		t.Error("another address is bounded, too")
	}
	v.clock.pass(askInterval)
	if a := v.askReset(t, "u19@example.com", fmt.Sprintf(one, 1)); a.Wait != 0 || v.mailed(t, "u19@example.com") != 1 {
		t.Errorf("a minute later: wait %s, %d messages", a.Wait, v.mailed(t, "u19@example.com"))
	}

	before := v.mailed(t, eve)
	for n := range askBurst {
		v.askReset(t, fmt.Sprintf("v%d@example.com", n), home)
	}
	a := v.askReset(t, eve, home)
	if a.Wait == 0 || v.mailed(t, eve) != before+1 {
		t.Errorf("from a known place that asked for many: wait %s, %d messages", a.Wait, v.mailed(t, eve)-before)
	}
	if err := v.Reset(t.Context(), a.ID, codeIn(coded, v.letter(t, eve, before+1)), NewPassword("a new password"), home, "en"); err != nil {
		t.Fatal(err)
	}
	if v.askReset(t, "w@example.com", home); v.mailed(t, "w@example.com") != 1 {
		t.Error("a code that was shown is not given back to its address")
	}
}

// TestOneAddressFloods: what floods is refused, before it costs a commit, and only at its address.
func TestOneAddressFloods(t *testing.T) {
	v := newHolder(t)
	for n := range hardBurst {
		v.askReset(t, fmt.Sprintf("u%d@example.com", n), hotel)
	}
	if _, err := v.AskReset(t.Context(), eve, hotel, "en"); !fault.Is(err, fault.OverLimit) || fault.Of(err).RetryAfter != hardInterval {
		t.Errorf("request %d from one address: %v", hardBurst+1, err)
	}
	v.askReset(t, eve, away)
	v.clock.pass(hardInterval)
	v.askReset(t, eve, hotel)
}

// TestHolderAsksFromEverywhere: whoever is signed in has the share of a known place for their own contact, and that of a
// stranger for others'.
func TestHolderAsksFromEverywhere(t *testing.T) {
	v := newHolder(t)
	who := v.login(t, "eve").Actor
	who.From = hotel
	for _, contact := range []string{eve, "other@example.com"} {
		before := v.mailed(t, contact)
		for n := range 100 {
			if _, err := v.AskSignUp(t.Context(), contact, address(n), "en"); err != nil {
				t.Fatal(err)
			}
			v.clock.pass(10 * time.Second)
		}
		flood := v.mailed(t, contact)
		if _, err := v.AskContact(t.Context(), who, contact, "en"); err != nil {
			t.Fatal(err)
		}
		if got, want := v.mailed(t, contact)-flood, map[bool]int{true: 1, false: 0}[contact == eve]; got != want || flood == before {
			t.Errorf("%s: %d messages after %d of a flood, want %d", contact, got, flood-before, want)
		}
	}
}

// TestInvitationsTakeNoCode: however many organisations invite somebody, a code still comes.
func TestInvitationsTakeNoCode(t *testing.T) {
	v := newHolder(t)
	refused := false
	for n := range 10 {
		o := v.organisation(t, fmt.Sprintf("owner%d", n))
		who := v.login(t, fmt.Sprintf("owner%d", n)).Actor
		_, err := v.Invite(t.Context(), who, o.ID, NewInvitation{Contact: eve, Role: access.Query})
		refused = refused || fault.Is(err, fault.OverLimit)
	}
	if !refused {
		t.Error("ten organisations write to one contact in an hour")
	}
	for name, from := range map[string]string{"a known place": home, "a stranger": hotel} {
		before := v.mailed(t, eve)
		if v.askReset(t, eve, from); v.mailed(t, eve) != before+1 {
			t.Errorf("the code for %s does not come", name)
		}
	}
}

// TestUnansweredInvitations: three without an answer, sent again or not, or one that was declined, and the organisation invites
// that contact or login no more for thirty days. Others may. A login that nobody has is counted as any other.
func TestUnansweredInvitations(t *testing.T) {
	v := newVillage(t)
	ctx := t.Context()
	v.user(t, "bob")
	other := v.organisation(t, "olga")
	olga := v.login(t, "olga").Actor
	for _, n := range []NewInvitation{{Contact: "Bob@example.com"}, {Login: "bob"}, {Login: "nobody"}} {
		n.Role = access.Query
		invite := func(who access.Actor, o Organisation) (Invitation, error) { return v.Invite(ctx, who, o.ID, n) }
		i, err := invite(v.owner, v.org)
		if err != nil {
			t.Fatal(err)
		}
		if err := v.ResendInvitation(ctx, v.owner, v.org.ID, i.ID, "en"); err != nil {
			t.Fatal(err)
		}
		if err := v.RevokeInvitation(ctx, v.owner, v.org.ID, i.ID); err != nil {
			t.Fatal(err)
		}
		third, err := invite(v.owner, v.org)
		if err != nil {
			t.Fatal(err)
		}
		const no = "they declined an invitation of this organisation, or did not answer several"
		if _, err := invite(v.owner, v.org); text(err) != no {
			t.Errorf("a fourth to %+v: %v", n, err)
		}
		if err := v.ResendInvitation(ctx, v.owner, v.org.ID, third.ID, "en"); text(err) != no {
			t.Errorf("the third again to %+v: %v", n, err)
		}
		if _, err := invite(olga, other); err != nil {
			t.Errorf("another organisation to %+v: %v", n, err)
		}
		v.clock.pass(leftAlone)
		err = v.store.Write(ctx, func(tx *store.Tx) error { return v.outbox.Forget(ctx, tx, room, "bob@example.com") }) // its hour is not over
		if err != nil {
			t.Fatal(err)
		}
		if _, err := invite(v.owner, v.org); err != nil {
			t.Errorf("thirty days later to %+v: %v", n, err)
		}
	}
}

// TestDeclinedInvitation: by the code without an account, or by the id of one to one's login; the organisation sees it, and
// cannot invite again. An answer of the other kind begins anew.
func TestDeclinedInvitation(t *testing.T) {
	v := newVillage(t)
	ctx := t.Context()
	v.user(t, "bob")
	bob := v.login(t, "bob").Actor
	const no = "they declined an invitation of this organisation, or did not answer several"
	invite := func(n NewInvitation) (Invitation, error) {
		n.Role = access.Query
		return v.Invite(ctx, v.owner, v.org.ID, n)
	}
	byMail, err := invite(NewInvitation{Contact: eve})
	if err != nil {
		t.Fatal(err)
	}
	code := codeIn(sealed, v.letter(t, eve, 1))
	if err := v.Decline(ctx, access.Actor{From: hotel}, byMail.ID, Code{}); !fault.Is(err, fault.Missing) {
		t.Errorf("declined by the id alone: %v", err)
	}
	if err := v.Decline(ctx, access.Actor{From: hotel}, "", code); err != nil {
		t.Fatal(err)
	}
	if got := v.newest(t); got != "invitation.decline of "+byMail.ID+" by invitee" {
		t.Errorf("the audit says %s", got)
	}
	if _, err := v.Accept(ctx, bob, "", code); !fault.Is(err, fault.Missing) {
		t.Errorf("accepted after it was declined: %v", err)
	}
	byLogin, err := invite(NewInvitation{Login: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Decline(ctx, v.owner, byLogin.ID, Code{}); !fault.Is(err, fault.Missing) {
		t.Errorf("declined by somebody else: %v", err)
	}
	if err := v.Decline(ctx, bob, byLogin.ID, Code{}); err != nil {
		t.Fatal(err)
	}
	page, err := v.Invitations(ctx, v.owner, v.org.ID, listing.Ask{})
	all := page.Items
	if err != nil || len(all) != 2 || all[0].State != "declined" || all[1].State != "declined" || all[0].To != "" {
		t.Errorf("the organisation sees %+v, %v", all, err)
	}
	for _, n := range []NewInvitation{{Contact: eve}, {Login: "BOB"}} {
		if _, err := invite(n); text(err) != no {
			t.Errorf("%+v is invited again: %v", n, err)
		}
	}
	v.user(t, "cleo")
	cleo := v.login(t, "cleo").Actor
	for n := range unanswered + 1 {
		i, err := invite(NewInvitation{Login: "cleo"})
		if err != nil {
			t.Fatalf("invitation %d of somebody who joins each time: %v", n, err)
		}
		if _, err := v.Accept(ctx, cleo, i.ID, Code{}); err != nil {
			t.Fatal(err)
		}
		if err := v.RemoveMember(ctx, v.owner, v.org.ID, cleo.User); err != nil {
			t.Fatal(err)
		}
		cleo = v.login(t, "cleo").Actor
	}
}

// TestInvitationsAreCounted holds the organisation and the person who invites to their limits of a day.
func TestInvitationsAreCounted(t *testing.T) {
	v := newVillage(t)
	ctx := t.Context()
	invite := func(n int) error {
		_, err := v.Invite(ctx, v.owner, v.org.ID, NewInvitation{Contact: fmt.Sprintf("u%d@example.com", n), Role: access.Query})
		return err
	}
	most := int(quota.UserInvitations.Spec().Default)
	for n := range most {
		if err := invite(n); err != nil {
			t.Fatalf("invitation %d: %v", n, err)
		}
	}
	if err := invite(most); !fault.Is(err, fault.OverLimit) || fault.Of(err).Where != "user_invitations_per_day" {
		t.Errorf("one more by this person: %v", err)
	}
	colleague := v.owner
	for n := range int(quota.Invitations.Spec().Default) - most {
		colleague.User, colleague.ID = fmt.Sprint("colleague ", n/most), fmt.Sprint("colleague ", n/most)
		if _, err := v.Invite(ctx, colleague, v.org.ID, NewInvitation{Login: fmt.Sprint("login", n), Role: access.Query}); err != nil {
			t.Fatalf("invitation %d by others: %v", n, err)
		}
	}
	if _, err := v.Invite(ctx, colleague, v.org.ID, NewInvitation{Login: "onemore", Role: access.Query}); !fault.Is(err, fault.OverLimit) || fault.Of(err).Where != "invitations_per_day" {
		t.Errorf("one more by this organisation: %v", err)
	}
}

// TestGuessingAtInvitations slows down who guesses where they guess, and nobody else.
func TestGuessingAtInvitations(t *testing.T) {
	v := newVillage(t)
	ctx := t.Context()
	v.user(t, "bob")
	bob := v.login(t, "bob").Actor
	i, err := v.Invite(ctx, v.owner, v.org.ID, NewInvitation{Login: "bob", Role: access.Query})
	if err != nil {
		t.Fatal(err)
	}
	wrong := Code{hide("aaaaaaaaaaaaaaaa")}
	for name, guess := range map[string]func(from string) error{
		"accept": func(from string) error {
			who := v.operator
			who.From = from
			_, err := v.Accept(ctx, who, "", wrong)
			return err
		},
		"decline": func(from string) error { return v.Decline(ctx, access.Actor{From: from}, "", wrong) },
	} {
		for n := range freeAttempts {
			if err := guess(hotel); !fault.Is(err, fault.Missing) {
				t.Errorf("%s, guess %d: %v", name, n, err)
			}
		}
		if err := guess(hotel); !fault.Is(err, fault.OverLimit) {
			t.Errorf("%s, one more guess: %v", name, err)
		}
		if err := guess(away); !fault.Is(err, fault.Missing) {
			t.Errorf("%s, from elsewhere: %v", name, err)
		}
	}
	bob.From = hotel
	if _, err := v.Accept(ctx, bob, i.ID, Code{}); err != nil {
		t.Errorf("another person at the address of the guesser: %v", err)
	}
}

// TestWhoIsDeletedIsForgottenHereOnly: what was sent to a user is without their address, what another room has sent there is not.
func TestWhoIsDeletedIsForgottenHereOnly(t *testing.T) {
	v := newHolder(t)
	err := v.store.Write(t.Context(), func(tx *store.Tx) error {
		return v.outbox.Put(t.Context(), tx, outbox.Message{Room: "resident", Kind: outbox.Mail, To: eve, Body: "another's"})
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := v.mailed(t, eve); n < 2 {
		t.Fatalf("%d messages were sent", n)
	}
	if err := v.DeleteUser(t.Context(), v.login(t, "eve").Actor, NewPassword(good)); err != nil {
		t.Fatal(err)
	}
	if n := v.mailed(t, eve); n != 1 {
		t.Errorf("%d messages name the address, want the one of another room", n)
	}
}
