package account

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const (
	believedFor = 5 * time.Second // longest time another process may go on using what this one took back
	believed    = 8192            // tokens remembered at once, about 3 MB

	sessionIdle = 12 * time.Hour      // a session not used for so long has ended
	sessionLife = 30 * 24 * time.Hour // a session ends after so long, used or not
	touchEvery  = time.Minute         // how exact "last used" is
)

// Authenticate says who holds token, a session's or an API token, and acts from the remote address given.
//
// What it finds it believes for at most 5 s; what this process revokes, disables or changes holds from the commit on.
// Roles and Scopes of the actor are shared: read only. Every refusal is the same [fault.Fault], whether the token is
// malformed, unknown, expired or revoked.
func (s *Service) Authenticate(ctx context.Context, token, from string) (access.Actor, error) {
	kind := kindOf(token)
	if kind == noToken {
		return access.Actor{}, errToken()
	}
	key, now := digest(token), s.now()
	if who, ok := s.believed.get(key, now); ok {
		who.From = from
		return who, nil
	}
	epoch := s.believed.epoch()
	h, err := s.holder(ctx, kind, key)
	if err != nil {
		return access.Actor{}, err
	}
	if !h.holds(now) {
		return access.Actor{}, errToken()
	}
	if now.Sub(h.used).Abs() >= touchEvery { // also when the clock went back
		s.touch(ctx, h, now, from)
	}
	s.believed.put(key, belief{h.actor, earlier(now.Add(believedFor), h.until)}, epoch)
	h.actor.From = from
	return h.actor, nil
}

// A holder is what the tables say of the one who shows a token.
type holder struct {
	kind    tokenKind
	id      string // of the session or API token
	actor   access.Actor
	opened  time.Time // of a session
	until   time.Time // the token ends, if it is not used
	used    time.Time // zero if never
	revoked bool
}

// holds says whether the token is good now. A session that was opened or used long after now is of a clock that ran ahead:
// it has ended, or it would outlive its end by as much.
func (h *holder) holds(now time.Time) bool {
	ahead := now.Add(sessionIdle)
	return !h.revoked && now.Before(h.until) && (h.kind == apiToken || !h.opened.After(ahead) && !h.used.After(ahead))
}

func (s *Service) holder(ctx context.Context, kind tokenKind, key [sha256.Size]byte) (*holder, error) {
	var h *holder
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		h, err = findHolder(ctx, v, kind, key[:])
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errToken()
	}
	if err != nil {
		return nil, fmt.Errorf("finding the holder of a token: %w", err)
	}
	return h, nil
}

func findHolder(ctx context.Context, q store.Querier, kind tokenKind, hash []byte) (*holder, error) {
	statement := sessionHolderSQL
	if kind == apiToken {
		statement = tokenHolderSQL
	}
	h := &holder{kind: kind}
	var (
		token, state, platform, role string
		created, strong, proved      int64
		used, expires, revoked       sql.NullInt64
		scopes                       sql.NullString
	)
	a := &h.actor
	err := q.QueryRow(ctx, statement, hash).Scan(&h.id, &a.Organisation, &created, &used, &token, &expires, &revoked, &scopes, &strong, &proved,
		&a.User, &a.Login, &state, &platform, &a.Laboratory, &role)
	if err != nil {
		return nil, err
	}
	h.opened, h.used = at(created), at(used.Int64)
	h.until = sessionEnd(h.opened, h.used)
	if expires.Valid && (kind == apiToken || at(expires.Int64).Before(h.until)) {
		h.until = at(expires.Int64)
	}
	// A session opened with a token ends with it: the row of the token is gone or says when it was revoked.
	h.revoked = revoked.Valid || state != stateActive || a.Organisation != "" && role == "" || token != "" && !expires.Valid
	a.Kind, a.ID = access.KindUser, a.User
	a.Strong, a.Proved = strong != 0, at(proved)
	if kind == sessionToken {
		a.Session = h.id
	}
	if token != "" {
		a.Kind, a.ID = access.KindToken, token
		platform = platformOf(a.Organisation, platform)
	}
	for _, r := range []string{platform, role} {
		if r != "" {
			a.Roles = append(a.Roles, access.Role(r))
		}
	}
	if scopes.Valid {
		if err := json.Unmarshal([]byte(scopes.String), &a.Scopes); err != nil {
			return nil, fmt.Errorf("reading the scopes of token %s: %w", token, err)
		}
	}
	return h, nil
}

// platformOf is the platform role an API token carries: a token for an organisation never acts for the platform.
func platformOf(organisation, role string) string {
	if organisation != "" {
		return ""
	}
	return role
}

// touch notes that a token was used. Failing to do so does not refuse the holder: reading works on a full disk too.
func (s *Service) touch(ctx context.Context, h *holder, now time.Time, from string) {
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		var err error
		if h.kind == apiToken {
			_, err = tx.Exec(ctx, "UPDATE api_token SET used_at = ?, used_from = ? WHERE id = ?", now.UnixMilli(), access.Place(from), h.id)
		} else {
			_, err = tx.Exec(ctx, "UPDATE login_session SET used_at = ? WHERE id = ?", now.UnixMilli(), h.id)
		}
		return err
	})
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "last use not noted", slog.String("token", h.id), slog.Any("error", err))
	}
}

func sessionEnd(created, used time.Time) time.Time {
	return earlier(created.Add(sessionLife), used.Add(sessionIdle))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// at is the time of a column; zero for zero.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func errToken() error {
	f := fault.Unauthenticated("the session or token is not valid, or is no longer")
	f.Where = "session"
	return f
}

// beliefs remembers who holds a token, by its hash.
type beliefs struct {
	mu      sync.RWMutex // guards the fields below
	turn    uint64       // grows whenever all is forgotten
	entries map[[sha256.Size]byte]belief
}

type belief struct {
	who   access.Actor
	until time.Time
}

func (b *beliefs) get(key [sha256.Size]byte, now time.Time) (access.Actor, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	e, ok := b.entries[key]
	return e.who, ok && now.Before(e.until)
}

// epoch is to be asked for before the tables are read: see put.
func (b *beliefs) epoch() uint64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.turn
}

// put remembers e unless all was forgotten since epoch: what was read before a revocation must not outlive it.
func (b *beliefs) put(key [sha256.Size]byte, e belief, epoch uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.turn != epoch {
		return
	}
	if b.entries == nil || len(b.entries) >= believed {
		b.entries = make(map[[sha256.Size]byte]belief)
	}
	b.entries[key] = e
}

func (b *beliefs) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn++
	clear(b.entries)
}
