package nlu

import "slices"

// This file is the grammar: what each kind of word does to the clause being read.

// peek is the next token that is not a filler, or nil.
func (p *parser) peek() *token {
	for i := p.tok + 1; i < len(p.tokens); i++ {
		t := &p.tokens[i]
		if t.mask != 0 && t.mask != cNone.bit() && !t.mask.only(skipClasses|cOf.bit()|cAsk.bit()) {
			return t
		}
		if p.isBreak(t) {
			return nil
		}
	}
	return nil
}

func (p *parser) prev() *token {
	if p.tok > 0 {
		return &p.tokens[p.tok-1]
	}
	return nil
}

// particle reads "on" and "off" that stand alone.
func (p *parser) particle(t *token) bool {
	if !t.mask.has(cParticle) {
		return false
	}
	s, _ := p.sense(t, cParticle)
	if next := p.peek(); s.code == 1 && next != nil && next.mask.any(cFloor.bit()|cRoom.bit()|cNumber.bit()|cProp.bit()|cDay.bit()|cTimer.bit()) && !next.mask.any(cHere.bit()) {
		p.in = true
		return false
	}
	p.flush()
	p.except = false
	if p.f.question && (!p.f.ask || p.f.is || p.f.any) {
		p.f.state = stateOff + 1
		if s.code == 1 {
			p.f.state = stateOn + 1
		}
		return true
	}
	if p.f.verb == vNone || p.f.verb == vSet {
		p.f.verb = vOff
		if s.code == 1 {
			p.f.verb = vOn
		}
		p.verbAt = p.tok
	}
	return true
}

// noun reads what can be the object: places, devices, types, pronouns.
func (p *parser) noun(t *token) bool {
	switch {
	case t.mask.any(cPlace.bit()|cRoom.bit()) && !t.mask.has(cDevice) && p.modifies(t): // the garage light
		p.turn()
		p.place(t)
	case t.mask.any(nounClasses) && !(t.mask.has(cPlace) && p.in && !t.mask.has(cDevice)):
		if t.mask.has(cVerb) && p.asVerb() || t.mask.has(cValue) && p.f.hasTarget() && !t.mask.has(cDevice) || t.mask.any(cState.bit()|cProp.bit()) && !t.mask.has(cDevice) {
			return false
		}
		if prev := p.prev(); p.lang == English && t.mask.has(cValue) && prev != nil && prev.mask.has(cTo) && (p.f.hasTarget() || !p.np.empty()) {
			return false // switch the air conditioner to heating
		}
		p.turn()
		p.nounAt(t)
	case t.mask.any(cRoom.bit() | cFloor.bit() | cPlace.bit()):
		p.turn()
		p.place(t)
	case t.mask.has(cHouse):
		p.clear()
		p.attachable().house = true
	case t.mask.has(cHere):
		p.clear()
		p.attachable().here = true
	case t.mask.has(cIt) && !t.mask.has(cFiller):
		if p.clear(); p.np.noun() {
			return true
		}
		p.np.it = true
	default:
		return false
	}
	p.lastNP = p.tok
	return true
}

// modifies: the next word is a noun and nothing stands between, so that t only says which.
func (p *parser) modifies(t *token) bool {
	if p.lang != English || p.tok+1 >= len(p.tokens) {
		return false
	}
	next := &p.tokens[p.tok+1]
	return next.start == t.end+1 && p.text[t.end] == ' ' && next.mask.any(nounClasses) && !next.mask.any(cVerb.bit()|cState.bit()|cValue.bit()|cProp.bit())
}

// turn begins the next clause where another object follows a clause that was said object first: 灯关了 | 空调开到26度.
func (p *parser) turn() {
	if p.in || p.except || p.and && p.np.empty() && !p.predFollows() {
		return
	}
	if p.completes() { // 客厅 | 开 | 灯: the place is where the noun is
		return
	}
	if p.f.hasTarget() && p.f.hasPred() && (p.predAfterTarget() || p.whole()) && p.predFollows() {
		p.newClause()
	}
}

// completes: the token is the noun of a verb just before it, and the clause has a place alone so far.
func (p *parser) completes() bool {
	n := len(p.f.targets)
	return p.lang == Chinese && n > 0 && p.verbAt == p.tok-1 && p.f.targets[n-1].where() && !p.f.targets[n-1].noun() && p.tokens[p.tok].mask.any(nounClasses)
}

// corrects: all that was said so far is that something was wrong.
func (p *parser) corrects() bool {
	wrong := false
	for i := range p.tokens[:p.tok] {
		t := &p.tokens[i]
		wrong = wrong || t.mask.has(cWrong)
		if !t.mask.has(cWrong) && t.mask != cNone.bit() && !t.mask.only(skipClasses) {
			return false
		}
	}
	return wrong
}

