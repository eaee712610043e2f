package product

import (
	"context"
	"fmt"

	"lampworks/internal/infra/store"
)

// Stored counts the bytes of the files that the room keeps for an organisation: papers and icons.
func Stored(ctx context.Context, q store.Querier, organisation string) (all int64, err error) {
	for _, query := range []string{
		"SELECT COALESCE(SUM(size), 0) FROM product_paper WHERE organisation = ?",
		"SELECT COALESCE(SUM(icon_size), 0) FROM product WHERE organisation = ?",
	} {
		var n int64
		if err := q.QueryRow(ctx, query, organisation).Scan(&n); err != nil {
			return 0, fmt.Errorf("counting the files of %s: %w", organisation, err)
		}
		all += n
	}
	return all, nil
}
