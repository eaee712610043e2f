package gateway

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// masked is a client's frame. first is its first byte; length, if not 0, is announced instead of the payload's.
func masked(first byte, payload []byte, length uint64) []byte {
	if length == 0 {
		length = uint64(len(payload))
	}
	b := []byte{first}
	switch {
	case length <= 125:
		b = append(b, 0x80|byte(length))
	case length < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(length))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), length)
	}
	mask := [4]byte{7, 0, 0xff, 0x5a}
	b = append(b, mask[:]...)
	for i, c := range payload {
		b = append(b, c^mask[i%4])
	}
	return b
}

// strips gives what frames leave of a stream that comes in pieces of some sizes, in turn.
func strips(stream []byte, most int64, sizes ...int) (payload []byte, controls []string, err error) {
	f := frames{most: most}
	control := func(kind byte, payload []byte) error {
		controls = append(controls, fmt.Sprintf("%x %q", kind, payload))
		if kind == frameClose {
			return io.EOF
		}
		return nil
	}
	for i := 0; len(stream) > 0 && err == nil; i++ {
		size := min(sizes[i%len(sizes)], len(stream))
		piece := bytes.Clone(stream[:size])
		stream = stream[size:]
		var n int
		n, err = f.strip(piece, control)
		payload = append(payload, piece[:n]...)
		if len(f.control) > frameControl {
			panic("more is kept than a control frame has")
		}
	}
	return payload, controls, err
}

func TestFrameRules(t *testing.T) {
	const most = 1000
	bin := func(n int) []byte { return masked(0x82, make([]byte, n), 0) }
	for _, tt := range []struct {
		name   string
		stream []byte
		bytes  int // of payload, before the error
		code   uint16
		rule   string
	}{
		{"a message", bin(5), 5, 0, ""},
		{"an empty one, and another", slices.Concat(bin(0), bin(3)), 3, 0, ""},
		{"the largest", bin(most), most, 0, ""},
		{"the largest, twice", slices.Concat(bin(most), bin(most)), 2 * most, 0, ""},
		{"one byte too large", bin(most + 1), 0, closeTooBig, "too large"},
		{"the largest in parts", slices.Concat(masked(0x02, make([]byte, most-1), 0), masked(0x00, nil, 0), masked(0x80, make([]byte, 1), 0), bin(most)), 2 * most, 0, ""},
		{"too large in parts", slices.Concat(masked(0x02, make([]byte, most-1), 0), masked(0x80, make([]byte, 2), 0)), most - 1, closeTooBig, "too large"},
		{"a huge one announced", masked(0x82, nil, 1<<40), 0, closeTooBig, "too large"},
		{"the largest number announced", masked(0x82, nil, 1<<63-1), 0, closeTooBig, "too large"},
		{"the first bit of 64 set", masked(0x82, nil, 1<<63|5), 0, closeTooBig, "too large"},
		{"a text", masked(0x81, []byte("hello"), 0), 0, closeData, "text"},
		{"a text in parts", masked(0x01, []byte("hello"), 0), 0, closeData, "text"},
		{"no mask", []byte{0x82, 3, 1, 2, 3}, 0, closeProtocol, "mask"},
		{"reserved bit 1, as a compressed frame has it", masked(0xc2, nil, 0), 0, closeProtocol, "reserved"},
		{"reserved bit 2", masked(0xa2, nil, 0), 0, closeProtocol, "reserved"},
		{"reserved bit 3", masked(0x92, nil, 0), 0, closeProtocol, "reserved"},
		{"an unknown kind of message", masked(0x83, nil, 0), 0, closeProtocol, "unknown"},
		{"an unknown kind of control", masked(0x8b, nil, 0), 0, closeProtocol, "unknown"},
		{"a continuation of nothing", masked(0x80, nil, 0), 0, closeProtocol, "continuation"},
		{"a continuation of a whole message", slices.Concat(bin(1), masked(0x80, nil, 0)), 1, closeProtocol, "continuation"},
		{"a message within another", slices.Concat(masked(0x02, []byte{1}, 0), bin(1)), 1, closeProtocol, "within"},
		{"a ping in parts", masked(0x09, nil, 0), 0, closeProtocol, "control"},
		{"a ping of 126 bytes", masked(0x89, make([]byte, 126), 0), 0, closeProtocol, "control"},
		{"a close of 126 bytes", masked(0x88, make([]byte, 126), 0), 0, closeProtocol, "control"},
	} {
		for _, size := range []int{1, 2, 1 << 20} {
			payload, _, err := strips(tt.stream, most, size)
			var broken *frameError
			switch {
			case tt.code == 0 && err != nil || len(payload) != tt.bytes:
				t.Errorf("%s, %d at once: %d bytes, %v; want %d", tt.name, size, len(payload), err, tt.bytes)
			case tt.code != 0 && (!errors.As(err, &broken) || broken.code != tt.code || !strings.Contains(broken.what, tt.rule)):
				t.Errorf("%s, %d at once: %v, want %d for %q", tt.name, size, err, tt.code, tt.rule)
			}
		}
	}
}

