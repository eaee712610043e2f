package account

import (
	"time"

	"lampworks/internal/infra/fault"
)

// A Month is all that is kept of when somebody comes of age (年满十八周岁): the month in which they turn 18, "2027-05". Empty: it
// is not known.
type Month string

const monthForm = "2006-01"

// MonthOf is the month of a day.
func MonthOf(t time.Time) Month { return Month(t.Format(monthForm)) }

// Ends is the first moment after the month, UTC: by then whoever turns 18 in it has. It is zero for the empty month.
func (m Month) Ends() time.Time {
	t, err := time.Parse(monthForm, string(m))
	if err != nil {
		return time.Time{}
	}
	return t.AddDate(0, 1, 0)
}

// Check holds a month in which somebody turns 18 to the rule: it has not ended, and they were born.
func (m Month) Check(where string, now time.Time) error {
	ends := m.Ends()
	if !now.Before(ends) || ends.After(now.AddDate(fullAge, 2, 0)) {
		return fault.Invalid(where, string(m), "the month in which the person turns 18, YYYY-MM, this one or one to come", "the day is not asked for")
	}
	return nil
}
