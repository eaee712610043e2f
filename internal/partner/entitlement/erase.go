package entitlement

import (
	"context"
	"fmt"

	"lampworks/internal/infra/store"
)

// Erase deletes about limit rows of an organisation and says whether more are left. Its limits go first, before the
// application that names whose they are.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	if kind != "organisation" {
		return false, nil
	}
	s.changed(tx, id)
	for _, statement := range []string{
		`DELETE FROM entitlement_limit WHERE application IN (SELECT a.id FROM entitlement_application a
			WHERE a.organisation = ? AND EXISTS (SELECT 1 FROM entitlement_limit l WHERE l.application = a.id) LIMIT ?)`,
		"DELETE FROM entitlement_application WHERE id IN (SELECT id FROM entitlement_application WHERE organisation = ? LIMIT ?)",
		"DELETE FROM entitlement_override WHERE id IN (SELECT id FROM entitlement_override WHERE organisation = ? LIMIT ?)",
	} {
		res, err := tx.Exec(ctx, statement, id, limit)
		if err != nil {
			return false, fmt.Errorf("erasing the entitlements of organisation %s: %w", id, err)
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
	if kind != "organisation" {
		return 0, nil
	}
	var n int64
	err := q.QueryRow(ctx, `
		SELECT (SELECT COUNT(*) FROM entitlement_application WHERE organisation = ?)
			+ (SELECT COUNT(*) FROM entitlement_override WHERE organisation = ?)
			+ (SELECT COUNT(*) FROM entitlement_limit l JOIN entitlement_application a ON a.id = l.application WHERE a.organisation = ?)`,
		id, id, id).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting the entitlements of organisation %s: %w", id, err)
	}
	return n, nil
}
