package certify

import (
	"context"
	"fmt"

	"lampworks/internal/infra/store"
)

// Stored counts the bytes of the files that the room keeps for an organisation.
func Stored(ctx context.Context, q store.Querier, organisation string) (n int64, err error) {
	err = q.QueryRow(ctx, "SELECT COALESCE(SUM(size), 0) FROM certification_evidence WHERE organisation = ?", organisation).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting the evidence of %s: %w", organisation, err)
	}
	return n, nil
}
