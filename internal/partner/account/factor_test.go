package account

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
)

const (
	wrongCode = "the code is wrong, or was used before"
	needsCode = "this account signs in with a code of the second factor, too"
)

// secretOf gives a user a second factor and returns the secret, with the recovery codes.
func (w *town) secretOf(t testing.TB, login string) (Code, []Code) {
	t.Helper()
	s := w.login(t, login)
	made, err := w.EnrolFactor(t.Context(), s.Actor)
	if err != nil {
		t.Fatal(err)
	}
	codes, err := w.ConfirmFactor(t.Context(), s.Actor, w.code(t, made.Secret))
	if err != nil {
		t.Fatal(err)
	}
	return made.Secret, codes
}

// enter signs ann in with a code.
func (w *town) enter(t testing.TB, code Code, from string) (Session, error) {
	return w.SignIn(t.Context(), Credentials{Login: "ann", Password: NewPassword(good), Code: code, From: from})
}

func TestFactorIsEnrolledByACode(t *testing.T) {
	w := newTown(t)
	s := w.login(t, "ann")
	if _, err := w.ConfirmFactor(t.Context(), s.Actor, Code{hide("000000")}); text(err) != "there is no second factor to confirm; enrol one first" {
		t.Errorf("confirming nothing: %v", err)
	}
	made, err := w.EnrolFactor(t.Context(), s.Actor)
	if err != nil {
		t.Fatal(err)
	}
	want := "otpauth://totp/Lampworks:ann?algorithm=SHA1&digits=6&issuer=Lampworks&period=30&secret=" + made.Secret.Reveal()
	if got := made.URL.Reveal(); got != want || len(made.Secret.Reveal()) != 32 {
		t.Errorf("the URL\n got %s\nwant %s", got, want)
	}
	if f, err := w.Factor(t.Context(), s.Actor); err != nil || f.State != FactorPending {
		t.Errorf("before a code: %+v, %v", f, err)
	}
	if _, err := w.enter(t, Code{}, home); err != nil {
		t.Errorf("a factor that no code confirmed stops a login: %v", err)
	}
	other := w.login(t, "ann")
	codes, err := w.ConfirmFactor(t.Context(), s.Actor, w.code(t, made.Secret))
	if err != nil || len(codes) != recoveryCodes {
		t.Fatalf("confirming gives %d codes, %v", len(codes), err)
	}
	if _, err := w.Authenticate(t.Context(), other.Token.Reveal(), home); text(err) != badToken {
		t.Errorf("another session after confirming: %v", err)
	}
	who := w.again(t, s)
	if f, err := w.Factor(t.Context(), who); err != nil || f.State != FactorActive || f.CodesLeft != recoveryCodes || !f.ProvedUntil.Equal(w.clock.now().Add(access.Fresh)) {
		t.Errorf("after a code: %+v, %v", f, err)
	}
	if !who.Strong || who.Check(access.DownloadTriples) != nil {
		t.Errorf("the session after confirming: strong %v, download %v", who.Strong, who.Check(access.DownloadTriples))
	}
	if _, err := w.EnrolFactor(t.Context(), who); !fault.Is(err, fault.Clash) {
		t.Errorf("enrolling over an active factor: %v", err)
	}
}

func TestEnrolmentWantsAYoungSession(t *testing.T) {
	w := newTown(t)
	s := w.login(t, "ann")
	w.clock.pass(access.Fresh)
	if _, err := w.EnrolFactor(t.Context(), s.Actor); text(err) != "factor.enrol is not allowed: it needs a session opened in the last 15 minutes" {
		t.Errorf("after 15 minutes: %v", err)
	}
	_, token := w.token(t, w.owner)
	program, err := w.Authenticate(t.Context(), token, home)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.EnrolFactor(t.Context(), program); text(err) != "factor.enrol is not allowed: it needs a session opened with login and password" {
		t.Errorf("by token: %v", err)
	}
}

func TestACodeIsGoodOnceAndAroundItsTime(t *testing.T) {
	w := newTown(t)
	secret, _ := w.secretOf(t, "ann")
	w.clock.pass(10 * factorStep)
	w.clock.pass(factorStep - time.Duration(w.clock.now().UnixNano())%factorStep) // at the beginning of a step
	code := func(steps int) Code {
		c, err := TOTP(secret.Reveal(), w.clock.now().Add(time.Duration(steps)*factorStep))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, tt := range []struct {
		name string
		code Code
		want string
	}{
		{"none", Code{}, needsCode},
		{"two steps old", code(-2), wrongCode},
		{"two steps ahead", code(2), wrongCode},
		{"no code", Code{hide("not a code")}, wrongCode},
		{"one step old", code(-1), ""},
		{"the same again", code(-1), wrongCode},
		{"of now, with a space", Code{hide(code(0).Reveal()[:3] + " " + code(0).Reveal()[3:])}, ""},
		{"of now, again", code(0), wrongCode},
		{"one step ahead", code(1), ""},
		{"of now, after a newer one", code(0), wrongCode},
	} {
		s, err := w.enter(t, tt.code, home)
		if text(err) != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, text(err), tt.want)
		}
		if err == nil && (!s.Actor.Strong || !s.Actor.Proved.Equal(w.clock.now())) {
			t.Errorf("%s: the session is not strong: %+v", tt.name, s.Actor)
		}
	}
}

