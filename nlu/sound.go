package nlu

import (
	"strings"

	"github.com/mozillazg/go-pinyin"
)

// This file is the second stage: what the clean reading could not explain is read again by sound (Chinese) or by
// spelling (English). A clean word always wins over a repaired one of the same place.

// Costs of words found by sound.
const (
	costSound    = 7 // beside scoreToken: a repaired word of two characters is still worth more than two unknown ones
	costAllWrong = 4 // and every character of it is another
	costShort    = 6 // a word of one character
	maxReadings  = 3 // of one character
	maxSpellings = 8 // of one word, by the readings of its characters
)

// soundRune is one character with its readings; 0 ends them.
type soundRune [maxReadings]rune

// soundsOf are the folded readings of a character: without tone, with the sounds merged that speakers and recognisers
// merge (zh z, ch c, sh s, n l, -ng -n). Latin letters and digits stand for themselves.
func soundsOf(r rune) (out soundRune) {
	if !isHan(r) {
		out[0] = r
		return out
	}
	n := 0
	for _, p := range strings.Split(pinyin.PinyinDict[int(r)], ",") {
		code := soundCode(p)
		if code == 0 || n == maxReadings || n > 0 && out[0] == code || n > 1 && out[1] == code {
			continue
		}
		out[n] = code
		n++
	}
	return out
}

func firstSound(r rune) rune {
	if !isHan(r) {
		return r
	}
	p, _, _ := strings.Cut(pinyin.PinyinDict[int(r)], ",")
	return soundCode(p)
}

// tones maps a vowel with its tone to the plain one.
var tones = map[rune]byte{
	'ā': 'a', 'á': 'a', 'ǎ': 'a', 'à': 'a', 'ē': 'e', 'é': 'e', 'ě': 'e', 'è': 'e', 'ī': 'i', 'í': 'i', 'ǐ': 'i', 'ì': 'i',
	'ō': 'o', 'ó': 'o', 'ǒ': 'o', 'ò': 'o', 'ū': 'u', 'ú': 'u', 'ǔ': 'u', 'ù': 'u', 'ǖ': 'v', 'ǘ': 'v', 'ǚ': 'v', 'ǜ': 'v', 'ü': 'v',
	'ń': 'n', 'ň': 'n', 'ǹ': 'n', 'ḿ': 'm',
}

// soundCode folds one syllable and packs its letters, which are at most five, beyond the range of characters.
func soundCode(p string) rune {
	var buf [8]byte
	s := buf[:0]
	for _, r := range p {
		if b, ok := tones[r]; ok {
			r = rune(b)
		}
		if r >= 'a' && r <= 'z' && len(s) < len(buf) {
			s = append(s, byte(r))
		}
	}
	if len(s) == 0 {
		return 0
	}
	if len(s) > 1 && s[1] == 'h' && (s[0] == 'z' || s[0] == 'c' || s[0] == 's') {
		s = append(s[:1], s[2:]...)
	}
	if s[0] == 'n' && len(s) > 1 {
		s[0] = 'l'
	}
	if n := len(s); n > 2 && s[n-1] == 'g' && s[n-2] == 'n' && s[n-3] != 'o' {
		s = s[:n-1]
	}
	code := rune(0)
	for _, b := range s[:min(len(s), 5)] {
		code = code*27 + rune(b-'a'+1)
	}
	return code + 0x200000
}

// addSounds adds a Chinese word by each way its characters can be read. A word of one character is added only if it is
// the main word of its line in the vocabulary: so little sound is evidence for common words only.
func addSounds(t *trie, word []rune, s sense, main bool) {
	if len(word) == 1 && (s.class != cType && s.class != cDir || !main) {
		return
	}
	han := false
	for _, r := range word {
		han = han || isHan(r)
	}
	if !han || s.class == cPart && len(word) < 3 {
		return
	}
	switch s.class {
	case cFiller, cOf, cAnd, cQ, cToo, cLittle, cBa, cWhy, cTold, cWrong, cEnough, cPhrase, cTopic, cUnit, cNot, cIf, cAsk, cAlso:
		if s.class != cToo && s.class != cLittle && s.class != cUnit && s.class != cAsk || len(word) < 2 {
			return
		}
	}
	t.words = append(t.words, word)
	keys := make([][]rune, 1, maxSpellings)
	for _, r := range word {
		sounds := soundsOf(r)
		if sounds[0] == 0 {
			return
		}
		n := len(keys)
		for k := 1; k < maxReadings && sounds[k] != 0 && len(keys)+n <= maxSpellings; k++ {
			for _, key := range keys[:n] {
				keys = append(keys, append(append(make([]rune, 0, len(word)), key...), sounds[k]))
			}
		}
		for i := range n {
			keys[i] = append(keys[i], sounds[0])
		}
	}
	for _, k := range keys {
		t.add(k, s)
	}
}

