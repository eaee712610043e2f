// Package fault says what was wrong with what somebody asked, where, by which
// rule, and what to do about it.
//
// It owns the list of codes and promises:
//   - a [Code] is stable: programs outside may compare it, and it is never given another meaning;
//   - a [Fault] carries no secret: what came in is cut at 64 bytes, and callers pass no credential as Got;
//   - rooms return it, edges translate it, each in one place: problem+json, Alink code, MQTT reason code.
package fault

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A Code is the kind of a fault, stable for ever.
type Code string

// The codes.
const (
	Malformed    Code = "invalid"         // a value does not follow its rule
	NoActor      Code = "unauthenticated" // nobody proved who they are
	NotAllowed   Code = "forbidden"       // who it is may not do that
	SecondFactor Code = "second_factor"   // who it is may, with a code of the second factor
	Missing      Code = "not_found"       // there is none, or none for this actor
	Clash        Code = "conflict"        // the act does not fit the present state
	Outdated     Code = "stale"           // somebody was faster; load again
	OverLimit    Code = "limit"           // a quota, a rate or a bound is used up
	TooBig       Code = "too_large"       // bigger than a named limit
	NotSupported Code = "unsupported"     // well-formed, and not something this program does
	Down         Code = "unavailable"     // it may work later; nothing was changed
	Lapsed       Code = "expired"         // it was valid once
	Agreement    Code = "agreement"       // an agreement, or a guardian's consent, is missing; Open has the ids
	Suspended    Code = "suspended"       // a measure of the operator refuses it; Rule names the measure, Fix the way to appeal
	Unsure       Code = "unconfirmed"     // it is not known whether it was carried out
)

// maxGot is the longest excerpt of foreign input that a fault repeats, in bytes.
const maxGot = 64

// A Fault is one request that was refused. A refused request changed nothing; the one exception is [Unsure], which says so.
type Fault struct {
	Code       Code
	What       string        // the whole of it in one sentence, without a full stop
	Where      string        // JSON Pointer, field or object: "/params/brightness", "product 4711"
	Got        string        // the value as it came, cut at 64 bytes, never a secret
	Rule       string        // what is allowed: "an integer from 1 to 100 %"
	Fix        string        // what the caller can do
	Open       []string      // the acts that are open to the caller now
	RetryAfter time.Duration // when asking again makes sense; zero: not known
	Err        error         // the cause, for the log; never shown to the caller
}

// Error gives the sentence, and the cause behind it where there is one.
func (f *Fault) Error() string {
	s := f.What
	if s == "" {
		s = f.Sentence()
	}
	if f.Err != nil {
		return s + ": " + f.Err.Error()
	}
	return s
}

// Sentence is what may be shown to the caller: What, or Where, Got and Rule put
// into one sentence. The cause is left out.
func (f *Fault) Sentence() string {
	switch {
	case f.What != "":
		return f.What
	case f.Where != "" && f.Rule != "":
		return f.Where + " is " + f.Got + ", want " + f.Rule
	default:
		return string(f.Code)
	}
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Of finds the fault in err, nil if there is none.
func Of(err error) *Fault {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	return nil
}

// Is says whether err is, or wraps, a fault with this code.
func Is(err error, code Code) bool {
	f := Of(err)
	return f != nil && f.Code == code
}

// Passes says whether err is no answer to what was asked, and may go away by itself: unavailable, or not known.
func Passes(err error) bool { return Is(err, Down) || Is(err, Unsure) }

// Invalid refuses the value got at where (a JSON Pointer or the name of a flag),
// because rule wants something else; fix says what to send instead and may be empty.
func Invalid(where, got, rule, fix string) *Fault {
	got = Cut(got)
	if got == "" {
		got = "empty"
	}
	return &Fault{
		Code: Malformed, What: where + " is " + got + ", want " + rule,
		Where: where, Got: got, Rule: rule, Fix: fix,
	}
}

// mostNamed is how many values of a catalogue a refusal names.
const mostNamed = 12

// Unlisted refuses a value that is none of a catalogue. It names all of them, or of a long one those that are spelled most
// like it, and the route that lists them; a short one may have none.
func Unlisted[S ~string](where, got string, all []S, route string) *Fault {
	rule, fix := "one of "+join(all), "choose one of them"
	if route != "" {
		fix = route + " lists them"
	}
	if len(all) > mostNamed {
		rule = fmt.Sprintf("one of the %d that %s lists", len(all), route)
		if near := nearest(got, all); len(near) > 0 {
			rule += "; the nearest are " + join(near)
		}
	}
	return Invalid(where, got, rule, fix)
}

func join[S ~string](all []S) string {
	var b strings.Builder
	for i, s := range all {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(s))
	}
	return b.String()
}

// nearest is up to three of all that are spelled most like got: those that differ in a third of their letters, rounded up, and
// those that have it, or a word of theirs, whole in them.
func nearest[S ~string](got string, all []S) []S {
	if got == "" {
		return nil
	}
	word := []rune(strings.ToLower(Cut(got)))
	var near []S
	away := make(map[S]int)
	for _, s := range all {
		name := []rune(strings.ToLower(string(s)))
		if d, n := distance(word, name), max(len(word), len(name)); d < n && d <= (n+2)/3 || shares(string(word), string(name)) {
			near, away[s] = append(near, s), d
		}
	}
	slices.SortStableFunc(near, func(a, b S) int { return away[a] - away[b] })
	return near[:min(3, len(near))]
}

