package nlu

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Read understands one utterance. c may be nil.
func (x *Index) Read(c *Context, utterance string) Reading {
	if c == nil {
		c = &Context{}
	}
	if len(utterance) > MaxRunes && utf8.RuneCountInString(utterance) > MaxRunes {
		kept := c.Previous
		if kept != nil && kept.code == Confirm {
			kept = nil
		}
		return Reading{Outcome: Reject, Lang: c.Lang, Reason: Reason{Code: TooLong, Max: MaxRunes}, Memory: kept}
	}
	s := scans.Get().(*scan)
	defer scans.Put(s)
	s.load(x, c.Lang, utterance)
	s.lattice()
	unknown := s.segment()
	if out, ok := s.announcement(c); ok {
		return out
	}
	if out, ok := s.undoing(c); ok {
		return out
	}
	unknown -= s.aside()
	out := s.resolve(c, unknown)
	if unknown > 0 && repairable(&out) {
		if repaired, ok := s.repair(c, unknown, &out); ok {
			return repaired
		}
	}
	return out
}

// repairable: the reading may be wrong because a word was misheard; what tells or forbids stays as it is.
func repairable(out *Reading) bool {
	switch out.Reason.Code {
	case Negated, Narrative, Conditional, TooLong:
		return false
	}
	return true
}

// load takes an utterance in.
func (s *scan) load(x *Index, lang, utterance string) {
	s.x, s.v, s.raw = x, x.v, utterance
	s.text, s.origin = normalise(utterance, s.text[:0], s.origin[:0])
	s.lang = lang
	if found := language(s.text); lang == "" || found == Chinese || s.v.words[lang] == nil {
		s.lang = found
	}
	s.words = s.v.words[s.lang]
}

// resolve reads the chosen tokens.
func (s *scan) resolve(c *Context, unknown int) Reading {
	r := resolver{scan: s, c: c, room: -1, mem: c.Previous.of(s.x), now: c.Now}
	if c.Room != "" {
		for i := range s.x.rooms {
			if s.x.rooms[i].id == c.Room {
				r.room = int32(i)
			}
		}
	}
	frames := s.parse()
	out := Reading{Lang: s.lang, frames: frames}
	if r.declines() {
		r.fail(Chat, Reason{Code: Negated})
	} else if r.consents() {
		frames, unknown = r.mem.pending, 0
		r.agreed = append(slices.Clip(r.mem.agreed), r.mem.asked)
		r.run(frames)
	} else if frames = unforbidden(frames); r.rest(frames, unknown) {
		frames = r.follow(frames)
		r.run(frames)
	}
	if c.Careful && r.outcome == "" {
		r.warn()
	}
	out.Outcome, out.Reason, out.Actions = r.outcome, r.reason, r.actions
	if out.Outcome == "" {
		out.Outcome = Act
		if len(r.actions) == 0 {
			out.Outcome, out.Reason.Code = Chat, NotUnderstood
		}
	}
	if word := r.nowhere(); word != "" && (out.Outcome == Act || out.Outcome == Clarify) {
		out.Outcome, out.Reason, r.candidates = Reject, Reason{Code: NoSuchDevice, Word: word}, nil
	} else if word := r.sized(); out.Outcome == Act && word != "" {
		out.Outcome, out.Reason = Clarify, Reason{Code: UnclearWords, Word: word}
	} else if out.Outcome == Act && unknown > 0 {
		r.doubt(&out, unknown)
	} else if out.Outcome == Clarify && out.Reason.Code == AmbiguousDevice && r.lang == English && r.modifies() {
		out.Reason, r.candidates = Reason{Code: UnclearWords, Word: r.longest()}, nil
	} else if out.Outcome == Clarify && out.Reason.Code == MissingDevice && unknown > 1 {
		r.stranger(&out)
	}
	if out.Outcome != Act {
		out.Actions = nil
	}
	if out.Outcome == Clarify {
		for _, d := range r.candidates {
			out.Candidates = append(out.Candidates, s.x.devices[d].id)
		}
	}
	out.Memory = r.remember(&out, frames)
	return out
}

// rest settles sentences that are no command as a whole.
func (r *resolver) rest(frames []frame, unknown int) bool {
	for i := range frames {
		f := &frames[i]
		switch {
		case f.remark:
		case f.why:
			return r.fail(Chat, Reason{Code: NotUnderstood})
		case f.told:
			return r.fail(Chat, Reason{Code: Narrative})
		case f.cond:
			if unknown > 3 {
				return r.fail(Chat, Reason{Code: NotUnderstood})
			}
			return r.fail(Reject, Reason{Code: Conditional})
		case f.not:
			return r.fail(Chat, Reason{Code: Negated})
		}
	}
	return true
}

// unforbidden leaves out what is not to be done where something else is, in a clause of its own with a verb and an object of its
// own: 先别关空调，把灯关了.
func unforbidden(frames []frame) []frame {
	var out []frame
	after := false
	for i := range frames {
		f := &frames[i]
		switch {
		case f.not:
			after = true
		case after && (!f.apart || f.inherits || !f.hasTarget() || f.verb == vNone):
			return frames
		default:
			out = append(out, *f)
		}
	}
	if !after || len(out) == 0 {
		return frames
	}
	return out
}

// run resolves clause after clause; the first that cannot be done ends it, and nothing is done then.
func (r *resolver) run(frames []frame) {
	for i := range frames {
		f := &frames[i]
		if f.remark || f.idle() && (f.enough || f.empty()) && len(frames) > 1 {
			continue
		}
		if f.enough && f.idle() {
			r.fail(Chat, Reason{Code: NotUnderstood})
			return
		}
		if !r.frame(f) || f.lasts() && !r.ending(f) {
			r.actions = nil
			return
		}
	}
}

