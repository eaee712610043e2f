package timeline

import (
	"context"
	"fmt"

	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/store"
)

// Erase deletes the timelines of a subject's devices; more says that another call is needed. It is called before the devices go.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	of := device.Of("device", kind)
	if of == "" {
		return false, nil
	}
	r, err := tx.Exec(ctx, "DELETE FROM timeline_entry WHERE seq IN (SELECT seq FROM timeline_entry WHERE "+of+" LIMIT ?)", id, limit)
	if err != nil {
		return false, fmt.Errorf("erasing timelines: %w", err)
	}
	n, err := r.RowsAffected()
	return n >= int64(limit), err
}

// Holds counts the entries about a subject's devices.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (n int64, err error) {
	of := device.Of("device", kind)
	if of == "" {
		return 0, nil
	}
	if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM timeline_entry WHERE "+of, id).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting entries of timelines of %s %s: %w", kind, id, err)
	}
	return n, nil
}
