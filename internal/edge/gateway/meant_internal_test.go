package gateway

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"unique"

	"lampworks/internal/fleet/device"
)

// TestMeant looks for the sessions that changes concern: those of a device, those of an order, and no others.
func TestMeant(t *testing.T) {
	g := New(Config{Logger: slog.New(slog.DiscardHandler)})
	for i := range 6 {
		c := &conn{device: fmt.Sprintf("d%d", i), of: unique.Make(origin{batch: fmt.Sprintf("b%d", i%3)})}
		g.sessions.enter(c, func() uint64 { return 1 })
	}
	for _, tt := range []struct {
		changed, want []string
	}{
		{nil, nil},
		{[]string{"d4"}, []string{"d4"}},
		{[]string{"away"}, nil},
		{[]string{device.OfBatch + "b1"}, []string{"d1", "d4"}},
		{[]string{"d0", device.OfBatch + "b1", device.OfBatch + "b1", device.OfBatch + "b9"}, []string{"d0", "d1", "d4"}},
	} {
		var got []string
		for _, c := range g.meant(tt.changed) {
			got = append(got, c.device)
		}
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%v concerns %v, want %v", tt.changed, got, tt.want)
		}
	}
}
