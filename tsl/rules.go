package tsl

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of a thing model; those of Alibaba Cloud where it has one.
const (
	maxList   = 300     // properties, events, services, inputs, outputs: each
	maxFields = 50      // of a struct
	maxValues = 100     // of an enum
	maxItems  = 512     // of an array
	maxText   = 10240   // bytes of a text
	maxName   = 128     // letters of a name
	maxExact  = 1 << 53 // largest int that every JSON reader keeps
)

// reserved are the identifiers that the protocol itself uses.
var reserved = []string{"set", "get", "post", "property", "event", "time", "value"}

// rules are the problems of the values of a document, in its order.
func (d *Document) rules() Problems {
	r := &ruler{}
	r.count("/properties", len(d.Properties), maxList, "properties")
	r.count("/events", len(d.Events), maxList, "events")
	r.count("/services", len(d.Services), maxList, "services")
	seen := map[string]bool{}
	for i := range d.Properties {
		r.property("/properties/"+strconv.Itoa(i), &d.Properties[i], seen)
	}
	clear(seen)
	for i := range d.Events {
		r.event("/events/"+strconv.Itoa(i), &d.Events[i], seen)
	}
	clear(seen)
	for i := range d.Services {
		r.service("/services/"+strconv.Itoa(i), &d.Services[i], seen)
	}
	return r.problems
}

type ruler struct{ problems Problems }

func (r *ruler) add(path, got, rule, fix string) {
	r.problems = append(r.problems, Problem{Path: path, Got: got, Rule: rule, Fix: fix})
}

func (r *ruler) property(path string, p *PropertyDef, seen map[string]bool) {
	r.identifier(path, p.Identifier, reserved, seen)
	r.name(path, p.Name, true)
	r.choice(path+"/accessMode", p.AccessMode, "r", "rw", "w")
	r.dataType(path+"/dataType", &p.DataType, Int, Float, Double, Bool, Enum, Text, Date, Array, Struct)
	r.hints(path, p.Lampworks, &p.DataType, false)
}

func (r *ruler) event(path string, e *EventDef, seen map[string]bool) {
	r.identifier(path, e.Identifier, slices.DeleteFunc(slices.Clone(reserved), func(s string) bool { return s == "post" }), seen)
	r.name(path, e.Name, true)
	r.choice(path+"/type", e.Type, "info", "alert", "error")
	r.parameters(path+"/outputData", e.OutputData, maxList, true)
	r.hints(path, e.Lampworks, nil, false)
}

func (r *ruler) service(path string, s *ServiceDef, seen map[string]bool) {
	r.identifier(path, s.Identifier, slices.DeleteFunc(slices.Clone(reserved), func(id string) bool { return id == "set" || id == "get" }), seen)
	r.name(path, s.Name, true)
	r.choice(path+"/callType", s.CallType, "sync", "async")
	if s.Identifier == "get" {
		r.parameters(path+"/inputData", slices.DeleteFunc(slices.Clone(s.InputData), func(p ParameterDef) bool { return p.bare() }), maxList, true)
	} else {
		r.parameters(path+"/inputData", s.InputData, maxList, true)
	}
	r.parameters(path+"/outputData", s.OutputData, maxList, true)
	r.hints(path, s.Lampworks, nil, true)
}

// bare reports an entry that is an identifier and nothing else.
func (p *ParameterDef) bare() bool {
	return p.Identifier != "" && p.Name == "" && p.DataType.Type == ""
}

func (r *ruler) parameters(path string, list []ParameterDef, most int, deep bool) {
	r.count(path, len(list), most, "entries")
	seen := map[string]bool{}
	types := []Type{Int, Float, Double, Bool, Enum, Text, Date}
	if deep {
		types = append(types, Array, Struct)
	}
	for i := range list {
		p, at := &list[i], path+"/"+strconv.Itoa(i)
		r.identifier(at, p.Identifier, nil, seen)
		r.name(at, p.Name, false)
		r.dataType(at+"/dataType", &p.DataType, types...)
		r.hints(at, p.Lampworks, &p.DataType, false)
	}
}

func (r *ruler) count(path string, n, most int, what string) {
	if n > most {
		r.add(path, "too long", "at most "+strconv.Itoa(most)+" "+what, "split the model into several products")
	}
}

