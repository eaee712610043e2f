// Package once sees to it that a request which is sent twice is carried out once.
//
// It owns the table once_answer and promises, for one actor and one Idempotency-Key:
//   - the second request with the same content gets the answer of the first, unchanged, for 24 hours;
//   - another content under the same key is a conflict;
//   - however a request and the program ended, the act was committed at most once: the
//     mark that it was done is in the act's own transaction.
package once

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// Limits.
const (
	MaxKey    = 255       // bytes of a key: visible ASCII
	MaxAnswer = 256 << 10 // bytes of an answer that is kept; a longer one is not given twice
	Keep      = 24 * time.Hour
	Patience  = time.Minute // after that a claim that committed nothing may be taken over
)

// The states of a key.
const (
	claimed  = "claimed"  // somebody is at it; nothing is committed
	done     = "done"     // committed, the answer is not known yet
	answered = "answered" // committed, the answer is kept
)

// An Answer is what the first request was told.
type Answer struct {
	Status int
	Body   []byte
}

// A Claim is the right to carry a request out.
type Claim struct {
	store *store.Store
	actor string
	key   string
	token string
	now   func() time.Time
}

// Begin claims key for who's request, whose content has the given SHA-256. If it was
// carried out before, the answer is given and there is no claim. Otherwise the act
// runs with the context that is given: its first [store.Store.Write] also
// marks the key as done. After that [Claim.Finish] keeps the answer, or
// [Claim.Release] gives the key back because the act was refused. A key in use
// by another request, or with another content, is a fault.
func Begin(ctx context.Context, s *store.Store, who access.Actor, key string, request [32]byte,
) (context.Context, *Claim, *Answer, error) {
	if err := checkKey(key); err != nil {
		return ctx, nil, nil, err
	}
	c := &Claim{store: s, actor: who.Kind + " " + who.ID, key: key, token: uuid.NewString(), now: time.Now}
	var found *Answer
	err := s.Write(ctx, func(tx *store.Tx) (err error) {
		found, err = c.claim(ctx, tx, request)
		return err
	})
	if err != nil || found != nil {
		return ctx, nil, found, err
	}
	return store.Alongside(ctx, c.markDone), c, nil, nil
}

// Do is the same within one transaction, for a room that has its own: fn runs once
// for who and key, and its answer is kept with what it wrote. Again tells that the answer is the first one's.
func Do(ctx context.Context, tx *store.Tx, who access.Actor, key string, request [32]byte,
	fn func() (body []byte, status int, err error),
) (a Answer, again bool, err error) {
	if err := checkKey(key); err != nil {
		return Answer{}, false, err
	}
	c := &Claim{actor: who.Kind + " " + who.ID, key: key, token: uuid.NewString(), now: time.Now}
	found, err := c.claim(ctx, tx, request)
	if err != nil {
		return Answer{}, false, err
	}
	if found != nil {
		return *found, true, nil
	}
	if a.Body, a.Status, err = fn(); err != nil {
		return Answer{}, false, err
	}
	if err := c.markDone(ctx, tx); err != nil {
		return Answer{}, false, err
	}
	return a, false, c.keep(ctx, tx, a)
}

func checkKey(key string) error {
	if key == "" || len(key) > MaxKey || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fault.Invalid("Idempotency-Key", strconv.Quote(fault.Cut(key)),
			fmt.Sprintf("1 to %d visible ASCII characters", MaxKey), "send a UUID")
	}
	return nil
}

