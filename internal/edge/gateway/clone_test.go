package gateway

import (
	"testing"
	"time"
)

// TestFights: takeovers now and then are nothing; many in a row let who is there stay, longer each time, until there is peace.
func TestFights(t *testing.T) {
	var f fights
	now := time.Now()
	for i, tt := range []struct {
		after time.Duration
		on    bool
		wait  time.Duration
	}{
		{0, false, 0},
		{time.Second, false, 0},
		{time.Second, false, 0},
		{2 * time.Minute, false, 0}, // it begins anew
		{time.Second, false, 0},
		{time.Second, false, 0},
		{time.Second, true, 5 * time.Second},
		{6 * time.Second, true, 10 * time.Second},
		{11 * time.Second, true, 20 * time.Second},
		{21 * time.Second, true, 40 * time.Second},
		{41 * time.Second, true, 80 * time.Second},
		{81 * time.Second, true, 160 * time.Second},
		{161 * time.Second, true, 300 * time.Second},
		{301 * time.Second, true, 300 * time.Second},
		{601 * time.Second, false, 0}, // peace
	} {
		now = now.Add(tt.after)
		if wait := f.wait("d", now); wait != 0 {
			t.Errorf("%d: a newcomer has to wait %s before", i, wait)
		}
		if _, on := f.takeover("d", "a", "b", now, 4); on != tt.on || f.wait("d", now) != tt.wait || f.wait("e", now) != 0 {
			t.Errorf("%d: a fight %v, wait %s; want %v, %s", i, on, f.wait("d", now), tt.on, tt.wait)
		}
	}
	f.forget(now.Add(time.Hour))
	if len(f.of) != 0 {
		t.Errorf("%d fights are remembered", len(f.of))
	}
}
