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
	for _, t := range [...]struct{ name, key string }{{"timeline_entry", "seq"}, {"timeline_open", "command"}, {"timeline_forgotten", "device"}} {
		r, err := tx.Exec(ctx, "DELETE FROM "+t.name+" WHERE "+t.key+" IN (SELECT "+t.key+" FROM "+t.name+" WHERE "+of+" LIMIT ?)", id, limit)
		if err != nil {
			return false, fmt.Errorf("erasing from %s: %w", t.name, err)
		}
		n, err := r.RowsAffected()
		if err != nil {
			return false, err
		}
		more = more || n >= int64(limit)
	}
	return more, nil
}

// Holds counts the entries about a subject's devices.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (n int64, err error) {
	of := device.Of("device", kind)
	if of == "" {
		return 0, nil
	}
	err = q.QueryRow(ctx, `
		SELECT (SELECT COUNT(*) FROM timeline_entry WHERE `+of+`) + (SELECT COUNT(*) FROM timeline_open WHERE `+of+`) + (SELECT COUNT(*) FROM timeline_forgotten WHERE `+of+`)`,
		id, id, id).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting entries of timelines of %s %s: %w", kind, id, err)
	}
	return n, nil
}
