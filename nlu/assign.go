package nlu

import "math"

// assignment is what one predicate comes to on one device: an action, or the reason why not.
type assignment struct {
	action Action
	reason Reason
}

// assign finds property and value of predicate d on device dev.
func (r *resolver) assign(dev int32, f *frame, d *pred) (assignment, bool) {
	a := assigner{r, dev, f, d}
	switch {
	case d.dir != 0 && d.kind != valNumber:
		return a.change(a.directed())
	case d.kind == valNumber:
		return a.number()
	case d.kind == valEnum:
		return a.enum()
	case d.kind == valColour:
		return a.colour()
	case d.kind == valWhite:
		return a.white()
	case d.kind == valExtreme:
		return a.extreme()
	}
	return a.verb()
}

type assigner struct {
	*resolver
	dev int32
	f   *frame
	d   *pred
}

func (a *assigner) category() string {
	if c := a.x.devices[a.dev].category; c >= 0 {
		return a.v.categories.list[c]
	}
	return ""
}

func (a *assigner) no(code Code, m Meaning, p *prop) (assignment, bool) {
	reason := Reason{Code: code, Device: a.x.devices[a.dev].id, Meaning: m}
	if p != nil {
		reason.Prop, reason.Meaning = p.id, a.x.meaning(p.meaning)
	}
	return assignment{reason: reason}, false
}

func (a *assigner) set(p *prop, value any) (assignment, bool) {
	if !p.writable {
		return a.no(ReadOnly, "", p)
	}
	return assignment{action: Action{Op: OpSet, Prop: p.id, Meaning: a.x.meaning(p.meaning), Value: value, Unit: p.unit}}, true
}

// first is the first property of the device with one of the meanings.
func (a *assigner) first(ms ...Meaning) *prop {
	for _, m := range ms {
		if p := a.x.has(a.dev, m); p != nil {
			return p
		}
	}
	return nil
}

// said is the property that the predicate names, or one close to it that the device has.
func (a *assigner) said() (*prop, Meaning) {
	code := a.d.prop - 1
	m := a.x.meaning(code)
	if i := a.x.devices[a.dev].find(code); i >= 0 {
		return &a.x.devices[a.dev].props[i], m
	}
	switch m {
	case FanSpeed:
		return a.first(Level), m
	case Level:
		return a.first(FanSpeed), m
	case TargetTemperature:
		if a.category() == "light" {
			return a.first(ColourTemperature), ColourTemperature
		}
		return a.first(Temperature), m
	case TargetHumidity:
		return a.first(Humidity), m
	case Colour:
		if a.d.kind == valWhite || a.d.dir != 0 {
			return a.first(ColourTemperature), m
		}
	case Playback:
		return a.first(Volume), m
	}
	return nil, m
}

// natural is the property that "higher", "50 %" or "to the maximum" mean on this device.
func (a *assigner) natural() *prop {
	switch a.category() {
	case "light":
		return a.first(Brightness)
	case "curtain", "blind", "window", "garage", "gate", "valve", "rack", "door":
		return a.first(Position)
	case "air_conditioner", "thermostat", "water_heater", "fridge", "kettle", "heater":
		return a.first(TargetTemperature, Level)
	case "tv", "speaker":
		return a.first(Volume)
	case "humidifier", "dehumidifier":
		return a.first(Level, TargetHumidity, FanSpeed)
	}
	return a.first(Level, FanSpeed, Brightness, Position, Volume, TargetTemperature)
}

// enumOf is the value of p that means one of the codes, in this order.
func (a *assigner) enumOf(p *prop, keys ...string) (string, bool) {
	for _, k := range keys {
		code, known := a.v.values.index[k]
		for i := range p.enum {
			if known && p.enum[i].code == code {
				return p.enum[i].name, true
			}
		}
	}
	return "", false
}

