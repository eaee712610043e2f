package main

import (
	"strings"
	"unicode"
)

// What breaks help into lines knows words with spaces between, each character one column wide. Chinese has no spaces, and its
// characters take two columns: loose puts a space behind each, where a line may end there, and tight takes it away again.
const (
	spaced = '\ue000' // the space behind it was there before
	filler = '\ue001' // the second column of a character that no line may end behind
)

// wide says whether a character takes two columns.
func wide(r rune) bool {
	return unicode.Is(unicode.Han, r) || r >= '\u3000' && r <= '\u303f' || r >= '\uff01' && r <= '\uff60'
}

// Where no line ends: behind what opens, and before what closes or goes on.
const (
	opening = "（《「『【"
	closing = "，。；：、）》」』】？！)\"'/.,;:?!"
)

// loose makes a text of one that wraps where Chinese may be broken.
func loose(text string) string {
	var out strings.Builder
	runes := []rune(text)
	for i, r := range runes {
		out.WriteRune(r)
		if !wide(r) || i+1 == len(runes) {
			continue
		}
		switch next := runes[i+1]; {
		case next == ' ':
			out.WriteRune(filler)
			out.WriteRune(spaced)
		case next == '\n':
		case strings.ContainsRune(opening, r) || strings.ContainsRune(closing, next):
			out.WriteRune(filler)
		default:
			out.WriteByte(' ')
		}
	}
	return out.String()
}

// tight is a text as it was before loose, but for the ends of its lines.
func tight(text string) string {
	var out strings.Builder
	var before rune
	for _, r := range text {
		if r != filler && r != spaced && !(r == ' ' && wide(before)) {
			out.WriteRune(r)
		}
		before = r
	}
	return out.String()
}
