package nlu

import (
	"slices"

	"lampworks/tsl"
)

// This file reads makers' models: what a property is about, what its values mean.

// properties gives the properties of a model their meanings.
func (b *builder) properties(list []*tsl.Property, category int32, voice *Voice) []prop {
	out := make([]prop, 0, len(list))
	b.meant = make(map[int32]bool)
	for _, p := range list {
		out = append(out, b.property(p, category, voice.property(p.Identifier)))
	}
	b.meant = nil
	return out
}

func (b *builder) property(t *tsl.Property, category int32, voice *VoiceProperty) prop {
	p := prop{id: t.Identifier, meaning: b.meaningOf(t, voice), readable: t.Readable, writable: t.Writable, unit: t.Unit}
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
		p.enum = b.enum(t.Enum, voice)
	case tsl.Text:
		p.kind = kindText
	case tsl.Struct:
		p.kind, p.fields = kindStruct, t.Fields
	}
	b.adjust(&p, category)
	for _, w := range words(t) {
		p.names = append(p.names, fold(w))
	}
	if p.meaning < ownMeaning {
		b.learn(words(t), sense{class: cProp, code: p.meaning})
	}
	if p.meaning >= ownMeaning && (p.kind == kindEnum || p.kind == kindBool) {
		b.x.worded[p.meaning] = true
	}
	b.teach(&p, voice)
	return p
}

// enum gives the values of a property their codes, each its own: 换气 beside 吹风 is not the same.
func (b *builder) enum(list []tsl.EnumValue, voice *VoiceProperty) []enumEntry {
	var out []enumEntry
	for _, e := range list {
		said := voice.value(e.Value)
		entry := enumEntry{name: e.Name, value: e.Value, plain: -1}
		if c, known := b.valueOf(valueWords(e)); known {
			entry.code, entry.plain = c, c
		} else if c, known := b.valueOf(said); known {
			entry.code = c
		} else {
			entry.code = ownValue
		}
		switch {
		case entry.code == ownValue || slices.ContainsFunc(out, func(o enumEntry) bool { return o.code == entry.code }):
			entry.code = b.newValue(e, said, out)
		default:
			b.learn(valueWords(e), sense{class: cValue, code: entry.code})
		}
		for _, w := range said {
			if c, is := b.x.v.lookup(w, cValue); is && c != entry.code {
				entry.also = append(entry.also, c)
			}
		}
		for _, w := range append(valueWords(e), said...) {
			entry.words = append(entry.words, fold(w))
		}
		b.teachWords(said, sense{class: cValue, code: entry.code})
		out = append(out, entry)
	}
	return out
}

// learn adds those words of a model that the vocabulary does not have at all: 吸力, the level of a vacuum.
func (b *builder) learn(words []string, s sense) {
	for _, w := range words {
		if f := fold(w); len(f) > 1 && len(f) <= MaxNameRunes && !b.x.v.knows(f) {
			b.add(f, s)
		}
	}
}

// words are what a property is called, in all languages.
func words(t *tsl.Property) []string {
	all := []string{t.Name}
	for _, lang := range sortedKeys(t.Names) {
		all = append(all, t.Names[lang])
	}
	for _, lang := range sortedKeys(t.Aliases) {
		all = append(all, t.Aliases[lang]...)
	}
	return all
}

// valueWords are what a value is called, in all languages.
func valueWords(e tsl.EnumValue) []string {
	all := []string{e.Name}
	for _, lang := range sortedKeys(e.Names) {
		all = append(all, e.Names[lang])
	}
	return all
}

// meaningOf finds the meaning by the identifier, then by the name in any language, then by what its maker says of it; what stays
// unknown is a meaning of its own, spoken of by its names.
func (b *builder) meaningOf(t *tsl.Property, voice *VoiceProperty) int32 {
	v := b.x.v
	if c, ok := v.propIDs[identifier(t.Identifier)]; ok {
		return c
	}
	words := words(t)
	if c, ok := v.meant(words); ok {
		return c
	}
	if c, ok := v.meant(voice.names()); ok {
		return c
	}
	code := b.shared(append(slices.Clip(words), voice.names()...), cProp, ownMeaning, func(c int32) bool { return b.meant[c] })
	if code < 0 {
		code = b.ownMeaning(identifier(t.Identifier))
	}
	if b.meant != nil {
		b.meant[code] = true
	}
	for _, w := range words {
		if f := fold(w); len(f) > 1 && len(f) <= MaxNameRunes {
			b.add(f, sense{class: cProp, code: code})
		}
	}
	return code
}

// ownMeaning is the code of a meaning that only this home's models have; two properties of one model never share one.
func (b *builder) ownMeaning(name string) int32 {
	for {
		code := ownMeaning + b.x.ownProps.code(name)
		if !b.meant[code] {
			return code
		}
		name += "'"
	}
}

// shared is what one of the words means to another product of the home already, as a word of class c with a code of this home's models,
// -1 if none does: what two products call the same is the same, and it is asked back which is meant.
func (b *builder) shared(words []string, c class, first int32, used func(int32) bool) int32 {
	for _, w := range words {
		for _, s := range b.x.names.of(fold(w)) {
			if s.class == c && s.code >= first && !used(s.code) {
				return s.code
			}
		}
	}
	return -1
}

// meant is the meaning of a property by what it is called.
func (v *vocabulary) meant(words []string) (code int32, ok bool) {
	for _, w := range words {
		if c, ok := v.propIDs[identifier(w)]; ok {
			return c, true
		}
		if c, ok := v.lookup(w, cProp); ok {
			return c, true
		}
	}
	return 0, false
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

// knows reports whether a folded word is in the vocabulary, as whatever.
func (v *vocabulary) knows(w []rune) bool {
	t := v.words[language(w)]
	var n uint32
	for _, r := range w {
		if n = t.next(n, r); n == 0 {
			return false
		}
	}
	return t.nodes[n].head != 0
}

// ownValue is the first code of values that only this home's models have.
const ownValue = 1 << 20

// valueOf finds the code of a value by its words; false: the vocabulary has none of them.
func (b *builder) valueOf(words []string) (code int32, ok bool) {
	v := b.x.v
	for _, w := range words {
		if c, ok := v.valueIDs[identifier(w)]; ok {
			return c, true
		}
	}
	for _, w := range words {
		for _, form := range []string{w, trimMode(w)} {
			if c, ok := v.lookup(form, cValue); ok {
				return c, true
			}
		}
	}
	for _, w := range words { // 开启, 关闭, 暂停: a value can be what a verb brings about
		if c, ok := v.lookup(w, cVerb); ok {
			if c, ok := v.values.index[sense{code: c}.verb().String()]; ok {
				return c, true
			}
		}
	}
	return 0, false
}

// newValue is a value that only this home's models have, spoken of by its names.
func (b *builder) newValue(e tsl.EnumValue, said []string, before []enumEntry) int32 {
	code := b.shared(append(valueWords(e), said...), cValue, ownValue, func(c int32) bool {
		return slices.ContainsFunc(before, func(o enumEntry) bool { return o.code == c })
	})
	if code < 0 {
		code = ownValue + b.x.values.code(identifier(e.Name))
	}
	for _, w := range valueWords(e) {
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
