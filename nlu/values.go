package nlu

import (
	"math"
	"slices"
)

// This file puts said values on properties: numbers, modes, extremes, colours.

// ranks of enum values that have an order.
var ranks = map[string]int{"quiet": 1, "low": 2, "medium": 3, "high": 4, "strong": 5}

// ordered: at least two values of the enum have an order.
func ordered(p *prop, v *vocabulary) bool {
	n := 0
	for i := range p.enum {
		if c := p.enum[i].code; c >= 0 && c < ownValue && ranks[v.values.list[c]] > 0 {
			n++
		}
	}
	return n >= 2
}

// number writes v as the type of p wants it.
func number(p *prop, v float64) any {
	if p.kind == kindInt {
		return int64(math.Round(v))
	}
	return v
}

// numbered is the property that a number is for.
func (a *assigner) numbered() (*prop, Meaning) {
	d := a.d
	if d.dir != 0 && d.prop == 0 {
		p, _ := a.directed()
		return p, ""
	}
	if d.prop != 0 {
		return a.said()
	}
	switch d.num.unit {
	case uDegree, uFahrenheit:
		return a.first(TargetTemperature), TargetTemperature
	case uKelvin:
		return a.first(ColourTemperature), ColourTemperature
	case uChannel:
		return a.first(Channel), Channel
	case uLevel:
		return a.first(Level, FanSpeed), Level
	}
	if c := a.category(); c == "tv" && d.num.unit == uNone {
		return nil, ""
	}
	p := a.natural()
	if q := a.first(TargetHumidity); q != nil && q.writable && (a.category() == "humidifier" || a.category() == "dehumidifier") {
		if d.num.unit == uPercent || d.num.value >= q.min && p != nil && d.num.value > p.max { // 60 is no level but a humidity
			p = q
		}
	}
	if p != nil && d.num.unit == uPercent && a.x.meaning(p.meaning) == TargetTemperature {
		return nil, ""
	}
	return p, ""
}

// number sets a number, or changes by it.
func (a *assigner) number() (assignment, bool) {
	p, m := a.numbered()
	if p == nil {
		if m == "" {
			return a.no(AmbiguousMeaning, "", nil)
		}
		return a.no(NoSuchProperty, m, nil)
	}
	if !p.writable {
		return a.no(ReadOnly, "", p)
	}
	d := a.d
	further := a.f.more && (a.f.verb == vOpen || a.f.verb == vClose) // 再拉开百分之二十
	relative := !d.to && (a.f.verb == vUp || a.f.verb == vDown || d.dir != 0 || further) || d.by && d.dir != 0
	if relative {
		return a.amount(p)
	}
	if p.kind == kindEnum {
		return a.gear(p)
	}
	if p.kind != kindInt && p.kind != kindFloat {
		return a.no(NoSuchValue, "", p)
	}
	v := a.scaled(p)
	if p.hasRange && (v < p.min-1e-9 || v > p.max+1e-9) || p.kind == kindInt && v != math.Trunc(v) {
		out, _ := a.no(OutOfRange, "", p)
		out.reason.Value, out.reason.Min, out.reason.Max, out.reason.Unit = d.num.value, p.min, p.max, p.unit
		return out, false
	}
	return a.set(p, number(p, v))
}

// scaled is the number in the unit and range of p.
func (a *assigner) scaled(p *prop) float64 {
	q := &a.d.num
	switch {
	case q.unit == uPercent && p.hasRange && !hundred(p):
		if q.value < 0 || q.value > 100 {
			return p.max + 1
		}
		v := p.min + q.value*(p.max-p.min)/100
		if p.step > 0 {
			v = p.min + math.Round((v-p.min)/p.step)*p.step
		}
		if p.kind == kindInt {
			v = math.Round(v)
		}
		return v
	case q.unit == uFahrenheit && p.unit != "°F":
		return math.Round((q.value-32)*10/1.8) / 10
	}
	return q.value
}

// hundred: the property is a percentage already.
func hundred(p *prop) bool { return p.max == 100 && p.min >= 0 && p.min <= 10 || p.unit == "%" }

func (a *assigner) amount(p *prop) (assignment, bool) {
	d := a.d
	sign := int8(1)
	if d.dir != 0 {
		_, sign = a.directed()
	} else if a.f.verb == vDown || a.f.verb == vClose {
		sign = -1
	}
	out, ok := a.change(p, sign)
	if !ok {
		return out, false
	}
	act := &out.action
	act.Amount, act.HasAmount = d.num.value, true
	if d.num.unit == uPercent {
		act.Unit = "%"
	}
	if p.hasRange && act.Amount > p.max-p.min && act.Unit != "%" || act.Amount < 0 {
		out, _ := a.no(OutOfRange, "", p)
		out.reason.Value, out.reason.Min, out.reason.Max, out.reason.Unit = d.num.value, p.min, p.max, p.unit
		return out, false
	}
	return out, true
}

// gear sets an enum of speeds by its number: 二档 of low, medium, high.
func (a *assigner) gear(p *prop) (assignment, bool) {
	var list []int
	for i := range p.enum {
		if c := p.enum[i].code; c >= 0 && c < ownValue && ranks[a.v.values.list[c]] > 0 {
			list = append(list, i)
		}
	}
	n := int(a.d.num.value)
	if a.d.num.unit == uPercent && len(list) > 1 {
		n = 1 + int(math.Round(a.d.num.value/100*float64(len(list)-1)))
	}
	if a.d.num.value < 0 {
		return a.noValue(p)
	}
	if float64(n) == math.Trunc(a.d.num.value) || a.d.num.unit == uPercent {
		if n >= 1 && n <= len(list) {
			return a.set(p, p.enum[list[n-1]].name)
		}
	}
	return a.noValue(p)
}

