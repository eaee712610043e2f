package nlu

// Memory is what a conversation knows: what was spoken of last and what was asked back. It is immutable and opaque;
// it belongs to the Index of the sentence that made it and means nothing to another.
type Memory struct {
	x       *Index
	last    []int32 // devices of the last act
	room    int32   // their room if it is one, else -1
	frames  []frame // of the last act
	pending []frame // asked back: what is missing is expected next
	options []int32 // and what may be chosen
	code    Code
	timed   bool // the last act was a timer, or is for later: 取消 cancels it
	asked   danger
	agreed  []danger // of the pending clauses, before that
}

// of drops a memory of another home.
func (m *Memory) of(x *Index) *Memory {
	if m == nil || m.x != x {
		return nil
	}
	return m
}

// devices are those last spoken of that can do what is asked.
func (m *Memory) devices(can func(int32) bool) []int32 {
	if m == nil {
		return nil
	}
	return filter(m.last, can)
}

// noun is the last noun phrase, for "the kitchen's too".
func (m *Memory) noun() *target {
	if m == nil {
		return nil
	}
	for i := len(m.frames) - 1; i >= 0; i-- {
		for k := range m.frames[i].targets {
			if t := &m.frames[i].targets[k]; t.noun() {
				return t
			}
		}
	}
	return nil
}

// mode reports whether a device last spoken of has a mode.
func (m *Memory) mode(x *Index, value int32) bool {
	if m == nil {
		return false
	}
	for _, d := range m.last {
		for _, p := range x.devices[d].props {
			for _, e := range p.enum {
				if e.code == value && p.writable {
					return true
				}
			}
		}
	}
	return false
}

// remember makes the memory after a reading.
func (r *resolver) remember(out *Reading, frames []frame) *Memory {
	m := &Memory{x: r.x, room: -1}
	switch out.Outcome {
	case Act:
		for i := range out.Actions {
			a := &out.Actions[i]
			m.timed = m.timed || a.Op == OpTimer || a.Op == OpTimerQuery || a.DelaySeconds > 0 || a.At != ""
		}
		if len(r.devices) == 0 {
			if r.mem != nil {
				m.last, m.room, m.frames = r.mem.last, r.mem.room, r.mem.frames
			}
			return m
		}
		m.last, m.frames = r.devices, frames
		m.room = r.x.devices[r.devices[0]].room
		for _, d := range r.devices {
			if r.x.devices[d].room != m.room {
				m.room = -1
				break
			}
		}
	case Clarify:
		m.pending, m.options, m.code = frames, r.candidates, out.Reason.Code
		if m.code == Confirm {
			m.asked, m.agreed = dangerOf(&out.Reason), r.agreed
		}
		if r.mem != nil {
			m.last, m.room, m.frames = r.mem.last, r.mem.room, r.mem.frames
		}
	default:
		if r.mem != nil && r.mem.code == Confirm { // whatever was said, it was no yes
			m.last, m.room, m.frames = r.mem.last, r.mem.room, r.mem.frames
			return m
		}
		if r.mem != nil && len(r.mem.pending) > 0 && ends(out, frames) {
			m.last, m.room = r.mem.last, r.mem.room
			return m
		}
		return r.mem
	}
	return m
}

// ends reports whether a sentence takes back what was asked for.
func ends(out *Reading, frames []frame) bool {
	enough := out.Reason.Code == Negated
	for i := range frames {
		enough = enough || frames[i].enough
	}
	return enough
}

// declines reports whether the sentence answers an open question with no more than a no.
func (r *resolver) declines() bool {
	if r.mem == nil || len(r.mem.pending) == 0 {
		return false
	}
	const no = classes(1)<<cEnough | 1<<cNot | 1<<cWrong
	declined := false
	for i := range r.tokens {
		t := &r.tokens[i]
		switch s, _ := r.sense(t, cVerb); {
		case t.mask.has(cVerb) && i > 0 && string(r.text[r.tokens[i-1].start:r.tokens[i-1].end]) == "不": // 都不开
		case t.mask.any(no), t.mask.has(cVerb) && (s.verb() == vCancel || s.verb() == vStop):
			declined = true
		case t.mask == cNone.bit() || t.mask.any(skipClasses|cIt.bit()|cBoth.bit()|cAsk.bit()|cAll.bit()):
		default:
			return false
		}
	}
	return declined
}

