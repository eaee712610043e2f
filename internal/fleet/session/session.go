// Package session keeps what of a device's MQTT session outlives its connection (持久会话): what it subscribed to, which of its
// QoS 2 messages were taken and not released yet, and its will (遗嘱).
//
// It owns the table session. Whatever happens to a session is first a record of the Log, in one order with the messages of
// the device; the rows follow it. So it promises:
//   - what a device was told (SUBACK, PUBREC, PUBCOMP) is there after any end of the program;
//   - a message of QoS 2 is in the Log once, however often and over how many connections it comes, and what says that it was
//     taken is the very record that holds it;
//   - a session that was not to stay, or has expired, leaves nothing; a newer connection has the last word over an older one;
//   - a will is said once: after the connection of its device was lost for the delay it asked for, and not if the device came
//     back before.
package session

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
	"lampworks/internal/infra/watch"
)

const (
	// MaxLasts is the longest a session waits for its device; one that asks for more gets this.
	MaxLasts = 7 * 24 * time.Hour

	// RestartGrace is how long wills of sessions that ended with the program wait for their devices to come back.
	RestartGrace = time.Minute
)

// A State is what an earlier connection left.
type State struct {
	Present bool   // there was something
	Since   uint64 // epoch of the first connection of the session
	Filters []Filter
	Held    []uint16
}

// Service keeps the sessions. Its methods may be called by any goroutine.
type Service struct {
	store *store.Store
	log   *slog.Logger
	clock watch.Clock

	mu      sync.Mutex
	reached uplink.Position
	moved   chan struct{} // closed and replaced when reached moves
	floor   uint64        // epochs below it belong to a run that is over
	started time.Time     // when this run began
}

// New makes the service.
func New(s *store.Store, log *slog.Logger) *Service {
	return &Service{store: s, log: log, moved: make(chan struct{})}
}

// AppendBegan gives the record of a connection that takes the session of its device.
func AppendBegan(device string, at time.Time, b *Began) (uplink.Record, error) {
	body, err := b.append(nil)
	return uplink.Record{At: at, Kind: uplink.Session, Device: device, Subject: beganSubject, Body: body}, err
}

// EndedRecord gives the record of a connection that is over.
func EndedRecord(device string, at time.Time, e *Ended) uplink.Record {
	return uplink.Record{At: at, Kind: uplink.Session, Device: device, Subject: endedSubject, Body: e.append(nil)}
}

// FiltersRecord gives the record of all that a device is subscribed to now.
func FiltersRecord(device string, at time.Time, epoch uint64, list []Filter) uplink.Record {
	f := filters{epoch, list}
	return uplink.Record{At: at, Kind: uplink.Session, Device: device, Subject: filtersSubject, Body: f.append(nil)}
}

// ReleasedRecord gives the record of a QoS 2 message that will not come again.
func ReleasedRecord(device string, at time.Time, epoch uint64, id uint16) uplink.Record {
	r := released{epoch, id}
	return uplink.Record{At: at, Kind: uplink.Session, Device: device, Subject: releasedSubject, Body: r.append(nil)}
}

// DroppedRecord gives the record of a will that could not be said.
func DroppedRecord(device string, at time.Time, epoch uint64) uplink.Record {
	body := binary.BigEndian.AppendUint64([]byte{form}, epoch)
	return uplink.Record{At: at, Kind: uplink.Session, Device: device, Subject: droppedSubject, Body: body}
}

// Begin ends the sessions' connections of earlier runs: called once at start with the first epoch of this run, before Follow.
// Whatever became due while the program stood still, the devices have a while to come back first.
func (s *Service) Begin(ctx context.Context, floor uint64, now time.Time) error {
	s.floor, s.started = floor, now
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		grace := now.Add(RestartGrace).UnixMilli()
		if _, err := tx.Exec(ctx, "UPDATE session SET will_at = ? WHERE will_at < ?", grace, grace); err != nil {
			return err
		}
		for after, more := "", true; more; {
			var err error
			if after, more, err = beginWills(ctx, tx, floor, now, after); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "UPDATE session SET online = 0, expires_at = ? + lasts_s * 1000 WHERE online = 1 AND epoch < ?", now.UnixMilli(), int64(floor))
		return err
	})
	if err != nil {
		return fmt.Errorf("ending the sessions of the last run: %w", err)
	}
	return nil
}

// beginWills has the wills of the next sessions of earlier runs wait, in the order of their devices.
func beginWills(ctx context.Context, tx *store.Tx, floor uint64, now time.Time, after string) (last string, more bool, err error) {
	rows, err := tx.Query(ctx, "SELECT device, lasts_s, will FROM session WHERE online = 1 AND epoch < ? AND will IS NOT NULL AND device > ? ORDER BY device LIMIT ?", int64(floor), after, sweptAtOnce)
	if err != nil {
		return "", false, err
	}
	defer rows.Close()
	at := make(map[string]int64)
	for rows.Next() {
		var lasts int64
		var will []byte
		if err := rows.Scan(&last, &lasts, &will); err != nil {
			return "", false, err
		}
		at[last] = now.Add(max(RestartGrace, waits(will, time.Duration(lasts)*time.Second))).UnixMilli()
	}
	if err := rows.Err(); err != nil {
		return "", false, err
	}
	for device, ms := range at {
		if _, err := tx.Exec(ctx, "UPDATE session SET will_at = ? WHERE device = ?", ms, device); err != nil {
			return "", false, err
		}
	}
	return last, len(at) == sweptAtOnce, nil
}

