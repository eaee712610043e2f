package account

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const sessionsKept = 50 // of one user; the oldest gives way to the next login

// A Session is a login that was accepted.
type Session struct {
	ID           string
	Token        Token        // to be shown at each request; empty in lists
	Actor        access.Actor // who acts in it; empty in lists
	Organisation string       // acted for; empty for an operator, or a user without one
	APIToken     string       // id of the API token it was opened with; empty for a login
	Address      string       // it was opened from
	Agent        string       // what the browser said of itself
	Strong       bool         // opened with the second factor
	Current      bool         // in lists: the one that asks
	CreatedAt    time.Time
	UsedAt       time.Time // exact to a minute
	EndsAt       time.Time // if it is not used; sooner if it was opened with a token that ends
}

// Credentials are what somebody signs in with.
type Credentials struct {
	Login    string
	Password Password
	Code     Code   // of the second factor, or a recovery code; for users who have one
	From     string // remote address "host:port"
	Agent    string // what the browser says of itself; cut
	Lang     string // of notices
}

// SignIn opens a session for whoever knows the password and, where there is a second factor, shows a code of it. The session
// acts for the organisation the user joined first, that of somebody with a role of the operator for none, until
// SelectOrganisation says otherwise. Without the code, a right password gets the fault second_factor.
//
// One answer covers a wrong password, a name that does not exist and a user who is disabled, and each costs one evaluation
// of the hash. After five failures in a row the same address must wait before it tries the same login again: 1 s, doubling
// to 60 s; the fault says how long. Other addresses are not slowed down. All logins that fail from one address count
// together, too, generously. Wrong codes count on their own, see guess.
func (s *Service) SignIn(ctx context.Context, c Credentials) (Session, error) {
	u, err := s.prove(ctx, c.Login, c.Password, c.From)
	if err != nil {
		return Session{}, err
	}
	if !u.factor {
		return s.enter(ctx, u, c)
	}
	if c.Code.Reveal() == "" {
		return Session{}, errNeedsCode()
	}
	known, err := s.knownPlace(ctx, u.id, c.From)
	if err != nil {
		return Session{}, err
	}
	var opened Session
	err = s.guess(u.id, c.From, known || recoveryForm(c.Code), func() error {
		opened, err = s.enter(ctx, u, c)
		return err
	})
	return opened, err
}

// Login is SignIn of somebody without a second factor.
func (s *Service) Login(ctx context.Context, login string, p Password, from string) (Session, error) {
	return s.SignIn(ctx, Credentials{Login: login, Password: p, From: from})
}

// enter opens the session of a login whose password was proved.
func (s *Service) enter(ctx context.Context, u proven, c Credentials) (Session, error) {
	var opened Session
	err := s.store.Write(store.Urgent(ctx), func(tx *store.Tx) error {
		// What was proved must still hold in this transaction: a new password or a disabled user ends all sessions, this one too.
		same, err := exists(ctx, tx, "SELECT 1 FROM account_user WHERE id = ? AND password = ? AND state = 'active'", u.id, u.password)
		if err != nil {
			return fmt.Errorf("reading user %s: %w", u.id, err)
		}
		if !same {
			return errLogin()
		}
		factor, err := hasFactor(ctx, tx, u.id)
		if err != nil {
			return fmt.Errorf("reading the second factor of user %s: %w", u.id, err)
		}
		if factor != u.factor {
			return fault.Stale("user", u.id) // enrolled or reset at this very moment
		}
		o := opening{user: u.id, from: c.From, agent: c.Agent, strong: factor}
		if factor {
			if err := s.useCode(ctx, tx, u.id, c.Code); err != nil {
				return err
			}
			o.proved = s.now().UnixMilli()
		}
		if o.organisation, err = firstOrganisation(ctx, tx, u.id); err != nil {
			return err
		}
		if opened, err = s.open(ctx, tx, o); err != nil {
			return err
		}
		if err := s.seen(ctx, tx, u.id, c); err != nil {
			return err
		}
		return audit.Record(ctx, tx, opened.Actor, "session.open", opened.ID, "")
	})
	return opened, err
}

// LoginToken opens a session for whoever holds an API token, so that a browser can act with it. The session can do what
// the token can, and ends with it.
func (s *Service) LoginToken(ctx context.Context, token, from, agent string) (Session, error) {
	if kindOf(token) != apiToken {
		return Session{}, errToken()
	}
	key := digest(token)
	var opened Session
	err := s.store.Write(store.Urgent(ctx), func(tx *store.Tx) error {
		h, err := findHolder(ctx, tx, apiToken, key[:])
		if errors.Is(err, sql.ErrNoRows) || err == nil && !h.holds(s.now()) {
			return errToken()
		}
		if err != nil {
			return fmt.Errorf("finding the holder of a token: %w", err)
		}
		opened, err = s.open(ctx, tx, opening{
			user: h.actor.User, organisation: h.actor.Organisation, token: h.id, from: from, agent: agent, strong: h.actor.Strong,
		})
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, opened.Actor, "session.open", opened.ID, "with an API token")
	})
	return opened, err
}

