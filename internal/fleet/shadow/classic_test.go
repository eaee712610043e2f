package shadow_test

import (
	"errors"
	"testing"
	"time"

	"lampworks/internal/fleet/shadow"
	"lampworks/internal/infra/store/storetest"
)

// TestAdvance: a version that is not above the shadow's moves nothing, but where a device repeats itself.
func TestAdvance(t *testing.T) {
	s := shadow.New(storetest.Open(t), nil, nil)
	for _, tt := range []struct {
		version int64
		again   bool
		now     int64
		fails   bool
	}{
		{0, false, 0, true}, {1, false, 1, false}, {1, false, 1, true}, {1, true, 1, false}, {7, false, 7, false}, {6, true, 7, true}, {-1, false, 0, false}, {3, true, 3, false},
	} {
		now, err := s.Advance(t.Context(), "d", tt.version, tt.again, false, time.Now())
		if now != tt.now || errors.Is(err, shadow.ErrVersion) != tt.fails || err != nil && !tt.fails {
			t.Errorf("to %d (again: %t): %d, %v, want %d", tt.version, tt.again, now, err, tt.now)
		}
	}
}
