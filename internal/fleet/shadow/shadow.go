// Package shadow keeps what a device last reported and what was desired of it (设备影子).
//
// It owns the tables shadow, shadow_desired, shadow_classic and shadow_cursor, and promises:
//   - reported follows the uplink Log exactly: values and the position they came from are one transaction;
//   - of two reports of one property the later one in time stands, and of the same time the later one in the Log;
//   - a write carries the last value of each device in a batch, however often it spoke.
//
// The classic shadow of Alibaba Cloud is another view of the same: it has no state of its own but the version that a device
// counts it by.
//
// Reported values are eventually those of the Log (milliseconds behind); desired ones are exact.
package shadow

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"lampworks/internal/infra/store"
	"lampworks/internal/partner/product"
)

// A Value is one property as it was reported or desired.
type Value struct {
	Value json.RawMessage
	Time  time.Time // by the device where it said one, else of receipt
}

// A State is what is known of a device.
type State struct {
	Version  int64 // grows with each change of Reported; 0: never reported
	Reported map[string]Value
	Desired  map[string]Value
}

// A Setting is a property and the value it shall have.
type Setting struct {
	Property string
	Value    json.RawMessage
}

// Service answers for shadows. It is safe for concurrent use.
type Service struct {
	store    *store.Store
	products *product.Service
	log      *slog.Logger
}

// New returns the service over a migrated store.
func New(s *store.Store, products *product.Service, log *slog.Logger) *Service {
	return &Service{store: s, products: products, log: log}
}

// SetDesired writes what is desired of a device, in the transaction of the command that asks for it.
func (s *Service) SetDesired(ctx context.Context, tx *store.Tx, device string, sets []Setting, at time.Time) error {
	for _, set := range sets {
		_, err := tx.Exec(ctx, `
			INSERT INTO shadow_desired (device, property, value, version, updated_at) VALUES (?, ?, ?, 1, ?)
			ON CONFLICT (device, property) DO UPDATE SET
				value = excluded.value, version = shadow_desired.version + 1, updated_at = excluded.updated_at`,
			device, set.Property, string(set.Value), at.UnixMilli())
		if err != nil {
			return fmt.Errorf("desiring %s of device %s: %w", set.Property, device, err)
		}
	}
	return nil
}

// States returns what is known of the devices, by id; a device that never spoke is not in it. The caller has checked
// that they are its own: a shadow knows no owner.
func (s *Service) States(ctx context.Context, devices ...string) (map[string]State, error) {
	out := make(map[string]State, len(devices))
	err := s.store.Read(ctx, func(v *store.View) error {
		for len(devices) > 0 {
			n := min(len(devices), 200)
			if err := read(ctx, v, devices[:n], out); err != nil {
				return err
			}
			devices = devices[n:]
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the shadows: %w", err)
	}
	return out, nil
}

func read(ctx context.Context, v *store.View, devices []string, out map[string]State) error {
	args := make([]any, len(devices))
	for i, d := range devices {
		args[i] = d
	}
	in := " IN (?" + strings.Repeat(", ?", len(devices)-1) + ")"
	rows, err := v.Query(ctx, "SELECT device, version, reported FROM shadow WHERE device"+in, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var device string
		var st State
		var blob []byte
		if err := rows.Scan(&device, &st.Version, &blob); err != nil {
			return err
		}
		kept, err := decode(blob)
		if err != nil {
			return fmt.Errorf("device %s: %w", device, err)
		}
		st.Reported = make(map[string]Value, len(kept))
		for id, k := range kept {
			st.Reported[id] = Value{Value: k.V, Time: time.UnixMilli(k.T).UTC()}
		}
		out[device] = st
	}
	if err := rows.Err(); err != nil {
		return err
	}
	wanted, err := v.Query(ctx, "SELECT device, property, value, updated_at FROM shadow_desired WHERE value <> '' AND device"+in, args...)
	if err != nil {
		return err
	}
	defer wanted.Close()
	for wanted.Next() {
		var device, property, value string
		var at int64
		if err := wanted.Scan(&device, &property, &value, &at); err != nil {
			return err
		}
		st := out[device]
		if st.Desired == nil {
			st.Desired = make(map[string]Value)
		}
		st.Desired[property] = Value{Value: json.RawMessage(value), Time: time.UnixMilli(at).UTC()}
		out[device] = st
	}
	return wanted.Err()
}

// kept is a reported value as it stands in the row.
type kept struct {
	V json.RawMessage `json:"v"`
	T int64           `json:"t"` // unix milliseconds
}

func decode(blob []byte) (map[string]kept, error) {
	var m map[string]kept
	if err := json.Unmarshal(blob, &m); err != nil {
		return nil, fmt.Errorf("decoding what was reported: %w", err)
	}
	return m, nil
}

func one(ctx context.Context, q store.Querier, device string) (version int64, m map[string]kept, err error) {
	var blob []byte
	err = q.QueryRow(ctx, "SELECT version, reported FROM shadow WHERE device = ?", device).Scan(&version, &blob)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, make(map[string]kept), nil
	}
	if err != nil {
		return 0, nil, fmt.Errorf("reading the shadow of device %s: %w", device, err)
	}
	m, err = decode(blob)
	return version, m, err
}
