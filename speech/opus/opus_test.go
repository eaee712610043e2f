package opus

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"os"
	"testing"
	"time"
)

type vectors struct {
	Decode []struct {
		Packets []string `json:"packets"`
		PCM     string   `json:"pcm_s16le_base64"`
		SNR     float64  `json:"min_snr_db"`
	} `json:"opus_decode"`
	Refuse []struct{ Packet, Why string } `json:"opus_refuse"`
}

func read(t testing.TB) (v vectors) {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func bytesOf(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestVectors: what comes out is what the reference decodes, but for its delay of some samples.
func TestVectors(t *testing.T) {
	for i, v := range read(t).Decode {
		d, err := NewDecoder()
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		spoken := 0
		for _, p := range v.Packets {
			var voice bool
			if got, voice, err = d.Append(got, bytesOf(t, p)); err != nil {
				t.Fatal(err)
			}
			if voice {
				spoken++
			}
		}
		want, err := base64.StdEncoding.DecodeString(v.PCM)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Fatalf("stream %d: %d bytes of sound, want %d", i, len(got), len(want))
		}
		if snr := bestSNR(samples(got), samples(want)); snr < v.SNR {
			t.Errorf("stream %d: %.1f dB, want %.0f", i, snr, v.SNR)
		}
		if bytesOf(t, v.Packets[0])[0]>>3 < 12 && spoken == 0 { // a hybrid stream does not tell
			t.Errorf("stream %d: nobody speaks in it", i)
		}
	}
}

func samples(pcm []byte) (out []float64) {
	for ; len(pcm) > 1; pcm = pcm[2:] {
		out = append(out, float64(int16(binary.LittleEndian.Uint16(pcm))))
	}
	return out
}

// bestSNR compares after aligning within 40 samples.
func bestSNR(got, want []float64) float64 {
	best := math.Inf(-1)
	for shift := -40; shift <= 40; shift++ {
		signal, noise := 0.0, 1e-9
		for i, w := range want {
			if j := i + shift; j >= 0 && j < len(got) {
				signal += w * w
				noise += (w - got[j]) * (w - got[j])
			}
		}
		best = max(best, 10*math.Log10(signal/noise))
	}
	return best
}

// TestRefused: packets that lie, and the stream goes on behind them.
func TestRefused(t *testing.T) {
	v := read(t)
	d, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range append(v.Refuse, struct{ Packet, Why string }{"5b", "no number of frames"}) {
		if sound, _, err := d.Append(nil, bytesOf(t, r.Packet)); !errors.Is(err, ErrPacket) || len(sound) != 0 {
			t.Errorf("%s: %d bytes, %v", r.Why, len(sound), err)
		}
	}
	if _, _, err := d.Append(nil, make([]byte, MaxPacket+1)); !errors.Is(err, ErrPacket) {
		t.Errorf("too long: %v", err)
	}
	for length, packet := range map[time.Duration][]byte{60 * time.Millisecond: {0x58}, 20 * time.Millisecond: {0xf8}, 10 * time.Millisecond: {0x60}} {
		sound, voice, err := d.Append(nil, packet)
		if err != nil || voice || len(sound) != 2*samplesOf(length) {
			t.Errorf("DTX of %s: %d bytes, %v", length, len(sound), err)
		}
	}
	if _, _, err := d.Append(nil, bytesOf(t, v.Decode[0].Packets[0])); err != nil {
		t.Errorf("behind them: %v", err)
	}
}

// FuzzDecoder: no packet panics, or gives more than it may.
func FuzzDecoder(f *testing.F) {
	v := read(f)
	for _, stream := range v.Decode {
		f.Add(bytesOf(f, stream.Packets[0]), bytesOf(f, stream.Packets[1]))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		d, err := NewDecoder()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range [][]byte{first, second} {
			if sound, _, err := d.Append(nil, p); len(sound) > 2*maxSamples || err != nil && len(sound) > 0 {
				t.Fatalf("%d bytes of sound, %v", len(sound), err)
			}
		}
	})
}