// claim takes the key, or finds the answer, or says why neither can be.
func (c *Claim) claim(ctx context.Context, tx *store.Tx, request [32]byte) (*Answer, error) {
	now := c.now()
	if _, err := tx.Exec(ctx, deleteOld, now.Add(-Keep).UnixMilli()); err != nil {
		return nil, fmt.Errorf("forgetting old answers: %w", err)
	}
	var state string
	var known []byte
	var a Answer
	var created int64
	err := tx.QueryRow(ctx, selectKey, c.actor, c.key).Scan(&known, &state, &a.Status, &a.Body, &created)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err := tx.Exec(ctx, insertClaim, c.actor, c.key, request[:], c.token, now.UnixMilli())
		if err != nil {
			return nil, fmt.Errorf("claiming an idempotency key: %w", err)
		}
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading an idempotency key: %w", err)
	case string(known) != string(request[:]):
		return nil, fault.Conflict("Idempotency-Key", "the Idempotency-Key was used for another request")
	case state == answered:
		return &a, nil
	case state == done:
		return nil, fault.Conflict("Idempotency-Key",
			"the request with this Idempotency-Key was carried out, its answer is not there; look at what it made")
	case now.Sub(time.UnixMilli(created)).Abs() < Patience: // further ahead: the clock went back, and nobody is at it
		f := fault.Conflict("Idempotency-Key", "a request with this Idempotency-Key is being carried out")
		f.RetryAfter = time.Second
		return nil, f
	}
	_, err = tx.Exec(ctx, takeOver, c.token, now.UnixMilli(), c.actor, c.key)
	if err != nil {
		return nil, fmt.Errorf("claiming an idempotency key: %w", err)
	}
	return nil, nil
}

// markDone writes into the act's own transaction that it was carried out.
func (c *Claim) markDone(ctx context.Context, tx *store.Tx) error {
	r, err := tx.Exec(ctx, setDone, c.actor, c.key, c.token)
	if err != nil {
		return fmt.Errorf("marking an idempotency key: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return fault.Conflict("Idempotency-Key", "another request with this Idempotency-Key was faster")
}

// Finish keeps the answer of an act that was carried out.
func (c *Claim) Finish(ctx context.Context, a Answer) error {
	return c.store.Write(context.WithoutCancel(bare(ctx)), func(tx *store.Tx) error { return c.keep(ctx, tx, a) })
}

func (c *Claim) keep(ctx context.Context, tx *store.Tx, a Answer) error {
	if len(a.Body) > MaxAnswer {
		return nil
	}
	if _, err := tx.Exec(ctx, setAnswer, a.Status, a.Body, c.actor, c.key, c.token); err != nil {
		return fmt.Errorf("keeping the answer of an idempotency key: %w", err)
	}
	return nil
}

// Release gives the key back if nothing was committed under it.
func (c *Claim) Release(ctx context.Context) error {
	err := c.store.Write(context.WithoutCancel(bare(ctx)), func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, deleteClaim, c.actor, c.key, c.token)
		return err
	})
	if err != nil {
		return fmt.Errorf("releasing an idempotency key: %w", err)
	}
	return nil
}

// bare is ctx without the mark of Begin: keeping the answer is not the act.
func bare(ctx context.Context) context.Context {
	return store.Alongside(ctx, func(context.Context, *store.Tx) error { return nil })
}

const (
	selectKey = `
SELECT request, state, status, answer, created_at
FROM once_answer
WHERE actor = ? AND key = ?`

	insertClaim = `
INSERT INTO once_answer (actor, key, request, claim, state, status, created_at)
VALUES (?, ?, ?, ?, '` + claimed + `', 0, ?)`

	takeOver = `
UPDATE once_answer
SET claim = ?, created_at = ?
WHERE actor = ? AND key = ? AND state = '` + claimed + `'`

	setDone = `
UPDATE once_answer
SET state = '` + done + `'
WHERE actor = ? AND key = ? AND claim = ? AND state = '` + claimed + `'`

	setAnswer = `
UPDATE once_answer
SET state = '` + answered + `', status = ?, answer = ?
WHERE actor = ? AND key = ? AND claim = ?`

	deleteClaim = `
DELETE FROM once_answer
WHERE actor = ? AND key = ? AND claim = ? AND state = '` + claimed + `'`

	deleteOld = `
DELETE FROM once_answer
WHERE (actor, key) IN (
  SELECT actor, key
  FROM once_answer
  WHERE created_at < ?
  LIMIT 20
)`
)
