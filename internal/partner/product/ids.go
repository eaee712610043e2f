package product

import (
	"context"
	"fmt"

	"lampworks/internal/infra/store"
)

// IDs names what belongs to a subject and others refer to, in order, behind after.
func (s *Service) IDs(ctx context.Context, q store.Querier, kind, id, after string, limit int) ([]string, error) {
	column := map[string]string{"organisation": "organisation", "product": "id"}[kind]
	if column == "" {
		return nil, nil
	}
	rows, err := q.Query(ctx, "SELECT id FROM product WHERE "+column+" = ? AND id > ? ORDER BY id LIMIT ?", id, after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing what %s %s has: %w", kind, id, err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var found string
		if err := rows.Scan(&found); err != nil {
			return nil, err
		}
		ids = append(ids, found)
	}
	return ids, rows.Err()
}

// Count counts the products of an organisation; it is what the limit quota.Products stands for.
func (s *Service) Count(ctx context.Context, q store.Querier, organisation string) (n int64, err error) {
	if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM product WHERE organisation = ?", organisation).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting products of %s: %w", organisation, err)
	}
	return n, nil
}
