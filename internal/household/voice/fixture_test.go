package voice_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
)

// What other rooms would have written is written by hand here: a device otherwise comes from an order, and its
// presence and state from the Log.

// owner is somebody who may do everything in a household of organisation.
func owner(organisation string) access.Actor {
	return access.Actor{Kind: access.KindUser, ID: "u-" + organisation, User: "u-" + organisation, Organisation: organisation, Roles: []access.Role{access.Owner}}
}

// issued makes n issued devices of a product and returns their ids.
func issued(t testing.TB, s *store.Store, organisation, product string, n int) []string {
	t.Helper()
	ids := make([]string, n)
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		order := newID()
		if err := insertOrder(t.Context(), tx, order, organisation, product, n); err != nil {
			return err
		}
		for i := range ids {
			ids[i] = newID()
			_, err := tx.Exec(t.Context(), `
				INSERT INTO device (id, organisation, product, name, batch, generation, state, created_at)
				VALUES (?, ?, ?, ?, ?, 0, 'enabled', 0)`,
				ids[i], organisation, product, fmt.Sprintf("%.12s", ids[i][24:]), order)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("making %d devices: %v", n, err)
	}
	return ids
}

// connected says that devices have a session now, or have none any more.
func connected(t testing.TB, s *store.Store, online bool, devices ...string) {
	t.Helper()
	write(t, s, devices, `
		INSERT INTO device_presence (device, online, epoch, reason, address, changed_at, seen_at) VALUES (?, ?, 1, 'connected', '', 0, 0)
		ON CONFLICT (device) DO UPDATE SET online = excluded.online`, online)
}

// reports gives a device a shadow: {"brightness":{"v":50,"t":0}}.
func reports(t testing.TB, s *store.Store, device, reported string) {
	t.Helper()
	write(t, s, []string{device}, `
		INSERT INTO shadow (device, version, reported, updated_at) VALUES (?, 1, ?, 0)
		ON CONFLICT (device) DO UPDATE SET reported = excluded.reported, version = shadow.version + 1`, []byte(reported))
}

func write(t testing.TB, s *store.Store, devices []string, statement string, value any) {
	t.Helper()
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		for _, d := range devices {
			if _, err := tx.Exec(t.Context(), statement, d, value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func insertOrder(ctx context.Context, tx *store.Tx, id, organisation, product string, n int) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO issuance_order (id, organisation, product, quantity, purpose, note, state, reason, done, generation, job, requested_by, created_at)
		VALUES (?, ?, ?, ?, 'debug', '', 'issued', '', ?, 0, '', '', ?)`,
		id, organisation, product, n, n, time.Now().UnixMilli())
	return err
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