// whole: the clause is a place, a verb and its noun: 客厅开灯 | 书房关灯.
func (p *parser) whole() bool {
	n := len(p.f.targets)
	return p.lang == Chinese && p.np.noun() && !p.np.where() && p.verbAt == p.tok-2 && n > 0 && p.f.targets[n-1].where() && !p.f.targets[n-1].noun() &&
		p.tokens[p.tok].mask.any(cRoom.bit()|cPlace.bit())
}

// asVerb: "lock" before a noun is a verb, behind one it is a noun.
func (p *parser) asVerb() bool {
	if p.np.noun() || p.f.verb != vNone && p.f.verb != vTell {
		return false
	}
	next := p.peek()
	return next != nil && (!next.mask.any(cVerb.bit()|cParticle.bit()|cState.bit()) || next.mask.has(cType) && p.lang == English) // lock the lock
}

// clear ends a noun phrase whose place is already behind its noun and another place follows.
func (p *parser) clear() {
	if p.lang == Chinese && p.np.noun() {
		p.flush()
	}
}

// attachable is the noun phrase that a place belongs to: the one being read, or in "turn the lights off in here" the last.
func (p *parser) attachable() *target {
	if p.np.empty() && !p.except && p.lang == English {
		if n := len(p.f.targets); n > 0 && !p.f.targets[n-1].where() {
			return &p.f.targets[n-1]
		}
	}
	return &p.np
}

func (p *parser) nounAt(t *token) {
	if p.np.noun() {
		if first := p.np; p.absorbs(t) {
			p.np.named[1] = t.end
			p.np.odd = first.odd || first.named[1]+1 == t.start && p.odd(&first, t)
			return
		}
		if prev := p.prev(); p.lang == English && !p.and && p.x != nil && p.lastNP == p.tok-1 && p.np.named[1] == prev.end && prev.end+1 == t.start && p.text[prev.end] == ' ' && p.odd(&p.np, t) {
			p.np.named[1], p.np.odd = t.end, true
			return
		}
		carry := target{}
		if p.and || p.lastNP == p.tok-1 {
			carry = p.np
		}
		place := carry.where()
		p.flush()
		if place && !p.except {
			p.np.placeOf(&carry)
			p.np.all = carry.all
		}
	} else if p.and && p.np.empty() && len(p.f.targets) > 0 && !p.except {
		if last := &p.f.targets[len(p.f.targets)-1]; last.where() && last.noun() && p.lastNP >= p.tok-2 {
			p.np.placeOf(last)
		}
	}
	p.np.it = false
	p.np.named = [2]int32{t.start, t.end}
	p.senses(t, func(s sense) bool {
		switch s.class {
		case cDevice:
			p.np.devices = append(p.np.devices, s.code)
		case cPart:
			p.np.parts = append(p.np.parts, s.code)
		case cType:
			if s.sign == typeNarrow {
				p.np.narrow = s.code + 1
			} else {
				p.np.typ, p.np.object = s.code+1, s.sign == typeObject
			}
		}
		return true
	})
}

// absorbs: "play corner lights" is the device Play Corner, said with its type.
func (p *parser) absorbs(t *token) bool {
	if p.and || p.lastNP != p.tok-1 || p.x == nil {
		return false
	}
	if s, ok := p.sense(t, cType); ok {
		for _, d := range p.np.devices {
			if p.x.isType(d, s.code) {
				return true
			}
		}
		if p.np.typ != 0 && len(p.np.devices) == 0 { // "extractor fan": the later word is the type
			p.np.typ = s.code + 1
			return true
		}
	}
	return false
}

// odd reports whether no device is both what a said and what t says: "television lamp" names neither.
func (p *parser) odd(a *target, t *token) bool {
	s, ok := p.sense(t, cType)
	if p.x == nil || !ok {
		return false
	}
	if a.typ != 0 && p.shades(a.typ-1) && p.shades(s.code) { // window blinds
		return false
	}
	for d := range p.x.devices {
		if p.x.isType(int32(d), s.code) && (a.typ != 0 && p.x.isType(int32(d), a.typ-1) || slices.Contains(a.devices, int32(d)) || slices.Contains(a.parts, int32(d))) {
			return false
		}
	}
	return true
}

func (p *parser) shades(typ int32) bool {
	switch p.v.categories.list[typ] {
	case "window", "blind", "curtain":
		return true
	}
	return false
}

