package speech

import (
	"encoding/binary"
	"math"
	"time"
)

// How a turn ends, unless [TurnConfig] says otherwise.
const (
	TurnSilence  = 600 * time.Millisecond // after speech
	TurnWhole    = 300 * time.Millisecond // after speech whose text is a whole command already
	TurnPatience = 10 * time.Second       // while nothing is heard
	TurnLongest  = 30 * time.Second       // of speech
)

// TurnConfig says when somebody has finished. The zero value is ready to use.
type TurnConfig struct {
	Silence time.Duration // held between 500 and 700 ms; default 600
	// Whole is asked, once a pause has lasted 300 ms, whether what was said so far is a whole command; nil: never. It must
	// answer at once.
	Whole func() bool
}

// A Moment is where a turn is.
type Moment int

// The moments. A turn is over from Finished on.
const (
	Waiting  Moment = iota // nobody has spoken yet
	Speaking               // somebody speaks, or pauses
	Finished               // somebody spoke, and is silent
	Nobody                 // nobody spoke for TurnPatience
	TooLong                // somebody spoke for TurnLongest
)

// Over says whether the turn has ended.
func (m Moment) Over() bool { return m >= Finished }

func (m Moment) String() string {
	return [...]string{"waiting", "speaking", "finished", "nobody", "too long"}[m]
}

// The measures of voice activity. Levels are in dB below full scale.
const (
	turnFrame   = Rate / 50 // samples: 20 ms
	frameLength = 20 * time.Millisecond
	gate        = -55.0 // quieter is silence, whatever the noise
	beginning   = -45.0 // as loud may the noise be before it is known
	onset       = 9.0   // above the noise is speech, where it begins
	staying     = 6.0   // above the noise is speech, where it goes on
	confirming  = 3.0   // above the noise is speech, where the encoder of the stream says so
	onsetFrames = 3     // of the last five
	blockFrames = 13    // of the noise's memory: 260 ms each
	blocks      = 8
)

// A Turn finds out, from the loudness of the sound over the noise in it, when somebody begins to speak and when they have
// finished. The noise is the quietest of the last two seconds, so that a fan that starts is forgotten by then. It is for
// one turn, and its memory is small and fixed.
type Turn struct {
	c      TurnConfig
	frame  [turnFrame * 2]byte
	filled int
	last   [2]float64 // of the filter that takes out hum: what came and what went

	hinted bool // the encoder says that somebody speaks
	frames int  // so far
	recent uint8
	noise  noiseFloor

	now    Moment
	began  int     // frame of the onset
	voiced int     // frame that was speech last
	peak   float64 // since the onset
}

// NewTurn begins to listen.
func NewTurn(c TurnConfig) *Turn {
	if c.Silence == 0 {
		c.Silence = TurnSilence
	}
	c.Silence = min(max(c.Silence, 500*time.Millisecond), 700*time.Millisecond)
	return &Turn{c: c, noise: newNoiseFloor()}
}

// Write takes sound, 16 kHz mono, in pieces of any length, and says where the turn is. What follows the end is not heard.
func (t *Turn) Write(pcm []byte) Moment {
	for len(pcm) > 0 && !t.now.Over() {
		n := copy(t.frame[t.filled:], pcm)
		pcm = pcm[n:]
		if t.filled += n; t.filled == len(t.frame) {
			t.filled = 0
			t.hear(t.level())
		}
	}
	return t.now
}

// Hint tells what the encoder of a stream says of the sound that is written next: that somebody speaks. It may be wrong, and is
// believed only of sound that is louder than the noise.
func (t *Turn) Hint(voice bool) { t.hinted = voice }

// Spoken is from where to where in the sound somebody spoke, so far. Both are 0 when nobody did.
func (t *Turn) Spoken() (from, to time.Duration) {
	if t.now == Waiting || t.now == Nobody {
		return 0, 0
	}
	return time.Duration(t.began) * frameLength, time.Duration(t.voiced+1) * frameLength
}

// level is the loudness of the frame, without what lies below a voice.
func (t *Turn) level() float64 {
	sum := 0.0
	for i := 0; i < len(t.frame); i += 2 {
		in := float64(int16(binary.LittleEndian.Uint16(t.frame[i:]))) / 32768
		out := in - t.last[0] + 0.96*t.last[1] // passes from about 100 Hz on
		t.last = [2]float64{in, out}
		sum += out * out
	}
	return 10 * math.Log10(sum/turnFrame+1e-10)
}

// hear takes the level of the next frame.
func (t *Turn) hear(level float64) {
	floor := t.noise.add(level)
	over := onset
	if t.now == Speaking {
		over = staying
	}
	if t.hinted {
		over = confirming
	}
	speech := level > gate && level > floor+over
	t.recent <<= 1
	if speech {
		t.recent |= 1
	}
	switch {
	case t.now == Waiting && ones(t.recent&0x1f) >= onsetFrames:
		t.now, t.began, t.voiced, t.peak = Speaking, max(0, t.frames-4), t.frames, level
	case t.now == Speaking && speech:
		t.voiced, t.peak = t.frames, max(t.peak, level)
	}
	t.frames++
	t.end(floor)
}

// end looks whether the turn is over.
func (t *Turn) end(floor float64) {
	since := func(frame int) time.Duration { return time.Duration(t.frames-frame) * frameLength }
	if t.now == Speaking {
		silence := since(t.voiced + 1)
		switch {
		case t.peak < floor+onset: // the noise has turned out to be as loud: nobody spoke
			t.now, t.recent = Waiting, 0
		case silence >= t.c.Silence, silence >= TurnWhole && t.c.Whole != nil && t.c.Whole():
			t.now = Finished
		case since(t.began) >= TurnLongest:
			t.now = TooLong
		}
	}
	if t.now == Waiting && since(0) >= TurnPatience {
		t.now = Nobody
	}
}

func ones(b uint8) (n int) {
	for ; b != 0; b &= b - 1 {
		n++
	}
	return n
}

// noiseFloor is the quietest level of the last two seconds, in blocks.
type noiseFloor struct {
	least [blocks]float64
	at    int // block that is filled
	count int // frames in it
}

func newNoiseFloor() (n noiseFloor) {
	for i := range n.least {
		n.least[i] = beginning
	}
	n.least[0] = math.Inf(1)
	return n
}

func (n *noiseFloor) add(level float64) float64 {
	if n.count == blockFrames {
		n.at, n.count = (n.at+1)%blocks, 0
		n.least[n.at] = math.Inf(1)
	}
	n.count++
	n.least[n.at] = min(n.least[n.at], level)
	floor := n.least[0]
	for _, l := range n.least[1:] {
		floor = min(floor, l)
	}
	return max(floor, gate-onset)
}
