package speech

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Aloud writes a text as it is said in lang: numbers, units, percentages,
// times of day, dates and ranges become words, hidden characters go, and all
// other words stay as they are. It holds no digit afterwards, is what it was
// when it is written out again, and is at most 20 times as long, in code
// points, and 64 more.
//
// Every voice is given its texts so; a number that directly follows a Chinese
// character is said in Chinese in an English text, too.
func Aloud(text, lang string) string {
	w := aloud{base: lang, rest: fold(text)}
	for w.rest != "" {
		w.step()
	}
	return fold(w.out.String())
}

// longestNumber is how many bytes are looked at for one number, its unit and
// what follows; more digits are another number.
const longestNumber = 256

// An aloud writes one text out.
type aloud struct {
	base        string
	rest        string
	last        rune // the rune before rest, 0 at the start
	out         strings.Builder
	spaced      bool // what was written last is a number in English
	han, ranges bool // the last number was in Chinese, was the first of a range
}

func (w *aloud) step() {
	r, n := utf8.DecodeRuneInString(w.rest)
	if isDigit(r) || r == '-' && digitAt(w.rest, 1) && !isDigit(w.last) && !isLatin(w.last) {
		head := w.rest[:min(len(w.rest), longestNumber)]
		found := find(head)
		w.han = w.base == Chinese || unicode.Is(unicode.Han, w.last) || w.han && w.ranges
		w.ranges = found.to
		if w.han {
			w.chinese(found)
		} else {
			w.english(found)
		}
		n = len(head) - len(found.after)
	} else {
		if w.spaced && isWord(r) {
			w.apart()
		}
		w.out.WriteString(w.rest[:n])
		w.spaced, w.ranges = false, false
	}
	w.last, _ = utf8.DecodeLastRuneInString(w.rest[:n])
	w.rest = w.rest[n:]
}

// apart keeps a number in English from the word before it.
func (w *aloud) apart() {
	if r, _ := utf8.DecodeLastRuneInString(w.out.String()); isWord(r) {
		w.out.WriteByte(' ')
	}
}

// kept are marks whose width says how a sentence is read.
const kept = "，。、：；！？（）“”‘’…—～《》【】"

// fold folds widths and compatibility forms (５０％ ℃ ㎡) and takes out what has
// no sound. The punctuation of Chinese stays.
func fold(text string) string {
	text = strings.NewReplacer("µ", "μ", "−", "-", "³", "3", "²", "2").Replace(text)
	var b strings.Builder
	for text != "" {
		i := strings.IndexFunc(text, func(r rune) bool { return strings.ContainsRune(kept, r) })
		if i != 0 {
			if i < 0 {
				i = len(text)
			}
			b.WriteString(norm.NFKC.String(text[:i]))
		} else {
			_, i = utf8.DecodeRuneInString(text)
			b.WriteString(text[:i])
		}
		text = text[i:]
	}
	return strings.Join(strings.Fields(strings.Map(visible, b.String())), " ")
}

func visible(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
		return ' '
	}
	return r
}
