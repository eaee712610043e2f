package fault

import "time"

// Times and dates have one form each, wherever they come in and in whatever refuses them. A rule that says "a time" means the
// first, one that says "a date" the second.
const (
	TimeRule = "a time as 2026-01-31T08:00:00Z" // RFC 3339
	DateRule = "a date as 2026-01-31"
)

// Time reads a time, RFC 3339, that stands at where. One of another zone is given in UTC.
func Time(where, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, Invalid(where, text, TimeRule, "")
	}
	return t.UTC(), nil
}

// Date reads a date that stands at where, as the moment in which it begins in UTC.
func Date(where, text string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, Invalid(where, text, DateRule, "")
	}
	return t, nil
}

// Stamp writes a time as it is read, in whole seconds; empty for zero.
func Stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// StampDate writes a date as it is read; empty for zero.
func StampDate(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}
