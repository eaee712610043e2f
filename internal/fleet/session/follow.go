package session

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
)

const (
	consumer = "session.state"
	batch    = 1000 // records of one transaction

	// cursorEvery is after how many records that concern no session the cursor is written down all the same.
	cursorEvery = 10_000
)

// Follow keeps the rows as the Log tells them, until ctx ends. The rows and the position they came from are one transaction.
func (s *Service) Follow(ctx context.Context, log uplink.Log) error {
	var from uplink.Position
	err := s.store.Read(ctx, func(v *store.View) error {
		err := v.QueryRow(ctx, "SELECT position FROM session_cursor WHERE consumer = ?", consumer).Scan(&from)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("reading the cursor of %s: %w", consumer, err)
	}
	s.reach(from)
	f := &follower{s: s, written: from}
	return uplink.Follow(ctx, log, consumer, from, batch, f.handle, uplink.Logger(s.log))
}

// follower is the state of one reading of the Log; used by one goroutine.
type follower struct {
	s       *Service
	written uplink.Position // the cursor as it is on disk
}

func (f *follower) handle(ctx context.Context, records []uplink.Record) error {
	last := records[len(records)-1].Pos
	if slices.ContainsFunc(records, concerns) || last-f.written >= cursorEvery {
		if err := f.s.store.Write(ctx, func(tx *store.Tx) error { return f.write(ctx, tx, records) }); err != nil {
			return err
		}
		f.written = last
	}
	f.s.reach(last)
	return nil
}

// concerns reports whether a record can change a session.
func concerns(r uplink.Record) bool {
	switch r.Kind {
	case uplink.Session, uplink.Presence:
		return true
	case uplink.Message:
		return device.OfSession(r.Body)
	case uplink.Fact:
	}
	return false
}

func (f *follower) write(ctx context.Context, tx *store.Tx, records []uplink.Record) error {
	b := batchOf{tx: tx, floor: f.s.floor, started: f.s.started, rows: make(map[string]*row)}
	for _, r := range records {
		err := b.record(ctx, r)
		if errors.Is(err, errForm) {
			f.s.log.LogAttrs(ctx, slog.LevelError, "session record passed over", slog.Uint64("position", uint64(r.Pos)), slog.String("subject", r.Subject))
			continue
		}
		if err != nil {
			return err
		}
	}
	if err := b.save(ctx); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO session_cursor (consumer, position) VALUES (?, ?)
		ON CONFLICT (consumer) DO UPDATE SET position = excluded.position`, consumer, records[len(records)-1].Pos)
	if err != nil {
		return fmt.Errorf("moving the cursor of %s: %w", consumer, err)
	}
	return nil
}

// row is a session as the table has it.
type row struct {
	epoch, since    uint64
	online, resumed bool
	lasts           time.Duration
	expires, willAt sql.NullInt64
	filters         []byte
	held, will      []byte
	gone            bool // it is to be deleted, or never was
	changed         bool
}

// batchOf is what one transaction reads and writes.
type batchOf struct {
	tx      *store.Tx
	floor   uint64
	started time.Time
	rows    map[string]*row
}

// load gives the row of a device; one that is gone if there is none.
func (b *batchOf) load(ctx context.Context, device string) (*row, error) {
	if r := b.rows[device]; r != nil {
		return r, nil
	}
	r := new(row)
	var epoch, since, lasts int64
	err := b.tx.QueryRow(ctx, `
		SELECT epoch, since, online, resumed, lasts_s, expires_at, filters, held, will, will_at
		FROM session
		WHERE device = ?`, device).Scan(&epoch, &since, &r.online, &r.resumed, &lasts, &r.expires, &r.filters, &r.held, &r.will, &r.willAt)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		r.gone = true
	case err != nil:
		return nil, fmt.Errorf("reading the session of device %s: %w", device, err)
	}
	r.epoch, r.since, r.lasts = uint64(epoch), uint64(since), time.Duration(lasts)*time.Second
	b.rows[device] = r
	return r, nil
}

func (b *batchOf) record(ctx context.Context, r uplink.Record) error {
	switch {
	case r.Kind == uplink.Presence:
		return b.presence(ctx, r)
	case r.Kind == uplink.Message:
		return b.message(ctx, r)
	case r.Kind != uplink.Session:
		return nil
	}
	switch r.Subject {
	case beganSubject:
		return b.began(ctx, r)
	case filtersSubject:
		v, err := readFilters(r.Body)
		return b.of(ctx, r.Device, v.epoch, err, func(s *row) { s.filters = appendFilters(nil, v.list) })
	case releasedSubject:
		v, err := readReleased(r.Body)
		return b.of(ctx, r.Device, v.epoch, err, func(s *row) { s.release(v.id) })
	case endedSubject:
		v, err := readEnded(r.Body)
		return b.of(ctx, r.Device, v.Epoch, err, func(s *row) {
			s.ended(r.At, v)
			if v.Epoch < b.floor {
				s.grace(b.started)
			}
		})
	case droppedSubject:
		epoch, err := readDropped(r.Body)
		return b.of(ctx, r.Device, epoch, err, (*row).said)
	}
	return errForm
}

// of changes the session of a device, if it is still that of the connection with this epoch.
func (b *batchOf) of(ctx context.Context, device string, epoch uint64, bad error, change func(*row)) error {
	if bad != nil {
		return bad
	}
	s, err := b.load(ctx, device)
	if err != nil || s.gone || s.epoch != epoch {
		return err
	}
	change(s)
	s.changed = true
	return nil
}

func (b *batchOf) began(ctx context.Context, r uplink.Record) error {
	v, err := readBegan(r.Body)
	if err != nil {
		return err
	}
	s, err := b.load(ctx, r.Device)
	if err != nil || !s.gone && s.epoch >= v.Epoch {
		return err
	}
	alive := !s.gone && s.lasts > 0 && (!s.expires.Valid || s.expires.Int64 > r.At.UnixMilli())
	next := row{epoch: v.Epoch, since: v.Epoch, online: true, lasts: v.Lasts, changed: true}
	if alive && !v.Clean {
		next.resumed, next.since, next.filters, next.held = true, s.since, s.filters, s.held
	}
	if v.Will != nil {
		if next.will, err = v.Will.append(nil); err != nil {
			return errForm
		}
	}
	if v.Epoch < b.floor { // of a run that is over, and was not noted before it ended
		next.ended(b.started, Ended{Will: true, Lasts: v.Lasts})
		next.grace(b.started)
	}
	*s = next
	return nil
}

// presence forgets a session when its device connects with none: then no record says that one began.
func (b *batchOf) presence(ctx context.Context, r uplink.Record) error {
	p, err := device.DecodePresence(r.Body)
	if err != nil {
		return errForm
	}
	if !p.Online {
		return nil
	}
	if s := b.rows[r.Device]; s != nil {
		if !s.gone && s.epoch < p.Epoch {
			s.gone, s.changed = true, true
		}
		return nil
	}
	if _, err := b.tx.Exec(ctx, "DELETE FROM session WHERE device = ? AND epoch < ?", r.Device, int64(p.Epoch)); err != nil {
		return fmt.Errorf("forgetting the session of device %s: %w", r.Device, err)
	}
	return nil
}

// message notes that one of QoS 2 was taken, or that a will was said.
func (b *batchOf) message(ctx context.Context, r uplink.Record) error {
	if !device.OfSession(r.Body) {
		return nil
	}
	m, err := device.DecodeMessage(r.Body)
	if err != nil {
		return errForm
	}
	of := r.Device
	if m.Via != "" {
		of = m.Via
	}
	s, err := b.load(ctx, of)
	if err != nil || s.gone {
		return err
	}
	switch {
	case m.PacketID == 0 && m.WillOf == s.epoch:
		s.said()
	case m.PacketID == 0 || m.Epoch != 0 && m.Epoch != s.epoch: // of another connection
		return nil
	case !slices.Contains(identifiers(s.held), m.PacketID):
		s.held = binary.BigEndian.AppendUint16(slices.Clip(s.held), m.PacketID)
	}
	s.changed = true
	return nil
}

// said forgets the will.
func (s *row) said() {
	s.will, s.willAt = nil, sql.NullInt64{}
	s.gone = !s.online && s.lasts == 0
}

func (s *row) release(id uint16) {
	held := identifiers(s.held)
	s.held = nil
	for _, have := range held {
		if have != id {
			s.held = binary.BigEndian.AppendUint16(s.held, have)
		}
	}
}

func (s *row) ended(at time.Time, e Ended) {
	s.online, s.lasts = false, e.Lasts
	s.expires = sql.NullInt64{Int64: at.Add(e.Lasts).UnixMilli(), Valid: true}
	switch {
	case s.will == nil:
	case e.Will:
		s.willAt = sql.NullInt64{Int64: at.Add(waits(s.will, e.Lasts)).UnixMilli(), Valid: true}
	default:
		s.will = nil
	}
	s.gone = s.lasts == 0 && s.will == nil
}

// grace lets the will of a session that a run before this one had wait for its device to come back.
func (s *row) grace(started time.Time) {
	if s.willAt.Valid {
		s.willAt.Int64 = max(s.willAt.Int64, started.Add(RestartGrace).UnixMilli())
	}
}

// save writes what changed.
func (b *batchOf) save(ctx context.Context) error {
	for device, s := range b.rows {
		if !s.changed {
			continue
		}
		if s.gone {
			if _, err := b.tx.Exec(ctx, "DELETE FROM session WHERE device = ?", device); err != nil {
				return fmt.Errorf("forgetting the session of device %s: %w", device, err)
			}
			continue
		}
		_, err := b.tx.Exec(ctx, `
			INSERT INTO session (device, epoch, since, online, resumed, lasts_s, expires_at, filters, held, will, will_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (device) DO UPDATE SET
				epoch = excluded.epoch, since = excluded.since, online = excluded.online, resumed = excluded.resumed, lasts_s = excluded.lasts_s, expires_at = excluded.expires_at,
				filters = excluded.filters, held = excluded.held, will = excluded.will, will_at = excluded.will_at`,
			device, int64(s.epoch), int64(s.since), s.online, s.resumed, int64(s.lasts/time.Second), s.expires, orEmpty(s.filters), orEmpty(s.held), s.will, s.willAt)
		if err != nil {
			return fmt.Errorf("writing the session of device %s: %w", device, err)
		}
	}
	return nil
}

func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
