package scene

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"lampworks/internal/fleet/command"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/tsl"
)

const (
	lookEvery  = 2 * time.Second
	maxWorking = 64 // things carried on at a time, those that only wait for devices beside them
	maxOfHome  = 8  // of one home
	maxWaiting = 1000
	sweepEvery = time.Hour
)

// Run carries out what is due until ctx ends. When it returns nothing of it still runs.
func (s *Service) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	var swept time.Time
	for {
		wait, err := s.look(ctx, &wg)
		if err == nil {
			var rest time.Duration
			rest, err = s.lookTimers(ctx, &wg)
			wait = min(wait, rest)
		}
		if err == nil {
			var rest time.Duration
			rest, err = s.lookAutomations(ctx, &wg)
			wait = min(wait, rest)
		}
		if now := time.Now(); err == nil && now.Sub(swept).Abs() >= sweepEvery {
			swept, err = now, s.sweep(ctx, now)
		}
		if err != nil && ctx.Err() == nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "what is due in homes is late", slog.Any("error", err))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-s.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// look carries on the runs that are due, and says how long nothing else is.
func (s *Service) look(ctx context.Context, wg *sync.WaitGroup) (time.Duration, error) {
	var ids, homes []string
	var at []time.Time
	err := s.c.Store.Read(ctx, func(v *store.View) (err error) {
		ids, homes, at, err = due(ctx, v, s.window())
		return err
	})
	if err != nil {
		return s.c.Every, err
	}
	wait, now := s.c.Every, time.Now()
	for i, id := range ids {
		if left := at[i].Sub(now); left > 0 {
			wait = min(wait, left)
			break
		}
		if !s.take(id, homes[i]) {
			continue
		}
		wg.Go(func() {
			defer s.release(id)
			if err := s.carryOn(ctx, id); err != nil && ctx.Err() == nil {
				s.log.LogAttrs(ctx, slog.LevelWarn, "run held up", slog.String("run", id), slog.Any("error", err))
			}
		})
	}
	return wait, nil
}

// work is what is carried on now, and how much of it waits for devices only.
type work struct {
	homes   map[string]string // what is carried on, and of which home it is
	busy    map[string]int    // by home, what does not only wait
	busyAll int
	waiting map[string]bool // what only waits
}

// window is how many of what is due are looked at: behind those that are carried on already, and those of a home that has its share.
func (s *Service) window() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.work.homes) + 8*maxWorking
}

// take lets something of a home be carried on, once, if there is room and others have theirs.
func (s *Service) take(id, homeID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &s.work
	if _, is := w.homes[id]; is || w.busyAll >= maxWorking || w.busy[homeID] >= maxOfHome {
		return false
	}
	w.homes[id] = homeID
	w.busy[homeID]++
	w.busyAll++
	return true
}

// rest tells that what is carried on only waits from here on, and makes room for something else.
func (s *Service) rest(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.work.waiting) >= maxWaiting {
		return // it keeps its place
	}
	s.work.waiting[id] = true
	s.leaveBusy(s.work.homes[id])
}

// leaveBusy gives a place back; whoever was refused it is looked at again.
func (s *Service) leaveBusy(homeID string) {
	w := &s.work
	full := w.busyAll == maxWorking || w.busy[homeID] == maxOfHome
	w.busyAll--
	if w.busy[homeID]--; w.busy[homeID] == 0 {
		delete(w.busy, homeID)
	}
	if full {
		s.nudge()
	}
}

func (s *Service) release(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if homeID := s.work.homes[id]; !s.work.waiting[id] {
		s.leaveBusy(homeID)
	}
	delete(s.work.waiting, id)
	delete(s.work.homes, id)
}

