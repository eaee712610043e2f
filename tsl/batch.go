package tsl

import "strconv"

// MaxBatch is how many values one call of [Model.CheckBatch] takes.
const MaxBatch = 1000

// A Span is what every time of a batch must lie in, both ends included.
type Span struct {
	From, To int64  // milliseconds since 1970 UTC
	Rule     string // in words: "a time from 2000 to now"
}

// CheckBatch checks many values at once: properties is an object of identifiers, or a list of such objects, and each value of
// it one value or a list of them, each bare or {"value":…,"time":ms}; events likewise. Either may be nil. With a span every
// value needs a time, and it lies within. each may be nil; it is not called for events.
//
// A list that belongs to a property of type array is one value of it, unless its first item is {"value":…} or {"time":…}.
func (m *Model) CheckBatch(properties, events []byte, span *Span, each Each) *Violation {
	b := batch{m: m, span: span, each: each}
	if v := b.part("/properties", properties, b.property); v != nil {
		return v
	}
	return b.part("/events", events, b.event)
}

// batch is one call of CheckBatch.
type batch struct {
	m      *Model
	span   *Span
	each   Each
	values int
	scan
}

// part checks one member: an object, or a list of objects.
func (b *batch) part(where string, in []byte, value func(name []byte) *Violation) *Violation {
	if len(in) == 0 {
		return nil
	}
	b.scan = scan{b: in}
	object := func() *Violation { return b.object(value) }
	v := b.one(object)
	return b.end(where, v)
}

// one calls do for the value ahead, or for each item of the list ahead.
func (b *batch) one(do func() *Violation) *Violation {
	if b.next() != '[' {
		return do()
	}
	b.i++
	if b.next() == ']' {
		b.i++
		return nil
	}
	for n := 0; ; n++ {
		if v := do(); v != nil {
			v.Where = "/" + strconv.Itoa(n) + v.Where
			return v
		}
		switch b.next() {
		case ',':
			b.i++
		case ']':
			b.i++
			return nil
		default:
			return b.broken("a comma or a closing bracket")
		}
	}
}

// object calls value for each member of the object ahead, at its value.
func (b *batch) object(value func(name []byte) *Violation) *Violation {
	if b.next() != '{' {
		return &Violation{Got: b.literal(), Rule: "an object", Fix: `send {"name":value,…}`}
	}
	b.i++
	if b.next() == '}' {
		b.i++
		return nil
	}
	for {
		name, v := b.name()
		if v == nil {
			v = value(name)
		}
		if v != nil {
			return v
		}
		switch b.next() {
		case ',':
			b.i++
		case '}':
			b.i++
			return nil
		default:
			return b.broken("a comma or a closing brace")
		}
	}
}

func (b *batch) property(name []byte) *Violation {
	at := b.m.table.find(name)
	if at < 0 {
		return b.m.table.unknown(name, posted)
	}
	p := b.m.table.props[at]
	do := func() *Violation { return b.timed(p, b.each) }
	if p.Type == Array && !b.listed(p) {
		return within(p.Identifier, do())
	}
	return within(p.Identifier, b.one(do))
}

func (b *batch) event(name []byte) *Violation {
	e, ok := b.m.Event(string(name))
	if !ok {
		return unknown("/"+escapePointer(cut(name)), "not in the thing model", string(name), b.m.eventNames())
	}
	return within(e.Identifier, b.one(func() *Violation { return b.timed(e.root, nil) }))
}

// within completes the place of a violation.
func within(name string, v *Violation) *Violation {
	if v != nil {
		v.Where = "/" + name + v.Where
	}
	return v
}

// timed checks one value and its time.
func (b *batch) timed(p *Property, each Each) *Violation {
	if b.values++; b.values > MaxBatch {
		return &Violation{Got: "one value too many", Rule: "at most " + strconv.Itoa(MaxBatch) + " values at once", Fix: "send them in several messages"}
	}
	start, end, at, v := b.stamped(p)
	if v != nil {
		return v
	}
	if b.span != nil && (at < b.span.From || at > b.span.To) {
		return b.span.wrong(at)
	}
	if each != nil {
		each(p, b.b[start:end], at)
	}
	return nil
}

// wrong is the violation of a time outside of the span.
func (s *Span) wrong(at int64) *Violation {
	v := &Violation{Where: "/time", Got: strconv.FormatInt(at, 10), Rule: s.Rule, Fix: "set the device's clock before it takes times"}
	if at == 0 {
		v.Got, v.Fix = "missing", `send {"value":…,"time":ms}`
	}
	return v
}

// listed reports whether the list ahead is one of values with times, and not itself the value of p, an array.
func (b *batch) listed(p *Property) bool {
	if b.next() != '[' {
		return false
	}
	back := b.i
	defer func() { b.i = back }()
	b.i++
	return b.next() == '{' && (p.Item.Type != Struct || b.stamp(p.Item))
}
