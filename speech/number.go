package speech

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// This file finds the numbers of a text.

var (
	dateForm     = regexp.MustCompile(`^(\d{4})[-/](\d{1,2})[-/](\d{1,2})`)
	timeForm     = regexp.MustCompile(`^(\d{1,2})[:：]([0-5]\d)(?:[:：]([0-5]\d))?`)
	versionForm  = regexp.MustCompile(`^\d+(?:\.\d+){2,}`)
	fractionForm = regexp.MustCompile(`^(\d+)⁄(\d+)`)
	placeForm    = regexp.MustCompile(`^(\d+)(?:st|nd|rd|th)`)
	numberForm   = regexp.MustCompile(`^-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?`)
	rangeForm    = regexp.MustCompile(`^ ?(?:\.\.|-|–|~|～|to) ?\d`)
)

type kind int

const (
	ofNumber kind = iota
	ofDate
	ofTime
	ofVersion
	ofFraction
	ofPlace // 1st, 2nd
)

// A number is what a text says in digits.
type number struct {
	kind     kind
	parts    []string // of a date, time, version or fraction
	value    string   // of a number: digits with at most one point
	negative bool
	unit     unit
	to       bool   // the first of a range
	after    string // what follows it
}

// find reads the number that s begins with.
func find(s string) (found number) {
	if m := dateForm.FindStringSubmatch(s); m != nil && within(m[2], 1, 12) && within(m[3], 1, 31) && !digitAt(s, len(m[0])) {
		return number{kind: ofDate, parts: m[1:], after: s[len(m[0]):]}
	}
	if m := timeForm.FindStringSubmatch(s); m != nil && within(m[1], 0, 24) && !digitAt(s, len(m[0])) {
		return number{kind: ofTime, parts: m[1:], after: s[len(m[0]):]}
	}
	if m := versionForm.FindString(s); m != "" {
		return number{kind: ofVersion, parts: strings.Split(m, "."), after: s[len(m):]}
	}
	if m := fractionForm.FindStringSubmatch(s); m != nil {
		return number{kind: ofFraction, parts: m[1:], after: s[len(m[0]):]}
	}
	if m := placeForm.FindStringSubmatch(s); m != nil {
		if next, _ := utf8.DecodeRuneInString(s[len(m[0]):]); !isLatin(next) {
			return number{kind: ofPlace, value: m[1], after: s[len(m[0]):]}
		}
	}
	m := numberForm.FindString(s)
	u, n := unitAfter(s[len(m):])
	n += len(m)
	found = number{unit: u, after: s[n:]}
	found.value, found.negative = strings.CutPrefix(strings.ReplaceAll(m, ",", ""), "-")
	if r := rangeForm.FindString(found.after); r != "" {
		found.to, found.after = true, found.after[len(r)-1:] // the digit stays
	}
	return found
}

func within(digits string, least, most int) bool {
	n, err := strconv.Atoi(digits)
	return err == nil && least <= n && n <= most
}

func digitAt(s string, i int) bool { return i < len(s) && isDigit(rune(s[i])) }
