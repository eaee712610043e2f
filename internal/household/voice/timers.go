package voice

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"lampworks/internal/household/scene"
	"lampworks/internal/infra/fault"
	"lampworks/nlu"
	"lampworks/tsl"
)

// later reports whether an action is not to be carried out now.
func later(a nlu.Action) bool { return a.DelaySeconds != 0 || a.At != "" }

// ofTimers reports whether an action is about timers: it sets one, or asks for them.
func ofTimers(a nlu.Action) bool {
	return later(a) || a.Op == nlu.OpTimer || a.Op == nlu.OpTimerCancel || a.Op == nlu.OpTimerQuery
}

// A booking is what came of an action that is about timers, or of a scene that was not started.
type booking struct {
	act       int
	timer     *scene.Timer  // that was set
	cancelled []scene.Timer // or taken back
	listed    []scene.Timer // or told of, or to choose from
	which     bool          // one of listed is to be named
	why       phrase        // it was not done
	reason    string
}

// Reasons of what timers cannot do.
const (
	NoTimer    = "no_timer"
	WhichTimer = "ambiguous_timer"
	TooMany    = "too_many"
	Past       = "past"
)

// plannedFor is what an action does to a device later, as a scene has it. A nil action has its reason in the step.
func (t *turn) plannedFor(st *step, a nlu.Action, state func(string, string) (any, bool)) *scene.Action {
	if by, ok := t.planAdjust(st.device, a); ok {
		return &scene.Action{Kind: scene.Adjust, Device: st.device, Property: a.Prop, By: by}
	}
	params, why := t.home.index.Params(a, st.device, state)
	if params == nil {
		st.outcome, st.why, st.reason = Undone, why, reasonOf(why.Code)
		return nil
	}
	if a.Op == nlu.OpCall {
		return &scene.Action{Kind: scene.Call, Device: st.device, Service: a.Service, Params: params}
	}
	return &scene.Action{Kind: scene.Set, Device: st.device, Params: params}
}

// planAdjust is by how much a number is to change later, whatever it is now: as from the end of its range that leaves all of it.
func (t *turn) planAdjust(device string, a nlu.Action) (by float64, ok bool) {
	p := t.home.property(device, a.Prop)
	if a.Op != nlu.OpAdjust || p == nil || !p.Type.Numeric() || !p.HasRange {
		return 0, false
	}
	from := p.Min
	if a.Direction == "down" {
		from = p.Max
	}
	params, _ := t.home.index.Params(a, device, func(string, string) (any, bool) { return from, true })
	var sets map[string]json.RawMessage
	if json.Unmarshal(params, &sets) != nil {
		return 0, false
	}
	to, ok := number(sets[a.Prop])
	return to - from, ok && to != from
}

// book does what the sentence says of timers.
func (t *turn) book(ctx context.Context) error {
	for i, a := range t.reading.Actions {
		b := booking{act: i}
		var err error
		switch {
		case a.Op == nlu.OpTimerCancel:
			err = t.cancelTimers(ctx, &b, a)
		case a.Op == nlu.OpTimerQuery:
			b.listed, err = t.pending(ctx, a)
			if len(b.listed) == 0 {
				b.why = noTimer(a)
			}
		case a.Op == nlu.OpTimer:
			err = t.set(ctx, &b, a, scene.NewTimer{Label: a.Label})
		case later(a) && a.Op == nlu.OpScene:
			err = t.set(ctx, &b, a, scene.NewTimer{Actions: []scene.Action{{Kind: scene.Start, Scene: a.Scene}}})
		case later(a) && len(t.planned[i]) > 0:
			err = t.set(ctx, &b, a, scene.NewTimer{Actions: t.planned[i]})
		default:
			continue
		}
		if err != nil {
			return fmt.Errorf("carrying out what sentence %s says of timers: %w", t.id, err)
		}
		t.bookings = append(t.bookings, b)
	}
	t.s.deeds.booked(t)
	return nil
}

