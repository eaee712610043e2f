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
		if len(r.devices) == 0 {
			return r.mem
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
		if r.mem != nil {
			m.last, m.room, m.frames = r.mem.last, r.mem.room, r.mem.frames
		}
	default:
		return r.mem
	}
	return m
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
	if len(r.mem.pending) > 0 {
		if g, ok := r.answered(f); ok {
			return g
		}
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

func pickVerb(a, b verb) verb {
	if b != vNone {
		return b
	}
	return a
}
