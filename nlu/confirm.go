package nlu

import (
	"fmt"
	"slices"
)

// This file asks before what is dangerous is done: what a misheard word must not open or light.

// What opens a way into the home, or lets gas or water run, is confirmed when it opens; what heats unseen when it starts.
var (
	opening = []string{"lock", "door", "garage", "gate", "valve"}
	heating = []string{"oven", "microwave", "stove", "cooker", "heater", "blanket"}
)

// A danger is one act on one device, or a scene, that is to be confirmed.
type danger struct {
	device, prop, service, scene string
	value                        any
}

func dangerOf(q *Reason) danger { return danger{q.Device, q.Prop, q.Service, q.Scene, q.Value} }

// warn turns a reading that would do something dangerous into the question whether it is meant, one act after the other: a yes
// is a yes to what was asked alone.
func (r *resolver) warn() {
	for i := range r.actions {
		a := &r.actions[i]
		if a.Op == OpScene && r.c.Danger != nil && r.c.Danger(a.Scene) && !r.agrees(Reason{Code: Confirm, Scene: a.Scene}) {
			return
		}
		for _, id := range a.Targets {
			d := &r.x.devices[r.x.byID[id]]
			if d.dangerous(r.x, a) && !r.agrees(Reason{Code: Confirm, Device: id, Prop: a.Prop, Service: a.Service, Meaning: a.Meaning, Value: a.Value}) {
				return
			}
		}
	}
}

// agrees reports whether a yes was said to q, and else asks.
func (r *resolver) agrees(q Reason) bool {
	if slices.Contains(r.agreed, dangerOf(&q)) {
		return true
	}
	r.candidates = nil
	return r.fail(Clarify, q)
}

// dangerous reports whether an action on the device is one to be confirmed. What the device is, its category says, and what
// people call it: a switch that is called 燃气阀 opens one.
func (d *deviceEntry) dangerous(x *Index, a *Action) bool {
	is := func(list []string) bool {
		return d.category >= 0 && slices.Contains(list, x.v.categories.list[d.category]) ||
			slices.ContainsFunc(d.called, func(k int32) bool { return slices.Contains(list, x.v.categories.list[k]) })
	}
	opens, heats := is(opening), is(heating)
	if d.confirm.confirms(a) {
		return true
	}
	switch a.Op {
	case OpCall:
		return (opens || heats) && !x.ending(d, a.Service)
	case OpSet, OpAdjust:
	default:
		return false
	}
	p := d.property(a.Prop)
	if p == nil {
		return false
	}
	switch a.Meaning {
	case Locked:
		return !truth(x, p, a, "lock", "on", "close")
	case Position:
		return opens && begins(x, p, a)
	case Power, Work:
		return (opens && !is([]string{"lock"}) || heats) && begins(x, p, a)
	}
	return false
}

// begins reports whether an action may begin something: all does but a value that is known to end it.
func begins(x *Index, p *prop, a *Action) bool {
	if _, named := a.Value.(string); named && a.Op == OpSet {
		return !truth(x, p, a, "off", "close", "stop", "pause", "down", "dock", "lock")
	}
	return truth(x, p, a)
}

// DangerousAdjust reports whether changing a property of a device by so much is to be confirmed.
func (x *Index) DangerousAdjust(device, property string, by float64) bool {
	direction := "up"
	if by < 0 {
		direction = "down"
	}
	return x.dangerousTo(device, property, func(*prop) Action { return Action{Op: OpAdjust, Direction: direction} })
}

// DangerousCall reports whether calling a service of a device is to be confirmed.
func (x *Index) DangerousCall(device, service string) bool {
	d, known := x.byID[device]
	return known && x.devices[d].dangerous(x, &Action{Op: OpCall, Service: service})
}

// DangerousSet reports whether setting a property of a device is to be confirmed; value is as it stands on the wire: a number,
// also of a bool or an enum.
func (x *Index) DangerousSet(device, property string, value float64) bool {
	return x.dangerousTo(device, property, func(p *prop) Action {
		switch p.kind {
		case kindBool:
			return Action{Op: OpSet, Value: value != 0}
		case kindEnum:
			name := "" // what the model does not have is no end of anything
			for i := range p.enum {
				if p.enum[i].value == int64(value) {
					name = p.enum[i].name
				}
			}
			return Action{Op: OpSet, Value: name}
		}
		return Action{Op: OpSet, Value: value}
	})
}

