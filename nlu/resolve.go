package nlu

import (
	"slices"
	"strings"
	"time"
)

// resolver turns frames into actions on the devices of a home.
type resolver struct {
	*scan
	c    *Context
	room int32 // the speaker's, -1 unknown
	mem  *Memory
	now  time.Time

	beyond     func(dev int32) bool // could do what is asked with a value within its limits; of the predicate being resolved
	agreed     []danger             // what a yes was said to
	question   bool                 // something was asked as a question
	plays      bool                 // something is to be played: what, is for others to know
	actions    []Action
	devices    []int32 // touched, in order
	candidates []int32
	reason     Reason
	outcome    Outcome
}

func (r *resolver) fail(o Outcome, reason Reason) bool {
	r.outcome, r.reason = o, reason
	return false
}

func (r *resolver) ask(code Code, devs []int32) bool {
	r.candidates = devs
	return r.fail(Clarify, Reason{Code: code})
}

// frame resolves one clause; false ends the reading with outcome and reason.
func (r *resolver) frame(f *frame) bool {
	switch {
	case f.why || f.topic > 1 && (f.topic-1 < topicDone || !f.hasTarget()):
		return r.fail(Chat, Reason{Code: NotUnderstood})
	case f.told:
		return r.fail(Chat, Reason{Code: Narrative})
	case f.cond:
		return r.fail(Reject, Reason{Code: Conditional})
	case f.not:
		return r.fail(Chat, Reason{Code: Negated})
	case f.unclear || f.contradicts():
		return r.ask(MissingValue, nil)
	case f.someday[1] > 0 && !f.question && !(f.timer && f.verb != vNone): // not now, and nobody knows when
		return r.fail(Clarify, Reason{Code: UnclearWords, Word: r.rawSpan(f.someday[0], f.someday[1])})
	case f.timer && f.hasTarget() && (f.verb == vOn || f.verb == vOff || f.verb == vOpen || f.verb == vClose) && (f.at > 0 || f.delay > 0 || len(f.lengths) > 0):
		return r.scheduled(f)
	case f.timer || f.remind:
		return r.timer(f)
	case f.scene != 0:
		return r.scene(f)
	case f.question && r.asks(f):
		r.question = true
		return r.query(f)
	case (f.verb == vTell || f.verb == vNone) && f.looks(r.x):
		return r.query(f)
	}
	return r.command(f)
}

// contradicts: two values are said for one property: 调到50%到60%.
func (f *frame) contradicts() bool {
	for i := 1; i < len(f.preds); i++ {
		a, b := &f.preds[i-1], &f.preds[i]
		if a.kind == valNumber && b.kind == valNumber && a.dir == 0 && b.dir == 0 && (b.prop == 0 || b.prop == a.prop) &&
			(a.num.unit == b.num.unit || a.num.unit == uNone || b.num.unit == uNone) {
			return true
		}
	}
	return false
}

// looks: only properties are named, nothing is said to do with them: 客厅温度, check the battery.
func (f *frame) looks(x *Index) bool {
	for i := range f.preds {
		d := &f.preds[i]
		if d.kind != valNone || d.dir != 0 || d.prop == 0 {
			return false
		}
		switch x.meaning(d.prop - 1) {
		case Swing, ChildLock, Mute:
			return false
		}
	}
	return len(f.preds) > 0
}

// asks tells a question from a request in the form of one: "can you turn on …".
func (r *resolver) asks(f *frame) bool {
	if f.ask && (f.verb != vNone || f.call != 0) && !f.how && !f.any && !f.is {
		return false
	}
	return f.verb == vNone || f.state != 0 || f.how || f.is || f.any || f.question
}

// scheduled is what a timer is to do to devices: 定时半小时关电热毯.
func (r *resolver) scheduled(f *frame) bool {
	g := *f
	if g.timer = false; g.at == 0 && g.delay == 0 {
		g.delay = g.lengths[0].seconds()
	}
	g.lengths = nil
	return r.command(&g)
}

func (r *resolver) timer(f *frame) bool {
	a := Action{Op: OpTimer}
	switch {
	case f.remind && f.verb != vCancel && (f.delay > 0 || len(f.lengths) > 0):
		if a.Seconds = f.delay; a.Seconds == 0 {
			a.Seconds = f.lengths[0].seconds()
		}
		a.Label = r.label(f)
	case f.remind && f.at > 0 && f.verb != vCancel:
		a.Label = r.label(f)
		a = r.timed(f, a)
	case f.verb == vCancel || f.verb == vOff || f.verb == vStop:
		a.Op, a.Label = OpTimerCancel, r.label(f)
		a.Last = f.last
		if r.saysAll() {
			a.Value = All
		}
		a = r.which(f, a)
	case f.question || f.left || f.verb == vTell:
		a.Op, a.Label = OpTimerQuery, r.label(f)
		a = r.which(f, a)
	case f.delay > 0 || len(f.lengths) > 0:
		a.Seconds = f.delay
		if a.Seconds == 0 {
			a.Seconds = f.lengths[0].seconds()
		}
		a.Label = r.label(f)
	case f.at > 0:
		a.Label = r.label(f)
		a = r.timed(f, a)
	default:
		return r.ask(MissingValue, nil)
	}
	r.actions = append(r.actions, a)
	return true
}

