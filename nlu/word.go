package nlu

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	composed "golang.org/x/text/unicode/norm"

	"lampworks/tsl"
)

// MaxSayable is how many characters a word or name may have that people give something.
const MaxSayable = 32

// Sayable brings what something is to be called into the form it is kept in: composed, single spaces. ok is false if nobody could say
// or see it: more than [MaxSayable] characters, no letter or digit, or control and format characters in it.
func Sayable(said string) (kept string, ok bool) {
	if len(said) > 16*MaxSayable || !utf8.ValidString(said) {
		return "", false
	}
	kept = composed.NFC.String(strings.Join(strings.FieldsFunc(said, func(r rune) bool { return r == ' ' || r == '\u3000' }), " "))
	n := utf8.RuneCountInString(kept)
	sayable := strings.ContainsFunc(kept, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
	if n < 1 || n > MaxSayable || !sayable || strings.ContainsFunc(kept, hidden) {
		return "", false
	}
	return kept, true
}

// hidden says whether a character cannot be seen, or changes how others are shown: controls, format characters (direction marks,
// zero width), line separators, private use, unassigned.
func hidden(r rune) bool { return r != ' ' && !unicode.IsGraphic(r) }

// Folded is the form in which two words are the same to understanding: width, case, traditional characters and spaces beside Chinese
// do not tell them apart.
func Folded(word string) string { return string(fold(word)) }

// HasChinese reports whether there is a Chinese character in a text.
func HasChinese(text string) bool { return strings.ContainsFunc(text, isHan) }

// A Use is what a word is in the vocabulary already: Kind is "type" (a kind of device), "property", "value", "verb", "direction", "room"
// (a kind of room) or "word" (all others), Key what it stands for: "lamp", "brightness", "open".
type Use struct{ Kind, Key string }

// Uses are what a whole word means before a home or a maker gives it a meaning; none: it is free. A number is a word.
func Uses(word string) []Use {
	v, w := vocab(), fold(word)
	var out []Use
	var n uint32
	t := v.words[language(w)]
	for _, r := range w {
		if n = t.next(n, r); n == 0 {
			break
		}
	}
	if n != 0 {
		for e := t.nodes[n].head; e != 0; e = t.chain[e].next {
			if u := v.use(t.chain[e].sense); !slices.Contains(out, u) {
				out = append(out, u)
			}
		}
	}
	if len(out) == 0 && counts(w) {
		out = append(out, Use{"word", "number"})
	}
	return out
}

// counts reports whether a word is nothing but digits.
func counts(w []rune) bool {
	return len(w) > 0 && !slices.ContainsFunc(w, func(r rune) bool {
		return !isDigit(r) && r != '.' && hanDigit(r) < 0 && !strings.ContainsRune("十百千万点半", r)
	})
}

func (v *vocabulary) use(s sense) Use {
	switch s.class {
	case cType:
		return Use{"type", v.categories.list[s.code]}
	case cProp:
		return Use{"property", v.meanings.list[s.code]}
	case cValue:
		return Use{"value", v.values.list[s.code]}
	case cVerb:
		return Use{"verb", s.verb().String()}
	case cColour:
		return Use{"word", v.colours.list[s.code]}
	case cPlace:
		return Use{"room", v.kinds.list[s.code]}
	case cDir, cExtreme:
		return Use{"direction", map[bool]string{true: "more", false: "less"}[s.sign >= 0]}
	case cDay:
		return Use{"word", v.days.list[s.code]}
	}
	return Use{"word", wordKinds(s.class, s.code)}
}

// CategoryKey is the kind of device that a category's name stands for, "" if the vocabulary has none.
func CategoryKey(category string) string {
	v := vocab()
	if c, ok := v.categoryIDs[identifier(category)]; ok {
		return v.categories.list[c]
	}
	return ""
}

// Uses are what the vocabulary takes the words of an utterance for, as they were told apart in the home, and how many characters it
// has no word for.
func (x *Index) Uses(utterance string) (out []Use, unknown int) {
	s := new(scan)
	s.load(x, "", utterance)
	s.lattice()
	unknown = s.segment()
	for i := range s.tokens {
		s.senses(&s.tokens[i], func(e sense) bool {
			if e.class != cPhrase && e.class != cRoom && e.class != cFloor && e.class != cDevice && e.class != cPart && e.class != cScene && e.code < ownMeaning {
				if u := s.v.use(e); !slices.Contains(out, u) {
					out = append(out, u)
				}
			}
			return true
		})
	}
	return out, unknown
}

// MeaningOf is what the vocabulary takes a property to be about by its identifier and names, "" if it has none for it.
func MeaningOf(t *tsl.Property) Meaning {
	v := vocab()
	if c, ok := v.propIDs[identifier(t.Identifier)]; ok {
		return Meaning(v.meanings.list[c])
	}
	if c, ok := v.meant(words(t)); ok {
		return Meaning(v.meanings.list[c])
	}
	return ""
}
