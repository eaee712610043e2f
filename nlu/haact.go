package nlu

// This file reads commands to devices in the terms of the ha-* sets.

// act reads commands to devices.
func (h *haReader) act() {
	f, d := h.f, h.first()
	m, c := h.meaningOf(d), h.namedCategory()
	switch f.verb {
	case vNext, vPrevious, vPause, vResume, vPlay, vMute, vUnmute, vClean, vDock, vMow:
		h.work(c)
		return
	case vStart, vStop:
		if c == "vacuum" || c == "mower" {
			h.work(c)
			return
		}
		if f.verb == vStop && (f.media || c == "speaker" || c == "tv") {
			h.media("MediaPause")
			return
		}
	}
	switch {
	case m == Volume || c == "speaker" && d.prop == 0 && (d.kind == valNumber || d.about >= 0 && d.dir != 0):
		h.volume(d)
	case m == Mute:
		h.media("MediaPlayerMute")
	case m == TargetTemperature && c != "light" && !(d.kind == valNumber && d.num.unit == uKelvin) && d.kind != valWhite,
		d.kind == valNumber && (d.num.unit == uDegree || (c == "thermostat" || c == "air_conditioner") && d.prop == 0):
		h.climate(d)
	case m == Brightness, m == Colour, m == ColourTemperature, m == TargetTemperature, d.kind == valColour, d.kind == valWhite:
		h.light(m)
	case (c == "curtain" || c == "blind" || c == "window" || c == "valve" || c == "garage" || m == Position) && (d.kind == valNumber || d.kind == valExtreme):
		h.is("SetPosition")
		h.target()
		h.out.Slots["position"] = h.amount(d, 0)
	case c == "fan" && (d.kind == valNumber || d.kind == valExtreme), (m == FanSpeed || m == Level) && d.kind == valNumber:
		h.is("FanSetSpeed")
		h.name()
		h.places()
		h.out.Slots["percentage"] = h.amount(d, 1)
	case d.kind == valNumber || d.kind == valExtreme:
		h.light(Brightness)
	default:
		h.onOff()
	}
}

// amount is the number of a predicate; an extreme is 100 or least.
func (h *haReader) amount(d *pred, least float64) float64 {
	if d.kind == valExtreme {
		if d.sign > 0 {
			return 100
		}
		return least
	}
	return d.num.value
}

func (h *haReader) volume(d *pred) {
	h.name()
	h.places()
	f := h.f
	up, down := f.verb == vUp || d.dir > 0, f.verb == vDown || d.dir < 0
	if f.verb == vDown {
		up = false
	}
	switch {
	case f.verb == vOff:
		h.is("MediaPlayerMute")
	case d.kind == valNumber && (d.to || !up && !down):
		h.is("SetVolume")
		h.out.Slots["volume_level"] = d.num.value
	case d.kind == valExtreme:
		h.is("SetVolume")
		h.out.Slots["volume_level"] = h.amount(d, 0)
	case d.kind == valNumber:
		h.is("SetVolumeRelative")
		h.out.Slots["volume_step"] = map[bool]float64{true: 1, false: -1}[up] * d.num.value
	case up:
		h.is("SetVolumeRelative")
		h.out.Slots["volume_step"] = "up"
	case down:
		h.is("SetVolumeRelative")
		h.out.Slots["volume_step"] = "down"
	}
}

func (h *haReader) climate(d *pred) {
	if d.kind != valNumber {
		return
	}
	h.is("ClimateSetTemperature")
	h.out.Slots["temperature"] = d.num.value
	h.name()
	if _, named := h.out.Slots["name"]; named && h.thermostatOnly() {
		delete(h.out.Slots, "name")
	}
	h.places()
}

// thermostatOnly: 空调 is both the word for the type and the name of one: the word counts.
func (h *haReader) thermostatOnly() bool {
	for i := range h.f.targets {
		if t := &h.f.targets[i]; t.typ != 0 && len(t.devices) > 0 {
			return h.v.categories.list[t.typ-1] == "air_conditioner"
		}
	}
	return false
}

func (h *haReader) light(m Meaning) {
	h.is("LightSet")
	for i := range h.f.preds {
		p := &h.f.preds[i]
		switch {
		case p.kind == valColour:
			h.out.Slots["color"] = h.v.colours.list[p.code]
		case p.kind == valWhite:
			h.out.Slots["temperature"] = float64(p.code)
		case p.kind == valNumber && (m == ColourTemperature || m == TargetTemperature || p.num.unit == uKelvin):
			h.out.Slots["temperature"] = p.num.value
		case p.kind == valNumber || p.kind == valExtreme:
			h.out.Slots["brightness"] = h.amount(p, 1)
		}
	}
	h.name()
	h.places()
}

func (h *haReader) onOff() {
	f := h.f
	on := ""
	switch f.verb {
	case vOn, vOpen, vLock, vStart, vRun:
		on = "TurnOn"
	case vOff, vClose, vUnlock, vStop:
		on = "TurnOff"
	case vNone, vSet:
		if h.namedAlone() {
			on = "TurnOn"
		}
	}
	if on == "" {
		return
	}
	if h.namedCategory() == "lock" { // to lock is on, to unlock and to open is off
		if f.verb == vOn || f.verb == vOpen {
			on = "TurnOff"
		} else if f.verb == vOff || f.verb == vClose {
			on = "TurnOn"
		}
	}
	if !f.hasTarget() {
		if f.verb == vOn && h.lang == English {
			h.out.Slots["domain"] = "light"
			h.is(on)
		}
		return
	}
	h.is(on)
	h.target()
	_, named := h.out.Slots["name"]
	if _, typed := h.out.Slots["domain"]; !named && !typed && f.verb == vOn {
		h.out.Slots["domain"] = "light"
	}
}

func (h *haReader) namedAlone() bool {
	return len(h.f.targets) == 1 && len(h.f.targets[0].devices) > 0 && len(h.f.preds) == 0 && !h.f.question
}
