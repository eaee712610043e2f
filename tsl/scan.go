package tsl

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A scan walks once over the bytes of a message.
type scan struct {
	b     []byte
	i     int
	count int      // members that were checked
	buf   [64]byte // an unescaped member name; a longer one is no identifier
}

// next skips white space and is the byte after it, 0 at the end.
func (s *scan) next() byte {
	for s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return c
		}
	}
	return 0
}

// name reads a member name and the colon after it. The name aliases the message or the scan.
func (s *scan) name() ([]byte, *Violation) {
	if s.next() != '"' {
		return nil, s.broken("a name in quotes")
	}
	start := s.i + 1
	i := start
	for i < len(s.b) && s.b[i] != '"' && s.b[i] != '\\' && s.b[i] >= ' ' && s.b[i] < utf8.RuneSelf {
		i++
	}
	var name []byte
	if i < len(s.b) && s.b[i] == '"' {
		name = s.b[start:i]
		s.i = i + 1
	} else {
		var v *Violation
		if name, v = s.escapedName(); v != nil {
			return nil, v
		}
	}
	if s.next() != ':' {
		return nil, s.broken("a colon")
	}
	s.i++
	return name, nil
}

// named reads the name and its colon if the very name comes next: devices post in the order of the model.
func (s *scan) named(name string) bool {
	if s.next() != '"' {
		return false
	}
	end := s.i + 1 + len(name)
	if end+1 >= len(s.b) || s.b[end] != '"' || s.b[end+1] != ':' || string(s.b[s.i+1:end]) != name {
		return false
	}
	s.i = end + 2
	return true
}

// escapedName reads a name with escapes or letters beyond ASCII, as far as the buffer holds it.
func (s *scan) escapedName() ([]byte, *Violation) {
	n := 0
	_, v := s.text(func(r rune) {
		if n+utf8.RuneLen(r) <= len(s.buf) {
			n += utf8.EncodeRune(s.buf[n:], r)
		}
	})
	return s.buf[:n], v
}

// text reads a string and is its length in bytes of UTF-8 after unescaping; each may be nil.
func (s *scan) text(each func(rune)) (length int, v *Violation) {
	start := s.i
	for s.i++; s.i < len(s.b); {
		c := s.b[s.i]
		switch {
		case c == '"':
			s.i++
			return length, nil
		case c == '\\':
			r, ok := s.escape()
			if !ok {
				return 0, s.broken("a whole escape, as \\n or \\u4e2d (both halves of a pair)")
			}
			length += utf8.RuneLen(r)
			if each != nil {
				each(r)
			}
		case c < ' ':
			return 0, s.broken("control characters escaped")
		case c < utf8.RuneSelf:
			s.i++
			length++
			if each != nil {
				each(rune(c))
			}
		default:
			r, n := utf8.DecodeRune(s.b[s.i:])
			if r == utf8.RuneError && n == 1 {
				return 0, s.broken("UTF-8")
			}
			s.i += n
			length += n
			if each != nil {
				each(r)
			}
		}
	}
	s.i = start
	return 0, &Violation{Got: "cut off inside a text", Fix: "send the whole message"}
}

// escape reads one escape, surrogate pairs included.
func (s *scan) escape() (rune, bool) {
	if s.i+1 >= len(s.b) {
		return 0, false
	}
	c := s.b[s.i+1]
	if c != 'u' {
		at := strings.IndexByte(`"\/bfnrt`, c)
		if at < 0 {
			return 0, false
		}
		s.i += 2
		return rune("\"\\/\b\f\n\r\t"[at]), true
	}
	r, ok := hex4(s.b[s.i+2:])
	if !ok || r >= 0xDC00 && r <= 0xDFFF {
		return 0, false
	}
	if r < 0xD800 || r > 0xDFFF {
		s.i += 6
		return r, true
	}
	rest := s.b[s.i+6:]
	if len(rest) < 6 || rest[0] != '\\' || rest[1] != 'u' {
		return 0, false
	}
	low, ok := hex4(rest[2:])
	if !ok || low < 0xDC00 || low > 0xDFFF {
		return 0, false
	}
	s.i += 12
	return (r-0xD800)<<10 | (low - 0xDC00) + 0x10000, true
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// maxGot is how much of a value an error repeats, in bytes.
const maxGot = 64

// broken is the violation of JSON itself at the present byte.
func (s *scan) broken(want string) *Violation {
	got := "cut off at byte " + strconv.Itoa(s.i)
	if s.i < len(s.b) {
		_, n := utf8.DecodeRune(s.b[s.i:])
		got = "not JSON at byte " + strconv.Itoa(s.i) + ", " + strconv.QuoteToGraphic(string(s.b[s.i:s.i+n]))
	}
	return &Violation{Got: got, Rule: want, Fix: "send well-formed JSON"}
}

// literal is the value at the present byte for an error: scalars as they came, objects and lists by their kind.
func (s *scan) literal() string {
	switch s.next() {
	case 0:
		return "missing"
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		end := s.i + 1
		for end < len(s.b) && s.b[end] != '"' {
			if s.b[end] == '\\' {
				end++
			}
			end++
		}
		return cut(s.b[s.i:min(end+1, len(s.b))])
	}
	end := bytes.IndexAny(s.b[s.i:], ",}] \t\r\n")
	if end < 0 {
		end = len(s.b) - s.i
	}
	if end == 0 {
		return "missing"
	}
	return cut(s.b[s.i : s.i+end])
}

// cut is what an error repeats of b: at most maxGot bytes, whole letters, valid UTF-8, on one line.
func cut(b []byte) string {
	more := ""
	if len(b) > maxGot {
		n := maxGot
		for n > 0 && !utf8.RuneStart(b[n]) {
			n--
		}
		b, more = b[:n], "…"
	}
	clean := func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return ' '
		}
		return r
	}
	return strings.Map(clean, strings.ToValidUTF8(string(b), "\uFFFD")) + more
}
