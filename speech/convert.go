package speech

import (
	"encoding/binary"
	"math"
)

// The filter that parts the sound of two rates. With these numbers what lies above the lower rate's half is at least 60 dB
// down, and what people's voices need passes unchanged.
const (
	crossings = 24  // of zero on each side, at the lower of both rates
	phases    = 128 // positions between two samples; those between them are interpolated
	passed    = 0.9 // of half the lower rate
)

// A Converter turns PCM of one format into 16 kHz mono, as it comes. Its memory does not grow. It is for one stream.
type Converter struct {
	from  Format
	rest  []byte // the beginning of a frame
	half  int    // samples that the filter looks ahead and back
	taps  [][]float64
	in    []float64 // samples, beginning with that of index first
	first int64
	seen  int64 // samples that came
	made  int64 // samples that went
}

// NewConverter returns one for a format that [Format.Check] takes.
func NewConverter(from Format) (*Converter, error) {
	if err := from.Check(); err != nil {
		return nil, err
	}
	c := &Converter{from: from}
	if from.Rate == Rate {
		return c, nil
	}
	down := math.Max(1, float64(from.Rate)/Rate)
	c.half = int(math.Ceil(crossings * down))
	c.taps = make([][]float64, phases+1)
	for p := range c.taps {
		c.taps[p] = kernel(c.half, passed/down, float64(p)/phases)
	}
	c.in, c.first = make([]float64, c.half), -int64(c.half) // silence before the beginning
	return c, nil
}

// kernel is a sinc of that width under Blackman's window, seen from a place between two samples. It keeps what is constant.
func kernel(half int, width, at float64) []float64 {
	taps := make([]float64, 2*half)
	sum := 0.0
	for i := range taps {
		x := float64(i-half+1) - at
		v := width
		if x != 0 {
			v = math.Sin(math.Pi*width*x) / (math.Pi * x)
		}
		if w := x / float64(half); math.Abs(w) < 1 {
			v *= 0.42 + 0.5*math.Cos(math.Pi*w) + 0.08*math.Cos(2*math.Pi*w)
		} else {
			v = 0
		}
		taps[i] = v
		sum += v
	}
	for i := range taps {
		taps[i] /= sum
	}
	return taps
}

// Append takes the next bytes and adds what is ready to dst. A frame may be cut between two calls.
func (c *Converter) Append(dst, pcm []byte) []byte {
	frame := c.from.frame()
	if len(c.rest) > 0 {
		n := min(frame-len(c.rest), len(pcm))
		c.rest = append(c.rest, pcm[:n]...)
		pcm = pcm[n:]
		if len(c.rest) < frame {
			return dst
		}
		dst = c.take(dst, c.rest)
		c.rest = c.rest[:0]
	}
	for whole := len(pcm) / frame * frame; whole > 0; {
		n := min(whole, 1024*frame) // so that in stays short
		dst = c.take(dst, pcm[:n])
		pcm, whole = pcm[n:], whole-n
	}
	c.rest = append(c.rest, pcm...)
	return dst
}

// End adds what the filter held back. What is left of a cut frame is dropped.
func (c *Converter) End(dst []byte) []byte {
	if c.taps == nil {
		return dst
	}
	all := (c.seen*Rate + int64(c.from.Rate) - 1) / int64(c.from.Rate)
	c.in = append(c.in, make([]float64, 2*c.half)...)
	return c.emit(dst, all)
}

// take converts whole frames.
func (c *Converter) take(dst, pcm []byte) []byte {
	frame := c.from.frame()
	for i := 0; i+frame <= len(pcm); i += frame {
		v := float64(int16(binary.LittleEndian.Uint16(pcm[i:])))
		if c.from.Channels == 2 {
			v = (v + float64(int16(binary.LittleEndian.Uint16(pcm[i+2:])))) / 2
		}
		if c.taps == nil {
			dst = sample(dst, v)
			continue
		}
		c.in = append(c.in, v)
		c.seen++
	}
	if c.taps == nil {
		return dst
	}
	return c.emit(dst, math.MaxInt64)
}

// emit makes samples as long as the filter has what it looks at, and below the count most.
func (c *Converter) emit(dst []byte, most int64) []byte {
	var at int64
	for ; ; c.made++ {
		place := c.made * int64(c.from.Rate)
		at = place / Rate
		if c.made >= most || at+int64(c.half) >= c.first+int64(len(c.in)) {
			break
		}
		between := float64(place%Rate) / Rate * phases
		p := int(between)
		near, next, weight := c.taps[p], c.taps[p+1], between-float64(p)
		sum := 0.0
		for i, v := range c.in[at-int64(c.half)+1-c.first:][:2*c.half] {
			sum += v * (near[i] + (next[i]-near[i])*weight)
		}
		dst = sample(dst, sum)
	}
	if drop := at - int64(c.half) + 1 - c.first; drop > 0 {
		drop = min(drop, int64(len(c.in)))
		c.in = append(c.in[:0], c.in[drop:]...)
		c.first += drop
	}
	return dst
}

// sample adds one value, held within 16 bits.
func sample(dst []byte, v float64) []byte {
	v = math.Max(math.MinInt16, math.Min(math.MaxInt16, math.Round(v)))
	return binary.LittleEndian.AppendUint16(dst, uint16(int16(v)))
}