// ending adds the end of what is on for a time only.
func (r *resolver) ending(f *frame) bool {
	g := *f
	g.verb, g.delay = vOff, f.delay+f.lengths[0].seconds()
	return r.frame(&g)
}

// lasts: something is to be on for a time, 浴霸开二十分钟; what ends it is said by nobody.
func (f *frame) lasts() bool {
	return f.verb == vOn && len(f.lengths) == 1 && f.delay == 0 && f.at == 0 && !f.ended && !f.timer && !f.remind && !f.question && f.scene == 0 && !f.hasValue() && f.hasTarget()
}

// hasValue: a value or change is said.
func (f *frame) hasValue() bool {
	for i := range f.preds {
		if !f.preds[i].empty() {
			return true
		}
	}
	return false
}

// stranger: what should be the device is a word that nothing in the home is called.
func (r *resolver) stranger(out *Reading) {
	for i := range r.tokens {
		if t := &r.tokens[i]; t.mask == 0 && t.end-t.start > 1 {
			out.Outcome, out.Reason = Reject, Reason{Code: NoSuchDevice, Word: string(r.text[t.start:t.end])}
			return
		}
	}
}

// doubt turns an act into a question when words in it were not understood that may change it.
func (r *resolver) doubt(out *Reading, unknown int) {
	if len(r.actions) > 0 && strings.HasPrefix(string(r.actions[0].Op), string(OpTimer)) && r.actions[0].Label != "" {
		return // what the timer is for need not be understood
	}
	content, run, word := 0, 0, ""
	for i := range r.tokens {
		t := &r.tokens[i]
		n := int(t.end - t.start)
		if t.mask == 0 && r.stutters(i) {
			continue
		} else if t.mask == 0 && r.tolerable(i) {
			content += n
		} else if t.mask == 0 {
			if n > run {
				run, word = n, string(r.text[t.start:t.end])
			}
		} else if t.mask != cNone.bit() {
			content += n
		}
	}
	if word == "" && content > 0 && !r.modifies() { // no more than a stutter
		return
	}
	limit := 0 // a character that nobody understood may be the one that matters: 锁了吗
	if r.lang == English {
		limit = 3
	}
	switch {
	case unknown > content || run > limit && r.plays:
		out.Outcome, out.Reason = Chat, Reason{Code: NotUnderstood, Word: word}
	case r.actions[0].Op == OpQuery && r.question && !r.modifies(): // asking switches nothing
	case run > limit || r.modifies():
		out.Outcome, out.Reason = Clarify, Reason{Code: UnclearWords, Word: word}
	}
}

// stutters: the token is the first character of the next word, again and again: 打打 | 打开.
func (r *resolver) stutters(i int) bool {
	t := &r.tokens[i]
	if r.lang != Chinese || i+1 >= len(r.tokens) || r.tokens[i+1].start != t.end || r.tokens[i+1].mask == 0 {
		return false
	}
	for _, c := range r.text[t.start:t.end] {
		if c != r.text[t.end] || !isHan(c) || hanDigit(c) >= 0 {
			return false
		}
	}
	return true
}

// nowhere is a floor that the home does not have: 二楼, 楼上.
func (r *resolver) nowhere() string {
	for i := range r.tokens {
		t := &r.tokens[i]
		if t.mask != 0 || r.lang != Chinese || r.text[t.start] != '楼' && r.text[t.start] != '层' {
			continue
		}
		if i > 0 && r.tokens[i-1].number != 0 && r.tokens[i-1].end == t.start {
			return string(r.text[r.tokens[i-1].start : t.start+1])
		}
		if i+1 < len(r.tokens) && r.tokens[i+1].start == t.end && r.tokens[i+1].mask.has(cIn) {
			return string(r.text[t.start : t.end+1])
		}
	}
	return ""
}

// sized is a room told apart by its size, which the home does not: 小卧室 where there is a 卧室.
func (r *resolver) sized() string {
	for i := 0; i+1 < len(r.tokens); i++ {
		t, next := &r.tokens[i], &r.tokens[i+1]
		if t.end-t.start == 1 && (r.text[t.start] == '大' || r.text[t.start] == '小') && t.end == next.start && next.mask.any(cRoom.bit()|cPlace.bit()) {
			return string(r.text[t.start:next.end])
		}
	}
	return ""
}

// longest is the longest word that was not understood.
func (r *resolver) longest() (word string) {
	for i := range r.tokens {
		if t := &r.tokens[i]; t.mask == 0 && int(t.end-t.start) > len([]rune(word)) {
			word = string(r.text[t.start:t.end])
		}
	}
	return word
}

// tolerable: one character before a verb, of a word such as 再, that does not sound like a "not".
func (r *resolver) tolerable(i int) bool {
	t := &r.tokens[i]
	if r.lang != Chinese || t.end-t.start != 1 || i+1 >= len(r.tokens) || !r.tokens[i+1].mask.has(cVerb) || r.tokens[i+1].end-r.tokens[i+1].start < 2 {
		return false
	}
	for _, not := range "别不没勿莫" {
		if plainSound(not) == plainSound(r.text[t.start]) {
			return false
		}
	}
	return true
}

// modifies: an unknown word stands right before a noun and may be part of its name.
func (r *resolver) modifies() bool {
	for i := 0; i+1 < len(r.tokens); i++ {
		t, next := &r.tokens[i], &r.tokens[i+1]
		if t.end != next.start && !(r.lang == English && t.mask == 0 && t.end+1 == next.start && r.text[t.end] == ' ') {
			continue
		}
		if t.mask == 0 && next.mask.any(nounClasses|cRoom.bit()|cPlace.bit()) || t.number != 0 && next.mask == 0 { // or may be its unit
			return true
		}
	}
	return false
}