// dangerousTo reports whether what act makes of a property of a device is to be confirmed.
func (x *Index) dangerousTo(device, property string, act func(p *prop) Action) bool {
	d, known := x.byID[device]
	if !known {
		return false
	}
	p := x.devices[d].property(property)
	if p == nil {
		return false
	}
	a := act(p)
	a.Prop, a.Meaning = p.id, x.meaning(p.meaning)
	return x.devices[d].dangerous(x, &a)
}

// ending: the service is a verb that ends what goes on.
func (x *Index) ending(d *deviceEntry, id string) bool {
	for i := range d.services {
		if d.services[i].id == id {
			v := d.services[i].plain
			return v == vStop || v == vPause || v == vDock
		}
	}
	return false
}

// truth reports whether an action sets p to true, to more than its least, or to a value that means one of keys.
func truth(x *Index, p *prop, a *Action, keys ...string) bool {
	if a.Op == OpAdjust {
		return a.Direction == "up"
	}
	switch v := a.Value.(type) {
	case bool:
		return v
	case string:
		for i := range p.enum {
			e := &p.enum[i]
			if e.name == v && e.plain >= 0 && slices.Contains(keys, x.v.values.list[e.plain]) {
				return true
			}
		}
		return false
	}
	n, ok := toFloat(a.Value)
	return ok && n > p.min
}

// sayYes is the code of words that say yes; others may stand around them.
const sayYes = 1

// wholeWords makes the trie of words that are a sentence by themselves, and of those that may stand around them, with their codes.
func wholeWords(section map[string][]string, codes map[string]int32) (*trie, error) {
	t := newTrie(256)
	for _, key := range sortedKeys(section) {
		code, known := codes[key]
		if !known {
			return nil, fmt.Errorf("%q is not a key that the reader knows", key)
		}
		for _, w := range section[key] {
			t.add(fold(w), sense{class: cFiller, code: code})
		}
	}
	return t, nil
}

// consents reports whether the sentence says yes, and nothing else, to what was asked to be confirmed. The verb of what was
// asked may be said again: 确认，开锁.
func (r *resolver) consents() bool {
	if r.mem == nil || r.mem.code != Confirm || len(r.mem.pending) == 0 || r.v.yes[r.lang] == nil {
		return false
	}
	said := false
	for i := 0; i < len(r.text); {
		if c := r.text[i]; !isLetter(c) && !isHan(c) && !isDigit(c) {
			i++
			continue
		}
		n, yes := r.consent(i)
		if n == 0 {
			return false
		}
		said, i = said || yes, i+n
	}
	return said
}

// consent is the length of the word at i that says yes, stands around one, or is the verb that was asked about.
func (r *resolver) consent(i int) (n int, yes bool) {
	var node uint32
	t := r.v.yes[r.lang]
	for j := i; j < len(r.text); j++ {
		if node = t.next(node, r.text[j]); node == 0 {
			break
		}
		if e := t.nodes[node].head; e != 0 && !r.splits(i, j+1) {
			n, yes = j+1-i, t.chain[e].sense.code == sayYes
		}
	}
	node = 0
	for j := i; j < len(r.text); j++ {
		if node = r.words.next(node, r.text[j]); node == 0 {
			break
		}
		if j+1-i > n && r.words.nodes[node].mask.has(cVerb) && !r.splits(i, j+1) && r.verbAsked(node) {
			n, yes = j+1-i, false
		}
	}
	return n, yes
}

// verbAsked reports whether a word of the lexicon is a verb of what was asked to be confirmed.
func (r *resolver) verbAsked(node uint32) bool {
	for e := r.words.nodes[node].head; e != 0; e = r.words.chain[e].next {
		s := r.words.chain[e].sense
		if s.class == cVerb && slices.ContainsFunc(r.mem.pending, func(f frame) bool { return f.verb == s.verb() }) {
			return true
		}
	}
	return false
}
