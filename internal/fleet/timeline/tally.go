package timeline

import (
	"context"
	"time"

	"lampworks/internal/infra/store"
)

// Bounds of what is counted in memory.
const (
	maxLines   = 32     // of a device in a minute; what is beyond is counted as one more line
	maxTallied = 50_000 // devices; beyond, all is written down at once
	minute     = time.Minute
)

// rest is where what is beyond maxLines is counted.
const rest = "…"

// A line is what is counted together.
type line struct {
	kind      Kind
	what, why string
}

type count struct {
	line
	times int64
	last  time.Time
}

// A tally is what a device did since it was last written down.
type tally []count

func (t *tally) add(l line, times int64, last time.Time) {
	for i := range *t {
		if c := &(*t)[i]; c.line == l {
			c.times += times
			if c.last.Before(last) {
				c.last = last
			}
			return
		}
	}
	if len(*t) >= maxLines && l.what != rest {
		t.add(line{kind: l.kind, what: rest}, times, last)
		return
	}
	*t = append(*t, count{l, times, last})
}

// tell counts what a device did.
func (s *Service) tell(device string, l line, at time.Time) {
	l.what, l.why = cut(l.what), cut(l.why)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tellLocked(device, l, 1, at)
}

func (s *Service) tellLocked(device string, l line, times int64, at time.Time) {
	t := s.tallies[device]
	if t == nil {
		t = new(tally)
		s.tallies[device] = t
	}
	t.add(l, times, at)
}

// take takes what was counted of devices, or of all if none is named.
func (s *Service) take(devices ...string) map[string]*tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(devices) == 0 {
		out := s.tallies
		s.tallies = make(map[string]*tally)
		return out
	}
	out := make(map[string]*tally, len(devices))
	for _, d := range devices {
		if t := s.tallies[d]; t != nil {
			out[d] = t
			delete(s.tallies, d)
		}
	}
	return out
}

// giveBack counts again what could not be written down.
func (s *Service) giveBack(taken map[string]*tally) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for d, t := range taken {
		for _, c := range *t {
			s.tellLocked(d, c.line, c.times, c.last)
		}
	}
}

// full reports whether so many devices are counted that it is time to write them down.
func (s *Service) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.tallies) >= maxTallied
}

// flush writes down what was counted, a thousand devices at a time.
func (s *Service) flush(ctx context.Context) error {
	taken := s.take()
	for len(taken) > 0 {
		some := make(map[string]*tally)
		for d, t := range taken {
			if some[d] = t; len(some) == 1000 {
				break
			}
		}
		w := newWriting()
		err := s.store.Write(ctx, func(tx *store.Tx) error {
			w.reset()
			for d, t := range some {
				if err := w.tally(ctx, tx, d, t); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			s.giveBack(taken)
			return err
		}
		s.written(ctx, w)
		for d := range some {
			delete(taken, d)
		}
	}
	return nil
}
