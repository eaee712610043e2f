package notice

import (
	"context"
	"fmt"

	"lampworks/internal/infra/store"
)

// A place is where something of a subject stands.
type place struct{ table, key, where string }

func places(kind string) []place {
	switch kind {
	case "organisation":
		return []place{{"notice_receipt", "organisation", ""}, {"notice_message", "organisation", "id"}}
	case "user":
		return []place{{"notice_receipt", "user_id", ""}, {"notice_message", "user_id", "id"}}
	}
	return nil
}

// Erase deletes about limit rows of an organisation, or of a user, and says whether more are left. Announcements stay: they
// are the operator's.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	for _, p := range places(kind) {
		chosen := "id IN (SELECT id FROM " + p.table + " WHERE " + p.key + " = ? LIMIT ?)"
		if p.where == "" {
			chosen = "(notice, user_id) IN (SELECT notice, user_id FROM " + p.table + " WHERE " + p.key + " = ? LIMIT ?)"
		}
		res, err := tx.Exec(ctx, "DELETE FROM "+p.table+" WHERE "+chosen, id, limit)
		if err != nil {
			return false, fmt.Errorf("erasing %s %s from %s: %w", kind, id, p.table, err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return false, err
		}
		if limit -= int(n); limit <= 0 {
			return true, nil
		}
	}
	return false, nil
}

// Holds counts the rows that Erase has still to delete.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (int64, error) {
	var all int64
	for _, p := range places(kind) {
		var n int64
		if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM "+p.table+" WHERE "+p.key+" = ?", id).Scan(&n); err != nil {
			return 0, fmt.Errorf("counting what %s holds of %s %s: %w", p.table, kind, id, err)
		}
		all += n
	}
	return all, nil
}
