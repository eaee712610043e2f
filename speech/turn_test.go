package speech

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// clip is the sound of a file in testdata/audio.
func clip(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "audio", name))
	if err != nil {
		t.Fatal(err)
	}
	f, sound, err := ReadWAV(b)
	if err != nil || f != (Format{Rate, 1}) {
		t.Fatalf("%s is %v (%v)", name, f, err)
	}
	return sound
}

var clips = []string{"aishell-BAC009S0724W0121.wav", "librispeech-1995-1837-0001.wav", "zh-CN-00.wav", "en-00.wav"}

func silence(d time.Duration) []byte { return make([]byte, Format{Rate, 1}.Bytes(d)) }

// hiss is white noise of a level in dB below full scale; the same each time.
func hiss(db float64, d time.Duration) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	out := silence(d)
	for i := 0; i < len(out); i += 2 {
		binary.LittleEndian.PutUint16(out[i:], uint16(int16(max(-32768, min(32767, r.NormFloat64()*32768*math.Pow(10, db/20))))))
	}
	return out
}

// add lays b over a, from the beginning, amplified, and clips.
func add(a, b []byte, gain float64) []byte {
	out := append([]byte(nil), a...)
	for i := 0; i+1 < len(b) && i+1 < len(out); i += 2 {
		v := float64(int16(binary.LittleEndian.Uint16(a[i:]))) + gain*float64(int16(binary.LittleEndian.Uint16(b[i:])))
		binary.LittleEndian.PutUint16(out[i:], uint16(int16(max(-32768, min(32767, v)))))
	}
	return out
}

func cat(parts ...[]byte) (out []byte) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// play gives sound to a turn in pieces of 30 ms, and says how it ended and after how much sound.
func play(turn *Turn, sound []byte) (Moment, time.Duration) {
	const piece = Rate * 2 * 30 / 1000
	for at := 0; at < len(sound); at += piece {
		if m := turn.Write(sound[at:min(at+piece, len(sound))]); m.Over() {
			return m, time.Duration(at+piece) * time.Second / (2 * Rate)
		}
	}
	return turn.now, time.Duration(len(sound)) * time.Second / (2 * Rate)
}

// last is where a clip is loud for the last time: within 20 dB of its loudest 20 ms.
func last(sound []byte) time.Duration {
	var levels []float64
	top := 0.0
	for at := 0; at+640 <= len(sound); at += 640 {
		sum := 0.0
		for i := at; i < at+640; i += 2 {
			v := float64(int16(binary.LittleEndian.Uint16(sound[i:])))
			sum += v * v
		}
		levels = append(levels, sum)
		top = max(top, sum)
	}
	for i := len(levels) - 1; i >= 0; i-- {
		if levels[i] > top/100 {
			return time.Duration(i+1) * 20 * time.Millisecond
		}
	}
	return 0
}

// What people say is heard to its end, quiet or loud, in silence and in noise, and ends 600 ms later.
func TestTurnsEndAfterSpeech(t *testing.T) {
	for _, name := range clips {
		speech := clip(t, name)
		for _, tt := range []struct {
			name  string
			sound []byte
			slack time.Duration // noise hides the end of a word
			late  time.Duration // and amplified is taken for one, until it is known
		}{
			{"as it is", cat(silence(time.Second), speech, silence(2*time.Second)), 150 * time.Millisecond, 400 * time.Millisecond},
			{"at once", cat(speech, silence(2*time.Second)), 150 * time.Millisecond, 400 * time.Millisecond},
			{"quiet", add(silence(20*time.Second), cat(silence(time.Second), speech), 0.25), 300 * time.Millisecond, 400 * time.Millisecond},
			{"clipped", add(silence(20*time.Second), cat(silence(time.Second), speech), 20), 300 * time.Millisecond, time.Second},
			{"in a quiet room", add(hiss(-62, 20*time.Second), cat(silence(3*time.Second), speech), 1), 300 * time.Millisecond, 400 * time.Millisecond},
			{"in noise", add(hiss(-45, 20*time.Second), cat(silence(3*time.Second), speech), 1), 600 * time.Millisecond, 400 * time.Millisecond},
		} {
			lead := map[string]time.Duration{"at once": 0, "in a quiet room": 3 * time.Second, "in noise": 3 * time.Second}
			begins, ok := lead[tt.name]
			if !ok {
				begins = time.Second
			}
			turn := NewTurn(TurnConfig{})
			m, at := play(turn, tt.sound)
			want := begins + last(speech) + TurnSilence
			if m != Finished || at < want-tt.slack || at > want+tt.late {
				from, to := turn.Spoken()
				t.Errorf("%s, %s: %v after %v (spoken %v to %v), want finished after %v", name, tt.name, m, at, from, to, want)
			}
			if from, to := turn.Spoken(); m == Finished && (from < begins-100*time.Millisecond || to > begins+last(speech)+tt.late) {
				t.Errorf("%s, %s: spoken from %v to %v", name, tt.name, from, to)
			}
		}
	}
}

