package verify

import (
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"lampworks/internal/infra/fault"
)

// Wrong is every value of a form that is refused, in the order of their names.
type Wrong []*fault.Fault

// Error implements error.
func (w Wrong) Error() string {
	all := make([]string, len(w))
	for i, f := range w {
		all[i] = f.Sentence()
	}
	return strings.Join(all, "; ")
}

// fault is the one refusal of all of them; nil if there are none.
func (w Wrong) fault() error {
	switch len(w) {
	case 0:
		return nil
	case 1:
		return w[0]
	}
	return &fault.Fault{Code: fault.Malformed, What: fmt.Sprintf("%d values of the form are wrong", len(w)), Where: "/values", Fix: w[0].Fix, Err: w}
}

// unknown refuses a value of a name that the form does not have.
func (c *Catalogue) unknown(name string, fields []Field) *fault.Fault {
	f := fault.Unlisted("/values/"+fault.Cut(name), name, names("", fields, fieldName), catalogueRoute)
	f.What = fmt.Sprintf("the form has no field %s, want %s", f.Got, f.Rule)
	if c.Field(name) != nil {
		f.What = fmt.Sprintf("the field %s is of another form or for other kinds of organisations, want %s", f.Got, f.Rule)
	}
	return f
}

// check holds a value to the rule of its field. A personal value is not repeated in the refusal.
func (f *Field) check(value string, today time.Time) *fault.Fault {
	got := value
	if f.Personal {
		got = mask(value)
	}
	if rule := f.broken(value, today); rule != "" {
		return fault.Invalid("/values/"+f.Name, got, rule, "correct it; GET /api/v1/verification/catalogue has the rules")
	}
	return nil
}

// broken is the rule that value breaks, empty if it breaks none.
func (f *Field) broken(value string, today time.Time) string {
	n := utf8.RuneCountInString(value)
	most := f.Max
	if most == 0 {
		most = 254
	}
	switch {
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl) || strings.TrimSpace(value) != value:
		return "text without control characters and without space around"
	case n < f.Min || n > most:
		return fmt.Sprintf("%d to %d characters", f.Min, most)
	}
	switch f.Rule {
	case "unified_code":
		return brokenCode(value)
	case "resident_id":
		return brokenResident(value, today)
	case "phone":
		return brokenBy(phone, value, "a phone number: + and country code, or a mainland number")
	case "email":
		if a, err := mail.ParseAddress(value); err != nil || a.Address != value {
			return "an e-mail address"
		}
	case "date":
		if t, err := time.Parse(time.DateOnly, value); err != nil || t.After(today) || t.Year() < 1800 {
			return "a date that has been, as 2010-01-31"
		}
	case "choice":
		if !slices.ContainsFunc(f.Choices, func(c Choice) bool { return c.Value == value }) {
			var values []string
			for _, c := range f.Choices {
				values = append(values, c.Value)
			}
			return "one of " + strings.Join(values, ", ")
		}
	case "pattern":
		return brokenBy(f.pattern, value, "a text of the form "+f.Pattern)
	}
	return ""
}

// phone is an international number (E.164), a mainland mobile number or one with an area code.
var phone = regexp.MustCompile(`^(\+[1-9][0-9]{6,14}|1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8})$`)

func brokenBy(re *regexp.Regexp, value, rule string) string {
	if re.MatchString(value) {
		return ""
	}
	return rule
}

// codeDigits are the characters of a unified social credit code with their values: GB 32100-2015, table 1. I, O, Z, S and V
// are left out.
const codeDigits = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// brokenCode checks a unified social credit code (统一社会信用代码): 18 characters, the last a check character modulo 31 over
// the powers of 3 (GB 32100-2015, section 4 and annex).
func brokenCode(code string) string {
	if len(code) != 18 {
		return "a unified social credit code of 18 characters"
	}
	sum, weight := 0, 1
	for i := range 17 {
		v := strings.IndexByte(codeDigits, code[i])
		if v < 0 || i >= 2 && i < 8 && v > 9 {
			return "a unified social credit code: digits and capital letters but I, O, S, V, Z, and digits at places 3 to 8"
		}
		sum += v * weight
		weight = weight * 3 % 31
	}
	if code[17] != codeDigits[(31-sum%31)%31] {
		return "a unified social credit code whose last character is its check character (GB 32100-2015)"
	}
	return ""
}

// brokenResident checks the number of a resident (公民身份号码): 17 digits, a date of birth among them, and a check character
// of ISO 7064 MOD 11-2 (GB 11643-1999).
func brokenResident(id string, today time.Time) string {
	if len(id) != 18 {
		return "a resident id of 18 characters"
	}
	sum := 0
	for i := range 17 {
		if id[i] < '0' || id[i] > '9' {
			return "a resident id: 17 digits and a check character"
		}
		sum += int(id[i]-'0') * (1 << (17 - i) % 11)
	}
	if id[17] != "10X98765432"[sum%11] {
		return "a resident id whose last character is its check character (GB 11643)"
	}
	born, err := time.Parse("20060102", id[6:14])
	if err != nil || born.After(today) || born.Year() < 1880 {
		return "a resident id with the date of birth at places 7 to 14"
	}
	return ""
}

// mask hides a personal value and leaves what lets its owner recognise it: the first character, and the last four of a long one.
func mask(value string) string {
	r := []rune(value)
	switch {
	case len(r) == 0:
		return ""
	case len(r) <= 8:
		return string(r[:1]) + strings.Repeat("*", max(len(r)-1, 1))
	}
	return string(r[:1]) + strings.Repeat("*", len(r)-5) + string(r[len(r)-4:])
}

// date reads a day, YYYY-MM-DD; empty is none.
func date(where, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return fault.Date(where, text)
}

// text holds what a person writes to a length in characters. It may have several lines.
func text(where, s string, least, most int) error {
	n := utf8.RuneCountInString(s)
	control := strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' })
	if n < least || n > most || control || !utf8.ValidString(s) || strings.TrimSpace(s) != s {
		return fault.Invalid(where, s, fmt.Sprintf("%d to %d characters, no space around", least, most), "")
	}
	return nil
}