func (r *ruler) identifier(path, id string, taken []string, seen map[string]bool) {
	const rule = "1 to 50 letters, digits and underscores"
	path += "/identifier"
	switch {
	case id == "":
		r.add(path, "missing or empty", rule, "")
	case !isIdentifier(id):
		r.add(path, cut([]byte(quote(id))), rule, "")
	case slices.Contains(taken, id):
		r.add(path, quote(id)+", a word of the protocol", "another identifier", "the words are "+strings.Join(taken, ", "))
	case seen[id]:
		r.add(path, quote(id)+", given twice", "an identifier of its own", "")
	}
	seen[id] = true
}

func isIdentifier(id string) bool {
	for _, c := range []byte(id) {
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'z') && c != '_' {
			return false
		}
	}
	return len(id) > 0 && len(id) <= 50
}

func (r *ruler) name(path, name string, required bool) {
	path += "/name"
	switch {
	case name == "" && required:
		r.add(path, "missing or empty", "1 to 128 letters", "people and the voice know it by this name")
	case utf8.RuneCountInString(name) > maxName:
		r.add(path, cut([]byte(quote(name))), "at most 128 letters", "")
	}
}

func (r *ruler) choice(path, got string, of ...string) {
	if slices.Contains(of, got) {
		return
	}
	rule := "one of " + strings.Join(of, ", ")
	if got == "" {
		r.add(path, "missing or empty", rule, "")
		return
	}
	r.add(path, cut([]byte(quote(got))), rule, "")
}

func (r *ruler) dataType(path string, d *DataType, allowed ...Type) {
	t, _ := ParseType(d.Type)
	if !slices.Contains(allowed, t) {
		names := make([]string, len(allowed))
		for i, a := range allowed {
			names[i] = a.String()
		}
		r.choice(path+"/type", d.Type, names...)
		return
	}
	s, path := &d.Specs, path+"/specs"
	switch t {
	case Int:
		r.ints(path, s)
	case Float, Double:
		r.floats(path, s, t)
	case Bool, Enum:
		r.values(path, s, t)
	case Text:
		r.whole(path+"/length", s.Length, maxText)
	case Array:
		r.whole(path+"/size", s.Size, maxItems)
		if s.Item == nil {
			r.add(path+"/item", "missing", `the type of the items, as {"type":"int"}`, "")
			return
		}
		r.dataType(path+"/item", s.Item, Int, Float, Double, Text, Struct)
	case Struct:
		r.count(path, len(s.Fields), maxFields, "fields")
		if len(s.Fields) == 0 {
			r.add(path, "missing or empty", "a list of fields", `write "specs":[{"identifier":…,"dataType":…}]`)
		}
		r.parameters(path, s.Fields, maxFields, false)
	case Date:
	}
}

func (r *ruler) ints(path string, s *Specs) {
	bound := func(name, text string, otherwise int64) int64 {
		if text == "" {
			return otherwise
		}
		v, ok := parseInt(text)
		if !ok || v > maxExact || v < -maxExact {
			r.add(path+"/"+name, cut([]byte(text)), "an integer up to 2^53", "")
			return otherwise
		}
		return v
	}
	low, high := bound("min", s.Min, math.MinInt32), bound("max", s.Max, math.MaxInt32)
	if low > high {
		r.add(path+"/max", strconv.FormatInt(high, 10), "at least min, which is "+strconv.FormatInt(low, 10), "")
	}
	if step := bound("step", s.Step, 0); step < 0 {
		r.add(path+"/step", s.Step, "a positive integer", "")
	}
}

