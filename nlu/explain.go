package nlu

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Explanation shows how a sentence came to its reading, stage by stage.
type Explanation struct {
	Text    string      `json:"text"` // normalised: what the later stages see
	Lang    string      `json:"lang"` // whose words were looked for
	Words   []Word      `json:"words"`
	Clauses [][]string  `json:"clauses"` // what each clause says, before anything is looked up in the home: "verb on", "object: light in 客厅"
	Reading Reading     `json:"-"`
	Result  lineReading `json:"reading"` // the reading, as the lines of [Lines] have it
}

// A Word is a stretch of the text that was taken as one.
type Word struct {
	Text  string   `json:"text"`
	Kinds []string `json:"kinds"` // what it can be: "verb on", "room 客厅"; none: not understood
}

// Explain reads an utterance as [Index.Read] does, and tells the stages. It allocates; Read does hardly.
func (x *Index) Explain(c *Context, utterance string) Explanation {
	if c == nil {
		c = &Context{}
	}
	start := time.Now()
	out := Explanation{Reading: x.Read(c, utterance)}
	out.Result = lineOf("", out.Reading, time.Since(start))
	if out.Reading.Reason.Code == TooLong {
		return out
	}
	s := new(scan)
	s.load(x, c.Lang, utterance)
	if out.Reading.Repaired != "" {
		s.load(x, c.Lang, out.Reading.Repaired)
	}
	s.lattice()
	if s.segment(); out.Reading.Repaired == "" {
		s.aside()
	}
	out.Text, out.Lang = string(s.text), s.lang
	for i := range s.tokens {
		if t := &s.tokens[i]; t.mask != cNone.bit() {
			out.Words = append(out.Words, s.word(t))
		}
	}
	for _, f := range s.parse() {
		out.Clauses = append(out.Clauses, s.clause(&f))
	}
	return out
}

// word tells what a token can be.
func (s *scan) word(t *token) Word {
	w := Word{Text: string(s.text[t.start:t.end])}
	s.senses(t, func(e sense) bool {
		if kind := s.kindOf(e); !slices.Contains(w.Kinds, kind) {
			w.Kinds = append(w.Kinds, kind)
		}
		return true
	})
	if t.number != 0 {
		w.Kinds = append(w.Kinds, "number "+s.amount(&s.numbers[t.number-1]))
	}
	return w
}

// wordKinds are the classes of function words by the keys of the vocabulary.
func wordKinds(c class, code int32) string {
	for _, key := range sortedKeys(wordClasses) {
		if w := wordClasses[key]; w.class == c && w.code == code {
			return strings.ReplaceAll(key, "_", " ")
		}
	}
	return "word"
}

// kindOf names a sense.
func (s *scan) kindOf(e sense) string {
	v, x := s.v, s.x
	switch e.class {
	case cType:
		return "kind of device " + v.categories.list[e.code]
	case cProp:
		return "property " + string(x.meaning(e.code))
	case cValue:
		if e.code >= ownValue {
			return "value " + x.values.list[e.code-ownValue]
		}
		return "value " + v.values.list[e.code]
	case cColour:
		return "colour " + v.colours.list[e.code]
	case cWhite:
		return "white of " + strconv.Itoa(int(e.code)) + " K"
	case cVerb:
		if m := e.machine(); m != 0 {
			return "what a " + v.categories.list[m-1] + " does"
		}
		return "verb " + e.verb().String()
	case cDir, cExtreme:
		return s.direction(e)
	case cRoom:
		return "room " + x.rooms[e.code].label
	case cFloor:
		return "floor " + x.floors[e.code].name
	case cDevice:
		return "device " + x.devices[e.code].label
	case cPart:
		return "end of the name of " + x.devices[e.code].label
	case cScene:
		return "scene " + x.scenes[e.code].label
	case cPhrase:
		if e.code >= firstCall {
			return "service " + x.calls.list[e.code-firstCall]
		}
		return "phrase of scene " + x.scenes[e.code].label
	case cPlace:
		return "kind of room " + v.kinds.list[e.code]
	case cDay:
		return "day " + v.days.list[e.code]
	case cState:
		return "state " + [...]string{"on", "off", "locked", "unlocked", "running", "opened"}[e.code]
	case cPeriod:
		return "time of day"
	case cUnit:
		return "unit"
	}
	return wordKinds(e.class, e.code)
}