// repair reads the sentence again by sound or spelling. ok means that the repaired reading is better than out.
func (s *scan) repair(c *Context, unknown int, out *Reading) (Reading, bool) {
	if s.lang == English {
		return s.respell(c, unknown)
	}
	s.soundRunes = s.soundRunes[:0]
	s.soundUnits()
	for _, r := range s.text { // the text is read the usual way, a word of the lexicon in each way it can be
		s.soundRunes = append(s.soundRunes, firstSound(r))
	}
	for i, r := range s.text {
		if isHan(r) {
			s.soundsAt(i, i, 0, 0)
		}
	}
	left := s.segment()
	if left >= unknown && out.Outcome == Act {
		return Reading{}, false
	}
	heard := s.spelled()
	if text := []rune(heard); len(text) == len(s.text) { // read again as it should have been: 泣点 is a time only as 七点
		copy(s.text, text)
		s.lattice()
		if left = s.segment(); left > 0 && s.soundNumerals() {
			s.lattice()
			left = s.segment()
		}
	}
	repaired := s.resolve(c, left)
	worse := out.Outcome == Clarify && repaired.Outcome != Clarify || out.Outcome == Chat && repaired.Outcome == Reject && left > 0
	if repaired.Outcome != Act && (worse || left >= unknown) {
		return Reading{}, false
	}
	repaired.Repaired = heard
	return repaired, true
}

// noNode is where a walk ends that no word continues.
const noNode = ^uint32(0)

// soundsAt adds the words of lexicon and home that sound like the text from i on.
func (s *scan) soundsAt(i, j int, word, name uint32) {
	if j >= len(s.text) || j-i > 12 {
		return
	}
	sound := s.soundRunes[j]
	if sound == 0 {
		return
	}
	w, n := follow(s.v.sounds, word, sound), follow(s.x.sounds, name, sound)
	if w == noNode && n == noNode {
		return
	}
	s.soundEdge(i, j+1, w, n)
	s.soundsAt(i, j+1, w, n)
}

// soundUnits puts the unit that a character behind a number sounds like in its place: 两呈 is 两成.
func (s *scan) soundUnits() {
	changed := false
	for i := 1; i < len(s.text); i++ {
		r := s.text[i]
		if !isHan(r) || !s.isUnknown(i) || hanDigit(s.text[i-1]) < 0 && hanUnit(s.text[i-1]) == 0 && !isDigit(s.text[i-1]) {
			continue
		}
		for _, unit := range "成度档台秒" {
			if sound := firstSound(unit); sound == firstSound(r) {
				s.text[i], changed = unit, true
			}
		}
	}
	if changed {
		s.lattice()
	}
}

// soundNumerals puts a numeral in place of a character that nothing explains where one is due: 泣点 is 七点.
func (s *scan) soundNumerals() (changed bool) {
	for i, r := range s.text {
		if !isHan(r) || !s.isUnknown(i) || !s.countable(i) {
			continue
		}
		for _, digit := range "一二三四五六七八九十半两" {
			if plainSound(digit) == plainSound(r) {
				s.text[i], changed = digit, true
			}
		}
	}
	return changed
}

// countable: a numeral is due at i.
func (s *scan) countable(i int) bool {
	if i > 0 && (hanDigit(s.text[i-1]) > 0 || hanUnit(s.text[i-1]) > 0) {
		return true
	}
	if i+1 >= len(s.text) {
		return false
	}
	for _, unit := range []string{"点", "度", "档", "成", "小时", "个小时", "分钟", "秒", "十", "百", "千", "台", "频道"} {
		if hasAt(s.text, i+1, unit) {
			return true
		}
	}
	return false
}

