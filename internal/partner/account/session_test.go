package account

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

// What a login costs must not tell whether the name exists: each costs one evaluation and has one answer.
func TestLoginCostsTheSame(t *testing.T) {
	w := newTown(t)
	gone := w.user(t, "gone")
	if err := w.SetDisabled(t.Context(), w.operator, gone.ID, true, ""); err != nil {
		t.Fatal(err)
	}
	const wrong = "the login or the password is wrong"
	long := string(make([]byte, 1<<20))
	for _, tt := range []struct{ login, password, want string }{
		{"ann", good, ""},
		{"ANN", good, ""},
		{"ann", "not her password", wrong},
		{"ann", "", wrong},
		{"ann", long, wrong},
		{"nobody", good, wrong},
		{"nobody", "x", wrong},
		{"gone", good, wrong},
		{"gone", "x", wrong},
		{"", "", wrong},
		{"no such\nlogin", good, wrong},
		{long, good, wrong},
	} {
		before := w.hasher.evaluations.Load()
		_, err := w.SignIn(t.Context(), Credentials{Login: tt.login, Password: NewPassword(tt.password), From: home})
		if got := text(err); got != tt.want {
			t.Errorf("Login(%.20q, %.20q)\n got %q\nwant %q", tt.login, tt.password, got, tt.want)
		}
		if n := w.hasher.evaluations.Load() - before; n != 1 {
			t.Errorf("Login(%.20q, %.20q) cost %d evaluations, want 1", tt.login, tt.password, n)
		}
	}
}

func TestGuessingSlowsDownTheGuesser(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	guess := func(login, from string) error {
		_, err := w.SignIn(ctx, Credentials{Login: login, Password: NewPassword("guess guess"), From: from})
		return err
	}
	for range freeAttempts {
		if err := guess("ann", home); !fault.Is(err, fault.NoActor) {
			t.Fatalf("a free attempt: %v", err)
		}
	}
	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		wait *= time.Second
		before := w.hasher.evaluations.Load()
		f := fault.Of(guess("ann", home))
		if f == nil || f.Code != fault.OverLimit || f.RetryAfter != wait || f.What != "too many attempts to log in from this address" {
			t.Fatalf("an attempt before %s have passed: %+v", wait, f)
		}
		if w.hasher.evaluations.Load() != before {
			t.Fatal("a refused attempt was evaluated")
		}
		w.clock.pass(wait - time.Millisecond)
		if err := guess("ann", home); !fault.Is(err, fault.OverLimit) {
			t.Fatalf("a millisecond early: %v", err)
		}
		w.clock.pass(time.Millisecond)
		if err := guess("ann", home); !fault.Is(err, fault.NoActor) {
			t.Fatalf("after %s: %v", wait, err)
		}
	}
	// The right password must wait there too, or the wait would tell it.
	if _, err := w.SignIn(ctx, Credentials{Login: "ann", Password: NewPassword(good), From: home}); !fault.Is(err, fault.OverLimit) {
		t.Errorf("the right password within the pause: %v", err)
	}
	// Nobody else is slowed down: she herself from elsewhere, others from there.
	if _, err := w.SignIn(ctx, Credentials{Login: "ann", Password: NewPassword(good), From: away}); err != nil {
		t.Errorf("the owner of the login from elsewhere: %v", err)
	}
	w.login(t, "operator")
	// A success ends the count.
	w.clock.pass(longestWait)
	w.login(t, "ann")
	for range freeAttempts {
		if err := guess("ann", home); !fault.Is(err, fault.NoActor) {
			t.Errorf("after a success: %v", err)
		}
	}
}

// One account has one count, however its login is spelled, and so have all logins that nobody can have.
func TestSpellingGainsNothing(t *testing.T) {
	for _, spelled := range [][]string{{"ann", "Ann", "ANN", "ａｎｎ", "aNn", "anN"}, {"", " ", "a b", "\n", "x y", "z z"}} {
		w := newTown(t)
		var err error
		for _, login := range spelled {
			_, err = w.SignIn(t.Context(), Credentials{Login: login, Password: NewPassword("guess guess"), From: home})
		}
		if !fault.Is(err, fault.OverLimit) {
			t.Errorf("the sixth of %q: %v", spelled, err)
		}
	}
}