func (r *ruler) floats(path string, s *Specs, t Type) {
	most := math.MaxFloat64
	if t == Float {
		most = math.MaxFloat32
	}
	bound := func(name, text string, otherwise float64) float64 {
		if text == "" {
			return otherwise
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || !isDecimal(text) || math.Abs(v) > most && float32(math.Abs(v)) > math.MaxFloat32 {
			r.add(path+"/"+name, cut([]byte(text)), "a number that a "+t.String()+" holds", "")
			return otherwise
		}
		return v
	}
	low, high := bound("min", s.Min, -most), bound("max", s.Max, most)
	if low > high {
		r.add(path+"/max", decimal(high), "at least min, which is "+decimal(low), "")
	}
	if step := bound("step", s.Step, 0); step < 0 {
		r.add(path+"/step", s.Step, "a positive number", "")
	}
}

// isDecimal reports a number as JSON writes it, leading zeros allowed: exports have "-040".
func isDecimal(s string) bool {
	s = strings.TrimPrefix(s, "-")
	digits := strings.TrimLeft(s, "0123456789")
	if len(digits) == len(s) {
		return false
	}
	if fraction, ok := strings.CutPrefix(digits, "."); ok {
		digits = strings.TrimLeft(fraction, "0123456789")
		if len(digits) == len(fraction) {
			return false
		}
	}
	if digits == "" {
		return true
	}
	power, ok := strings.CutPrefix(strings.ToLower(digits), "e")
	if ok && power != "" && (power[0] == '-' || power[0] == '+') {
		power = power[1:]
	}
	return ok && power != "" && strings.Trim(power, "0123456789") == ""
}

func (r *ruler) values(path string, s *Specs, t Type) {
	if t == Bool && len(s.Values) == 0 {
		return
	}
	if t == Enum && len(s.Values) == 0 {
		r.add(path, "missing or empty", "at least one value", `write "specs":{"0":"…","1":"…"}`)
	}
	if len(s.Values) > maxValues {
		r.add(path, "too long", "at most 100 values", "")
	}
	seen := map[int64]bool{}
	for _, v := range s.Values {
		at := path + "/" + strconv.FormatInt(v.Value, 10)
		switch {
		case t == Bool && v.Value != 0 && v.Value != 1:
			r.add(at, "no value of a bool", "0 and 1 only", "make it an enum")
		case v.Value > math.MaxInt32 || v.Value < math.MinInt32:
			r.add(at, "too large", "an integer of 32 bits", "")
		case seen[v.Value]:
			r.add(at, "given twice", "", "keep one of them")
		case v.Name == "":
			r.add(at, "empty", "a name", "")
		}
		seen[v.Value] = true
	}
	if t == Bool && len(s.Values) == 1 {
		r.add(path, "half", "names for both 0 and 1", "")
	}
}

// whole checks a count in text; empty is the default.
func (r *ruler) whole(path, text string, most int64) {
	if text == "" {
		return
	}
	if v, ok := parseInt(text); !ok || v < 1 || v > most {
		r.add(path, cut([]byte(text)), "an integer from 1 to "+strconv.FormatInt(most, 10), "")
	}
}

func (r *ruler) hints(path string, h *Hints, d *DataType, service bool) {
	if h == nil {
		return
	}
	path += "/lampworks"
	r.names(path+"/names", h.Names)
	for _, lang := range slices.Sorted(maps.Keys(h.Aliases)) {
		r.language(path+"/aliases", lang)
		for i, a := range h.Aliases[lang] {
			if a == "" || utf8.RuneCountInString(a) > maxName {
				r.add(path+"/aliases/"+escapePointer(lang)+"/"+strconv.Itoa(i), cut([]byte(quote(a))), "1 to 128 letters", "")
			}
		}
	}
	for _, v := range slices.Sorted(maps.Keys(h.Values)) {
		if d == nil || !slices.ContainsFunc(d.Specs.Values, func(def ValueDef) bool { return strconv.FormatInt(def.Value, 10) == v }) {
			r.add(path+"/values/"+escapePointer(v), "not a value of the type", "one of the values in specs", "")
			continue
		}
		r.names(path+"/values/"+v, h.Values[v])
	}
	if h.Idempotent && !service {
		r.add(path+"/idempotent", "true", "false: it is a mark of services", "take it out")
	}
}

func (r *ruler) names(path string, names Names) {
	for _, lang := range slices.Sorted(maps.Keys(names)) {
		r.language(path, lang)
		if n := names[lang]; n == "" || utf8.RuneCountInString(n) > maxName {
			r.add(path+"/"+escapePointer(lang), cut([]byte(quote(n))), "1 to 128 letters", "")
		}
	}
}

// language takes the tags we speak of: "zh-CN", "en", "de-AT".
func (r *ruler) language(path, lang string) {
	head, tail, parted := strings.Cut(lang, "-")
	ok := len(head) >= 2 && len(head) <= 3 && strings.Trim(head, "abcdefghijklmnopqrstuvwxyz") == "" &&
		(!parted || len(tail) >= 2 && len(tail) <= 8 && isIdentifier(tail) && !strings.Contains(tail, "_"))
	if !ok {
		r.add(path+"/"+escapePointer(lang), "no language", `a language tag as "zh-CN" or "en"`, "")
	}
}
