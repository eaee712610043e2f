package enforce

import (
	"sync"
	"time"
)

const (
	jump  = time.Minute    // as much between two looks that no clock is off by itself
	pause = 24 * time.Hour // after a jump, for somebody to put the clock right before data go for ever
)

// A watch notices that the clock was set while the program ran: then the time that a hold has left says nothing for a
// while. What the clock did while nothing ran it cannot know. The zero watch has seen no jump.
type watch struct {
	mu     sync.Mutex // guards what is below
	begun  time.Time  // the first look
	wall   time.Time  // of the last look, by the clock
	ran    time.Duration
	jumped bool
	at     time.Duration // ran, at the last jump
}

// look takes a reading of time.Now and says by how much the clock has jumped since the one before, 0 if it has not.
func (w *watch) look(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.begun.IsZero() {
		w.begun, w.wall = now, now.Round(0)
	}
	return w.read(now.Round(0), now.Sub(w.begun)) // the difference of two readings is by the time that passed, not by the clock
}

// read is look by the clock and by the time that has passed.
func (w *watch) read(wall time.Time, ran time.Duration) (by time.Duration) {
	if by = wall.Sub(w.wall) - (ran - w.ran); by.Abs() < jump {
		by = 0
	} else {
		w.jumped, w.at = true, ran
	}
	w.wall, w.ran = wall, ran
	return by
}

// steady says whether the clock has not jumped for a while.
func (w *watch) steady() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.jumped || w.ran-w.at >= pause
}
