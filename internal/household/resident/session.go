package resident

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const (
	tokenMark    = "lwr_"
	tokenChars   = len(tokenMark) + 52 // 256 bits
	sessionIdle  = 30 * 24 * time.Hour
	sessionsKept = 20               // of one resident; the oldest gives way to the next
	placesKept   = 20               // of one resident
	touchEvery   = 10 * time.Minute // how exact "last used" is
)

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// A Session is a resident who is signed in.
type Session struct {
	ID        string
	Token     Token // empty in lists
	Actor     access.Actor
	Place     string // it was opened from
	Agent     string
	Current   bool // in lists: the one that asks
	CreatedAt time.Time
	UsedAt    time.Time
	EndsAt    time.Time // if it is not used
}

// Credentials are what a resident signs in with.
type Credentials struct {
	Contact, Code string
	Name, Lang    string // of whoever is new
	From, Agent   string
}

// SignIn opens a session for whoever shows a code that was sent to a contact. Whoever is new gets an account.
func (s *Service) SignIn(ctx context.Context, in Credentials) (opened Session, err error) {
	c, err := parseContact(in.Contact)
	if err != nil {
		return opened, err
	}
	if in.Name, err = checkName(in.Name); err != nil {
		return opened, err
	}
	if err := checkLang(in.Lang); err != nil {
		return opened, err
	}
	err = s.guess(ctx, c, in.From, func() error {
		return s.store.Write(ctx, func(tx *store.Tx) error {
			if err := s.rightCode(ctx, tx, c, in.Code); err != nil {
				return err
			}
			id, err := s.holderOf(ctx, tx, c, in)
			if err != nil {
				return err
			}
			opened, err = s.open(ctx, tx, id, in)
			return err
		})
	})
	return opened, err
}

// holderOf is the resident who has a contact, made if there is none.
func (s *Service) holderOf(ctx context.Context, tx *store.Tx, c Contact, in Credentials) (id string, err error) {
	err = tx.QueryRow(ctx, "SELECT id FROM resident WHERE kind = ? AND address = ?", c.Kind, c.Address).Scan(&id)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	id = newID()
	_, err = tx.Exec(ctx, "INSERT INTO resident (id, kind, address, name, lang, created_at) VALUES (?, ?, ?, ?, ?, ?)",
		id, c.Kind, c.Address, in.Name, in.Lang, s.now().UnixMilli())
	if err != nil {
		return "", fmt.Errorf("adding a resident: %w", err)
	}
	return id, audit.Record(ctx, tx, actor(id, "", in.From), "resident.create", "", c.Kind)
}

func (s *Service) open(ctx context.Context, tx *store.Tx, resident string, in Credentials) (Session, error) {
	token, now := newToken(), s.now()
	hash, id, place, agent := digest(token.Reveal()), newID(), access.Place(in.From), access.Agent(in.Agent)
	if _, err := tx.Exec(ctx, insertSessionSQL, id, hash[:], resident, place, agent, now.UnixMilli(), now.UnixMilli()); err != nil {
		return Session{}, fmt.Errorf("opening a session of resident %s: %w", resident, err)
	}
	if _, err := tx.Exec(ctx, trimSessionsSQL, resident, sessionsKept); err != nil {
		return Session{}, fmt.Errorf("ending the oldest sessions of resident %s: %w", resident, err)
	}
	if _, err := tx.Exec(ctx, putPlaceSQL, resident, place, now.UnixMilli()); err != nil {
		return Session{}, fmt.Errorf("noting a place of resident %s: %w", resident, err)
	}
	if _, err := tx.Exec(ctx, trimPlacesSQL, resident, resident, placesKept); err != nil {
		return Session{}, fmt.Errorf("forgetting old places of resident %s: %w", resident, err)
	}
	o := Session{ID: id, Token: token, Actor: actor(resident, id, in.From), Place: place, Agent: agent, CreatedAt: now.UTC(), UsedAt: now.UTC(), EndsAt: now.Add(sessionIdle).UTC()}
	return o, audit.Record(ctx, tx, o.Actor, "resident.session.open", id, "")
}

// Mine says whether token has the form of a resident's.
func Mine(token string) bool { return strings.HasPrefix(token, tokenMark) }

