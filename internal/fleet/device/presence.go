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

	clock watch.Clock
	aged  time.Time // when old lines were last looked for
}

func (f *follower) handle(ctx context.Context, records []uplink.Record) error {
	b := batch{f: f}
	err := f.s.store.Write(ctx, func(tx *store.Tx) error {
		b.seen, b.said, b.wrote = make(map[string]time.Time), make(map[string]time.Time), make(map[string]bool)
		for _, r := range records {
			if err := b.record(ctx, tx, r); err != nil {
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

// batch is what one transaction learns. The follower takes it over when that is committed.
type batch struct {
	f    *follower
	seen map[string]time.Time // when the session of a device began last; zero: it ended
	said map[string]time.Time // the newest message of a device to be written down as seen

	wrote map[string]bool // devices that wrote lines of their log
}

func (b *batch) record(ctx context.Context, tx *store.Tx, r uplink.Record) error {
	switch r.Kind {
	case uplink.Presence:
		p, err := DecodePresence(r.Body)
		if err != nil {
			b.f.s.log.LogAttrs(ctx, slog.LevelError, "presence record passed over", slog.Uint64("position", uint64(r.Pos)), slog.Any("error", err))
			return nil
		}
		return b.presence(ctx, tx, r, p)
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

func (b *batch) presence(ctx context.Context, tx *store.Tx, r uplink.Record, p Presence) error {
	at := r.At.UnixMilli()
	if p.Online && p.Epoch>>runShift < b.f.s.run.Load() {
		p.Online, p.Reason = false, restarted // a session of the last run, which ended with it
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO device_presence (device, organisation, product, online, epoch, reason, address, changed_at, seen_at)
		VALUES (?, COALESCE((SELECT organisation FROM device WHERE id = ?), ''), COALESCE((SELECT product FROM device WHERE id = ?), ''), ?, ?, ?, ?, ?, ?)
		ON CONFLICT (device) DO UPDATE SET
			online = excluded.online, epoch = excluded.epoch, reason = excluded.reason, address = excluded.address,
			changed_at = excluded.changed_at, seen_at = CASE WHEN device_presence.seen_at > excluded.seen_at THEN device_presence.seen_at ELSE excluded.seen_at END
		WHERE excluded.epoch >= device_presence.epoch`,
		r.Device, r.Device, r.Device, p.Online, int64(p.Epoch), p.Reason, p.Address, at, at)
	if err != nil {
		return fmt.Errorf("writing presence of device %s: %w", r.Device, err)
	}
	if !p.Online {
		b.seen[r.Device] = time.Time{}
		return nil
	}
	b.seen[r.Device] = r.At
	if _, err := tx.Exec(ctx, "UPDATE device SET activated_at = ? WHERE id = ? AND activated_at IS NULL", at, r.Device); err != nil {
		return fmt.Errorf("activating device %s: %w", r.Device, err)
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
