package verify

import (
	"context"
	"fmt"
	"strings"

	"lampworks/internal/infra/store"
)

// A place is a table with rows of an organisation, and a column that tells its rows apart within one.
type place struct{ table, key string }

// places lists every table with rows of an organisation, those that refer before those referred to. The bytes of papers go
// by verify_waste.
func places() []place {
	return []place{
		{"verify_used", "number"},
		{"verify_submission", "number"},
		{"verify_grant", "qualification"},
		{"verify_waiver", "id"},
		{"verify_consequence", "id"},
		{"verify_queue", "kind"},
		{"verify_case", "organisation"},
	}
}

// Erase deletes about limit rows of an organisation and says whether more are left. The bytes of its papers are deleted by
// [Service.Run] right after; until they are, Holds counts them.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	if kind != "organisation" {
		return false, nil
	}
	n, err := s.erasePapers(ctx, tx, id, limit)
	if err != nil || n >= limit {
		return true, err
	}
	limit -= n
	for _, p := range places() {
		r, err := tx.Exec(ctx, "DELETE FROM "+p.table+" WHERE organisation = ? AND "+p.key+" IN (SELECT "+p.key+" FROM "+p.table+" WHERE organisation = ? LIMIT ?)", id, id, limit)
		if err != nil {
			return false, fmt.Errorf("erasing organisation %s from %s: %w", id, p.table, err)
		}
		n, err := r.RowsAffected()
		if err != nil {
			return false, err
		}
		if limit -= int(n); limit <= 0 {
			return true, nil
		}
	}
	return false, nil
}

// erasePapers deletes papers of an organisation; their bytes follow.
func (s *Service) erasePapers(ctx context.Context, tx *store.Tx, organisation string, limit int) (int, error) {
	papers, err := listPapers(ctx, tx, "SELECT "+paperColumns+" FROM verify_paper WHERE organisation = ? ORDER BY id LIMIT ?", organisation, limit)
	if err != nil {
		return 0, err
	}
	for i := range papers {
		if err := s.throw(ctx, tx, &papers[i]); err != nil {
			return 0, err
		}
	}
	return len(papers), nil
}

// Holds counts the rows of an organisation that are left, and the papers whose bytes are.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (n int64, err error) {
	if kind != "organisation" {
		return 0, nil
	}
	var parts []string
	var args []any
	for _, table := range []string{"verify_paper", "verify_waste"} {
		parts, args = append(parts, "(SELECT COUNT(*) FROM "+table+" WHERE organisation = ?)"), append(args, id)
	}
	for _, p := range places() {
		parts, args = append(parts, "(SELECT COUNT(*) FROM "+p.table+" WHERE organisation = ?)"), append(args, id)
	}
	if err := q.QueryRow(ctx, "SELECT "+strings.Join(parts, " + "), args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting what is left of organisation %s: %w", id, err)
	}
	return n, nil
}

// Named says which of these blobs are papers: others may be swept, as far as this room goes.
func (s *Service) Named(ctx context.Context, ids []string) ([]string, error) {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(ids)), ", ")
	return s.ids(ctx, "SELECT blob FROM verify_paper WHERE blob IN ("+marks+")", args...)
}
