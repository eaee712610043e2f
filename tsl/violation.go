package tsl

import (
	"math"
	"strconv"
	"strings"
)

// wrong is the violation of p's rule by the value ahead.
func (s *scan) wrong(p *Property) *Violation {
	got := s.literal()
	return &Violation{Got: got, Rule: p.rule, Fix: p.fix(got)}
}

// missing is the violation of the first required member that was not seen.
func (t *table) missing(done *seen) *Violation {
	if !t.requires {
		return nil
	}
	for i, p := range t.props {
		if p.Required && !done.has(i) {
			return &Violation{Where: "/" + p.Identifier, Got: "missing", Rule: p.rule, Fix: "send it: the thing model marks it as required"}
		}
	}
	return nil
}

// unknown is the violation of a member that no property, parameter or field is named after.
func (t *table) unknown(name []byte, how manner) *Violation {
	got := "not in the thing model"
	switch how {
	case parameter:
		got = "not a parameter in the thing model"
	case field:
		got = "not a field of the struct in the thing model"
	}
	names := t.props
	if how == set {
		names = writable(names)
	}
	return unknown("/"+escapePointer(cut(name)), got, string(name), identifiers(names))
}

// unknown is a violation that offers the nearest of the names there are.
func unknown(where, got, name string, names []string) *Violation {
	v := &Violation{Where: where, Got: got, Fix: "leave it out, or publish a model version that has it"}
	if near := nearest(name, names); near != "" {
		v.Fix = "send " + near + ", the nearest name there is"
	}
	return v
}

// fix is what to do about got, a value that breaks p's rule.
func (p *Property) fix(got string) string {
	bare := strings.Trim(got, `"`)
	v, notNumber := strconv.ParseFloat(bare, 64)
	switch {
	case p.Type == Bool && (got == "true" || bare == "on"):
		return "send 1"
	case p.Type == Bool && (got == "false" || bare == "off"):
		return "send 0"
	case (p.Type == Text || p.Type == Date) && notNumber == nil && bare == got:
		return "send it in quotes"
	case p.Type == Text:
		return "send at most " + strconv.Itoa(p.Length) + " bytes, or publish a model version with a larger length"
	case p.Type == Date || p.Type == Struct || p.Type == Array:
		return ""
	case notNumber == nil && bare != got:
		return "send the number without quotes"
	case p.Type == Int && notNumber == nil && strings.ContainsAny(got, ".eE"):
		return "send it without fraction and exponent"
	case p.Type == Bool || p.Type == Enum:
		return p.fixEnum(bare)
	case notNumber == nil && p.Step > 0 && v >= p.Min && v <= p.Max:
		grid := p.gridFloat + float64(p.grid)
		near := grid + math.Round((v-grid)/p.Step)*p.Step
		return "send " + strconv.FormatFloat(near, 'g', 10, 64) + ", the nearest step"
	case p.HasRange:
		return "send " + decimal(p.Min) + ".." + decimal(p.Max) + ", or publish a model version with a wider range"
	}
	return ""
}

// fixEnum offers the value whose name was sent in its place.
func (p *Property) fixEnum(name string) string {
	for _, e := range p.Enum {
		if e.Name != "" && strings.EqualFold(e.Name, name) {
			return "send " + strconv.FormatInt(e.Value, 10)
		}
		for _, n := range e.Names {
			if strings.EqualFold(n, name) {
				return "send " + strconv.FormatInt(e.Value, 10)
			}
		}
	}
	if p.Type == Bool {
		return "send 0 or 1"
	}
	return "send one of these, or publish a model version with more values"
}

// describe is p's rule in words: "an integer from 1 to 100 %".
func (p *Property) describe() string {
	switch p.Type {
	case Int:
		if !p.HasRange {
			return "an integer of 32 bits" + p.describeStep()
		}
		return "an integer " + p.describeRange() + p.describeStep()
	case Float, Double:
		if !p.HasRange {
			return "a number" + p.describeStep()
		}
		return "a number " + p.describeRange() + p.describeStep()
	case Bool, Enum:
		return p.describeValues()
	case Text:
		return "a text of at most " + strconv.Itoa(p.Length) + " bytes"
	case Date:
		return `milliseconds since 1970 UTC in quotes, as "1700000000000"`
	case Array:
		return "a list of at most " + strconv.Itoa(p.Size) + " items"
	case Struct:
		return "an object"
	}
	return "a value"
}

func (p *Property) describeRange() string {
	s := "from " + decimal(p.Min) + " to " + decimal(p.Max)
	if p.Unit != "" {
		s += " " + p.Unit
	}
	return s
}

func (p *Property) describeStep() string {
	if p.Step == 0 || p.Type == Int && p.Step == 1 {
		return ""
	}
	return " in steps of " + decimal(p.Step)
}

// maxListed is how many values of an enum an error lists.
const maxListed = 12

func (p *Property) describeValues() string {
	var parts []string
	for i, e := range p.Enum {
		if i == maxListed {
			parts = append(parts, "…")
			break
		}
		part := strconv.FormatInt(e.Value, 10)
		if e.Name != "" {
			part += " (" + e.Name + ")"
		}
		parts = append(parts, part)
	}
	if len(parts) == 2 {
		return "either " + parts[0] + " or " + parts[1]
	}
	return "one of " + strings.Join(parts, ", ")
}

// decimal is v as people write it.
func decimal(v float64) string {
	if a := math.Abs(v); a != 0 && (a >= 1e17 || a < 1e-6) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func identifiers(props []*Property) []string {
	names := make([]string, len(props))
	for i, p := range props {
		names[i] = p.Identifier
	}
	return names
}

func writable(props []*Property) []*Property {
	var w []*Property
	for _, p := range props {
		if p.Writable {
			w = append(w, p)
		}
	}
	return w
}

// offer lists the first names for a fix.
func offer(props []*Property) string {
	if len(props) == 0 {
		return "none: the thing model has no writable property"
	}
	names := identifiers(props)
	if len(names) > maxListed {
		names = append(names[:maxListed], "…")
	}
	return strings.Join(names, ", ")
}

func (m *Model) eventNames() []string {
	names := make([]string, len(m.events))
	for i, e := range m.events {
		names[i] = e.Identifier
	}
	return names
}

func (m *Model) serviceNames() []string {
	names := make([]string, len(m.services))
	for i, s := range m.services {
		names[i] = s.Identifier
	}
	return names
}

// nearest is the name that is name but for case and underscores, or at most two letters away; empty when there is none.
func nearest(name string, names []string) string {
	if len(name) > 50 {
		return ""
	}
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
	best, least := "", 3
	for _, n := range names {
		d := distance(plain(name), plain(n))
		if d < least && d < len(name)/2 {
			best, least = n, d
		}
	}
	return best
}

// distance is Levenshtein's, over bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := corner
			if a[i] != b[j] {
				cost = 1 + min(corner, row[j], row[j+1])
			}
			corner, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// escapePointer makes a name safe as a part of a JSON Pointer (RFC 6901).
func escapePointer(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1")
}