// follow completes what is said with what was said before: an answer to a question, "and the bedroom?", "the other".
func (r *resolver) follow(frames []frame) []frame {
	if r.mem == nil || len(frames) != 1 {
		return frames
	}
	f := &frames[0]
	if f.question && !f.asWell && !f.ask || f.scene != 0 || f.timer || f.topic != 0 {
		return frames
	}
	if len(r.mem.pending) > 0 && r.mem.code != Confirm {
		if g, ok := r.answered(f); ok {
			return g
		}
	}
	if r.mem.timed && f.verb == vCancel && !f.hasTarget() && len(f.preds) == 0 {
		f.timer, f.last = true, true
		return frames
	}
	if len(r.mem.frames) == 0 {
		return frames
	}
	if f.hasTarget() && f.verb == vNone && !f.hasPred() {
		return []frame{r.again(f)}
	}
	return frames
}

// again repeats the last act on another object.
func (r *resolver) again(f *frame) frame {
	last := r.mem.frames[len(r.mem.frames)-1]
	g := last
	g.targets, g.except, g.both, g.any = nil, nil, f.both, false
	noun := r.mem.noun()
	for _, t := range f.targets {
		if !t.noun() && !t.it && noun != nil {
			more := *noun
			more.placeOf(&t)
			more.all = t.all
			t = more
		}
		g.targets = append(g.targets, t)
	}
	return g
}

// answered completes the clause that was asked back about.
func (r *resolver) answered(f *frame) ([]frame, bool) {
	out := append([]frame{}, r.mem.pending...)
	g := &out[len(out)-1]
	switch {
	case f.choice > 0 && f.choice <= int32(len(r.mem.options)) && !f.hasPred():
		g.targets = []target{{devices: r.mem.options[f.choice-1 : f.choice]}}
		return out, true
	case r.chosen(f) != nil:
		if f.verb != vNone && f.verb != g.verb && !(f.verb == vOn && len(g.preds) > 0) {
			out = []frame{*f}
			g = &out[0]
			g.preds = nil
		}
		g.targets, g.both = nil, false
		for _, d := range r.chosen(f) {
			g.targets = append(g.targets, target{devices: []int32{d}})
		}
		return out, true
	case r.mem.code == MissingValue && f.hasPred() && !f.hasTarget():
		g.preds, g.verb, g.unclear = f.preds, pickVerb(g.verb, f.verb), f.unclear
		return out, true
	case f.hasPred() && f.verb != vNone && f.verb != g.verb || len(f.preds) > 0 && f.hasPred():
		return nil, false
	case !f.hasTarget() && !f.both:
		return nil, false
	}
	if f.both && !f.hasTarget() {
		g.both = true
		return out, true
	}
	var merged []target
	for _, t := range f.targets {
		if !t.noun() && len(g.targets) > 0 && g.targets[0].noun() {
			more := g.targets[0]
			more.placeOf(&t)
			more.all = more.all || t.all
			t = more
		}
		if t.noun() && !t.where() && len(g.targets) > 0 && !g.targets[0].noun() { // 客厅调到百分之五十 > 灯
			t.placeOf(&g.targets[0])
		}
		merged = append(merged, t)
	}
	if len(merged) > 0 {
		g.targets = merged
	}
	g.both = g.both || f.both
	return out, true
}

// chosen are the candidates that "both" or "all of them" choose: none that was not asked about.
func (r *resolver) chosen(f *frame) []int32 {
	if len(r.mem.options) == 0 || r.mem.code != AmbiguousDevice || len(f.targets) > 1 || len(f.except) > 0 {
		return nil
	}
	counted := false
	if len(f.preds) == 1 && len(f.targets) == 0 {
		d, g := &f.preds[0], &r.mem.pending[len(r.mem.pending)-1]
		counted = d.kind == valNumber && d.num.spoken && d.num.value == float64(len(r.mem.options)) || // 三个都开
			d.kind == valExtreme && r.text[0] == '全' && g.verb == vOn && len(g.preds) == 0 // 全部打开
	}
	switch {
	case len(f.preds) > 0 && !counted:
		return nil
	case len(f.targets) == 0:
		if f.both || counted {
			return r.mem.options
		}
		return nil
	}
	t := &f.targets[0]
	switch {
	case t.where() || t.other || t.thing || !f.both && !t.all:
		return nil
	case !t.noun():
		return r.mem.options
	case t.all: // all lamps are more than those asked about
		return nil
	}
	return filter(r.mem.options, func(d int32) bool { return r.matches(t, d) })
}

func pickVerb(a, b verb) verb {
	if b != vNone {
		return b
	}
	return a
}
