package speech

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A piece is a run of one language, written as its voice can read it: pinyin
// with tone digits, or English words. It holds letters, digits, spaces and
// plain punctuation only.
type piece struct{ voice, text string }

// words writes text out as pieces. lang decides how numbers and units are said.
func words(text, lang string) []piece {
	w := writer{base: lang, rest: clean(Aloud(text, lang))}
	for w.rest != "" {
		w.step()
	}
	w.flush()
	return w.pieces
}

// clean folds the punctuation of Chinese, too.
func clean(text string) string {
	return strings.Join(strings.Fields(norm.NFKC.String(text)), " ")
}

// A writer collects runs of one language. zh holds Han characters, upper-case
// letters that are spelled, and punctuation; en holds English text.
type writer struct {
	base   string
	rest   string
	zh, en strings.Builder
	pieces []piece
}

func (w *writer) step() {
	r, n := utf8.DecodeRuneInString(w.rest)
	switch {
	case unicode.Is(unicode.Han, r):
		w.toChinese()
		w.zh.WriteRune(r)
	case isLatin(r):
		n = w.word()
	default:
		w.mark(r)
	}
	w.rest = w.rest[n:]
}

// word takes a Latin word with its inner hyphens and apostrophes.
func (w *writer) word() int {
	n := 0
	for n < len(w.rest) {
		r, size := utf8.DecodeRuneInString(w.rest[n:])
		if !isLatin(r) {
			next, _ := utf8.DecodeRuneInString(w.rest[n+size:])
			if (r != '-' && r != '\'') || !isLatin(next) {
				break
			}
		}
		n += size
	}
	word := w.rest[:n]
	if w.base == Chinese && spelled(word) {
		w.toChinese()
		w.zh.WriteString(word)
		return n
	}
	w.toEnglish()
	w.en.WriteString(word)
	return n
}

// spelled says whether Mandarin speakers read the word letter by letter: TV, LED, K.
func spelled(word string) bool {
	for _, r := range word {
		if r < 'A' || r > 'Z' {
			return false
		}
	}
	return len(word) <= 4
}

// mark keeps pauses and drops what nobody says.
func (w *writer) mark(r rune) {
	var out rune
	switch r {
	case ',', '、', ':', ';', '(', ')', '—', '…':
		out = ','
	case '.', '。':
		out = '.'
	case '?', '!':
		out = r
	default:
		out = ' '
	}
	switch {
	case w.en.Len() > 0:
		w.en.WriteRune(out)
	case w.zh.Len() > 0:
		w.zh.WriteRune(out)
	}
}

func (w *writer) toChinese() {
	if w.en.Len() > 0 && len(w.pieces) < maxPieces-1 {
		w.flush()
	}
}

func (w *writer) toEnglish() {
	if w.zh.Len() > 0 && len(w.pieces) < maxPieces-1 {
		w.flush()
	}
}

// flush ends the present run. Beyond maxPieces both runs may be filled; they
// are then read one after the other.
func (w *writer) flush() {
	if zh := pinyinOf(w.zh.String()); zh != "" {
		w.pieces = append(w.pieces, piece{voicePinyin, zh})
	}
	if en := strings.Join(strings.Fields(w.en.String()), " "); strings.ContainsFunc(en, isWord) {
		w.pieces = append(w.pieces, piece{voiceEnglish, en})
	}
	w.zh.Reset()
	w.en.Reset()
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }
func isLatin(r rune) bool { return unicode.Is(unicode.Latin, r) }
func isWord(r rune) bool  { return isDigit(r) || isLatin(r) || unicode.Is(unicode.Han, r) }