// set sets a timer for when an action says.
func (t *turn) set(ctx context.Context, b *booking, a nlu.Action, n scene.NewTimer) error {
	n.Asked = "voice"
	n.When = scene.When{Seconds: a.Seconds + a.DelaySeconds, At: a.At, Days: a.Repeat}
	if a.At != "" {
		n.Seconds = 0
		n.Day = dayOf(a.Day, a.At, t.local)
	}
	timer, err := t.s.c.Scenes.SetTimer(ctx, t.who, t.in.Home, n)
	switch f := fault.Of(err); {
	case err == nil:
		b.timer = &timer
	case len(n.Actions) > scene.MaxActions:
		b.why, b.reason = timerTooMuch, TooMany
	case fault.Is(err, fault.OverLimit):
		b.why, b.reason = timerTooMany, TooMany
	case f != nil && f.Where == "/day":
		b.why, b.reason = timerPast, Past
	case refusal(err):
		b.why, b.reason = timerRefused, Invalid
	default:
		return err
	}
	return nil
}

// dayOf is the date of a day as understanding names it, empty for the next time it is so late.
func dayOf(day, at string, now time.Time) string {
	in := 0
	switch day {
	case "":
		return ""
	case "today":
	case "tomorrow":
		in = 1
	case "day_after_tomorrow":
		in = 2
	default:
		n := slices.Index(scene.Weekdays(), day)
		if n < 0 {
			return ""
		}
		in = (n - (int(now.Weekday())+6)%7 + 7) % 7
		if in == 0 && at <= now.Format("15:04") {
			in = 7
		}
	}
	return now.AddDate(0, 0, in).Format(time.DateOnly)
}

// pending are the timers that an action is about, those first that are due first.
func (t *turn) pending(ctx context.Context, a nlu.Action) ([]scene.Timer, error) {
	all, err := t.s.c.Scenes.Timers(ctx, t.who, t.in.Home)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(timer scene.Timer) bool { return timer.State != scene.Pending || !t.meant(&timer, a) }), nil
}

// meant reports whether all that an action says of a timer, its label, length, time, day and weekdays, is true of this one.
func (t *turn) meant(timer *scene.Timer, a nlu.Action) bool {
	due := timer.DueAt.In(t.local.Location())
	length := a.Seconds + a.DelaySeconds
	switch {
	case a.Label != "" && !strings.Contains(strings.ToLower(timer.Label), strings.ToLower(a.Label)):
	case length != 0 && timer.Seconds != length:
	case a.At != "" && due.Format("15:04") != a.At:
	case len(a.Repeat) > 0 && !sameDays(timer.Days, a.Repeat):
	case a.Day != "" && dayOf(a.Day, a.At, t.local) != due.Format(time.DateOnly):
	default:
		return true
	}
	return false
}

// noTimer says that there is no timer that an action is about.
func noTimer(a nlu.Action) phrase {
	switch {
	case a.Label != "":
		return timerNoSuch
	case a.At != "" || a.Seconds+a.DelaySeconds != 0:
		return timerNoLike
	}
	return timerNone
}

func sameDays(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(day string) bool { return !slices.Contains(b, day) })
}

// cancelTimers takes back the timer that is meant, or asks which.
func (t *turn) cancelTimers(ctx context.Context, b *booking, a nlu.Action) error {
	found, err := t.pending(ctx, a)
	if a.Last {
		last := t.s.deeds.timers(t.conversation())
		found = slices.DeleteFunc(found, func(timer scene.Timer) bool { return !slices.Contains(last, timer.ID) })
	}
	all := len(found)
	found = slices.DeleteFunc(found, func(timer scene.Timer) bool { return !timer.MayChange(t.who) })
	switch {
	case err != nil:
		return err
	case len(found) == 0 && all > 0:
		b.why, b.reason = timerOthers, string(notAllowed)
		return nil
	case len(found) == 0 && a.Last:
		b.why, b.reason = undoneNothing, NoTimer
		return nil
	case len(found) == 0:
		b.why, b.reason = noTimer(a), NoTimer
		return nil
	case len(found) > 1 && a.Value != nlu.All:
		b.listed, b.which = found, true
		return nil
	}
	for i := range found {
		timer, err := t.s.c.Scenes.CancelTimer(ctx, t.who, t.in.Home, found[i].ID)
		if err != nil && !refusal(err) {
			return err
		}
		if err == nil { // else it has just fired
			b.cancelled = append(b.cancelled, timer)
		}
	}
	return nil
}