// which says which timer is meant: that of an hour, that of seven every day.
func (r *resolver) which(f *frame, a Action) Action {
	if len(f.lengths) > 0 {
		a.Seconds = f.lengths[0].seconds()
	}
	return r.timed(f, a)
}

// saysAll reports whether all of something was said.
func (r *resolver) saysAll() bool {
	return slices.ContainsFunc(r.tokens, func(t token) bool { return t.mask.has(cAll) })
}

// label is what a timer is for: the words that nothing else explains.
func (r *resolver) label(f *frame) string {
	for i := range r.tokens {
		if t := &r.tokens[i]; t.mask.has(cRemind) {
			return strings.TrimPrefix(r.rawSpan(r.untimed(f, t.end, int32(len(r.text)))), "to ") // in ten minutes | to call
		}
	}
	for i := 1; i < len(r.tokens); i++ { // 煮面计时器
		if t := &r.tokens[i-1]; r.tokens[i].mask.has(cTimer) && t.mask == 0 {
			return r.rawSpan(t.start, t.end)
		}
	}
	return ""
}

// untimed is a stretch of the text without the time that stands at its begin or end: take it out | in 20 minutes.
func (r *resolver) untimed(f *frame, start, end int32) (from, to int32) {
	at := f.timeSpan
	if at[1] <= at[0] || at[0] < start {
		return start, end
	}
	if strings.Trim(string(r.text[at[1]:end]), " ,;.!?") == "" {
		return start, at[0]
	}
	if strings.Trim(string(r.text[start:at[0]]), " ,;.!?") == "" {
		return at[1], end
	}
	return start, end
}

func clock(minute int) string {
	b := []byte{'0' + byte(minute/600), '0' + byte(minute/60%10), ':', '0' + byte(minute%60/10), '0' + byte(minute%10)}
	return string(b)
}

// weekdays are the names of days that Day and Repeat have.
func weekdays() []string {
	return []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
}

// everyDay begins the entries of the vocabulary that say that something is done again and again.
const everyDay = "every "

// repeat is on which days it is to be done again, none if it is to be done once.
func (r *resolver) repeat(f *frame) []string {
	if f.day == 0 {
		return nil
	}
	which, every := strings.CutPrefix(r.v.days.list[f.day-1], everyDay)
	all := weekdays()
	switch which, _, _ = strings.Cut(which, " "); {
	case !every:
		return nil
	case which == "day":
		return all
	case which == "weekday":
		return all[:5]
	case which == "weekend":
		return all[5:]
	}
	return []string{which}
}

// day is the day that was said, empty for one that comes again.
func (r *resolver) day(f *frame) string {
	if f.day == 0 {
		return ""
	}
	d := r.v.days.list[f.day-1]
	if strings.HasPrefix(d, everyDay) {
		return ""
	}
	for _, suffix := range []string{" am", " night"} {
		if n := len(d) - len(suffix); n > 0 && d[n:] == suffix {
			return d[:n]
		}
	}
	return d
}

func (r *resolver) scene(f *frame) bool {
	if f.sceneValue != 0 && (f.hasTarget() || r.mem.mode(r.x, f.sceneValue-1)) {
		g := *f
		g.scene = 0
		g.preds = append(g.preds[:len(g.preds):len(g.preds)], pred{kind: valEnum, code: f.sceneValue - 1})
		return r.command(&g)
	}
	if f.verb == vOff || f.verb == vStop || f.verb == vCancel || f.question && !f.ask {
		return r.fail(Reject, Reason{Code: NoSuchProperty})
	}
	r.actions = append(r.actions, r.timed(f, Action{Op: OpScene, Scene: r.x.scenes[f.scene-1].id}))
	return true
}

// timed puts the time of the clause on an action.
func (r *resolver) timed(f *frame, a Action) Action {
	a.DelaySeconds = f.delay
	if f.at > 0 {
		a.At, a.Day, a.Repeat = clock(f.at-1), r.day(f), r.repeat(f)
	}
	return a
}

