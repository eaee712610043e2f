package gateway

import (
	"context"
	"sync"
	"time"
)

// Acting on what a device sends needs a deep stack, which a goroutine keeps: twice what waiting for the next bytes needs. So the
// goroutine of a connection only waits, and has hands act that many connections share. One that sends much acts itself, as the
// way to a hand and back costs more than its stack is worth.
const (
	handRests  = 300 * time.Millisecond // a hand that had nothing to do for so long goes
	busyStreak = 8                      // reads within a second, after which a connection acts itself
)

// A task is bytes to act on. What is made of them is in done.
type task struct {
	c    *conn
	ctx  context.Context //nolint:containedctx // of the connection that waits for done
	b    []byte
	done chan error
}

var tasks = sync.Pool{New: func() any { return &task{done: make(chan error, 1)} }}

// receiveByHand is receive on the stack of a hand.
func (c *conn) receiveByHand(ctx context.Context, b []byte) error {
	t := tasks.Get().(*task)
	t.c, t.ctx, t.b = c, ctx, b
	select {
	case c.g.tasks <- t:
	default: // none rests
		c.g.conns.Go(func() { c.g.hand(t) })
	}
	err := <-t.done
	*t = task{done: t.done}
	tasks.Put(t)
	return err
}

// hand acts on one task after another, and goes when there was none for a while.
func (g *Gateway) hand(t *task) {
	rest := time.NewTimer(handRests)
	defer rest.Stop()
	for {
		t.done <- t.c.receive(t.ctx, t.b)
		rest.Reset(handRests)
		select {
		case t = <-g.tasks:
		case <-rest.C:
			return
		}
	}
}

// busy reports whether the connection has read so much lately that it acts itself.
func (c *conn) busy() bool {
	switch now := c.g.wheel.tick(time.Now()); {
	case now != c.active.Load():
		c.streak = 0
	case c.streak < busyStreak:
		c.streak++
	}
	return c.streak >= busyStreak
}