func (p *parser) place(t *token) {
	np := &p.np
	if np.noun() && (p.lang == Chinese || p.and || np.where() && !p.in) {
		p.flush()
		np = &p.np
	} else if p.lang == English {
		np = p.attachable()
	}
	if !np.where() {
		np.place = [2]int32{t.start, t.end}
	}
	np.it = false
	if prev := p.prev(); prev != nil && prev.mask.has(cChoice) && prev.end+1 >= t.start && p.lang == English { // the third bedroom is not the one there is
		if s, ok := p.sense(t, cPlace); ok {
			np.kind, np.place = s.code+1, [2]int32{prev.start, t.end}
			return
		}
	}
	p.senses(t, func(s sense) bool {
		switch s.class {
		case cRoom:
			np.rooms = append(np.rooms, s.code)
		case cFloor:
			np.floors = append(np.floors, s.code)
		case cPlace:
			if !t.mask.any(cRoom.bit() | cFloor.bit()) {
				np.kind = s.code + 1
				np.rooms = append(np.rooms, p.x.roomsOf(s.code)...)
			}
		}
		return true
	})
}

// quantifier reads all, every, which, other, except, only.
func (p *parser) quantifier(t *token) bool {
	switch {
	case t.mask.has(cExcept):
		p.flush()
		p.except = true
	case t.mask.has(cExceptEnd) && p.except:
		p.flush()
		p.except = false
	case t.mask.has(cOnlyKeep):
		if p.f.hasPred() && (p.f.hasTarget() || !p.np.empty()) { // 把灯都关了只留小夜灯
			p.newClause()
		}
		p.f.keep = true
	case t.mask.has(cAll):
		p.endExcept()
		if p.np.noun() && p.lang == Chinese { // 灯全部关掉
			p.np.all = true
			return true
		}
		p.np.all = true
	case t.mask.has(cThing):
		p.endExcept()
		p.np.thing = true
	case t.mask.has(cBoth):
		p.endExcept()
		p.f.both = true
	case t.mask.has(cOther):
		p.endExcept()
		if p.np.noun() {
			p.flush()
		}
		p.np.other = true
	case t.mask.has(cAny):
		p.f.any, p.f.question = true, true
		p.np.any = true
		if p.np.noun() {
			p.flush()
		}
	case t.mask.has(cChoice):
		c, _ := p.sense(t, cChoice)
		p.f.choice = c.code + 1
	default:
		return false
	}
	return true
}

func (p *parser) endExcept() {
	if p.except && !p.np.empty() {
		p.flush()
		p.except = false
	}
}

// number reads quantities.
func (p *parser) number(t *token) bool {
	if t.number == 0 || t.mask != cNumber.bit() {
		return false
	}
	q := p.numbers[t.number-1]
	p.f.unclear = p.f.unclear || q.unclear
	switch q.kind {
	case qClock:
		p.f.at, p.f.day = q.clock+1, q.day
		p.f.timeSpan = [2]int32{t.start, t.end}
		return true
	case qDuration:
		p.duration(t, q)
		return true
	}
	if prev := p.prev(); prev != nil && p.tok+1 < len(p.tokens) {
		switch string(p.text[prev.start:prev.end]) {
		case "从", "from": // from 50 to 80: what it was is not wanted
			return true
		}
	}
	if p.counts(t) {
		p.f.both = true
		return true
	}
	p.endExcept()
	p.flush()
	d := p.valuePred(func(d *pred) bool { return d.prop == 0 || p.numeric(d.prop-1) })
	d.kind, d.num = valNumber, q
	switch q.unit {
	case uChannel:
		p.implied(d, Channel)
	case uKelvin:
		p.implied(d, ColourTemperature)
	}
	p.value = p.tok
	return true
}

// counts: "两个床头灯" counts devices and sets nothing.
func (p *parser) counts(t *token) bool {
	q := p.numbers[t.number-1]
	if q.unit != uNone || !q.spoken || p.tok+1 >= len(p.tokens) {
		return false
	}
	next := &p.tokens[p.tok+1]
	switch string(p.text[next.start:next.end]) {
	case "个", "盏", "台", "扇":
		after := p.peek()
		return after != nil && after.mask.any(nounClasses|cRoom.bit()|cPlace.bit())
	}
	return p.lang == English && next.mask.any(nounClasses) && q.value < 10 && q.value > 1 && p.np.empty()
}

func (p *parser) duration(t *token, q quantity) {
	p.flush()
	next := p.peek()
	prev := p.prev()
	if next != nil && next.mask.has(cAfter) || prev != nil && prev.mask.has(cIn) && !p.f.timer {
		p.f.delay = q.seconds()
		end := t.end
		if next != nil && next.mask.has(cAfter) {
			end = next.end
		}
		start := t.start
		if prev != nil && prev.mask.has(cIn) {
			start = prev.start
		}
		p.f.timeSpan = [2]int32{start, end}
	}
	p.f.duration = append(p.f.duration, t.start)
	p.f.lengths = append(p.f.lengths, q)
}

