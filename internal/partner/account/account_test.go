package account

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	good = "seven green lamps"
	home = "192.0.2.7:40000"
	away = "198.51.100.9:40000"
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

// A town is a service with an operator, an organisation and its owner.
type town struct {
	*Service
	clock    *clock
	path     string
	operator access.Actor
	codes    []Code // recovery codes of the operator, not used yet
	org      Organisation
	owner    access.Actor
}

// serviceOn is a service with keys of its own.
func serviceOn(t testing.TB, s *store.Store) *Service {
	t.Helper()
	keys, err := keyring.Open(t.Context(), s, filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	return New(Config{CheapHashes: true, Store: s, Keys: keys, Logger: slog.New(slog.DiscardHandler)})
}

// enrol signs a user in, gives them a second factor and says who acts in that session then.
func (w *town) enrol(t testing.TB, login string, codes *[]Code) access.Actor {
	t.Helper()
	s := w.login(t, login)
	made, err := w.EnrolFactor(t.Context(), s.Actor)
	if err != nil {
		t.Fatal(err)
	}
	given, err := w.ConfirmFactor(t.Context(), s.Actor, w.code(t, made.Secret))
	if err != nil {
		t.Fatal(err)
	}
	if codes != nil {
		*codes = given
	}
	return w.again(t, s)
}

// again is who acts in a session now.
func (w *town) again(t testing.TB, s Session) access.Actor {
	t.Helper()
	who, err := w.Authenticate(t.Context(), s.Token.Reveal(), home)
	if err != nil {
		t.Fatal(err)
	}
	return who
}

// code is what the authenticator with that secret shows now.
func (w *town) code(t testing.TB, secret Code) Code {
	t.Helper()
	c, err := TOTP(secret.Reveal(), w.clock.now())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newTown(t testing.TB) *town {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lampworks.db")
	w := &town{Service: serviceOn(t, storetest.OpenAt(t, path)), clock: &clock{t: time.Now().Truncate(time.Millisecond)}, path: path}
	w.now = w.clock.now
	code, needed, err := w.SetupCode(t.Context())
	if err != nil || !needed {
		t.Fatalf("SetupCode: needed %v, %v", needed, err)
	}
	if _, err := w.Setup(t.Context(), code.Reveal(), NewUser{Login: "operator", Password: NewPassword(good)}, home); err != nil {
		t.Fatal(err)
	}
	w.operator = w.enrol(t, "operator", &w.codes)
	w.org = w.organisation(t, "ann")
	w.owner = w.login(t, "ann").Actor
	return w
}

// organisation makes an organisation with a new user as its owner.
func (w *town) organisation(t testing.TB, owner string) Organisation {
	t.Helper()
	u := w.user(t, owner)
	o, err := w.CreateOrganisation(t.Context(), w.operator, NewOrganisation{
		Names: Names{"en": owner + " & Co", "zh-CN": "灯厂"}, Kinds: []Kind{TerminalMaker}, Owner: u.ID,
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (w *town) user(t testing.TB, login string) User {
	t.Helper()
	u, err := w.AddUser(t.Context(), w.operator, NewUser{Login: login, Password: NewPassword(good)})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (w *town) login(t testing.TB, login string) Session {
	t.Helper()
	c := Credentials{Login: login, Password: NewPassword(good), From: home}
	if login == "operator" && len(w.codes) > 0 {
		c.Code, w.codes = w.codes[0], w.codes[1:]
	}
	s, err := w.SignIn(t.Context(), c)
	if err != nil {
		t.Fatalf("logging in as %s: %v", login, err)
	}
	return s
}

func (w *town) token(t testing.TB, who access.Actor, scopes ...access.Act) (APIToken, string) {
	t.Helper()
	made, token, err := w.MakeToken(t.Context(), who, NewToken{Name: "ci", Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	return made, token.Reveal()
}

// entries counts the audit entries there are.
func (w *town) entries(t testing.TB) int { return w.count(t, "audit_entry") }

func (w *town) count(t testing.TB, table string) int {
	t.Helper()
	var n int
	err := w.store.Read(t.Context(), func(v *store.View) error {
		return v.QueryRow(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (w *town) newest(t testing.TB) string {
	t.Helper()
	var act, object, actor string
	err := w.store.Read(t.Context(), func(v *store.View) error {
		return v.QueryRow(t.Context(), `SELECT e.act, COALESCE(o.person, e.object), COALESCE(p.person, e.actor)
			FROM audit_entry e LEFT JOIN audit_person p ON p.reference = e.actor LEFT JOIN audit_person o ON o.reference = e.object
			ORDER BY e.seq DESC LIMIT 1`).Scan(&act, &object, &actor)
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s of %s by %s", act, object, actor)
}

// text is what an error says, empty for none.
func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

const badToken = "the session or token is not valid, or is no longer"

func TestEveryActLeavesOneEntry(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	bob := w.user(t, "bob")
	eve := w.user(t, "eve")
	session := w.login(t, "ann")
	made, token := w.token(t, w.owner)
	second := w.login(t, "ann")
	for _, act := range []struct {
		name string
		do   func() error
	}{
		{"user.add", func() error {
			_, err := w.AddUser(ctx, w.operator, NewUser{Login: "cat", Password: NewPassword(good)})
			return err
		}},
		{"organisation.create", func() error {
			_, err := w.CreateOrganisation(ctx, w.operator, NewOrganisation{Names: Names{"en": "x"}, Kinds: []Kind{ChipMaker}, Owner: bob.ID})
			return err
		}},
		{"organisation.set", func() error {
			return w.SetOrganisation(ctx, w.owner, w.org.ID, Names{"en": "y"}, []Kind{ModuleMaker})
		}},
		{"member.add", func() error { _, err := w.AddMember(ctx, w.operator, w.org.ID, "BOB", access.Engineer); return err }},
		{"member.role", func() error { return w.SetRole(ctx, w.owner, w.org.ID, bob.ID, access.Factory) }},
		{"member.remove", func() error { return w.RemoveMember(ctx, w.owner, w.org.ID, bob.ID) }},
		{"session.open", func() error {
			_, err := w.SignIn(ctx, Credentials{Login: "eve", Password: NewPassword(good), From: home})
			return err
		}},
		{"session.open", func() error { _, err := w.LoginToken(ctx, token, home, ""); return err }},
		{"session.select", func() error { return w.SelectOrganisation(ctx, w.owner, session.Token.Reveal(), w.org.ID) }},
		{"session.end", func() error { return w.Logout(ctx, w.owner, session.Token.Reveal()) }},
		{"session.end", func() error { return w.EndSession(ctx, w.owner, second.ID) }},
		{"token.make", func() error { _, _, err := w.MakeToken(ctx, w.owner, NewToken{Name: "n"}); return err }},
		{"token.revoke", func() error { return w.RevokeToken(ctx, w.owner, made.ID) }},
		{"user.disable", func() error { return w.SetDisabled(ctx, w.operator, eve.ID, true, "left") }},
		{"user.enable", func() error { return w.SetDisabled(ctx, w.operator, eve.ID, false, "came back") }},
		{"user.password", func() error {
			_, err := w.ChangePassword(ctx, w.owner, NewPassword(good), NewPassword("another green lamp"))
			return err
		}},
	} {
		before := w.entries(t)
		if err := act.do(); err != nil {
			t.Fatalf("%s: %v", act.name, err)
		}
		var name string
		_, err := fmt.Sscan(w.newest(t), &name)
		if got := w.entries(t) - before; got != 1 || name != act.name || err != nil {
			t.Errorf("%s left %d entries, the newest is %q", act.name, got, w.newest(t))
		}
	}
}

// What a role does not allow is refused, whoever asks, and changes nothing.
func TestRefusedActChangesNothing(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	bob := w.user(t, "bob")
	if _, err := w.AddMember(ctx, w.operator, w.org.ID, "bob", access.Engineer); err != nil {
		t.Fatal(err)
	}
	engineer := w.login(t, "bob").Actor
	_, token := w.token(t, w.owner)
	program, err := w.Authenticate(ctx, token, home)
	if err != nil {
		t.Fatal(err)
	}
	const users = "user.manage is not allowed: it needs role admin"
	const members, operators = "member.manage is not allowed: it needs role admin or owner", "organisation.manage is not allowed: it needs role admin"
	for _, tt := range []struct {
		name string
		do   func() error
		want string
	}{
		{"engineer adds a member", func() error { _, err := w.AddMember(ctx, engineer, w.org.ID, "bob", access.Owner); return err }, operators},
		{"engineer makes himself owner", func() error { return w.SetRole(ctx, engineer, w.org.ID, bob.ID, access.Owner) }, members},
		{"engineer removes the owner", func() error { return w.RemoveMember(ctx, engineer, w.org.ID, w.owner.User) }, members},
		{"owner adds a user", func() error { _, err := w.AddUser(ctx, w.owner, NewUser{}); return err }, users},
		{"owner lists users", func() error { _, err := w.Users(ctx, w.owner, listing.Ask{}); return err }, users},
		{"owner lists organisations", func() error { _, err := w.Organisations(ctx, w.owner, listing.Ask{}); return err }, operators},
		{"owner makes an organisation", func() error { _, err := w.CreateOrganisation(ctx, w.owner, NewOrganisation{}); return err }, operators},
		{"owner disables the operator", func() error { return w.SetDisabled(ctx, w.owner, w.operator.User, true, "") }, users},
		{
			"owner makes an operator of a member", func() error { return w.SetRole(ctx, w.owner, w.org.ID, bob.ID, access.Admin) },
			"/role is admin, want one of owner, engineer, factory, market, support, query",
		},
		{"nobody lists members", func() error { _, err := w.Members(ctx, access.Actor{}, w.org.ID, listing.Ask{}); return err }, "nobody is signed in"},
		{
			"a token makes a token", func() error { _, _, err := w.MakeToken(ctx, program, NewToken{Name: "n"}); return err },
			"token.manage is not allowed: it needs a session opened with login and password",
		},
		{"a token changes the password", func() error {
			_, err := w.ChangePassword(ctx, program, NewPassword(good), NewPassword("another green lamp"))
			return err
		}, "user.password is not allowed: it needs a session opened with login and password"},
		{"the last owner leaves", func() error { return w.RemoveMember(ctx, w.owner, w.org.ID, w.owner.User) }, "this is the last owner of the organisation"},
		{"the last owner steps down", func() error { return w.SetRole(ctx, w.owner, w.org.ID, w.owner.User, access.Query) }, "this is the last owner of the organisation"},
		{"the last operator goes", func() error { return w.SetDisabled(ctx, w.operator, w.operator.User, true, "") }, "this is the last operator who can act"},
		{"a member twice", func() error { _, err := w.AddMember(ctx, w.operator, w.org.ID, "bob", access.Owner); return err }, "bob is a member already, as engineer"},
		{"a member who is none", func() error { return w.SetRole(ctx, w.owner, w.org.ID, w.operator.User, access.Query) }, `there is no member "` + w.operator.User + `"`},
		{"a user who is none", func() error { _, err := w.AddMember(ctx, w.operator, w.org.ID, "nobody", access.Query); return err }, `there is no user "nobody"`},
		{"a login that is taken in other letters", func() error {
			_, err := w.AddUser(ctx, w.operator, NewUser{Login: "ＡＮＮ", Password: NewPassword(good)})
			return err
		}, "the login ＡＮＮ is taken"},
	} {
		before := fmt.Sprint(w.entries(t), w.count(t, "member"), w.count(t, "account_user"), w.count(t, "api_token"))
		if got := text(tt.do()); got != tt.want {
			t.Errorf("%s\n got %q\nwant %q", tt.name, got, tt.want)
		}
		if after := fmt.Sprint(w.entries(t), w.count(t, "member"), w.count(t, "account_user"), w.count(t, "api_token")); after != before {
			t.Errorf("%s: rows changed from %s to %s", tt.name, before, after)
		}
	}
}

func TestForeignOrganisationIsNotFound(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	other := w.organisation(t, "eve")
	eve := w.login(t, "eve")
	foreign, _ := w.token(t, w.owner)
	absent := newID()
	for _, id := range []string{w.org.ID, absent, ""} {
		missing := func(err error) bool { return fault.Is(err, fault.Missing) }
		for name, err := range map[string]error{
			"Organisation":       second(w.Organisation(ctx, eve.Actor, id)),
			"SetOrganisation":    w.SetOrganisation(ctx, eve.Actor, id, Names{"en": "mine"}, []Kind{ChipMaker}),
			"SetRole":            w.SetRole(ctx, eve.Actor, id, w.owner.User, access.Query),
			"RemoveMember":       w.RemoveMember(ctx, eve.Actor, id, w.owner.User),
			"SelectOrganisation": w.SelectOrganisation(ctx, eve.Actor, eve.Token.Reveal(), id),
			"RevokeToken":        w.RevokeToken(ctx, eve.Actor, foreign.ID),
			"EndSession":         w.EndSession(ctx, eve.Actor, id),
		} {
			if !missing(err) {
				t.Errorf("%s(%q) = %v, want it not found", name, id, err)
			}
		}
		if _, err := w.Members(ctx, eve.Actor, id, listing.Ask{}); !missing(err) {
			t.Errorf("Members(%q) = %v, want it not found", id, err)
		}
	}
	if _, err := w.Organisation(ctx, eve.Actor, other.ID); err != nil {
		t.Errorf("her own organisation: %v", err)
	}
	if got, err := w.Organisation(ctx, w.operator, w.org.ID); err != nil || got.Names["zh-CN"] != "灯厂" {
		t.Errorf("the operator sees %v, %v", got, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestRunRemovesEndedSessions(t *testing.T) {
	w := newTown(t)
	w.clock.pass(sessionIdle - time.Minute)
	w.login(t, "ann")
	w.clock.pass(2 * time.Minute)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := w.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.count(t, "login_session"); got != 1 {
		t.Errorf("%d sessions are left, want 1", got)
	}
	if err := w.Run(ctx); err != nil {
		t.Errorf("Run after the end: %v", err)
	}
}
