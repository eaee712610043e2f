package home

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// MaxFavourites is how many devices of a home one person keeps at hand.
const MaxFavourites = 50

// Favourites lists the devices of a home that who keeps at hand (常用设备), in their order.
func (s *Service) Favourites(ctx context.Context, who access.Actor, homeID string) (ids []string, err error) {
	if err := person(who, access.ReadHome); err != nil {
		return nil, err
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		ids = []string{}
		if _, err := versionOf(ctx, v, who, homeID); err != nil {
			return err
		}
		rows, err := v.Query(ctx, "SELECT device FROM home_favourite WHERE home = ? AND person = ? ORDER BY position LIMIT ?", homeID, who.User, MaxFavourites)
		if err != nil {
			return fmt.Errorf("reading favourites in home %s: %w", homeID, err)
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return fmt.Errorf("reading favourites in home %s: %w", homeID, err)
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	return ids, err
}

// SetFavourites says which devices who keeps at hand, in which order. It concerns nobody else, and is not in the audit.
func (s *Service) SetFavourites(ctx context.Context, who access.Actor, homeID string, ids []string) error {
	if err := person(who, access.ReadHome); err != nil {
		return err
	}
	if len(ids) > MaxFavourites {
		return fault.Limit("favourites", strconv.Itoa(len(ids)), fmt.Sprintf("%d devices", MaxFavourites), 0)
	}
	return s.store.Write(ctx, func(tx *store.Tx) error {
		if _, err := versionOf(ctx, tx, who, homeID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM home_favourite WHERE home = ? AND person = ?", homeID, who.User); err != nil {
			return fmt.Errorf("setting favourites in home %s: %w", homeID, err)
		}
		for i, id := range ids {
			at := fmt.Sprintf("/devices/%d", i)
			if slices.Contains(ids[:i], id) {
				return fault.Invalid(at, id, "another device than those before it", "leave it out")
			}
			n, err := count(ctx, tx, "SELECT COUNT(*) FROM home_device WHERE home = ? AND device = ?", homeID, id)
			if err != nil {
				return fmt.Errorf("setting favourites in home %s: %w", homeID, err)
			}
			if n == 0 {
				return fault.NotFound("device", id)
			}
			if _, err := tx.Exec(ctx, "INSERT INTO home_favourite (home, person, position, device) VALUES (?, ?, ?, ?)", homeID, who.User, i, id); err != nil {
				return fmt.Errorf("setting favourites in home %s: %w", homeID, err)
			}
		}
		return nil
	})
}

// person refuses who may not do act, or is nobody in particular.
func person(who access.Actor, act access.Act) error {
	if err := who.Check(act); err != nil {
		return err
	}
	if who.User == "" {
		return fault.Forbidden(string(act), "a person")
	}
	return nil
}

// Hide says whether a device is hidden (隐藏): nothing that is said reaches it, neither by its name nor with all others. Scenes,
// timers, automations and programs do.
func (s *Service) Hide(ctx context.Context, who access.Actor, homeID, deviceID string, hide bool) error {
	return s.change(ctx, who, homeID, func(tx *store.Tx) error {
		is := 0
		if hide {
			is = 1
		}
		done, err := tx.Exec(ctx, "UPDATE home_device SET hidden = ? WHERE device = ? AND home = ?", is, deviceID, homeID)
		if err != nil {
			return fmt.Errorf("hiding device %s: %w", deviceID, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return fault.NotFound("device", deviceID)
		}
		return audit.Record(ctx, tx, who, "home.device.hide", deviceID, "home "+homeID+" "+strconv.FormatBool(hide))
	})
}
