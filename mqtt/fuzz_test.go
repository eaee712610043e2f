package mqtt

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	paho3 "github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/google/go-cmp/cmp"
)

// FuzzDecoder holds the decoder to its laws:
//   - a stream in one piece and the same byte by byte give the same packets and the same error;
//   - what was decoded and encoded again has the same bytes, in their shortest form;
//   - what of 3.1.1 is accepted, Eclipse Paho accepts, too;
//   - what is held of an unfinished packet is what arrived, in a buffer of at most four times that and 512 bytes.
func FuzzDecoder(f *testing.F) {
	f.Fuzz(func(t *testing.T, version byte, in []byte) {
		const limit = 2000
		v := [3]Version{0, V311, V5}[version%3]
		whole, cut := Decoder{Limit: limit, Version: v}, Decoder{Limit: limit, Version: v}
		packets, err := decodeAll(&whole, in, 0)

		var bits []*Packet
		var errBits error
		arrived := 0
		for i := 0; i < len(in) && errBits == nil; i++ {
			before := len(bits)
			errBits = cut.Push([]byte{in[i]}, func(p *Packet) error { bits = append(bits, clone(p)); return nil })
			if arrived++; len(bits) > before {
				arrived = 0
			}
			held(t, &cut, arrived, limit)
		}
		if got, want := textOf(errBits), textOf(err); got != want {
			t.Errorf("error byte by byte\n got %q\nwant %q", got, want)
		}
		if !reflect.DeepEqual(bits, packets) {
			t.Errorf("packets byte by byte (-want +got)\n%s", cmp.Diff(packets, bits))
		}
		if err == nil {
			held(t, &whole, whole.Buffered(), limit)
		}
		again := packetsOf(t, packets, whole.Version)
		if short := shortest(in, whole.Version); !bytes.HasPrefix(short, again) {
			t.Errorf("decoded and encoded again\n got %x\nwant %x", again, short)
		}
	})
}

// held checks what a decoder holds of an unfinished packet.
func held(t *testing.T, d *Decoder, arrived, limit int) {
	t.Helper()
	if d.Buffered() > arrived || d.Buffered() > limit {
		t.Fatalf("%d bytes are held, %d arrived, the limit is %d", d.Buffered(), arrived, limit)
	}
	if d.rest != nil && cap(d.rest.b) > max(512, 4*arrived) {
		t.Fatalf("a buffer of %d bytes is held for %d", cap(d.rest.b), arrived)
	}
}

func packetsOf(t *testing.T, packets []*Packet, v Version) (out []byte) {
	t.Helper()
	for _, p := range packets {
		n := len(out)
		if v == V311 && (p.Connect == nil || p.Connect.Version == V311) {
			if _, err := paho3.ReadPacket(bytes.NewReader(AppendPacket(nil, p, v))); err != nil {
				t.Errorf("Paho reading %v: %v", p.Type, err)
			}
		}
		if out = AppendPacket(out, p, v); len(out) == n {
			t.Fatalf("%v cannot be encoded again", p.Type)
		}
	}
	return out
}

// shortest is a stream whose packets are written as the encoder writes them: the Remaining Length in as few bytes as it
// needs, and without the success and the empty properties that MQTT 5 lets out. It knows nothing of the decoder.
func shortest(in []byte, v Version) (out []byte) {
	for len(in) > 1 {
		n, size, done := 0, 1, false
		for ; size < len(in) && size < 5 && !done; size++ {
			n |= int(in[size]&0x7f) << (7 * (size - 1))
			done = in[size] < 0x80
		}
		if !done || len(in) < size+n {
			return out
		}
		t, body := Type(in[0]>>4), in[size:size+n]
		if v == V5 {
			switch t {
			case PUBACK, PUBREC, PUBREL, PUBCOMP:
				body = trimmed(body, 2)
			case DISCONNECT:
				body = trimmed(body, 0)
			case AUTH:
				if bytes.Equal(body, []byte{0, 0}) {
					body = nil
				}
			default:
			}
		}
		out = append(appendVariable(append(out, in[0]), len(body)), body...)
		in = in[size+n:]
	}
	return out
}

// trimmed leaves out what says nothing behind the first n bytes: no properties, and then success.
func trimmed(body []byte, n int) []byte {
	if len(body) == n+2 && body[n+1] == 0 {
		body = body[:n+1]
	}
	if len(body) == n+1 && body[n] == 0 {
		body = body[:n]
	}
	return body
}

// FuzzSession holds a session to its laws, whatever a client sends: in one piece = byte by byte, no panic, an answer for
// each message that was acknowledged, and nothing held behind the end.
func FuzzSession(f *testing.F) {
	f.Fuzz(func(t *testing.T, greet bool, in []byte) {
		greetings := []string{""}
		if greet {
			greetings = []string{hello, hello5}
		}
		for _, greeting := range greetings {
			fuzzSession(t, append(wire(greeting), in...))
		}
	})
}

func fuzzSession(t *testing.T, in []byte) {
	run := func(size int) (string, []byte, string) {
		h := &recorder{now: true, grant: []byte{0, 1, 2}}
		h.s = NewSession(&Config{MaxPacket: 2000, MaxOut: 1 << 20, Aliases: 3, ReceiveMax: 5}, h)
		var err error
		rest := in
		for len(rest) > 0 && err == nil {
			n := min(size, len(rest))
			err = h.s.Receive(rest[:n])
			rest = rest[n:]
		}
		if n := h.s.Unacked(); n != 0 {
			t.Errorf("%d messages are acknowledged and wait", n)
		}
		out := h.s.Take(nil)
		h.s.Close()
		return fmt.Sprint(h.calls), out, textOf(err)
	}
	calls, out, err := run(max(len(in), 1))
	callsBits, outBits, errBits := run(1)
	if callsBits != calls || !bytes.Equal(outBits, out) || errBits != err {
		t.Errorf("byte by byte\n got %s %x %q\nwant %s %x %q", callsBits, outBits, errBits, calls, out, err)
	}
}
