package device

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
	"lampworks/internal/infra/watch"
)

const consumer = "device.presence"

// seenEvery bounds how often a device that keeps talking is written down as seen.
const seenEvery = 30 * time.Second

// Follow keeps presence as the Log tells it, until ctx ends. The rows and the position they came from are one transaction.
func (s *Service) Follow(ctx context.Context, log uplink.Log) error {
	from, err := s.position(ctx)
	if err != nil {
		return err
	}
	f := &follower{s: s, seen: make(map[string]time.Time)}
	f.clock.Look(time.Now())
	return uplink.Follow(ctx, log, consumer, from, 1000, f.handle, uplink.Logger(s.log))
}

func (s *Service) position(ctx context.Context) (uplink.Position, error) {
	var pos uplink.Position
	err := s.store.Read(ctx, func(v *store.View) error {
		err := v.QueryRow(ctx, "SELECT position FROM device_cursor WHERE consumer = ?", consumer).Scan(&pos)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("reading the cursor of %s: %w", consumer, err)
	}
	return pos, nil
}

// follower is the state of one reading of the Log; used by one goroutine.
type follower struct {
	s    *Service
	seen map[string]time.Time // when a device was last written down as seen; forgotten when its session ends

	lag   uplink.Lag // of the cursor
	clock watch.Clock
	aged  time.Time // when old lines were last looked for
}

func (f *follower) handle(ctx context.Context, records []uplink.Record) error {
	if f.idle(records) && !f.lag.Due(time.Now()) {
		f.age(ctx, time.Now())
		return nil
	}
	b := batch{f: f}
	err := f.s.store.Write(ctx, func(tx *store.Tx) error {
		b.seen, b.said, b.wrote, b.changed = make(map[string]time.Time), make(map[string]time.Time), make(map[string]bool), make(map[string]change)
		for _, r := range records {
			if err := b.record(ctx, tx, r); err != nil {
				return err
			}
		}
		for device, c := range b.changed {
			if err := c.write(ctx, tx, device); err != nil {
				return err
			}
		}
		for device, at := range b.said {
			if _, err := tx.Exec(ctx, "UPDATE device_presence SET seen_at = ? WHERE device = ? AND seen_at < ?", at.UnixMilli(), device, at.UnixMilli()); err != nil {
				return fmt.Errorf("noting that device %s was seen: %w", device, err)
			}
		}
		if err := b.trim(ctx, tx); err != nil {
			return err
		}
		return f.commit(ctx, tx, records[len(records)-1].Pos)
	})
	if err != nil {
		return err
	}
	maps.Copy(f.seen, b.said)
	for device, at := range b.seen { // sessions have the last word: what is over is forgotten
		switch {
		case at.IsZero():
			delete(f.seen, device)
		case f.seen[device].Before(at):
			f.seen[device] = at
		}
	}
	f.age(ctx, time.Now())
	return nil
}

// idle reports whether no record changes a row: messages of devices that were written down as seen not long ago, that say
// nothing which is kept here.
func (f *follower) idle(records []uplink.Record) bool {
	for i := range records {
		r := &records[i]
		switch r.Kind {
		case uplink.Presence:
			return false
		case uplink.Message:
			if r.At.Sub(f.seen[r.Device]) >= seenEvery || sayer(templateOf(r.Body)) != nil {
				return false
			}
		}
	}
	return true
}

// batch is what one transaction learns. The follower takes it over when that is committed.
type batch struct {
	f    *follower
	seen map[string]time.Time // when the session of a device began last; zero: it ended
	said map[string]time.Time // the newest message of a device to be written down as seen

	wrote   map[string]bool   // devices that wrote lines of their log
	changed map[string]change // what came of the sessions of a device
}

// change is the last that a batch says of the sessions of a device: one that came and went was there for no row to tell.
type change struct {
	Presence
	at    int64
	seen  int64 // the newest at of those that count
	began int64 // when the first of its sessions began, as far as the batch knows; 0: none did
}

func (b *batch) record(ctx context.Context, tx *store.Tx, r uplink.Record) error {
	switch r.Kind {
	case uplink.Presence:
		p, err := DecodePresence(r.Body)
		if err != nil {
			b.f.s.log.LogAttrs(ctx, slog.LevelError, "presence record passed over", slog.Uint64("position", uint64(r.Pos)), slog.Any("error", err))
			return nil
		}
		b.presence(r, p)
		return nil
	case uplink.Message:
		last, now := b.seen[r.Device]
		if !now {
			last = b.f.seen[r.Device]
		}
		if r.At.Sub(last) >= seenEvery {
			b.said[r.Device] = r.At
		}
		return b.word(ctx, tx, r)
	}
	return nil
}

func (f *follower) commit(ctx context.Context, tx *store.Tx, pos uplink.Position) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO device_cursor (consumer, position) VALUES (?, ?)
		ON CONFLICT (consumer) DO UPDATE SET position = excluded.position`, consumer, pos)
	if err != nil {
		return fmt.Errorf("moving the cursor of %s: %w", consumer, err)
	}
	return nil
}

func (b *batch) presence(r uplink.Record, p Presence) {
	c := change{Presence: p, at: r.At.UnixMilli()}
	had, ok := b.changed[r.Device]
	if c.seen, c.began = c.at, had.began; p.Online && c.began == 0 {
		c.began = c.at
	}
	if p.Online && p.Epoch>>runShift < b.f.s.run.Load() {
		c.Online, c.Reason = false, restarted // a session of the last run, which ended with it
	}
	switch {
	case ok && had.Epoch > p.Epoch:
		had.began = c.began
		b.changed[r.Device] = had
	default:
		c.seen = max(c.seen, had.seen)
		b.changed[r.Device] = c
	}
	b.seen[r.Device] = time.Time{}
	if c.Online {
		b.seen[r.Device] = r.At
	}
}

// write brings the row of a device up to date. One that has a row was activated when that was made.
func (c *change) write(ctx context.Context, tx *store.Tx, device string) error {
	r, err := tx.Exec(ctx, `
		UPDATE device_presence
		SET online = ?, epoch = ?, reason = ?, address = ?, changed_at = ?, seen_at = CASE WHEN seen_at > ? THEN seen_at ELSE ? END
		WHERE device = ? AND epoch <= ?`,
		c.Online, int64(c.Epoch), c.Reason, c.Address, c.at, c.seen, c.seen, device, int64(c.Epoch))
	if err != nil {
		return fmt.Errorf("writing presence of device %s: %w", device, err)
	}
	if n, err := r.RowsAffected(); n > 0 || err != nil {
		return err
	}
	return c.first(ctx, tx, device)
}

// first writes the row of a device that has none, and that it is activated.
func (c *change) first(ctx context.Context, tx *store.Tx, device string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO device_presence (device, organisation, product, online, epoch, reason, address, changed_at, seen_at)
		VALUES (?, COALESCE((SELECT organisation FROM device WHERE id = ?), ''), COALESCE((SELECT product FROM device WHERE id = ?), ''), ?, ?, ?, ?, ?, ?)
		ON CONFLICT (device) DO NOTHING`,
		device, device, device, c.Online, int64(c.Epoch), c.Reason, c.Address, c.at, c.seen)
	if err != nil {
		return fmt.Errorf("writing presence of device %s: %w", device, err)
	}
	if c.began == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, "UPDATE device SET activated_at = ? WHERE id = ? AND activated_at IS NULL", c.began, device); err != nil {
		return fmt.Errorf("activating device %s: %w", device, err)
	}
	return nil
}

const restarted = "restarted"

// Begin numbers this run and marks every device offline that an earlier run left online: called once at start, before
// the first session, by a node that owns all sessions. It returns how many there were.
func (s *Service) Begin(ctx context.Context) (orphaned int64, err error) {
	var run uint64
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.QueryRow(ctx, "UPDATE device_run SET run = run + 1 RETURNING run").Scan(&run); err != nil {
			return fmt.Errorf("numbering the run: %w", err)
		}
		res, err := tx.Exec(ctx, "UPDATE device_presence SET online = 0, reason = ?, changed_at = ? WHERE online = 1 AND epoch < ?",
			restarted, time.Now().UnixMilli(), int64(run<<runShift))
		if err != nil {
			return fmt.Errorf("marking the sessions of the last run as ended: %w", err)
		}
		orphaned, err = res.RowsAffected()
		return err
	})
	if err == nil {
		s.run.Store(run)
	}
	return orphaned, err
}