// direction names what a word changes: brighter, hottest.
func (s *scan) direction(e sense) string {
	what := map[int32]string{dirAny: "", dirWarm: " warmth", dirCold: " warmth", dirHot: " heat", dirTemp: " temperature", dirAir: " air"}[e.code]
	if e.code >= 0 {
		what = " " + string(s.x.meaning(e.code))
	}
	way := "more"
	if e.sign < 0 {
		way = "less"
	}
	if e.class == cExtreme {
		way = map[bool]string{true: "most", false: "least"}[e.sign >= 0]
	}
	return way + what
}

// amount tells a number with its unit, a duration or a time.
func (s *scan) amount(q *quantity) string {
	switch q.kind {
	case qDuration:
		return strconv.Itoa(q.seconds()) + " s"
	case qClock:
		return clock(q.clock)
	}
	out := strconv.FormatFloat(q.value, 'f', -1, 64)
	for name, unit := range unitNames {
		if unit == q.unit {
			out += " " + name
		}
	}
	return out
}

// clause tells what a frame says.
func (s *scan) clause(f *frame) []string {
	out := []string{}
	say := func(when bool, what string) {
		if when {
			out = append(out, what)
		}
	}
	say(f.verb != vNone, "verb "+f.verb.String())
	if f.call != 0 {
		say(true, "service "+s.x.calls.list[f.call-1])
	}
	if f.scene != 0 {
		say(true, "scene "+s.x.scenes[f.scene-1].label)
	}
	for i := range f.targets {
		say(true, "object: "+s.object(&f.targets[i]))
	}
	for i := range f.except {
		say(true, "but not: "+s.object(&f.except[i]))
	}
	for i := range f.preds {
		say(!f.preds[i].empty(), "to: "+s.predicate(&f.preds[i]))
	}
	say(f.delay > 0, "in "+strconv.Itoa(f.delay)+" s")
	say(f.at > 0, "at "+clock(max(f.at, 1)-1))
	say(f.timer, "timer")
	say(f.question, "question")
	say(f.not, "negated")
	say(f.told, "told of what was")
	say(f.cond, "condition")
	say(f.inherits, "object of the clause before")
	return out
}

// object tells what a noun phrase says.
func (s *scan) object(t *target) string {
	var out []string
	for _, mark := range []struct {
		said bool
		word string
	}{{t.all, "all"}, {t.any, "any"}, {t.other, "the other"}, {t.it, "it"}, {t.thing, "everything"}} {
		if mark.said {
			out = append(out, mark.word)
		}
	}
	var names []string
	for _, d := range t.devices {
		names = append(names, s.x.devices[d].label)
	}
	if kind := t.typ - 1; kind >= 0 && !slices.Contains(names, s.v.categories.list[kind]) {
		names = append(names, s.v.categories.list[kind])
	}
	if len(names) == 0 {
		for _, d := range t.parts {
			names = append(names, s.x.devices[d].label)
		}
	}
	if len(names) > 0 {
		out = append(out, strings.Join(names, " or "))
	}
	var places []string
	for _, r := range t.rooms {
		places = append(places, s.x.rooms[r].label)
	}
	for _, fl := range t.floors {
		places = append(places, s.x.floors[fl].name)
	}
	if t.house {
		places = append(places, "the whole home")
	}
	if t.here {
		places = append(places, "here")
	}
	if len(places) > 0 {
		out = append(out, "in "+strings.Join(places, " or "))
	}
	return strings.Join(out, " ")
}

// predicate tells what a predicate says.
func (s *scan) predicate(d *pred) string {
	var out []string
	if d.prop != 0 {
		out = append(out, string(s.x.meaning(d.prop-1)))
	}
	switch d.kind {
	case valNumber:
		out = append(out, s.amount(&d.num))
	case valEnum:
		out = append(out, s.kindOf(sense{class: cValue, code: d.code}))
	case valColour:
		out = append(out, s.kindOf(sense{class: cColour, code: d.code}))
	case valWhite:
		out = append(out, s.kindOf(sense{class: cWhite, code: d.code}))
	case valExtreme:
		out = append(out, s.direction(sense{class: cExtreme, sign: d.sign, code: d.code}))
	}
	if d.dir != 0 {
		out = append(out, s.direction(sense{class: cDir, sign: d.dir, code: d.about}))
	}
	if d.little {
		out = append(out, "a little")
	}
	if d.too {
		out = append(out, "too much")
	}
	return strings.Join(out, " ")
}
