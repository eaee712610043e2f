package home_test

import (
	"testing"
	"time"

	"lampworks/internal/household/home"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

// TestResetLeavesHome: a device that was reset after it was placed leaves its home, once; an older reset that is read late
// takes nobody out of the home that came after it.
func TestResetLeavesHome(t *testing.T) {
	s := storetest.Open(t)
	homes := home.New(s)
	who := owner("o")
	device := issued(t, s, "o", "p", 1)[0]
	h, err := homes.Create(t.Context(), who, home.Names{"en": "Home"})
	if err != nil {
		t.Fatal(err)
	}
	placed, err := homes.Bind(t.Context(), who, h.ID, "", device, zh("灯"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		at   time.Duration
		left int
		acts int
	}{{-time.Second, 1, 2}, {time.Second, 0, 3}, {time.Minute, 0, 3}} {
		err := s.Write(t.Context(), func(tx *store.Tx) error { return homes.Leave(t.Context(), tx, device, placed.BoundAt.Add(tt.at)) })
		if err != nil {
			t.Fatal(err)
		}
		now, err := homes.Load(t.Context(), who, h.ID)
		if err != nil || len(now.Devices) != tt.left {
			t.Errorf("%s after it was placed: %d devices in the home, %v, want %d", tt.at, len(now.Devices), err, tt.left)
		}
		if acts := audited(t, s); len(acts) != tt.acts {
			t.Errorf("%s after it was placed: the audit has %q", tt.at, acts)
		}
		if changed := now.Version != h.Version+1; changed != (tt.left == 0) {
			t.Errorf("%s after it was placed: the home has version %d", tt.at, now.Version)
		}
	}
}
