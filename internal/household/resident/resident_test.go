package resident

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

// rig is the room with a clock of its own; what is sent stays in the table of the outbox.
type rig struct {
	*Service
	t     *testing.T
	clock time.Time
}

func newRig(t *testing.T, forget Forget) *rig {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	s := storetest.Open(t)
	senders := map[string]outbox.Sender{outbox.Mail: nowhere{}, outbox.SMS: nowhere{}}
	r := &rig{Service: New(Config{Store: s, Outbox: outbox.New(s, senders, nil, quiet), Forget: forget, Logger: quiet}), t: t, clock: time.Now()}
	r.now = func() time.Time { return r.clock }
	return r
}

// nowhere is never asked: nobody runs the outbox.
type nowhere struct{}

func (nowhere) Send(context.Context, outbox.Message) error { return nil }

var digits = regexp.MustCompile(`(?:code is|验证码是) ([0-9]{6})`)

// sent lists the codes that went to a contact, oldest first.
func (r *rig) sent(contact string) (codes []string) {
	r.t.Helper()
	for _, body := range r.letters(contact) {
		if m := digits.FindStringSubmatch(body); m != nil {
			codes = append(codes, m[1])
		}
	}
	return codes
}

// letters lists what was sent to a contact, oldest first.
func (r *rig) letters(contact string) (bodies []string) {
	r.t.Helper()
	c, err := parseContact(contact)
	if err != nil {
		r.t.Fatal(err)
	}
	err = r.store.Read(r.t.Context(), func(v *store.View) error {
		rows, err := v.Query(r.t.Context(), "SELECT body FROM outbox_message WHERE recipient = ? ORDER BY id", c.Address)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var body string
			if err := rows.Scan(&body); err != nil {
				return err
			}
			bodies = append(bodies, body)
		}
		return rows.Err()
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return bodies
}

func (r *rig) ask(contact, from string) {
	r.t.Helper()
	if err := r.AskCode(r.t.Context(), contact, from, "en"); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) try(contact, code, from string) (Session, error) {
	return r.SignIn(r.t.Context(), Credentials{Contact: contact, Code: code, Name: "Ming", From: from, Agent: "test"})
}

func (r *rig) signIn(contact, from string) Session {
	r.t.Helper()
	r.clock = r.clock.Add(time.Minute)
	r.ask(contact, from)
	all := r.sent(contact)
	s, err := r.try(contact, all[len(all)-1], from)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

const mailbox, here, there = "ming@example.com", "192.0.2.1:1", "198.51.100.7:2"

func TestWhoReadsTheCodeIsIn(t *testing.T) {
	r := newRig(t, nil)
	first := r.signIn(mailbox, here)
	again := r.signIn(" Ming@Example.com ", there)
	if first.Actor.ID == "" || first.Actor.ID != again.Actor.ID {
		t.Errorf("two accounts, %q and %q, want one", first.Actor.ID, again.Actor.ID)
	}
	who, err := r.Authenticate(t.Context(), again.Token.Reveal(), there)
	if err != nil || who.ID != first.Actor.ID || who.Kind != access.KindResident || who.May(access.ReadHome) {
		t.Errorf("authenticated %+v, %v; want the resident, who may do nothing of itself", who, err)
	}
	if seen := fmt.Sprintf("%v %+v %#v %s", again, again, again, again.Token); strings.Contains(seen, again.Token.Reveal()) {
		t.Error("the token can be printed")
	}
	me, err := r.Load(t.Context(), who)
	if err != nil || me.Name != "Ming" || me.Contact.Address != mailbox {
		t.Errorf("the resident is %+v, %v", me, err)
	}
	for _, tt := range []struct{ contact, want string }{
		{"nobody", "/contact is nobody, want an e-mail address name@host, or a phone number as +8613800000000"},
		{"+12", "/contact is +12, want a phone number as +8613800000000 (E.164)"},
		{"Ming <ming@example.com>", "/contact is Ming <ming@example.com>, want an e-mail address name@host, or a phone number as +8613800000000"},
	} {
		if err := r.AskCode(t.Context(), tt.contact, here, "en"); err == nil || err.Error() != tt.want {
			t.Errorf("AskCode(%q)\n got %v\nwant %s", tt.contact, err, tt.want)
		}
	}
}

func TestACodeIsGoodOnce(t *testing.T) {
	r := newRig(t, nil)
	r.ask(mailbox, here)
	code := r.sent(mailbox)[0]
	if _, err := r.try(mailbox, code[:3]+" "+code[3:], here); err != nil {
		t.Fatal(err)
	}
	if _, err := r.try(mailbox, code, here); !fault.Is(err, fault.NoActor) {
		t.Errorf("used again: %v", err)
	}
	r.clock = r.clock.Add(time.Minute)
	r.ask(mailbox, here)
	r.clock = r.clock.Add(firstLife)
	if _, err := r.try(mailbox, r.sent(mailbox)[1], here); !fault.Is(err, fault.NoActor) {
		t.Errorf("used too late: %v", err)
	}
	other := New(Config{Store: r.store, Outbox: r.outbox, Logger: r.log}) // the same rows, another memory
	r.clock = r.clock.Add(time.Minute)
	r.ask(mailbox, here)
	if _, err := other.SignIn(t.Context(), Credentials{Contact: mailbox, Code: r.sent(mailbox)[2], From: here}); !fault.Is(err, fault.NoActor) {
		t.Errorf("a code opens without the memory of who made it: %v", err)
	}
}

// wrong is a code that was not sent.
func (r *rig) wrong(contact string) string {
	for n := range 100 {
		code := fmt.Sprintf("%06d", n)
		if !strings.Contains(strings.Join(r.sent(contact), " "), code) {
			return code
		}
	}
	return ""
}

func TestGuessingIsBounded(t *testing.T) {
	r := newRig(t, nil)
	r.signIn(mailbox, here)
	r.clock = r.clock.Add(2 * time.Minute)
	r.ask(mailbox, there)
	right, wrong := r.sent(mailbox)[1], r.wrong(mailbox)
	for i := range triesOfBoth.most {
		if _, err := r.try(mailbox, wrong, there); !fault.Is(err, fault.NoActor) {
			t.Fatalf("wrong code %d: %v", i, err)
		}
	}
	if _, err := r.try(mailbox, right, there); !fault.Is(err, fault.OverLimit) {
		t.Errorf("after five wrong codes the right one gives %v, want a limit", err)
	}
	for i := range triesOfStrangers.most { // from everywhere
		_, err := r.try(mailbox, wrong, fmt.Sprintf("203.0.113.%d:1", i))
		if i >= triesOfStrangers.most-triesOfBoth.most && !fault.Is(err, fault.OverLimit) {
			t.Errorf("stranger %d: %v, want a limit", i, err)
		}
	}
	if _, err := r.try(mailbox, right, here); err != nil {
		t.Errorf("where the holder signed in before: %v", err)
	}
}

// TestNobodyResetsACount: what is counted of others, however many, makes room for no more guesses, and refuses no other.
func TestNobodyResetsACount(t *testing.T) {
	c, now := newCounts(), time.Now()
	victim := counted{key{"mail " + mailbox, ""}, triesOfStrangers}
	for i := range triesOfStrangers.most {
		if _, wait := c.take(victim, now); wait != 0 {
			t.Fatalf("try %d waits %v", i, wait)
		}
	}
	other := func(i int) counted { return counted{key{fmt.Sprintf("mail %d@example.com", i), ""}, triesOfStrangers} }
	for i := range 200_000 {
		if _, wait := c.take(other(i), now); wait != 0 {
			t.Fatalf("contact %d waits %v for what others did", i, wait)
		}
	}
	now = now.Add(triesOfStrangers.window - 2*time.Second)
	if _, wait := c.take(victim, now); wait <= 0 || wait > 2*time.Second {
		t.Errorf("after a flood the victim's count waits %v, want the rest of its day", wait)
	}
	now = now.Add(2 * time.Second)
	old, wait := c.take(victim, now)
	if wait != 0 {
		t.Errorf("after its day it waits %v", wait)
	}
	now = now.Add(triesOfStrangers.window)
	if _, wait := c.take(victim, now); wait != 0 {
		t.Errorf("a day later it waits %v", wait)
	}
	c.giveBack([]taken{old})
	for _, at := range c.cells(victim) {
		if at.n != 1 {
			t.Errorf("what was taken of the day before was given back to this one: %d", at.n)
		}
	}
}

func TestAFloodOfRequestsTakesNothing(t *testing.T) {
	r := newRig(t, nil)
	r.signIn(mailbox, here)
	before := len(r.sent(mailbox))
	for i := range 23 * 60 {
		r.clock = r.clock.Add(time.Minute)
		r.ask(mailbox, fmt.Sprintf("198.51.%d.%d:1", 100+i/200, i%200))
		if i%97 != 0 {
			continue
		}
		good := 0
		for _, code := range r.sent(mailbox)[before:] {
			if ok, err := r.isGood(mailbox, code); err != nil {
				t.Fatal(err)
			} else if ok {
				good++
			}
		}
		if good == 0 {
			t.Fatalf("after %d minutes none of %d codes is good", i, len(r.sent(mailbox))-before)
		}
	}
	if n := len(r.sent(mailbox)) - before; n > 8 {
		t.Errorf("%d codes in a day for strangers, want few", n)
	}
	n := len(r.sent(mailbox))
	r.ask(mailbox, here)
	if got := len(r.sent(mailbox)); got != n+1 {
		t.Errorf("the holder got %d codes where they signed in before, want one", got-n)
	}
}

func (r *rig) isGood(contact, code string) (good bool, err error) {
	c, err := parseContact(contact)
	if err != nil {
		return false, err
	}
	err = r.store.Read(r.t.Context(), func(v *store.View) error {
		good, err = r.matches(r.t.Context(), v, c, code)
		return err
	})
	return good, err
}

func TestAskingIsBoundedByAddress(t *testing.T) {
	r := newRig(t, nil)
	for i := range asksOfPlace.most {
		r.ask(fmt.Sprintf("u%d@example.com", i), here)
	}
	err := r.AskCode(t.Context(), "one.more@example.com", here, "en")
	if f := fault.Of(err); f == nil || f.Code != fault.OverLimit || f.RetryAfter <= 0 {
		t.Errorf("one request too many gives %v", err)
	}
	r.ask("one.more@example.com", there)
	r.clock = r.clock.Add(asksOfPlace.window)
	r.ask("one.more@example.com", here)
}

func TestSessionsEnd(t *testing.T) {
	r := newRig(t, nil)
	all := []Session{r.signIn(mailbox, here)}
	for range sessionsKept {
		r.clock = r.clock.Add(time.Second)
		err := r.store.Write(t.Context(), func(tx *store.Tx) error {
			s, err := r.open(t.Context(), tx, all[0].Actor.ID, Credentials{From: here})
			all = append(all, s)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	holds := func(s Session) bool {
		_, err := r.Authenticate(t.Context(), s.Token.Reveal(), here)
		if err != nil && !fault.Is(err, fault.NoActor) {
			t.Fatal(err)
		}
		return err == nil
	}
	if holds(all[0]) || !holds(all[1]) {
		t.Error("the oldest of too many sessions holds, or the next does not")
	}
	me := all[2].Actor
	if err := r.EndSession(t.Context(), me, all[3].ID); err != nil || holds(all[3]) {
		t.Errorf("an ended session holds (%v)", err)
	}
	stranger := r.signIn("other@example.com", there)
	if err := r.EndSession(t.Context(), stranger.Actor, all[4].ID); !fault.Is(err, fault.Missing) || !holds(all[4]) {
		t.Errorf("somebody else's session: %v", err)
	}
	if err := r.EndOtherSessions(t.Context(), me); err != nil || holds(all[4]) || !holds(all[2]) || !holds(stranger) {
		t.Errorf("ending the others (%v) ended too many or too few", err)
	}
	if list, err := r.Sessions(t.Context(), me); err != nil || len(list) != 1 || !list[0].Current {
		t.Errorf("sessions are %+v, %v", list, err)
	}
	r.clock = r.clock.Add(sessionIdle - time.Hour)
	if !holds(all[2]) {
		t.Error("a session ends before 30 days")
	}
	r.clock = r.clock.Add(sessionIdle - time.Hour) // since it was used
	if !holds(all[2]) || holds(stranger) {
		t.Error("a session that is used ends, or one that is not used holds")
	}
	for _, token := range []string{"", "lwr_", "lws_x", "lwr_" + strings.Repeat("a", 52)} {
		if _, err := r.Authenticate(t.Context(), token, here); !fault.Is(err, fault.NoActor) {
			t.Errorf("Authenticate(%q): %v", token, err)
		}
	}
}

func TestWhoLeavesIsForgottenOrStays(t *testing.T) {
	refuses := errors.New("a home would be without a householder")
	var stays error = refuses
	r := newRig(t, func(context.Context, *store.Tx, string) error { return stays })
	s := r.signIn(mailbox, here)
	code := func() string {
		r.clock = r.clock.Add(time.Hour)
		r.ask(mailbox, here)
		all := r.sent(mailbox)
		return all[len(all)-1]
	}
	if err := r.Delete(t.Context(), s.Actor, r.wrong(mailbox)); !fault.Is(err, fault.NoActor) {
		t.Errorf("deleting with a wrong code: %v", err)
	}
	if err := r.Delete(t.Context(), s.Actor, code()); !errors.Is(err, refuses) {
		t.Errorf("deleting, refused above: %v", err)
	}
	if _, err := r.Authenticate(t.Context(), s.Token.Reveal(), here); err != nil {
		t.Errorf("a refused act has ended the session: %v", err)
	}
	err := r.store.Write(t.Context(), func(tx *store.Tx) error {
		return r.outbox.Put(t.Context(), tx, outbox.Message{Room: "account", Kind: outbox.Mail, To: mailbox, Body: "to a maker"})
	})
	if err != nil {
		t.Fatal(err)
	}
	stays = nil
	if err := r.Delete(t.Context(), s.Actor, code()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Authenticate(t.Context(), s.Token.Reveal(), here); !fault.Is(err, fault.NoActor) {
		t.Errorf("the session outlives its owner: %v", err)
	}
	if left := r.letters(mailbox); len(left) != 1 || left[0] != "to a maker" {
		t.Errorf("of what was sent to the address of a resident and a maker, %q is left", left)
	}
	if again := r.signIn(mailbox, here); again.Actor.ID == s.Actor.ID {
		t.Error("the account is back")
	}
}

func TestContactsChange(t *testing.T) {
	r := newRig(t, nil)
	s, taken := r.signIn(mailbox, here), r.signIn("taken@example.com", here)
	r.clock = r.clock.Add(codePause)
	thief := r.signIn(mailbox, there)
	later := func() { r.clock = r.clock.Add(time.Hour) }
	fresh := func(contact string) string { // the newest code of a contact
		r.ask(contact, here)
		all := r.sent(contact)
		return all[len(all)-1]
	}
	const number, folded = "+86 138-0000-0000", "+8613800000000"
	change := func(who access.Actor, contact, code, present string) (Resident, error) {
		return r.ChangeContact(t.Context(), who, Change{contact, code, present, "en"})
	}
	later()
	code := fresh(number)
	for _, present := range []string{"", code, r.wrong(mailbox)} { // the holder reads, whoever has a session only does not
		_, err := change(thief.Actor, number, code, present)
		if f := fault.Of(err); f == nil || f.Where != "/present_code" || !fault.Is(err, fault.NoActor) {
			t.Errorf("with the present code %q: %v", present, err)
		}
	}
	present := fresh(mailbox)
	if _, err := change(s.Actor, number, r.wrong(number), present); !fault.Is(err, fault.NoActor) {
		t.Errorf("with a wrong code of the new contact: %v", err)
	}
	if _, err := change(s.Actor, mailbox, present, present); !fault.Is(err, fault.Malformed) {
		t.Errorf("to the contact one has: %v", err)
	}
	if _, err := change(s.Actor, "taken@example.com", fresh("taken@example.com"), present); !fault.Is(err, fault.Clash) {
		t.Errorf("a contact of resident %s: %v", taken.Actor.ID, err)
	}
	later()
	r.ask(mailbox, there) // a stranger's, which is open still
	if me, err := change(s.Actor, number, fresh(number), fresh(mailbox)); err != nil || me.Contact != (Contact{outbox.SMS, folded}) {
		t.Fatalf("the contact is %+v, %v", me.Contact, err)
	}
	r.afterChange(s, thief)
	if _, err := r.Load(t.Context(), access.Actor{Kind: access.KindUser, ID: s.Actor.ID}); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("a maker reads a resident: %v", err)
	}
}

// afterChange holds what is left of the contact before against what is promised.
func (r *rig) afterChange(s, ended Session) {
	r.t.Helper()
	if got := r.letters(mailbox); len(got) != 1 || got[0] != moved(Contact{Kind: outbox.Mail, Address: mailbox}, "en").Body {
		r.t.Errorf("of what was sent to the contact before, %q is left, want what tells of the change", got)
	}
	var codes int
	err := r.store.Read(r.t.Context(), func(v *store.View) error {
		return v.QueryRow(r.t.Context(), "SELECT COUNT(*) FROM resident_code WHERE address = ?", mailbox).Scan(&codes)
	})
	if err != nil || codes != 0 {
		r.t.Errorf("%d codes of the contact before are left, %v", codes, err)
	}
	if _, err := r.Authenticate(r.t.Context(), ended.Token.Reveal(), there); !fault.Is(err, fault.NoActor) {
		r.t.Errorf("another session goes on: %v", err)
	}
	if _, err := r.Authenticate(r.t.Context(), s.Token.Reveal(), here); err != nil {
		r.t.Errorf("the session that asked has ended: %v", err)
	}
}
