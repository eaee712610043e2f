package nlu

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
	case t.mask.any(nounClasses) && !(t.mask.has(cPlace) && p.in && !t.mask.has(cDevice)):
		if t.mask.has(cVerb) && p.asVerb() || t.mask.has(cValue) && p.f.hasTarget() && !t.mask.has(cDevice) || t.mask.any(cState.bit()|cProp.bit()) && !t.mask.has(cDevice) {
			return false
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

// turn begins the next clause where another object follows a clause that was said object first: 灯关了 | 空调开到26度.
func (p *parser) turn() {
	if p.in || p.except || p.and && p.np.empty() && !p.predFollows() {
		return
	}
	if p.f.hasTarget() && p.f.hasPred() && p.predAfterTarget() && p.predFollows() {
		p.newClause()
	}
}

// asVerb: "lock" before a noun is a verb, behind one it is a noun.
func (p *parser) asVerb() bool {
	if p.np.noun() || p.f.verb != vNone && p.f.verb != vTell {
		return false
	}
	next := p.peek()
	return next != nil && !next.mask.any(cVerb.bit()|cParticle.bit()|cState.bit())
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
		if p.absorbs(t) {
			p.np.named[1] = t.end
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
			p.np.typ = s.code + 1
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
	switch q.kind {
	case qClock:
		p.f.at, p.f.day = q.clock+1, q.day
		p.f.timeSpan = [2]int32{t.start, t.end}
		return true
	case qDuration:
		p.duration(t, q)
		return true
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
		return after != nil && after.mask.any(nounClasses)
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

// predicate reads verbs, properties, values, directions, scenes.
func (p *parser) predicate(t *token) bool {
	m := t.mask
	switch {
	case m.any(cScene.bit() | cPhrase.bit()):
		p.scene(t)
	case m.has(cTimer):
		p.flush()
		p.f.timer = true
	case m.has(cRemind):
		p.f.remind = true
	case m.has(cState) && (p.f.question || !m.any(cVerb.bit()|cValue.bit())):
		p.flush()
		s, _ := p.sense(t, cState)
		p.f.state = s.code + 1
	case m.has(cValue) && m.has(cDir):
		if p.asDirection() {
			p.direction(t)
		} else {
			p.enum(t)
		}
	case m.has(cValue) && !(m.has(cVerb) && p.f.verb == vNone && !p.f.hasTarget()):
		p.enum(t)
	case m.has(cVerb):
		p.verb(t)
	case m.has(cProp) && !m.has(cFiller):
		p.property(t)
	case m.has(cWhite) && len(p.f.preds) > 0 && p.meaning(p.pred().prop-1) == ColourTemperature:
		p.colour(t, cWhite, valWhite, ColourTemperature)
	case m.has(cColour):
		p.colour(t, cColour, valColour, Colour)
	case m.has(cWhite):
		p.colour(t, cWhite, valWhite, ColourTemperature)
	case m.has(cExtreme):
		p.extreme(t)
	case m.has(cDir) && !(m.has(cFiller) && !p.f.hasTarget() && p.np.empty() && !p.asDirection()): // 快把灯打开
		p.direction(t)
	case m.has(cMedia):
		p.flush()
		p.f.media = true
	default:
		return false
	}
	return true
}

// asDirection: 低一点, 太高 change; 低, 调到高 name a value.
func (p *parser) asDirection() bool {
	if next := p.peek(); next != nil && (next.mask.has(cLittle) || next.mask.has(cNumber)) {
		return true
	}
	prev := p.prev()
	if prev != nil && prev.mask.any(cToo.bit()|cLittle.bit()|cEnoughNot.bit()) {
		return true
	}
	if len(p.f.preds) > 0 {
		d := p.pred()
		if d.to {
			return false
		}
		if d.prop != 0 {
			m := p.meaning(d.prop - 1)
			return m != FanSpeed && m != Level && m != Mode
		}
	}
	return p.f.verb == vSet && p.lang == Chinese
}

func (p *parser) verb(t *token) {
	s, _ := p.sense(t, cVerb)
	v := verb(s.code)
	p.endExcept()
	p.flush()
	p.except = false
	f := p.f
	if both := together(f.verb, v); both != vNone && (p.verbAt == p.tok-1 || both == vUnmute) {
		f.verb = both
		if machine := map[verb]string{vMow: "mower", vClean: "vacuum"}[v]; machine != "" && !f.hasTarget() {
			f.targets = append(f.targets, target{typ: p.v.categories.index[machine] + 1, named: [2]int32{t.start, t.end}})
		}
		p.verbAt = p.tok
		return
	}
	if f.verb == vNone && p.remark() && (v == vOn || v == vOff || v == vOpen || v == vClose || v == vStart || v == vStop) {
		f.preds = nil // 太热了，打开空调: the remark is the reason, not the order
	}
	switch {
	case f.verb == vNone || f.verb == vTell:
		if f.verb == vNone && f.hasTarget() && f.hasPred() && p.value < p.lastNP && p.value >= 0 { // 26度空调 | 打开 …
			break
		}
	case f.verb == v && p.verbAt == p.tok-1, v == vTell:
		return
	case f.verb == vSet && !f.hasPred() && v != vSet, f.verb == vStart, f.verb == vOn && (v == vClean || v == vPlay || v == vMow || v == vStart):
		// the second verb says it better: "turn … down", 开始打扫
	case (v == vStart || v == vSet) && p.verbAt == p.tok-1 && f.verb != vOn && f.verb != vOff:
		return
	case v == vSet && (f.verb == vUp || f.verb == vDown):
		p.pred().to = true
		return
	default:
		p.newClause()
		f = p.f
	}
	if v == vSet && f.verb != vNone && f.verb != vTell && f.verb != vSet {
		return
	}
	f.verb = v
	p.verbAt = p.tok
	if v == vSet && endsWithTo(p.text[t.start:t.end]) {
		p.pred().to = true
	}
}

// remark: so far the clause only says how things are: 太热了, 天黑了.
func (p *parser) remark() bool {
	if len(p.f.preds) == 0 || p.f.hasTarget() && p.value > p.lastNP {
		return false
	}
	for i := range p.f.preds {
		if d := &p.f.preds[i]; d.dir == 0 || d.kind != valNone || d.little {
			return false
		}
	}
	return true
}

// together is what two verbs mean together: stop mowing, 解除 … 静音, 播放上一首.
func together(a, b verb) verb {
	switch {
	case (a == vCancel || a == vOff) && b == vMute, a == vMute && (b == vCancel || b == vOff):
		return vUnmute
	case (a == vStop || a == vCancel) && b == vMow:
		return vDock
	case a == vStop && b == vClean:
		return vStop
	case a == vStop && b == vPlay:
		return vPause
	case a == vPlay && (b == vNext || b == vPrevious):
		return b
	}
	return vNone
}

func endsWithTo(w []rune) bool {
	switch w[len(w)-1] {
	case '到', '至', '为', '成':
		return true
	}
	return false
}

func (p *parser) property(t *token) {
	s, _ := p.sense(t, cProp)
	p.endExcept()
	if !p.except {
		p.flush()
	}
	d := p.pred()
	switch {
	case d.prop == s.code+1:
		return
	case d.prop == 0 && d.kind == valNone && d.dir == 0:
	case d.prop == 0 && p.fits(d, s.code) && (p.value >= p.tok-3):
	case d.prop == 0 && d.dir != 0 && d.kind == valNone && (d.about == dirAny || d.about == s.code):
	case d.prop != 0 && d.kind == valNone && d.dir == 0 && !d.to: // 空调温度风速: the later word counts
		if p.f.question {
			d = p.nextPred()
		}
	default:
		d = p.nextPred()
	}
	d.prop = s.code + 1
}

// fits reports whether the value of d can be one of the meaning.
func (p *parser) fits(d *pred, code int32) bool {
	m := p.meaning(code)
	switch d.kind {
	case valColour:
		return m == Colour
	case valWhite:
		return m == ColourTemperature || m == Colour
	case valEnum:
		return m == Mode || m == FanSpeed || m == Level || m == Swing
	case valNumber:
		switch {
		case !p.numeric(code):
			return false
		case d.num.unit == uDegree:
			return m == TargetTemperature || m == Temperature
		case d.num.unit == uKelvin:
			return m == ColourTemperature
		case d.num.unit == uPercent:
			return m != TargetTemperature && m != ColourTemperature && m != Channel
		}
	}
	return true
}

func (p *parser) enum(t *token) {
	s, _ := p.sense(t, cValue)
	p.endExcept()
	p.flush()
	d := p.valuePred(func(d *pred) bool {
		return d.prop == 0 || p.fits(&pred{kind: valEnum}, d.prop-1) || !p.numeric(d.prop-1)
	})
	d.kind, d.code = valEnum, s.code
	p.value = p.tok
}

func (p *parser) colour(t *token, c class, k valueKind, m Meaning) {
	s, _ := p.sense(t, c)
	p.endExcept()
	p.flush()
	d := p.valuePred(func(d *pred) bool { return d.prop == 0 || p.fits(&pred{kind: k}, d.prop-1) })
	d.kind, d.code = k, s.code
	p.implied(d, m)
	p.value = p.tok
}

func (p *parser) extreme(t *token) {
	s, _ := p.sense(t, cExtreme)
	p.endExcept()
	p.flush()
	d := p.valuePred(func(*pred) bool { return true })
	d.kind, d.sign, d.code = valExtreme, s.sign, s.code
	if s.code >= 0 && d.prop == 0 {
		d.prop = s.code + 1
	}
	p.value = p.tok
}

func (p *parser) direction(t *token) {
	s, _ := p.sense(t, cDir)
	p.endExcept()
	p.flush()
	d := p.pred()
	after := d.kind == valNumber && d.dir == 0 && !d.to && p.value == p.tok-1 // 2 degrees warmer
	if (d.dir != 0 || d.kind != valNone) && !after {
		d = p.nextPred()
	}
	prev := p.prev()
	d.dir, d.about = s.sign, s.code
	if prev != nil && prev.mask.has(cEnoughNot) {
		d.notYet = true
	}
	if prev != nil && prev.mask.has(cToo) {
		d.too = true
	}
	if s.code >= 0 && d.prop == 0 {
		d.prop = s.code + 1
	}
	p.value = p.tok
}

// scene notes a scene; its name may also be a mode of a device: 睡眠模式.
func (p *parser) scene(t *token) {
	s, ok := p.sense(t, cScene)
	if !ok {
		s, _ = p.sense(t, cPhrase)
		p.f.phrase = true
	}
	p.flush()
	p.f.scene = s.code + 1
	p.f.sceneValue = p.x.scenes[s.code].value
}

// function reads the words that carry structure.
func (p *parser) function(t *token) {
	m, f := t.mask, p.f
	switch {
	case m.has(cWrong) && !f.emptyWith(&p.np):
		p.correct()
	case m.has(cEnough):
		f.enough = true
	case m.has(cThen):
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
		f.told = true
	case m.has(cNot):
		if f.hasPred() && f.hasTarget() {
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
	case m.has(cQIs) && f.fix && f.empty(): // "no, it is …" corrects and does not ask
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

func (f *frame) emptyWith(np *target) bool { return f.empty() && np.empty() }