// Authenticate says who holds the token of a session. The actor may do nothing yet: which home they act for, and in which role,
// the door finds out.
func (s *Service) Authenticate(ctx context.Context, token, from string) (access.Actor, error) {
	if !Mine(token) || len(token) != tokenChars {
		return access.Actor{}, errToken()
	}
	hash := digest(token)
	var id, resident string
	var used int64
	err := s.store.Read(ctx, func(v *store.View) error {
		return v.QueryRow(ctx, "SELECT id, resident, used_at FROM resident_session WHERE hash = ?", hash[:]).Scan(&id, &resident, &used)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return access.Actor{}, errToken()
	}
	if err != nil {
		return access.Actor{}, fmt.Errorf("finding the holder of a resident's token: %w", err)
	}
	now := s.now()
	idle := now.Sub(at(used))
	if idle.Abs() >= sessionIdle { // also of a clock that ran ahead
		return access.Actor{}, errToken()
	}
	if idle.Abs() >= touchEvery {
		s.touch(ctx, id, now)
	}
	return actor(resident, id, from), nil
}

// touch notes that a session was used. Failing to do so does not refuse the holder.
func (s *Service) touch(ctx context.Context, id string, now time.Time) {
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE resident_session SET used_at = ? WHERE id = ?", now.UnixMilli(), id)
		return err
	})
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "last use not noted", slog.String("session", id), slog.Any("error", err))
	}
}

// Sessions lists the sessions of who's own that have not ended, the newest first.
func (s *Service) Sessions(ctx context.Context, who access.Actor) ([]Session, error) {
	if err := own(who); err != nil {
		return nil, err
	}
	all := []Session{}
	err := s.store.Read(ctx, func(v *store.View) error {
		all = all[:0]
		rows, err := v.Query(ctx, sessionsSQL, who.ID, s.now().Add(-sessionIdle).UnixMilli(), sessionsKept)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var o Session
			var created, used int64
			if err := rows.Scan(&o.ID, &o.Place, &o.Agent, &created, &used); err != nil {
				return err
			}
			o.Current, o.CreatedAt, o.UsedAt = o.ID == who.Session, at(created), at(used)
			o.EndsAt = o.UsedAt.Add(sessionIdle)
			all = append(all, o)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("listing the sessions of resident %s: %w", who.ID, err)
	}
	return all, nil
}

// EndSession ends a session of who's own.
func (s *Service) EndSession(ctx context.Context, who access.Actor, id string) error {
	return s.end(ctx, who, id, "DELETE FROM resident_session WHERE resident = ? AND id = ?", who.ID, id)
}

// EndOtherSessions ends all sessions of who but the one that asks.
func (s *Service) EndOtherSessions(ctx context.Context, who access.Actor) error {
	return s.end(ctx, who, "", endOthersSQL, who.ID, who.Session)
}

// SignOut ends the session that asks.
func (s *Service) SignOut(ctx context.Context, who access.Actor) error {
	return s.EndSession(ctx, who, who.Session)
}

func (s *Service) end(ctx context.Context, who access.Actor, id, statement string, args ...any) error {
	if err := own(who); err != nil {
		return err
	}
	return s.store.Write(store.Urgent(ctx), func(tx *store.Tx) error {
		done, err := tx.Exec(ctx, statement, args...)
		if err != nil {
			return fmt.Errorf("ending sessions of resident %s: %w", who.ID, err)
		}
		if n, err := done.RowsAffected(); id != "" && (err != nil || n == 0) {
			return fault.NotFound("session", id)
		}
		return audit.Record(ctx, tx, who, "resident.session.end", id, "")
	})
}

func actor(resident, session, from string) access.Actor {
	return access.Actor{Kind: access.KindResident, ID: resident, User: resident, Session: session, From: from}
}

func errToken() error {
	f := fault.Unauthenticated("the session or token is not valid, or is no longer")
	f.Where = "session"
	return f
}

func newToken() Token {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: crypto/rand
	return hide(tokenMark + letters.EncodeToString(b))
}

// digest is what is stored of a token. The 256 bits in it need no slow hash.
func digest(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }
