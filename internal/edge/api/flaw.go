package api

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"lampworks/internal/infra/fault"
)

// hiding is the mark of operations whose bodies hold secrets: nothing of them is repeated.
const hiding = "hiding"

// refusal translates what huma found wrong while decoding. It is the transformer of every answer.
func (a *API) refusal(hc huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	op := hc.Operation()
	var p *Problem
	switch m.Status {
	case http.StatusRequestEntityTooLarge:
		most := op.MaxBodyBytes - 1
		p = newProblem(m.Status, string(fault.TooBig), fmt.Sprintf("the body has more than %d bytes", most))
		p.Where, p.Rule = "the body", fmt.Sprintf("at most %d bytes", most)
	case http.StatusUnsupportedMediaType:
		p = newProblem(m.Status, codeMedia, "the body is not JSON by its Content-Type")
		p.Where, p.Rule = "Content-Type", "application/json"
	case http.StatusRequestTimeout:
		p = newProblem(m.Status, codeSlow, "the body did not come within "+bodyTime.String())
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		p = undecodable(m, op.Metadata[hiding] == true)
	default:
		p = a.problem(hc.Context(), m)
		p.Status = m.Status
	}
	p.RequestID = callOf(hc.Context()).id
	return p.in(hc.Context()), nil
}

// undecodable is a body or parameter that does not follow its schema.
func undecodable(m *huma.ErrorModel, hide bool) *Problem {
	flaws := make([]Flaw, 0, len(m.Errors))
	for _, e := range m.Errors {
		flaws = append(flaws, flawOf(e, hide))
	}
	if len(flaws) == 0 { // huma says nothing more of a body that is not there
		flaws = append(flaws, Flaw{Got: "missing", Fix: "send JSON"})
	}
	slices.SortFunc(flaws, func(a, b Flaw) int { return cmp.Or(cmp.Compare(a.Where, b.Where), cmp.Compare(a.Rule, b.Rule)) })
	f := flaws[0]
	p := newProblem(m.Status, string(fault.Malformed), f.sentence())
	p.Where, p.Got, p.Rule, p.Fix = f.Where, f.Got, f.Rule, f.Fix
	if len(flaws) > 1 {
		p.Problems = flaws
	}
	return p
}

const theBody = "the body" // where something is that has no place of its own

func (f Flaw) sentence() string {
	where := cmp.Or(f.Where, theBody)
	switch {
	case f.Rule == "":
		return where + " is " + f.Got
	case f.Got == "":
		return where + " is not right, want " + f.Rule
	}
	return where + " is " + f.Got + ", want " + f.Rule
}

// flawOf says it in our words. A value is repeated only if it is a plain one and no secret.
func flawOf(e *huma.ErrorDetail, hide bool) Flaw {
	f := Flaw{Where: pointer(e.Location)}
	if name, missing := strings.CutPrefix(e.Message, "expected required property "); missing {
		f.Where += "/" + strings.TrimSuffix(name, " to be present")
		f.Got, f.Fix = "missing", "send it"
		return f
	}
	kind, ofType := typeNames[strings.TrimPrefix(e.Message, "expected ")]
	switch {
	case e.Message == "unexpected property", e.Message == "unknown query parameter":
		f.Got, f.Fix = "not known", "leave it out, or correct its spelling"
	case strings.HasPrefix(e.Message, "required ") && strings.HasSuffix(e.Message, " parameter is missing"):
		f.Got, f.Fix = "missing", "send it"
	case e.Location == "body" && ofType:
		f.Rule = kind
	case e.Location == "body":
		if f.Got = "not JSON"; !hide {
			f.Got += ": " + fault.Cut(e.Message)
		}
	default:
		f.Rule = cmp.Or(kind, ruleOf(e.Message))
		if !hide {
			f.Got = plain(e.Value)
		}
	}
	return f
}

// typeNames are huma's names of types, and of values it could not read as such.
var typeNames = map[string]string{
	"string": "a string", "object": "an object", "array": "an array", "boolean": "true or false", "number": "a number", "integer": "an integer",
	"invalid integer": "an integer", "invalid float": "a number", "invalid boolean": "true or false",
}

// rules turn huma's sentences into what a value should be.
var rules = []struct {
	pattern *regexp.Regexp
	rule    string
}{
	{regexp.MustCompile(`^expected number <= (.*)$`), "at most $1"},
	{regexp.MustCompile(`^expected number >= (.*)$`), "at least $1"},
	{regexp.MustCompile(`^expected length <= (.*)$`), "at most $1 characters"},
	{regexp.MustCompile(`^expected length >= (.*)$`), "at least $1 characters"},
	{regexp.MustCompile(`^expected array length <= (.*)$`), "at most $1 items"},
	{regexp.MustCompile(`^expected value to be one of "(.*)"$`), "one of $1"},
	{regexp.MustCompile(`^(?:invalid date/time|expected string to be RFC 3339 date-time).*$`), fault.TimeRule},
	{regexp.MustCompile(`^expected string to be RFC 3339 date$`), fault.DateRule},
}

// otherRule is for what huma may come to check, and says in words of its own.
const otherRule = "what the OpenAPI document allows there"

func ruleOf(message string) string {
	for _, r := range rules {
		m := r.pattern.FindStringSubmatch(message)
		if m == nil {
			continue
		}
		detail := m[len(m)-1]
		if n, err := strconv.ParseFloat(detail, 64); err == nil { // huma writes 6.048e+08
			detail = strconv.FormatFloat(n, 'f', -1, 64)
		}
		return strings.ReplaceAll(r.rule, "$1", detail)
	}
	return otherRule
}

// plain is a value that can be repeated in a line.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(fault.Cut(v))
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case int, int64, uint64, bool:
		return fmt.Sprint(v)
	}
	return ""
}

var index = regexp.MustCompile(`\[(\d+)\]`)

// pointer turns "body.names.en" and "query.limit" into "/names/en" and "/limit", as the rooms name such places.
func pointer(location string) string {
	place, rest, _ := strings.Cut(index.ReplaceAllString(location, ".$1"), ".")
	switch {
	case place == "body" && rest == "":
		return ""
	case place == "header", rest == "":
		return cmp.Or(rest, place)
	}
	return "/" + fault.Cut(strings.ReplaceAll(rest, ".", "/"))
}
