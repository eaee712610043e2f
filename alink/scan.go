package alink

import (
	"fmt"
	"unicode/utf8"
)

// Malformed says why an envelope is not understood. Answer it with [CodeBadRequest] and its text.
type Malformed struct {
	Where string // JSON Pointer of a member ("/id"), or a place in the bytes ("byte 17")
	Got   string // what stands there, cut at 64 bytes
	Rule  string // what should stand there
}

// Error returns the sentence that is sent to the device.
func (m *Malformed) Error() string {
	if m.Rule == "" {
		return m.Where + " " + m.Got
	}
	return m.Where + " is " + m.Got + ", want " + m.Rule
}

// Code returns the code of the reply.
func (m *Malformed) Code() int { return CodeBadRequest }

func cut(b []byte) string {
	if len(b) <= 64 {
		return string(b)
	}
	n := 64
	for n > 60 && !utf8.RuneStart(b[n]) {
		n--
	}
	return string(b[:n]) + "…"
}

// scanner walks JSON (RFC 8259) once, from left to right. It is used on the stack and allocates only to say what is wrong.
type scanner struct {
	b     []byte
	i     int
	depth int
}

func (s *scanner) wrong(want string) *Malformed {
	m := &Malformed{Where: fmt.Sprintf("byte %d", s.i), Got: "the end", Rule: want}
	if s.i < len(s.b) {
		r, _ := utf8.DecodeRune(s.b[s.i:])
		m.Got = fmt.Sprintf("%q", r)
	}
	return m
}

func (s *scanner) space() {
	if s.i < len(s.b) && s.b[s.i] > ' ' { // nearly always
		return
	}
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// peek returns the next byte, 0 at the end. A NUL byte is never legal, so the two need not be told apart.
func (s *scanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

// value moves behind one value of any type.
func (s *scanner) value() *Malformed {
	switch c := s.peek(); {
	case c == '"':
		return s.str()
	case c == '{':
		return s.object()
	case c == '[':
		return s.array()
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	}
	return s.wrong("a value")
}

func (s *scanner) word(w string) *Malformed {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return s.wrong(w)
	}
	s.i += len(w)
	return nil
}

// str moves behind a string; s.i is at its opening quote.
func (s *scanner) str() *Malformed {
	b, i := s.b, s.i+1
	for ; i < len(b); i++ {
		c := b[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		s.i = i
		switch c {
		case '"':
			s.i++
			return nil
		case '\\':
			if m := s.escape(); m != nil {
				return m
			}
			i = s.i
		default:
			return s.wrong("a character of a string; control characters are escaped")
		}
	}
	s.i = i
	return s.wrong("the closing quote of a string")
}

// escape moves to the last byte of an escape sequence.
func (s *scanner) escape() *Malformed {
	s.i++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		for range 4 {
			s.i++
			if _, ok := hexValue(s.peek()); !ok {
				return s.wrong("a hexadecimal digit")
			}
		}
		return nil
	}
	return s.wrong("a character that may be escaped")
}

func hexValue(c byte) (rune, bool) {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0'), true
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10, true
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10, true
	}
	return 0, false
}

func (s *scanner) digits() *Malformed {
	b, i := s.b, s.i
	for i < len(b) && b[i]-'0' <= 9 { // bytes wrap: below '0' is above 9
		i++
	}
	if i == s.i {
		return s.wrong("a digit")
	}
	s.i = i
	return nil
}

func (s *scanner) number() *Malformed {
	if s.peek() == '-' {
		s.i++
	}
	if s.peek() == '0' {
		s.i++
	} else if m := s.digits(); m != nil {
		return m
	}
	if s.peek() == '.' {
		s.i++
		if m := s.digits(); m != nil {
			return m
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.i++
		if c := s.peek(); c == '+' || c == '-' {
			s.i++
		}
		return s.digits()
	}
	return nil
}

func (s *scanner) enter() *Malformed {
	if s.depth++; s.depth > MaxDepth {
		return s.wrong(fmt.Sprintf("at most %d levels of nesting", MaxDepth))
	}
	s.i++
	s.space()
	return nil
}

func (s *scanner) array() *Malformed {
	if m := s.enter(); m != nil {
		return m
	}
	for first := true; ; first = false {
		if s.peek() == ']' && first {
			break
		}
		if m := s.value(); m != nil {
			return m
		}
		s.space()
		if s.peek() != ',' {
			break
		}
		s.i++
		s.space()
	}
	if s.peek() != ']' {
		return s.wrong("a comma or ]")
	}
	s.i++
	s.depth--
	return nil
}

// items calls do for each item of the list that s is at.
func (s *scanner) items(do func(n int, value []byte) *Malformed) *Malformed {
	if m := s.enter(); m != nil {
		return m
	}
	for n := 0; n > 0 || s.peek() != ']'; n++ {
		start := s.i
		if m := s.value(); m != nil {
			return m
		}
		if m := do(n, s.b[start:s.i]); m != nil {
			return m
		}
		s.space()
		if s.peek() != ',' {
			break
		}
		s.i++
		s.space()
	}
	if s.peek() != ']' {
		return s.wrong("a comma or ]")
	}
	s.i++
	s.depth--
	return nil
}

func (s *scanner) object() *Malformed {
	if m := s.enter(); m != nil {
		return m
	}
	for first := true; ; first = false {
		_, _, more, m := s.member(first)
		if m != nil {
			return m
		}
		if !more {
			return nil
		}
	}
}

// member moves behind the next member of an object that was entered, or behind its closing brace, and then more is false.
// key is what stands between the quotes, value the bytes of the value.
func (s *scanner) member(first bool) (key, value []byte, more bool, m *Malformed) {
	s.space()
	switch c := s.peek(); {
	case c == '}':
		s.i++
		s.depth--
		return nil, nil, false, nil
	case first:
	case c != ',':
		return nil, nil, false, s.wrong("a comma or }")
	default:
		s.i++
		s.space()
	}
	if s.peek() != '"' {
		return nil, nil, false, s.wrong("a member's name in quotes")
	}
	start := s.i
	if m := s.str(); m != nil {
		return nil, nil, false, m
	}
	key = s.b[start+1 : s.i-1]
	s.space()
	if s.peek() != ':' {
		return nil, nil, false, s.wrong("a colon")
	}
	s.i++
	s.space()
	start = s.i
	if m := s.value(); m != nil {
		return nil, nil, false, m
	}
	return key, s.b[start:s.i], true, nil
}

// open checks that the message is text and enters its object.
func (s *scanner) open() *Malformed {
	if !utf8.Valid(s.b) {
		for utf8.FullRune(s.b[s.i:]) {
			r, n := utf8.DecodeRune(s.b[s.i:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			s.i += n
		}
		return &Malformed{Where: fmt.Sprintf("byte %d", s.i), Got: "is not UTF-8"}
	}
	s.space()
	if s.peek() != '{' {
		return s.wrong("{, for a message is a JSON object")
	}
	return s.enter()
}

// close checks that nothing follows the object.
func (s *scanner) close() *Malformed {
	s.space()
	if s.i < len(s.b) {
		return s.wrong("the end of the message")
	}
	return nil
}
