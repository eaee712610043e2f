package nlu

import (
	"encoding/json"
	"math"
	"strconv"

	"lampworks/tsl"
)

// Params turns one action of kind OpSet or OpAdjust on one of its targets into the params of a property set, as the
// target's model has them on the wire: {"powerstate":1}; one of kind OpCall into the input of its service. A relative change is resolved with state, which may be nil;
// what cannot be done comes back as a Reason with a Code, and params is nil then. A change that is already at its limit
// comes back as OutOfRange.
func (x *Index) Params(a Action, target string, state func(device, property string) (value any, known bool)) (json.RawMessage, Reason) {
	d, ok := x.byID[target]
	if !ok {
		return nil, Reason{Code: NoSuchDevice, Device: target}
	}
	if a.Op == OpCall {
		return x.inputOf(a, d)
	}
	p := x.devices[d].property(a.Prop)
	if p == nil {
		return nil, Reason{Code: NoSuchProperty, Device: target, Prop: a.Prop, Meaning: a.Meaning}
	}
	reason := Reason{Device: target, Prop: p.id, Meaning: x.meaning(p.meaning), Value: a.Value, Min: p.min, Max: p.max, Unit: p.unit}
	if !p.writable {
		reason.Code = ReadOnly
		return nil, reason
	}
	var wire []byte
	switch a.Op {
	case OpSet:
		wire, reason.Code = x.wire(p, a.Value)
	case OpAdjust:
		if state == nil {
			reason.Code = UnknownState
			break
		}
		value, known := state(target, p.id)
		if !known {
			reason.Code = UnknownState
			break
		}
		wire, reason.Code = x.adjusted(p, &a, value)
	default:
		reason.Code = NoSuchValue
	}
	if reason.Code != "" {
		return nil, reason
	}
	return member(p.id, wire), Reason{}
}

// member is an object of one member.
func member(name string, wire []byte) []byte {
	out := append([]byte{'{'}, strconv.Quote(name)...)
	out = append(out, ':')
	out = append(out, wire...)
	return append(out, '}')
}

// wire writes a value as the model has it: 0 or 1, the number of an enum, a number in range, a text.
func (x *Index) wire(p *prop, value any) ([]byte, Code) {
	switch p.kind {
	case kindBool:
		if on, ok := value.(bool); ok {
			return []byte{'0' + byte(b2i(on))}, ""
		}
	case kindEnum:
		for i := range p.enum {
			if p.enum[i].name == value {
				return strconv.AppendInt(nil, p.enum[i].value, 10), ""
			}
		}
	case kindInt, kindFloat:
		if name, ok := value.(string); ok && x.meaning(p.meaning) == Colour {
			if rgb, ok := colourRGB[name]; ok {
				return strconv.AppendInt(nil, int64(rgb), 10), ""
			}
			return nil, NoSuchValue
		}
		v, ok := toFloat(value)
		if !ok {
			return nil, NoSuchValue
		}
		if p.hasRange && (v < p.min-1e-9 || v > p.max+1e-9) {
			return nil, OutOfRange
		}
		return numberText(p, v), ""
	case kindText:
		if s, ok := value.(string); ok {
			b, err := json.Marshal(s)
			if err == nil {
				return b, ""
			}
		}
	case kindStruct:
		if name, ok := value.(string); ok {
			return colourStruct(p, name)
		}
	}
	return nil, NoSuchValue
}

func numberText(p *prop, v float64) []byte {
	if p.step > 0 {
		base := 0.0
		if p.hasRange {
			base = p.min
		}
		v = base + math.Round((v-base)/p.step)*p.step
	}
	if p.kind == kindInt {
		return strconv.AppendInt(nil, int64(math.Round(v)), 10)
	}
	return strconv.AppendFloat(nil, math.Round(v*1e6)/1e6, 'f', -1, 64)
}

func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case float32:
		return float64(v), true
	case int:
		return float64(v), true
	case int32:
		return float64(v), true
	case int64:
		return float64(v), true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case json.RawMessage:
		f, err := strconv.ParseFloat(string(v), 64)
		return f, err == nil
	case bool:
		return float64(b2i(v)), true
	}
	return 0, false
}

// steps are what "a little" means, by meaning; others move by a tenth of their range.
var steps = map[Meaning]float64{
	TargetTemperature: 1, TargetHumidity: 5, Level: 1, FanSpeed: 1, Channel: 1, Volume: 10, Brightness: 20, Position: 20, ColourTemperature: 500,
}

