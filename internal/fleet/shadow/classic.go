package shadow

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/store"
)

// ErrVersion says that the version a device gave is not above the one its classic shadow has.
var ErrVersion = errors.New("the version is not above that of the shadow")

// Version is what a device counts its classic shadow by as q sees it; 0 if it never did.
func Version(ctx context.Context, q store.Querier, device string) (version int64, err error) {
	err = q.QueryRow(ctx, "SELECT version FROM shadow_classic WHERE device = ?", device).Scan(&version)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("reading the version of the shadow of device %s: %w", device, err)
	}
	return version, nil
}

// Classic is what the classic shadow of a device says: its version, and what was reported and is desired.
func (s *Service) Classic(ctx context.Context, device string) (version int64, st State, err error) {
	out := make(map[string]State, 1)
	err = s.store.Read(ctx, func(v *store.View) error {
		if version, err = Version(ctx, v, device); err != nil {
			return err
		}
		return read(ctx, v, []string{device}, out)
	})
	if err != nil {
		return 0, State{}, fmt.Errorf("reading the classic shadow: %w", err)
	}
	return version, out[device], nil
}

// Advance moves the classic shadow of a device to a version, a negative one to 0, and returns the one that it has then. One that
// is not above the shadow's is [ErrVersion], unless it is the same one again: a device repeats what was not acknowledged. done
// takes back all that is desired, once.
func (s *Service) Advance(ctx context.Context, device string, version int64, again, done bool, at time.Time) (now int64, err error) {
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		if now, err = Version(ctx, tx, device); err != nil {
			return err
		}
		if version >= 0 && version <= now && (!again || version < now) {
			return ErrVersion
		}
		drop := done && version != now // or it was done when the message came first: what is desired since then is not
		now = max(version, 0)
		_, err := tx.Exec(ctx, `
			INSERT INTO shadow_classic (device, version) VALUES (?, ?)
			ON CONFLICT (device) DO UPDATE SET version = excluded.version`, device, now)
		if err != nil {
			return fmt.Errorf("moving the shadow of device %s to version %d: %w", device, now, err)
		}
		if !drop {
			return nil
		}
		if _, err := tx.Exec(ctx, "UPDATE shadow_desired SET value = '', updated_at = ? WHERE device = ? AND value <> ''", at.UnixMilli(), device); err != nil {
			return fmt.Errorf("taking back what is desired of device %s: %w", device, err)
		}
		return nil
	})
	return now, err
}
