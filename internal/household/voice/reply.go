package voice

import (
	"slices"
	"strconv"

	"lampworks/nlu"
	"lampworks/tsl"
)

// reply says what came of a sentence.
func (w *teller) reply(t *turn) string {
	if p := t.later(); p != "" {
		return w.say(p)
	}
	r := t.reading.Reason
	switch t.reading.Outcome {
	case nlu.Act:
		for i := range t.bookings {
			if b := &t.bookings[i]; b.which {
				return w.capital(w.say(timerWhich, "n", strconv.Itoa(len(b.listed)), "timers", w.timers(t, b.listed, false)))
			}
		}
		return w.acted(t)
	case nlu.Clarify:
		return w.question(r)
	case nlu.Reject:
		return w.rejection(r)
	}
	switch r.Code {
	case nlu.Negated:
		return w.say(chatNegated)
	case nlu.Narrative:
		return w.say(chatNarrative)
	}
	return w.say(chatNotUnderstood)
}

// acted tells what was done and what was not, and answers what was asked.
func (w *teller) acted(t *turn) string {
	var good, broken []string
	asked := false
	for i, a := range t.reading.Actions {
		var mine []*step
		for j := range t.steps {
			if t.steps[j].act == i {
				mine = append(mine, &t.steps[j])
			}
		}
		if a.Op == nlu.OpQuery {
			asked = true
			good = append(good, w.told(a, mine)...)
			continue
		}
		if ofTimers(a) {
			done, bad := w.booked(t, i)
			asked = asked || a.Op == nlu.OpTimerQuery
			good, broken = append(good, done...), append(broken, bad...)
			continue
		}
		if isUndo(a) {
			done, bad := w.tookBack(t)
			good, broken = append(good, done...), append(broken, bad...)
			continue
		}
		if isAnnouncement(a) {
			done, bad := w.announced(t, i)
			good, broken = append(good, done...), append(broken, bad...)
			continue
		}
		if a.Op == nlu.OpScene {
			done, bad := w.performed(t, i)
			_, refused := w.booked(t, i)
			bad = append(bad, refused...)
			good, broken = append(good, done...), append(broken, bad...)
			continue
		}
		mine = slices.DeleteFunc(mine, func(st *step) bool { return st.outcome == Undone || st.outcome == Sent })
		if len(mine) > 0 {
			good = append(good, w.done(a, mine))
		}
	}
	if len(good) > maxClauses && !asked {
		good = []string{w.say(doneMany, "n", strconv.Itoa(len(good)))}
	}
	if under := w.underWay(t); under != "" {
		good = append(good, under)
	}
	w.last = ""
	bad := append(broken, w.undone(t)...)
	if len(good)+len(bad) == 0 { // every device is gone since the home was compiled
		return w.say(rejectNoDevice)
	}
	said := w.sentence(good, bad, !asked && !t.late)
	if t.late {
		return w.say(laterTold, "text", said)
	}
	return said
}

