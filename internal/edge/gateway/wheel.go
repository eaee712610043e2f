package gateway

import (
	"sync"
	"time"

	"lampworks/mqtt"
)

const (
	wheelTick  = time.Second
	wheelSlots = 1024 // ticks; a longer wait goes round again

	maxKeepAlive = 20 * 60 // seconds that a device may be silent which can be told so: MQTT 5, server keep alive
)

// wheel watches all connections with one timer. A connection stands in the slot of the earliest second in which it can
// be overdue; when that comes it is closed, or put where its last activity moved it to. Activity itself costs a store.
type wheel struct {
	base  time.Time // ticks count from here, on the clock that nobody sets
	mu    sync.Mutex
	now   int64 // tick that was last looked at
	slots [wheelSlots]*conn
}

func newWheel() *wheel { return &wheel{base: time.Now(), now: 1} }

// tick is that of t, a time as time.Now gives it; never 0.
func (w *wheel) tick(t time.Time) int64 { return int64(t.Sub(w.base)/wheelTick) + 1 }

// put enters c, to be looked at in the tick after its deadline.
func (w *wheel) put(c *conn, due int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.link(c, due)
}

func (w *wheel) link(c *conn, due int64) {
	due = min(max(due, w.now+1), w.now+wheelSlots-1)
	slot := &w.slots[due%wheelSlots]
	c.slot = int16(due % wheelSlots)
	c.prev, c.next = nil, *slot
	if c.next != nil {
		c.next.prev = c
	}
	*slot = c
}

func (w *wheel) unlink(c *conn) {
	switch {
	case c.prev != nil:
		c.prev.next = c.next
	case w.slots[c.slot] == c:
		w.slots[c.slot] = c.next
	default:
		return // is not in the wheel
	}
	if c.next != nil {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
}

func (w *wheel) remove(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unlink(c)
}

// advance closes what is overdue at now.
func (w *wheel) advance(now time.Time) {
	var overdue []*conn
	w.mu.Lock()
	for tick := w.tick(now); w.now < tick; {
		w.now++
		c := w.slots[w.now%wheelSlots]
		w.slots[w.now%wheelSlots] = nil
		for c != nil {
			next := c.next
			c.prev, c.next = nil, nil
			if due := c.due(); due <= w.now {
				overdue = append(overdue, c)
			} else {
				w.link(c, due)
			}
			c = next
		}
	}
	w.mu.Unlock()
	for _, c := range overdue {
		c.dismiss(mqtt.KeepAliveTimeout, c.overdueReason())
	}
}

func (w *wheel) all() []*conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []*conn
	for _, c := range w.slots {
		for ; c != nil; c = c.next {
			out = append(out, c)
		}
	}
	return out
}