// Who tries a password with many names is slowed down after a hundred; whoever shares the address and signs in costs nothing.
func TestSprayingSlowsDown(t *testing.T) {
	c := &clock{t: time.Now()}
	a := newAttempts(c.now)
	try := func(login string, failed bool) time.Duration {
		done, wait := a.beginLogin(login, home)
		if wait == 0 {
			done(failed)
		}
		return wait
	}
	for i := range 1000 {
		if wait := try(fmt.Sprint("colleague", i), false); wait != 0 {
			t.Fatalf("the sign-in %d waits %s", i, wait)
		}
	}
	for i := range addressBurst {
		if wait := try(fmt.Sprint("name", i), true); wait != 0 {
			t.Fatalf("the failure %d waits %s", i, wait)
		}
	}
	if wait := try("one more", true); wait != addressInterval {
		t.Errorf("one more waits %s, want %s", wait, addressInterval)
	}
	c.pass(addressInterval)
	if first, second := try("one more", true), try("two more", true); first != 0 || second != addressInterval {
		t.Errorf("after %s the next wait %s and %s", addressInterval, first, second)
	}
	if done, wait := a.beginLogin("one more", away); wait != 0 {
		t.Errorf("another address waits %s", wait)
	} else {
		done(true)
	}
}

// An unknown login is slowed down like a known one.
func TestPauseDoesNotTellWhetherALoginExists(t *testing.T) {
	w := newTown(t)
	for range freeAttempts + 1 {
		_, known := w.SignIn(t.Context(), Credentials{Login: "ann", Password: NewPassword("guess guess"), From: away})
		_, unknown := w.SignIn(t.Context(), Credentials{Login: "nobody", Password: NewPassword("guess guess"), From: away})
		if text(known) != text(unknown) {
			t.Fatalf("known %q, unknown %q", text(known), text(unknown))
		}
	}
}

func TestManyGuessesAtOnceGainNothing(t *testing.T) {
	w := newTown(t)
	before := w.hasher.evaluations.Load()
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			_, _ = w.SignIn(t.Context(), Credentials{Login: "ann", Password: NewPassword("guess guess"), From: home})
		})
	}
	wg.Wait()
	if n := w.hasher.evaluations.Load() - before; n > freeAttempts {
		t.Errorf("200 guesses at once were evaluated %d times, want at most %d", n, freeAttempts)
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	c := &clock{t: time.Now()}
	a := newAttempts(c.now)
	for i := range attemptsKept + 1000 {
		done, wait := a.begin(fmt.Sprint("login", i), home)
		if wait != 0 {
			t.Fatal(wait)
		}
		done(true)
	}
	if len(a.known) != attemptsKept || a.recent.Len() != attemptsKept || len(a.busy) != 0 {
		t.Errorf("%d known, %d recent, %d busy; want at most %d and none busy", len(a.known), a.recent.Len(), len(a.busy), attemptsKept)
	}
}

func TestSessionEnds(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	s := w.login(t, "ann")
	valid := func() bool {
		_, err := w.Authenticate(ctx, s.Token.Reveal(), home)
		return err == nil
	}
	w.clock.pass(sessionIdle - time.Millisecond)
	if !valid() {
		t.Fatal("ended before 12 h without use")
	}
	w.clock.pass(sessionIdle - time.Millisecond)
	if !valid() {
		t.Fatal("use did not prolong it")
	}
	w.clock.pass(sessionIdle)
	if valid() {
		t.Fatal("goes on after 12 h without use")
	}
	s = w.login(t, "ann")
	for w.clock.now().Before(s.CreatedAt.Add(sessionLife)) {
		if !valid() {
			t.Fatalf("ended after %s", w.clock.now().Sub(s.CreatedAt))
		}
		w.clock.pass(6 * time.Hour)
	}
	if valid() {
		t.Fatal("goes on after 30 days")
	}
}

