package agreement

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
)

// A Capacity is what is said of somebody.
type Capacity struct {
	NeedsGuardian bool          // under age, or without full capacity
	AdultIn       account.Month // of somebody under age; empty: not known, or that is not why
	Reason        string
}

// DeclareCapacity records whether a user is under age or without full capacity, and so needs a guardian's consent. People
// say so of themselves; that they need it no longer, or not for as long, is a reviewer's to say, who also says it of others.
func (s *Service) DeclareCapacity(ctx context.Context, who access.Actor, user string, c Capacity) error {
	switch {
	case who.User == "" || who.Platform():
		return fault.Forbidden("capacity.declare", "a person who is signed in")
	case user != who.User && !reviewer(who):
		return fault.NotFound("user", user)
	case !c.NeedsGuardian && (!reviewer(who) || user == who.User):
		return errNotOneself()
	}
	if err := c.check(s.now()); err != nil {
		return err
	}
	return s.Store.Write(ctx, func(tx *store.Tx) error {
		var one int
		err := tx.QueryRow(ctx, "SELECT 1 FROM account_user WHERE id = ?", user).Scan(&one)
		if errors.Is(err, store.ErrNoRows) {
			return fault.NotFound("user", user)
		}
		if err != nil {
			return fmt.Errorf("looking for user %s: %w", user, err)
		}
		n := need{c.NeedsGuardian, c.AdultIn}
		if user == who.User {
			if n, err = s.longer(ctx, tx, user, n); err != nil {
				return err
			}
		}
		if err := s.declare(ctx, tx, user, n); err != nil {
			return err
		}
		return audit.RecordPerson(ctx, tx, who, "capacity.declare", user, fmt.Sprintf("needs a guardian: %t; %s", c.NeedsGuardian, c.Reason))
	})
}

func errNotOneself() error {
	return fault.Forbidden("capacity.declare", "a reviewer, and another than the person")
}

func (c *Capacity) check(now time.Time) error {
	if err := checkReason("/reason", c.Reason); err != nil || c.AdultIn == "" {
		return err
	}
	if !c.NeedsGuardian {
		return fault.Invalid("/adult_in", string(c.AdultIn), "none where no guardian is needed", "leave it out")
	}
	return c.AdultIn.Check("/adult_in", now)
}

// longer is what somebody says of themselves, if it ends their need no earlier than what was known of them.
func (s *Service) longer(ctx context.Context, q store.Querier, user string, said need) (need, error) {
	known, err := s.need(ctx, q, user)
	switch {
	case err != nil || !known.holds(s.now()):
		return said, err
	case said.adultIn == "":
		return known, nil
	case known.adultIn == "" || said.adultIn < known.adultIn:
		return said, errNotOneself()
	}
	return said, nil
}

// declare writes down what somebody needs, and for how long the consent that they have is needed.
func (s *Service) declare(ctx context.Context, tx *store.Tx, user string, n need) error {
	needs, now := 0, s.now()
	if n.needs {
		needs = 1
	}
	if _, err := tx.Exec(ctx, declareSQL, user, needs, string(n.adultIn), now.UnixMilli()); err != nil {
		return fmt.Errorf("recording the capacity of user %s: %w", user, err)
	}
	until := n.adultIn.Ends()
	if !n.needs {
		until = now
	}
	if _, err := tx.Exec(ctx, neededUntilSQL, millis(until), user); err != nil {
		return fmt.Errorf("recording how long user %s needs a consent: %w", user, err)
	}
	tx.AfterCommit(func() { s.verdicts.forget(user, "") })
	return nil
}

const (
	declareSQL = `
		INSERT INTO agreement_capacity (user_id, needs_guardian, adult_in, declared_at)
		VALUES (?, ?, ?, ?)
		ON CONFLICT (user_id) DO UPDATE SET needs_guardian = excluded.needs_guardian, adult_in = excluded.adult_in, declared_at = excluded.declared_at`

	neededUntilSQL = `
		UPDATE agreement_guardian
		SET needed_until = ?, told = 0
		WHERE user_id = ? AND state IN ('requested', 'confirmed')`
)

// A need is whether somebody needs a guardian's consent, and until which month.
type need struct {
	needs   bool
	adultIn account.Month // empty: until a reviewer says otherwise
}

// holds says whether the need is there now: by the end of the month in which they turn 18 everybody has.
func (n need) holds(now time.Time) bool {
	return n.needs && (n.adultIn == "" || now.Before(n.adultIn.Ends()))
}

// need finds what a user needs: what was declared last counts, which is a reviewer's word where it says no, and what the room
// below knows only where nothing was.
func (s *Service) need(ctx context.Context, q store.Querier, user string) (n need, err error) {
	var needs int
	err = q.QueryRow(ctx, "SELECT needs_guardian, adult_in FROM agreement_capacity WHERE user_id = ?", user).Scan(&needs, &n.adultIn)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return n, fmt.Errorf("reading the capacity of user %s: %w", user, err)
	}
	if n.needs = needs != 0; err == nil || s.Minor == nil {
		return n, nil
	}
	if n.needs, n.adultIn, err = s.Minor(ctx, q, user); err != nil {
		return n, fmt.Errorf("asking whether user %s needs a guardian: %w", user, err)
	}
	return n, nil
}
