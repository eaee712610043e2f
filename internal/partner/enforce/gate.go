package enforce

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	gateFor  = time.Second // how long an answer of the gate is good, where nothing changed here
	maxGates = 10_000
)

// gates remembers the standings of organisations whose people are at work, so that a request costs no query. What this
// process changes counts at once, what another one changes within a second.
type gates struct {
	turn atomic.Int64 // grows with each change

	mu sync.Mutex
	of map[string]gated
}

type gated struct {
	standing Standing
	until    time.Time
	turn     int64
}

func (g *gates) forget() { g.turn.Add(1) }

func (g *gates) find(organisation string, now time.Time) (Standing, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e, ok := g.of[organisation]
	return e.standing, ok && now.Before(e.until) && e.turn == g.turn.Load()
}

// put keeps a standing that was read in a turn, until it may be another: a measure may end earlier.
func (g *gates) put(organisation string, st Standing, now time.Time, turn int64) {
	until := now.Add(gateFor)
	for _, m := range st.Measures {
		if !m.Ends.IsZero() && m.Ends.Before(until) {
			until = m.Ends
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.of == nil || len(g.of) >= maxGates {
		g.of = make(map[string]gated)
	}
	g.of[organisation] = gated{st, until, turn}
}
