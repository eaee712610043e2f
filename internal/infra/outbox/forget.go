package outbox

import (
	"context"
	"fmt"

	"lampworks/internal/infra/store"
)

// Forget takes a recipient who is no more out of the table: what waits for them is not sent, and of what was the address goes.
func (o *Outbox) Forget(ctx context.Context, tx *store.Tx, to string) error {
	for _, statement := range []string{
		"DELETE FROM outbox_message WHERE recipient = ? AND state = 'waiting'",
		"UPDATE outbox_message SET recipient = '' WHERE recipient = ?",
	} {
		if _, err := tx.Exec(ctx, statement, to); err != nil {
			return fmt.Errorf("forgetting a recipient: %w", err)
		}
	}
	return nil
}
