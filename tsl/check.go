package tsl

// manner is how the members of an object are to be taken.
type manner uint8

const (
	posted    manner = iota // properties, each bare or with its time
	set                     // properties, writable ones only
	parameter               // of an event or service
	field                   // of a struct
)

// maxTime is the last millisecond of the year 9999.
const maxTime = 253402300799999

// CheckPost checks the params of a property post. Each property is a bare value or {"value":…,"time":ms}; both may
// stand in one post. each may be nil. It does not allocate unless it returns a Violation.
//
// A struct is taken as {"value":…,"time":ms} when its first member is "value" or "time" and the struct has no field of
// that name.
func (m *Model) CheckPost(params []byte, each Each) *Violation {
	s := scan{b: params}
	return s.end("/params", s.members(m.table, posted, each))
}

// CheckSet checks the params of a property set: bare values of writable properties, at least one. each may be nil.
func (m *Model) CheckSet(params []byte, each Each) *Violation {
	s := scan{b: params}
	v := s.end("/params", s.members(m.table, set, each))
	if v == nil && s.count == 0 {
		return &Violation{Where: "/params", Got: "empty", Rule: "at least one property to set", Fix: "send one of " + offer(writable(m.table.props))}
	}
	return v
}

// CheckEvent checks the params of an event post: {"value":{…},"time":ms} or the bare {…}; nothing at all is {}.
func (m *Model) CheckEvent(identifier string, params []byte) *Violation {
	e, ok := m.Event(identifier)
	if !ok {
		return unknown("event "+cut([]byte(identifier)), "not in the thing model", identifier, m.eventNames())
	}
	s := scan{b: params}
	if len(params) == 0 {
		return s.end("/params", e.root.table.missing(&seen{}))
	}
	_, _, _, v := s.stamped(e.root)
	return s.end("/params", v)
}

// CheckInput checks the params of a service call; nothing at all is {}.
func (m *Model) CheckInput(service string, params []byte) *Violation {
	e, ok := m.Service(service)
	if !ok {
		return unknown("service "+cut([]byte(service)), "not in the thing model", service, m.serviceNames())
	}
	s := scan{b: params}
	return s.end("/params", s.parameters(e.input))
}

// CheckOutput checks the data of a service's answer; nothing at all is {}.
func (m *Model) CheckOutput(service string, data []byte) *Violation {
	e, ok := m.Service(service)
	if !ok {
		return unknown("service "+cut([]byte(service)), "not in the thing model", service, m.serviceNames())
	}
	s := scan{b: data}
	return s.end("/data", s.parameters(e.output))
}

// parameters checks the parameters of a service, which may be left out altogether.
func (s *scan) parameters(t *table) *Violation {
	if len(s.b) == 0 {
		return t.missing(&seen{})
	}
	return s.members(t, parameter, nil)
}

// end sees to it that nothing follows, and completes the violation.
func (s *scan) end(where string, v *Violation) *Violation {
	if v == nil && (s.next() != 0 || s.i < len(s.b)) {
		v = s.broken("nothing after the closing brace")
	}
	if v != nil {
		v.Where = where + v.Where
	}
	return v
}

// members checks one object against a table.
func (s *scan) members(t *table, how manner, each Each) *Violation {
	if s.next() != '{' {
		return &Violation{Got: s.literal(), Rule: "an object", Fix: `send {"name":value,…}`}
	}
	s.i++
	var done seen
	if s.next() == '}' {
		s.i++
		return t.missing(&done)
	}
	for guess := 0; ; {
		at := guess
		if at >= len(t.props) || !s.named(t.props[at].Identifier) {
			name, v := s.name()
			if v != nil {
				return v
			}
			if at = t.find(name); at < 0 {
				return t.unknown(name, how)
			}
		}
		p := t.props[at]
		if done.has(at) {
			return &Violation{Where: "/" + p.Identifier, Got: "given twice", Fix: "send it once"}
		}
		done.add(at)
		s.count++
		guess = at + 1
		if v := s.member(p, how, each); v != nil {
			v.Where = "/" + p.Identifier + v.Where
			return v
		}
		switch s.next() {
		case ',':
			s.i++
		case '}':
			s.i++
			return t.missing(&done)
		default:
			return s.broken("a comma or a closing brace")
		}
	}
}

// member checks the value of one member.
func (s *scan) member(p *Property, how manner, each Each) *Violation {
	var start, end int
	var at int64
	var v *Violation
	if how == posted {
		start, end, at, v = s.stamped(p)
	} else {
		if how == set && !p.Writable {
			return &Violation{Got: "read-only", Fix: "leave it out: the device reports it and nobody sets it"}
		}
		s.next()
		start = s.i
		v = s.value(p)
		end = s.i
	}
	if v == nil && each != nil {
		each(p, s.b[start:end], at)
	}
	return v
}

// stamped checks a value that may come as {"value":…,"time":ms}, and is where the value stands and its time.
func (s *scan) stamped(p *Property) (start, end int, at int64, v *Violation) {
	if s.next() != '{' || p.Type == Struct && !s.stamp(p) {
		start = s.i
		v = s.value(p)
		return start, s.i, 0, v
	}
	open := s.i
	s.i++
	if s.next() == '}' {
		s.i = open
		v := s.wrong(p)
		v.Fix = `send {"value":…,"time":ms} or the bare value`
		return 0, 0, 0, v
	}
	timed := false
	for {
		name, v := s.name()
		if v != nil {
			return 0, 0, 0, v
		}
		switch {
		case string(name) == "value" && end == 0:
			s.next()
			start = s.i
			if v := s.value(p); v != nil {
				v.Where = "/value" + v.Where
				return 0, 0, 0, v
			}
			end = s.i
		case string(name) == "time" && !timed:
			timed = true
			if at, v = s.time(); v != nil {
				return 0, 0, 0, v
			}
		case string(name) == "value" || string(name) == "time":
			return 0, 0, 0, &Violation{Where: "/" + string(name), Got: "given twice", Fix: "send it once"}
		default:
			return 0, 0, 0, &Violation{
				Where: "/" + escapePointer(cut(name)), Got: "unknown", Rule: "value and time only",
				Fix: `send the bare value or {"value":…,"time":ms}`,
			}
		}
		c := s.next()
		if c == ',' {
			s.i++
			continue
		}
		if c != '}' {
			return 0, 0, 0, s.broken("a comma or a closing brace")
		}
		s.i++
		if end == 0 {
			return 0, 0, 0, &Violation{Where: "/value", Got: "missing", Rule: p.rule, Fix: `send {"value":…,"time":ms} or the bare value`}
		}
		return start, end, at, nil
	}
}

// stamp reports whether the object ahead is {"value":…,"time":ms} around struct p, by its first member.
func (s *scan) stamp(p *Property) bool {
	back := s.i
	defer func() { s.i = back }()
	s.i++
	name, v := s.name()
	if v != nil || string(name) != "value" && string(name) != "time" {
		return false
	}
	return p.table.find([]byte("value")) < 0 && p.table.find(name) < 0
}

// time reads the milliseconds of a stamp.
func (s *scan) time() (int64, *Violation) {
	s.next()
	start := s.i
	if n, ok := s.number(); ok {
		if at, ok := n.integer(); ok && at >= 0 && at <= maxTime {
			return at, nil
		}
	}
	s.i = start
	return 0, &Violation{Where: "/time", Got: s.literal(), Rule: "milliseconds since 1970 UTC, a whole number up to the year 9999", Fix: "leave the time out if the device has no clock"}
}