// TestFrames parts messages into frames and these into pieces, with control frames between: what comes out are the messages'
// bytes, and each control frame whole.
func TestFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream, want []byte
		var controls []string
		for range rapid.IntRange(0, 5).Draw(t, "messages") {
			parts := rapid.IntRange(1, 4).Draw(t, "parts")
			for i := range parts {
				var first byte
				if i == 0 {
					first = frameBinary
				}
				if i == parts-1 {
					first |= frameFin
				}
				payload := rapid.SliceOfN(rapid.Byte(), 0, rapid.SampledFrom([]int{3, 200, 70_000}).Draw(t, "most")).Draw(t, "payload")
				stream, want = append(stream, masked(first, payload, 0)...), append(want, payload...)
				if rapid.Bool().Draw(t, "ping") {
					payload := rapid.SliceOfN(rapid.Byte(), 0, frameControl).Draw(t, "of ping")
					kind := rapid.SampledFrom([]byte{framePing, framePong}).Draw(t, "kind")
					stream = append(stream, masked(frameFin|kind, payload, 0)...)
					controls = append(controls, fmt.Sprintf("%x %q", kind, payload))
				}
			}
		}
		sizes := rapid.SliceOfN(rapid.IntRange(1, 5000), 1, 5).Draw(t, "sizes")
		got, saw, err := strips(stream, 1<<20, sizes...)
		if err != nil || !bytes.Equal(got, want) || !slices.Equal(saw, controls) {
			t.Fatalf("%d bytes and controls %q, %v; want %d and %q", len(got), saw, err, len(want), controls)
		}
	})
}

// FuzzFrames: in one piece and byte by byte a stream is the same, and never more comes out than went in.
func FuzzFrames(f *testing.F) {
	f.Add(masked(0x82, []byte("\x10\x0c\x00\x04MQTT"), 0), uint16(100))
	f.Add(slices.Concat(masked(0x02, []byte("a"), 0), masked(0x89, []byte("ping"), 0), masked(0x80, []byte("b"), 0), masked(0x88, []byte{3, 232}, 0)), uint16(100))
	f.Add(masked(0x82, nil, 1<<63|1), uint16(9))
	f.Add([]byte{0x82, 0xfe, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8, 9}, uint16(9))
	f.Fuzz(func(t *testing.T, b []byte, most uint16) {
		whole, controls, err := strips(b, int64(most), 1<<30)
		crumbs, controls2, err2 := strips(b, int64(most), 1)
		if !bytes.Equal(whole, crumbs) || !slices.Equal(controls, controls2) || fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatalf("in one piece %q %q %v, byte by byte %q %q %v", whole, controls, err, crumbs, controls2, err2)
		}
		if len(whole) > len(b) {
			t.Fatalf("%d bytes of %d", len(whole), len(b))
		}
	})
}
