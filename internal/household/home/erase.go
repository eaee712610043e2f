package home

import (
	"context"
	"fmt"

	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/store"
)

// Erase deletes the places of a subject's devices in homes, and the homes of an organisation; more says that another call is
// needed. It is called before the devices go.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	var steps []string
	if of := device.Of("device", kind); of != "" {
		steps = append(steps, "DELETE FROM home_favourite WHERE device IN (SELECT device FROM home_favourite WHERE "+of+" LIMIT ?)", "DELETE FROM home_device WHERE device IN (SELECT device FROM home_device WHERE "+of+" LIMIT ?)")
	}
	if kind == "organisation" {
		const homes = "(SELECT id FROM home WHERE organisation = ? ORDER BY id LIMIT ?)"
		steps = append(steps, "DELETE FROM home_favourite WHERE home IN "+homes, "DELETE FROM home_speaker WHERE home IN "+homes, "DELETE FROM home_device WHERE home IN "+homes, "DELETE FROM home_room WHERE home IN "+homes, "DELETE FROM home WHERE id IN "+homes)
	}
	if kind == "user" { // what they liked; where they live, Depart knows
		steps = append(steps, "DELETE FROM home_favourite WHERE person = ? AND position < ?")
	}
	for _, step := range steps {
		r, err := tx.Exec(ctx, step, id, limit)
		if err != nil {
			return false, fmt.Errorf("erasing homes: %w", err)
		}
		n, err := r.RowsAffected()
		if err != nil {
			return false, err
		}
		more = more || n >= int64(limit)
	}
	return more, nil
}

// Holds counts the homes of a subject, and the places of its devices in homes.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (int64, error) {
	var homes, places int64
	if kind == "organisation" {
		if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM home WHERE organisation = ?", id).Scan(&homes); err != nil {
			return 0, fmt.Errorf("counting homes of %s %s: %w", kind, id, err)
		}
	}
	if of := device.Of("device", kind); of != "" {
		if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM home_device WHERE "+of, id).Scan(&places); err != nil {
			return 0, fmt.Errorf("counting places of devices of %s %s: %w", kind, id, err)
		}
	}
	return homes + places, nil
}

// IDs names the homes of an organisation, in order, behind after.
func (s *Service) IDs(ctx context.Context, q store.Querier, kind, id, after string, limit int) ([]string, error) {
	if kind != "organisation" {
		return nil, nil
	}
	rows, err := q.Query(ctx, "SELECT id FROM home WHERE organisation = ? AND id > ? ORDER BY id LIMIT ?", id, after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing homes of %s %s: %w", kind, id, err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var h string
		if err := rows.Scan(&h); err != nil {
			return nil, err
		}
		ids = append(ids, h)
	}
	return ids, rows.Err()
}
