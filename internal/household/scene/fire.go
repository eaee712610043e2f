package scene

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
)

// RangSubject is the Bus subject, completed by the home's id, of a timer that was due; the payload is a [Rang] as JSON. It may be
// lost: the timer's row has it.
const RangSubject = "scene.rang."

// A Rang tells that a timer was due.
type Rang struct {
	Timer string     `json:"timer"`
	Label string     `json:"label"`
	State TimerState `json:"state"` // fired or missed
	DueAt time.Time  `json:"due_at"`
	Run   string     `json:"run,omitempty"` // what it does, if it does anything
}

// lookTimers fires the timers that are due, and says how long no other is.
func (s *Service) lookTimers(ctx context.Context, wg *sync.WaitGroup) (time.Duration, error) {
	var soon []Timer
	err := s.c.Store.Read(ctx, func(v *store.View) (err error) {
		soon, err = queryTimers(ctx, v, "WHERE state = ? ORDER BY due_at, id LIMIT ?", Pending, s.window())
		return err
	})
	if err != nil {
		return s.c.Every, err
	}
	now := time.Now()
	for i := range soon {
		t := soon[i]
		if left := t.DueAt.Sub(now); left > 0 {
			return min(s.c.Every, left), nil
		}
		key := OfTimer + " " + t.ID
		if !s.take(key, t.Home) {
			continue
		}
		wg.Go(func() {
			defer s.release(key)
			if err := s.fire(ctx, t, now); err != nil && !errors.Is(err, errTaken) && ctx.Err() == nil {
				s.log.LogAttrs(ctx, slog.LevelWarn, "timer held up", slog.String("timer", t.ID), slog.Any("error", err))
			}
		})
	}
	return s.c.Every, nil
}

// fire moves a timer that is due on and begins what it does, in one transaction: who is killed in between has done neither, and of
// two nodes one does both.
func (s *Service) fire(ctx context.Context, t Timer, now time.Time) error {
	me := access.Clock("timer", t.Organisation)
	late := now.Sub(t.DueAt) > MaxLate
	was, from := t.DueAt, t.Occurrence
	rang := Rang{Timer: t.ID, Label: t.Label, State: Fired, DueAt: was}
	if late {
		rang.State = Missed
	}
	act := Fire
	switch {
	case len(t.Days) > 0:
		act = Repeat
	case late:
		act = Miss
	}
	var err error
	if t.State, err = timerMoves.Next(t.State, act, me); err != nil {
		return err
	}
	t.LastAt, t.Last, t.Occurrence = was, rang.State, from+1
	return s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if act == Repeat {
			if err := s.again(ctx, tx, &t, now); err != nil {
				return err
			}
		} else {
			t.EndedAt = now.UTC().Truncate(time.Millisecond)
		}
		if err := moveTimer(ctx, tx, &t, from); err != nil {
			return err
		}
		if rang.Run, err = s.runTimer(ctx, tx, me, &t, late); err != nil {
			return err
		}
		if err := trimTimers(ctx, tx, t.Home); err != nil {
			return err
		}
		tx.AfterCommit(func() { s.tell(t.Home, rang) })
		return nil
	})
}

// again finds when a timer that repeats is due next.
func (s *Service) again(ctx context.Context, tx *store.Tx, t *Timer, now time.Time) error {
	zone, err := s.zoneOf(ctx, tx, t.Home)
	if err != nil {
		return err
	}
	after := now
	if t.DueAt.After(now) {
		after = t.DueAt
	}
	t.DueAt, t.Shift, err = t.due(after, zone)
	return err
}

// zoneOf is the time zone of a home.
func (s *Service) zoneOf(ctx context.Context, q store.Querier, homeID string) (*time.Location, error) {
	var h home.Home
	if err := q.QueryRow(ctx, "SELECT time_zone FROM home WHERE id = ?", homeID).Scan(&h.Place.TimeZone); err != nil {
		return nil, fmt.Errorf("reading the time zone of home %s: %w", homeID, err)
	}
	return s.c.Homes.Zone(&h), nil
}

// runTimer begins what a timer does. What is too late is told as a run that did nothing.
func (s *Service) runTimer(ctx context.Context, tx *store.Tx, me access.Actor, t *Timer, late bool) (string, error) {
	if len(t.Actions) == 0 {
		return "", nil
	}
	scenes, err := scenesOf(ctx, tx, t.Home)
	if err != nil {
		return "", err
	}
	r := s.newRun(me, t.Home, OfTimer, t.ID, "clock")
	r.Steps = expand(t.Actions, scenes, "", -1, nil)
	if t.Label != "" {
		r.Label = home.Names{home.Chinese: t.Label}
	}
	if late {
		for i := range r.Steps {
			r.Steps[i].Outcome, r.Steps[i].Reason = Skipped, string(Late)
		}
		r.State, r.Position = Late, len(r.Steps)
		r.actor = access.Actor{}
	}
	return r.ID, s.begin(ctx, tx, &r)
}

// tell tells who watches a home that a timer was due.
func (s *Service) tell(homeID string, rang Rang) {
	if s.c.Bus == nil {
		return
	}
	if b, err := json.Marshal(rang); err == nil {
		s.c.Bus.Publish(RangSubject+homeID, b)
	}
}

// rezone finds when the timers of a home are due that lies elsewhere now.
func (s *Service) rezone(ctx context.Context, tx *store.Tx, homeID string) error {
	zone, err := s.zoneOf(ctx, tx, homeID)
	if err != nil {
		return err
	}
	all, err := queryTimers(ctx, tx, "WHERE home = ? AND state = ? AND at <> '' ORDER BY id LIMIT ?", homeID, Pending, MaxTimers)
	if err != nil {
		return err
	}
	now := time.Now()
	for i := range all {
		t := &all[i]
		due, shift, err := t.due(now, zone)
		if err != nil {
			due, shift = now, "" // its day is over there: it is due, and its time is told
		}
		if due.Equal(t.DueAt) && shift == t.Shift {
			continue
		}
		from := t.Occurrence
		t.DueAt, t.Shift, t.Occurrence, t.Version = due, shift, from+1, t.Version+1
		if err := moveTimer(ctx, tx, t, from); err != nil {
			return err
		}
	}
	tx.AfterCommit(s.nudge)
	return s.retime(ctx, tx, homeID)
}
