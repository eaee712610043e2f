package shadow

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
	"lampworks/tsl"
)

const consumer = "shadow.reported"

const (
	batch      = 2000     // records of one transaction
	maxShadows = 100_000  // shadows kept in memory
	maxHeld    = 64 << 20 // and their size, bytes as written
	// maxAhead is how far a device's clock may run ahead before its times are taken as those of receipt: a clock set to
	// 2099 must not hold a property for ever.
	maxAhead = 10 * time.Minute
)

// Follow keeps reported values as the Log tells them, until ctx ends.
func (s *Service) Follow(ctx context.Context, log uplink.Log) error {
	var from uplink.Position
	err := s.store.Read(ctx, func(v *store.View) error {
		err := v.QueryRow(ctx, "SELECT position FROM shadow_cursor WHERE consumer = ?", consumer).Scan(&from)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("reading the cursor of %s: %w", consumer, err)
	}
	f := &follower{s: s, known: make(map[string]*entry)}
	return uplink.Follow(ctx, log, consumer, from, batch, f.handle, uplink.Logger(s.log))
}

// entry is a shadow as this process last wrote it.
type entry struct {
	version int64
	values  map[string]kept
	size    int // bytes of the row
}

// follower is the state of one reading of the Log; used by one goroutine.
type follower struct {
	s     *Service
	known map[string]*entry
	held  int    // sum of their sizes
	row   []byte // of the write in progress
}

func (f *follower) handle(ctx context.Context, records []uplink.Record) error {
	for _, product := range device.Products(records) { // a write must not wait for reads: from here on they are known
		if _, err := f.s.products.Model(ctx, product); err != nil {
			return fmt.Errorf("opening the thing model of product %s: %w", product, err)
		}
	}
	err := f.s.store.Write(ctx, func(tx *store.Tx) error {
		changed := make(map[string]*entry)
		for _, r := range records {
			if r.Kind != uplink.Message {
				continue
			}
			if err := f.merge(ctx, tx, r, changed); err != nil {
				return err
			}
		}
		for id, e := range changed {
			if err := f.write(ctx, tx, id, e, records[len(records)-1].At); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO shadow_cursor (consumer, position) VALUES (?, ?)
			ON CONFLICT (consumer) DO UPDATE SET position = excluded.position`, consumer, records[len(records)-1].Pos)
		if err != nil {
			return fmt.Errorf("moving the cursor of %s: %w", consumer, err)
		}
		return nil
	})
	if err != nil || len(f.known) > maxShadows || f.held > maxHeld {
		f.known, f.held = make(map[string]*entry), 0 // what memory holds may be ahead of the rows
	}
	return err
}

func (f *follower) merge(ctx context.Context, tx *store.Tx, r uplink.Record, changed map[string]*entry) error {
	m, err := device.DecodeMessage(r.Body)
	if err != nil {
		f.s.log.LogAttrs(ctx, slog.LevelError, "message record passed over", slog.Uint64("position", uint64(r.Pos)), slog.Any("error", err))
		return nil
	}
	if !m.Reports() {
		return nil
	}
	model, err := f.s.products.Model(ctx, m.Product)
	if err != nil {
		return fmt.Errorf("opening the thing model of product %s: %w", m.Product, err)
	}
	e := f.known[r.Device]
	if e == nil {
		e = &entry{}
		if e.version, e.values, err = one(ctx, tx, r.Device); err != nil {
			return err
		}
		f.known[r.Device] = e
	}
	if e.merge(model, &m, r.At) || e.forget(&m) {
		changed[r.Device] = e
	}
	return nil
}

// forget drops what the device says that it reports no longer.
func (e *entry) forget(m *device.Message) bool {
	if m.Template != alink.ShadowUpdate {
		return false
	}
	req, err := alink.ParseShadow(m.Payload)
	if err != nil || req.Method != alink.ShadowOfDelete {
		return false
	}
	had := len(e.values)
	if req.All {
		clear(e.values)
	}
	for _, name := range req.Names {
		delete(e.values, name)
	}
	return len(e.values) < had
}

// merge takes over the values of a report that are not older than those it has.
func (e *entry) merge(model *tsl.Model, m *device.Message, receipt time.Time) bool {
	changed := false
	ahead := receipt.Add(maxAhead).UnixMilli()
	m.Values(model, func(p *tsl.Property, value []byte, at int64) {
		if at > ahead && m.Past() {
			return // what is past is not ahead of now
		}
		if at == 0 || at > ahead {
			at = receipt.UnixMilli()
		}
		if had, ok := e.values[p.Identifier]; ok && had.T > at {
			return
		}
		e.values[p.Identifier] = kept{V: append(json.RawMessage(nil), value...), T: at}
		changed = true
	})
	return changed
}

// append writes the values as the row has them. Identifiers are letters, digits and underscores, and values are JSON that
// was checked, so that nothing needs quoting.
func (e *entry) append(dst []byte) []byte {
	dst = append(dst, '{')
	for id, k := range e.values {
		if len(dst) > 1 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), id...), `":{"v":`...)
		dst = append(append(dst, k.V...), `,"t":`...)
		dst = append(strconv.AppendInt(dst, k.T, 10), '}')
	}
	return append(dst, '}')
}

func (f *follower) write(ctx context.Context, tx *store.Tx, id string, e *entry, at time.Time) error {
	f.row = e.append(f.row[:0])
	f.held += len(f.row) - e.size
	e.size = len(f.row)
	e.version++
	_, err := tx.Exec(ctx, `
		INSERT INTO shadow (device, version, reported, updated_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (device) DO UPDATE SET version = excluded.version, reported = excluded.reported, updated_at = excluded.updated_at`,
		id, e.version, f.row, at.UnixMilli())
	if err != nil {
		return fmt.Errorf("writing the shadow of device %s: %w", id, err)
	}
	return nil
}
