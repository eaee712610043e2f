package alink

import (
	"bytes"
	"math/bits"
)

// Filters is a set of rows. The zero value is empty; sets can be compared with ==.
type Filters [2]uint64

// FiltersOf returns the set of the given rows.
func FiltersOf(ts ...Template) (f Filters) {
	for _, t := range ts {
		f.Add(t)
	}
	return f
}

// AllDown returns every row the platform publishes to: what a client id with _ss=1 subscribes to.
func AllDown() Filters { return downSet }

func allDown() (f Filters) {
	for t := Template(1); t < templateEnd; t++ {
		if rows[t].dir&Down != 0 {
			f.Add(t)
		}
	}
	return f
}

// Has reports whether t is in the set.
func (f Filters) Has(t Template) bool { return t < 128 && f[t>>6]&(1<<(t&63)) != 0 }

// Add puts t into the set; what is no row is left out.
func (f *Filters) Add(t Template) {
	if t > 0 && t < templateEnd {
		f[t>>6] |= 1 << (t & 63)
	}
}

// Union returns what is in f or in g.
func (f Filters) Union(g Filters) Filters { return Filters{f[0] | g[0], f[1] | g[1]} }

// Without returns what is in f and not in g.
func (f Filters) Without(g Filters) Filters { return Filters{f[0] &^ g[0], f[1] &^ g[1]} }

// Meets reports whether something is in both.
func (f Filters) Meets(g Filters) bool { return f[0]&g[0]|f[1]&g[1] != 0 }

// Empty reports whether nothing is in the set.
func (f Filters) Empty() bool { return f == Filters{} }

// Len counts the rows in the set.
func (f Filters) Len() int { return bits.OnesCount64(f[0]) + bits.OnesCount64(f[1]) }

// A Subscription is what one MQTT filter means in the table. Only rows the platform publishes to are in it.
type Subscription struct {
	Whole Filters // every message of these rows is wanted
	Part  Filters // of these rows only messages whose argument fits Arg
	Arg   []byte  // an identifier, or for User and ExtRRPC a filter of its own; aliases the resolved filter
}

// Wants reports whether a message of row t with argument arg is subscribed to.
func (s *Subscription) Wants(t Template, arg string) bool {
	return s.Whole.Has(t) || s.Part.Has(t) && fits(s.Arg, arg)
}

// Resolve finds what a filter of SUBSCRIBE means for one device. Wildcards are allowed behind the names of the device.
// ok is false for a filter that is malformed, reaches into a foreign branch or covers no row: answer it with 0x80. A filter that covers
// only rows the device itself publishes to is ok and brings nothing.
func Resolve(filter []byte, productKey, deviceName string) (s Subscription, ok bool) {
	if len(filter) > MaxTopic || productKey == "" || deviceName == "" || !wellFormed(filter) {
		return Subscription{}, false
	}
	if !hasWildcard(filter) {
		t, arg, ok := Match(filter, productKey, deviceName)
		s.put(t, arg, arg == nil)
		return s, ok
	}
	for i := range branches {
		b := &branches[i]
		tail, found := behindNames(filter, b.head, productKey, deviceName)
		if !found {
			continue
		}
		for t := Template(1); t < templateEnd; t++ {
			if p := &shapes[t]; p.named && p.head == b.head && s.add(t, p, tail) {
				ok = true
			}
		}
	}
	return s, s.addRRPC(filter, productKey, deviceName) || ok
}

// add puts row t into s if its topics behind the names can fit filter, and reports whether they can.
func (s *Subscription) add(t Template, p *shape, filter []byte) bool {
	arg, whole, ok := cover(filter, p)
	if !ok {
		return false
	}
	s.put(t, arg, whole)
	return true
}

// put adds what the platform publishes to; all or part of it.
func (s *Subscription) put(t Template, arg []byte, whole bool) {
	switch {
	case rows[t].dir&Down == 0:
	case whole:
		s.Whole.Add(t)
	default:
		s.Part.Add(t)
		s.Arg = arg
	}
}