// isUnknown reports whether the clean reading left position i unexplained.
func (s *scan) isUnknown(i int) bool {
	for k := range s.tokens {
		if t := &s.tokens[k]; t.mask == 0 && int(t.start) <= i && i < int(t.end) {
			return true
		}
	}
	return false
}

func follow(t *trie, node uint32, r rune) uint32 {
	if node == noNode {
		return noNode
	}
	if n := t.next(node, r); n != 0 {
		return n
	}
	return noNode
}

func (s *scan) soundEdge(i, end int, word, name uint32) {
	out := edge{start: int32(i), end: int32(end)}
	wrong, best := 99, 1<<20
	for k, t := range [...]*trie{s.v.sounds, s.x.sounds} {
		node := [...]uint32{word, name}[k]
		if node == noNode || t.nodes[node].head == 0 {
			continue
		}
		for e := t.nodes[node].head; e != 0; e = t.chain[e].next {
			n, inexact := s.wrong(i, t.words[t.chain[e].word-1])
			if rank := 16*n + inexact; rank < best {
				best, wrong, out.spell, out.homeSpell = rank, n, t.chain[e].word, k == 1
			}
		}
		out.mask |= t.nodes[node].mask
		if k == 0 {
			out.sound = t.nodes[node].head
		} else {
			out.homeSound = t.nodes[node].head
		}
	}
	if best&15 != 0 && end-i > 1 {
		out.cost++ // of two words that sound alike, the one that sounds the same
	}
	n := end - i
	if out.mask == 0 || wrong == 0 || wrong == n && n == 2 && out.homeSound == 0 || n == 1 && !s.shortSound(i, out.mask) {
		return
	}
	out.cost += costSound + float32(wrong-1)*2
	switch {
	case n == 1:
		out.cost += costShort - costSound
	case wrong == n:
		out.cost += costAllWrong
	}
	s.edges = append(s.edges, out)
}

// wrong counts the characters of the text at i that are not those of the word, and those of them that sound alike only
// after folding.
func (s *scan) wrong(i int, word []rune) (n, inexact int) {
	for k, r := range word {
		if s.text[i+k] != r {
			n++
			inexact += b2i(plainSound(s.text[i+k]) != plainSound(r))
		}
	}
	return n, min(inexact, 15)
}

// plainSound is the usual reading of a character without its tone, unfolded.
func plainSound(r rune) rune {
	p, _, _ := strings.Cut(pinyin.PinyinDict[int(r)], ",")
	code := rune(0)
	for _, c := range p {
		if b, ok := tones[c]; ok {
			c = rune(b)
		}
		if c >= 'a' && c <= 'z' {
			code = code*27 + c - 'a' + 1
		}
	}
	return code
}

// shortSound: one character is repaired to a kind of device, or to an adjective where one is due: 太梁了, 按一点.
func (s *scan) shortSound(i int, mask classes) bool {
	if mask.has(cType) {
		return true
	}
	before, after := rune(0), rune(0)
	if i > 0 {
		before = s.text[i-1]
	}
	if i+2 < len(s.text) && s.text[i+1] == '一' {
		after = s.text[i+2]
	}
	return mask.has(cDir) && (before == '太' || before == '点' || before == '么' || before == '调' || after == '点' || after == '些')
}

// spelled is the sentence with the repaired words in it.
func (s *scan) spelled() string {
	var b strings.Builder
	at := int32(0)
	for i := range s.tokens {
		t := &s.tokens[i]
		b.WriteString(string(s.text[at:t.start]))
		switch {
		case t.spell != 0 && t.homeSpell:
			b.WriteString(string(s.x.sounds.words[t.spell-1]))
		case t.spell != 0:
			b.WriteString(string(s.v.sounds.words[t.spell-1]))
		default:
			b.WriteString(string(s.text[t.start:t.end]))
		}
		at = t.end
	}
	return b.String()
}
