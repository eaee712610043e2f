package mqtt

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wire reads bytes as tests write them: hexadecimal, spaces ignored, and 'text' between quotes.
func wire(s string) []byte {
	var b []byte
	for i, part := range strings.Split(s, "'") {
		if i%2 == 1 {
			b = append(b, part...)
			continue
		}
		raw, err := hex.DecodeString(strings.ReplaceAll(part, " ", ""))
		if err != nil {
			panic(fmt.Sprintf("wire(%q): %v", s, err)) // a mistake in a test
		}
		b = append(b, raw...)
	}
	return b
}

// packet puts a fixed header before a body.
func packet(first byte, body string) []byte {
	b := wire(body)
	return append(appendVariable([]byte{first}, len(b)), b...)
}

// textOf is what an error says, "" for none.
func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// clone copies what a callback was given.
func clone(p *Packet) *Packet {
	q := *p
	q.Topic, q.Payload, q.Codes = copied(p.Topic), copied(p.Payload), copied(p.Codes)
	q.Properties = copied(p.Properties)
	q.Filters = nil
	for _, f := range p.Filters {
		f.Topic = copied(f.Topic)
		q.Filters = append(q.Filters, f)
	}
	if p.Connect != nil {
		c := *p.Connect
		c.ClientID, c.Username, c.Password = copied(c.ClientID), copied(c.Username), copied(c.Password)
		if c.Will != nil {
			w := *c.Will
			w.Topic, w.Payload, w.Properties = copied(w.Topic), copied(w.Payload), copied(w.Properties)
			c.Will = &w
		}
		q.Connect = &c
	}
	return &q
}

func copied[T ~[]byte](b T) T {
	if len(b) == 0 {
		return nil // empty and absent are the same to a test
	}
	return append(T(nil), b...)
}

// decodeAll gives b to a new decoder in pieces of the given size (0: one) and returns what came out.
func decodeAll(d *Decoder, b []byte, size int) (out []*Packet, err error) {
	if size == 0 {
		size = max(len(b), 1)
	}
	for err == nil && len(b) > 0 {
		n := min(size, len(b))
		piece := append([]byte(nil), b[:n]...) // a buffer of its own, so that aliasing beyond it would show
		err = d.Push(piece, func(p *Packet) error { out = append(out, clone(p)); return nil })
		clear(piece)
		b = b[n:]
	}
	return out, err
}
