package nlu

import (
	"slices"
	"strings"
)

// This file finds the devices that the noun phrases of a clause mean.

// targets finds the devices of a clause; can says which could do what is asked.
func (r *resolver) targets(f *frame, can func(int32) bool) (devs []int32, ok bool) {
	if len(f.targets) == 0 {
		devs, ok = r.unsaid(f, can)
	} else {
		for i := range f.targets {
			one, found := r.target(f, &f.targets[i], can)
			if !found {
				return nil, false
			}
			for _, d := range one {
				if !slices.Contains(devs, d) {
					devs = append(devs, d)
				}
			}
		}
		ok = true
	}
	if !ok {
		return nil, false
	}
	if len(f.except) > 0 {
		if devs = r.without(f, devs); len(devs) == 0 {
			return nil, r.fail(Reject, Reason{Code: NoSuchDevice})
		}
	}
	return devs, true
}

// without takes the exceptions out.
func (r *resolver) without(f *frame, devs []int32) []int32 {
	out := devs[:0:0]
	for _, d := range devs {
		excluded := false
		for i := range f.except {
			excluded = excluded || r.matches(&f.except[i], d)
		}
		if !excluded {
			out = append(out, d)
		}
	}
	return out
}

// matches reports whether a noun phrase of an exception means device d.
func (r *resolver) matches(t *target, d int32) bool {
	if t.where() && !r.within(t, d) {
		return false
	}
	if !t.noun() {
		return t.where()
	}
	return slices.Contains(t.devices, d) || slices.Contains(t.parts, d) || t.typ != 0 && len(t.devices) == 0 && r.x.isType(d, t.typ-1)
}

// within reports whether d lies in the place of t.
func (r *resolver) within(t *target, d int32) bool {
	room := r.x.devices[d].room
	switch {
	case t.house:
		return true
	case t.here && r.room >= 0 && room == r.room:
		return true
	case slices.Contains(t.rooms, room):
		return room >= 0
	}
	if room >= 0 {
		for _, fl := range t.floors {
			if r.x.rooms[room].floor == fl {
				return true
			}
		}
	}
	return false
}

// target finds the devices of one noun phrase.
func (r *resolver) target(f *frame, t *target, can func(int32) bool) ([]int32, bool) {
	switch {
	case t.odd:
		return nil, r.fail(Reject, Reason{Code: NoSuchDevice, Word: string(r.text[t.named[0]:t.named[1]])})
	case t.object && len(t.devices) == 0 && !f.works():
		return nil, r.ask(MissingDevice, nil)
	case t.here && r.room < 0 && len(t.rooms) == 0:
		return nil, r.ask(MissingDevice, nil)
	case t.it && !t.noun():
		if devs := r.mem.devices(can); len(devs) > 0 {
			return devs, true
		}
		if r.room >= 0 && len(f.preds) > 0 && f.preds[0].dir != 0 { // make it cooler
			return r.unsaid(f, can)
		}
		return nil, r.ask(MissingDevice, nil)
	case t.kind != 0 && len(t.rooms) == 0:
		return nil, r.fail(Reject, Reason{Code: NoSuchDevice, Word: string(r.text[t.place[0]:t.place[1]])})
	case t.kind != 0 && len(t.rooms) > 1 && !t.all && !f.both && !f.any:
		return r.vague(f, t, can)
	case t.thing || t.all && t.where() && !t.noun() && (f.verb == vOff || f.verb == vOn) || f.both && t.where() && !t.house && !t.noun() && f.verb == vOff && !f.hasValue() && r.mem.noun() == nil && len(f.except) == 0:
		return r.everything(f, t)
	case !t.noun() && (t.where() || t.all || t.other):
		return r.places(f, t, can)
	case t.where():
		return r.placed(f, t, can)
	}
	return r.named(f, t, can)
}

// works: the clause asks about a machine, or has it start or stop.
func (f *frame) works() bool {
	switch f.verb {
	case vStart, vStop, vPause, vResume:
		return true
	}
	return f.question
}

