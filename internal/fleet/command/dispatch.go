package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
)

// Subjects of the Bus. The last token is the id of the device. A lost event costs time, never a command: the gateway asks
// for what it has not seen every two seconds and at connect.
const (
	DueSubject   = "command.due."   // a command waits; no payload
	EndedSubject = "command.ended." // a command ended; payload: its id
)

func (s *Commands) announce(cs []Command) {
	for i := range cs {
		s.bus.Publish(DueSubject+cs[i].Device, nil)
	}
}

func (s *Commands) ended(c Command) {
	s.waiting.wake(c.ID)
	s.acks.forget(c.Seq)
	s.bus.Publish(EndedSubject+c.Device, []byte(c.ID))
}

// Take marks up to limit of the commands that wait for a device as sent to its session of the given epoch and returns
// them in order. accepts, if not nil, says which the session can carry, and sets the QoS at which; that is 1 else. It is on
// disk when Take returns, so that the caller may write it to the socket, once.
func (s *Commands) Take(ctx context.Context, device string, epoch uint64, limit int, accepts func(*Command) bool) ([]Command, error) {
	if none, err := s.nothingWaits(ctx, device); none || err != nil {
		return nil, err
	}
	var out []Command
	now := time.Now()
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		out = out[:0]
		mark := s.waits.mark(device)
		waiting, err := open(ctx, tx, device, Accepted)
		if err != nil {
			return err
		}
		for _, c := range waiting {
			if len(out) == limit {
				break
			}
			c.QoS = 1
			if !c.DeadlineAt.After(now) || accepts != nil && !accepts(&c) {
				continue // the sweep ends it
			}
			_, err := tx.Exec(ctx, "UPDATE command SET state = 'sent', sent_at = ?, epoch = ?, qos = ? WHERE seq = ? AND state = 'accepted'", now.UnixMilli(), int64(epoch), c.QoS, c.Seq)
			if err != nil {
				return fmt.Errorf("marking command %s as sent: %w", c.ID, err)
			}
			c.State, c.SentAt = Sent, now.UTC()
			out = append(out, c)
		}
		if len(out) == len(waiting) && len(waiting) <= MaxWaiting {
			tx.AfterCommit(func() { s.waits.drop(device, mark) })
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("taking the commands of device %s: %w", device, err)
	}
	return out, nil
}

// Due lists the devices that a command accepted after seq waits for, and the newest seq there is; for the gateway's round
// every two seconds, which makes up for lost events.
func (s *Commands) Due(ctx context.Context, after int64) (devices []string, newest int64, err error) {
	newest = after
	err = s.store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, dueSQL, after, atOnce)
		if err != nil {
			return fmt.Errorf("reading what is due: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var device string
			if err := rows.Scan(&newest, &device); err != nil {
				return fmt.Errorf("reading what is due: %w", err)
			}
			s.waits.name(device)
			devices = append(devices, device)
		}
		if err := rows.Err(); err != nil || len(devices) == atOnce {
			return err
		}
		return newestIn(ctx, v, &newest)
	})
	return devices, newest, err
}

// Newest is the newest seq there is.
func (s *Commands) Newest(ctx context.Context) (int64, error) {
	var seq int64
	err := s.store.Read(ctx, func(v *store.View) error { return newestIn(ctx, v, &seq) })
	return seq, err
}

// Acknowledged notes that the device acknowledged the packet of command seq. It returns at once; a row is written soon,
// unless the command has ended by then.
func (s *Commands) Acknowledged(seq int64) { s.acks.add(seq, acknowledgement{at: time.Now()}) }

// Delivered notes that the message of command seq has reached its end: the device acknowledged it, or, at QoS 0, it was handed
// to the connection. Nothing answers it.
func (s *Commands) Delivered(seq int64, acknowledged bool) {
	s.acks.add(seq, acknowledgement{at: time.Now(), ends: true, unsure: !acknowledged})
}

// acknowledgements gathers the PUBACKs of some milliseconds, so that they cost one write and often none.
type acknowledgements struct {
	wake chan struct{}

	mu    sync.Mutex
	bySeq map[int64]acknowledgement
}

type acknowledgement struct {
	at     time.Time
	ends   bool // nothing else will come
	unsure bool // nobody acknowledged it: QoS 0
}

// maxAcknowledgements bounds what a slow disk lets pile up; beyond it an acknowledgement is not recorded, which the
// command does not need in order to end.
const maxAcknowledgements = 10_000

func (a *acknowledgements) add(seq int64, one acknowledgement) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.bySeq) >= maxAcknowledgements {
		return
	}
	if a.bySeq == nil {
		a.bySeq = make(map[int64]acknowledgement)
	}
	a.bySeq[seq] = one
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// forget drops what came of a command that has ended: its row says more.
func (a *acknowledgements) forget(seq int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.bySeq, seq)
}

func (a *acknowledgements) take() map[int64]acknowledgement {
	a.mu.Lock()
	defer a.mu.Unlock()
	taken := a.bySeq
	a.bySeq = nil
	return taken
}

// maxBehind is how long a reading of the Log that does not come on may keep commands from ending.
const maxBehind = 30 * time.Second