// command resolves what is to be done to what.
func (r *resolver) command(f *frame) bool {
	f = r.apart(f)
	if f.call != 0 {
		return r.call(f)
	}
	if len(f.preds) == 0 || f.preds[0].empty() && len(f.preds) == 1 {
		if f.verb == vNone || f.verb == vTell {
			return r.bare(f)
		}
		return r.one(f, &pred{verb: f.verb})
	}
	if n := r.mood(f); n >= 0 {
		r.actions = append(r.actions, r.timed(f, Action{Op: OpScene, Scene: r.x.scenes[n].id}))
		return true
	}
	for i := range f.preds {
		d := &f.preds[i]
		if d.empty() {
			continue
		}
		if d.dir != 0 && d.about == dirAir {
			return r.air(f)
		}
		if !r.one(f, d) {
			return false
		}
	}
	return true
}

// mood is the only scene whose name is the mode that was said of no device, 睡觉模式 where there is 睡眠模式; -1 none.
func (r *resolver) mood(f *frame) int {
	if f.hasTarget() || len(f.preds) != 1 || f.preds[0].kind != valEnum || !r.saysMode() || r.mem.mode(r.x, f.preds[0].code) {
		return -1
	}
	found := -1
	for i := range r.x.scenes {
		if r.x.scenes[i].value == f.preds[0].code+1 {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

// saysMode: the word "mode" is in the sentence.
func (r *resolver) saysMode() bool {
	return strings.Contains(string(r.text), "模式") || strings.Contains(string(r.text), " mode")
}

// air has fresh air come into a room that is stuffy: by what ventilates it, else by a fan.
func (r *resolver) air(f *frame) bool {
	var place target
	switch {
	case len(f.targets) == 1 && f.targets[0].where() && !f.targets[0].house && !(f.targets[0].here && r.room < 0):
		place = f.targets[0]
	case len(f.targets) == 0 && r.room >= 0:
		place.rooms = []int32{r.room}
	}
	g := frame{verb: vOn}
	for _, c := range []string{"ventilator", "fan"} {
		devs := filter(r.all(), func(d int32) bool { return r.x.devices[d].category == r.v.categories.index[c] && r.within(&place, d) })
		for _, d := range devs {
			if a, ok := r.assign(d, &g, &pred{}); ok {
				r.act(f, d, a)
			}
		}
		if len(devs) > 0 && len(r.actions) > 0 {
			return true
		}
	}
	return r.ask(MissingDevice, nil)
}

// bare is a clause that names things and says nothing to do.
func (r *resolver) bare(f *frame) bool {
	if f.hasTarget() {
		return r.ask(MissingValue, nil)
	}
	return r.fail(Chat, Reason{Code: NotUnderstood})
}

// one resolves one predicate on all targets of the clause.
func (r *resolver) one(f *frame, d *pred) bool {
	r.plays = r.plays || f.verb == vPlay
	r.beyond = func(dev int32) bool { a, done := r.assign(dev, f, d); return !done && a.reason.Code == OutOfRange }
	devs, ok := r.targets(f, func(dev int32) bool { _, done := r.assign(dev, f, d); return done })
	if !ok {
		return false
	}
	var failed Reason
	set := 0
	for _, dev := range devs {
		a, done := r.assign(dev, f, d)
		if !done {
			if failed.Code == "" {
				failed = a.reason
			}
			continue
		}
		set++
		r.act(f, dev, a)
	}
	if set == 0 {
		if failed.Code == "" {
			failed.Code = NoSuchProperty
		}
		o := Reject
		if failed.Code == MissingValue || failed.Code == AmbiguousMeaning {
			o = Clarify
		}
		return r.fail(o, failed)
	}
	if failed.Code == OutOfRange { // one of several cannot: none does
		return r.fail(Reject, failed)
	}
	return true
}

// act adds dev to the action that does the same, or makes one.
func (r *resolver) act(f *frame, dev int32, a assignment) {
	if !slices.Contains(r.devices, dev) {
		r.devices = append(r.devices, dev)
	}
	want := r.timed(f, a.action)
	id := r.x.devices[dev].id
	for i := range r.actions {
		if same(&r.actions[i], &want) {
			if !slices.Contains(r.actions[i].Targets, id) {
				r.actions[i].Targets = append(r.actions[i].Targets, id)
			}
			return
		}
	}
	want.Targets = []string{id}
	r.actions = append(r.actions, want)
}

func same(a, b *Action) bool {
	return a.Op == b.Op && a.Service == b.Service && a.Prop == b.Prop && a.Value == b.Value && a.Direction == b.Direction && a.Amount == b.Amount &&
		a.HasAmount == b.HasAmount && a.DelaySeconds == b.DelaySeconds && a.At == b.At && a.Day == b.Day && slices.Equal(a.Repeat, b.Repeat) && a.Scene == b.Scene && len(a.Targets) > 0
}
