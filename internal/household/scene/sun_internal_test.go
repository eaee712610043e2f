package scene

import (
	"testing"
	"time"

	"lampworks/internal/household/home"
)

// TestSun holds sunrise and sunset to an almanac's, to two minutes, and knows where there are none.
func TestSun(t *testing.T) {
	shanghai := home.Place{Latitude: 31_230_400, Longitude: 121_473_700}
	london := home.Place{Latitude: 51_507_400, Longitude: -127_800}
	sydney := home.Place{Latitude: -33_868_800, Longitude: 151_209_300}
	tromso := home.Place{Latitude: 69_649_200, Longitude: 18_955_300}
	for _, tt := range []struct {
		place home.Place
		date  string
		rise  bool
		want  string
	}{
		{shanghai, "2026-06-21", true, "2026-06-20T20:50:00Z"},
		{shanghai, "2026-06-21", false, "2026-06-21T11:01:00Z"},
		{london, "2026-12-21", true, "2026-12-21T08:04:00Z"},
		{london, "2026-12-21", false, "2026-12-21T15:53:00Z"},
		{sydney, "2026-12-21", true, "2026-12-20T18:41:00Z"},
		{tromso, "2026-12-21", true, ""},
		{tromso, "2026-06-21", false, ""},
	} {
		date, _ := time.Parse(time.DateOnly, tt.date)
		got, ok := sun(date.Add(12*time.Hour), tt.rise, tt.place)
		if tt.want == "" {
			if ok {
				t.Errorf("on %s the sun does something at %s", tt.date, got)
			}
			continue
		}
		want, _ := time.Parse(time.RFC3339, tt.want)
		if !ok || got.Sub(want).Abs() > 2*time.Minute {
			t.Errorf("on %s (rise %t) it is at %s, want %s", tt.date, tt.rise, got, tt.want)
		}
	}
	if next := nextSun(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), true, 0, 0, tromso, time.UTC); next.Month() != time.January {
		t.Errorf("after the polar night the sun rises on %s", next)
	}
}