// verb is a predicate that is a verb alone, or with a property: 打开, 扫风打开, 调高音量.
func (a *assigner) verb() (assignment, bool) {
	v := a.f.verb
	if a.d.prop != 0 {
		return a.verbOn(v)
	}
	switch v {
	case vOn, vOff, vOpen, vClose:
		return a.toggle(v)
	case vUp, vDown:
		return a.upDown(v)
	case vMute, vUnmute:
		if p := a.first(Mute); p != nil && p.kind == kindBool {
			return a.set(p, v == vMute)
		}
		return a.no(NoSuchProperty, Mute, nil)
	case vLock, vUnlock:
		if p := a.first(Locked, ChildLock); p != nil {
			return a.switched(p, v == vLock, []string{"lock", "on"}, []string{"unlock", "off"})
		}
		return a.no(NoSuchProperty, Locked, nil)
	case vNext, vPrevious:
		return a.skip(v)
	case vSet, vNone, vTell, vRun, vCancel:
		return a.no(MissingValue, "", nil)
	}
	return a.work(v)
}

func (a *assigner) switched(p *prop, on bool, yes, no []string) (assignment, bool) {
	switch p.kind {
	case kindBool:
		return a.set(p, on)
	case kindEnum:
		keys := no
		if on {
			keys = yes
		}
		if name, ok := a.enumOf(p, keys...); ok {
			return a.set(p, name)
		}
	case kindInt, kindFloat:
		if p.hasRange && on {
			return a.set(p, number(p, p.max))
		}
		if p.hasRange {
			return a.set(p, number(p, p.min))
		}
	}
	return a.no(NoSuchValue, "", p)
}

// toggle is on, off, open, close: of a curtain its position, of a lock its bolt, else the power.
func (a *assigner) toggle(v verb) (assignment, bool) {
	on := v == vOn || v == vOpen
	switch a.category() {
	case "lock":
		if p := a.first(Locked); p != nil {
			return a.switched(p, !on, []string{"lock", "on"}, []string{"unlock", "off"})
		}
	case "curtain", "blind", "window", "garage", "gate", "valve", "rack", "door":
		if p := a.first(Position); p != nil && a.f.little && p.kind != kindEnum { // 再拉开一点
			return a.change(p, int8(2*b2i(on)-1))
		} else if p != nil {
			return a.switched(p, on, []string{"open", "up", "on"}, []string{"close", "down", "off"})
		}
	}
	if p := a.first(Power); p != nil {
		return a.switched(p, on, []string{"on", "open"}, []string{"off", "close"})
	}
	if p := a.first(Position); p != nil {
		return a.switched(p, on, []string{"open", "up", "on"}, []string{"close", "down", "off"})
	}
	if p := a.first(Work, Playback); p != nil && p.kind == kindEnum {
		return a.switched(p, on, []string{"on", "start", "clean", "play"}, []string{"off", "stop", "pause", "dock"})
	}
	return a.no(NoSuchProperty, Power, nil)
}

func (a *assigner) upDown(v verb) (assignment, bool) {
	p := a.natural()
	if p == nil {
		return a.no(NoSuchProperty, "", nil)
	}
	sign := int8(1)
	if v == vDown {
		sign = -1
	}
	return a.change(p, sign)
}

// verbOn is a verb with a property: 打开扫风, 调高音量.
func (a *assigner) verbOn(v verb) (assignment, bool) {
	p, m := a.said()
	if p == nil {
		return a.no(NoSuchProperty, m, nil)
	}
	switch {
	case v == vUp || v == vDown:
		sign := int8(1)
		if v == vDown {
			sign = -1
		}
		return a.change(p, sign)
	case p.kind == kindBool && (v == vOn || v == vOpen || v == vStart):
		return a.set(p, true)
	case p.kind == kindBool && (v == vOff || v == vClose || v == vStop || v == vCancel):
		return a.set(p, false)
	case p.kind == kindBool && v == vNone && m != Power:
		return a.set(p, true)
	case m == Volume && (v == vOff || v == vMute):
		if q := a.first(Mute); q != nil {
			return a.set(q, true)
		}
	case m == Channel && (v == vNext || v == vPrevious):
		return a.change(p, int8(2*b2i(v == vNext)-1))
	case m == Position && (v == vOn || v == vOpen || v == vOff || v == vClose):
		return a.toggle(v)
	}
	return a.no(MissingValue, m, p)
}

