package nlu

import (
	"math"
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
		if t := &h.f.targets[i]; t.typ != 0 {
			return h.v.categories.list[t.typ-1]
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
		h.light(d, m)
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
		h.light(d, Brightness)
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

func (h *haReader) light(d *pred, m Meaning) {
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

func (h *haReader) media(name string) {
	h.is(name)
	if h.name() >= 0 {
		h.places()
		return
	}
	h.places()
}

func (h *haReader) work(c string) {
	switch h.f.verb {
	case vNext:
		h.media("MediaNext")
	case vPrevious:
		h.media("MediaPrevious")
	case vPause:
		h.media("MediaPause")
	case vResume:
		h.media("MediaUnpause")
	case vMute:
		h.media("MediaPlayerMute")
	case vUnmute:
		h.media("MediaPlayerUnmute")
	case vPlay:
		h.play()
	case vMow:
		h.media("LawnMowerStartMowing")
		if h.saidBefore(vStop, vCancel) {
			h.is("LawnMowerDock")
		}
	default:
		h.machine(c)
	}
}

// saidBefore: one of the verbs stands anywhere in the sentence.
func (h *haReader) saidBefore(vs ...verb) bool {
	for i := range h.tokens {
		if s, ok := h.sense(&h.tokens[i], cVerb); ok {
			for _, v := range vs {
				if verb(s.code) == v {
					return true
				}
			}
		}
	}
	return false
}

func (h *haReader) machine(c string) {
	mower := c == "mower"
	switch h.f.verb {
	case vDock, vStop:
		h.media("VacuumReturnToBase")
		if mower {
			h.is("LawnMowerDock")
		}
		return
	}
	if mower {
		h.media("LawnMowerStartMowing")
		return
	}
	h.name()
	h.places()
	_, area := h.out.Slots["area"]
	here := false
	for i := range h.f.targets {
		here = here || h.f.targets[i].here
	}
	if area || here {
		h.is("VacuumCleanArea")
		return
	}
	h.is("VacuumStart")
}

// mediaClasses are the words for kinds of media.
var mediaClasses = []struct{ word, class string }{
	{"the artist", "artist"},
	{"artist", "artist"},
	{"the album", "album"},
	{"album", "album"},
	{"the song", "track"},
	{"the track", "track"},
	{"song", "track"},
	{"the playlist", "playlist"},
	{"the movie", "movie"},
	{"专辑", "album"},
	{"的歌", "track"},
	{"歌曲", "track"},
	{"电影", "movie"},
	{"播放清单", "playlist"},
}

// play reads what is to be played: the words that nothing else explains.
func (h *haReader) play() {
	query := h.leftover(func(t *token) bool {
		return t.mask == 0 || !t.mask.any(cVerb.bit()|cIn.bit()|cRoom.bit()|cFloor.bit()|cDevice.bit()|cType.bit()|cMedia.bit()|cBa.bit()|cOf.bit()|cAsk.bit()|cHere.bit()|cTo.bit())
	})
	if query == "" {
		h.media("MediaUnpause")
		return
	}
	h.media("MediaSearchAndPlay")
	for _, c := range mediaClasses {
		if name, ok := strings.CutPrefix(query, c.word+" "); ok {
			h.out.Slots["media_class"], query = c.class, name
		} else if strings.HasSuffix(string(h.text), c.word) {
			h.out.Slots["media_class"] = c.class
			query = strings.TrimSuffix(strings.TrimSuffix(query, c.word), "的")
		}
	}
	h.out.Slots["search_query"] = strings.TrimSpace(query)
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

// leftover is the raw text of the longest run of tokens that keep says belong to no structure.
func (h *haReader) leftover(keep func(*token) bool) string {
	best, at := [2]int32{}, -1
	for i := 0; i <= len(h.tokens); i++ {
		if i < len(h.tokens) && keep(&h.tokens[i]) {
			if at < 0 {
				at = i
			}
			continue
		}
		if at >= 0 {
			if from, to := h.tokens[at].start, h.tokens[i-1].end; to-from > best[1]-best[0] {
				best = [2]int32{from, to}
			}
			at = -1
		}
	}
	return h.rawSpan(best[0], best[1])
}

// rawSpan is the utterance as it was given between two positions of the text.
func (s *scan) rawSpan(from, to int32) string {
	if from >= to {
		return ""
	}
	end := len(s.raw)
	if int(to) < len(s.origin) {
		end = s.origin[to]
	}
	return strings.Trim(s.raw[s.origin[from]:end], " ，。！？,.!?、")
}

func (h *haReader) broadcast() {
	h.is("Broadcast")
	for i := range h.tokens {
		if s, ok := h.sense(&h.tokens[i], cTopic); ok && s.code == topicBroadcast {
			h.out.Slots["message"] = h.rawSpan(h.tokens[i].end, int32(len(h.text)))
			return
		}
	}
}

// list reads items of lists.
func (h *haReader) list() {
	skip := cTopic.bit() | cBa.bit() | cIn.bit() | cOf.bit() | cAsk.bit() | cTo.bit() | cBy.bit() | cParticle.bit()
	if h.lang == Chinese {
		skip |= cFiller.bit()
	}
	structural := func(t *token) bool {
		if t.mask == 0 || t.mask.has(cNumber) {
			return false
		}
		if t.mask.has(cDevice) {
			return true
		}
		v, ok := h.sense(t, cVerb)
		if ok {
			switch verb(v.code) {
			case vCancel, vUp, vDown, vSet, vTell:
				return true
			}
		}
		return t.mask.any(skip) || t.mask == cNone.bit()
	}
	shopping := h.topic(topicShopping) || h.category("todo") < 0
	verb := "AddItem"
	switch {
	case h.topic(topicDone), h.saidBefore(vTell):
		verb = "CompleteItem"
	case h.saidBefore(vCancel, vDown):
		verb = "RemoveItem"
	}
	if item := h.leftover(func(t *token) bool { return !structural(t) }); item != "" {
		h.out.Slots["item"] = item
	}
	if shopping {
		if verb == "RemoveItem" {
			verb = "CompleteItem"
		}
		h.is("ShoppingList" + verb)
		return
	}
	h.is("List" + verb)
	h.out.Slots["name"] = h.x.devices[h.category("todo")].label
}

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
	if h.person(state) {
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
func (h *haReader) person(state string) bool {
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

func roundedSlot(v float64) float64 { return math.Round(v*100) / 100 }
