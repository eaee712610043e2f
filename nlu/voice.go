package nlu

import (
	"slices"

	"lampworks/tsl"
)

// Voice is how the devices of a product are spoken of beside what its model says (语音配置). It adds words, and takes none away:
// names that a home gave win over it, and so does the vocabulary. It can ask for a confirmation and not for its absence. What it
// says of identifiers that the model does not have is without effect. It is not changed once a home was compiled with it.
type Voice struct {
	Names      map[string][]string // what people call such a device, by language
	Properties map[string]VoiceProperty
	Services   map[string]VoiceService
}

// VoiceProperty is how a property is spoken of.
type VoiceProperty struct {
	Names   map[string][]string
	Values  map[int64]map[string][]string // of an enum
	Raise   map[string][]string           // words that have it go up: 加香
	Lower   map[string][]string           // and down
	Confirm bool                          // setting it is asked back first
}

// VoiceService is how a service is spoken of.
type VoiceService struct {
	Phrases map[string][]string
	Confirm bool // calling it is asked back first
}

// spokenModel is a model with what is said beside it: what is compiled once a home.
type spokenModel struct {
	model *tsl.Model
	voice *Voice
}

// reserve notes the words of the home itself, if there are makers' words that must not take them.
func (b *builder) reserve(h *Home) {
	if !slices.ContainsFunc(h.Devices, func(d Device) bool { return d.Voice != nil }) {
		return
	}
	b.taken = make(map[string]bool, 2*(len(h.Rooms)+len(h.Devices)+len(h.Scenes)))
	note := func(names map[string][]string) {
		for _, list := range names {
			for _, n := range list {
				b.taken[string(fold(n))] = true
			}
		}
	}
	for i := range h.Rooms {
		note(h.Rooms[i].Names)
		note(map[string][]string{"": h.Rooms[i].floorWords()})
	}
	for i := range h.Devices {
		note(h.Devices[i].Names)
	}
	for i := range h.Scenes {
		note(h.Scenes[i].Names)
		note(h.Scenes[i].Phrases)
	}
}

// teachWords adds a maker's words, those that neither the vocabulary nor the home has.
func (b *builder) teachWords(words []string, s sense) {
	for _, w := range words {
		if f := fold(w); len(f) > 1 && len(f) <= MaxNameRunes && !b.taken[string(f)] && !b.x.v.knows(f) {
			b.add(f, s)
		}
	}
}

// teach adds what a maker says of a property.
func (b *builder) teach(p *prop, voice *VoiceProperty) {
	if voice == nil {
		return
	}
	said := voice.names()
	for _, w := range said {
		p.names = append(p.names, fold(w))
	}
	b.teachWords(said, sense{class: cProp, code: p.meaning})
	b.teachWords(flat(voice.Raise), sense{class: cDir, sign: 1, code: p.meaning})
	b.teachWords(flat(voice.Lower), sense{class: cDir, sign: -1, code: p.meaning})
}

// phrase notes that a maker's words call a service: those of the vocabulary that are such a verb, and those that it does not have.
func (b *builder) phrase(s *service, word string) {
	f := fold(word)
	if b.taken[string(f)] {
		return
	}
	if !b.x.v.knows(f) || s.verb == vNone {
		b.called(s, word)
	}
}

// callDevice adds what a maker calls its devices.
func (b *builder) callDevice(e *deviceEntry, n int32, voice *Voice) {
	if voice == nil {
		return
	}
	e.confirm = voice
	names := flat(voice.Names)
	for _, w := range names {
		if kind := b.typeOf(fold(w)); kind >= 0 {
			e.called = append(e.called, kind)
		}
	}
	b.teachWords(names, sense{class: cDevice, code: n})
}

// flat are the words of all languages.
func flat(words map[string][]string) []string {
	var all []string
	for _, lang := range sortedKeys(words) {
		all = append(all, words[lang]...)
	}
	return all
}

// property is what is said of a property, nil if nothing is.
func (v *Voice) property(id string) *VoiceProperty {
	if v == nil {
		return nil
	}
	p, ok := v.Properties[id]
	if !ok {
		return nil
	}
	return &p
}

// phrases are the words for a service.
func (v *Voice) phrases(id string) []string {
	if v == nil {
		return nil
	}
	return flat(v.Services[id].Phrases)
}

// confirms reports whether the maker wants an act asked back.
func (v *Voice) confirms(a *Action) bool {
	switch {
	case v == nil:
		return false
	case a.Op == OpCall:
		return v.Services[a.Service].Confirm
	case a.Op == OpSet || a.Op == OpAdjust:
		return v.Properties[a.Prop].Confirm
	}
	return false
}

func (p *VoiceProperty) names() []string {
	if p == nil {
		return nil
	}
	return flat(p.Names)
}

func (p *VoiceProperty) value(n int64) []string {
	if p == nil {
		return nil
	}
	return flat(p.Values[n])
}