// judgeBookings gives the sentence the outcome of what it says of timers.
func (t *turn) judgeBookings() {
	for i := range t.bookings {
		b := &t.bookings[i]
		switch {
		case t.out.Outcome != Acted:
		case b.which:
			t.out.Outcome, t.out.Reason = Clarified, WhichTimer
		case b.reason != "" && len(t.reading.Actions) == 1:
			t.out.Outcome, t.out.Reason = Rejected, b.reason
		case b.reason != "":
			t.out.Outcome, t.out.Reason = Failed, b.reason
		}
	}
}

// booked says what came of an action that is about timers.
func (w *teller) booked(t *turn, act int) (good, bad []string) {
	a := t.reading.Actions[act]
	for i := range t.bookings {
		b := &t.bookings[i]
		switch {
		case b.act != act:
		case b.why != "":
			bad = append(bad, w.say(b.why, "label", quoted(a.Label), "scene", w.scene(a.Scene), "n", fmt.Sprint(scene.MaxActions)))
		case b.timer != nil:
			good = append(good, w.planned(t, a, act, b.timer))
		case len(b.cancelled) == 1:
			good = append(good, w.say(timerCancelled, "timer", w.timer(t, &b.cancelled[0])))
		case a.Op == nlu.OpTimerCancel:
			good = append(good, w.say(timerAllCancelled, "n", fmt.Sprint(len(b.cancelled))))
		default:
			good = append(good, w.timers(t, b.listed, true))
		}
	}
	return good, bad
}

// planned says what will be done, and when.
func (w *teller) planned(t *turn, a nlu.Action, act int, timer *scene.Timer) string {
	when := w.when(t, timer)
	said := ""
	switch {
	case a.Op == nlu.OpTimer && a.Label != "":
		said = w.say(timerRemind, "when", when, "label", quoted(a.Label))
	case a.Op == nlu.OpTimer:
		said = w.say(timerRing, "when", when)
	case a.Op == nlu.OpScene:
		said = w.say(timerScene, "when", when, "scene", w.scene(a.Scene))
	default:
		var ids []string
		for _, p := range t.planned[act] {
			ids = append(ids, p.Device)
		}
		said = w.say(w.deed(a, t.planned[act]), append(verbs(len(ids) > 1), "when", when, "names", w.names(ids))...)
	}
	switch timer.Shift {
	case scene.Gap:
		said += w.say(wordClause) + w.say(timerGap)
	case scene.First:
		said += w.say(wordClause) + w.say(timerFirst)
	}
	return said
}

// scene is the name of a scene, empty if there is none.
func (w *teller) scene(id string) string {
	if sc := w.home.scenes[id]; sc != nil {
		return quoted(sc.Names.In(w.lang))
	}
	return ""
}

// deed is what will be done to devices: they go on, off, or are changed.
func (w *teller) deed(a nlu.Action, planned []scene.Action) phrase {
	if on, is := a.Value.(bool); is {
		return either(on, timerOn, timerOff)
	}
	p := w.home.property(planned[0].Device, a.Prop)
	var sets map[string]json.RawMessage
	if a.Meaning == nlu.Position && p != nil && p.HasRange && json.Unmarshal(planned[0].Params, &sets) == nil {
		if n, ok := number(sets[a.Prop]); ok && (n == p.Max || n == p.Min) && p.Type != tsl.Enum {
			return either(n == p.Max, timerOpen, timerClose)
		}
	}
	return timerChange
}

