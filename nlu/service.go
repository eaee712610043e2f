package nlu

import (
	"encoding/json"
	"slices"

	"lampworks/tsl"
)

// service is a service (服务) of a model that a sentence can call: one that needs no input, or one number.
type service struct {
	id    string
	codes []int32 // of the words that call it in this home; none: its verb alone
	verb  verb    // the verb that means it: stop; vNone
	plain verb    // the same by what the model says alone: dangers are judged by it
	input *prop   // the number it takes, nil: none
	must  bool    // and cannot do without
}

// services reads those of a model that can be called with what a sentence says.
func (b *builder) services(list []*tsl.Service, voice *Voice) []service {
	var out []service
	for _, t := range list {
		s := service{id: t.Identifier}
		if !b.input(&s, t.Input) {
			continue
		}
		for _, w := range wordsOf(t) {
			b.called(&s, w)
		}
		s.plain = s.verb
		for _, w := range voice.phrases(t.Identifier) {
			b.phrase(&s, w)
		}
		if len(s.codes) > 0 || s.verb != vNone {
			out = append(out, s)
		}
	}
	return out
}

// input finds the number that a service takes. False: it needs more than can be said.
func (b *builder) input(s *service, list []*tsl.Property) bool {
	for _, t := range list {
		p := b.property(t, -1, nil)
		number := p.kind == kindInt || p.kind == kindFloat
		switch {
		case number && (s.input == nil || t.Required && !s.must):
			s.input, s.must = &p, t.Required
		case t.Required:
			return false
		}
	}
	return true
}

// wordsOf are the words for a service in any language.
func wordsOf(t *tsl.Service) []string {
	words := []string{t.Name}
	for _, lang := range sortedKeys(t.Names) {
		words = append(words, t.Names[lang])
	}
	for _, lang := range sortedKeys(t.Aliases) {
		words = append(words, t.Aliases[lang]...)
	}
	return words
}

// called notes that a service is spoken of by word. A verb of the language stays that verb; a word that is a property, a kind
// of device or a value already does not become a service.
func (b *builder) called(s *service, word string) {
	if c, ok := b.x.v.lookup(word, cVerb); ok {
		switch v := (sense{code: c}).verb(); v {
		case vStart, vStop, vPause, vResume, vClean, vDock, vMow:
			s.verb = v
		}
		return
	}
	for _, taken := range []class{cProp, cType, cValue, cColour, cDir, cExtreme, cFiller} {
		if _, is := b.x.v.lookup(word, taken); is {
			return
		}
	}
	f := fold(word)
	if len(f) < 2 || len(f) > MaxNameRunes {
		return
	}
	code := b.x.calls.code(string(f)) // by the word: what two products call the same is asked back
	if !slices.Contains(s.codes, code) {
		s.codes = append(s.codes, code)
	}
	b.add(f, sense{class: cPhrase, code: firstCall + code})
}

// firstCall is the code from which on senses of the class cPhrase are services.
const firstCall = 1 << 20

// call reads a word for a service.
func (p *parser) call(code int32) {
	p.endExcept()
	p.flush()
	p.f.call = code - firstCall + 1
	p.value = p.tok
}

// calls is the service of device dev that was said by its name, or that verb v means; nil if it has none.
func (x *Index) callable(dev, code int32, v verb) *service {
	list := x.devices[dev].services
	for i := range list {
		if code >= 0 && slices.Contains(list[i].codes, code) || code < 0 && v != vNone && list[i].verb == v {
			return &list[i]
		}
	}
	return nil
}

// withheld: a service that is named and not to be: 别烧水 is caught before, 停止烧水 is what the device makes of "stop".
func (f *frame) withheld() bool {
	switch f.verb {
	case vOff, vClose, vStop, vPause, vCancel:
		return true
	}
	return false
}