// vague: a kind of room was said and there are several: 卧室 where there is 主卧 and 次卧.
func (r *resolver) vague(f *frame, t *target, can func(int32) bool) ([]int32, bool) {
	if r.room >= 0 && slices.Contains(t.rooms, r.room) {
		one := *t
		one.rooms, one.kind = []int32{r.room}, 0
		return r.target(f, &one, can)
	}
	one := *t
	one.kind = 0
	found, ok := r.target(f, &one, can)
	if !ok {
		return nil, false
	}
	rooms := found[:0:0]
	for _, d := range found {
		if !slices.Contains(rooms, r.x.devices[d].room) {
			rooms = append(rooms, r.x.devices[d].room)
		}
	}
	if len(rooms) == 1 {
		return found, true
	}
	return nil, r.ask(AmbiguousDevice, found)
}

// everything: all devices of a place that have a switch. Everywhere at once is asked back.
func (r *resolver) everything(f *frame, t *target) ([]int32, bool) {
	if !t.where() && !t.all && len(f.except) == 0 || len(f.preds) > 0 && !f.preds[0].empty() || f.verb != vOff && !t.where() {
		return nil, r.ask(MissingDevice, nil)
	}
	var out []int32
	for d := range r.x.devices {
		if (!t.where() || r.within(t, int32(d))) && r.x.has(int32(d), Power) != nil {
			out = append(out, int32(d))
		}
	}
	if len(out) == 0 {
		return nil, r.fail(Reject, Reason{Code: NoSuchDevice})
	}
	return out, true
}

// placed: a noun with its place means every such device there, a named device that one.
func (r *resolver) placed(f *frame, t *target, can func(int32) bool) ([]int32, bool) {
	if devs := r.inPlace(f, t, func(d int32) bool { return r.within(t, d) }, can); len(devs) > 0 {
		return devs, true
	}
	if len(t.devices) == 1 && r.x.devices[t.devices[0]].room < 0 {
		return t.devices, true
	}
	reason := Reason{Code: NoSuchDevice, Word: string(r.text[t.named[0]:t.named[1]])}
	if len(t.rooms) > 0 {
		reason.Room = r.x.rooms[t.rooms[0]].id
	}
	return nil, r.fail(Reject, reason)
}

// inPlace: by name, then by type, then by the end of the name.
func (r *resolver) inPlace(f *frame, t *target, in, can func(int32) bool) []int32 {
	all := t.all || f.both || f.any || t.other
	exact := filter(t.devices, in)
	if len(exact) > 0 && !(all && t.typ != 0) {
		return exact
	}
	var typed []int32
	if t.typ != 0 {
		for d := range r.x.devices {
			if in(int32(d)) && r.x.isType(int32(d), t.typ-1) {
				typed = append(typed, int32(d))
			}
		}
		if able := filter(typed, can); len(able) > 0 && can != nil {
			typed = able
		}
		if len(typed) > 0 && r.exactCategory(typed, t.typ-1) {
			typed = filter(typed, func(d int32) bool { return r.x.devices[d].category == t.typ-1 })
		}
	}
	if len(typed) > 0 {
		return typed
	}
	if len(exact) > 0 {
		return exact
	}
	return filter(t.parts, in)
}

// exactCategory reports whether some device is of the category itself, not only of one alike.
func (r *resolver) exactCategory(devs []int32, typ int32) bool {
	return slices.ContainsFunc(devs, func(d int32) bool { return r.x.devices[d].category == typ })
}

