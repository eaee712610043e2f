package gateway

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestPace: in any stretch of time no more happens than the rate gives for it and for what may be ahead, and at an even
// rate all of it.
func TestPace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.IntRange(1, 1000).Draw(t, "rate")
		ahead := time.Duration(rapid.IntRange(1, 20).Draw(t, "ahead")) * time.Second
		var p pace
		var now time.Duration
		var taken []time.Duration
		for range rapid.IntRange(0, 2000).Draw(t, "tries") {
			now += time.Duration(rapid.IntRange(0, int(3*time.Second)/rate).Draw(t, "later"))
			if p.take(now, rate, ahead) {
				taken = append(taken, now)
			}
		}
		for i := range taken {
			most := int64(rate) * int64(taken[len(taken)-1]-taken[i]+ahead) / int64(time.Second)
			if n := int64(len(taken) - i); n > most+1 {
				t.Fatalf("%d since %s, want at most %d", n, taken[i], most)
			}
		}
		now += 100 * ahead
		for i := range 3 * rate {
			if now += time.Second / time.Duration(rate); !p.take(now, rate, ahead) {
				t.Fatalf("the one after %d at an even rate was refused", i)
			}
		}
	})
	var p pace
	for range 1_000_000 {
		if !p.take(0, -1, time.Second) {
			t.Fatal("refused where there is no bound")
		}
	}
}
