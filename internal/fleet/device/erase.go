package device

import (
	"context"
	"fmt"

	"lampworks/internal/infra/store"
)

// column is where a device says what it belongs to; empty for kinds that have no devices.
func column(kind string) string {
	switch kind {
	case "organisation", "product":
		return kind
	case "batch":
		return "batch"
	case "device":
		return "id"
	}
	return ""
}

// Of is a condition on a column of another room's rows, which names a device, for the devices of a subject; it has one
// argument, the subject's id. Empty: the subject has no devices.
func Of(device, kind string) string {
	switch c := column(kind); c {
	case "":
		return ""
	case "id":
		return device + " = ?"
	default:
		return device + " IN (SELECT id FROM device WHERE " + c + " = ?)"
	}
}

// Erase deletes devices of a subject with everything that is known of them; more says that another call is needed.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	c := column(kind)
	if c == "" {
		return false, nil
	}
	if err := forgetBatches(ctx, tx, kind, id); err != nil {
		return false, err
	}
	first := "(SELECT id FROM device WHERE " + c + " = ? ORDER BY id LIMIT ?)"
	args := []any{id, limit}
	if kind == "device" { // also what came after it was deleted
		first, args = "(?)", []any{id}
	}
	if err := forgetChildren(ctx, tx, first, args); err != nil {
		return false, err
	}
	for _, table := range []string{"device_change", "device_presence", "device_tag", "device_firmware", "device_line"} {
		if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE device IN "+first, args...); err != nil {
			return false, fmt.Errorf("erasing from %s: %w", table, err)
		}
	}
	r, err := tx.Exec(ctx, "DELETE FROM device WHERE id IN "+first, args...)
	if err != nil {
		return false, fmt.Errorf("erasing devices: %w", err)
	}
	n, err := r.RowsAffected()
	return n >= int64(limit), err
}

// forgetBatches deletes the changes of whole orders of a subject.
func forgetBatches(ctx context.Context, tx *store.Tx, kind, id string) (err error) {
	switch kind {
	case "batch":
		_, err = tx.Exec(ctx, "DELETE FROM device_change WHERE device = ?", OfBatch+id)
	case "product", "organisation":
		_, err = tx.Exec(ctx, "DELETE FROM device_change WHERE device IN (SELECT '"+OfBatch+"' || id FROM issuance_order WHERE "+kind+" = ?)", id)
	}
	if err != nil {
		return fmt.Errorf("erasing changes of orders: %w", err)
	}
	return nil
}

// Holds counts the devices of a subject.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (n int64, err error) {
	c := column(kind)
	if c == "" {
		return 0, nil
	}
	if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM device WHERE "+c+" = ?", id).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting devices of %s %s: %w", kind, id, err)
	}
	return n, nil
}

// IDs names the devices of a subject, in order, behind after.
func (s *Service) IDs(ctx context.Context, q store.Querier, kind, id, after string, limit int) ([]string, error) {
	c := column(kind)
	if c == "" {
		return nil, nil
	}
	rows, err := q.Query(ctx, "SELECT id FROM device WHERE "+c+" = ? AND id > ? ORDER BY id LIMIT ?", id, after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing devices of %s %s: %w", kind, id, err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var d string
		if err := rows.Scan(&d); err != nil {
			return nil, err
		}
		ids = append(ids, d)
	}
	return ids, rows.Err()
}
