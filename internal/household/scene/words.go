package scene

import (
	"context"
	"fmt"
	"time"

	"lampworks/internal/infra/store"
)

// KeepLabels is how long what a timer was called stays with it after its end: of a reminder it is what somebody said.
const KeepLabels = 7 * 24 * time.Hour

// ForgetLabels takes what they were called from the timers of a home that a resident set and that have ended, and from their runs.
func (s *Service) ForgetLabels(ctx context.Context, tx *store.Tx, homeID, resident string) error {
	_, err := tx.Exec(ctx, `
		UPDATE scene_run SET label = '{}'
		WHERE home = ? AND origin = ? AND state <> ?
		AND ref IN (SELECT id FROM scene_timer WHERE home = ? AND made_by = ?)`, homeID, OfTimer, Running, homeID, resident)
	if err == nil {
		_, err = tx.Exec(ctx, "UPDATE scene_timer SET label = '' WHERE home = ? AND made_by = ? AND state <> ?", homeID, resident, Pending)
	}
	if err != nil {
		return fmt.Errorf("forgetting what timers of home %s were called: %w", homeID, err)
	}
	return nil
}

// ageLabels takes what they were called from timers that ended long ago, and from the runs of timers.
func ageLabels(ctx context.Context, tx *store.Tx, now time.Time) error {
	before := now.Add(-KeepLabels).UnixMilli()
	_, err := tx.Exec(ctx, "UPDATE scene_timer SET label = '' WHERE label <> '' AND ended_at > 0 AND ended_at < ?", before)
	for _, state := range []State{Done, Partly, Failed, Late} {
		if err == nil {
			_, err = tx.Exec(ctx, "UPDATE scene_run SET label = '{}' WHERE state = ? AND due_at < ? AND origin = ? AND label <> '{}'", state, before, OfTimer)
		}
	}
	if err != nil {
		return fmt.Errorf("forgetting what old timers were called: %w", err)
	}
	return nil
}