// carryOn goes through the steps of a run that are due, and ends it behind the last.
func (s *Service) carryOn(ctx context.Context, id string) error {
	for ctx.Err() == nil {
		r, err := s.runByID(ctx, id)
		if fault.Is(err, fault.Missing) {
			return nil // its home or a device of it was deleted
		}
		if err != nil {
			return err
		}
		now := time.Now()
		switch {
		case r.Ended() || r.DueAt.After(now):
			return nil
		case r.Position >= len(r.Steps):
			return s.settle(ctx, &r)
		case now.Sub(r.DueAt) > MaxLate:
			err = s.tooLate(ctx, &r)
		case r.Steps[r.Position].Kind == Wait:
			err = s.pause(ctx, &r, now)
		case r.Steps[r.Position].Kind == Announce:
			err = s.say(ctx, &r)
		default:
			to := r.Position + 1
			for to < len(r.Steps) && r.Steps[to].Kind != Wait && r.Steps[to].Kind != Announce {
				to++
			}
			err = s.send(ctx, &r, to)
		}
		if errors.Is(err, errTaken) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// step writes that a run has come to a position.
func (s *Service) step(ctx context.Context, r *Run, to int) error {
	from := r.Position
	r.Position = to
	return s.c.Store.Write(ctx, func(tx *store.Tx) error { return r.move(ctx, tx, from) })
}

func (s *Service) pause(ctx context.Context, r *Run, now time.Time) error {
	st := &r.Steps[r.Position]
	st.Outcome = Waited
	r.DueAt = now.Add(time.Duration(st.Seconds) * time.Second)
	if err := s.step(ctx, r, r.Position+1); err != nil {
		return err
	}
	s.nudge() // somebody must look at the new time
	return nil
}

// tooLate skips what is left of a run: nobody wants the light of an hour ago.
func (s *Service) tooLate(ctx context.Context, r *Run) error {
	for i := r.Position; i < len(r.Steps); i++ {
		if r.Steps[i].Outcome == "" {
			r.Steps[i].Outcome, r.Steps[i].Reason = Skipped, string(Late)
		}
	}
	return s.step(ctx, r, len(r.Steps))
}

// settleTime is how much longer than its commands may take a run is waited for.
const settleTime = command.DefaultDeadline + 5*time.Second

// settle waits until every command of a run has ended, and ends it.
func (s *Service) settle(ctx context.Context, r *Run) error {
	s.rest(r.ID)
	waiting, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	if err := s.judge(waiting, r); err != nil && (ctx.Err() != nil || waiting.Err() == nil) {
		return err // nobody knows what came of it: it is looked at again
	}
	r.State, r.DueAt = r.end(), time.Now()
	err := s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if err := r.move(ctx, tx, r.Position); err != nil {
			return err
		}
		return trim(ctx, tx, r.Home, r.DueAt)
	})
	s.mu.Lock()
	for _, c := range s.ends[r.ID] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
	s.mu.Unlock()
	if errors.Is(err, errTaken) {
		return nil
	}
	return err
}

// end is the state that the outcomes of the steps come to.
func (r *Run) end() State {
	good, bad, late := 0, 0, 0
	for i := range r.Steps {
		switch st := &r.Steps[i]; {
		case st.Outcome == Confirmed:
			good++
		case st.Outcome == Waited:
		case st.Reason == string(Late):
			late++
		default:
			bad++
		}
	}
	switch {
	case late > 0:
		return Late
	case bad == 0:
		return Done
	case good > 0:
		return Partly
	}
	return Failed
}

// sweep forgets runs that ended long ago.
func (s *Service) sweep(ctx context.Context, now time.Time) error {
	var homes []string
	err := s.c.Store.Read(ctx, func(v *store.View) error {
		for _, state := range []State{Done, Partly, Failed, Late} {
			rows, err := v.Query(ctx, "SELECT home FROM scene_run WHERE state = ? AND due_at < ? LIMIT 1000", state, now.Add(-KeepRuns).UnixMilli())
			if err != nil {
				return err
			}
			for rows.Next() {
				var id string
				if err := rows.Scan(&id); err != nil {
					return errors.Join(err, rows.Close())
				}
				homes = append(homes, id)
			}
			if err := errors.Join(rows.Err(), rows.Close()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.c.Store.Write(ctx, func(tx *store.Tx) error { return ageLabels(ctx, tx, now) }); err != nil {
		return err
	}
	done := make(map[string]bool)
	for _, id := range homes {
		if done[id] {
			continue
		}
		done[id] = true
		if err := s.c.Store.Write(ctx, func(tx *store.Tx) error { return trim(ctx, tx, id, now) }); err != nil {
			return err
		}
	}
	return nil
}

// refusal says whether an error is about the command rather than the program.
func refusal(err error) bool {
	if _, is := errors.AsType[*tsl.Violation](err); is {
		return true
	}
	f := fault.Of(err)
	return f != nil && !fault.Passes(f)
}
