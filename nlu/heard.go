package nlu

import (
	"fmt"
	"strings"
	"unicode"
)

// Heard is how a name sounds, for the question whether two are told apart when they are said: Chinese without tone and with the
// sounds merged that speakers and recognisers merge, other letters without case, and nothing of spaces and signs. It shows nothing.
func Heard(name string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case isHan(r):
			fmt.Fprintf(&b, "%x ", firstSound(r))
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}
