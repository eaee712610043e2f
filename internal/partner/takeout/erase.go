package takeout

import (
	"context"
	"fmt"
	"strings"

	"lampworks/internal/infra/store"
)

// Erase deletes exports of an organisation, with their files; more says that another call is needed. One that is being
// collected notices that its row, or its job, is gone, and leaves nothing.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	if kind != "organisation" {
		return false, nil
	}
	all, err := some(ctx, tx, "organisation = ? ORDER BY id LIMIT ?", id, limit)
	if err != nil {
		return false, err
	}
	for _, e := range all {
		if _, err := tx.Exec(ctx, "DELETE FROM takeout_export WHERE id = ?", e.ID); err != nil {
			return false, fmt.Errorf("erasing export %s: %w", e.ID, err)
		}
		tx.AfterCommit(func() { s.remove(ctx, e.File) })
	}
	return len(all) >= limit, nil
}

// Holds counts the exports of an organisation.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (n int64, err error) {
	if kind != "organisation" {
		return 0, nil
	}
	if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM takeout_export WHERE organisation = ?", id).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting the exports of organisation %s: %w", id, err)
	}
	return n, nil
}

// Named gives those of the ids that are files of exports, for the sweep.
func (s *Service) Named(ctx context.Context, ids []string) (known []string, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		all, err := some(ctx, v, "file <> '' AND file IN (?"+strings.Repeat(", ?", len(ids)-1)+")", args...)
		for _, e := range all {
			known = append(known, e.File)
		}
		return err
	})
	return known, err
}
