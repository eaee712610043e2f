package shadow

import (
	"context"
	"fmt"

	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/store"
)

// Erase deletes the shadows of a subject's devices; more says that another call is needed. It is called before the devices go.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	of := device.Of("device", kind)
	if of == "" {
		return false, nil
	}
	for _, table := range []string{"shadow", "shadow_desired", "shadow_classic"} {
		r, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE device IN (SELECT device FROM "+table+" WHERE "+of+" LIMIT ?)", id, limit)
		if err != nil {
			return false, fmt.Errorf("erasing from %s: %w", table, err)
		}
		n, err := r.RowsAffected()
		if err != nil {
			return false, err
		}
		more = more || n >= int64(limit)
	}
	return more, nil
}

// Holds counts the rows about a subject's devices.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (n int64, err error) {
	of := device.Of("device", kind)
	if of == "" {
		return 0, nil
	}
	err = q.QueryRow(ctx, `
		SELECT (SELECT COUNT(*) FROM shadow WHERE `+of+`) + (SELECT COUNT(*) FROM shadow_desired WHERE `+of+`) + (SELECT COUNT(*) FROM shadow_classic WHERE `+of+`)`,
		id, id, id).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting shadows of %s %s: %w", kind, id, err)
	}
	return n, nil
}