// reading is how far completion has come in the Log, for the sweep.
type reading struct {
	log  atomic.Pointer[uplink.Log] // nil while nobody completes commands here
	done atomic.Uint64              // position that is read and committed

	// Of the sweep only: everything up to tail, the end of the Log at time at, must be read before a deadline until at
	// can have passed unanswered.
	tail   uplink.Position
	at     time.Time
	passed time.Time
}

// heard is the time up to which every answer was read.
func (s *Commands) heard(ctx context.Context, now time.Time) time.Time {
	r := &s.reading
	log := r.log.Load()
	if log == nil {
		return now
	}
	switch {
	case uplink.Position(r.done.Load()) >= r.tail:
		r.passed, r.tail, r.at = r.at, (*log).Tail(), now
	case now.Sub(r.at) > maxBehind:
		s.log.LogAttrs(ctx, slog.LevelError, "completion of commands is behind; commands end unconfirmed", slog.Uint64("read", r.done.Load()), slog.Uint64("wanted", uint64(r.tail)))
		r.passed, r.tail, r.at = now, (*log).Tail(), now
	}
	return r.passed
}

const (
	acknowledgeAfter = 50 * time.Millisecond  // most answers are there by then
	sweepEvery       = 200 * time.Millisecond // how late a deadline may be noticed
)

// Run ends what passed its deadline and records acknowledgements, until ctx ends.
func (s *Commands) Run(ctx context.Context) error {
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	for {
		s.remember(ctx, time.Now())
		select {
		case <-ctx.Done():
			s.record(context.WithoutCancel(ctx))
			return nil
		case <-sweep.C:
			if err := s.sweep(ctx, time.Now()); err != nil && ctx.Err() == nil {
				s.log.LogAttrs(ctx, slog.LevelError, "ending overdue commands failed", slog.Any("error", err))
			}
		case <-s.acks.wake:
			select {
			case <-ctx.Done():
			case <-time.After(acknowledgeAfter):
			}
			s.record(context.WithoutCancel(ctx))
		}
	}
}

func (s *Commands) record(ctx context.Context) {
	s.recording.Lock()
	defer s.recording.Unlock()
	taken := s.acks.take()
	if len(taken) == 0 {
		return
	}
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		for _, seq := range slices.Sorted(maps.Keys(taken)) {
			a := taken[seq]
			if a.ends {
				if err := s.delivered(ctx, tx, seq, a); err != nil {
					return err
				}
				continue
			}
			_, err := tx.Exec(ctx, "UPDATE command SET state = 'acknowledged', acknowledged_at = ? WHERE seq = ? AND state = 'sent'", a.at.UnixMilli(), seq)
			if err != nil {
				return fmt.Errorf("acknowledging command %d: %w", seq, err)
			}
		}
		return nil
	})
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "acknowledgements were not recorded", slog.Int("count", len(taken)), slog.Any("error", err))
	}
}

// noteUnsure stands in the row of a message that went at QoS 0.
const noteUnsure = "sent at QoS 0: nobody knows whether it arrived"

// delivered ends a message.
func (s *Commands) delivered(ctx context.Context, tx *store.Tx, seq int64, a acknowledgement) error {
	cs, err := query(ctx, tx, "WHERE seq = ? AND ended_at IS NULL", seq)
	if err != nil || len(cs) == 0 {
		return err
	}
	c := cs[0]
	if a.unsure {
		c.Note = noteUnsure
	} else if _, err := tx.Exec(ctx, "UPDATE command SET acknowledged_at = ? WHERE seq = ?", a.at.UnixMilli(), seq); err != nil {
		return fmt.Errorf("acknowledging command %d: %w", seq, err)
	}
	err = end(ctx, tx, &c, Confirm, "", a.at)
	if errors.Is(err, errMoved) {
		return nil
	}
	tx.AfterCommit(func() { s.ended(c) })
	return err
}

// sweep ends what is past its deadline: expired when it never left, failed when it did and every answer that can have
// come by then was read.
func (s *Commands) sweep(ctx context.Context, now time.Time) error {
	heard := s.heard(ctx, now)
	var late []Command
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		late, err = query(ctx, v, "WHERE ended_at IS NULL AND deadline_at <= ? ORDER BY deadline_at LIMIT 1000", now.UnixMilli())
		return err
	})
	late = slices.DeleteFunc(late, func(c Command) bool { return c.State != Accepted && c.DeadlineAt.After(heard) })
	if err != nil || len(late) == 0 {
		return err
	}
	return s.store.Write(ctx, func(tx *store.Tx) error {
		for i := range late {
			c := &late[i]
			act, reason := Lose, Unconfirmed
			switch {
			case c.State == Accepted:
				act, reason = Lapse, Offline
			case c.Note == noteContradicted:
				act, reason = Contradict, Wrong
			}
			err := end(ctx, tx, c, act, reason, now)
			if errors.Is(err, errMoved) {
				continue
			}
			if err != nil {
				return err
			}
			tx.AfterCommit(func() { s.ended(*c) })
		}
		return nil
	})
}