// adjusted is the value after a relative change from the value that is known.
func (x *Index) adjusted(p *prop, a *Action, from any) ([]byte, Code) {
	sign := 1.0
	if a.Direction == "down" {
		sign = -1
	}
	v, ok := toFloat(from)
	if !ok {
		return nil, UnknownState
	}
	if p.kind == kindEnum {
		return x.shifted(p, int64(v), sign > 0)
	}
	span := p.max - p.min
	step := a.Amount
	switch m := x.meaning(p.meaning); {
	case a.HasAmount && a.Unit == "%" && p.hasRange && !hundred(p):
		step = a.Amount * span / 100
	case a.HasAmount:
	case steps[m] > 0 && (!p.hasRange || steps[m] < span/2):
		step = steps[m]
		if (m == FanSpeed || m == Level) && p.hasRange && span > 10 {
			step = span / 5
		}
	case p.hasRange:
		step = max(span/10, p.step)
	default:
		step = max(1, p.step)
	}
	to := v + sign*step
	if p.hasRange {
		if sign > 0 && v >= p.max || sign < 0 && v <= p.min {
			return nil, OutOfRange
		}
		to = min(max(to, p.min), p.max)
	}
	return numberText(p, to), ""
}

// shifted is the next value of an enum of speeds.
func (x *Index) shifted(p *prop, from int64, up bool) ([]byte, Code) {
	rank := func(i int) int {
		if c := p.enum[i].code; c >= 0 && c < ownValue {
			return ranks[x.v.values.list[c]]
		}
		return 0
	}
	now := 0
	for i := range p.enum {
		if p.enum[i].value == from {
			now = rank(i)
		}
	}
	if now == 0 { // automatic: the middle is the place to start from
		now = ranks["medium"]
	}
	best := -1
	for i := range p.enum {
		k := rank(i)
		if k == 0 || up && k <= now || !up && k >= now {
			continue
		}
		if best < 0 || up && k < rank(best) || !up && k > rank(best) {
			best = i
		}
	}
	if best < 0 {
		return nil, OutOfRange
	}
	return strconv.AppendInt(nil, p.enum[best].value, 10), ""
}

// colourRGB are the colours of the vocabulary as 0xRRGGBB.
var colourRGB = map[string]uint32{
	"red": 0xff0000, "green": 0x00ff00, "blue": 0x0000ff, "yellow": 0xffff00, "orange": 0xff8000, "purple": 0x8000ff, "pink": 0xff80c0,
	"white": 0xffffff, "cyan": 0x00ffff, "brown": 0x804000, "turquoise": 0x40e0d0, "black": 0x000000,
}

// colourStruct writes a colour into a struct of red, green, blue or of hue, saturation and value or lightness.
func colourStruct(p *prop, name string) ([]byte, Code) {
	rgb, ok := colourRGB[name]
	if !ok {
		return nil, NoSuchValue
	}
	r, g, b := float64(rgb>>16)/255, float64(rgb>>8&255)/255, float64(rgb&255)/255
	hi, lo := max(r, g, b), min(r, g, b)
	hue := 0.0
	if hi > lo {
		switch hi {
		case r:
			hue = math.Mod((g-b)/(hi-lo)+6, 6) * 60
		case g:
			hue = ((b-r)/(hi-lo) + 2) * 60
		default:
			hue = ((r-g)/(hi-lo) + 4) * 60
		}
	}
	saturation := 0.0
	if hi > 0 {
		saturation = (hi - lo) / hi
	}
	out := []byte{'{'}
	for _, f := range p.fields {
		var share float64
		switch id := identifier(f.Identifier); id {
		case "red", "r":
			share = r
		case "green", "g":
			share = g
		case "blue", "b":
			share = b
		case "hue", "h":
			share = hue / 360
		case "saturation", "s", "sat":
			share = saturation
		case "value", "v", "brightness", "val":
			share = hi
		case "lightness", "l", "luminance":
			share = (hi + lo) / 2
		default:
			return nil, NoSuchValue
		}
		out = appendField(out, f, share)
	}
	if len(out) == 1 {
		return nil, NoSuchValue
	}
	return append(out, '}'), ""
}

func appendField(out []byte, f *tsl.Property, share float64) []byte {
	if len(out) > 1 {
		out = append(out, ',')
	}
	out = append(out, strconv.Quote(f.Identifier)...)
	out = append(out, ':')
	top := 1.0
	if f.HasRange {
		top = f.Max
	}
	q := prop{kind: kindFloat, hasRange: f.HasRange, min: f.Min, max: f.Max, step: f.Step}
	if f.Type == tsl.Int {
		q.kind = kindInt
	}
	return append(out, numberText(&q, share*top)...)
}
