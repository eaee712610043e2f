package timeline

import (
	"context"
	"log/slog"
	"time"

	"lampworks/internal/infra/store"
)

// Bounds of what is counted in memory.
const (
	maxLines = 32       // of a device in a minute; what is beyond is counted as one more line
	maxHeld  = 32 << 20 // bytes of all devices; then all is written down at once. Beyond twice as much, nothing new is counted
	minute   = time.Minute

	tallySize = 160 // bytes of one device, beside its lines
	countSize = 96  // bytes of one line, beside its texts
)

// rest is where what is beyond maxLines is counted.
const rest = "…"

// A line is what is counted together.
type line struct {
	kind      Kind
	what, why string
}

func (l *line) size() int { return countSize + len(l.what) + len(l.why) }

type count struct {
	line
	times int64
	last  time.Time
}

// A tally is what a device did since it was last written down.
type tally struct{ counts []count }

// size is the memory that a tally takes.
func (t *tally) size() int {
	n := tallySize
	for i := range t.counts {
		n += t.counts[i].size()
	}
	return n
}

// find is the line that l is counted in, nil if there is none yet, and which that is to be.
func (t *tally) find(l line) (*count, line) {
	if c := t.at(l); c != nil || len(t.counts) < maxLines {
		return c, l
	}
	l = line{kind: l.kind, what: rest}
	return t.at(l), l
}

func (t *tally) at(l line) *count {
	for i := range t.counts {
		if c := &t.counts[i]; c.line == l {
			return c
		}
	}
	return nil
}

func (t *tally) add(l line, times int64, last time.Time) {
	c, l := t.find(l)
	if c == nil {
		t.counts = append(t.counts, count{l, times, last})
		return
	}
	c.times += times
	if c.last.Before(last) {
		c.last = last
	}
}

// tell counts what a device did.
func (s *Service) tell(device string, l line, at time.Time) {
	l.what, l.why = cut(l.what), cut(l.why)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tellLocked(device, l, 1, at)
}

// tellLocked counts, unless that is something new and there is no memory for it.
func (s *Service) tellLocked(device string, l line, times int64, at time.Time) {
	t := s.tallies[device]
	more := 0
	if t == nil {
		t = new(tally)
		more = tallySize
	}
	if c, l := t.find(l); c == nil {
		more += l.size()
	}
	if more > 0 && s.held+more > 2*maxHeld {
		s.dropped += times
		return
	}
	t.add(l, times, at)
	s.tallies[device] = t
	if s.held += more; s.held >= maxHeld {
		select {
		case s.crowded <- struct{}{}:
		default:
		}
	}
}

// Counting is what a device did since that was last written down: what the next entries will tell, as far as it is known.
func (s *Service) Counting(device string) []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tallies[device]
	if t == nil {
		return nil
	}
	out := make([]Entry, len(t.counts))
	for i := range t.counts {
		c := &t.counts[i]
		out[i] = Entry{Device: device, At: c.last.UTC(), Kind: c.kind, What: c.what, Why: c.why, Times: c.times}
	}
	return out
}

// take takes what was counted of devices, or of all if none is named.
func (s *Service) take(devices ...string) map[string]*tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(devices) == 0 {
		out := s.tallies
		s.tallies, s.held = make(map[string]*tally), 0
		return out
	}
	out := make(map[string]*tally, len(devices))
	for _, d := range devices {
		if t := s.tallies[d]; t != nil {
			out[d] = t
			delete(s.tallies, d)
			s.held -= t.size()
		}
	}
	return out
}

// giveBack counts again what could not be written down.
func (s *Service) giveBack(taken map[string]*tally) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for d, t := range taken {
		for _, c := range t.counts {
			s.tellLocked(d, c.line, c.times, c.last)
		}
	}
}

// full reports whether so much is counted that it is time to write it down.
func (s *Service) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held >= maxHeld
}

// sayDropped tells the log what was not counted.
func (s *Service) sayDropped(ctx context.Context) {
	s.mu.Lock()
	n := s.dropped
	s.dropped = 0
	s.mu.Unlock()
	if n > 0 {
		s.log.LogAttrs(ctx, slog.LevelWarn, "messages and refusals are missing from timelines: no memory was left to count them", slog.Int64("times", n))
	}
}

// flush writes down what was counted, a thousand devices at a time.
func (s *Service) flush(ctx context.Context) error {
	s.sayDropped(ctx)
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