// Logout ends the session of a token. Ending what has ended is no fault.
func (s *Service) Logout(ctx context.Context, who access.Actor, token string) error {
	key := digest(token)
	return s.change(ctx, func(tx *store.Tx) error {
		var id string
		err := tx.QueryRow(ctx, "SELECT id FROM login_session WHERE hash = ? AND user_id = ?", key[:], who.User).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("finding a session: %w", err)
		}
		return endSession(ctx, tx, who, id)
	})
}

// EndSession ends a session of who's own.
func (s *Service) EndSession(ctx context.Context, who access.Actor, id string) error {
	return s.change(ctx, func(tx *store.Tx) error {
		own, err := exists(ctx, tx, "SELECT 1 FROM login_session WHERE id = ? AND user_id = ?", id, who.User)
		if err != nil {
			return fmt.Errorf("finding session %s: %w", id, err)
		}
		if !own {
			return fault.NotFound("session", id)
		}
		return endSession(ctx, tx, who, id)
	})
}

// EndOtherSessions ends all sessions of who but the one that asks, those opened with API tokens too.
func (s *Service) EndOtherSessions(ctx context.Context, who access.Actor) error {
	return s.change(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM login_session WHERE user_id = ? AND id <> ?", who.User, who.Session); err != nil {
			return fmt.Errorf("ending the other sessions of user %s: %w", who.User, err)
		}
		return audit.RecordPerson(ctx, tx, who, "session.end_others", who.User, "")
	})
}

func endSession(ctx context.Context, tx *store.Tx, who access.Actor, id string) error {
	if _, err := tx.Exec(ctx, "DELETE FROM login_session WHERE id = ?", id); err != nil {
		return fmt.Errorf("ending session %s: %w", id, err)
	}
	return audit.Record(ctx, tx, who, "session.end", id, "")
}

