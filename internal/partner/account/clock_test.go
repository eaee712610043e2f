package account

import (
	"testing"
	"time"

	"lampworks/internal/infra/fault"
)

// TestClockJumps lets the clock jump, with a session that is used before, meanwhile, or only afterwards.
func TestClockJumps(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, tt := range []struct {
		name   string
		jump   time.Duration // before the session is opened
		back   time.Duration // after
		passes time.Duration // until it is used again
		holds  bool
	}{
		{"opened at the right time", 0, 0, time.Hour, true},
		{"an hour back", 0, -time.Hour, 0, true},
		{"a day back", 0, -24 * time.Hour, 0, false},
		{"opened a year ahead", year, -year, time.Minute, false},
		{"opened a year ahead, and idle", year, -year, sessionIdle, false},
		{"a year ahead when it is used", 0, year, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newTown(t)
			w.clock.pass(tt.jump)
			s := w.login(t, "ann")
			w.clock.pass(tt.back)
			w.believed.forget() // a start
			w.clock.pass(tt.passes)
			if _, err := w.Authenticate(t.Context(), s.Token.Reveal(), home); (err == nil) != tt.holds {
				t.Errorf("the session holds %t (%v), want %t", err == nil, err, tt.holds)
			}
			w.login(t, "ann") // whoever is cut off signs in again, whatever the clock says
		})
	}
}

// TestSessionHeals puts the last use right once the clock is: a session ends when it would have.
func TestSessionHeals(t *testing.T) {
	w := newTown(t)
	w.clock.pass(11 * time.Hour)
	s := w.login(t, "ann")
	w.clock.pass(-11 * time.Hour)
	w.believed.forget()
	w.again(t, s)
	w.believed.forget()
	w.clock.pass(sessionIdle)
	if _, err := w.Authenticate(t.Context(), s.Token.Reveal(), home); !fault.Is(err, fault.NoActor) {
		t.Errorf("12 hours after its last use by the right clock the session is answered %v", err)
	}
}

// TestClockJumpsOfCodes asks for codes by a clock that runs ahead and then is put right: the next is not refused for as long,
// and what was sent ahead is good no longer.
func TestClockJumpsOfCodes(t *testing.T) {
	const year = 365 * 24 * time.Hour
	v := newVillage(t)
	v.clock.pass(year)
	old, code := v.ask(t, "eve@example.com", 1)
	v.clock.pass(-year)
	in := SignUp{
		User: NewUser{Login: "eve", Password: NewPassword(good)}, Code: old, Proof: code, From: home,
		Organisation: &NewOrganisation{Names: Names{"en": "Eve"}, Kinds: []Kind{ModuleMaker}}, Person: true, BirthDate: v.clock.now().AddDate(-30, 0, 0),
	}
	if _, err := v.SignUp(t.Context(), in); text(err) != badContactCode {
		t.Errorf("a code of a year ahead: %v", err)
	}
	in.Code, in.Proof = v.ask(t, "eve@example.com", 2)
	if _, err := v.SignUp(t.Context(), in); err != nil {
		t.Errorf("a code of now: %v", err)
	}
}

// TestClockJumpsOfTheFactor uses codes up at a time, ahead of it, and at the time again: none is good twice, and a recovery
// code opens the door meanwhile.
func TestClockJumpsOfTheFactor(t *testing.T) {
	const year = 365 * 24 * time.Hour
	w := newTown(t)
	secret, recovery := w.secretOf(t, "ann")
	w.clock.pass(time.Minute)
	code := w.code(t, secret)
	if _, err := w.enter(t, code, home); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(year)
	if _, err := w.enter(t, w.code(t, secret), home); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(-year)
	if _, err := w.enter(t, code, home); !fault.Is(err, fault.NoActor) {
		t.Errorf("a code is good again after the clock went back: %v", err)
	}
	if _, err := w.enter(t, recovery[0], home); err != nil {
		t.Errorf("a recovery code: %v", err)
	}
}