// leastShared is how long a part is that two names share by more than chance.
const leastShared = 4

// shares says whether one of two names, or a word of it between _, - and ., stands whole in the other.
func shares(a, b string) bool {
	for _, pair := range [][2]string{{a, b}, {b, a}} {
		for part := range strings.FieldsFuncSeq(pair[0], func(r rune) bool { return strings.ContainsRune("_-. ", r) }) {
			if len(part) >= leastShared && strings.Contains(pair[1], part) {
				return true
			}
		}
	}
	return false
}

// distance is how many letters must be put in, taken out or changed to make b of a (Levenshtein).
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range b {
			changed := diagonal
			if x != y {
				changed++
			}
			diagonal = row[j+1]
			row[j+1] = min(changed, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// Unauthenticated refuses an actor nobody can vouch for. What says which proof
// was missing or wrong, in words that do not tell a guesser more.
func Unauthenticated(what string) *Fault {
	return &Fault{Code: NoActor, What: what, Fix: "sign in, or send an API token as Authorization: Bearer"}
}

// Forbidden refuses act to somebody known; missing names what they lack ("role owner or engineer").
func Forbidden(act, missing string) *Fault {
	if missing == "" {
		return &Fault{Code: NotAllowed, What: act + " is not allowed", Where: act}
	}
	return &Fault{Code: NotAllowed, What: act + " is not allowed: it needs " + missing, Where: act, Rule: missing}
}

// NeedsFactor refuses what, a whole sentence, to somebody who did not show the second factor, or not lately.
func NeedsFactor(what, fix string) *Fault {
	return &Fault{Code: SecondFactor, What: what, Where: "second factor", Rule: "a code of the second factor", Fix: fix}
}

// NotFound says that there is no such object, or none for this actor; the two cannot be told apart.
func NotFound(object, id string) *Fault {
	return &Fault{
		Code: Missing, What: "there is no " + object + " " + strconv.Quote(Cut(id)),
		Where: object, Got: Cut(id),
	}
}

// Conflict refuses an act that does not fit what is there; what is the whole sentence.
func Conflict(where, what string) *Fault {
	return &Fault{Code: Clash, What: what, Where: where}
}

// Closed refuses act because the object is in state and the table of states has
// no such move for this actor; open lists those it has.
func Closed[A ~string](act, state string, open []A) *Fault {
	f := InState("state", act+" is not open in state "+state, open)
	f.Got = state
	return f
}

// InState refuses an act that does not fit the state something is in; what is the whole sentence, and open lists the acts
// that the table of states has for this actor.
func InState[A ~string](where, what string, open []A) *Fault {
	f := Conflict(where, what)
	for _, a := range open {
		f.Open = append(f.Open, string(a))
	}
	if len(open) > 0 {
		f.Rule = "one of " + join(open)
	}
	return f
}

// Stale says that somebody changed the object between the caller's look and the act.
func Stale(object, id string) *Fault {
	return &Fault{
		Code: Outdated, What: object + " " + strconv.Quote(Cut(id)) + " was changed by somebody else meanwhile",
		Where: object, Got: Cut(id), Fix: "load it again and repeat the act",
	}
}

// Limit refuses because rule, a number with its unit, is used up; after says
// when asking again makes sense, zero when that is not known.
func Limit(where, got, rule string, after time.Duration) *Fault {
	return &Fault{
		Code: OverLimit, What: where + " is " + Cut(got) + ", the limit is " + rule,
		Where: where, Got: Cut(got), Rule: rule, RetryAfter: after,
	}
}

// TooLarge refuses something of got bytes because the most is limit bytes.
func TooLarge(where string, got, limit int64) *Fault {
	return &Fault{
		Code: TooBig, What: fmt.Sprintf("%s has %d bytes, the most is %d", where, got, limit),
		Where: where, Got: strconv.FormatInt(got, 10), Rule: fmt.Sprintf("at most %d bytes", limit),
	}
}

// Unsupported refuses something well-formed that this program does not do.
func Unsupported(where, got, rule string) *Fault {
	return &Fault{
		Code: NotSupported, What: where + " is " + Cut(got) + ", supported is " + rule,
		Where: where, Got: Cut(got), Rule: rule,
	}
}

// Unavailable says that something the program needs does not work now; nothing
// was changed and the same request may succeed later. Err is the cause.
func Unavailable(what string, err error) *Fault {
	return &Fault{Code: Down, What: what, Err: err}
}

// Unconfirmed says that something broke at the one moment in which it cannot be known whether the act was carried out.
// Err is the cause.
func Unconfirmed(what string, err error) *Fault {
	return &Fault{
		Code: Unsure, What: what + "; it is not known whether it was carried out", Err: err,
		Fix: "look at it again before you repeat it; a request with an Idempotency-Key may be repeated as it is",
	}
}

// Expired refuses something that was valid once.
func Expired(object, id string) *Fault {
	return &Fault{
		Code: Lapsed, What: object + " " + strconv.Quote(Cut(id)) + " has expired",
		Where: object, Got: Cut(id),
	}
}

// Cut shortens foreign input to what an error may repeat: 64 bytes, ending on a
// whole character, with control and invalid characters replaced.
func Cut(s string) string {
	if len(s) > maxGot {
		end := maxGot - len("…")
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