func (a *assigner) noValue(p *prop) (assignment, bool) {
	out, _ := a.no(NoSuchValue, "", p)
	for i := range p.enum {
		out.reason.Allowed = append(out.reason.Allowed, p.enum[i].name)
	}
	return out, false
}

// enum sets a mode or a speed by name.
func (a *assigner) enum() (assignment, bool) {
	d := a.d
	if a.f.verb == vOff || a.f.verb == vCancel {
		return a.no(MissingValue, Mode, nil)
	}
	if d.prop != 0 {
		p, m := a.said()
		if p == nil && m != Mode {
			return a.no(NoSuchProperty, m, nil)
		}
		out, ok := assignment{}, false
		if p != nil {
			out, ok = a.valued(p)
		}
		if ok || m != Level && m != FanSpeed && m != Mode {
			return out, ok
		}
	}
	var candidate *prop
	for _, m := range []Meaning{Mode, FanSpeed, Level, Work, Playback, Position} {
		p := a.first(m)
		if p == nil || !p.writable {
			continue
		}
		if out, ok := a.valued(p); ok {
			return out, true
		}
		if candidate == nil && p.kind == kindEnum {
			candidate = p
		}
	}
	for i := range a.x.devices[a.dev].props {
		if p := &a.x.devices[a.dev].props[i]; p.kind == kindEnum {
			if out, ok := a.valued(p); ok {
				return out, true
			}
		}
	}
	if candidate != nil {
		return a.noValue(candidate)
	}
	return a.no(NoSuchProperty, Mode, nil)
}

// valued sets the said value on p: an enum value of that meaning, or a rank of a range.
func (a *assigner) valued(p *prop) (assignment, bool) {
	for i := range p.enum {
		if e := &p.enum[i]; p.kind == kindEnum && (a.d.own != 0 && e.code == a.d.own || a.d.word != "" && e.called(a.d.word)) {
			return a.set(p, e.name)
		}
	}
	code := a.d.code
	if a.d.word != "" { // what the word is as a verb: pause, stop
		if c, known := a.v.lookup(a.d.word, cVerb); known {
			if c, known = a.v.values.index[sense{code: c}.verb().String()]; known {
				code = c
			}
		}
	}
	for i := range p.enum {
		if p.enum[i].code == code && p.kind == kindEnum {
			return a.set(p, p.enum[i].name)
		}
	}
	for i := range p.enum {
		if slices.Contains(p.enum[i].also, code) && p.kind == kindEnum {
			return a.set(p, p.enum[i].name)
		}
	}
	key := ""
	if code >= 0 && code < ownValue {
		key = a.v.values.list[code]
	}
	if (p.kind == kindInt || p.kind == kindFloat) && p.hasRange && a.x.meaning(p.meaning) != Position {
		switch key {
		case "low":
			return a.set(p, number(p, p.min))
		case "medium":
			return a.set(p, number(p, math.Round((p.min+p.max)/2)))
		case "high", "strong":
			return a.set(p, number(p, p.max))
		}
	}
	return a.noValue(p)
}

// extreme sets the highest or lowest value.
func (a *assigner) extreme() (assignment, bool) {
	d := a.d
	var p *prop
	switch {
	case d.prop != 0:
		p, _ = a.said()
	case d.code == dirTemp:
		p = a.first(TargetTemperature)
	case a.category() == "air_conditioner":
		p = a.first(FanSpeed, TargetTemperature)
	default:
		p = a.natural()
	}
	if p == nil {
		return a.no(NoSuchProperty, "", nil)
	}
	if p.kind == kindEnum {
		best, rank := -1, 0
		for i := range p.enum {
			if c := p.enum[i].code; c >= 0 && c < ownValue {
				if k := ranks[a.v.values.list[c]]; k > 0 && (best < 0 || d.sign > 0 && k > rank || d.sign < 0 && k < rank) {
					best, rank = i, k
				}
			}
		}
		if best >= 0 {
			return a.set(p, p.enum[best].name)
		}
		return a.noValue(p)
	}
	if !p.hasRange || p.kind != kindInt && p.kind != kindFloat {
		return a.no(NoSuchValue, "", p)
	}
	if d.sign > 0 {
		return a.set(p, number(p, p.max))
	}
	return a.set(p, number(p, p.min))
}

// colour sets a colour by name.
func (a *assigner) colour() (assignment, bool) {
	p := a.first(Colour)
	name := a.v.colours.list[a.d.code]
	if p == nil {
		if q := a.first(ColourTemperature); q != nil && name == "white" {
			return a.set(q, number(q, clamp(q, 4000)))
		}
		return a.no(NoSuchProperty, Colour, nil)
	}
	if p.kind == kindEnum {
		for i := range p.enum {
			if identifier(p.enum[i].name) == name {
				return a.set(p, p.enum[i].name)
			}
		}
		return a.noValue(p)
	}
	if p.kind == kindInt && !(p.hasRange && p.max >= 0xffffff) || p.kind == kindBool || p.kind == kindOther || p.kind == kindFloat {
		return a.no(NoSuchValue, "", p)
	}
	return a.set(p, name)
}

// white sets a white by its name: warm white is about 2700 K, within what the lamp can.
func (a *assigner) white() (assignment, bool) {
	p := a.first(ColourTemperature)
	if p == nil || p.kind != kindInt && p.kind != kindFloat {
		return a.no(NoSuchProperty, ColourTemperature, p)
	}
	return a.set(p, number(p, clamp(p, float64(a.d.code))))
}

func clamp(p *prop, v float64) float64 {
	if !p.hasRange {
		return v
	}
	return min(max(v, p.min), p.max)
}
