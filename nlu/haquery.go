package nlu

// This file reads questions in the terms of the ha-* sets.

// query reads questions.
func (h *haReader) query() {
	f, d := h.f, h.first()
	m := h.meaningOf(d)
	if (m == TargetTemperature || m == Temperature || d.dir != 0 && (d.about == dirHot || d.about == dirCold || d.about == dirWarm)) && h.namedCategory() != "sensor" {
		h.is("ClimateGetTemperature")
		if d := h.name(); d >= 0 && h.x.devices[d].category == h.v.categories.index["weather"] {
			delete(h.out.Slots, "name")
		}
		h.places()
		return
	}
	state := h.state()
	if h.person() {
		return
	}
	if state == "" && h.name() < 0 {
		return
	}
	h.is("GetState")
	h.target()
	if state == "" {
		return
	}
	c := h.namedCategory()
	domain, class := domainOf(c)
	switch {
	case domain == "cover" && state == "on":
		state = "open"
	case domain == "cover" && state == "off":
		state = "closed"
	}
	if state == "locked" || state == "unlocked" {
		h.out.Slots["domain"] = "lock"
		delete(h.out.Slots, "device_class")
	} else if class != "" && f.any {
		h.out.Slots["domain"] = domain
	}
	h.out.Slots["state"] = state
}

// state is the state asked about.
func (h *haReader) state() string {
	switch h.f.state - 1 {
	case stateOn, stateRunning, stateOpened:
		return "on"
	case stateOff:
		return "off"
	case stateLocked:
		return "locked"
	case stateUnlocked:
		return "unlocked"
	}
	switch h.f.verb {
	case vOn, vOpen:
		return "on"
	case vOff, vClose:
		return "off"
	case vLock:
		return "locked"
	case vUnlock:
		return "unlocked"
	}
	return ""
}

// person reads who is where.
func (h *haReader) person() bool {
	d := h.category("person")
	home := false
	for i := range h.tokens {
		switch string(h.text[h.tokens[i].start:h.tokens[i].end]) {
		case "家", "home", "家里", "在家", "in the home", "at home", "in the house":
			home = true
		}
	}
	anyone := d < 0 && (h.f.any || h.house()) && home && h.typ() == ""
	if d < 0 && !anyone {
		return false
	}
	h.is("GetState")
	if d >= 0 {
		h.out.Slots["name"] = h.x.devices[d].label
	} else {
		h.out.Slots["domain"] = "person"
	}
	if home {
		h.out.Slots["state"] = "home"
		if h.locale == Chinese {
			h.out.Slots["state"] = "家"
		}
	}
	return true
}
