package postgres

import (
	"strconv"
	"strings"
)

// rewrite gives a statement as rooms write it in PostgreSQL's words: "?" becomes $1, $2 …, bytes x'01' become
// '\x01'::bytea, and the hint INDEXED BY, which only SQLite's planner needs, is left out. Strings, quoted names and comments stay as they are.
func rewrite(query string) string {
	var b strings.Builder
	b.Grow(len(query) + 16)
	n := 0
	for i := 0; i < len(query); {
		switch rest := query[i:]; {
		case rest[0] == '?':
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
			i++
		case hex(rest) > 0 && (i == 0 || !word(query[i-1])): // x'01' is a string of bits to PostgreSQL
			end := hex(rest)
			b.WriteString(`'\x` + rest[2:end] + `::bytea`)
			i += end
		case quoted(rest) > 0:
			end := quoted(rest)
			b.WriteString(rest[:end])
			i += end
		case hint(rest) > 0 && (i == 0 || !word(query[i-1])):
			i += hint(rest)
		default:
			b.WriteByte(rest[0])
			i++
		}
	}
	return b.String()
}

// quoted is the length of the string, quoted name or comment that s begins with, 0 if it begins with none.
func quoted(s string) int {
	switch {
	case s[0] == '\'' || s[0] == '"': // a doubled quote ends one and begins the next: the same to us
		return until(s, 1, s[:1])
	case strings.HasPrefix(s, "--"):
		return until(s, 2, "\n")
	case strings.HasPrefix(s, "/*"):
		return until(s, 2, "*/")
	case s[0] == '$':
		end := 1
		for end < len(s) && word(s[end]) {
			end++
		}
		if end < len(s) && s[end] == '$' {
			return until(s, end+1, s[:end+1])
		}
	}
	return 0
}

// until is the length of s up to and with end, looked for from the place from; all of s if it is not there.
func until(s string, from int, end string) int {
	if at := strings.Index(s[from:], end); at >= 0 {
		return from + at + len(end)
	}
	return len(s)
}

// hex is the length of the x'…' that s begins with, 0 if it begins with none.
func hex(s string) int {
	if len(s) < 3 || s[0] != 'x' && s[0] != 'X' || s[1] != '\'' {
		return 0
	}
	return until(s, 2, "'")
}

// hint is the length of the "INDEXED BY name" that s begins with, 0 if it begins with none.
func hint(s string) int {
	const head = "INDEXED BY "
	if !strings.HasPrefix(s, head) {
		return 0
	}
	end := len(head)
	for end < len(s) && word(s[end]) {
		end++
	}
	return end
}

func word(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
