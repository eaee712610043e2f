package scene

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/lifecycle"
	"lampworks/internal/infra/store"
)

// Limits of timers.
const (
	MaxTimers  = 100                 // pending of one home
	KeepTimers = 100                 // that have ended, of one home
	MaxDelay   = 30 * 24 * time.Hour // of seconds
	MaxAhead   = 366                 // days
)

// OfTimer is the origin of the runs of timers.
const OfTimer = "timer"

// TimerState is where a timer is in its life.
type TimerState string

// The states of a timer.
const (
	Pending   TimerState = "pending"
	Fired     TimerState = "fired"
	Missed    TimerState = "missed" // it was due more than [MaxLate] before the program ran again: it is told, and not fired
	Cancelled TimerState = "cancelled"
)

// A TimerAct is what happens to a timer.
type TimerAct string

// The acts upon a timer.
const (
	Fire   TimerAct = "fire"
	Repeat TimerAct = "repeat" // it fired, or was missed, and is due again
	Miss   TimerAct = "miss"
	Alter  TimerAct = "change"
	Cancel TimerAct = "cancel"
)

func clock(a access.Actor) bool  { return a.Kind == access.KindClock }
func people(a access.Actor) bool { return !clock(a) }

// timerMoves is the life of a timer. What is not listed is refused.
var timerMoves = lifecycle.Table[TimerState, TimerAct]{
	{From: Pending, Act: Fire, To: Fired, May: clock},
	{From: Pending, Act: Repeat, To: Pending, May: clock},
	{From: Pending, Act: Miss, To: Missed, May: clock},
	{From: Pending, Act: Alter, To: Pending, May: people},
	{From: Pending, Act: Cancel, To: Cancelled, May: people},
}

// A When is when something is to be done: after some seconds, or at a time of day in the home.
type When struct {
	Seconds int
	At      string   // 15:04
	Day     string   // 2006-01-02, with At; empty: the next time it is so late
	Days    []string // weekdays on which it repeats, with At: monday …; empty: once
}

// A Timer (定时) is something to be done later.
type Timer struct {
	ID, Home     string
	Organisation string
	Label        string
	When
	Actions    []Action // none: it only rings
	Asked      string   // api, voice
	MadeBy     string   // id of the resident who set it, or to whom it passed; empty: nobody's
	State      TimerState
	Occurrence int64
	Version    int64
	DueAt      time.Time
	Shift      string // what daylight saving does to DueAt: [Gap], [First] or nothing
	LastAt     time.Time
	Last       TimerState // what came of it when it was due last
	CreatedAt  time.Time
	EndedAt    time.Time
	Broken     []Flaw
}

// A NewTimer is what somebody wants a timer to be.
type NewTimer struct {
	Label string
	When
	Actions []Action
	Asked   string
}

// check holds a timer against the rules and says how late it is due.
func (n *NewTimer) check(now time.Time, zone *time.Location) (due time.Time, shift string, err error) {
	if utf8.RuneCountInString(n.Label) > home.MaxName || !utf8.ValidString(n.Label) {
		return due, "", fault.Invalid("/label", n.Label, fmt.Sprintf("at most %d characters", home.MaxName), "choose a shorter one")
	}
	switch {
	case (n.Seconds != 0) == (n.At != ""):
		return due, "", fault.Invalid("/at", n.At, "a time of day, or seconds in its place", "send one of the two")
	case n.At == "" && (n.Day != "" || len(n.Days) > 0):
		return due, "", fault.Invalid("/at", n.At, "a time of day, where a day is given", "say at what time")
	case n.At == "":
		if n.Seconds < 1 || n.Seconds > int(MaxDelay/time.Second) {
			return due, "", fault.Invalid("/seconds", strconv.Itoa(n.Seconds), fmt.Sprintf("an integer from 1 to %d", int(MaxDelay/time.Second)), "say at what time on which day for what is later")
		}
		return now.Add(time.Duration(n.Seconds) * time.Second), "", nil
	case n.Day != "" && len(n.Days) > 0:
		return due, "", fault.Invalid("/day", n.Day, "none, where it repeats on days", "send one of the two")
	}
	return n.When.due(now, zone)
}

