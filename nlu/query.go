package nlu

import "strings"

// query resolves a question about devices.
func (r *resolver) query(f *frame) bool {
	if f.where {
		return r.fail(Chat, Reason{Code: NotUnderstood})
	}
	if f.left && !f.hasTarget() && len(f.preds) == 0 || f.left && !f.hasTarget() && r.x.meaning(f.preds[0].prop-1) == Remaining {
		r.actions = append(r.actions, Action{Op: OpTimerQuery})
		return true
	}
	m, known := r.asked(f)
	if !known && !f.hasTarget() {
		return r.fail(Chat, Reason{Code: NotUnderstood})
	}
	can := func(d int32) bool { return r.answer(f, d, m) != nil }
	g := *f
	if len(g.preds) == 0 {
		g.preds = []pred{{}}
	}
	if g.preds[0].prop == 0 {
		if g.preds = append([]pred{}, g.preds...); m != "" {
			g.preds[0].prop = r.x.code(m) + 1
		}
	}
	if !g.hasTarget() && r.mem == nil || g.hasTarget() && !g.targets[0].noun() && !g.targets[0].it {
		if devs, m := r.measured(&g, m); len(devs) > 0 {
			return r.queried(f, devs, m)
		}
	}
	devs, ok := r.targets(&g, can)
	if !ok {
		if r.reason.Code == MissingDevice && m == Remaining && !f.hasTarget() { // 还有多久, and no device counts down
			r.outcome, r.reason = "", Reason{}
			r.actions = append(r.actions, Action{Op: OpTimerQuery})
			return true
		}
		if r.reason.Code == MissingDevice && !known {
			return r.fail(Chat, Reason{Code: NotUnderstood})
		}
		return false
	}
	if able := filter(devs, can); len(able) > 0 {
		devs = able
	}
	return r.queried(f, devs, m)
}

// measured are the devices that a question about a place is put to: "how warm is it in the living room".
// What is measured there comes before what was set.
func (r *resolver) measured(f *frame, m Meaning) ([]int32, Meaning) {
	switch m {
	case TargetTemperature, Temperature:
		m = Temperature
	case TargetHumidity, Humidity:
		m = Humidity
	case PM25, Battery, Locked, Remaining, Illuminance, Energy, Volume, Channel:
	default:
		return nil, m
	}
	in := func(int32) bool { return true }
	placed := f.hasTarget() && f.targets[0].where()
	switch {
	case placed && f.targets[0].here && r.room < 0:
		placed = false
	case placed:
		t := &f.targets[0]
		in = func(d int32) bool { return r.within(t, d) }
	case r.room >= 0:
		in = func(d int32) bool { return r.x.devices[d].room == r.room }
	}
	ask := func(in func(int32) bool) []int32 {
		var able []int32
		for d := range r.x.devices {
			if in(int32(d)) && r.answer(f, int32(d), m) != nil && r.x.meaning(r.answer(f, int32(d), m).meaning) == m {
				able = append(able, int32(d))
			}
		}
		if r.ofWater(f) {
			return filter(able, r.holdsWater)
		}
		for _, c := range preferred[m] {
			code := r.v.categories.index[c]
			if devs := filter(able, func(d int32) bool { return r.x.devices[d].category == code }); len(devs) > 0 {
				return devs
			}
		}
		return able
	}
	devs := ask(in)
	if len(devs) == 0 && !placed {
		devs = ask(func(int32) bool { return true })
	}
	return devs, m
}

func (r *resolver) queried(f *frame, devs []int32, m Meaning) bool {
	done := false
	for _, d := range devs {
		p := r.answer(f, d, m)
		if p == nil {
			continue
		}
		r.act(f, d, assignment{action: Action{Op: OpQuery, Prop: p.id, Meaning: r.x.meaning(p.meaning), Unit: p.unit}})
		done = true
	}
	if !done {
		reason := Reason{Code: NoSuchProperty, Meaning: m}
		if len(devs) > 0 {
			reason.Device = r.x.devices[devs[0]].id
		}
		return r.fail(Reject, reason)
	}
	return true
}

// asked is the meaning that a question is about; "" leaves it to the device.
func (r *resolver) asked(f *frame) (Meaning, bool) {
	for i := range f.preds {
		d := &f.preds[i]
		switch {
		case d.prop != 0 && r.x.meaning(d.prop-1) == TargetTemperature && !r.wanted(f):
			return Temperature, true
		case d.prop != 0 && r.x.meaning(d.prop-1) == TargetHumidity && !r.wanted(f):
			return Humidity, true
		case d.prop != 0:
			return r.x.meaning(d.prop - 1), true
		case d.kind == valColour:
			return Colour, true
		case d.kind == valEnum:
			return Mode, true
		case d.dir != 0 && (d.about == dirHot || d.about == dirCold || d.about == dirWarm):
			return Temperature, true
		}
	}
	switch f.state - 1 {
	case stateLocked, stateUnlocked:
		return Locked, true
	}
	switch f.verb {
	case vLock, vUnlock:
		return Locked, true
	case vMute, vUnmute:
		return Mute, true
	case vClean, vDock:
		return Work, true
	}
	if f.left {
		return Remaining, true
	}
	return "", f.state != 0 || f.verb == vOn || f.verb == vOff || f.verb == vOpen || f.verb == vClose
}

// wanted: the question is what was set, not what is: 设的几度, the target temperature.
func (r *resolver) wanted(f *frame) bool {
	if f.verb == vSet {
		return true
	}
	text := string(r.text)
	if r.lang == Chinese {
		text = strings.ReplaceAll(text, "空调", "")
		for _, w := range []string{"设定", "设置", "设的", "设到", "设了", "设成", "设为", "设在", "目标", "调到", "调的", "调成", "定的"} {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	for w := range strings.FieldsSeq(text) {
		switch w {
		case "set", "target", "setting", "setpoint":
			return true
		}
	}
	return false
}

// answer is the property of device d that answers a question about m.
func (r *resolver) answer(f *frame, d int32, m Meaning) *prop {
	a := assigner{r, d, f, &pred{}}
	switch m {
	case "":
		if f.verb == vSet && f.how {
			if p := a.first(TargetTemperature); p != nil {
				return p
			}
		}
		switch a.category() {
		case "curtain", "blind", "window", "garage", "gate", "valve", "rack", "door":
			return a.first(Position, Contact, Power)
		case "lock":
			return a.first(Locked)
		case "sensor":
			return a.first(Presence, Contact, Temperature, Humidity)
		case "washer", "dryer", "dishwasher":
			return a.first(Work, Power)
		}
		return a.first(Power, Work, Playback, Locked, Position)
	case TargetTemperature, Temperature:
		if m == Temperature {
			return a.first(Temperature, TargetTemperature)
		}
		return a.first(TargetTemperature, Temperature)
	case TargetHumidity, Humidity:
		if m == Humidity {
			return a.first(Humidity, TargetHumidity)
		}
		return a.first(TargetHumidity, Humidity)
	case Battery: // the 电量 of a socket is what it has let through
		return a.first(Battery, Energy)
	case FanSpeed:
		return a.first(FanSpeed, Level)
	case Level:
		return a.first(Level, FanSpeed)
	case Position:
		return a.first(Position)
	case Power:
		return a.first(Power, Position, Work)
	case Work:
		return a.first(Work, Playback, Power)
	}
	if i := r.x.devices[d].find(r.x.code(m)); i >= 0 {
		return &r.x.devices[d].props[i]
	}
	for i := range r.x.devices[d].props {
		if p := &r.x.devices[d].props[i]; r.x.meaning(p.meaning) == m {
			return p
		}
	}
	return nil
}
