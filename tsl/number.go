package tsl

import (
	"math"
	"strconv"
)

// A number is a JSON number taken apart: (-1)^neg · mantissa · 10^exponent.
type number struct {
	neg      bool
	whole    bool // neither fraction nor exponent
	exact    bool // every digit is in mantissa
	mantissa uint64
	exponent int
}

// number reads a JSON number; ok is false, and nothing was read, when there is none.
func (s *scan) number() (n number, ok bool) {
	b, i := s.b, s.i
	n.whole, n.exact = true, true
	if i < len(b) && b[i] == '-' {
		n.neg = true
		i++
	}
	first := i
	for i < len(b) && isDigit(b[i]) {
		n.digit(b[i])
		i++
	}
	if i == first || b[first] == '0' && i > first+1 {
		return n, false
	}
	if i < len(b) && b[i] == '.' {
		n.whole = false
		point := i
		for i++; i < len(b) && isDigit(b[i]); i++ {
			if n.digit(b[i]) {
				n.exponent--
			}
		}
		if i == point+1 {
			return n, false
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		n.whole = false
		e, end, good := exponent(b, i+1)
		if !good {
			return n, false
		}
		n.exponent += e
		i = end
	}
	s.i = i
	return n, true
}

// digit takes one more digit in, and reports whether there was room for it.
func (n *number) digit(c byte) bool {
	if n.mantissa > (math.MaxUint64-9)/10 {
		n.exact = false
		return false
	}
	n.mantissa = n.mantissa*10 + uint64(c-'0')
	return true
}

func exponent(b []byte, i int) (e, end int, ok bool) {
	neg := false
	if i < len(b) && (b[i] == '-' || b[i] == '+') {
		neg = b[i] == '-'
		i++
	}
	first := i
	for ; i < len(b) && isDigit(b[i]); i++ {
		if e < 100_000 { // far beyond any double; stops the overflow
			e = e*10 + int(b[i]-'0')
		}
	}
	if neg {
		e = -e
	}
	return e, i, i > first
}

// integer is the number as an int64; ok is false when it has a fraction, an exponent, or too many digits.
func (n *number) integer() (v int64, ok bool) {
	switch {
	case !n.whole || !n.exact || n.mantissa > 1<<63-1:
		return 0, false
	case n.neg:
		return -int64(n.mantissa), true
	default:
		return int64(n.mantissa), true
	}
}

// powers are the powers of ten that a double holds exactly.
var powers = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// float is the nearest double of the number, whose text is given; infinite when it is too large. Where mantissa and
// power are both exact one operation rounds correctly (Clinger's fast path); the rest is strconv's.
func (n *number) float(text []byte) float64 {
	if n.exact && n.mantissa <= 1<<53 && n.exponent >= -22 && n.exponent <= 22 {
		v := float64(n.mantissa)
		if n.neg {
			v = -v
		}
		if n.exponent < 0 {
			return v / powers[-n.exponent]
		}
		return v * powers[n.exponent]
	}
	v, _ := strconv.ParseFloat(string(text), 64) // the grammar is checked; out of range is ±Inf
	return v
}

// onGrid reports whether v is base plus a whole number of steps, as far as the precision of the type can tell: a device
// that prints the single 25.6 as 25.6000004 is on the grid of 0.1.
func onGrid(v, base, step float64, single bool) bool {
	q := (v - base) / step
	epsilon := 0x1p-52
	if single {
		epsilon = 0x1p-23
	}
	slack := 1e-6 + epsilon*(math.Abs(v)+math.Abs(base))/step
	return math.Abs(q-math.Round(q)) <= slack
}

func isDigit(c byte) bool { return c-'0' <= 9 }