func filter(devs []int32, keep func(int32) bool) []int32 {
	if keep == nil {
		return devs
	}
	var out []int32
	for _, d := range devs {
		if keep(d) && !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	slices.Sort(out)
	return out
}

// named: no place was said: all if all was said, else the speaker's room, else the only one there is, else ask.
func (r *resolver) named(f *frame, t *target, can func(int32) bool) ([]int32, bool) {
	anywhere := func(int32) bool { return true }
	if t.all || t.other || f.any || r.elsewhere(f) {
		if devs := r.inPlace(f, t, anywhere, can); len(devs) > 0 {
			return devs, true
		}
		return nil, r.fail(Reject, Reason{Code: NoSuchDevice, Word: string(r.text[t.named[0]:t.named[1]])})
	}
	for _, room := range r.rooms(t) {
		devs := r.inPlace(f, t, func(d int32) bool { return r.x.devices[d].room == room }, nil)
		if able := filter(devs, can); len(able) > 0 {
			return able, true
		}
	}
	if len(t.devices) == 1 {
		return t.devices, true
	}
	devs := r.inPlace(f, t, anywhere, can)
	if able := filter(devs, can); len(able) > 0 {
		devs = able
	} else if len(devs) > 0 {
		return devs, true // none of them can: that is the answer, not which one
	}
	switch {
	case len(devs) == 0:
		return nil, r.fail(Reject, Reason{Code: NoSuchDevice, Word: string(r.text[t.named[0]:t.named[1]])})
	case len(devs) == 1 || f.both || f.question && r.asks(f) || r.oneRoom(devs):
		return devs, true
	}
	return nil, r.ask(AmbiguousDevice, devs)
}

// elsewhere: a room other than the speaker's is excepted, so that the whole home is meant: the lights, except in the kitchen.
func (r *resolver) elsewhere(f *frame) bool {
	for i := range f.except {
		t := &f.except[i]
		if t.where() && !t.here && !(r.room >= 0 && slices.Contains(t.rooms, r.room)) {
			return true
		}
	}
	return false
}

// oneRoom: all lie in the same room and share the end of a name: 床头灯 of 左床头灯 and 右床头灯.
func (r *resolver) oneRoom(devs []int32) bool {
	for _, d := range devs {
		if r.x.devices[d].room != r.x.devices[devs[0]].room || r.x.devices[d].room < 0 {
			return false
		}
	}
	return true
}

// rooms are the rooms that are meant when none is said: of the clause before, of the speaker, of the sentence before.
func (r *resolver) rooms(t *target) []int32 {
	var out []int32
	out = append(out, t.hint...)
	if r.room >= 0 {
		out = append(out, r.room)
	}
	if r.mem != nil && r.mem.room >= 0 && len(out) == 0 {
		out = append(out, r.mem.room)
	}
	return out
}

// places: only a place was said; the devices there that what is asked fits.
func (r *resolver) places(f *frame, t *target, can func(int32) bool) ([]int32, bool) {
	in := func(d int32) bool { return true }
	if t.where() {
		in = func(d int32) bool { return r.within(t, d) }
	}
	if noun := r.mem.noun(); noun != nil && t.where() && len(f.except) == 0 && (f.verb == vOn || f.verb == vOff || f.asWell || f.also || !f.hasPred()) {
		more := *noun
		more.placeOf(t)
		if devs := filter(r.inPlace(f, &more, in, can), can); len(devs) > 0 {
			return devs, true
		}
	}
	if len(f.except) > 0 && (f.verb == vOn || f.verb == vOff) { // 除了床头灯都关掉: the others of its kind
		e := &f.except[0]
		typ := e.typ - 1
		for _, d := range append(append([]int32{}, e.devices...), e.parts...) {
			typ = r.x.devices[d].category
		}
		others := filter(r.all(), func(d int32) bool { return in(d) && r.x.devices[d].category == typ && !r.matches(e, d) })
		if typ >= 0 && len(others) > 0 {
			return others, true
		}
		if f.verb == vOff { // it is the only one of its kind: 除了电视其他的都关掉
			return r.everything(f, t)
		}
	}
	devs, ok := r.implied(f, in, can)
	if ok && len(devs) > 0 {
		return devs, true
	}
	if r.outcome == "" || r.outcome == Act {
		return nil, r.ask(MissingDevice, nil)
	}
	return nil, false
}

// all are the devices of the home.
func (r *resolver) all() []int32 {
	out := make([]int32, len(r.x.devices))
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

// unsaid: no object at all: what was spoken of last, the speaker's room, or the only device that can.
func (r *resolver) unsaid(f *frame, can func(int32) bool) ([]int32, bool) {
	if devs := r.mem.devices(can); len(devs) > 0 {
		return devs, true
	}
	if devs := r.mem.devices(r.beyond); len(devs) > 0 && len(f.preds) > 0 && f.preds[0].prop == 0 { // 空调开到二十四度 | 调到六十度
		return devs, true
	}
	if f.call != 0 {
		return r.offering(f, can)
	}
	if !r.implicit(f) || r.room < 0 && f.valueAlone() {
		return nil, r.ask(MissingDevice, nil)
	}
	if r.room >= 0 {
		devs, ok := r.implied(f, func(d int32) bool { return r.x.devices[d].room == r.room }, can)
		if ok && len(devs) > 0 {
			return devs, true
		}
	}
	if r.complains(f) {
		return nil, r.ask(MissingDevice, nil)
	}
	devs, ok := r.implied(f, func(int32) bool { return true }, can)
	if ok && len(devs) == 1 {
		return devs, true
	}
	if ok && len(devs) > 1 {
		return nil, r.ask(AmbiguousDevice, devs)
	}
	return nil, r.ask(MissingDevice, nil)
}

// implicit: what is asked names a property or act that only some devices have.
func (r *resolver) implicit(f *frame) bool {
	for i := range f.preds {
		d := &f.preds[i]
		if d.prop != 0 || d.dir != 0 && d.about != dirAny || d.kind == valColour || d.kind == valWhite || d.kind == valEnum && d.code != r.v.values.index["auto"] ||
			d.kind == valNumber && (d.num.unit == uDegree || d.num.unit == uKelvin || d.num.unit == uChannel) || d.kind == valExtreme && d.code != dirAny {
			return true
		}
	}
	switch f.verb {
	case vPause, vResume, vPlay, vNext, vPrevious, vMute, vUnmute, vLock, vUnlock, vClean, vDock, vMow:
		return true
	case vStart, vStop:
		return f.media || f.question
	}
	return f.question
}

// valueAlone: only a mode was said, by its name and no verb: "sleep" is not yet a wish to have anything set to it.
func (f *frame) valueAlone() bool {
	for i := range f.preds {
		if d := &f.preds[i]; d.kind != valEnum || d.prop != 0 {
			return false
		}
	}
	return f.verb == vNone && len(f.preds) > 0 && !f.question
}

func (r *resolver) complains(f *frame) bool {
	for i := range f.preds {
		if f.preds[i].too || f.preds[i].notYet || f.preds[i].dir != 0 && f.verb == vNone && f.preds[i].kind == valNone && !f.preds[i].little {
			return true
		}
	}
	return false
}

// preferred lists for a meaning the categories that are meant when no device is said, the first before the next.
var preferred = map[Meaning][]string{
	Brightness: {"light"}, Colour: {"light"}, ColourTemperature: {"light"}, Position: {"curtain", "blind"},
	TargetTemperature: {"air_conditioner", "thermostat"}, Temperature: {"sensor", "air_conditioner", "thermostat"},
	Humidity: {"sensor"}, TargetHumidity: {"humidifier", "dehumidifier"}, Volume: {"speaker", "tv"}, Mute: {"speaker", "tv"}, Playback: {"speaker", "tv"},
	Channel: {"tv"}, Locked: {"lock"}, PM25: {"purifier", "sensor"}, FanSpeed: {"air_conditioner", "fan"}, Level: {"fan"},
	Mode: {"air_conditioner"}, Work: {"vacuum", "mower"}, Battery: {"lock", "vacuum"}, Swing: {"air_conditioner", "fan"},
}

// implied are the devices of a place that fit what is asked, by what it is usually asked of.
func (r *resolver) implied(f *frame, in, can func(int32) bool) ([]int32, bool) {
	var m Meaning
	if len(f.preds) > 0 {
		m = r.about(f, &f.preds[0])
	} else {
		m = f.verbMeaning()
	}
	if m == "" || m == Power {
		return nil, r.ask(MissingDevice, nil)
	}
	var able []int32
	for d := range r.x.devices {
		if in(int32(d)) && can(int32(d)) {
			able = append(able, int32(d))
		}
	}
	if r.ofWater(f) {
		able = filter(able, r.holdsWater)
		return able, len(able) == 1
	}
	if own := filter(able, func(d int32) bool { return len(f.preds) > 0 && r.callsIt(d, &f.preds[0]) }); len(own) > 0 && len(own) < len(able) {
		able = own // 吸力 is the vacuum's, though a fan has levels, too
	}
	for _, c := range preferred[m] {
		code := r.v.categories.index[c]
		if devs := filter(able, func(d int32) bool { return r.x.devices[d].category == code }); len(devs) > 0 {
			return devs, true
		}
	}
	if m == TargetTemperature && len(f.preds) > 0 && f.preds[0].dir != 0 { // the room is too warm, not the water
		able = filter(able, func(d int32) bool { return r.warms(d) })
	}
	if m == TargetTemperature || m == Work {
		return able, len(able) == 1
	}
	return able, true
}

// callsIt reports whether the model of device d calls a property as the predicate does.
func (r *resolver) callsIt(d int32, p *pred) bool {
	if p.span[1] <= p.span[0] || int(p.span[1]) > len(r.text) {
		return false
	}
	said := r.text[p.span[0]:p.span[1]]
	return slices.ContainsFunc(r.x.devices[d].props, func(q prop) bool {
		return q.meaning == p.prop-1 && slices.ContainsFunc(q.names, func(n []rune) bool { return slices.Equal(n, said) })
	})
}

// ofWater: the temperature of water was said: 水温.
func (r *resolver) ofWater(f *frame) bool {
	if len(f.preds) == 0 {
		return false
	}
	p := &f.preds[0]
	if p.prop == 0 || p.span[1] <= p.span[0] || int(p.span[1]) > len(r.text) {
		return false
	}
	if m := r.x.meaning(p.prop - 1); m != Temperature && m != TargetTemperature {
		return false
	}
	said := string(r.text[p.span[0]:p.span[1]])
	return strings.Contains(said, "水") || strings.Contains(said, "water")
}

// holdsWater reports whether a device heats water.
func (r *resolver) holdsWater(d int32) bool {
	c := r.x.devices[d].category
	return c >= 0 && slices.Contains([]string{"water_heater", "kettle", "aquarium"}, r.v.categories.list[c])
}

// warms reports whether a device warms or cools the room it is in.
func (r *resolver) warms(d int32) bool {
	c := r.x.devices[d].category
	return c >= 0 && r.v.categories.list[c] == "heater"
}

// about is the meaning that a predicate is about without a device; "" if that depends on it.
func (r *resolver) about(f *frame, d *pred) Meaning {
	switch {
	case d.prop != 0 && d.dir != 0 && r.x.meaning(d.prop-1) == Humidity:
		return TargetHumidity
	case d.prop != 0:
		return r.x.meaning(d.prop - 1)
	case d.kind == valColour:
		return Colour
	case d.kind == valWhite:
		return ColourTemperature
	case d.kind == valNumber && d.num.unit == uDegree, d.about == dirHot && d.dir != 0, d.kind == valExtreme && d.code == dirTemp:
		return TargetTemperature
	case d.dir != 0 && (d.about == dirWarm || d.about == dirCold):
		return TargetTemperature
	case d.kind == valEnum:
		return Mode
	}
	return f.verbMeaning()
}

// verbMeaning is the meaning that the verb of a clause is about, "" if that depends on the device.
func (f *frame) verbMeaning() Meaning {
	switch f.verb {
	case vStart, vStop:
		if f.media {
			return Playback
		}
	case vPause, vResume, vPlay, vNext, vPrevious:
		return Playback
	case vMute, vUnmute:
		return Mute
	case vLock, vUnlock:
		return Locked
	case vClean, vDock, vMow:
		return Work
	case vOpen, vClose:
		return Position
	}
	return ""
}
