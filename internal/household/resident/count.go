package resident

import (
	"sync"
	"time"
)

// A bound is how often something may happen in a window that begins with the first.
type bound struct {
	most   int
	window time.Duration
}

// Who guesses at codes, or asks for them. Strangers are all who never signed in as the holder from where they are.
var (
	asksOfPlace      = bound{30, 10 * time.Minute}
	triesOfPlace     = bound{100, 10 * time.Minute}
	triesOfBoth      = bound{5, 15 * time.Minute} // of one address, for one contact
	triesOfStrangers = bound{50, 24 * time.Hour}  // for one contact
)

const countsKept = 16384 // about 2 MB; what is over goes first, then any

type key [2]string

type counted struct {
	key   key
	bound bound
}

type count struct {
	n     int
	until time.Time
}

// counts holds in memory how often something happened, bounded; a restart forgets it, and ends the codes that it is about.
type counts struct {
	mu sync.Mutex // guards of
	of map[key]count
}

// take counts one. A wait other than zero refuses it, and nothing was counted.
func (c *counts) take(k key, b bound, now time.Time) (wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, ok := c.of[k]
	if left := n.until.Sub(now); !ok || left <= 0 || left > b.window { // over, or of a clock that ran ahead
		n = count{until: now.Add(b.window)}
		c.makeRoom(now)
	}
	if n.n >= b.most {
		return (n.until.Sub(now) + time.Second - 1).Truncate(time.Second)
	}
	n.n++
	if c.of == nil {
		c.of = make(map[key]count)
	}
	c.of[k] = n
	return 0
}

// giveBack forgets what was taken last: it did not fail.
func (c *counts) giveBack(taken []counted) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range taken {
		if n, ok := c.of[t.key]; ok && n.n > 0 {
			n.n--
			c.of[t.key] = n
		}
	}
}

func (c *counts) makeRoom(now time.Time) {
	if len(c.of) < countsKept {
		return
	}
	for k, n := range c.of {
		if !n.until.After(now) {
			delete(c.of, k)
		}
	}
	for k := range c.of {
		if len(c.of) < countsKept {
			return
		}
		delete(c.of, k)
	}
}