// TestPasswordIsCheckedBeforeTheCode: who does not know the password does not learn that there is a second factor.
func TestPasswordIsCheckedBeforeTheCode(t *testing.T) {
	w := newTown(t)
	w.secretOf(t, "ann")
	_, err := w.SignIn(t.Context(), Credentials{Login: "ann", Password: NewPassword("guess guess"), From: away})
	if text(err) != "the login or the password is wrong" {
		t.Errorf("with a wrong password: %v", err)
	}
}

func TestRecoveryCodes(t *testing.T) {
	w := newTown(t)
	_, codes := w.secretOf(t, "ann")
	shouted := Code{hide(" " + strings.ToUpper(codes[0].Reveal()))}
	s, err := w.enter(t, shouted, home)
	if err != nil || !s.Actor.Strong {
		t.Fatalf("with a recovery code: %v", err)
	}
	if _, err := w.enter(t, codes[0], home); text(err) != wrongCode {
		t.Errorf("a second time: %v", err)
	}
	if f, err := w.Factor(t.Context(), s.Actor); err != nil || f.CodesLeft != recoveryCodes-1 {
		t.Errorf("left are %d, %v", f.CodesLeft, err)
	}
	fresh, err := w.RenewRecoveryCodes(t.Context(), s.Actor)
	if err != nil || len(fresh) != recoveryCodes {
		t.Fatalf("new codes: %d, %v", len(fresh), err)
	}
	if _, err := w.enter(t, codes[1], home); text(err) != wrongCode {
		t.Errorf("an old code: %v", err)
	}
	if _, err := w.enter(t, fresh[0], home); err != nil {
		t.Errorf("a new code: %v", err)
	}
	stale := s.Actor
	stale.Proved = stale.Proved.Add(-access.Fresh - time.Second)
	if _, err := w.RenewRecoveryCodes(t.Context(), stale); !fault.Is(err, fault.SecondFactor) {
		t.Errorf("without a proof: %v", err)
	}
	if n := w.count(t, "account_recovery"); n != 2*recoveryCodes {
		t.Errorf("%d codes are kept, want those of ann and the operator", n)
	}
}

func TestStepUp(t *testing.T) {
	w := newTown(t)
	secret, codes := w.secretOf(t, "ann")
	w.clock.pass(factorStep)
	s, err := w.enter(t, w.code(t, secret), home)
	if err != nil {
		t.Fatal(err)
	}
	w.clock.pass(-time.Hour) // what access sees is the real time: the proof is too old, or too new
	w.clock.pass(-time.Hour)
	if _, err := w.Prove(t.Context(), s.Actor, codes[0]); err != nil {
		t.Fatal(err)
	}
	if who := w.again(t, s); !fault.Is(who.Check(access.DownloadTriples), fault.SecondFactor) || !who.Strong {
		t.Errorf("a proof two hours old: %v, strong %v", who.Check(access.DownloadTriples), who.Strong)
	}
	w.clock.pass(2 * time.Hour)
	until, err := w.Prove(t.Context(), s.Actor, codes[1])
	if err != nil || !until.Equal(w.clock.now().Add(access.Fresh)) {
		t.Errorf("proving gives %v, %v", until, err)
	}
	if who := w.again(t, s); who.Check(access.DownloadTriples) != nil {
		t.Errorf("after a code: %v", who.Check(access.DownloadTriples))
	}
	if _, err := w.Prove(t.Context(), s.Actor, Code{hide("12345")}); text(err) != wrongCode {
		t.Errorf("a wrong code: %v", err)
	}
	bob := w.user(t, "bob")
	if _, err := w.AddMember(t.Context(), w.operator, w.org.ID, bob.Login, access.Factory); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Prove(t.Context(), w.login(t, "bob").Actor, codes[2]); !strings.HasPrefix(text(err), "there is no second factor") {
		t.Errorf("without a factor: %v", err)
	}
}

// TestGuessingCodesSlowsDownTheGuesser: who knows the password and guesses at codes, from however many addresses, waits;
// the owner where they always sign in does not, and a recovery code is good from everywhere.
func TestGuessingCodesSlowsDownTheGuesser(t *testing.T) {
	w := newTown(t)
	secret, codes := w.secretOf(t, "ann")
	w.clock.pass(factorStep)
	guess := func(i int) error {
		_, err := w.enter(t, Code{hide(fmt.Sprintf("x%05d", i))}, fmt.Sprintf("203.0.113.%d:1", i))
		return err
	}
	for i := range freeAttempts {
		if err := guess(i); text(err) != wrongCode {
			t.Fatalf("guess %d: %v", i, err)
		}
	}
	for i := range 3 {
		if err := guess(100 + i); !fault.Is(err, fault.OverLimit) {
			t.Errorf("a guess from another address: %v", err)
		}
	}
	if _, err := w.enter(t, w.code(t, secret), home); err != nil {
		t.Errorf("the owner at home: %v", err)
	}
	if _, err := w.enter(t, codes[0], away); err != nil {
		t.Errorf("the owner with a recovery code elsewhere: %v", err)
	}
	for i := range freeAttempts {
		if _, err := w.enter(t, Code{hide("wrong")}, home); text(err) != wrongCode {
			t.Fatalf("wrong code %d at home: %v", i, err)
		}
	}
	if _, err := w.enter(t, Code{hide("wrong")}, home); !fault.Is(err, fault.OverLimit) {
		t.Errorf("guessing from the owner's address: %v", err)
	}
}