// underWay says which devices have not answered yet.
func (w *teller) underWay(t *turn) string {
	var ids []string
	for i := range t.steps {
		if st := &t.steps[i]; st.outcome == Sent && !slices.Contains(ids, st.device) {
			ids = append(ids, st.device)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return w.about(doneSent, ids)
}

func devicesOf(steps []*step) []string {
	ids := make([]string, len(steps))
	for i, st := range steps {
		ids[i] = st.device
	}
	return ids
}

// done says what an action did to the devices that confirmed it.
func (w *teller) done(a nlu.Action, steps []*step) string {
	ids := devicesOf(steps)
	if said := w.own(a, ids, steps); said != "" {
		return said
	}
	if a.Op == nlu.OpCall {
		return w.about(doneCall, ids, "what", w.service(ids[0], a.Service))
	}
	p := w.home.property(ids[0], a.Prop)
	what := w.what(a.Meaning, p)
	value, known := w.result(a, p, steps)
	if !slices.ContainsFunc(steps, func(st *step) bool { return st.outcome != Already }) {
		return w.already(a, ids, steps[0], what, value, known)
	}
	on, isBool := a.Value.(bool)
	switch {
	case isBool && a.Meaning == nlu.Power:
		return w.about(either(on, donePowerOn, donePowerOff), ids)
	case isBool && a.Meaning == nlu.Locked:
		return w.about(either(on, doneLocked, doneUnlocked), ids)
	case isBool:
		return w.about(either(on, donePartOn, donePartOff), ids, "what", what)
	case !known:
		return w.about(either(a.Direction == "down", doneDown, doneUp), ids, "what", what)
	case a.Meaning == nlu.Position:
		return w.about(w.moved(p, steps[0]), ids, "value", value)
	case a.Meaning == nlu.Colour:
		return w.about(doneColour, ids, "value", value)
	case a.Meaning == nlu.Mode:
		return w.about(doneMode, ids, "value", w.mode(value))
	case p != nil && p.Unit != "":
		return w.about(doneSet, ids, "what", what, "value", value)
	}
	return w.about(doneValue, ids, "what", what, "value", value)
}

func either(first bool, a, b phrase) phrase {
	if first {
		return a
	}
	return b
}

// result is the value the devices have now, known if it is the same for all.
func (w *teller) result(a nlu.Action, p *tsl.Property, steps []*step) (string, bool) {
	if a.Op == nlu.OpSet && a.Meaning == nlu.Colour {
		return w.asked(a, p)
	}
	value, known := "", false
	for _, st := range steps {
		raw, sent := st.sets[a.Prop]
		v, ok := w.reported(a, st.device, raw)
		if !sent || !ok || (known && v != value) {
			known = false
			break
		}
		value, known = v, true
	}
	if !known && a.Op == nlu.OpSet {
		return w.asked(a, p)
	}
	return value, known
}

// moved says whether a curtain is open, closed or between.
func (w *teller) moved(p *tsl.Property, st *step) phrase {
	n, ok := number(st.sets[p.Identifier])
	switch {
	case ok && p.HasRange && n == p.Max:
		return doneOpened
	case ok && p.HasRange && n == p.Min:
		return doneClosed
	}
	return donePosition
}

func (w *teller) already(a nlu.Action, ids []string, st *step, what, value string, known bool) string {
	if on, is := a.Value.(bool); is && a.Meaning == nlu.Power {
		return w.about(either(on, alreadyOn, alreadyOff), ids)
	}
	if p := w.home.property(ids[0], a.Prop); a.Meaning == nlu.Position && p != nil {
		switch w.moved(p, st) {
		case doneOpened:
			return w.about(alreadyOn, ids)
		case doneClosed:
			return w.about(alreadyOff, ids)
		}
	}
	if !known {
		value = w.say(whatThis)
	}
	return w.about(alreadyValue, ids, "what", what, "value", value)
}

// told answers a query.
func (w *teller) told(a nlu.Action, steps []*step) []string {
	if len(steps) > 1 && a.Meaning == nlu.Power {
		if said, ok := w.toldPower(steps); ok {
			return []string{said}
		}
	}
	var all []string
	for i, st := range steps {
		if i == maxClauses {
			break
		}
		p := w.home.property(st.device, a.Prop)
		what, one := w.what(a.Meaning, p), []string{st.device}
		value, ok := w.reported(a, st.device, st.value)
		n, _ := number(st.value)
		switch {
		case !ok:
			all = append(all, w.about(queryUnknown, one, "what", what))
		case st.reason == Offline:
			all = append(all, w.about(queryOffline, one, "what", what, "value", value))
		case a.Meaning == nlu.Power:
			all = append(all, w.about(either(n != 0, queryOn, queryOff), one))
		case a.Meaning == nlu.Position && p.HasRange && (n == p.Min || n == p.Max):
			all = append(all, w.about(either(n == p.Max, queryOpen, queryClosed), one))
		default:
			all = append(all, w.about(queryValue, one, "what", what, "value", value))
		}
	}
	return all
}

// toldPower answers "are there lights on" for several devices that all answered.
func (w *teller) toldPower(steps []*step) (string, bool) {
	var on, all []string
	for _, st := range steps {
		n, ok := number(st.value)
		if !ok {
			continue
		}
		all = append(all, st.device)
		if n != 0 && st.reason != Offline {
			on = append(on, st.device)
		}
	}
	switch {
	case len(all) < 2:
		return "", false
	case len(on) == 0:
		return w.about(queryAllOff, all), true
	case len(on) == len(all):
		return w.about(queryAllOn, all), true
	}
	return w.about(querySomeOn, on), true
}

// undone tells what was not done, devices with the same fate together.
func (w *teller) undone(t *turn) []string {
	var order []fate
	who := make(map[fate][]string)
	for i := range t.steps {
		st := &t.steps[i]
		a := t.reading.Actions[st.act]
		if st.outcome != Undone || a.Op == nlu.OpQuery {
			continue
		}
		f := w.fate(a, st)
		if who[f] == nil {
			order = append(order, f)
		}
		if !slices.Contains(who[f], st.device) {
			who[f] = append(who[f], st.device)
		}
	}
	said := make([]string, len(order))
	for i, f := range order {
		said[i] = w.about(f.phrase, who[f], "what", f.what, "value", f.value, "min", f.min, "max", f.max, "note", f.note)
	}
	return said
}

// A fate is why something was not done, and what there is to say about it.
type fate struct {
	phrase                      phrase
	what, value, min, max, note string
}

func (w *teller) fate(a nlu.Action, st *step) fate {
	p := w.home.property(st.device, a.Prop)
	what := w.what(a.Meaning, p)
	switch st.reason {
	case Offline:
		return fate{phrase: failedOffline}
	case Waiting:
		return fate{phrase: failedWaiting}
	case Silent, Unconfirmed:
		return fate{phrase: failedSilent}
	case Replaced:
		return fate{phrase: failedReplaced}
	case Busy:
		return fate{phrase: failedBusy}
	case Suspended:
		return fate{phrase: failedSuspended}
	case Wrong:
		if value, ok := w.reported(a, st.device, st.value); ok {
			return fate{phrase: failedWrong, what: what, value: value}
		}
		return fate{phrase: failedWrongValue}
	case Refused:
		if note := quoted(st.note); note != "" {
			return fate{phrase: failedRefusedNote, note: note}
		}
		return fate{phrase: failedRefused}
	case OutOfRange:
		return fate{phrase: failedOutOfRange, what: what, min: w.limit(st.why.Min, st.why, p), max: w.limit(st.why.Max, st.why, p)}
	case UnknownState:
		return fate{phrase: failedUnknownState, what: what}
	case Unsupported:
		return fate{phrase: failedUnsupported, what: what}
	}
	return fate{phrase: failedInvalid}
}

func (w *teller) limit(n float64, r nlu.Reason, p *tsl.Property) string {
	if r.Unit == "" && p != nil {
		return w.number(n, p.Unit)
	}
	return w.number(n, r.Unit)
}
