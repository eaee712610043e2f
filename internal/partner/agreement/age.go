package agreement

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// foretold is how long before a consent ends the person is told.
const foretold = 30 * 24 * time.Hour

// agedBatch is how many consents one look ends, or tells of.
const agedBatch = 100

// foretell tells those who come of age soon that their guardian's consent ends.
func (s *Service) foretell(ctx context.Context) error {
	if s.Tell == nil {
		return nil
	}
	now := s.now()
	return s.eachConsent(ctx, "told = 0 AND needed_until > ? AND needed_until <= ?", []any{now.UnixMilli(), now.Add(foretold).UnixMilli()}, func(ctx context.Context, tx *store.Tx, c *Consent) error {
		if _, err := tx.Exec(ctx, "UPDATE agreement_guardian SET told = 1 WHERE id = ?", c.ID); err != nil {
			return fmt.Errorf("noting that the end of consent %s was told: %w", c.ID, err)
		}
		return s.Tell(ctx, tx, c.User, "guardian.ends", map[string]string{"until": c.NeededUntil.Format(time.DateOnly)})
	})
}

// lapse ends the consents of those who came of age, and lets their papers go. For a day after the clock has jumped it ends none.
func (s *Service) lapse(ctx context.Context) error {
	now := s.now()
	if !s.clock.Trusted(now) {
		return nil
	}
	who := access.Clock("agreement", "")
	return s.eachConsent(ctx, "needed_until > 0 AND needed_until <= ?", []any{now.UnixMilli()}, func(ctx context.Context, tx *store.Tx, c *Consent) error {
		n, err := s.need(ctx, tx, c.User)
		if err != nil {
			return err
		}
		if n.holds(now) { // what is known below differs from what the row says
			_, err := tx.Exec(ctx, neededUntilSQL, millis(n.adultIn.Ends()), c.User)
			return err
		}
		to, err := consentMoves.Next(c.State, Lapse, who)
		if err != nil {
			return err
		}
		return s.moveConsent(ctx, tx, who, c, Lapse, to, "")
	})
}

// eachConsent does something with each open consent that a condition finds, each in a transaction of its own.
func (s *Service) eachConsent(ctx context.Context, where string, args []any, do func(context.Context, *store.Tx, *Consent) error) error {
	var ids []string
	err := s.Store.Read(ctx, func(v *store.View) (err error) {
		ids, err = rowsOf(ctx, v, scanText, "SELECT id FROM agreement_guardian WHERE "+openNeed+where+" ORDER BY needed_until LIMIT ?", append(args, agedBatch)...)
		return err
	})
	if err != nil {
		return fmt.Errorf("looking for consents that end: %w", err)
	}
	var failed error
	for _, id := range ids {
		err := s.Store.Write(ctx, func(tx *store.Tx) error {
			c, err := loadConsent(ctx, tx, access.Clock("agreement", ""), id)
			if err != nil {
				return err
			}
			return do(ctx, tx, &c)
		})
		if err != nil && !fault.Is(err, fault.Missing) && !fault.Is(err, fault.Clash) && !fault.Is(err, fault.Outdated) { // somebody was faster
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

const openNeed = "needed_until > 0 AND state IN ('requested', 'confirmed') AND "