// waits is how long a will waits after its connection: as long as it asked for, and no longer than the session.
func waits(will []byte, lasts time.Duration) time.Duration {
	w, _ := readWill(will) // began wrote it
	return min(w.Delay, max(lasts, 0))
}

// At gives what an earlier connection left for the one whose record of beginning stands at pos, once the rows have come so far.
func (s *Service) At(ctx context.Context, device string, epoch uint64, pos uplink.Position) (State, error) {
	if err := s.wait(ctx, pos); err != nil {
		return State{}, err
	}
	var st State
	err := s.store.Read(ctx, func(v *store.View) error {
		var list, held []byte
		var resumed bool
		var since int64
		err := v.QueryRow(ctx, "SELECT filters, held, resumed, since FROM session WHERE device = ? AND epoch = ?", device, int64(epoch)).
			Scan(&list, &held, &resumed, &since)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil || !resumed {
			return err
		}
		st = State{Present: true, Since: uint64(since), Held: identifiers(held)}
		st.Filters, err = parseFilters(list)
		return err
	})
	if err != nil {
		return State{}, fmt.Errorf("reading the session of device %s: %w", device, err)
	}
	return st, nil
}

// Left reports whether an earlier connection of a device left anything, once the rows have come as far as the Log goes now.
func (s *Service) Left(ctx context.Context, log uplink.Log, device string) (left bool, err error) {
	if err := s.wait(ctx, log.Tail()); err != nil {
		return false, err
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		return v.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM session WHERE device = ?)", device).Scan(&left)
	})
	if err != nil {
		return false, fmt.Errorf("looking for a session of device %s: %w", device, err)
	}
	return left, nil
}

func identifiers(b []byte) (ids []uint16) {
	for ; len(b) >= 2; b = b[2:] {
		ids = append(ids, binary.BigEndian.Uint16(b))
	}
	return ids
}

func (s *Service) wait(ctx context.Context, pos uplink.Position) error {
	for {
		s.mu.Lock()
		reached, moved := s.reached, s.moved
		s.mu.Unlock()
		if reached >= pos {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the sessions to follow the Log to %d, they are at %d: %w", pos, reached, ctx.Err())
		}
	}
}

func (s *Service) reach(pos uplink.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reached = pos
	close(s.moved)
	s.moved = make(chan struct{})
}

// Due is a will whose time has come.
type Due struct {
	Device string
	Epoch  uint64
	Will
}

// DueWills lists wills that are to be said now, up to limit. One that was said goes with the record that says it
// ([device.Message.WillOf]). log is the Log that this service follows: it waits until all of it is known, as far as it goes now, so
// that no device has come back by then.
func (s *Service) DueWills(ctx context.Context, log uplink.Log, now time.Time, limit int) (due []Due, err error) {
	if err := s.wait(ctx, log.Tail()); err != nil {
		return nil, err
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, "SELECT device, epoch, will FROM session WHERE will_at IS NOT NULL AND will_at <= ? ORDER BY will_at LIMIT ?", now.UnixMilli(), limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d Due
			var epoch int64
			var will []byte
			if err := rows.Scan(&d.Device, &epoch, &will); err != nil {
				return err
			}
			d.Epoch = uint64(epoch)
			if d.Will, err = readWill(will); err != nil {
				return err
			}
			due = append(due, d)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("reading the wills that are due: %w", err)
	}
	return due, nil
}

// sweepEvery is how late a session that has expired may go.
const sweepEvery = 10 * time.Second

// Run removes sessions that have expired, until ctx ends; not while the clock cannot be trusted.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			if !s.clock.Trusted(now) {
				continue
			}
			if err := s.sweep(ctx, now); err != nil && ctx.Err() == nil {
				s.log.LogAttrs(ctx, slog.LevelWarn, "removing expired sessions failed", slog.Any("error", err))
			}
		}
	}
}

const sweptAtOnce = 1000

func (s *Service) sweep(ctx context.Context, now time.Time) error {
	for {
		var n int64
		err := s.store.Write(ctx, func(tx *store.Tx) error {
			res, err := tx.Exec(ctx, `
				DELETE FROM session WHERE device IN (
					SELECT device FROM session WHERE expires_at IS NOT NULL AND expires_at <= ? AND will_at IS NULL LIMIT ?)`, now.UnixMilli(), sweptAtOnce)
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		if err != nil || n < sweptAtOnce {
			return err
		}
	}
}
