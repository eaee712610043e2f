package phrase

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An index finds the entry of a sentence: by the whole of it, or by its first word and then by what stands between its holes.
type index struct {
	whole map[string]string
	first map[string][]*pattern
	loose []*pattern // those that begin with a hole, or within a word
	keys  map[string]bool
}

// A pattern is an entry with holes.
type pattern struct {
	english string
	between []string // what stands around the holes, in order
	weight  int      // bytes of it
	other   []piece
}

// A piece of a translation is text, or a hole.
type piece struct {
	text string
	hole int  // from 1; 0: it is text
	look bool // what is in the hole is looked up
}

func newIndex() *index {
	return &index{whole: make(map[string]string), first: make(map[string][]*pattern), keys: make(map[string]bool)}
}

const hole = "{}"

func (x *index) has(english string) bool { return x.whole[english] != "" || x.keys[english] }

func (x *index) add(english, other string) error {
	if x.has(english) {
		return errors.New("it is there twice")
	}
	between := strings.Split(english, hole)
	pieces, err := cut(other, len(between)-1)
	if err != nil {
		return err
	}
	if len(between) == 1 {
		x.whole[english] = other
		return nil
	}
	x.keys[english] = true
	p := &pattern{english: english, between: between, weight: len(english) - len(hole)*(len(between)-1), other: pieces}
	if word, _, ok := strings.Cut(between[0], " "); ok {
		x.first[word] = append(x.first[word], p)
	} else {
		x.loose = append(x.loose, p)
	}
	return nil
}

var holes = regexp.MustCompile(`\{(\d*)\}|\[(\d*)\]`)

// cut parts a translation into texts and holes, of which there are n.
func cut(other string, n int) ([]piece, error) {
	var out []piece
	at, next := 0, 0
	for _, m := range holes.FindAllStringSubmatchIndex(other, -1) {
		p := piece{look: m[4] >= 0}
		number := other[m[0]+1 : m[1]-1]
		if next++; number == "" {
			p.hole = next
		} else {
			p.hole, _ = strconv.Atoi(number)
		}
		if p.hole < 1 || p.hole > n {
			return nil, fmt.Errorf("%q has a hole %d, the sentence %d of them", other, p.hole, n)
		}
		out = append(out, piece{text: other[at:m[0]]}, p)
		at = m[1]
	}
	return append(out, piece{text: other[at:]}), nil
}

// A looker translates what is in a hole, down to a depth.
type looker func(words string, depth int) string

// find translates a sentence by its entry: of several that fit, the one that says most of it.
func (x *index) find(sentence string, look looker, depth int) (string, bool) {
	if said, ok := x.whole[sentence]; ok {
		return said, true
	}
	best := x.best(sentence)
	if best == nil {
		return "", false
	}
	return best.fill(best.values(sentence), look, depth), true
}

// best is the pattern that a sentence follows, nil for none: the one that says most of it, whether it has its first word or not. One
// that has it and hands the rest on behind a colon goes before those that begin with a hole.
func (x *index) best(sentence string) (best *pattern) {
	word, _, _ := strings.Cut(sentence, " ")
	for _, list := range [][]*pattern{x.first[word], x.loose} {
		if best != nil && best.handsOn() {
			return best
		}
		for _, p := range list {
			if (best == nil || p.before(best)) && p.fits(sentence) {
				best = p
			}
		}
	}
	return best
}

// handsOn says whether the pattern ends with a hole behind a colon: another sentence.
func (p *pattern) handsOn() bool {
	last := len(p.between) - 1
	return p.between[last] == "" && strings.HasSuffix(p.between[last-1], ": ")
}

// before says whether p says more of a sentence than o.
func (p *pattern) before(o *pattern) bool {
	return p.weight > o.weight || p.weight == o.weight && p.english < o.english
}

// fits says whether a sentence is this one with something in its holes.
func (p *pattern) fits(s string) bool {
	s, ok := strings.CutPrefix(s, p.between[0])
	if !ok {
		return false
	}
	last := len(p.between) - 1
	if s, ok = strings.CutSuffix(s, p.between[last]); !ok {
		return false
	}
	for _, text := range p.between[1:last] {
		if _, s, ok = strings.Cut(s, text); !ok {
			return false
		}
	}
	return true
}

// values is what is in the holes of a sentence that fits.
func (p *pattern) values(s string) []string {
	last := len(p.between) - 1
	s = s[len(p.between[0]) : len(s)-len(p.between[last])]
	out := make([]string, 0, last)
	for _, text := range p.between[1:last] {
		value, rest, _ := strings.Cut(s, text)
		out = append(out, value)
		s = rest
	}
	return append(out, s)
}

func (p *pattern) fill(values []string, look looker, depth int) string {
	var l line
	for _, piece := range p.other {
		switch {
		case piece.hole == 0:
			l.write(piece.text)
		case piece.look:
			l.write(look(values[piece.hole-1], depth-1))
		default:
			l.write(values[piece.hole-1])
		}
	}
	return l.String()
}

// A line is a text that grows, with a space between Chinese and letters or digits of others.
type line struct {
	strings.Builder
	last rune
}

func (l *line) write(s string) {
	if s == "" {
		return
	}
	first, _ := utf8.DecodeRuneInString(s)
	if unicode.Is(unicode.Han, l.last) && opens(first) || closes(l.last) && unicode.Is(unicode.Han, first) {
		l.WriteByte(' ')
	}
	l.WriteString(s)
	l.last, _ = utf8.DecodeLastRuneInString(s)
}

// opens says whether a space stands between Chinese and r.
func opens(r rune) bool {
	return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(`"/([{<-+*.`, r))
}

// closes says whether a space stands between r and Chinese.
func closes(r rune) bool {
	return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(`"/)]}>%+`, r))
}
