package speech

import (
	"strconv"
	"strings"
)

// This file says numbers in English.

func (w *aloud) english(found number) {
	w.apart()
	switch found.kind {
	case ofDate:
		w.out.WriteString(dateEn(found.parts))
	case ofTime:
		w.out.WriteString(timeEn(found.parts, found.after))
	case ofVersion:
		for i, part := range found.parts {
			if i > 0 {
				w.out.WriteString(" point ")
			}
			w.out.WriteString(integerEn(part))
		}
	case ofFraction:
		w.out.WriteString(integerEn(found.parts[0]) + " over " + integerEn(found.parts[1]))
	case ofPlace:
		w.out.WriteString(ordinalEn(found.value))
	default:
		w.out.WriteString(sign(found.negative, "minus ") + numberEn(found.value))
		if found.unit.en != "" {
			w.out.WriteString(" " + found.unit.said(found.value == "1"))
		}
		if found.to {
			w.out.WriteString(" to")
		}
	}
	w.spaced = true
}

// timeEn says a time of day; after is what follows it.
func timeEn(m []string, after string) string {
	after = strings.TrimLeft(strings.ToLower(after), " ")
	half := strings.HasPrefix(after, "am") || strings.HasPrefix(after, "pm") || strings.HasPrefix(after, "a.m") || strings.HasPrefix(after, "p.m")
	hour, minute, second := integerEn(m[0]), integerEn(m[1]), ""
	if m[2] != "" {
		second = " and " + integerEn(m[2]) + " seconds"
	}
	switch n, _ := strconv.Atoi(m[0]); {
	case m[1] != "00" && m[1][0] == '0':
		return hour + " oh " + minute + second
	case m[1] != "00" || second != "":
		return hour + " " + minute + second
	case half:
		return hour
	case n%24 == 0:
		return "midnight"
	case n > 12:
		return hour + " hundred"
	}
	return hour + " o'clock"
}

var months = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}

func dateEn(m []string) string {
	month, _ := strconv.Atoi(m[1])
	return months[month-1] + " " + ordinalEn(m[2]) + ", " + yearEn(m[0])
}

// yearEn says four digits as years are said.
func yearEn(year string) string {
	century, rest := year[:2], year[2:]
	switch {
	case year[1:3] == "00":
		return integerEn(year)
	case rest == "00":
		return integerEn(century) + " hundred"
	case rest[0] == '0':
		return integerEn(century) + " oh " + integerEn(rest)
	}
	return integerEn(century) + " " + integerEn(rest)
}

// numberEn says digits with at most one point.
func numberEn(value string) string {
	whole, fraction, point := strings.Cut(value, ".")
	said := integerEn(whole)
	if len(whole) > 1 && whole[0] == '0' {
		said = digitsEn(whole)
	}
	if point {
		said += " point " + digitsEn(fraction)
	}
	return said
}

var (
	small = [...]string{
		"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen",
		"sixteen", "seventeen", "eighteen", "nineteen",
	}
	tens = [...]string{"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"}
)

func digitsEn(digits string) string {
	all := make([]string, len(digits))
	for i := range digits {
		all[i] = small[digits[i]-'0']
	}
	return strings.Join(all, " ")
}

// integerEn says a whole number of up to twelve digits; longer ones are said
// digit by digit.
func integerEn(digits string) string {
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n >= 1e12 {
		return digitsEn(digits)
	}
	if n == 0 {
		return small[0]
	}
	var parts []string
	for _, g := range []struct {
		size uint64
		name string
	}{{1e9, " billion"}, {1e6, " million"}, {1e3, " thousand"}, {1, ""}} {
		part := n / g.size % 1000
		switch {
		case part == 0:
		case g.size == 1 && part < 100 && len(parts) > 0:
			parts = append(parts, "and "+belowThousand(part))
		default:
			parts = append(parts, belowThousand(part)+g.name)
		}
	}
	return strings.Join(parts, " ")
}

// belowThousand says 1 to 999.
func belowThousand(n uint64) string {
	switch {
	case n < 20:
		return small[n]
	case n < 100 && n%10 == 0:
		return tens[n/10]
	case n < 100:
		return tens[n/10] + "-" + small[n%10]
	case n%100 == 0:
		return small[n/100] + " hundred"
	}
	return small[n/100] + " hundred and " + belowThousand(n%100)
}

// ordinalEn says a place in a row: 21 is twenty-first.
func ordinalEn(digits string) string {
	said := integerEn(digits)
	cut := strings.LastIndexAny(said, " -") + 1
	last := said[cut:]
	odd := map[string]string{"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth", "twelve": "twelfth"}
	switch {
	case odd[last] != "":
		last = odd[last]
	case strings.HasSuffix(last, "y"):
		last = strings.TrimSuffix(last, "y") + "ieth"
	default:
		last += "th"
	}
	return said[:cut] + last
}
