package nlu

// This file puts clauses together that need each other.

// correct begins a clause that corrects the one before: "the study, no, the bedroom".
func (p *parser) correct() {
	p.flush()
	p.except = false
	p.frames = append(p.frames, frame{fix: true})
	p.f = &p.frames[len(p.frames)-1]
	p.value, p.verbAt, p.lastNP = -9, -9, -9
}

// finish joins clauses: corrections, places said afterwards, objects said once.
func (p *parser) finish() []frame {
	out := p.frames[:0]
	for i := range p.frames {
		f := p.frames[i]
		if f.fix && len(out) > 0 {
			out[len(out)-1].corrected(&f)
			continue
		}
		if len(out) > 0 && (out[len(out)-1].spares(&f) || out[len(out)-1].explained(&f) || out[len(out)-1].takes(&f)) {
			continue
		}
		if f.empty() && !f.not && !f.told && !f.cond && !f.why && !f.enough && !f.asWell && f.choice == 0 && f.at == 0 && len(f.lengths) == 0 && !f.media && !f.both {
			if n := len(out); n > 0 {
				out[n-1].flags(&f)
			}
			continue
		}
		out = append(out, f)
	}
	if len(out) > 1 && out[0].idle() { // 嗯那个 | 打开灯
		out[1].flags(&out[0])
		if !out[0].enough && out[0].at == 0 && out[0].delay == 0 && !out[0].not && !out[0].told && !out[0].cond {
			out = out[1:]
		}
	}
	out = keepOnly(out)
	p.share(out)
	return out
}

// idle: the clause says nothing to do and names nothing.
func (f *frame) idle() bool {
	return !f.hasTarget() && !f.hasPred() && len(f.preds) == 0 && !f.question && f.topic == 0 && !f.timer && f.scene == 0
}

// flags hands marks of a clause that is nothing else to its neighbour.
func (f *frame) flags(g *frame) {
	f.question = f.question || g.question
	f.is = f.is || g.is
	f.how = f.how || g.how
	f.not = f.not || g.not
	f.told = f.told || g.told
	f.cond = f.cond || g.cond
	f.why = f.why || g.why
	f.both = f.both || g.both
	f.unclear = f.unclear || g.unclear
	f.asWell = f.asWell || g.asWell
	f.also = f.also || g.also
	f.ask = f.ask || g.ask
	if f.at == 0 {
		f.at, f.day = g.at, g.day
	}
	if f.delay == 0 {
		f.delay = g.delay
	}
}

// corrected replaces in f what g says anew.
func (f *frame) corrected(g *frame) {
	if len(g.targets) > 0 {
		t := g.targets[0]
		if n := len(f.targets); n > 0 && !t.noun() && f.targets[n-1].noun() {
			last := &f.targets[n-1]
			last.placeOf(&t)
		} else if n > 0 && t.noun() && !t.where() {
			last := f.targets[n-1]
			t.placeOf(&last)
			f.targets = []target{t}
		} else {
			f.targets = g.targets
		}
	}
	if g.verb != vNone {
		if f.verb != vNone && len(g.preds) == 0 && g.verb != vSet {
			f.preds = nil
		}
		f.verb = g.verb
	}
	if len(g.preds) > 0 {
		if len(f.preds) > 0 && g.preds[0].prop == 0 {
			g.preds[0].prop = f.preds[len(f.preds)-1].prop
			g.preds[0].to = g.preds[0].to || f.preds[len(f.preds)-1].to
		}
		f.preds, f.unclear = g.preds, g.unclear
	}
	if g.scene != 0 {
		f.scene, f.sceneValue = g.scene, g.sceneValue
	}
	f.question = f.question || g.question
}

// spares: g takes devices out of what f says: 关掉所有空调，儿童房的别关; 客厅灯全关，落地灯留着.
func (f *frame) spares(g *frame) bool {
	if !g.hasTarget() || !f.hasPred() || f.scene != 0 || g.told || g.cond || g.question {
		return false
	}
	wide := f.both
	for i := range f.targets {
		t := &f.targets[i]
		wide = wide || t.all || t.house || t.other || t.thing || t.typ != 0 && t.where()
	}
	for i := range g.preds {
		wide = wide && g.preds[i].empty()
	}
	if !wide || g.verb != vNone && (!g.not || g.verb != f.verb) || !g.not && !g.keep {
		return false
	}
	f.except = append(f.except, g.targets...)
	return true
}

// explained: g only says why f is wanted: 电热毯关了吧，太热了.
func (f *frame) explained(g *frame) bool {
	return g.verb == vNone && !g.hasTarget() && g.complains() && f.hasPred() && f.hasTarget() && !g.not && !g.question
}

// takes: g is only a place or another object of f.
func (f *frame) takes(g *frame) bool {
	if g.hasPred() || g.question || g.asWell || len(g.targets) == 0 || !f.hasPred() || g.not || g.topic != 0 || g.timer || len(g.preds) > 0 && g.preds[0].prop != 0 {
		return false
	}
	if len(f.targets) == 0 {
		f.targets = g.targets
		return true
	}
	last := f.targets[len(f.targets)-1]
	for _, t := range g.targets {
		switch {
		case t.noun() || t.it || t.other:
			f.targets = append(f.targets, t)
		case !last.where() && last.noun():
			f.targets[len(f.targets)-1].placeOf(&t)
			last = f.targets[len(f.targets)-1]
		default:
			more := last
			more.placeOf(&t)
			f.targets = append(f.targets, more)
		}
	}
	f.also = f.also || g.also
	f.both = f.both || g.both
	return true
}

