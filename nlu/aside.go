package nlu

// longestAside is how many runes nobody understands may be taken for a speaker's reasons.
const longestAside = 8

// aside passes over what speakers say of themselves beside a command, "我要洗澡了，浴霸开开", and returns how many runes
// that are not understood it holds. It must begin with who speaks, or tell what has happened, hold nothing that could be
// said to a device, and stand apart from something that is. What it is to be waited for is a condition: 等孩子睡了，….
func (s *scan) aside() (unknown int) {
	for from := 0; from < len(s.tokens); {
		to, n, idle := s.until(from)
		before, after := s.commands(0, from), s.commands(to, len(s.tokens))
		waits := from < to && s.text[s.tokens[from].start] == '等' && s.tokens[from].mask == 0
		switch {
		case n == 0 || n > longestAside || !idle:
		case waits && after:
			s.pass(from, to)
			s.tokens[from].mask = cIf.bit()
			unknown += n
		case !waits && (s.selfish(&s.tokens[from]) && (before || after) || after && s.happened(to)):
			s.pass(from, to)
			unknown += n
		}
		from = to + 1
	}
	return unknown
}

// until is where the words from token on end, how many of their runes are not understood, and whether the others say
// nothing to a device.
func (s *scan) until(from int) (to, unknown int, idle bool) {
	const empty = classes(1)<<cFiller | 1<<cBa | 1<<cAsk | 1<<cMedia | 1<<cOf | 1<<cIn | 1<<cToo | 1<<cNone
	idle = true
	for to = from; to < len(s.tokens) && !s.isBreak(&s.tokens[to]); to++ {
		if t := &s.tokens[to]; t.mask == 0 {
			unknown += int(t.end - t.start)
		} else {
			idle = idle && (t.mask.only(empty) || t.mask.has(cMedia))
		}
	}
	return to, unknown, idle
}

// pass makes tokens say nothing.
func (s *scan) pass(from, to int) {
	for i := from; i < to; i++ {
		s.tokens[i].edge = edge{start: s.tokens[i].start, end: s.tokens[i].end, mask: cFiller.bit()}
	}
}

// happened: the words before token i end as what has come about does: 孩子睡了，….
func (s *scan) happened(i int) bool {
	if i == 0 || i >= len(s.tokens) || s.lang != Chinese {
		return false
	}
	last := s.text[s.tokens[i-1].end-1]
	return last == '了' || last == '啦'
}

// selfish: the speaker speaks of himself.
func (s *scan) selfish(t *token) bool {
	switch string(s.text[t.start:t.end]) {
	case "我", "我们", "咱", "咱们", "我要", "我想", "i", "we", "i'm", "i am", "i want", "i want to", "i need":
		return true
	}
	return false
}

// commands: there is something to do in a part of the sentence.
func (s *scan) commands(from, to int) bool {
	for i := from; i < to; i++ {
		if s.tokens[i].mask.any(cVerb.bit() | cScene.bit() | cParticle.bit()) {
			return true
		}
	}
	return false
}
