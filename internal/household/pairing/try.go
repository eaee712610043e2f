package pairing

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const (
	byResident = "resident "
	byPlace    = "place "
)

// triesOf are the counts that a try of who goes into.
func triesOf(who access.Actor) []string {
	return []string{byResident + who.ID, byPlace + access.Place(who.From)}
}

// try counts a try as a wrong one, in a transaction of its own, before anything is looked at: many at a time gain nothing. A right
// one is forgiven.
func (s *Service) try(ctx context.Context, who access.Actor) error {
	var refused *fault.Fault
	err := s.c.Store.Write(ctx, func(tx *store.Tx) error {
		refused = nil
		now := s.now()
		for _, of := range triesOf(who) {
			var wrong, until int64
			err := tx.QueryRow(ctx, putTrySQL, of, now.Add(TryWindow).UnixMilli(), now.UnixMilli(), now.UnixMilli()).Scan(&wrong, &until)
			if err != nil {
				return fmt.Errorf("counting a try: %w", err)
			}
			if wrong > MaxTries && refused == nil {
				wait := (time.UnixMilli(until).Sub(now) + time.Second - 1).Truncate(time.Second)
				refused = fault.Limit("/token", strconv.Itoa(MaxTries), "five wrong tokens an hour, of one resident or from one address", wait)
				refused.What = "too many wrong tokens were sent"
			}
		}
		return nil
	})
	if err == nil && refused != nil {
		return refused
	}
	return err
}

// forgive takes back that a try counted as wrong.
func (s *Service) forgive(ctx context.Context, who access.Actor) error {
	return s.c.Store.Write(ctx, func(tx *store.Tx) error {
		for _, of := range triesOf(who) {
			if _, err := tx.Exec(ctx, "UPDATE pairing_try SET wrong = wrong - 1 WHERE who = ?", of); err != nil {
				return fmt.Errorf("taking a try back: %w", err)
			}
		}
		return nil
	})
}
