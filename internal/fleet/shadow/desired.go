package shadow

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"lampworks/internal/infra/store"
)

// Wanted is what is desired of one property.
type Wanted struct {
	Property string
	Value    json.RawMessage
	Version  int64 // grows with each wish for the property, also when nothing was desired in between
	Time     time.Time
}

// Desired returns what is desired of a device as q sees it, in the order of the names: of the properties that are named, or
// of all if none is.
func Desired(ctx context.Context, q store.Querier, device string, properties []string) ([]Wanted, error) {
	rows, err := q.Query(ctx, "SELECT property, value, version, updated_at FROM shadow_desired WHERE device = ? AND value <> '' ORDER BY property", device)
	if err != nil {
		return nil, fmt.Errorf("reading what is desired of device %s: %w", device, err)
	}
	defer rows.Close()
	var out []Wanted
	for rows.Next() {
		var w Wanted
		var value string
		var at int64
		if err := rows.Scan(&w.Property, &value, &w.Version, &at); err != nil {
			return nil, fmt.Errorf("reading what is desired of device %s: %w", device, err)
		}
		w.Value, w.Time = json.RawMessage(value), time.UnixMilli(at).UTC()
		if len(properties) == 0 || slices.Contains(properties, w.Property) {
			out = append(out, w)
		}
	}
	return out, rows.Err()
}

// A Drop takes a wish back: of a version only, or whichever it is (0).
type Drop struct {
	Property string
	Version  int64
}

// DropDesired takes wishes back. One of which another version is there by now stays; its number stands beyond its end, so that
// a late Drop never takes back a newer wish.
func (s *Service) DropDesired(ctx context.Context, device string, drops []Drop, at time.Time) error {
	return s.store.Write(ctx, func(tx *store.Tx) error {
		for _, d := range drops {
			_, err := tx.Exec(ctx, "UPDATE shadow_desired SET value = '', updated_at = ? WHERE device = ? AND property = ? AND (? = 0 OR version = ?)",
				at.UnixMilli(), device, d.Property, d.Version, d.Version)
			if err != nil {
				return fmt.Errorf("taking back what is desired of %s of device %s: %w", d.Property, device, err)
			}
		}
		return nil
	})
}

// Undesire takes back all that is desired of a device, in the transaction of what ends the right to wish it.
func Undesire(ctx context.Context, tx *store.Tx, device string, at time.Time) error {
	_, err := tx.Exec(ctx, "UPDATE shadow_desired SET value = '', updated_at = ? WHERE device = ? AND value <> ''", at.UnixMilli(), device)
	if err != nil {
		return fmt.Errorf("taking back what is desired of device %s: %w", device, err)
	}
	return nil
}
