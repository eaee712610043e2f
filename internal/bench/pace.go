package bench

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

const (
	paceEvery = 10 * time.Millisecond
	paceFor   = 3 * time.Second
	paceWork  = 20_000 // steps, some tens of microseconds
)

// pace tells how steady the machine itself is, while nothing else runs: a fixed piece of work, again and again. On a virtual
// machine the same work takes many times as long in some moments, and no program's p99 is better than they allow.
func pace(ctx context.Context, name string) Figure {
	var took []time.Duration
	sum := uint64(1)
	tick := time.NewTicker(paceEvery)
	defer tick.Stop()
	for end := time.Now().Add(paceFor); time.Now().Before(end) && ctx.Err() == nil; {
		<-tick.C
		began := time.Now()
		for range paceWork {
			sum = sum*6364136223846793005 + 1442695040888963407 // Knuth's MMIX: each step waits for the one before
		}
		took = append(took, time.Since(began))
	}
	runtime.KeepAlive(sum) // so that it is reckoned
	p50, p99 := spread(took)
	return Figure{
		Name: name, Value: p99 / max(p50, 0.001), Unit: "ratio", P50: p50, P99: p99, N: len(took),
		Note: fmt.Sprintf("p99 to p50 of a fixed piece of work (µs), every %s for %s before: the machine's own part in a p99", paceEvery, paceFor),
	}
}
