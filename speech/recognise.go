package speech

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	Rate       = 16_000           // samples a second of the sound that engines get; mono, 16 bit
	MaxHearing = 60 * time.Second // of sound in one hearing
	MaxHeard   = 4 << 10          // bytes of a text that is believed to have been said
)

// A Recognizer (语音识别) writes down what is said. Implementations are safe for concurrent use.
type Recognizer interface {
	// Listen begins a hearing, which ends with ctx at the latest. Errors are those of [Hearing].
	Listen(ctx context.Context, ask Ask) (Hearing, error)
}

// Ask is what a recogniser is told before it hears anything.
type Ask struct {
	Lang    string   // "zh-CN", "en", or empty: the engine finds out
	Format  Format   // of what will be written; the zero value is 16 kHz mono
	Words   []string // names that are likely to be said: a hint that engines may pass over
	Partial func(text string)
	// Partial, if there is one, is told what has been understood so far; one call at a time, and none after Finish or Close
	// has returned. It must not block. What it is told is a guess: the result may be another.
}

// A Hearing takes sound and answers with text. Its calls come one after the other; Close may come at any time.
//
// Besides the context's, its errors are [ErrUnavailable], [ErrSilent], [ErrGarbled], [ErrFailed] and [*SoundError]. None
// holds what was said.
type Hearing interface {
	// Write takes PCM, signed 16 bit little endian, in pieces of any length.
	Write(pcm []byte) (int, error)
	// Finish says that this was all, and waits for the text. Nothing of the hearing runs when it returns.
	Finish() (Heard, error)
	// Close gives it up, and frees what it held. After Finish it does nothing.
	Close() error
}

// Heard is what was said. An empty text is silence, or noise.
type Heard struct {
	Text   string
	Lang   string   // as the engine names it, or empty
	Others []string // other readings, the likeliest first; empty where the engine tells none
}

// What goes wrong with an engine beside this program. The errors that wrap these say which engine.
var (
	ErrSilent  = errors.New("it did not answer in time")
	ErrGarbled = errors.New("its answer makes no sense")
	ErrFailed  = errors.New("it failed")
)

// A Format is how PCM of signed 16 bit, little endian, is to be read.
type Format struct {
	Rate     int // samples a second, 8,000 to 48,000
	Channels int // 1 or 2
}

// A SoundError is sound that cannot be taken.
type SoundError struct {
	Where string // "rate", "channels" or "sound"
	Got   string
	Rule  string
	Fix   string
}

func (e *SoundError) Error() string {
	return e.Where + " is " + e.Got + ", want " + e.Rule + ": " + e.Fix
}

// Check refuses what no converter takes.
func (f Format) Check() error {
	switch {
	case f.Rate < 8_000 || f.Rate > 48_000:
		return &SoundError{Where: "rate", Got: fmt.Sprint(f.Rate), Rule: "8,000 to 48,000 samples a second", Fix: "record at 16,000"}
	case f.Channels != 1 && f.Channels != 2:
		return &SoundError{Where: "channels", Got: fmt.Sprint(f.Channels), Rule: "1 or 2", Fix: "record in mono"}
	}
	return nil
}

// frame is the bytes of one sample of every channel.
func (f Format) frame() int { return 2 * f.Channels }

// Bytes is how much sound of this length takes.
func (f Format) Bytes(d time.Duration) int {
	return int(int64(d)*int64(f.Rate)/int64(time.Second)) * f.frame()
}

// WAV makes a file of sound, with true lengths.
func (f Format) WAV(sound []byte) []byte {
	return pcm{channels: uint16(f.Channels), bits: 16, rate: uint32(f.Rate), data: sound}.wav()
}

// ReadWAV reads a WAV file of 16 bit PCM. The bytes it returns are those of b.
func ReadWAV(b []byte) (Format, []byte, error) {
	p, err := parseWAV(b)
	if err != nil {
		return Format{}, nil, err
	}
	f := Format{Rate: int(p.rate), Channels: int(p.channels)}
	return f, p.data, f.Check()
}

// An Intake holds a hearing to its length and turns its sound into what engines get. Recognisers share it.
type Intake struct {
	convert *Converter
	left    int // bytes that may still come
}

// NewIntake begins with sound of a format; the zero Format is 16 kHz mono.
func NewIntake(f Format) (*Intake, error) {
	if f == (Format{}) {
		f = Format{Rate: Rate, Channels: 1}
	}
	c, err := NewConverter(f)
	if err != nil {
		return nil, err
	}
	return &Intake{convert: c, left: f.Bytes(MaxHearing)}, nil
}

// Append takes pcm and adds what it makes to dst: 16 kHz mono.
func (i *Intake) Append(dst, pcm []byte) ([]byte, error) {
	if len(pcm) > i.left {
		return dst, &SoundError{
			Where: "sound", Got: "longer than that", Rule: fmt.Sprintf("at most %d s", int(MaxHearing.Seconds())), Fix: "end the hearing when nobody speaks",
		}
	}
	i.left -= len(pcm)
	return i.convert.Append(dst, pcm), nil
}

// End adds what was held back.
func (i *Intake) End(dst []byte) []byte { return i.convert.End(dst) }