func (p *parser) implied(d *pred, m Meaning) {
	if d.prop == 0 {
		d.prop = p.v.meanings.index[string(m)] + 1
	}
}

func (p *parser) meaning(code int32) Meaning {
	if p.x != nil {
		return p.x.meaning(code)
	}
	if int(code) < len(p.v.meanings.list) {
		return Meaning(p.v.meanings.list[code])
	}
	return ""
}

// numeric reports whether properties of a meaning can be numbers.
func (p *parser) numeric(code int32) bool {
	switch p.meaning(code) {
	case Power, Colour, Mode, Swing, Mute, Playback, Work, Locked, ChildLock:
		return false
	}
	return true
}

// valuePred is the predicate that a value belongs to.
func (p *parser) valuePred(fits func(*pred) bool) *pred {
	d := p.pred()
	if d.kind != valNone || !fits(d) {
		return p.nextPred()
	}
	return d
}

// function reads the words that carry structure.
func (p *parser) function(t *token) {
	m, f := t.mask, p.f
	switch {
	case m.has(cWrong) && p.denies(t): // 灯不关, 不热
		f.not = true
	case m.has(cWrong) && !f.emptyWith(&p.np):
		p.correct()
	case m.has(cWrong) && f.empty() && p.np.empty() && len(p.frames) == 1: // 不对，是餐厅, of the sentence before
		f.fix = true
	case m.has(cEnough) && p.verbNext(): // 灯都不要开
		f.not = true
	case m.has(cEnough):
		f.enough = true
	case m.has(cThen):
		f.more = f.more || m.has(cFiller)
		if f.hasPred() && (f.hasTarget() || !p.np.empty() || f.scene != 0) || f.hasPred() && !m.has(cFiller) {
			if next := p.peek(); !(m.has(cFiller) && next != nil && next.mask.any(cDir.bit()|cLittle.bit())) {
				p.newClause()
			}
		}
	case m.has(cWhy):
		f.why = true
	case m.has(cIf):
		f.cond = true
	case m.has(cTold):
		if next := p.peek(); next == nil || p.tok+1 >= len(p.tokens) || !p.tokens[p.tok+1].mask.has(cOf) { // 刚才的定时 is a thing
			f.told = true
		}
	case m.has(cNot):
		if f.hasPred() && (f.hasTarget() || !p.np.empty()) {
			p.newClause()
			f = p.f
		}
		f.not = true
	case m.has(cAnd):
		p.and = true
		return
	case m.has(cAlso):
		f.also = true
		p.endExcept()
	case m.has(cQHow):
		p.flush()
		f.question, f.how = true, true
		if s, _ := p.sense(t, cQHow); s.code == howWhere {
			f.where = true
		} else if s.code > 0 && (len(f.preds) == 0 || f.preds[len(f.preds)-1].prop == 0) {
			p.implied(p.pred(), howMeanings[s.code])
		}
	case m.has(cQIs) && (f.fix || p.corrects()) && f.empty(): // "no, it is …" corrects and does not ask
	case m.has(cQIs) && p.tok > 0 && !p.np.empty() && p.tok+1 < len(p.tokens) && p.tokens[p.tok+1].mask.has(cToo): // the lamp is too bright
	case m.has(cQIs), m.has(cQ):
		if p.tok > 0 {
			p.flush()
		}
		f.question = true
		f.is = f.is || m.has(cQIs)
	case m.has(cLittle):
		f.little = true
		if len(f.preds) > 0 {
			p.pred().little = true
		}
	case m.has(cTo):
		p.pred().to = true
	case m.has(cBy):
		p.pred().by = true
	case m.has(cAsk):
		f.ask = true
	case m.has(cIn):
		p.in = true
		return
	case m.has(cAsWell):
		f.asWell = true
	case m.has(cTopic):
		s, _ := p.sense(t, cTopic)
		f.topic = s.code + 1
	case m.has(cLeft):
		f.left = true
	case m.has(cBa) && p.text[t.start] == '把' && f.hasPred() && (f.hasTarget() || !p.np.empty()):
		p.newClause()
	}
}

// denies: "not" stands right before what it denies.
func (p *parser) denies(t *token) bool {
	return p.lang == Chinese && t.end-t.start == 1 && p.text[t.start] == '不' && p.tok+1 < len(p.tokens) &&
		p.tokens[p.tok+1].start == t.end && p.tokens[p.tok+1].mask.any(cVerb.bit()|cDir.bit())
}

// verbNext: a verb follows at once.
func (p *parser) verbNext() bool {
	return p.tok+1 < len(p.tokens) && p.tokens[p.tok+1].start == p.tokens[p.tok].end && p.tokens[p.tok+1].mask.has(cVerb)
}

func (f *frame) emptyWith(np *target) bool { return f.empty() && np.empty() }
