package once

import (
	"context"
	"fmt"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
)

// Forget deletes the answers that a person, a user or a resident, got in their sessions. What others were told of them goes with its day.
func Forget(ctx context.Context, tx *store.Tx, user string) error {
	if _, err := tx.Exec(ctx, "DELETE FROM once_answer WHERE actor IN (?, ?)", access.KindUser+" "+user, access.KindResident+" "+user); err != nil {
		return fmt.Errorf("forgetting the answers of a person: %w", err)
	}
	return nil
}
