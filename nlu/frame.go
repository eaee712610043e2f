package nlu

// A frame is one clause: to what, what. Targets and predicates are as said; nothing is looked up yet.
type frame struct {
	unclear bool // a value that is none: 10-20%
	targets []target
	except  []target
	preds   []pred
	verb    verb

	call       int32 // service that is named + 1
	scene      int32 // scene index + 1
	sceneValue int32 // the same words as a value + 1: "sleep mode" of a purifier
	phrase     bool  // the scene was named by one of its phrases

	not, told, cond, why, ask, also bool
	asWell                          bool // 呢, what about
	question                        bool // a question mark of any kind: 吗, 多少, is …
	how, is, where                  bool
	any                             bool  // any, which, how many
	state                           int32 // state asked for + 1
	keep                            bool  // only keep …
	remark                          bool  // says why, of the clause after it; its targets are that one's
	ended                           bool  // the clause after it says the end
	more                            bool  // 再, further: an amount is one to change by
	both                            bool
	choice                          int32
	little                          bool // a little, of a verb
	media                           bool
	enough                          bool
	topic                           int32 // +1
	timer, remind, left             bool
	last                            bool // of timers: those of the sentence before
	fix                             bool // corrects the clause before
	inherits                        bool // the targets are those of the clause before
	apart                           bool // a mark parts it from the clause before

	delay    int
	duration []int32 // indexes into numbers of the scan, durations said
	lengths  []quantity
	at       int // minutes + 1
	day      int32
	timeSpan [2]int32 // where the time was said
	someday  [2]int32 // where a day was said without a time of day
}

// target is a noun phrase.
type target struct {
	odd     bool // two nouns in one that no device is: television lamp
	rooms   []int32
	floors  []int32
	devices []int32 // by their whole name
	parts   []int32 // by the end of it
	typ     int32   // category + 1
	narrow  int32   // category + 1, said by a word for some of its devices only; typ is 0 then
	object  bool    // said by what it works at
	hint    []int32 // rooms of the clause before
	all     bool
	any     bool
	house   bool
	here    bool
	it      bool
	other   bool
	thing   bool     // everything, all devices
	kind    int32    // a kind of room was said + 1, rooms are all of that kind
	named   [2]int32 // span of the noun
	place   [2]int32 // span of the first room or floor
}

func (t *target) noun() bool {
	return len(t.devices) > 0 || len(t.parts) > 0 || t.typ != 0 || t.narrow != 0
}

func (t *target) where() bool {
	return len(t.rooms) > 0 || t.kind != 0 || len(t.floors) > 0 || t.house || t.here
}

// placeOf takes over the place of another noun phrase.
func (t *target) placeOf(from *target) {
	t.rooms, t.floors, t.house, t.here, t.kind, t.place = from.rooms, from.floors, from.house, from.here, from.kind, from.place
}

func (t *target) empty() bool {
	return !t.noun() && !t.where() && !t.all && !t.it && !t.other && !t.thing
}

// valueKind says what kind of value was said.
type valueKind uint8

const (
	valNone valueKind = iota
	valNumber
	valEnum
	valColour
	valWhite
	valExtreme
)

// pred is one thing to do or to ask.
type pred struct {
	verb   verb
	prop   int32    // meaning code + 1
	span   [2]int32 // where the property was said
	kind   valueKind
	num    quantity
	code   int32  // value, colour, kelvin; meaning of an extreme
	word   string // a value by a word that is none elsewhere: the mode "white", the state "stop"; code is -1 then
	own    int32  // what the value is to models of this home that mean something else by the word, or 0
	sign   int8   // extreme or direction
	dir    int8   // a direction was said
	about  int32  // what the direction is about: a meaning code or dirAny …
	to     bool
	by     bool
	little bool
	too    bool
	notYet bool // 不够亮
}

func (p *pred) empty() bool {
	return p.prop == 0 && p.kind == valNone && p.dir == 0
}

func (f *frame) hasPred() bool {
	if f.verb != vNone && f.verb != vSet && f.verb != vTell || f.scene != 0 || f.call != 0 {
		return true
	}
	for i := range f.preds {
		if f.preds[i].kind != valNone || f.preds[i].dir != 0 {
			return true
		}
	}
	return false
}

// complains: the clause says that something is too much or too little, and nothing else.
func (f *frame) complains() bool {
	for i := range f.preds {
		if d := &f.preds[i]; !d.too || d.kind != valNone || d.little {
			return false
		}
	}
	return len(f.preds) > 0
}

func (f *frame) hasTarget() bool { return len(f.targets) > 0 }

func (f *frame) empty() bool {
	return !f.hasTarget() && len(f.preds) == 0 && f.verb == vNone && f.scene == 0 && !f.question && len(f.except) == 0 && f.topic == 0 && !f.timer && f.state == 0 && f.call == 0
}

// parser walks the tokens of a scan and writes frames.
type parser struct {
	*scan
	frames []frame
	f      *frame // the clause being read
	np     target // the noun phrase being read
	lastNP int    // token that last belonged to a noun phrase
	soft   bool   // a mark stood since the last word
	and    bool   // an "and" stood since the last word
	in     bool   // an "in" stood just before
	except bool   // noun phrases are exceptions now
	tok    int    // index of the token being read
	value  int    // token of the last value
	verbAt int
}

// parse reads the chosen tokens.
func (s *scan) parse() []frame {
	p := parser{scan: s, frames: make([]frame, 1, 3), lastNP: -9, value: -9, verbAt: -9}
	p.f = &p.frames[0]
	for p.tok = 0; p.tok < len(s.tokens); p.tok++ {
		p.read(&s.tokens[p.tok])
	}
	p.flush()
	return p.finish()
}

