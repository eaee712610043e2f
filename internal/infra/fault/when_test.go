package fault

import (
	"testing"
	"time"
)

func TestTimesAndDates(t *testing.T) {
	for _, tt := range []struct{ text, moment, date string }{
		{"2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z", "/at is 2026-01-31T08:00:00Z, want a date as 2026-01-31"},
		{"2026-01-31T08:00:00.125+08:00", "2026-01-31T00:00:00Z", "/at is 2026-01-31T08:00:00.125+08:00, want a date as 2026-01-31"},
		{"2026-01-31", "/at is 2026-01-31, want a time as 2026-01-31T08:00:00Z", "2026-01-31"},
		{"2026-02-30", "/at is 2026-02-30, want a time as 2026-01-31T08:00:00Z", "/at is 2026-02-30, want a date as 2026-01-31"},
		{"2026-01-31 08:00:00", "/at is 2026-01-31 08:00:00, want a time as 2026-01-31T08:00:00Z", "/at is 2026-01-31 08:00:00, want a date as 2026-01-31"},
		{"", "/at is empty, want a time as 2026-01-31T08:00:00Z", "/at is empty, want a date as 2026-01-31"},
	} {
		read := func(by func(where, text string) (time.Time, error), write func(time.Time) string) string {
			at, err := by("/at", tt.text)
			if err != nil {
				return err.Error()
			}
			return write(at)
		}
		if got := read(Time, Stamp); got != tt.moment {
			t.Errorf("%q as a time\n got %s\nwant %s", tt.text, got, tt.moment)
		}
		if got := read(Date, StampDate); got != tt.date {
			t.Errorf("%q as a date\n got %s\nwant %s", tt.text, got, tt.date)
		}
	}
	east := time.FixedZone("east", 8*3600)
	if a, b := Stamp(time.Date(2026, 1, 31, 8, 0, 0, 0, east)), Stamp(time.Time{}); a != "2026-01-31T00:00:00Z" || b != "" {
		t.Errorf("stamps are %q and %q", a, b)
	}
	if a, b := StampDate(time.Date(2026, 1, 31, 7, 0, 0, 0, east)), StampDate(time.Time{}); a != "2026-01-30" || b != "" {
		t.Errorf("dates are %q and %q", a, b)
	}
}
