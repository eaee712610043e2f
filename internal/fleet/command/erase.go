package command

import (
	"context"
	"fmt"

	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/store"
)

// Erase deletes the commands to a subject's devices; more says that another call is needed. It is called before the devices go.
func (s *Commands) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	of := belonging(kind)
	if of == "" {
		return false, nil
	}
	r, err := tx.Exec(ctx, "DELETE FROM command WHERE seq IN (SELECT seq FROM command WHERE "+of+" LIMIT ?)", id, limit)
	if err != nil {
		return false, fmt.Errorf("erasing commands: %w", err)
	}
	n, err := r.RowsAffected()
	return n >= int64(limit), err
}

// Holds counts the commands to a subject's devices.
func (s *Commands) Holds(ctx context.Context, q store.Querier, kind, id string) (n int64, err error) {
	of := belonging(kind)
	if of == "" {
		return 0, nil
	}
	if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM command WHERE "+of, id).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting commands of %s %s: %w", kind, id, err)
	}
	return n, nil
}

// belonging is the condition for commands of a subject.
func belonging(kind string) string {
	if kind == "organisation" {
		return "organisation = ?"
	}
	return device.Of("device", kind)
}
