package outbox

import (
	"context"
	"fmt"

	"lampworks/internal/infra/store"
)

// Forget takes a recipient who is no more to a room out of its messages: what waits for them is not sent, and of what was the
// address goes. What other rooms have sent to the same address stays as it is.
func (o *Outbox) Forget(ctx context.Context, tx *store.Tx, room, to string) error {
	for _, statement := range []string{
		"DELETE FROM outbox_message WHERE recipient = ? AND room = ? AND state = 'waiting'",
		"UPDATE outbox_message SET recipient = '' WHERE recipient = ? AND room = ?",
	} {
		if _, err := tx.Exec(ctx, statement, to, room); err != nil {
			return fmt.Errorf("forgetting a recipient: %w", err)
		}
	}
	return nil
}