func (a *assigner) skip(v verb) (assignment, bool) {
	key := "next"
	if v == vPrevious {
		key = "previous"
	}
	if p := a.first(Playback); p != nil {
		if name, ok := a.enumOf(p, key); ok {
			return a.set(p, name)
		}
	}
	if p := a.first(Channel); p != nil {
		sign := int8(1)
		if v == vPrevious {
			sign = -1
		}
		return a.change(p, sign)
	}
	return a.no(NoSuchProperty, Playback, nil)
}

// workKeys are the values that a verb means on a machine or player, the best first.
var workKeys = map[verb][]string{
	vStart: {"start", "clean", "on", "play"}, vStop: {"stop", "pause", "dock", "off"}, vPause: {"pause", "stop"}, vResume: {"play", "start", "clean"},
	vPlay: {"play"}, vClean: {"clean", "start"}, vDock: {"dock"}, vMow: {"start", "clean"},
}

func (a *assigner) work(v verb) (assignment, bool) {
	media := v == vPlay || v == vResume || v == vPause || a.f.media
	order := []Meaning{Work, Playback, Position}
	if media {
		order = []Meaning{Playback, Work, Position}
	}
	for _, m := range order {
		p := a.first(m)
		if p == nil || p.kind != kindEnum {
			continue
		}
		if name, ok := a.enumOf(p, workKeys[v]...); ok {
			return a.set(p, name)
		}
	}
	if v == vStart || v == vStop {
		if p := a.first(Power); p != nil {
			return a.switched(p, v == vStart, []string{"on"}, []string{"off"})
		}
	}
	return a.no(NoSuchProperty, Work, nil)
}

// directed is the property and the sign of a change: brighter, warmer, too hot.
func (a *assigner) directed() (*prop, int8) {
	d := a.d
	sign := d.dir
	bare := a.lang == Chinese && a.f.verb == vNone && !d.little && d.kind == valNone && (d.about == dirHot || d.about == dirCold)
	if (d.too || bare) && !d.notYet { // 太亮了, 主卧热: a complaint asks for the other way
		sign = -sign
	}
	if a.f.verb == vDown && d.about == dirAny {
		sign = -1
	}
	var p *prop
	switch {
	case d.about == dirHot:
		p = a.first(TargetTemperature)
	case d.about == dirWarm, d.about == dirCold:
		if p = a.first(ColourTemperature); p != nil && (a.category() == "light" || d.prop != 0) {
			sign = -sign // warmer light has fewer kelvins
		} else {
			p = a.first(TargetTemperature)
		}
	case d.prop != 0:
		p, _ = a.said()
	default:
		p = a.natural()
	}
	return p, sign
}

// change is a relative change.
func (a *assigner) change(p *prop, sign int8) (assignment, bool) {
	if p == nil {
		m := Meaning("")
		if a.d.prop != 0 {
			m = a.x.meaning(a.d.prop - 1)
		}
		return a.no(NoSuchProperty, m, nil)
	}
	switch {
	case !p.writable:
		return a.no(ReadOnly, "", p)
	case p.kind == kindEnum && a.x.meaning(p.meaning) == Position:
		keys := []string{"up", "open"}
		if sign < 0 {
			keys = []string{"down", "close"}
		}
		if name, ok := a.enumOf(p, keys...); ok {
			return a.set(p, name)
		}
		return a.no(NoSuchValue, "", p)
	case p.kind == kindBool || p.kind == kindText || p.kind == kindOther || p.kind == kindStruct:
		return a.no(NoSuchValue, "", p)
	case p.kind == kindEnum && !ordered(p, a.v):
		return a.no(NoSuchValue, "", p)
	}
	act := Action{Op: OpAdjust, Prop: p.id, Meaning: a.x.meaning(p.meaning), Direction: "up", Unit: p.unit}
	if sign < 0 {
		act.Direction = "down"
	}
	return assignment{action: act}, true
}

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
	relative := !d.to && (a.f.verb == vUp || a.f.verb == vDown || d.dir != 0) || d.by && d.dir != 0
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
	} else if a.f.verb == vDown {
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
		if p == nil {
			return a.no(NoSuchProperty, m, nil)
		}
		out, ok := a.valued(p)
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
		if p.enum[i].code == a.d.code && p.kind == kindEnum {
			return a.set(p, p.enum[i].name)
		}
	}
	key := ""
	if a.d.code < ownValue {
		key = a.v.values.list[a.d.code]
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
