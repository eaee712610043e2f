// Package account knows the people and programs that act, and the organisations they act for (账号).
//
// It owns the tables account_user, account_factor, account_recovery, account_place, account_contact, account_code,
// account_ask, account_invitation, account_invited, organisation, organisation_listed, member, login_session and api_token. It promises:
//   - a password is stored as argon2id hash only, a session or API token as hash only; none can be printed;
//   - what a login costs does not tell whether the name exists;
//   - guessing at a login slows down the address that guesses and locks nobody out;
//   - a code of the second factor (TOTP) is good once, a recovery code, too; the secret is sealed, and wrong codes slow down
//     whoever sends them, not the owner where they always sign in;
//   - whether a contact has an account is told to nobody but whoever reads what is sent there;
//   - however many codes to a contact others ask for, whoever reads there has one that is good, and the holder is sent another
//     where they signed in before; wrong codes end none;
//   - who declined an organisation's invitation, or left several without an answer, gets none of it for a while;
//   - from the commit that revokes a token, ends a session, disables a user or removes a member, nothing of it acts here;
//     another process of the same data follows within 5 s;
//   - there is no default password: the first operator comes with a one-time code or from a file the operator wrote;
//   - an act changes everything it says and leaves one audit entry, in one transaction, or changes nothing;
//   - nobody loads an organisation that is not theirs: it is not found.
//
// What a role may do is access's table; what an organisation is entitled to is decided above.
package account

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
)

// Service answers for accounts. It is safe for concurrent use.
type Service struct {
	store    *store.Store
	keys     *keyring.Keyring
	outbox   *outbox.Outbox
	closed   bool
	forget   Forget
	changed  Changed
	log      *slog.Logger
	now      func() time.Time
	hasher   *hasher
	attempts *attempts
	believed beliefs
	setup    setup
}

// Forget makes the rooms above forget a person who is deleted, in the same transaction.
type Forget func(ctx context.Context, tx *store.Tx, user string) error

// Changed tells the rooms above that an organisation has other names or kinds, in the transaction that does it; they may refuse.
type Changed func(ctx context.Context, tx *store.Tx, organisation string) error

// Config is what the room stands on.
type Config struct {
	Store  *store.Store
	Keys   *keyring.Keyring // seals the second factors
	Outbox *outbox.Outbox   // hands codes and notices over; nil: there are none, and nobody signs up
	Closed bool             // nobody makes an account on their own
	Forget Forget           // nil: no room above knows anything of a person
	// Nil: no room above has approved what an organisation is.
	Changed Changed
	// CheapHashes, in tests of other rooms only: a hash of a password costs next to nothing, and protects nothing.
	CheapHashes bool
	Logger      *slog.Logger
}

// New returns the service over a migrated store.
func New(c Config) *Service {
	a := &Service{store: c.Store, keys: c.Keys, outbox: c.Outbox, closed: c.Closed, forget: c.Forget, changed: c.Changed, log: c.Logger, now: time.Now, hasher: newHasher(today)}
	if c.CheapHashes {
		a.hasher = newHasher(cheap)
	}
	a.attempts = newAttempts(func() time.Time { return a.now() })
	return a
}

// Run removes sessions that have ended, once an hour, until ctx ends. Nothing depends on it but the size of the table.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := errors.Join(s.sweep(ctx), s.sweepTokens(ctx)); err != nil && ctx.Err() == nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "ended sessions not removed", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Service) sweep(ctx context.Context) error {
	for {
		var n int64
		err := s.store.Write(ctx, func(tx *store.Tx) error {
			if err := s.sweepCodes(ctx, tx); err != nil {
				return err
			}
			res, err := tx.Exec(ctx, sweepSessionsSQL, s.now().Add(-sessionIdle).UnixMilli())
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

// sweepCodes removes what is over: codes of more than a day ago, requests for them, and invitations that nobody counts any more.
func (s *Service) sweepCodes(ctx context.Context, tx *store.Tx) error {
	now := s.now()
	for statement, before := range map[string]time.Time{
		"DELETE FROM account_code WHERE expires_at < ?": now.Add(-codeDay),
		"DELETE FROM account_ask WHERE expires_at < ?":  now,
		"DELETE FROM account_invited WHERE last_at < ?": now.Add(-leftAlone),
	} {
		if _, err := tx.Exec(ctx, statement, before.UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}

// change runs fn as one transaction after which nothing that was believed of tokens is believed any more. It takes rights
// away, and does so on a full disk too.
func (s *Service) change(ctx context.Context, fn func(tx *store.Tx) error) error {
	return s.give(store.Urgent(ctx), fn)
}

// give is change for what only adds rights: a full disk refuses it.
func (s *Service) give(ctx context.Context, fn func(tx *store.Tx) error) error {
	return s.store.Write(ctx, func(tx *store.Tx) error {
		tx.AfterCommit(s.believed.forget)
		return fn(tx)
	})
}

func exists(ctx context.Context, q store.Querier, statement string, args ...any) (bool, error) {
	var one int
	err := q.QueryRow(ctx, statement, args...).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// milli is a time as columns have it; 0 for zero.
func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// flag is a truth as columns have it.
func flag(is bool) int {
	if is {
		return 1
	}
	return 0
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