// newClause ends the clause being read.
func (p *parser) newClause() {
	p.flush()
	p.except = false
	if p.f.empty() {
		return
	}
	p.frames = append(p.frames, frame{})
	prev := &p.frames[len(p.frames)-2]
	p.f = &p.frames[len(p.frames)-1]
	p.f.ask, p.f.apart = prev.ask, p.soft
	p.f.both = false
	p.value, p.verbAt, p.lastNP = -9, -9, -9
}

// flush ends the noun phrase being read.
func (p *parser) flush() {
	np := p.np
	p.np = target{}
	if np.empty() {
		if np.any {
			p.f.any = true
		}
		return
	}
	if p.except {
		p.f.except = append(p.f.except, np)
		return
	}
	if np.it && !np.noun() && p.f.hasTarget() { // 那个落地灯，给它关了
		return
	}
	p.f.any = p.f.any || np.any
	if n := len(p.f.targets); n > 0 && np.noun() && !np.where() { // 客厅 … 灯: a place said before belongs to the noun
		last := &p.f.targets[n-1]
		if last.where() && !last.noun() && !last.it {
			np.placeOf(last)
			np.all = np.all || last.all
			*last = np
			return
		}
	}
	p.f.targets = append(p.f.targets, np)
}

// pred is the predicate being read, made if there is none.
func (p *parser) pred() *pred {
	if len(p.f.preds) == 0 {
		p.f.preds = append(p.f.preds, pred{verb: p.f.verb})
	}
	return &p.f.preds[len(p.f.preds)-1]
}

func (p *parser) nextPred() *pred {
	p.f.preds = append(p.f.preds, pred{verb: p.f.verb})
	return &p.f.preds[len(p.f.preds)-1]
}

const (
	nounClasses = classes(1)<<cDevice | 1<<cPart | 1<<cType
	skipClasses = classes(1)<<cFiller | 1<<cBa
)

// contentful reports whether t begins something that can open a new clause after a complete one.
func (p *parser) opens(t *token) bool {
	return t.mask.any(nounClasses | cRoom.bit() | cPlace.bit() | cThing.bit() | cFloor.bit() | cScene.bit() | cAll.bit() | cHouse.bit() | cHere.bit() | cOther.bit() | cIt.bit())
}

// read takes one token.
func (p *parser) read(t *token) {
	if p.isBreak(t) {
		if p.except && !p.np.empty() {
			p.flush()
			p.except = false
		}
		p.soft = true
		return
	}
	if t.mask == 0 || t.mask == cNone.bit() {
		if t.mask == 0 {
			p.in = false
		}
		return
	}
	if p.soft || p.and {
		p.boundary(t)
	}
	if p.worded(t) || p.particle(t) || p.noun(t) || p.quantifier(t) || p.number(t) || p.predicate(t) {
		p.soft, p.and, p.in = false, false, false
		return
	}
	p.function(t)
}

// boundary decides whether a mark or "and" before t parts clauses.
func (p *parser) boundary(t *token) {
	object := p.f.hasTarget() || !p.np.empty()
	verb := t.mask.has(cVerb) && !t.mask.any(nounClasses)
	if p.soft && verb && p.f.why && p.f.state != 0 && object { // 灯怎么还亮着，关了: no question, a reason
		p.newClause()
		p.frames[len(p.frames)-2].remark = true
		return
	}
	if p.soft && p.f.verb == vNone && p.f.complains() && t.mask.any(cProp.bit()|cDir.bit()|cExtreme.bit()) { // 空调太吵了，风速调低
		p.f.preds = nil
		return
	}
	if complete := p.f.hasPred() && object || p.f.scene != 0 || p.f.call != 0; !complete || p.except {
		return
	}
	switch {
	case p.soft && p.f.verb != vNone && t.mask.has(cProp) && !t.mask.any(nounClasses) && p.predFollows(): // 打开电视，声音调到30
		p.newClause()
	case p.soft && t.mask.has(cToo): // 电热毯关了吧，太热了
		p.newClause()
	case p.soft && t.number != 0 && p.numbers[t.number-1].kind == qDuration && p.predFollows(): // …，过十分钟再关掉
		p.newClause()
	case verb:
		p.newClause()
	case (p.soft || p.and) && p.tellsTime(t) && p.predFollows(): // 开灯，十分钟后关窗帘: the time is not of what stands before
		p.newClause()
	case p.soft && p.opens(t):
		p.newClause()
	case p.and && p.opens(t) && p.predAfterTarget() && p.predFollows():
		p.newClause()
	}
}

// tellsTime: t begins a time at which something is to be done.
func (p *parser) tellsTime(t *token) bool {
	next := p.peek()
	switch {
	case t.mask.has(cIn) && next != nil:
		return next.number != 0 && p.numbers[next.number-1].kind == qDuration
	case t.number == 0 || t.mask != cNumber.bit():
		return false
	}
	kind := p.numbers[t.number-1].kind
	return kind == qClock || kind == qDuration && next != nil && next.mask.has(cAfter)
}

// predAfterTarget: the clause so far is target first, predicate last: "把灯关了".
func (p *parser) predAfterTarget() bool {
	return p.np.empty() && (p.value > p.lastNP || p.verbAt > p.lastNP)
}

// predFollows looks ahead for a verb or value before the next mark.
func (p *parser) predFollows() bool {
	for i := p.tok + 1; i < len(p.tokens); i++ {
		t := &p.tokens[i]
		if p.isBreak(t) || t.mask.has(cThen) && !t.mask.has(cFiller) {
			return false
		}
		if t.mask.any(cVerb.bit()|cNumber.bit()|cValue.bit()|cColour.bit()|cDir.bit()|cExtreme.bit()|cParticle.bit()|cWhite.bit()) && !t.mask.any(nounClasses) {
			return true
		}
	}
	return false
}
