package nlu

import "sync"

// scan is the work space of one reading; they are pooled.
type scan struct {
	v          *vocabulary
	x          *Index
	lang       string
	words      *trie
	text       []rune
	origin     []int
	raw        string
	edges      []edge
	numbers    []quantity
	best       []float32 // by position: best score of the text before it
	from       []int32   // by position: edge that reaches it, -1 a rune that no word covers
	tokens     []token
	soundRunes []rune
	firsts     []int32 // by position: first edge in order, for the search
	nexts      []int32
}

var scans = sync.Pool{New: func() any { return new(scan) }}

// edge is one word of the lattice: a span and the lists of senses it has in the lexicon and in the home.
type edge struct {
	start, end int32
	mask       classes
	lexicon    int32 // entry in words.chain, 0 none
	home       int32 // entry in x.names.chain, 0 none
	sound      int32 // entry in v.sounds.chain
	homeSound  int32 // entry in x.sounds.chain
	number     int32 // number+1 in numbers
	spell      int32 // word+1 that was heard, in words of the trie it came from
	homeSpell  bool  // that trie is the home's
	cost       float32
}

// token is one chosen edge, or a run of text that nothing covers (mask 0).
type token struct {
	edge
}

// splits reports whether the span cuts a Latin word or a number in two.
func (s *scan) splits(i, j int) bool {
	t := s.text
	if i > 0 && isLetter(t[i]) && (isLetter(t[i-1]) || t[i-1] == '\'') {
		return true
	}
	if j < len(t) && isLetter(t[j-1]) && isLetter(t[j]) {
		return true
	}
	return j < len(t) && isDigit(t[j-1]) && isDigit(t[j]) || i > 0 && isDigit(t[i]) && isDigit(t[i-1])
}

// lattice finds every word of lexicon and home in the text, and every quantity.
func (s *scan) lattice() {
	s.edges, s.numbers = s.edges[:0], s.numbers[:0]
	for i := range s.text {
		if s.text[i] == ' ' || i > 0 && isLetter(s.text[i]) && isLetter(s.text[i-1]) {
			continue
		}
		s.wordsAt(i)
		if r := s.text[i]; isDigit(r) || s.lang == English && isLetter(r) || isHan(r) {
			s.quantities(i)
		}
	}
}

func (s *scan) wordsAt(i int) {
	var w, h uint32
	wok, hok := true, s.x != nil && s.x.names != nil
	for j := i; j < len(s.text) && (wok || hok); j++ {
		e := edge{start: int32(i), end: int32(j + 1)}
		if wok {
			if w = s.words.next(w, s.text[j]); w == 0 {
				wok = false
			} else {
				e.lexicon, e.mask = s.words.nodes[w].head, s.words.nodes[w].mask
			}
		}
		if hok {
			if h = s.x.names.next(h, s.text[j]); h == 0 {
				hok = false
			} else {
				e.home = s.x.names.nodes[h].head
				e.mask |= s.x.names.nodes[h].mask
			}
		}
		if e.mask != 0 && !e.mask.only(cUnit.bit()) && !s.splits(i, j+1) {
			s.edges = append(s.edges, e)
		}
	}
}

// Scores of the search: a word counts by its length, so that long words win over short ones and few over many.
const (
	scoreRune    = 10
	scoreToken   = -6
	scoreHome    = 2
	scoreUnknown = -3
	scoreFiller  = -2
)

func (s *scan) score(e *edge) float32 {
	n := float32(0)
	for _, r := range s.text[e.start:e.end] {
		if r != ' ' {
			n++
		}
	}
	v := n*scoreRune + scoreToken - e.cost
	if s.lang == English && e.mask.has(cVerb) { // "switch of" is a verb before it is a switch and an "of"
		for _, r := range s.text[e.start:e.end] {
			if r == ' ' {
				v += scoreRune
			}
		}
	}
	if e.home != 0 || e.homeSound != 0 {
		v += scoreHome
	}
	if e.mask.only(cFiller.bit() | cBa.bit() | cOf.bit()) {
		v += scoreFiller
	} else if e.mask.only(cIn.bit()) { // 门|锁上, not 门锁|上
		v += scoreFiller - 1
	}
	return v
}

