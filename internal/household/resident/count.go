package resident

import (
	"hash/maphash"
	"sync"
	"time"
)

// A bound is how often something may happen in a window that begins with the first.
type bound struct {
	most   uint32
	window time.Duration
}

// Who guesses at codes, or asks for them. Strangers are all who never signed in as the holder from where they are.
var (
	asksOfPlace      = &bound{30, 10 * time.Minute}
	triesOfPlace     = &bound{100, 10 * time.Minute}
	triesOfBoth      = &bound{5, 15 * time.Minute} // of one address, for one contact
	triesOfStrangers = &bound{50, 24 * time.Hour}  // for one contact
)

// Cells are shared: what two keys have in common counts for both. A key is refused when its cells in both rows are full, and who
// does not know the seed can aim at none: that one in four is refused takes a bound's number of failures in half of all cells.
const (
	countRows = 2
	countLine = 1 << 16 // cells of a row; with four bounds 4 MB, if all are in use
)

type key [2]string

// A counted is what is to count for a bound.
type counted struct {
	key   key
	bound *bound
}

// A taken is what counted, and for which windows.
type taken struct {
	counted
	until [countRows]uint32
}

// A cell counts until its window is over. Its zero value is one whose window is.
type cell struct {
	n     uint32
	until uint32 // Unix seconds
}

// counts holds in memory how often something happened; a restart forgets it, and ends the codes that it is about. It takes the
// same room however many there are, and never makes room for one by forgetting another: what is counted may be too much, by what
// shares its cells, and is never too little.
type counts struct {
	mu   sync.Mutex // guards of
	seed maphash.Seed
	of   map[*bound]*[countRows][]cell
}

func newCounts() counts {
	return counts{seed: maphash.MakeSeed(), of: make(map[*bound]*[countRows][]cell)}
}

// take counts one. A wait other than zero refuses it, and nothing was counted.
func (c *counts) take(what counted, now time.Time) (t taken, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := what.bound
	cells := c.cells(what)
	for _, at := range cells {
		if left := time.Unix(int64(at.until), 0).Sub(now); left <= 0 || left > b.window { // over, or of a clock that ran ahead
			*at = cell{until: uint32(now.Add(b.window).Unix())} //nolint:gosec // until 2106
		}
	}
	wait = b.window
	for _, at := range cells {
		if at.n < b.most {
			wait = 0
		}
		wait = min(wait, time.Unix(int64(at.until), 0).Sub(now))
	}
	if wait > 0 {
		return t, (wait + time.Second - 1).Truncate(time.Second)
	}
	t.counted = what
	for i, at := range cells {
		at.n++
		t.until[i] = at.until
	}
	return t, 0
}

// giveBack forgets what was taken last: it did not fail.
func (c *counts) giveBack(all []taken) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range all {
		for i, at := range c.cells(t.counted) {
			if at.until == t.until[i] && at.n > 0 { // of the next window nothing was taken
				at.n--
			}
		}
	}
}

// cells are where a key counts for a bound: one in each row.
func (c *counts) cells(what counted) (cells [countRows]*cell) {
	rows := c.of[what.bound]
	if rows == nil {
		rows = new([countRows][]cell)
		for i := range rows {
			rows[i] = make([]cell, countLine)
		}
		c.of[what.bound] = rows
	}
	h := maphash.Comparable(c.seed, what.key)
	for i := range cells {
		cells[i] = &rows[i][h%countLine]
		h >>= 32
	}
	return cells
}