// apart takes from a clause the object that it has from the clause before, if that cannot do what only some devices can:
// 打开客厅的灯，然后烧水.
func (r *resolver) apart(f *frame) *frame {
	if !f.inherits || f.call == 0 && !r.implicit(f) {
		return f
	}
	d := f.only()
	for dev := range r.x.devices {
		for i := range f.targets {
			if t := &f.targets[i]; !t.noun() || r.matches(t, int32(dev)) {
				if _, can := r.assign(int32(dev), f, d); can || !t.noun() {
					return f
				}
			}
		}
	}
	g := *f
	g.targets, g.except, g.both = nil, nil, false
	return &g
}

// only is the predicate of a clause that has one at most.
func (f *frame) only() *pred {
	for i := range f.preds {
		if d := &f.preds[i]; !d.empty() {
			return d
		}
	}
	return &pred{verb: f.verb}
}

// call resolves a clause that names a service.
func (r *resolver) call(f *frame) bool { return r.one(f, f.only()) }

// call is what a clause that names a service comes to on a device.
func (a *assigner) call() (assignment, bool) {
	s := a.x.callable(a.dev, a.f.call-1, vNone)
	switch {
	case s == nil:
		return a.no(NoSuchProperty, "", nil)
	case a.f.withheld():
		return a.verb()
	}
	return a.invoke(s)
}

// invoke makes the action that calls s, with the number that was said.
func (a *assigner) invoke(s *service) (assignment, bool) {
	act := Action{Op: OpCall, Service: s.id}
	switch {
	case a.d.kind == valNumber && s.input != nil:
		p := s.input
		v := a.d.num.value
		if p.hasRange && (v < p.min || v > p.max) {
			reason := Reason{Code: OutOfRange, Device: a.x.devices[a.dev].id, Meaning: a.x.meaning(p.meaning), Value: v, Min: p.min, Max: p.max, Unit: p.unit}
			return assignment{reason: reason}, false
		}
		act.Prop, act.Value, act.Unit = p.id, number(p, v), p.unit
	case a.d.kind != valNone || a.d.dir != 0, s.must:
		return a.no(MissingValue, "", nil)
	}
	return assignment{action: act}, true
}

// inputOf is what is sent with a call on device d: {} or {"temperature":80}.
func (x *Index) inputOf(a Action, d int32) (json.RawMessage, Reason) {
	list := x.devices[d].services
	i := slices.IndexFunc(list, func(s service) bool { return s.id == a.Service })
	if i < 0 {
		return nil, Reason{Code: NoSuchProperty, Device: x.devices[d].id}
	}
	if a.Prop == "" {
		return []byte("{}"), Reason{}
	}
	p := list[i].input
	if p == nil || p.id != a.Prop {
		return nil, Reason{Code: NoSuchValue, Device: x.devices[d].id}
	}
	wire, code := x.wire(p, a.Value)
	if code != "" {
		return nil, Reason{Code: code, Device: x.devices[d].id, Value: a.Value, Min: p.min, Max: p.max, Unit: p.unit}
	}
	return member(p.id, wire), Reason{}
}

// offering is the one device of the speaker's room, or of the home, that can do what was named; of those that could with
// another value, if none can with this one.
func (r *resolver) offering(f *frame, can func(int32) bool) ([]int32, bool) {
	all := r.allThat(can)
	if len(all) == 0 {
		all = r.allThat(func(d int32) bool { return r.x.callable(d, f.call-1, vNone) != nil })
	}
	here := filter(all, func(d int32) bool { return r.room >= 0 && r.x.devices[d].room == r.room })
	switch {
	case len(here) == 1:
		return here, true
	case len(all) == 1:
		return all, true
	case len(all) == 0:
		return nil, r.fail(Reject, Reason{Code: NoSuchDevice})
	}
	return nil, r.ask(AmbiguousDevice, all)
}

// allThat are the devices of the home that can.
func (r *resolver) allThat(can func(int32) bool) (out []int32) {
	for d := range r.x.devices {
		if can(int32(d)) {
			out = append(out, int32(d))
		}
	}
	return out
}