// share gives clauses without an object that of the clause before, and joins places to nouns within a clause.
func (p *parser) share(frames []frame) {
	for i := range frames {
		f := &frames[i]
		f.joinPlaces()
		if i == 0 {
			continue
		}
		prev := &frames[i-1]
		if !f.hasTarget() && prev.hasTarget() && (f.hasPred() || f.flagged(p.scan)) && f.scene == 0 && f.topic == 0 && !f.timer && !prev.question {
			f.targets, f.except, f.inherits = prev.targets, prev.except, true
			f.both = prev.both
		} else if prev.hasTarget() && len(f.targets) == 1 && f.targets[0].it && !f.targets[0].noun() && !f.targets[0].where() { // … and set it to 20 %
			f.targets, f.inherits = prev.targets, true
		} else if noun := prev.lastNoun(); noun != nil && f.hasTarget() && !f.targets[0].noun() && f.targets[0].where() && f.bareValue() {
			more := *noun
			more.placeOf(&f.targets[0])
			f.targets[0] = more // 客厅的灯50%，书房的30%
		} else if f.hasTarget() && prev.hasTarget() { // 关主卧的灯然后打开空调: the place carries over where the noun has none
			from := prev.targets[len(prev.targets)-1]
			for k := range f.targets {
				if t := &f.targets[k]; t.noun() && !t.where() && !t.all && from.where() && !from.house && len(from.floors) == 0 {
					t.carry(from.rooms)
				} else if t.noun() && !t.where() && !t.all {
					t.carry(from.hint)
				}
			}
		}
		if prev.lasts() && f.inherits && f.delay == 0 && (f.verb == vOff || f.verb == vClose || f.verb == vStop) { // 开二十分钟就关
			prev.ended, f.delay = true, prev.lengths[0].seconds()
		}
		if f.at == 0 && f.delay == 0 && (prev.at != 0 || prev.delay != 0) && !prev.timer {
			f.at, f.day, f.delay = prev.at, prev.day, prev.delay
		}
	}
}

// flagged: the clause names a function that is on when it is named: 摇头.
func (f *frame) flagged(s *scan) bool {
	if len(f.preds) == 0 || f.question || f.verb != vNone || s.x == nil {
		return false
	}
	switch s.x.meaning(f.preds[0].prop - 1) {
	case Swing, ChildLock:
		return true
	}
	return false
}

// keepOnly turns "only keep A, the rest off" into "off, except A".
func keepOnly(out []frame) []frame {
	for i := range out {
		f := &out[i]
		if !f.keep || !f.hasTarget() {
			continue
		}
		kept := f.targets
		g := f
		if f.verb == vNone && i+1 < len(out) {
			out = append(out[:i], out[i+1:]...)
			g = &out[i]
		}
		if g.verb != vOff && g.verb != vClose {
			continue
		}
		g.except = append(g.except, kept...)
		g.targets = []target{{typ: kept[0].typ, devices: kept[0].devices, all: true, named: kept[0].named, thing: kept[0].typ == 0}}
		if len(kept[0].devices) > 0 && kept[0].typ == 0 {
			g.targets[0].devices = nil
		}
		return out
	}
	return out
}

func (f *frame) lastNoun() *target {
	for i := len(f.targets) - 1; i >= 0; i-- {
		if f.targets[i].noun() {
			return &f.targets[i]
		}
	}
	return nil
}

// bareValue: the clause sets a value that does not say of what.
func (f *frame) bareValue() bool {
	if f.question || f.scene != 0 || f.verb != vNone && f.verb != vSet && f.verb != vOn && f.verb != vOff || !f.hasPred() {
		return false
	}
	for i := range f.preds {
		if d := &f.preds[i]; d.prop != 0 || d.kind == valNumber && d.num.unit == uDegree || d.dir != 0 && d.about < dirAny {
			return false
		}
	}
	return true
}

// carry notes the place of the clause before: a hint, used only if the noun is not clear without it.
func (t *target) carry(rooms []int32) { t.hint = rooms }

// joinPlaces gives the nouns of a clause the place that was said apart from them.
func (f *frame) joinPlaces() {
	nouns := 0
	for i := range f.targets {
		if f.targets[i].noun() || f.targets[i].it {
			nouns++
		}
	}
	if nouns == 0 || nouns == len(f.targets) {
		return
	}
	out := f.targets[:0:0]
	var place *target
	for i := range f.targets {
		t := &f.targets[i]
		if !t.noun() && !t.it && t.where() {
			if n := len(out); n > 0 && out[n-1].noun() && out[n-1].where() { // 厨房的灯和餐厅的: such a one there, too
				more := out[n-1]
				more.placeOf(t)
				more.all = more.all || t.all
				out = append(out, more)
				continue
			}
			place = t
			continue
		}
		out = append(out, *t)
	}
	if place != nil {
		for i := range out {
			if !out[i].where() {
				out[i].placeOf(place)
				out[i].all = out[i].all || place.all
			}
		}
	}
	f.targets = out
}