func TestOldestSessionGivesWay(t *testing.T) {
	w := newTown(t)
	first := w.login(t, "ann")
	for range sessionsKept {
		w.clock.pass(time.Millisecond)
		w.login(t, "ann")
	}
	if _, err := w.Authenticate(t.Context(), first.Token.Reveal(), home); text(err) != badToken {
		t.Errorf("the oldest of %d: %v", sessionsKept+1, err)
	}
	if all, err := w.Sessions(t.Context(), w.owner); err != nil || len(all) != sessionsKept {
		t.Errorf("%d sessions, %v; want %d", len(all), err, sessionsKept)
	}
}

// From the commit of each of these acts on, the token it is about is refused, though it was believed a moment before.
func TestRevocationHoldsAtOnce(t *testing.T) {
	for name, revoke := range map[string]func(w *town, s Session, made APIToken) error{
		"logout": func(w *town, s Session, _ APIToken) error {
			return w.Logout(context.Background(), w.owner, s.Token.Reveal())
		},
		"end": func(w *town, s Session, _ APIToken) error { return w.EndSession(context.Background(), w.owner, s.ID) },
		"disable": func(w *town, _ Session, _ APIToken) error {
			return w.SetDisabled(context.Background(), w.operator, w.owner.User, true, "")
		},
		"remove": func(w *town, _ Session, _ APIToken) error {
			_, err := w.AddMember(context.Background(), w.operator, w.org.ID, "operator", access.Owner)
			if err != nil {
				return err
			}
			return w.RemoveMember(context.Background(), w.operator, w.org.ID, w.owner.User)
		},
		"password": func(w *town, _ Session, _ APIToken) error {
			_, err := w.ChangePassword(context.Background(), w.owner, NewPassword(good), NewPassword("another green lamp"))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			s := w.login(t, "ann")
			if _, err := w.Authenticate(t.Context(), s.Token.Reveal(), home); err != nil {
				t.Fatal(err)
			}
			if err := revoke(w, s, APIToken{}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Authenticate(t.Context(), s.Token.Reveal(), home); text(err) != badToken {
				t.Errorf("after %s: %v", name, err)
			}
		})
	}
}

// Another process of the same data follows within 5 s.
func TestOtherProcessFollows(t *testing.T) {
	w := newTown(t)
	other := New(Config{Store: w.store, Keys: w.keys, Logger: w.log})
	other.now = w.clock.now
	s := w.login(t, "ann")
	if _, err := other.Authenticate(t.Context(), s.Token.Reveal(), home); err != nil {
		t.Fatal(err)
	}
	if err := w.Logout(t.Context(), w.owner, s.Token.Reveal()); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(believedFor)
	if _, err := other.Authenticate(t.Context(), s.Token.Reveal(), home); text(err) != badToken {
		t.Errorf("after %s elsewhere: %v", believedFor, err)
	}
}

// What was read before a revocation is not believed after it.
func TestBeliefDoesNotOutliveRevocation(t *testing.T) {
	var b beliefs
	key := digest("token")
	epoch := b.epoch() // a request reads the tables here
	b.forget()         // and a revocation commits here
	now := time.Now()
	b.put(key, belief{until: now.Add(time.Hour)}, epoch)
	if _, ok := b.get(key, now); ok {
		t.Error("the old belief was kept")
	}
	b.put(key, belief{until: now.Add(time.Hour)}, b.epoch())
	if _, ok := b.get(key, now); !ok {
		t.Error("a new belief was not kept")
	}
	for i := range 3 * believed {
		b.put(digest(fmt.Sprint(i)), belief{until: now.Add(time.Hour)}, b.epoch())
	}
	if len(b.entries) > believed {
		t.Errorf("%d beliefs, want at most %d", len(b.entries), believed)
	}
}

