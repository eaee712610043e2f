package nlu

import (
	"strings"
)

// intent is a reading in the terms of the ha-* sets.
type intent struct {
	Intent string
	Slots  map[string]any
}

// haReader turns frames into intents. Devices there have no thing models, so that words decide.
type haReader struct {
	*scan
	frames []frame
	f      *frame
	locale string // of the line: zh-TW reads as zh-CN but names some things otherwise
	out    intent
}

// readHAIntent reads one utterance against words only.
func (x *Index) readHAIntent(lang, utterance string) intent {
	s := scans.Get().(*scan)
	defer scans.Put(s)
	if len(utterance) > 4*MaxRunes {
		return intent{}
	}
	s.load(x, "", utterance)
	s.lattice()
	s.segment()
	h := haReader{scan: s, frames: s.parse(), locale: lang}
	if len(h.frames) == 0 {
		return intent{}
	}
	h.f = &h.frames[0]
	for i := range h.frames {
		if f := &h.frames[i]; f.hasTarget() && f.hasPred() || f.timer || f.topic > 1 {
			h.f = f
			break
		}
	}
	h.out.Slots = map[string]any{}
	h.read()
	return h.out
}

func (h *haReader) is(name string) { h.out.Intent = "Hass" + name }

func (h *haReader) read() {
	f := h.f
	switch {
	case h.topic(topicBroadcast):
		h.broadcast()
	case h.topic(topicList), h.topic(topicShopping), h.topic(topicDone) && h.category("todo") >= 0, h.topic(topicPut) && h.category("todo") >= 0, h.category("todo") >= 0:
		h.list()
	case h.hasTimer(), f.delay > 0:
		h.timer()
	case h.topic(topicWeather):
		h.is("GetWeather")
		if d := h.category("weather"); d >= 0 {
			h.out.Slots["name"] = h.x.devices[d].label
		}
	case h.topic(topicClock):
		h.is("GetCurrentTime")
	case h.topic(topicDate):
		h.is("GetCurrentDate")
	case f.enough && !f.hasTarget() && !f.hasPred(), f.verb == vCancel && !f.hasTarget() && len(h.tokens) == 1:
		h.is("Nevermind")
	case f.scene != 0:
		h.is("TurnOn")
		h.out.Slots["name"] = h.x.scenes[f.scene-1].label
	case f.question && !(f.ask && f.verb != vNone && !f.any && !f.is), f.verb == vNone && h.category("person") >= 0, f.verb == vTell, f.verb == vNone && f.looks(h.x):
		h.query()
	default:
		h.act()
	}
}

func (h *haReader) topic(code int32) bool {
	for i := range h.frames {
		if h.frames[i].topic == code+1 {
			return true
		}
	}
	for i := range h.tokens {
		if s, ok := h.sense(&h.tokens[i], cTopic); ok && s.code == code {
			return true
		}
	}
	return false
}

// category is the device of that category that was named, or -1.
func (h *haReader) category(name string) int32 {
	code := h.v.categories.index[name]
	for i := range h.tokens {
		t := &h.tokens[i]
		found := int32(-1)
		h.senses(t, func(s sense) bool {
			if (s.class == cDevice) && h.x.devices[s.code].category == code {
				found = s.code
			}
			return found < 0
		})
		if found >= 0 {
			return found
		}
	}
	return -1
}

// place writes area or floor.
func (h *haReader) place(t *target) {
	switch {
	case len(t.rooms) > 0:
		h.out.Slots["area"] = h.x.rooms[t.rooms[0]].label
	case len(t.floors) > 0:
		h.out.Slots["floor"] = h.x.floors[t.floors[0]].name
	}
}

func (h *haReader) places() {
	for i := range h.f.targets {
		h.place(&h.f.targets[i])
	}
	for i := range h.f.except {
		h.place(&h.f.except[i])
	}
}

// name writes the device that was named, if one was.
func (h *haReader) name() (device int32) {
	for i := range h.f.targets {
		t := &h.f.targets[i]
		if len(t.devices) > 0 && !t.all {
			h.out.Slots["name"] = h.x.devices[t.devices[0]].label
			return t.devices[0]
		}
	}
	return -1
}

func (h *haReader) typ() string {
	for i := range h.f.targets {
		if t := &h.f.targets[i]; t.typ+t.narrow != 0 {
			return h.v.categories.list[max(t.typ, t.narrow)-1]
		}
	}
	return ""
}

func (h *haReader) house() bool {
	for i := range h.f.targets {
		if t := &h.f.targets[i]; t.all || t.house {
			return true
		}
	}
	return false
}

// domains of type words, and the device class of covers.
func domainOf(typ string) (domain, class string) {
	switch typ {
	case "light", "fan", "lock", "switch", "vacuum", "valve":
		return typ, ""
	case "curtain", "blind", "window", "garage", "gate", "door":
		return "cover", typ
	case "tv", "speaker":
		return "media_player", ""
	case "mower":
		return "lawn_mower", ""
	case "air_conditioner", "thermostat":
		return "climate", ""
	case "socket":
		return "switch", ""
	}
	return "", ""
}

// target writes name, or domain and device class, with the place.
func (h *haReader) target() {
	if h.f.any && h.split() {
		return
	}
	if h.name() >= 0 {
		h.places()
		return
	}
	h.places()
	if h.typ() == "door" && (h.f.verb == vLock || h.f.verb == vUnlock) {
		h.out.Slots["domain"] = "lock"
		return
	}
	if domain, class := domainOf(h.typ()); domain != "" {
		h.out.Slots["domain"] = domain
		if class != "" {
			h.out.Slots["device_class"] = class
		}
	}
}

// split reads "are any bedroom windows open" as windows of the bedroom, though one of them is called Bedroom Window.
func (h *haReader) split() bool {
	for i := range h.f.targets {
		t := &h.f.targets[i]
		if len(t.devices) == 0 {
			continue
		}
		name := h.text[t.named[0]:t.named[1]]
		for k := 1; k < len(name); k++ {
			typ, end := h.wordOf(int(t.named[0])+k, cType)
			if end != int(t.named[1]) {
				continue
			}
			for r := range h.x.rooms {
				if string(fold(h.x.rooms[r].label)) != strings.TrimSpace(string(name[:k])) {
					continue
				}
				domain, class := domainOf(h.v.categories.list[typ])
				h.out.Slots["area"], h.out.Slots["domain"] = h.x.rooms[r].label, domain
				if class != "" {
					h.out.Slots["device_class"] = class
				}
				return true
			}
		}
	}
	return false
}

// first is the first predicate that says something.
func (h *haReader) first() *pred {
	for i := range h.f.preds {
		if d := &h.f.preds[i]; !d.empty() {
			return d
		}
	}
	return &pred{}
}

func (h *haReader) meaningOf(d *pred) Meaning {
	if d.prop == 0 {
		return ""
	}
	return h.x.meaning(d.prop - 1)
}

func (h *haReader) namedCategory() string {
	for i := range h.f.targets {
		for _, d := range h.f.targets[i].devices {
			if c := h.x.devices[d].category; c >= 0 {
				return h.v.categories.list[c]
			}
		}
	}
	return h.typ()
}
