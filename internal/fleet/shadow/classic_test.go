package shadow_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"lampworks/internal/fleet/shadow"
	"lampworks/internal/infra/store"
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

// TestAdvanceAgain has a device repeat that it has done all that is desired: what is desired since then stays.
func TestAdvanceAgain(t *testing.T) {
	opened := storetest.Open(t)
	s, ctx := shadow.New(opened, nil, nil), t.Context()
	desires := func(value string) {
		t.Helper()
		err := opened.Write(ctx, func(tx *store.Tx) error {
			return s.SetDesired(ctx, tx, "d", []shadow.Setting{{Property: "brightness", Value: json.RawMessage(value)}}, time.Now())
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, tt := range []struct {
		version int64
		again   bool
		left    int
	}{{1, false, 0}, {1, true, 1}, {2, true, 0}, {-1, false, 0}} {
		desires("5")
		if _, err := s.Advance(ctx, "d", tt.version, tt.again, true, time.Now()); err != nil {
			t.Fatal(err)
		}
		if _, st, err := s.Classic(ctx, "d"); err != nil || len(st.Desired) != tt.left {
			t.Errorf("step %d leaves %d desired, %v, want %d", i, len(st.Desired), err, tt.left)
		}
	}
}