func TestSelectOrganisation(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	other := w.organisation(t, "bob")
	if _, err := w.AddMember(ctx, w.operator, other.ID, "ann", access.Query); err != nil {
		t.Fatal(err)
	}
	s := w.login(t, "ann")
	if s.Organisation != w.org.ID {
		t.Fatalf("a login acts for %s, want the organisation joined first", s.Organisation)
	}
	if err := w.SelectOrganisation(ctx, s.Actor, s.Token.Reveal(), other.ID); err != nil {
		t.Fatal(err)
	}
	who, err := w.Authenticate(ctx, s.Token.Reveal(), away)
	if err != nil || who.Organisation != other.ID || who.Has(access.Owner) || !who.Has(access.Query) || who.From != away {
		t.Errorf("after selecting, %+v acts, %v", who, err)
	}
}

// The operator's people are at work when they have signed in, whatever they are a member of; only they act for nobody.
func TestStaffActForNoOrganisation(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	if _, err := w.AddMember(ctx, w.operator, w.org.ID, "operator", access.Query); err != nil {
		t.Fatal(err)
	}
	s := w.login(t, "operator")
	if s.Organisation != "" || !s.Actor.Everywhere() {
		t.Fatalf("a login of the operator acts for %q", s.Organisation)
	}
	for _, organisation := range []string{w.org.ID, ""} {
		if err := w.SelectOrganisation(ctx, s.Actor, s.Token.Reveal(), organisation); err != nil {
			t.Fatalf("selecting %q: %v", organisation, err)
		}
		if who := w.again(t, s); who.Organisation != organisation || who.Everywhere() != (organisation == "") {
			t.Errorf("after selecting %q, %+v acts", organisation, who)
		}
	}
	ann := w.login(t, "ann")
	if err := w.SelectOrganisation(ctx, ann.Actor, ann.Token.Reveal(), ""); !fault.Is(err, fault.Missing) {
		t.Errorf("an owner acts for nobody: %v", err)
	}
}

// Nobody is made a member without asking: owners invite. Who is deleted is no user any more.
func TestNobodyIsConscripted(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	gone := w.user(t, "gone")
	err := w.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE account_user SET state = 'deleted' WHERE id = ?", gone.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	acting := w.operator
	acting.Organisation = w.org.ID
	for _, tt := range []struct {
		name string
		do   func() error
		want string
	}{
		{"an owner", func() error { return second(w.AddMember(ctx, w.owner, w.org.ID, "operator", access.Query)) }, "organisation.manage is not allowed: it needs role admin"},
		{"an admin who acts for an organisation", func() error { return second(w.AddMember(ctx, acting, w.org.ID, "ann", access.Query)) }, "member.add is not allowed: it needs an admin who acts for no organisation"},
		{"of a deleted user", func() error { return second(w.AddMember(ctx, w.operator, w.org.ID, "gone", access.Query)) }, `there is no user "gone"`},
		{"a deleted owner", func() error {
			return second(w.CreateOrganisation(ctx, w.operator, NewOrganisation{Names: Names{"en": "x"}, Kinds: []Kind{ChipMaker}, Owner: gone.ID}))
		}, `there is no user "` + gone.ID + `"`},
	} {
		if got := text(tt.do()); got != tt.want {
			t.Errorf("%s\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
}

func TestNoSecretInTheDatabase(t *testing.T) {
	storetest.SQLiteOnly(t, "it reads or copies the file of the database")
	w := newTown(t)
	_, token := w.token(t, w.owner)
	session := w.login(t, "ann").Token.Reveal()
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{good, token, session} {
		if contains(b, secret) {
			t.Errorf("%.8s… stands in the database", secret)
		}
	}
	if !contains(b, "ann") {
		t.Error("the database is not where the test looks")
	}
}

// Membership is asked for at each look, not only when the session was opened.
func TestSessionNeedsMembership(t *testing.T) {
	w := newTown(t)
	s := w.login(t, "ann")
	err := w.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), "DELETE FROM member")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Authenticate(t.Context(), s.Token.Reveal(), home); text(err) != badToken {
		t.Errorf("without membership: %v", err)
	}
}