func TestOperatorNeedsTheSecondFactor(t *testing.T) {
	w := newTown(t)
	bob := w.user(t, "bob")
	if err := w.SetPlatformRole(t.Context(), w.operator, bob.ID, access.Reviewer, "", "new colleague"); err != nil {
		t.Fatal(err)
	}
	s := w.login(t, "bob")
	if err := s.Actor.Check(access.ReviewOrder); !fault.Is(err, fault.SecondFactor) {
		t.Errorf("without the factor: %v", err)
	}
	if _, _, err := w.MakeToken(t.Context(), s.Actor, NewToken{Name: "weak"}); !fault.Is(err, fault.SecondFactor) {
		t.Errorf("a token without the factor: %v", err)
	}
	who := w.enrol(t, "bob", nil)
	if err := who.Check(access.ReviewOrder); err != nil {
		t.Errorf("with the factor: %v", err)
	}
	made, token := w.token(t, who)
	if program, err := w.Authenticate(t.Context(), token, home); err != nil || !program.Strong || program.Check(access.ReviewOrder) != nil || !program.Proved.IsZero() || !made.Strong {
		t.Errorf("its token: %+v, %v", program, err)
	}
	if err := w.RemoveFactor(t.Context(), who); text(err) != "whoever has a role of the operator keeps a second factor; another admin may reset it" {
		t.Errorf("removing it: %v", err)
	}
	if err := w.ResetFactor(t.Context(), w.operator, w.operator.User, ""); text(err) != "nobody resets their own second factor; another admin may" {
		t.Errorf("resetting one's own: %v", err)
	}
	if err := w.ResetFactor(t.Context(), w.operator, bob.ID, "phone lost"); err != nil {
		t.Fatal(err)
	}
	if got := w.newest(t); got != "factor.reset of "+bob.ID+" by "+w.operator.ID {
		t.Errorf("the audit says %s", got)
	}
	if s := w.login(t, "bob"); s.Actor.Strong {
		t.Error("after the reset the login is strong without a code")
	}
}

func TestRemoveFactor(t *testing.T) {
	w := newTown(t)
	who := w.enrol(t, "ann", nil)
	if err := w.RemoveFactor(t.Context(), who); err != nil {
		t.Fatal(err)
	}
	if s := w.login(t, "ann"); s.Actor.Strong {
		t.Error("a login without a code is strong")
	}
	if f, err := w.Factor(t.Context(), who); err != nil || f.State != NoFactor || f.CodesLeft != 0 {
		t.Errorf("afterwards: %+v, %v", f, err)
	}
}

func TestPlatformRoles(t *testing.T) {
	w := newTown(t)
	bob := w.user(t, "bob")
	for _, tt := range []struct {
		who        access.Actor
		user       string
		role       access.Role
		laboratory string
		want       string
	}{
		{w.owner, bob.ID, access.Admin, "", "user.manage is not allowed: it needs role admin"},
		{w.operator, "nobody", access.Admin, "", `there is no user "nobody"`},
		{w.operator, bob.ID, access.Owner, "", "/role is owner, want one of admin, reviewer, certifier, laboratory, platform_support"},
		{w.operator, bob.ID, access.Laboratory, "", "/laboratory is empty, want the id of a laboratory for the role laboratory, and empty for others"},
		{w.operator, bob.ID, access.Reviewer, "lab", "/laboratory is lab, want the id of a laboratory for the role laboratory, and empty for others"},
		{w.operator, w.operator.User, "", "", "this is the last operator who can act"},
		{w.operator, w.operator.User, access.Reviewer, "", "this is the last operator who can act"},
		{w.operator, bob.ID, access.Laboratory, "lab-1", ""},
		{w.operator, bob.ID, access.Admin, "", ""},
		{w.operator, w.operator.User, access.Reviewer, "", ""},
	} {
		before := w.entries(t)
		err := w.SetPlatformRole(t.Context(), tt.who, tt.user, tt.role, tt.laboratory, "")
		if text(err) != tt.want {
			t.Errorf("%s %s:\n got %q\nwant %q", tt.role, tt.laboratory, text(err), tt.want)
		}
		if made := w.entries(t) - before; (err == nil) != (made == 1) {
			t.Errorf("%s %s: %d audit entries, %v", tt.role, tt.laboratory, made, err)
		}
		if tt.role == access.Laboratory && err == nil {
			if s := w.login(t, "bob"); s.Actor.Laboratory != "lab-1" || !s.Actor.Has(access.Laboratory) {
				t.Errorf("bob signs in as %+v", s.Actor)
			}
		}
	}
}
