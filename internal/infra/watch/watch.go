// Package watch notices that the clock of the machine was set while the program ran (时钟跳变).
//
// It owns no table. It promises that who asks it before deleting what is old learns of a jump of a minute or more since it was
// asked last, and for a day after one: somebody has the time to put the clock right before data go for ever. What the clock
// did while nothing ran it cannot know.
package watch

import (
	"sync"
	"time"
)

const (
	jump  = time.Minute    // as much between two looks that no clock is off by itself
	pause = 24 * time.Hour // after a jump, for somebody to put the clock right before data go for ever
)

// A Clock compares the clock of the machine with the time that really passed: after a jump the age of something says nothing
// for a while. The zero Clock has seen no jump. It is safe for concurrent use.
type Clock struct {
	mu     sync.Mutex // guards what is below
	begun  time.Time  // the first look
	wall   time.Time  // of the last look, by the clock
	ran    time.Duration
	jumped bool
	at     time.Duration // ran, at the last jump
}

// Look takes a reading of time.Now and says by how much the clock has jumped since the one before, 0 if it has not.
func (c *Clock) Look(now time.Time) time.Duration {
	c.mu.Lock()
	if c.begun.IsZero() {
		c.begun, c.wall = now, now.Round(0)
	}
	begun := c.begun
	c.mu.Unlock()
	return c.Read(now.Round(0), now.Sub(begun)) // the difference of two readings is by the time that passed, not by the clock
}

// Read is Look by the clock and by the time that has passed.
func (c *Clock) Read(wall time.Time, ran time.Duration) (by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if by = wall.Sub(c.wall) - (ran - c.ran); by.Abs() < jump {
		by = 0
	} else {
		c.jumped, c.at = true, ran
	}
	c.wall, c.ran = wall, ran
	return by
}

// Steady says whether the clock has not jumped for a while.
func (c *Clock) Steady() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.jumped || c.ran-c.at >= pause
}

// Trusted takes a reading and says whether what is old by the clock is old: the clock has not jumped for a while.
func (c *Clock) Trusted(now time.Time) bool {
	c.Look(now)
	return c.Steady()
}
