package speech

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// pcm is sound as it stands in the data chunk of a WAV file.
type pcm struct {
	channels, bits uint16
	rate           uint32 // samples a second
	data           []byte
}

var errWAV = errors.New("not a WAV file of 16 bit PCM")

// parseWAV reads a WAV file of 16 bit PCM. Announced lengths are not trusted:
// a program that writes to a pipe cannot know them, so a data chunk may claim
// more than there is and then ends with the file.
func parseWAV(b []byte) (pcm, error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return pcm{}, errWAV
	}
	var p pcm
	for rest := b[12:]; len(rest) >= 8; {
		id, size, body := string(rest[:4]), uint64(binary.LittleEndian.Uint32(rest[4:8])), rest[8:]
		body = body[:min(size, uint64(len(body)))]
		switch id {
		case "fmt ":
			if len(body) < 16 || binary.LittleEndian.Uint16(body) != 1 {
				return pcm{}, errWAV
			}
			p.channels = binary.LittleEndian.Uint16(body[2:])
			p.rate = binary.LittleEndian.Uint32(body[4:])
			p.bits = binary.LittleEndian.Uint16(body[14:])
		case "data":
			if p.bits != 16 || p.channels == 0 || p.rate == 0 {
				return pcm{}, errWAV
			}
			frame := 2 * int(p.channels)
			p.data = body[:len(body)/frame*frame]
			return p, nil
		}
		next := 8 + size + size%2 // chunks are padded to even lengths
		if next > uint64(len(rest)) {
			break
		}
		rest = rest[next:]
	}
	return pcm{}, errWAV
}

// join puts sounds of one format one after the other.
func join(parts []pcm) (pcm, error) {
	all := parts[0]
	if len(parts) == 1 {
		return all, nil
	}
	all.data = nil
	for _, p := range parts {
		if p.channels != all.channels || p.bits != all.bits || p.rate != all.rate {
			return pcm{}, fmt.Errorf("joining %d Hz to %d Hz: formats differ", p.rate, all.rate)
		}
		all.data = append(all.data, p.data...)
	}
	return all, nil
}

// wav writes p as a WAV file with true lengths.
func (p pcm) wav() []byte {
	le := binary.LittleEndian
	frame := p.channels * p.bits / 8
	b := make([]byte, 0, 44+len(p.data))
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, uint32(36+len(p.data))) // bounded by maxSound
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint16(b, p.channels)
	b = le.AppendUint32(b, p.rate)
	b = le.AppendUint32(b, p.rate*uint32(frame))
	b = le.AppendUint16(b, frame)
	b = le.AppendUint16(b, p.bits)
	b = append(b, "data"...)
	b = le.AppendUint32(b, uint32(len(p.data))) // bounded by maxSound
	return append(b, p.data...)
}
