package speech

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"
	"time"
)

// tone is a sine, the same in each channel.
func tone(f Format, hertz, loud float64, d time.Duration) []byte {
	var out []byte
	for i := range f.Bytes(d) / f.frame() {
		v := uint16(int16(loud * math.Sin(2*math.Pi*hertz*float64(i)/float64(f.Rate))))
		for range f.Channels {
			out = binary.LittleEndian.AppendUint16(out, v)
		}
	}
	return out
}

// loudness is the root of the mean square, in the middle of the sound.
func loudness(pcm []byte) float64 {
	n, sum := len(pcm)/2, 0.0
	for i := n / 4; i < n*3/4; i++ {
		v := float64(int16(binary.LittleEndian.Uint16(pcm[2*i:])))
		sum += v * v
	}
	return math.Sqrt(sum / float64(n/2))
}

func convert(t *testing.T, f Format, in []byte, piece int) []byte {
	t.Helper()
	c, err := NewConverter(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for len(in) > 0 {
		n := min(piece, len(in))
		out = c.Append(out, in[:n])
		in = in[n:]
	}
	return c.End(out)
}

// A voice's tones keep their loudness and the sound its length, whatever the format and however it is cut.
func TestConverterKeepsWhatIsHeard(t *testing.T) {
	for _, rate := range []int{8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 12345} {
		for channels := 1; channels <= 2; channels++ {
			f := Format{rate, channels}
			for _, hertz := range []float64{100, 1000, 3000} {
				in := tone(f, hertz, 10000, 500*time.Millisecond)
				out := convert(t, f, in, 1<<20)
				if got, want := len(out)/2, 8000; got < want-2 || got > want {
					t.Errorf("%v: half a second became %d samples", f, got)
				}
				if db := 20 * math.Log10(loudness(out)/(10000/math.Sqrt2)); math.Abs(db) > 0.2 {
					t.Errorf("%v: %v Hz came out %.2f dB off", f, hertz, db)
				}
				if cut := convert(t, f, in, 7); !bytes.Equal(cut, out) {
					t.Errorf("%v: in pieces of 7 bytes the sound is another", f)
				}
			}
		}
	}
}

// What 16 kHz cannot hold must not come back as another tone.
func TestConverterTakesOutWhatDoesNotFit(t *testing.T) {
	for _, rate := range []int{22050, 44100, 48000} {
		for _, hertz := range []float64{8800, 10000, 11000} {
			out := convert(t, Format{rate, 1}, tone(Format{rate, 1}, hertz, 20000, 500*time.Millisecond), 4096)
			if db := 20 * math.Log10((loudness(out)+1e-9)/(20000/math.Sqrt2)); db > -55 {
				t.Errorf("%d: %v Hz is left at %.1f dB", rate, hertz, db)
			}
		}
	}
}

func TestConverterClips(t *testing.T) {
	f := Format{8000, 1}
	in := make([]byte, 0, 3200)
	for i := range 1600 {
		v := int16(math.MaxInt16)
		if i/20%2 == 1 {
			v = math.MinInt16
		}
		in = binary.LittleEndian.AppendUint16(in, uint16(v))
	}
	out := convert(t, f, in, 100)
	top := 0
	for i := 0; i < len(out); i += 2 {
		if v := int16(binary.LittleEndian.Uint16(out[i:])); v == math.MaxInt16 || v == math.MinInt16 {
			top++
		}
	}
	if top < 100 {
		t.Errorf("a clipped square wave reaches the ends %d times: it wrapped round", top)
	}
}

func TestConverterMemoryStaysSmall(t *testing.T) {
	c, err := NewConverter(Format{44100, 2})
	if err != nil {
		t.Fatal(err)
	}
	c.Append(nil, make([]byte, 10<<20))
	if cap(c.in) > 8192 {
		t.Errorf("after 10 MB of sound it holds %d samples", cap(c.in))
	}
}

func TestFormatsAreChecked(t *testing.T) {
	for _, tt := range []struct {
		f    Format
		want string
	}{
		{Format{7999, 1}, "rate is 7999, want 8,000 to 48,000 samples a second: record at 16,000"},
		{Format{48001, 1}, "rate is 48001, want 8,000 to 48,000 samples a second: record at 16,000"},
		{Format{16000, 0}, "channels is 0, want 1 or 2: record in mono"},
		{Format{16000, 3}, "channels is 3, want 1 or 2: record in mono"},
		{Format{-1, -1}, "rate is -1, want 8,000 to 48,000 samples a second: record at 16,000"},
		{Format{8000, 1}, ""},
		{Format{48000, 2}, ""},
	} {
		got := ""
		if _, err := NewConverter(tt.f); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%v: %q, want %q", tt.f, got, tt.want)
		}
	}
}

func TestIntakeHoldsAHearingToItsLength(t *testing.T) {
	in, err := NewIntake(Format{})
	if err != nil {
		t.Fatal(err)
	}
	whole := Format{Rate, 1}.Bytes(MaxHearing)
	if out, err := in.Append(nil, make([]byte, whole)); err != nil || len(out) != whole {
		t.Errorf("%d bytes became %d (%v)", whole, len(out), err)
	}
	var bad *SoundError
	if _, err := in.Append(nil, make([]byte, 2)); !errors.As(err, &bad) || bad.Where != "sound" {
		t.Errorf("more than %v of sound: %v", MaxHearing, err)
	}
}

// Any bytes in any pieces make sound of the right length, and the same as in one piece.
func FuzzConverter(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, 44100, 2, 3)
	f.Add(make([]byte, 4000), 8000, 1, 999)
	f.Fuzz(func(t *testing.T, in []byte, rate, channels, piece int) {
		format := Format{rate, channels}
		if format.Check() != nil || piece <= 0 || len(in) > 1<<12 {
			return
		}
		out := convert(t, format, in, piece)
		frames := int64(len(in) / format.frame())
		if want := (frames*Rate + int64(rate) - 1) / int64(rate); int64(len(out)/2) != want {
			t.Fatalf("%d frames of %v became %d samples, want %d", frames, format, len(out)/2, want)
		}
		if whole := convert(t, format, in, 1<<20); !bytes.Equal(whole, out) {
			t.Fatalf("%v in pieces of %d is another sound", format, piece)
		}
	})
}
