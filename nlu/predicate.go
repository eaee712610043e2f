package nlu

import "strings"

// This file reads what is to be done: verbs, properties, values, directions.

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
	case m.has(cDay) && !m.has(cFiller):
		p.f.someday = [2]int32{t.start, t.end}
	case m.has(cState) && (p.f.question || !m.any(cVerb.bit()|cValue.bit())):
		p.flush()
		s, _ := p.sense(t, cState)
		p.f.state = s.code + 1
		p.f.told = p.f.told || p.text[t.start] == '没' && !p.f.question && p.f.verb == vNone && !p.f.hasTarget() // 我没关灯
	case m.has(cValue) && m.has(cDir):
		if p.asDirection() {
			p.direction(t)
		} else {
			p.enum(t)
		}
	case m.has(cValue) && !(m.has(cVerb) && p.f.verb == vNone && !p.f.hasTarget()):
		p.enum(t)
	case m.has(cEnough) && p.f.enough: // 算了不用了
		return false
	case m.has(cVerb) && !(m.has(cLittle) && p.afterChange()):
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

// afterChange: the word before says a change, so that 点 behind it is a little and no verb: 再亮点, 拉开点.
func (p *parser) afterChange() bool {
	prev := p.prev()
	return prev != nil && prev.end == p.tokens[p.tok].start && prev.mask.any(cDir.bit()|cVerb.bit())
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
	v := s.verb()
	p.endExcept()
	p.flush()
	p.except = false
	f := p.f
	if word := string(p.text[t.start:t.end]); v == vDock && (word == "home" || word == "base") && !f.hasTarget() { // "I'm home"
		return
	}
	if both := together(f.verb, v); both != vNone && (p.verbAt == p.tok-1 || both == vUnmute) {
		f.verb = both
		if machine := map[verb]string{vMow: "mower", vClean: "vacuum"}[v]; machine != "" && !f.hasTarget() {
			f.targets = append(f.targets, target{typ: p.v.categories.index[machine] + 1, named: [2]int32{t.start, t.end}})
		}
		p.verbAt = p.tok
		return
	}
	if m := s.machine(); m != 0 && f.withheld() && p.verbAt == p.tok-1 { // 停止烧水
		p.task(m, t)
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
		f = p.split(v)
	}
	if v == vSet && f.verb != vNone && f.verb != vTell && f.verb != vSet {
		return
	}
	f.verb = v
	p.verbAt = p.tok
	if m := s.machine(); m != 0 {
		p.task(m, t)
	}
	if v == vSet && endsWithTo(p.text[t.start:t.end]) {
		p.pred().to = true
	}
}

// split begins a clause at a verb. A property that was said just before belongs to it: 打开台灯，亮度 | 调到三十.
func (p *parser) split(v verb) *frame {
	f, n := p.f, len(p.f.preds)
	alone := (v == vSet || v == vUp || v == vDown) && p.lang == Chinese && n == 1 && f.hasTarget() && p.tok > 0 && p.tokens[p.tok-1].mask.has(cProp)
	if n > 1 || alone {
		if last := f.preds[n-1]; last.prop != 0 && last.kind == valNone && last.dir == 0 {
			f.preds = f.preds[:n-1]
			p.newClause()
			if p.f != f {
				p.f.preds = append(p.f.preds, pred{prop: last.prop})
			}
			return p.f
		}
	}
	p.newClause()
	return p.f
}

// task is an act that says which machine does it: 烧点水.
func (p *parser) task(machine int32, t *token) {
	switch n := len(p.f.targets); {
	case n == 0:
		p.f.targets = []target{{typ: machine, named: [2]int32{t.start, t.end}}}
	case !p.f.targets[n-1].noun() && p.f.targets[n-1].where():
		p.f.targets[n-1].typ, p.f.targets[n-1].named = machine, [2]int32{t.start, t.end}
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
	d.prop, d.span = s.code+1, [2]int32{t.start, t.end}
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
		return d.prop == 0 || p.fits(&pred{kind: valEnum}, d.prop-1) || !p.numeric(d.prop-1) || p.x != nil && p.x.worded[d.prop-1]
	})
	d.kind, d.code, d.own = valEnum, s.code, 0
	p.senses(t, func(s sense) bool {
		if s.class == cValue && s.code >= ownValue {
			d.own = s.code
		}
		return d.own == 0
	})
	p.value = p.tok
}

// worded reads the value of a mode or state that was named, "the state … to stop", where the word is something else by
// itself.
func (p *parser) worded(t *token) bool {
	if len(p.f.preds) == 0 || t.mask.has(cValue) || !t.mask.any(cVerb.bit()|cWhite.bit()|cColour.bit()|cProp.bit()|cType.bit()|cMedia.bit()) {
		return false
	}
	d, word := p.pred(), string(p.text[t.start:t.end])
	if rest, ok := strings.CutPrefix(word, "to "); ok { // "to dock" is one word
		word, d.to = rest, true
	}
	if !d.to || d.prop == 0 || d.kind != valNone || d.dir != 0 {
		return false
	}
	switch p.meaning(d.prop - 1) {
	case Mode, Work, Playback:
	default:
		return false
	}
	p.flush()
	d.kind, d.code, d.word = valEnum, -1, word
	p.value = p.tok
	return true
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
	if d.kind == valNumber && d.dir == 0 && d.num.unit == uPercent && p.lang == Chinese && p.value == p.tok-1 { // 八成亮 is a share, 亮八成 a change
		d.to, d.prop = true, max(d.prop, s.code+1)
		p.f.unclear = p.f.unclear || s.sign < 0
		return
	}
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
		if s, _ = p.sense(t, cPhrase); s.code >= firstCall {
			p.call(s.code)
			return
		}
		p.f.phrase = true
	}
	p.flush()
	p.f.scene = s.code + 1
	p.f.sceneValue = p.x.scenes[s.code].value
}
