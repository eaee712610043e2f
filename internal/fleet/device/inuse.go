package device

import (
	"context"
	"fmt"

	"lampworks/internal/infra/store"
)

// InUse counts the devices of a product that have had a session, as q sees them, from an index.
func (s *Service) InUse(ctx context.Context, q store.Querier, product string) (n int64, err error) {
	err = q.QueryRow(ctx, "SELECT COUNT(*) FROM device WHERE product = ? AND activated_at IS NOT NULL", product).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting the devices of product %s: %w", product, err)
	}
	return n, nil
}
