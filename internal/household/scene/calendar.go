package scene

import (
	"time"
)

// What daylight saving does to a time of day.
const (
	Gap   = "gap"   // there is none on that day: it is done as much later, when the clocks have been put on
	First = "first" // it is twice on that day: it is done the first time
)

// local is the moment at which it is so late in a zone on a day, and what daylight saving does to it.
func local(year int, month time.Month, day, hour, minute int, zone *time.Location) (time.Time, string) {
	wall := time.Date(year, month, day, hour, minute, 0, 0, time.UTC)
	before, after := offset(wall.Add(-24*time.Hour), zone), offset(wall.Add(24*time.Hour), zone)
	early, late := wall.Add(-before), wall.Add(-after) // as the clocks stood the day before, and as they do the day after
	if late.Before(early) {
		early, late = late, early
	}
	reads := func(t time.Time) bool {
		in := t.In(zone)
		return in.Hour() == hour && in.Minute() == minute && in.Day() == wall.Day()
	}
	switch {
	case early.Equal(late):
		return early, ""
	case reads(early) && reads(late):
		return early, First
	case reads(early):
		return early, ""
	case reads(late):
		return late, ""
	}
	return wall.Add(-before), Gap
}

// offset is how far a zone is ahead of UTC at about a time of its own clocks.
func offset(wall time.Time, zone *time.Location) time.Duration {
	_, seconds := wall.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// next is the first moment after another at which it is so late in a zone, on one of the days of a mask (a bit each from Monday;
// 0: any), and what daylight saving does to it.
func next(after time.Time, hour, minute int, days int, zone *time.Location) (time.Time, string) {
	in := after.In(zone)
	for i := range 16 {
		date := time.Date(in.Year(), in.Month(), in.Day()+i, 12, 0, 0, 0, time.UTC)
		if days != 0 && days&(1<<weekday(date)) == 0 {
			continue
		}
		if at, shift := local(date.Year(), date.Month(), date.Day(), hour, minute, zone); at.After(after) {
			return at, shift
		}
	}
	return after.Add(24 * time.Hour), ""
}

// weekday counts from Monday, 0.
func weekday(t time.Time) int { return (int(t.Weekday()) + 6) % 7 }

// Weekdays are the names of days in the order of the mask.
func Weekdays() []string {
	return []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
}
