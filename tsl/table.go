package tsl

import (
	"encoding/binary"
	"math/bits"
)

// maxMembers bounds the members of one object of a message: the properties of a model, the parameters of a service.
// It is the width of the bit set in which a check notes what it has seen. A document may hold 300 of each.
const maxMembers = 512

// seen is which members of an object came already.
type seen [maxMembers / 64]uint64

func (s *seen) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }
func (s *seen) add(i int)      { s[i/64] |= 1 << (i % 64) }

// A table finds members by name without a map: open addressing over at most half filled slots.
type table struct {
	props    []*Property
	slots    []uint16 // 0: free, else index into props + 1
	requires bool     // one of props is required
}

func newTable(props []*Property) *table {
	n := 4
	for n < 2*len(props) {
		n *= 2
	}
	t := &table{props: props, slots: make([]uint16, n)}
	for i, p := range props {
		at := t.slot([]byte(p.Identifier))
		for t.slots[at] != 0 {
			at = (at + 1) & (len(t.slots) - 1)
		}
		t.slots[at] = uint16(i + 1)
		t.requires = t.requires || p.Required
	}
	return t
}

// find is the index of name, or -1.
func (t *table) find(name []byte) int {
	for at := t.slot(name); t.slots[at] != 0; at = (at + 1) & (len(t.slots) - 1) {
		if i := int(t.slots[at]) - 1; t.props[i].Identifier == string(name) {
			return i
		}
	}
	return -1
}

// slot mixes the length and the first and last eight bytes of name; identifiers that agree in all three share a run.
func (t *table) slot(name []byte) int {
	var x, y uint64
	n := len(name)
	switch {
	case n >= 8:
		x, y = binary.LittleEndian.Uint64(name), binary.LittleEndian.Uint64(name[n-8:])
	case n >= 4:
		x, y = uint64(binary.LittleEndian.Uint32(name)), uint64(binary.LittleEndian.Uint32(name[n-4:]))
	case n > 0:
		x, y = uint64(name[0])|uint64(name[n/2])<<8, uint64(name[n-1])
	}
	h := (x ^ uint64(n)<<56) * 0x9E3779B97F4A7C15 // odd 64-bit constants of Knuth's multiplicative and the PCG mixers
	h = (h ^ bits.RotateLeft64(y, 31)) * 0xD6E8FEB86659FD93
	return int(h>>40) & (len(t.slots) - 1)
}