// A pause ends a turn sooner when what was said is a whole command.
func TestWholeCommandsEndSooner(t *testing.T) {
	sound := cat(clip(t, "zh-CN-00.wav"), silence(2*time.Second))
	_, late := play(NewTurn(TurnConfig{}), sound)
	asked := 0
	m, soon := play(NewTurn(TurnConfig{Whole: func() bool { asked++; return true }}), sound)
	if m != Finished || late-soon < 250*time.Millisecond || late-soon > 350*time.Millisecond {
		t.Errorf("%v after %v, else after %v", m, soon, late)
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	never := NewTurn(TurnConfig{Whole: func() bool { return false }})
	if m, at := play(never, sound); m != Finished || at != late {
		t.Errorf("an unfinished sentence: %v after %v, else after %v", m, at, late)
	}
	quiet := NewTurn(TurnConfig{Whole: func() bool { t.Error("asked of silence"); return true }})
	play(quiet, silence(5*time.Second))
}

func TestSilencesAreHeldWithinBounds(t *testing.T) {
	sound := cat(clip(t, "en-00.wav"), silence(2*time.Second))
	var ends []time.Duration
	for _, s := range []time.Duration{time.Millisecond, 500 * time.Millisecond, 700 * time.Millisecond, time.Hour} {
		_, at := play(NewTurn(TurnConfig{Silence: s}), sound)
		ends = append(ends, at)
	}
	if ends[0] != ends[1] || ends[2] != ends[3] || ends[2]-ends[1] < 150*time.Millisecond {
		t.Errorf("turns end after %v", ends)
	}
}

// Whatever is no speech ends the turn after ten seconds: silence, hiss and hum of any loudness, and what comes on in between.
func TestNobodySpeaks(t *testing.T) {
	hum := tone(Format{Rate, 1}, 50, 20000, 12*time.Second)
	clicks := silence(12 * time.Second)
	for at := 16000; at+64 < len(clicks); at += 32000 {
		for i := range 32 {
			binary.LittleEndian.PutUint16(clicks[at+2*i:], uint16(int16(30000-i*900)))
		}
	}
	for name, sound := range map[string][]byte{
		"silence": silence(12 * time.Second), "hiss at -60 dB": hiss(-60, 12*time.Second), "hiss at -40 dB": hiss(-40, 12*time.Second),
		"hiss at -20 dB": hiss(-20, 12*time.Second), "hiss at -6 dB": hiss(-6, 12*time.Second), "hum": hum, "clicks": clicks,
		"a fan that starts": cat(silence(3*time.Second), hiss(-35, 9*time.Second)), "full scale": add(silence(12*time.Second), hum, 1000),
		"a constant": add(silence(12*time.Second), cat(tone(Format{Rate, 1}, 0, 1, 12*time.Second)), 1),
	} {
		turn := NewTurn(TurnConfig{})
		m, at := play(turn, sound)
		if from, to := turn.Spoken(); m != Nobody || at > TurnPatience+60*time.Millisecond || from != 0 || to != 0 {
			t.Errorf("%s: %v after %v, spoken %v to %v", name, m, at, from, to)
		}
	}
}

// Ten minutes of noise are over after ten seconds, and speech without an end after thirty.
func TestNothingGoesOnForEver(t *testing.T) {
	speech := clip(t, "librispeech-1995-1837-0001.wav")
	speech = speech[Rate:] // without the silence before it
	var talk []byte
	for len(talk) < Rate*2*40 {
		talk = append(talk, speech[:Rate*2*5]...)
	}
	turn := NewTurn(TurnConfig{})
	if m, at := play(turn, talk); m != TooLong || at < TurnLongest || at > TurnLongest+time.Second {
		t.Errorf("%v after %v", m, at)
	}
	if m := turn.Write(silence(time.Second)); m != TooLong {
		t.Errorf("an ended turn is %v", m)
	}
}

func TestTurnsAllocateNothing(t *testing.T) {
	turn, sound := NewTurn(TurnConfig{}), silence(20*time.Millisecond)
	if n := testing.AllocsPerRun(100, func() { turn.Write(sound) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// How sound is cut into pieces makes no difference.
func FuzzTurn(f *testing.F) {
	f.Add([]byte{1, 2, 3}, 7)
	f.Add(hiss(-20, time.Second), 641)
	f.Fuzz(func(t *testing.T, sound []byte, piece int) {
		if piece <= 0 {
			return
		}
		whole, cut := NewTurn(TurnConfig{}), NewTurn(TurnConfig{})
		want, got := whole.Write(sound), Waiting
		for len(sound) > 0 {
			n := min(piece, len(sound))
			got = cut.Write(sound[:n])
			sound = sound[n:]
		}
		a, b := whole.Spoken()
		c, d := cut.Spoken()
		if got != want || a != c || b != d || a > b {
			t.Fatalf("%v %v-%v in one piece, %v %v-%v in pieces of %d", want, a, b, got, c, d, piece)
		}
	})
}