// timers lists timers, with how long each has still to go.
func (w *teller) timers(t *turn, all []scene.Timer, left bool) string {
	var said []string
	for i := range all {
		if i == maxClauses {
			said = append(said, w.say(timerMore, "n", fmt.Sprint(len(all)-i)))
			break
		}
		name := w.timer(t, &all[i])
		if left {
			name = w.say(timerLeft, "timer", name, "duration", w.duration(all[i].DueAt.Sub(t.local).Round(time.Second)))
		}
		said = append(said, name)
	}
	if left {
		return strings.Join(said, w.say(wordClause))
	}
	return strings.Join(said, w.say(wordList))
}

// timer is what a timer is called: by its label, else by when it is due.
func (w *teller) timer(t *turn, timer *scene.Timer) string {
	if label := quoted(timer.Label); label != "" {
		return w.say(timerNamed, "label", label)
	}
	if timer.Seconds > 0 {
		return w.say(timerOfLength, "duration", w.duration(time.Duration(timer.Seconds)*time.Second))
	}
	return w.say(timerOfTime, "when", w.when(t, timer))
}

// when says when a timer is due.
func (w *teller) when(t *turn, timer *scene.Timer) string {
	if timer.Seconds > 0 {
		return w.say(whenAfter, "duration", w.duration(time.Duration(timer.Seconds)*time.Second))
	}
	due := timer.DueAt.In(t.local.Location())
	clock := strings.TrimPrefix(timer.At, "0")
	if len(timer.Days) > 0 {
		return w.say(whenEvery, "days", w.days(timer.Days), "time", clock)
	}
	y, m, d := t.local.Date()
	switch ahead := due.Sub(time.Date(y, m, d, 0, 0, 0, 0, t.local.Location())); {
	case due.Format(time.DateOnly) == t.local.Format(time.DateOnly):
		return w.say(whenToday, "time", clock)
	case ahead < 49*time.Hour && due.Format(time.DateOnly) == t.local.AddDate(0, 0, 1).Format(time.DateOnly):
		return w.say(whenTomorrow, "time", clock)
	}
	month := fmt.Sprint(int(due.Month()))
	if w.lang == nlu.English {
		month = due.Month().String()
	}
	return w.say(whenDate, "date", w.say(whenDay, "month", month, "day", fmt.Sprint(due.Day())), "time", clock)
}

// days names the days on which something repeats.
func (w *teller) days(days []string) string {
	week := scene.Weekdays()
	switch {
	case slices.Equal(days, week):
		return w.say(daysAll)
	case slices.Equal(days, week[:5]):
		return w.say(daysWork)
	case slices.Equal(days, week[5:]):
		return w.say(daysOff)
	}
	all := make([]string, len(days))
	for i, d := range days {
		all[i] = w.catalogue[dayPrefix+phrase(d)]
	}
	return w.say(daysSome, "days", w.list(all, wordAnd))
}

// duration says a length of time in its two largest units.
func (w *teller) duration(d time.Duration) string {
	var parts []string
	for _, u := range []struct {
		unit     time.Duration
		one, all phrase
	}{{24 * time.Hour, lengthDay, lengthDays}, {time.Hour, lengthHour, lengthHours}, {time.Minute, lengthMinute, lengthMinutes}, {time.Second, lengthSecond, lengthSeconds}} {
		n := int64(d / u.unit)
		d -= time.Duration(n) * u.unit
		if n > 0 && len(parts) < 2 {
			parts = append(parts, w.say(either(n == 1, u.one, u.all), "n", fmt.Sprint(n)))
		}
	}
	if len(parts) == 0 {
		return w.say(lengthSeconds, "n", "0")
	}
	return strings.Join(parts, w.say(lengthAnd))
}
