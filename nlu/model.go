package nlu

import "lampworks/tsl"

// This file reads makers' models: what a property is about, what its values mean.

// properties gives the properties of a model their meanings.
func (b *builder) properties(list []*tsl.Property, category int32) []prop {
	out := make([]prop, 0, len(list))
	for _, p := range list {
		out = append(out, b.property(p, category))
	}
	return out
}

func (b *builder) property(t *tsl.Property, category int32) prop {
	p := prop{id: t.Identifier, meaning: b.meaningOf(t), readable: t.Readable, writable: t.Writable, unit: t.Unit}
	p.hasRange, p.min, p.max, p.step = t.HasRange, t.Min, t.Max, t.Step
	switch t.Type {
	case tsl.Bool:
		p.kind = kindBool
	case tsl.Int:
		p.kind = kindInt
	case tsl.Float, tsl.Double:
		p.kind = kindFloat
	case tsl.Enum:
		p.kind = kindEnum
		for _, e := range t.Enum {
			p.enum = append(p.enum, enumEntry{e.Name, e.Value, b.valueOf(e)})
		}
	case tsl.Text:
		p.kind = kindText
	case tsl.Struct:
		p.kind, p.fields = kindStruct, t.Fields
	}
	b.adjust(&p, category)
	return p
}

// meaningOf finds the meaning by the identifier, then by the name in any language; what stays unknown is a meaning of
// its own, spoken of by its names.
func (b *builder) meaningOf(t *tsl.Property) int32 {
	v := b.x.v
	if c, ok := v.propIDs[identifier(t.Identifier)]; ok {
		return c
	}
	words := []string{t.Name}
	for _, lang := range sortedKeys(t.Names) {
		words = append(words, t.Names[lang])
	}
	for _, lang := range sortedKeys(t.Aliases) {
		words = append(words, t.Aliases[lang]...)
	}
	for _, w := range words {
		if c, ok := v.propIDs[identifier(w)]; ok {
			return c
		}
		if c, ok := v.lookup(w, cProp); ok {
			return c
		}
	}
	code := ownMeaning + b.x.ownProps.code(identifier(t.Identifier))
	for _, w := range words {
		if f := fold(w); len(f) > 1 && len(f) <= MaxNameRunes {
			b.add(f, sense{class: cProp, code: code})
		}
	}
	return code
}

// lookup finds a whole word of class c in any language.
func (v *vocabulary) lookup(word string, c class) (code int32, ok bool) {
	w := fold(word)
	t := v.words[language(w)]
	var n uint32
	for _, r := range w {
		if n = t.next(n, r); n == 0 {
			return 0, false
		}
	}
	if len(w) == 0 || !t.nodes[n].mask.has(c) {
		return 0, false
	}
	for e := t.nodes[n].head; e != 0; e = t.chain[e].next {
		if s := t.chain[e].sense; s.class == c {
			return s.code, true
		}
	}
	return 0, false
}

// ownValue is the first code of values that only this home's models have.
const ownValue = 1 << 20

func (b *builder) valueOf(e tsl.EnumValue) int32 {
	v := b.x.v
	words := []string{e.Name}
	for _, lang := range sortedKeys(e.Names) {
		words = append(words, e.Names[lang])
	}
	for _, w := range words {
		if c, ok := v.valueIDs[identifier(w)]; ok {
			return c
		}
	}
	for _, w := range words {
		for _, form := range []string{w, trimMode(w)} {
			if c, ok := v.lookup(form, cValue); ok {
				return c
			}
		}
	}
	for _, w := range words { // 开启, 关闭, 暂停: a value can be what a verb brings about
		if c, ok := v.lookup(w, cVerb); ok {
			if c, ok := v.values.index[verb(c).String()]; ok {
				return c
			}
		}
	}
	code := ownValue + b.x.values.code(identifier(e.Name))
	for _, w := range words {
		if f := fold(w); len(f) > 1 && len(f) <= MaxNameRunes {
			b.add(f, sense{class: cValue, code: code})
		}
	}
	return code
}

func trimMode(w string) string {
	for _, suffix := range []string{"模式", " mode", "档", "挡"} {
		if len(w) > len(suffix) && w[len(w)-len(suffix):] == suffix {
			return w[:len(w)-len(suffix)]
		}
	}
	return w
}

// adjust settles meanings that depend on more than the name: a temperature that can be set is a target.
func (b *builder) adjust(p *prop, category int32) {
	v := b.x.v
	code := func(m Meaning) int32 { return v.meanings.index[string(m)] }
	name := ""
	if category >= 0 {
		name = v.categories.list[category]
	}
	switch b.x.meaning(p.meaning) {
	case Temperature:
		if p.writable {
			p.meaning = code(TargetTemperature)
		}
	case Humidity:
		if p.writable {
			p.meaning = code(TargetHumidity)
		}
	case Power:
		if p.kind == kindInt && !p.writable || p.kind == kindFloat {
			p.meaning = code(Energy)
		}
	case Work:
		if name == "curtain" || name == "blind" || name == "rack" {
			p.meaning = code(Position)
		}
	case Contact:
		if p.writable {
			p.meaning = code(Position)
		}
	}
}

// find is the property of a device with a meaning, one that can be set before one that cannot; -1 if it has none.
func (d *deviceEntry) find(meaning int32) int {
	found := -1
	for i := range d.props {
		if d.props[i].meaning == meaning && (found < 0 || d.props[i].writable && !d.props[found].writable) {
			found = i
		}
	}
	return found
}

func (x *Index) code(m Meaning) int32 {
	if c, ok := x.v.meanings.index[string(m)]; ok {
		return c
	}
	return -1
}

// has is the property of device d with meaning m, or nil.
func (x *Index) has(d int32, m Meaning) *prop {
	if i := x.devices[d].find(x.code(m)); i >= 0 {
		return &x.devices[d].props[i]
	}
	return nil
}

// alike lists which categories a type word covers beside its own.
var alike = map[string][]string{
	"door": {"lock", "garage", "gate"}, "curtain": {"blind"}, "blind": {"curtain"}, "thermostat": {"air_conditioner"}, "air_conditioner": {"thermostat"},
	"garage": {"door"}, "socket": {"switch"}, "switch": {"socket"}, "heater": {"thermostat"},
}

// isType reports whether a type word can mean the device.
func (x *Index) isType(d, typ int32) bool {
	c := x.devices[d].category
	if c == typ {
		return true
	}
	if c < 0 {
		return false
	}
	for _, other := range alike[x.v.categories.list[typ]] {
		if x.v.categories.list[c] == other {
			return true
		}
	}
	return false
}