// SelectOrganisation lets the session of token act for another organisation its user is a member of, or, empty, for none:
// so the operator's people act for the platform. A session that was opened with an API token stays where the token is.
func (s *Service) SelectOrganisation(ctx context.Context, who access.Actor, token, organisation string) error {
	key := digest(token)
	return s.change(ctx, func(tx *store.Tx) error {
		may, err := mayActFor(ctx, tx, organisation, who.User)
		if err != nil {
			return err
		}
		if !may {
			return fault.NotFound("organisation", organisation)
		}
		res, err := tx.Exec(ctx, "UPDATE login_session SET organisation = ? WHERE hash = ? AND user_id = ? AND token = ''", organisation, key[:], who.User)
		if err != nil {
			return fmt.Errorf("selecting organisation %s: %w", organisation, err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return fmt.Errorf("selecting organisation %s: %w", organisation, err)
		}
		if n == 0 {
			return fault.Forbidden("session.select", "a session opened with login and password")
		}
		return audit.Record(ctx, tx, who, "session.select", cmp.Or(organisation, "platform"), "")
	})
}

// mayActFor says whether a user is a member of an organisation, or, of none, one of the operator's people.
func mayActFor(ctx context.Context, q store.Querier, organisation, user string) (bool, error) {
	if organisation == "" {
		staff, err := exists(ctx, q, "SELECT 1 FROM account_user WHERE id = ? AND platform_role <> ''", user)
		if err != nil {
			return false, fmt.Errorf("reading the platform role of user %s: %w", user, err)
		}
		return staff, nil
	}
	role, err := RoleOf(ctx, q, organisation, user)
	return role != "", err
}

// Sessions lists the sessions of who's own that have not ended, the newest first.
func (s *Service) Sessions(ctx context.Context, who access.Actor) ([]Session, error) {
	all := []Session{}
	err := s.store.Read(ctx, func(v *store.View) error {
		all = all[:0]
		rows, err := v.Query(ctx, sessionsSQL, who.User, sessionsKept)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var o Session
			var created, used, strong int64
			if err := rows.Scan(&o.ID, &o.Organisation, &o.APIToken, &o.Address, &o.Agent, &strong, &created, &used); err != nil {
				return err
			}
			o.Strong, o.Current = strong != 0, o.ID == who.Session
			o.CreatedAt, o.UsedAt = at(created), at(used)
			if o.EndsAt = sessionEnd(o.CreatedAt, o.UsedAt); s.now().Before(o.EndsAt) {
				all = append(all, o)
			}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("listing the sessions of user %s: %w", who.User, err)
	}
	return all, nil
}

// opening is what a session is opened with.
type opening struct {
	user, organisation, token, from, agent string
	strong                                 bool
	proved                                 int64
}

// open writes a session and finds out who acts in it.
func (s *Service) open(ctx context.Context, tx *store.Tx, o opening) (Session, error) {
	token, now := newSessionToken(), s.now().UnixMilli()
	key, id := digest(token.Reveal()), newID()
	if _, err := tx.Exec(ctx, insertSessionSQL, id, key[:], o.user, o.organisation, o.token, access.Place(o.from), access.Agent(o.agent), flag(o.strong), o.proved, now, now); err != nil {
		return Session{}, fmt.Errorf("opening a session of user %s: %w", o.user, err)
	}
	if _, err := tx.Exec(ctx, trimSessionsSQL, o.user, sessionsKept); err != nil {
		return Session{}, fmt.Errorf("ending the oldest sessions of user %s: %w", o.user, err)
	}
	h, err := findHolder(ctx, tx, sessionToken, key[:])
	if err != nil {
		return Session{}, fmt.Errorf("opening a session of user %s: %w", o.user, err)
	}
	h.actor.From = o.from
	return Session{
		ID: id, Token: token, Actor: h.actor, Organisation: o.organisation, APIToken: o.token, Address: access.Place(o.from),
		Agent: access.Agent(o.agent), Strong: o.strong,
		CreatedAt: at(now), UsedAt: at(now), EndsAt: h.until,
	}, nil
}

// firstOrganisation is the organisation a user joined first, empty if there is none, or if the user has a role of the
// operator: what they are a member of must not take them away from their work.
func firstOrganisation(ctx context.Context, q store.Querier, user string) (string, error) {
	var id string
	err := q.QueryRow(ctx, `
		SELECT m.organisation
		FROM member m
		JOIN account_user u ON u.id = m.user_id
		WHERE m.user_id = ? AND u.platform_role = ''
		ORDER BY m.created_at, m.organisation
		LIMIT 1`, user).Scan(&id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("finding the organisation of user %s: %w", user, err)
	}
	return id, nil
}

// seen notes that a user signed in from a place, and tells them if it is a new one.
func (s *Service) seen(ctx context.Context, tx *store.Tx, user string, c Credentials) error {
	from := c.From
	known, err := exists(ctx, tx, "SELECT 1 FROM account_place WHERE user_id = ? AND place = ?", user, access.Place(from))
	if err != nil {
		return fmt.Errorf("looking for a place of user %s: %w", user, err)
	}
	elsewhere, err := exists(ctx, tx, "SELECT 1 FROM account_place WHERE user_id = ?", user)
	if err != nil {
		return fmt.Errorf("looking for a place of user %s: %w", user, err)
	}
	if !known && elsewhere {
		if err := s.notify(ctx, tx, user, c.Lang, letterPlace); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, putPlaceSQL, user, access.Place(from), s.now().UnixMilli()); err != nil {
		return fmt.Errorf("noting a place of user %s: %w", user, err)
	}
	return nil
}

// proven is a user who showed the password that was in force then.
type proven struct {
	id, password string
	factor       bool // signs in with a code, too
}

// prove checks login and password under the bounds of a login, at the same cost whatever the answer.
func (s *Service) prove(ctx context.Context, login string, p Password, from string) (proven, error) {
	key, err := loginKey(login)
	if err != nil {
		key = "" // no user has it
	}
	done, wait := s.attempts.beginLogin(key, from)
	if wait > 0 {
		refused := fault.Limit("/login", "too many attempts", "five failures in a row, then a growing pause", whole(wait))
		refused.What = "too many attempts to log in from this address"
		return proven{}, refused
	}
	failed := true
	defer func() { done(failed) }()
	u, err := s.knownAs(ctx, key)
	if err != nil {
		return proven{}, err
	}
	right, err := s.hasher.verify(ctx, u.password, p)
	if err != nil {
		return proven{}, fmt.Errorf("checking a password: %w", err)
	}
	if failed = !right || u.id == ""; failed {
		return proven{}, errLogin()
	}
	return u, nil
}

// knownAs returns the active user with that login, or nobody, with a hash that no password has.
func (s *Service) knownAs(ctx context.Context, key string) (proven, error) {
	var u proven
	err := s.store.Read(ctx, func(v *store.View) error {
		u = proven{password: s.hasher.nobody}
		var id, password, state string
		var factor int
		// One statement, so that a login that exists costs no more than one that does not.
		err := v.QueryRow(ctx, provenSQL, key).Scan(&id, &password, &state, &factor)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil && state == stateActive {
			u = proven{id, password, factor != 0}
		}
		return err
	})
	if err != nil {
		return proven{}, fmt.Errorf("looking for a login: %w", err)
	}
	return u, nil
}

func errLogin() error {
	f := fault.Unauthenticated("the login or the password is wrong")
	f.Fix = "check both and try again"
	return f
}
