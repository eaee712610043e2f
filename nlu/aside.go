package nlu

import "slices"

// longestAside is how many runes nobody understands may be taken for a speaker's reasons.
const longestAside = 8

// aside passes over what speakers say of themselves beside a command, "我要洗澡了，浴霸开开", and returns how many runes
// that are not understood it holds. It must begin with who speaks, or tell what has happened, hold nothing that could be said to a device, and stand
// apart from something that is.
func (s *scan) aside() (unknown int) {
	const idle = classes(1)<<cFiller | 1<<cBa | 1<<cAsk | 1<<cMedia | 1<<cOf | 1<<cIn | 1<<cToo | 1<<cNone
	for from := 0; from < len(s.tokens); {
		to, n, only := from, 0, true
		for ; to < len(s.tokens) && !s.isBreak(&s.tokens[to]); to++ {
			t := &s.tokens[to]
			if t.mask == 0 {
				n += int(t.end - t.start)
				only = only && !slices.Contains(s.text[t.start:t.end], '等') // 等…了，… is a condition
			} else {
				only = only && (t.mask.only(idle) || t.mask.has(cMedia))
			}
		}
		before, after := s.commands(0, from), s.commands(to, len(s.tokens))
		if n > 0 && n <= longestAside && only && (s.selfish(&s.tokens[from]) && (before || after) || after && s.happened(to)) {
			for i := from; i < to; i++ {
				s.tokens[i].edge = edge{start: s.tokens[i].start, end: s.tokens[i].end, mask: cFiller.bit()}
			}
			unknown += n
		}
		from = to + 1
	}
	return unknown
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
