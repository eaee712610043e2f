package gateway

import (
	"testing"
	"time"
)

// TestFights: takeovers now and then are nothing; many within a minute let who is there stay, longer each time, until there is
// peace. A host that throws itself out waits for nothing.
func TestFights(t *testing.T) {
	var f fights
	now := time.Now()
	for i, tt := range []struct {
		after time.Duration
		from  string
		on    bool
		wait  time.Duration
	}{
		{0, "a", false, 0},
		{time.Second, "a", false, 0},
		{time.Second, "a", false, 0},
		{2 * time.Minute, "a", false, 0}, // it begins anew
		{25 * time.Second, "a", false, 0},
		{25 * time.Second, "a", false, 0},
		{25 * time.Second, "a", false, 0}, // the first of four was more than a minute ago
		{25 * time.Second, "a", false, 0},
		{15 * time.Second, "a", false, 0},
		{time.Second, "a", true, 5 * time.Second},
		{time.Second, "b", false, 4 * time.Second}, // the same host
		{5 * time.Second, "a", true, 10 * time.Second},
		{11 * time.Second, "a", true, 20 * time.Second},
		{21 * time.Second, "a", true, 40 * time.Second},
		{41 * time.Second, "a", true, 80 * time.Second},
		{81 * time.Second, "a", true, 160 * time.Second},
		{161 * time.Second, "a", true, 300 * time.Second},
		{301 * time.Second, "a", true, 300 * time.Second},
		{601 * time.Second, "a", false, 0}, // peace
		{2 * time.Minute, "b", false, 0},
		{time.Second, "b", false, 0},
		{time.Second, "b", false, 0},
		{time.Second, "b", true, 0}, // told of, no more
		{time.Second, "b", false, 0},
	} {
		now = now.Add(tt.after)
		if _, on := f.takeover("d", tt.from, "b", now, 4); on != tt.on || f.wait("d", now) != tt.wait || f.wait("e", now) != 0 {
			t.Errorf("%d: a fight %v, wait %s; want %v, %s", i, on, f.wait("d", now), tt.on, tt.wait)
		}
	}
	f.forget(now.Add(time.Hour))
	if len(f.of) != 0 {
		t.Errorf("%d fights are remembered", len(f.of))
	}
}
