package tsl

import (
	"math"
	"strconv"
)

// value checks one value of any type.
func (s *scan) value(p *Property) *Violation {
	s.next()
	start := s.i
	switch p.Type {
	case Int, Bool, Enum:
		n, ok := s.number()
		v, whole := n.integer()
		if !ok || !whole || !p.allows(v) {
			s.i = start
			return s.wrong(p)
		}
	case Float, Double:
		n, ok := s.number()
		if !ok || !p.allowsFloat(n.float(s.b[start:s.i])) {
			s.i = start
			return s.wrong(p)
		}
	case Text:
		if s.next() != '"' {
			return s.wrong(p)
		}
		length, v := s.text(nil)
		if v != nil {
			return v
		}
		if length > p.Length {
			s.i = start
			v := s.wrong(p)
			v.Got = strconv.Itoa(length) + " bytes long"
			return v
		}
	case Date:
		if !s.date() {
			s.i = start
			return s.wrong(p)
		}
	case Array:
		return s.list(p)
	case Struct:
		if s.next() != '{' {
			return s.wrong(p)
		}
		return s.members(p.table, p.inside, nil)
	}
	return nil
}

// allows checks a whole number against an int's range and step, or the values of a bool or enum.
func (p *Property) allows(v int64) bool {
	if p.Type == Int {
		return v >= p.min && v <= p.max && (p.step <= 1 || (v-p.grid)%p.step == 0)
	}
	if uint64(v) < 64 {
		return p.mask&(1<<uint(v)) != 0
	}
	for i := range p.Enum {
		if p.Enum[i].Value == v {
			return true
		}
	}
	return false
}

// allowsFloat checks a number against the range and step of a float or double. A float's limits are compared in single
// precision: the single nearest to 0.1 is not above 0.1, however the device prints it.
func (p *Property) allowsFloat(v float64) bool {
	low, high := v < p.Min, v > p.Max
	if p.Type == Float && (low || high) {
		low, high = float32(v) < float32(p.Min), float32(v) > float32(p.Max)
	}
	if low || high || math.IsInf(v, 0) {
		return false
	}
	return p.Step == 0 || onGrid(v, p.gridFloat, p.Step, p.Type == Float)
}

// date reads a string of milliseconds.
func (s *scan) date() bool {
	if s.next() != '"' {
		return false
	}
	s.i++
	start, v := s.i, int64(0)
	for s.i < len(s.b) && isDigit(s.b[s.i]) && s.i-start < 15 {
		v = v*10 + int64(s.b[s.i]-'0')
		s.i++
	}
	if s.i == start || s.i >= len(s.b) || s.b[s.i] != '"' || v > maxTime {
		return false
	}
	s.i++
	return true
}

// list checks an array.
func (s *scan) list(p *Property) *Violation {
	if s.next() != '[' {
		return s.wrong(p)
	}
	s.i++
	if s.next() == ']' {
		s.i++
		return nil
	}
	for n := 0; ; n++ {
		if n == p.Size {
			return &Violation{Got: "longer", Rule: p.rule, Fix: "send fewer items, or publish a model version with a larger size"}
		}
		if v := s.value(p.Item); v != nil {
			v.Where = "/" + strconv.Itoa(n) + v.Where
			return v
		}
		switch s.next() {
		case ',':
			s.i++
		case ']':
			s.i++
			return nil
		default:
			return s.broken("a comma or a closing bracket")
		}
	}
}
