package watch

import (
	"testing"
	"time"
)

// TestClock sets the clock while the program runs.
func TestClock(t *testing.T) {
	const year = 365 * 24 * time.Hour
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	w := Clock{begun: begin, wall: begin}
	clock, ran := begin, time.Duration(0)
	for _, tt := range []struct {
		name   string
		passes time.Duration
		set    time.Duration
		by     time.Duration
		steady bool
	}{
		{"a second passes", time.Second, 0, 0, true},
		{"it is corrected by a little", time.Second, -time.Second, 0, true},
		{"it is set a year ahead", time.Second, year, year, false},
		{"an hour passes", time.Hour, 0, 0, false},
		{"it is put right", time.Second, -year, -year, false},
		{"almost a day passes", pause - time.Second, 0, 0, false},
		{"a day has passed", time.Second, 0, 0, true},
		{"it is set a day back", time.Second, -24 * time.Hour, -24 * time.Hour, false},
		{"a week passes without a look", 7 * 24 * time.Hour, 0, 0, true},
	} {
		ran += tt.passes
		clock = clock.Add(tt.passes + tt.set)
		if got := w.Read(clock, ran); got != tt.by {
			t.Errorf("%s: it jumped by %s, want %s", tt.name, got, tt.by)
		}
		if got := w.Steady(); got != tt.steady {
			t.Errorf("%s: steady %t, want %t", tt.name, got, tt.steady)
		}
	}
}
