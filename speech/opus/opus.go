// Package opus turns packets of Opus (RFC 6716) into sound that recognisers take.
//
// It owns nothing, and promises:
//   - what comes out is 16 kHz mono, signed 16 bit, little endian, whatever the packets carry;
//   - a packet is 1,275 bytes and 120 ms at most; one that lies about its length is refused, and leaves the stream as it was;
//   - a packet without sound (DTX) is as much silence as it stands for.
//
// The decoder is github.com/pion/opus.
package opus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	pion "github.com/pion/opus"
)

// Limits of a packet: RFC 6716, section 3.
const (
	MaxPacket = 1275 * 6 // bytes; six frames of 20 ms
	MaxLength = 120 * time.Millisecond
)

const (
	rate       = 16_000
	maxSamples = int(rate * MaxLength / time.Second)
)

// ErrPacket says that bytes are no packet of Opus.
var ErrPacket = errors.New("no packet of Opus")

// A Decoder is for one stream. It holds about 60 kB.
type Decoder struct {
	d       pion.Decoder
	samples [maxSamples]int16
}

// NewDecoder begins a stream.
func NewDecoder() (*Decoder, error) {
	d := &Decoder{}
	if err := d.d.Init(rate, 1); err != nil {
		return nil, fmt.Errorf("preparing a decoder of Opus: %w", err)
	}
	return d, nil
}

// Append decodes a packet and adds its sound to dst. Voice is what the encoder says of it, where it says anything: that
// somebody speaks.
func (d *Decoder) Append(dst, packet []byte) (sound []byte, voice bool, err error) {
	p, err := parse(packet)
	if err != nil {
		return dst, false, err
	}
	if len(packet) == 1 { // DTX
		return append(dst, make([]byte, 2*samplesOf(p.length))...), false, nil
	}
	n, err := d.d.DecodeToInt16(packet, d.samples[:])
	if err != nil || n > maxSamples {
		return dst, false, fmt.Errorf("%w: %w", ErrPacket, err)
	}
	for _, s := range d.samples[:n] {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(s)) //nolint:gosec // the same bits
	}
	return dst, p.voiced(packet), nil
}

func samplesOf(length time.Duration) int { return int(rate * length / time.Second) }

// A head is what the first bytes of a packet say (RFC 6716, section 3.1).
type head struct {
	config int // 0–31
	frame  time.Duration
	stereo bool
	code   byte // how many frames there are
	length time.Duration
}

// parse holds a packet against the limits that its head announces.
func parse(packet []byte) (h head, err error) {
	if len(packet) == 0 || len(packet) > MaxPacket {
		return h, fmt.Errorf("%w: %d bytes, want 1 to %d", ErrPacket, len(packet), MaxPacket)
	}
	toc := packet[0]
	h = head{config: int(toc >> 3), stereo: toc&4 != 0, code: toc & 3}
	h.frame = frameOf(h.config)
	frames := 1
	switch h.code {
	case 1:
		if frames = 2; len(packet)%2 == 0 {
			return h, fmt.Errorf("%w: two frames of one length in %d bytes", ErrPacket, len(packet)-1)
		}
	case 2:
		frames = 2
	case 3:
		if len(packet) < 2 {
			return h, fmt.Errorf("%w: it does not say how many frames it has", ErrPacket)
		}
		frames = int(packet[1] & 0x3f)
	}
	h.length = time.Duration(frames) * h.frame
	if frames == 0 || h.length > MaxLength {
		return h, fmt.Errorf("%w: %d frames of %s", ErrPacket, frames, h.frame)
	}
	return h, nil
}

// frameOf is how long a frame of a configuration is (table 2).
func frameOf(config int) time.Duration {
	const ms = time.Millisecond
	switch {
	case config < 12: // SILK
		return [...]time.Duration{10 * ms, 20 * ms, 40 * ms, 60 * ms}[config%4]
	case config < 16: // both
		return [...]time.Duration{10 * ms, 20 * ms}[config%2]
	}
	return [...]time.Duration{2500 * time.Microsecond, 5 * ms, 10 * ms, 20 * ms}[config%4]
}

// voiced reads the encoder's own decision, one bit for each 20 ms, which stands in the clear in a mono packet of one frame of
// SILK (RFC 6716, section 4.2.3). Others do not tell.
func (h head) voiced(packet []byte) bool {
	if h.config >= 12 || h.code != 0 || h.stereo || len(packet) < 2 {
		return false
	}
	flags := max(1, int(h.frame/(20*time.Millisecond)))
	return packet[1]>>(8-flags) != 0
}