// addRRPC does the same for the row whose names do not follow its head.
func (s *Subscription) addRRPC(filter []byte, productKey, deviceName string) bool {
	arg, ok := bytes.CutPrefix(filter, []byte("/ext/rrpc/"))
	if !ok {
		return false
	}
	id := bytes.IndexByte(arg, '/')
	if id <= 0 || arg[0] == '#' {
		return false
	}
	tail, ok := behindNames(arg[id:], "/", productKey, deviceName)
	if !ok {
		return false
	}
	_, whole, ok := cover(tail, &shapes[User])
	if !ok {
		return false
	}
	s.put(ExtRRPC, arg, whole && arg[0] == '+')
	return true
}

// cover walks the levels of a filter beside those of a row, both behind the names and so both empty or beginning with a slash.
// whole: it covers every argument; else arg is the part of the filter that stands at the argument's place.
func cover(filter []byte, p *shape) (arg []byte, whole, ok bool) {
	whole = true
	rest := p.before // what is left of the row up to its argument
	for {
		if string(filter) == "/#" {
			return arg, whole, true // the parent level and all below
		}
		if len(rest) == 0 || rest == "/" && p.arg {
			break
		}
		if len(filter) == 0 {
			return nil, false, false
		}
		level, next := nextLevel(filter)
		want, after := nextLevelString(rest)
		if string(level) != "+" && string(level) != want {
			return nil, false, false
		}
		filter, rest = next, after
	}
	if !p.arg {
		return nil, true, len(filter) == 0
	}
	if p.many {
		return coverMany(filter)
	}
	return coverOne(filter, p)
}

// coverMany: the filter's rest is the argument. Only "/#" covers all of it, and that was seen before.
func coverMany(filter []byte) (arg []byte, whole, ok bool) {
	if len(filter) < 2 {
		return nil, false, false
	}
	return filter[1:], false, true
}

// coverOne: one level is the argument, with or without an ending, and levels may follow.
func coverOne(filter []byte, p *shape) (arg []byte, whole, ok bool) {
	if len(filter) == 0 {
		return nil, false, false
	}
	level, filter := nextLevel(filter)
	ending, after := p.after, ""
	for i := range p.after {
		if p.after[i] == '/' {
			ending, after = p.after[:i], p.after[i:]
			break
		}
	}
	whole = string(level) == "+"
	if !whole {
		arg, ok = bytes.CutSuffix(level, []byte(ending))
		if !ok || len(arg) == 0 || len(arg) > MaxArgument {
			return nil, false, false
		}
	}
	_, _, ok = cover(filter, &shape{before: after})
	return arg, whole, ok
}

// nextLevel takes the first level off b, which begins with a slash.
func nextLevel(b []byte) (level, rest []byte) {
	if i := bytes.IndexByte(b[1:], '/'); i >= 0 {
		return b[1 : i+1], b[i+1:]
	}
	return b[1:], nil
}

func nextLevelString(s string) (level, rest string) {
	for i := 1; i < len(s); i++ {
		if s[i] == '/' {
			return s[1:i], s[i:]
		}
	}
	return s[1:], ""
}

// wellFormed checks the rules for wildcards: each is a whole level, and # is the last (MQTT 3.1.1 §4.7.1).
func wellFormed(filter []byte) bool {
	for i, c := range filter {
		if c != '+' && c != '#' {
			continue
		}
		if i > 0 && filter[i-1] != '/' {
			return false
		}
		if last := i == len(filter)-1; !last && (c == '#' || filter[i+1] != '/') {
			return false
		}
	}
	return len(filter) > 0
}

// fits reports whether a topic part fits a filter part, level by level.
func fits(filter []byte, topic string) bool {
	i := 0
	for j := 0; j < len(filter); j++ {
		switch {
		case filter[j] == '#':
			return true
		case filter[j] == '+':
			for i < len(topic) && topic[i] != '/' {
				i++
			}
		case i < len(topic) && topic[i] == filter[j]:
			i++
		default: // "a/#" covers "a" too
			return i == len(topic) && string(filter[j:]) == "/#"
		}
	}
	return i == len(topic)
}
