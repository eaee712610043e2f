package node

import (
	"context"
	"runtime"
	"runtime/debug"
	"time"
)

const (
	quietEvery   = 2 * time.Second
	quietTraffic = 200    // messages in that time that still count as quiet
	worthIt      = 10_000 // messages, or a tenth as many sessions, after which memory is worth giving back
)

// shrinks is how many collections come before memory is given back: each halves a stack that is larger than it need be.
const shrinks = 2

// giveBack returns memory to the operating system once a wave of traffic has passed: stacks that grew with a connect or a
// message shrink, and a heap sized for the wave does not stay. It costs three collections a wave.
func (n *Node) giveBack(ctx context.Context) error {
	tick := time.NewTicker(quietEvery)
	defer tick.Stop()
	var seen, given load
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := n.load()
		moved := now.since(seen)
		seen = now
		if moved > quietTraffic || now.since(given) < worthIt {
			continue
		}
		for range shrinks {
			runtime.GC()
		}
		debug.FreeOSMemory()
		given = now
	}
}

// load is what a node has done: messages, and connects, which weigh ten messages each.
type load struct{ messages, connects, sessions int64 }

func (n *Node) load() load {
	s := &n.Gateway.Stats
	return load{s.Messages.Load(), s.Accepted.Load(), int64(n.Gateway.Sessions())}
}

func (l load) since(before load) int64 {
	gone := before.sessions - l.sessions
	if gone < 0 {
		gone = -gone
	}
	return l.messages - before.messages + 10*(l.connects-before.connects) + 10*gone
}
