package voice

import (
	"lampworks/internal/household/home"
	"lampworks/nlu"
)

// notAllowed is why a reading is rejected that who speaks may not have carried out: it is dangerous, and they may not risk it.
const notAllowed nlu.Code = "not_allowed"

// maxChoices is how many devices a question names.
const maxChoices = 6

// question asks back for what understanding lacks.
func (w *teller) question(r nlu.Reason) string {
	switch r.Code {
	case nlu.MissingDevice:
		if len(w.candidates) == 0 {
			return w.say(clarifyMissingDevice)
		}
	case nlu.AmbiguousMeaning:
		return w.say(clarifyProperty)
	case nlu.Confirm:
		if s := w.home.scenes[r.Scene]; s != nil {
			return w.capital(w.say(confirmScene, "scene", quoted(s.Names.In(w.lang))))
		}
		if w.home.devices[r.Device] != nil {
			return w.capital(w.about(confirmation(r), []string{r.Device}, "what", w.service(r.Device, r.Service)))
		}
	case nlu.MissingValue:
		return w.say(clarifyValue)
	case nlu.UnclearWords:
		if word := quoted(r.Word); word != "" {
			return w.say(clarifyWords, "word", word)
		}
	case nlu.UnknownState:
		if w.home.devices[r.Device] != nil {
			what := w.what(r.Meaning, w.home.property(r.Device, r.Prop))
			return w.sentence([]string{w.about(failedUnknownState, []string{r.Device}, "what", what)}, nil, false)
		}
	}
	if len(w.candidates) > 0 {
		return w.which()
	}
	return w.say(clarifyAgain)
}

// confirmation asks whether what is dangerous is meant.
func confirmation(r nlu.Reason) phrase {
	switch {
	case r.Service != "":
		return confirmCall
	case r.Meaning == nlu.Locked:
		return confirmUnlock
	case r.Meaning == nlu.Position:
		return confirmOpen
	}
	return confirmOn
}

// which asks for one of the candidates: by room where all have one name, else
// by name.
func (w *teller) which() string {
	var choices []*home.Device
	for _, id := range w.candidates {
		if d := w.home.devices[id]; d != nil {
			choices = append(choices, d)
		}
	}
	if len(choices) < 2 || len(choices) > maxChoices {
		return w.say(clarifyWhich)
	}
	rooms, names, whole := make([]string, 0), make([]string, 0), make([]string, 0)
	oneName, oneRoom, placed := true, true, true
	for _, d := range choices {
		room := w.home.rooms[d.Room]
		oneName = oneName && d.Names.In(w.lang) == choices[0].Names.In(w.lang)
		oneRoom = oneRoom && d.Room == choices[0].Room
		placed = placed && room != nil
		if room != nil {
			rooms = append(rooms, w.say(namesRoom, "room", room.Names.In(w.lang)))
		}
		names = append(names, w.say(namesPlain, "name", d.Names.In(w.lang)))
		whole = append(whole, w.name(d.ID))
	}
	switch {
	case oneName && placed && !oneRoom:
		return w.capital(w.say(clarifyDeviceInRooms, "rooms", w.list(rooms, wordOr), "name", choices[0].Names.In(w.lang)))
	case oneRoom:
		return w.capital(w.say(clarifyDevice, "names", w.list(names, wordOr)))
	}
	return w.capital(w.say(clarifyDevice, "names", w.list(whole, wordOr)))
}

// rejection says why something that was understood will not be done.
func (w *teller) rejection(r nlu.Reason) string {
	one, known := []string{r.Device}, w.home.devices[r.Device] != nil
	p := w.home.property(r.Device, r.Prop)
	what := w.what(r.Meaning, p)
	say := func(ph phrase, with ...string) string { return w.capital(w.about(ph, one, with...)) }
	switch r.Code {
	case nlu.NoSuchDevice:
		return w.noDevice(r)
	case nlu.NoSuchProperty:
		if known {
			return say(rejectNoProperty, "what", what)
		}
		return w.capital(w.say(rejectNoPropertyAtAll, "what", what))
	case nlu.NoSuchValue:
		if known && len(r.Allowed) > 0 {
			return say(rejectNoValue, "values", w.choices(r))
		}
		if known {
			return say(rejectNoSuchValue)
		}
	case nlu.OutOfRange:
		least, most := w.limit(r.Min, r, p), w.limit(r.Max, r, p)
		if known {
			return say(rejectOutOfRange, "what", what, "min", least, "max", most)
		}
		return w.capital(w.say(rejectRange, "what", what, "min", least, "max", most))
	case nlu.ReadOnly:
		if known {
			return say(rejectReadOnly, "what", what)
		}
	case nlu.MissingText:
		return w.say(rejectMissingText)
	case nlu.TooLong:
		return w.say(rejectTooLong)
	case nlu.Conditional:
		return w.say(rejectConditional)
	case notAllowed:
		return w.say(rejectNotAllowed)
	}
	return w.say(rejectCannot)
}

func (w *teller) noDevice(r nlu.Reason) string {
	if room := w.home.rooms[r.Room]; room != nil {
		return w.capital(w.say(rejectNoDeviceInRoom, "room", w.say(namesRoom, "room", room.Names.In(w.lang))))
	}
	if word := quoted(r.Word); word != "" {
		return w.say(rejectNoNamedDevice, "word", word)
	}
	return w.say(rejectNoDevice)
}

// choices lists the values there are, in the words of the language.
func (w *teller) choices(r nlu.Reason) string {
	p := w.home.property(r.Device, r.Prop)
	var all []string
	for _, name := range r.Allowed {
		if len(all) == maxChoices {
			break
		}
		said, _ := w.asked(nlu.Action{Meaning: r.Meaning, Value: name}, p)
		all = append(all, said)
	}
	return w.list(all, wordChoice)
}