// due is when a time of day is next, after now.
func (w *When) due(now time.Time, zone *time.Location) (due time.Time, shift string, err error) {
	at, err := time.Parse("15:04", w.At)
	if err != nil {
		return due, "", fault.Invalid("/at", w.At, "a time of day, such as 07:30", "send hours and minutes of 24 hours")
	}
	if w.Day == "" {
		mask, err := maskOf(w.Days)
		if err != nil {
			return due, "", err
		}
		due, shift = next(now, at.Hour(), at.Minute(), mask, zone)
		return due, shift, nil
	}
	day, err := time.Parse(time.DateOnly, w.Day)
	if err != nil {
		return due, "", fault.Invalid("/day", w.Day, "a date, such as 2026-01-31", "send year, month and day")
	}
	due, shift = local(day.Year(), day.Month(), day.Day(), at.Hour(), at.Minute(), zone)
	if !due.After(now) || due.Sub(now) > MaxAhead*24*time.Hour {
		return due, "", fault.Invalid("/day", w.Day, fmt.Sprintf("a day on which that is still to come, within %d days", MaxAhead), "choose another day")
	}
	return due, shift, nil
}

func maskOf(days []string) (mask int, err error) {
	for i, d := range days {
		n := slices.Index(Weekdays(), d)
		if n < 0 {
			return 0, fault.Unlisted("/days/"+strconv.Itoa(i), d, Weekdays(), "")
		}
		mask |= 1 << n
	}
	return mask, nil
}

func daysOf(mask int) []string {
	var days []string
	for i, d := range Weekdays() {
		if mask&(1<<i) != 0 {
			days = append(days, d)
		}
	}
	return days
}

// SetTimer sets a timer in a home of who's organisation.
func (s *Service) SetTimer(ctx context.Context, who access.Actor, homeID string, n NewTimer) (Timer, error) {
	return s.keepTimer(ctx, who, homeID, "", n)
}

// ChangeTimer makes a timer that is pending what n says.
func (s *Service) ChangeTimer(ctx context.Context, who access.Actor, homeID, id string, n NewTimer) (Timer, error) {
	return s.keepTimer(ctx, who, homeID, id, n)
}

func (s *Service) keepTimer(ctx context.Context, who access.Actor, homeID, id string, n NewTimer) (t Timer, err error) {
	h, err := s.c.Homes.Load(ctx, who, homeID)
	if err != nil {
		return Timer{}, err
	}
	of, err := s.modelsOf(ctx, &h)
	if err != nil {
		return Timer{}, err
	}
	if err := checkActions("/actions", n.Actions, &h, of); err != nil {
		return Timer{}, err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	due, shift, err := n.check(now, s.c.Homes.Zone(&h))
	if err != nil {
		return Timer{}, err
	}
	t = Timer{
		ID: id, Home: homeID, Organisation: h.Organisation, Label: n.Label, When: n.When, Actions: n.Actions, Asked: n.Asked,
		State: Pending, Version: 1, DueAt: due, Shift: shift, CreatedAt: now,
	}
	if who.Resident() {
		t.MadeBy = who.ID
	}
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error { return s.writeTimer(ctx, tx, who, &t) })
	if errors.Is(err, errTaken) {
		err = fault.Stale("timer", id)
	}
	return t, err
}

func (s *Service) writeTimer(ctx context.Context, tx *store.Tx, who access.Actor, t *Timer) error {
	if _, err := home.Revision(ctx, tx, who, t.Home); err != nil {
		return err
	}
	scenes, err := scenesOf(ctx, tx, t.Home)
	if err != nil {
		return err
	}
	if err := startsKnown(t.Actions, scenes, ""); err != nil {
		return err
	}
	if err := checkSize(t.Actions, scenes); err != nil {
		return err
	}
	act := "timer.change"
	if t.ID == "" {
		var n int
		if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM scene_timer WHERE home = ? AND state = ?", t.Home, Pending).Scan(&n); err != nil {
			return fmt.Errorf("counting the timers of home %s: %w", t.Home, err)
		}
		if n >= MaxTimers {
			f := fault.Limit("timers", strconv.Itoa(n), fmt.Sprintf("%d timers a home", MaxTimers), 0)
			f.Fix = "cancel some"
			return f
		}
		act, t.ID = "timer.set", newID()
		err = insertTimer(ctx, tx, t)
	} else {
		err = s.alter(ctx, tx, who, t)
	}
	if err != nil {
		return err
	}
	if err := link(ctx, tx, OfTimer, t.ID, devicesOf(t.Actions)); err != nil {
		return err
	}
	tx.AfterCommit(s.nudge)
	return audit.Record(ctx, tx, who, act, t.ID, "home "+t.Home) // not the label: of a reminder it is what was said
}

// alter writes what t shall be over what it is.
func (s *Service) alter(ctx context.Context, tx *store.Tx, who access.Actor, t *Timer) error {
	had, err := loadTimer(ctx, tx, t.Home, t.ID)
	if err != nil {
		return err
	}
	if err := had.mayChange(who); err != nil {
		return err
	}
	if _, err := timerMoves.Next(had.State, Alter, who); err != nil {
		return err
	}
	t.Version, t.CreatedAt, t.Occurrence, t.LastAt, t.Last, t.Asked, t.MadeBy = had.Version+1, had.CreatedAt, had.Occurrence+1, had.LastAt, had.Last, had.Asked, had.MadeBy
	return moveTimer(ctx, tx, t, had.Occurrence)
}

