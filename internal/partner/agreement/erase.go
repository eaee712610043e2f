package agreement

import (
	"context"
	"fmt"

	"lampworks/internal/infra/store"
)

// A place is where something personal of a subject stands.
type place struct{ table, key, where string }

// personal lists what is kept of a subject and may be deleted, by its kind. The evidence itself stays in all cases: it holds
// ids, a random reference and hashes only, and what tells whom they stand for goes.
func personal(kind string) []place {
	switch kind {
	case "user":
		return []place{
			{"agreement_origin", "acceptance", "person IN (SELECT reference FROM agreement_person WHERE user_id = ?)"},
			{"agreement_paper", "id", "user_id = ?"},
			{"agreement_guardian", "id", "user_id = ?"},
			{"agreement_capacity", "user_id", "user_id = ?"},
			{"agreement_person", "reference", "user_id = ?"}, // last: the first needs it
		}
	case "organisation":
		return []place{{"agreement_origin", "acceptance", "organisation = ?"}}
	}
	return nil
}

// Erase deletes about limit rows that tell who was behind the evidence of a subject: of a user (kind "user") the addresses,
// the guardian with their papers and the link between person and reference; of an organisation the addresses. It says whether more are left.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	if kind == "user" { // the bytes of their papers are deleted by [Service.Run] right after
		if _, err := tx.Exec(ctx, "INSERT INTO agreement_waste (blob) SELECT blob FROM agreement_paper WHERE user_id = ? AND blob <> '' ON CONFLICT DO NOTHING", id); err != nil {
			return false, fmt.Errorf("erasing the papers of user %s: %w", id, err)
		}
		tx.AfterCommit(s.look)
	}
	for _, p := range personal(kind) {
		res, err := tx.Exec(ctx, "DELETE FROM "+p.table+" WHERE "+p.key+" IN (SELECT "+p.key+" FROM "+p.table+" WHERE "+p.where+" LIMIT ?)", id, limit)
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
	if kind == "user" {
		tx.AfterCommit(func() { s.verdicts.forget(id, "") })
	}
	return false, nil
}

// Holds counts the rows that Erase has still to delete.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (int64, error) {
	var all int64
	for _, p := range personal(kind) {
		var n int64
		if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM "+p.table+" WHERE "+p.where, id).Scan(&n); err != nil {
			return 0, fmt.Errorf("counting what %s holds of %s %s: %w", p.table, kind, id, err)
		}
		all += n
	}
	return all, nil
}
