package command

import (
	"context"
	"fmt"
	"time"

	"lampworks/internal/infra/bus"
	"lampworks/internal/infra/store"
)

// Part ends what was asked of a device in a home, in the transaction in which it leaves that home: what waits is cancelled, and what
// was sent neither goes again nor comes back to wait, and ends as it would. Who waits is told on b, if there is one.
func Part(ctx context.Context, tx *store.Tx, b bus.Bus, home, device string, now time.Time) error {
	waiting, err := open(ctx, tx, device, Accepted)
	if err != nil {
		return err
	}
	for i := range waiting {
		c := &waiting[i]
		if c.Home != home {
			continue
		}
		if err := end(ctx, tx, c, Revoke, Parted, now); err != nil {
			return fmt.Errorf("cancelling command %s to device %s, which leaves its home: %w", c.ID, device, err)
		}
		if b != nil {
			tx.AfterCommit(func() { b.Publish(EndedSubject+device, []byte(c.ID)) })
		}
	}
	// No session has this epoch.
	if _, err := tx.Exec(ctx, "UPDATE command SET epoch = -1 WHERE device = ? AND home = ? AND state = 'sent' AND ended_at IS NULL", device, home); err != nil {
		return fmt.Errorf("keeping what was sent to device %s, which leaves its home, from going again: %w", device, err)
	}
	return nil
}
