package tsl

import (
	"math"
	"slices"
	"strconv"
	"unicode"
)

// Defaults where a document is silent.
const (
	defaultLength = 10240 // text: the longest that Alibaba Cloud allows, bytes
	defaultSize   = 512   // array: the longest that Alibaba Cloud allows, items
)

// Compile makes a document ready to check messages. Its error is [Problems], as that of [Parse]. The document becomes
// part of the model and must not be changed afterwards.
func Compile(d *Document) (*Model, error) {
	if problems := d.rules(); len(problems) > 0 {
		return nil, problems
	}
	m := &Model{document: d}
	props := make([]*Property, len(d.Properties))
	for i := range d.Properties {
		def := &d.Properties[i]
		p := compileType(def.DataType, def.Lampworks)
		p.Identifier, p.Required = def.Identifier, def.Required
		p.name(def.Name, def.Lampworks)
		p.Readable = def.AccessMode != "w"
		p.Writable = def.AccessMode != "r"
		props[i] = p
	}
	m.table = newTable(props)
	m.table.requires = false // a post carries what changed; required means that the product must have it
	for i := range d.Events {
		if def := &d.Events[i]; !def.isDefault() {
			m.events = append(m.events, compileEvent(def))
		}
	}
	for i := range d.Services {
		if def := &d.Services[i]; !def.isDefault() {
			m.services = append(m.services, compileService(def))
		}
	}
	return m, nil
}

func (e *EventDef) isDefault() bool   { return e.Identifier == "post" }
func (s *ServiceDef) isDefault() bool { return s.Identifier == "set" || s.Identifier == "get" }

func compileEvent(def *EventDef) *Event {
	e := &Event{Identifier: def.Identifier, Name: def.Name, Type: def.Type, Output: compileParameters(def.OutputData)}
	e.Names, e.Aliases = namesOf(def.Name, def.Lampworks)
	e.root = &Property{Type: Struct, Fields: e.Output, table: newTable(e.Output), inside: parameter}
	e.root.rule = e.root.describe()
	return e
}

func compileService(def *ServiceDef) *Service {
	s := &Service{
		Identifier: def.Identifier, Name: def.Name, Async: def.CallType == "async",
		Idempotent: def.Lampworks != nil && def.Lampworks.Idempotent,
		Input:      compileParameters(def.InputData), Output: compileParameters(def.OutputData),
	}
	s.Names, s.Aliases = namesOf(def.Name, def.Lampworks)
	s.input, s.output = newTable(s.Input), newTable(s.Output)
	return s
}

func compileParameters(defs []ParameterDef) []*Property {
	props := make([]*Property, len(defs))
	for i := range defs {
		def := &defs[i]
		p := compileType(def.DataType, def.Lampworks)
		p.Identifier, p.Required = def.Identifier, def.Required
		p.name(def.Name, def.Lampworks)
		props[i] = p
	}
	return props
}

func (p *Property) name(name string, h *Hints) {
	p.Name = name
	p.Names, p.Aliases = namesOf(name, h)
}

// namesOf is the names by language: the document's own name counts as Chinese when it is written so, else as English.
func namesOf(name string, h *Hints) (Names, map[string][]string) {
	names := Names{}
	if name != "" {
		lang := "en"
		for _, r := range name {
			if unicode.Is(unicode.Han, r) {
				lang = "zh-CN"
			}
		}
		names[lang] = name
	}
	if h == nil {
		return names, nil
	}
	for lang, n := range h.Names {
		names[lang] = n
	}
	return names, h.Aliases
}

// compileType is the part of a property that follows from its type.
func compileType(d DataType, h *Hints) *Property {
	p := &Property{Unit: d.Specs.Unit}
	p.Type, _ = ParseType(d.Type)
	switch p.Type {
	case Int:
		p.ints(&d.Specs)
	case Float, Double:
		p.floats(&d.Specs)
	case Bool, Enum:
		p.values(&d.Specs, h)
	case Text:
		p.Length = count(d.Specs.Length, defaultLength)
	case Array:
		p.Size = count(d.Specs.Size, defaultSize)
		p.Item = compileType(*d.Specs.Item, nil)
	case Struct:
		p.Fields = compileParameters(d.Specs.Fields)
		p.table, p.inside = newTable(p.Fields), field
	case Date:
	}
	p.rule = p.describe()
	return p
}

func (p *Property) ints(s *Specs) {
	p.min, p.max = math.MinInt32, math.MaxInt32
	if s.Min != "" {
		p.min, _ = parseInt(s.Min)
		p.grid = p.min
		p.HasRange = true
	}
	if s.Max != "" {
		p.max, _ = parseInt(s.Max)
		p.HasRange = true
	}
	if s.Step != "" {
		p.step, _ = parseInt(s.Step)
	}
	p.Min, p.Max, p.Step = float64(p.min), float64(p.max), float64(p.step)
}

func (p *Property) floats(s *Specs) {
	p.Min, p.Max = -math.MaxFloat64, math.MaxFloat64
	if p.Type == Float {
		p.Min, p.Max = -math.MaxFloat32, math.MaxFloat32
	}
	if s.Min != "" {
		p.Min, _ = strconv.ParseFloat(s.Min, 64)
		p.gridFloat = p.Min
		p.HasRange = true
	}
	if s.Max != "" {
		p.Max, _ = strconv.ParseFloat(s.Max, 64)
		p.HasRange = true
	}
	if s.Step != "" {
		p.Step, _ = strconv.ParseFloat(s.Step, 64)
	}
}

func (p *Property) values(s *Specs, h *Hints) {
	values := s.Values
	if p.Type == Bool && len(values) == 0 {
		values = []ValueDef{{Value: 0}, {Value: 1}}
	}
	p.Enum = make([]EnumValue, len(values))
	for i, v := range values {
		var hints *Hints
		if h != nil {
			hints = &Hints{Names: h.Values[strconv.FormatInt(v.Value, 10)]}
		}
		names, _ := namesOf(v.Name, hints)
		p.Enum[i] = EnumValue{Value: v.Value, Name: v.Name, Names: names}
		if v.Value >= 0 && v.Value < 64 {
			p.mask |= 1 << uint(v.Value)
		}
	}
	slices.SortFunc(p.Enum, func(a, b EnumValue) int { return int(a.Value - b.Value) })
}

func count(s string, otherwise int) int {
	if n, ok := parseInt(s); ok {
		return int(n)
	}
	return otherwise
}

// parseInt reads a whole number, also when it is written with a fraction of zeros or an exponent.
func parseInt(s string) (int64, bool) {
	if !isDecimal(s) {
		return 0, false
	}
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		return v, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > maxExact {
		return 0, false
	}
	return int64(f), true
}
