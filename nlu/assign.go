package nlu

// assignment is what one predicate comes to on one device: an action, or the reason why not.
type assignment struct {
	action Action
	reason Reason
}

// assign finds property and value of predicate d on device dev.
func (r *resolver) assign(dev int32, f *frame, d *pred) (assignment, bool) {
	a := assigner{r, dev, f, d}
	switch {
	case f.call != 0:
		return a.call()
	case f.verb == vStart && d.kind == valNumber:
		if s := r.x.callable(dev, -1, vStart); s != nil && s.input != nil {
			return a.invoke(s)
		}
		return a.number()
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
	case Humidity:
		return a.first(TargetHumidity), m
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
	case vSet, vNone, vTell, vCancel:
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
	vRun: {"start", "clean", "on", "play"}, vPlay: {"play"}, vClean: {"clean", "start"}, vDock: {"dock"}, vMow: {"start", "clean"},
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
	if s := a.x.callable(a.dev, -1, v); s != nil {
		return a.invoke(s)
	}
	if v == vStart || v == vRun || v == vStop && a.moves() {
		if p := a.first(Power); p != nil {
			return a.switched(p, v != vStop, []string{"on"}, []string{"off"})
		}
	}
	return a.no(NoSuchProperty, Work, nil)
}

// moves: the device moves, plays or works at something, so that "stop" means it; a lamp does not.
func (a *assigner) moves() bool {
	switch a.category() {
	case "", "light", "socket", "switch", "lock", "sensor", "camera":
		return false
	}
	return true
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
