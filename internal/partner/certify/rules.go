package certify

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"lampworks/internal/infra/fault"
)

// Limits.
const (
	maxName     = 64                        // letters
	maxText     = 1000                      // letters of a note, condition or reason
	maxListed   = 32                        // protocols, features, kinds or categories
	maxReport   = 64                        // letters of a report's number
	maxValidity = 10 * 366 * 24 * time.Hour // of a certificate and of an appointment
)

var word = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,63}$`)

func checkWords(where string, words []string) error {
	if len(words) > maxListed {
		return fault.Invalid(where, fmt.Sprintf("%d words", len(words)), fmt.Sprintf("at most %d", maxListed), "")
	}
	for i, w := range words {
		if !word.MatchString(w) || slices.Contains(words[:i], w) {
			return fault.Invalid(fmt.Sprintf("%s/%d", where, i), w, "a word of its own of 1 to 64 lower-case letters, digits, dots, dashes and underscores", "")
		}
	}
	return nil
}

func (c Covers) check() error {
	if len(c.Protocols) == 0 {
		return fault.Invalid("/covers/protocols", "empty", "at least one protocol that is tested", `send ["mqtt"], for example`)
	}
	if err := checkWords("/covers/protocols", c.Protocols); err != nil {
		return err
	}
	if err := checkWords("/covers/features", c.Features); err != nil {
		return err
	}
	return checkText("/covers/firmware", c.Firmware, 0, maxName)
}

// checkText allows least to most letters, on several lines.
func checkText(where, s string, least, most int) error {
	n := utf8.RuneCountInString(s)
	bad := !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' })
	if bad || n < least || n > most || strings.TrimSpace(s) != s {
		return fault.Invalid(where, s, fmt.Sprintf("%d to %d letters without blanks around them and without control characters", least, most), "")
	}
	return nil
}

func checkNames(names map[string]string) error {
	if len(names) == 0 {
		return fault.Invalid("/names", "empty", "a name in zh-CN, en or both", `send {"zh-CN":"…","en":"…"}`)
	}
	for _, lang := range slices.Sorted(maps.Keys(names)) {
		if lang != "zh-CN" && lang != "en" {
			return fault.Invalid("/names/"+lang, lang, "the language zh-CN or en", "")
		}
		if err := checkText("/names/"+lang, names[lang], 1, maxName); err != nil {
			return err
		}
	}
	return nil
}

// checkSpan allows a time from until, not over yet.
func checkSpan(from, until, now time.Time) error {
	switch {
	case from.IsZero():
		return fault.Invalid("/valid_from", "", fault.TimeRule, "")
	case !until.After(from):
		return fault.Invalid("/valid_until", fault.Stamp(until), "a time after valid_from, "+fault.Stamp(from), "")
	case !until.After(now):
		return fault.Invalid("/valid_until", fault.Stamp(until), "a time to come", "")
	case until.Sub(from) > maxValidity:
		return fault.Invalid("/valid_until", fault.Stamp(until), "a time at most ten years after valid_from", "")
	}
	return nil
}