// CancelTimer ends a timer that is pending. It stays in the list as cancelled.
func (s *Service) CancelTimer(ctx context.Context, who access.Actor, homeID, id string) (t Timer, err error) {
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := home.Revision(ctx, tx, who, homeID); err != nil {
			return err
		}
		if t, err = loadTimer(ctx, tx, homeID, id); err != nil {
			return err
		}
		if err := t.mayChange(who); err != nil {
			return err
		}
		if t.State, err = timerMoves.Next(t.State, Cancel, who); err != nil {
			return err
		}
		from := t.Occurrence
		t.Occurrence, t.Version, t.EndedAt = from+1, t.Version+1, time.Now().UTC().Truncate(time.Millisecond)
		if err := moveTimer(ctx, tx, &t, from); err != nil {
			return err
		}
		if err := trimTimers(ctx, tx, homeID); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "timer.cancel", id, "home "+homeID)
	})
	if errors.Is(err, errTaken) {
		err = fault.Stale("timer", id)
	}
	return t, err
}

// MayChange says whether who may change or cancel a timer. Of a home's residents those who may not change the home, guests and
// children, may do so with what they set themselves.
func (t *Timer) MayChange(who access.Actor) bool {
	return !who.Resident() || who.May(access.WriteHome) || t.MadeBy == who.ID
}

func (t *Timer) mayChange(who access.Actor) error {
	if t.MayChange(who) {
		return nil
	}
	return fault.Forbidden("changing a timer that somebody else set", "role householder or adult")
}

// Left deals with the timers of a member who has left a home: those of a guest are cancelled, those of others go on as the
// householder's. It is the hook home.Left.
func (s *Service) Left(ctx context.Context, tx *store.Tx, l home.Leaver) error {
	if l.Role == access.Guest {
		_, err := tx.Exec(ctx, "UPDATE scene_timer SET state = ?, occurrence = occurrence + 1, version = version + 1, ended_at = ? WHERE home = ? AND made_by = ? AND state = ?",
			Cancelled, time.Now().UnixMilli(), l.Home, l.Resident, Pending)
		if err != nil {
			return fmt.Errorf("cancelling the timers of a guest of home %s: %w", l.Home, err)
		}
	}
	for _, of := range []struct{ by, rest string }{{l.Heir, "state = ?"}, {"", "state <> ?"}} {
		if _, err := tx.Exec(ctx, "UPDATE scene_timer SET made_by = ? WHERE home = ? AND made_by = ? AND "+of.rest, of.by, l.Home, l.Resident, Pending); err != nil {
			return fmt.Errorf("handing on the timers of a member of home %s: %w", l.Home, err)
		}
	}
	return trimTimers(ctx, tx, l.Home)
}

// Timers returns the timers of a home of who's organisation: those that are pending in the order in which they are due, then those
// that have ended, the newest first.
func (s *Service) Timers(ctx context.Context, who access.Actor, homeID string) ([]Timer, error) {
	var all []Timer
	err := s.within(ctx, who, homeID, func(v *store.View, of models, scenes map[string]*Scene) (err error) {
		if all, err = timersOf(ctx, v, homeID); err != nil {
			return err
		}
		for i := range all {
			if all[i].State == Pending {
				all[i].Broken = flaws(all[i].Actions, of, scenes)
			}
		}
		return nil
	})
	slices.SortStableFunc(all, func(a, b Timer) int {
		switch {
		case a.State == Pending && b.State == Pending:
			return a.DueAt.Compare(b.DueAt)
		case a.State == Pending:
			return -1
		case b.State == Pending:
			return 1
		}
		return b.EndedAt.Compare(a.EndedAt)
	})
	return all, err
}

// LoadTimer returns a timer of a home of who's organisation.
func (s *Service) LoadTimer(ctx context.Context, who access.Actor, homeID, id string) (Timer, error) {
	all, err := s.Timers(ctx, who, homeID)
	return oneOf(all, err, "timer", id, func(t *Timer) string { return t.ID })
}

// TimerRevision gives the version of a timer as q sees it.
func TimerRevision(ctx context.Context, q store.Querier, who access.Actor, homeID, id string) (int64, error) {
	t, err := loadTimer(ctx, q, homeID, id)
	if err != nil || !who.Sees(t.Organisation) {
		return 0, fault.NotFound("timer", id)
	}
	return t.Version, nil
}
