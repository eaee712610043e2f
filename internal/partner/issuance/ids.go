package issuance

import (
	"context"
	"fmt"

	"lampworks/internal/infra/store"
)

// IDs names what belongs to a subject and others refer to, in order, behind after.
func (s *Service) IDs(ctx context.Context, q store.Querier, kind, id, after string, limit int) ([]string, error) {
	column := map[string]string{"organisation": "organisation", "product": "product", "batch": "id"}[kind]
	if column == "" {
		return nil, nil
	}
	rows, err := q.Query(ctx, "SELECT id FROM issuance_order WHERE "+column+" = ? AND id > ? ORDER BY id LIMIT ?", id, after, limit)
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