// segment chooses the best cover of the text by words of the lattice and returns the runes that none covers.
func (s *scan) segment() (unknown int) {
	n := len(s.text)
	s.best, s.from = resize(s.best, n+1), resize(s.from, n+1)
	s.firsts, s.nexts = resize(s.firsts, n+1), resize(s.nexts, len(s.edges))
	for i := range s.firsts {
		s.firsts[i] = -1
	}
	for k := range s.edges { // edges by their start
		i := s.edges[k].start
		s.nexts[k], s.firsts[i] = s.firsts[i], int32(k)
	}
	for i := 1; i <= n; i++ {
		s.best[i] = -1e9
	}
	s.best[0] = 0
	for i := range n {
		if s.best[i] <= -1e9 {
			continue
		}
		end, cost := i+1, float32(scoreUnknown)
		if isLetter(s.text[i]) { // a Latin word is known as a whole or not at all
			for end < n && (isLetter(s.text[end]) || s.text[end] == '\'') {
				end++
			}
			cost *= float32(end - i)
		} else if s.text[i] == ' ' || s.text[i] == ',' || s.text[i] == ';' {
			cost = 0
		}
		if v := s.best[i] + cost; v > s.best[end] {
			s.best[end], s.from[end] = v, int32(-1-i)
		}
		for k := s.firsts[i]; k >= 0; k = s.nexts[k] {
			e := &s.edges[k]
			if v := s.best[i] + s.score(e); v > s.best[e.end] {
				s.best[e.end], s.from[e.end] = v, k
			}
		}
	}
	return s.trace(n)
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2+16)
	}
	return s[:n]
}

// trace follows the best way back and writes tokens in reading order.
func (s *scan) trace(n int) (unknown int) {
	s.tokens = s.tokens[:0]
	for i := n; i > 0; {
		k := s.from[i]
		if k >= 0 {
			s.tokens = append(s.tokens, token{s.edges[k]})
			i = int(s.edges[k].start)
			continue
		}
		start := int(-1 - k)
		if !(i-start == 1 && isMark(s.text[start])) {
			unknown += i - start
			if m := len(s.tokens); m > 0 && s.tokens[m-1].mask == 0 && int(s.tokens[m-1].start) == i && isHan(s.text[start]) {
				s.tokens[m-1].start = int32(start)
			} else {
				s.tokens = append(s.tokens, token{edge{start: int32(start), end: int32(i)}})
			}
		} else if s.text[start] != ' ' {
			s.tokens = append(s.tokens, token{edge{start: int32(start), end: int32(i), mask: cNone.bit()}})
		}
		i = start
	}
	for a, b := 0, len(s.tokens)-1; a < b; a, b = a+1, b-1 {
		s.tokens[a], s.tokens[b] = s.tokens[b], s.tokens[a]
	}
	return unknown
}

func isMark(r rune) bool {
	switch r {
	case ' ', ',', ';', '.', '!', '?', ':', '(', ')', '\'', '/', '~', '、', '*', '#':
		return true
	}
	return false
}

// isBreak reports whether t is a mark that parts clauses.
func (s *scan) isBreak(t *token) bool {
	if t.mask != cNone.bit() {
		return false
	}
	switch s.text[t.start] {
	case ',', ';', '.', '!', '?', ':':
		return true
	}
	return false
}

// senses calls do with each sense of t until it returns false.
func (s *scan) senses(t *token, do func(sense) bool) {
	for e := t.lexicon; e != 0; e = s.words.chain[e].next {
		if !do(s.words.chain[e].sense) {
			return
		}
	}
	for e := t.home; e != 0; e = s.x.names.chain[e].next {
		if !do(s.x.names.chain[e].sense) {
			return
		}
	}
	for e := t.sound; e != 0; e = s.v.sounds.chain[e].next {
		if !do(s.v.sounds.chain[e].sense) {
			return
		}
	}
	for e := t.homeSound; e != 0; e = s.x.sounds.chain[e].next {
		if !do(s.x.sounds.chain[e].sense) {
			return
		}
	}
}

// sense is the first sense of class c of t.
func (s *scan) sense(t *token, c class) (found sense, ok bool) {
	if !t.mask.has(c) {
		return sense{}, false
	}
	s.senses(t, func(e sense) bool {
		if e.class == c {
			found, ok = e, true
		}
		return !ok
	})
	return found, ok
}
