package mqtt

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// ValidTopic reports whether t may stand in a PUBLISH: 1 to 65,535 bytes of UTF-8 without U+0000, + and #.
func ValidTopic(t string) bool {
	return t != "" && len(t) <= maxString && utf8.ValidString(t) && strings.IndexByte(t, 0) < 0 &&
		strings.IndexByte(t, '+') < 0 && strings.IndexByte(t, '#') < 0
}

// ValidFilter reports whether f may stand in a SUBSCRIBE: as a topic, with + as a whole level and # as the whole last.
func ValidFilter(f string) bool {
	if len(f) > maxString || !utf8.ValidString(f) || strings.IndexByte(f, 0) >= 0 {
		return false
	}
	what, _, _ := filterFault([]byte(f))
	return what == ""
}

// wild reports whether a topic name holds a wildcard.
func wild(t []byte) bool { return bytes.IndexByte(t, '+') >= 0 || bytes.IndexByte(t, '#') >= 0 }

// filterFault says what is wrong with the wildcards and levels of a filter, and the clause in each version.
func filterFault(f []byte) (what, clause311, clause5 string) {
	if len(f) == 0 {
		return "is empty", "MQTT-4.7.3-1", "MQTT-4.7.3-1"
	}
	for i, c := range f {
		starts := i == 0 || f[i-1] == '/'
		last := i == len(f)-1
		switch {
		case c == '#' && (!starts || !last):
			return "has # that is not the whole last level", "MQTT-4.7.1-2", "MQTT-4.7.1-1"
		case c == '+' && (!starts || !last && f[i+1] != '/'):
			return "has + that is not a whole level", "MQTT-4.7.1-3", "MQTT-4.7.1-2"
		}
	}
	return "", "", ""
}

const sharePrefix = "$share/"

func shared(f []byte) bool { return bytes.HasPrefix(f, []byte(sharePrefix)) }

// shareNamed reports whether a shared subscription of MQTT 5 §4.8.2 is $share/{name}/{filter}, both not empty.
func shareNamed(f []byte) bool {
	name, filter, found := bytes.Cut(f[len(sharePrefix):], []byte("/"))
	return found && len(name) > 0 && !wild(name) && len(filter) > 0
}

// invalidAt is where v stops being UTF-8.
func invalidAt(v []byte) int {
	for i := 0; i < len(v); {
		r, n := utf8.DecodeRune(v[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(v)
}
