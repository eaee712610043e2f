package wyoming

import (
	"context"
	"fmt"
	"time"

	"lampworks/speech"
)

const maxSound = 16 << 20 // bytes of one text

// A Voice is a Wyoming server that speaks (tts).
type Voice struct{ choice }

// NewVoice connects to nothing; the server may be started later.
func NewVoice(c Config) *Voice { return newVoice(c, patience()) }

func newVoice(c Config, w waits) *Voice {
	return &Voice{choice{server: server{c.Address, "the voice", w}, kind: "tts", name: c.Model}}
}

// Speak implements [speech.Synthesizer]. Besides the errors named there it returns those of [speech.Hearing].
func (v *Voice) Speak(ctx context.Context, text, lang string) ([]byte, error) {
	if err := speech.CheckText(text, lang); err != nil {
		return nil, err
	}
	name, err := v.of(ctx, lang)
	if err != nil {
		return nil, err
	}
	l, err := v.open(ctx)
	if err != nil {
		return nil, err
	}
	defer l.close()
	type voice struct {
		Name     string `json:"name"`
		Language string `json:"language,omitempty"`
	}
	if err := l.send(Synthesize, struct {
		Text  string `json:"text"`
		Voice voice  `json:"voice"`
	}{speech.Aloud(text, lang), voice{Name: name}}, nil); err != nil {
		return nil, err
	}
	return l.spoken()
}

// spoken reads one group of sound.
func (l *link) spoken() ([]byte, error) {
	var format soundFormat // zero before the sound begins
	var sound []byte
	end := time.Now().Add(l.waits.spoken)
	by := earlier(time.Now().Add(l.waits.sound), end)
	for range maxEvents {
		e, err := l.next(by)
		if err != nil {
			return nil, err
		}
		switch e.Type {
		case AudioStart:
			if format, err = l.format(e, format); err != nil {
				return nil, err
			}
		case AudioChunk:
			if err := l.chunk(e, format, len(sound)); err != nil {
				return nil, err
			}
			sound = append(sound, e.Payload...)
			by = earlier(time.Now().Add(l.waits.sound), end)
		case AudioStop:
			return l.wav(format, sound)
		}
	}
	return nil, l.garbled("event upon event without an end")
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// format reads how the sound is to be read. A second beginning is refused.
func (l *link) format(e Event, before soundFormat) (soundFormat, error) {
	if before != (soundFormat{}) {
		return before, l.garbled("the sound begins twice")
	}
	f, err := formatOf(e)
	if err != nil {
		return f, l.why(err)
	}
	if f.Width != 2 || (speech.Format{Rate: f.Rate, Channels: f.Channels}).Check() != nil {
		return f, l.garbled(fmt.Sprintf("sound of %d Hz, %d channels, %d bytes a sample", f.Rate, f.Channels, f.Width))
	}
	return f, nil
}

func formatOf(e Event) (f soundFormat, err error) {
	for name, into := range map[string]*int{"rate": &f.Rate, "width": &f.Width, "channels": &f.Channels} {
		if *into, err = e.Data.number(name); err != nil {
			return f, err
		}
	}
	return f, nil
}

// chunk refuses sound that does not fit what came before it.
func (l *link) chunk(e Event, format soundFormat, held int) error {
	own, err := formatOf(e)
	switch {
	case err != nil:
		return l.why(err)
	case format == (soundFormat{}):
		return l.garbled("sound before its beginning")
	case own != (soundFormat{}) && own != format:
		return l.garbled("the sound changes its format")
	case held+len(e.Payload) > maxSound:
		return l.garbled(fmt.Sprintf("more than %d bytes of sound", maxSound))
	}
	return nil
}

func (l *link) wav(f soundFormat, sound []byte) ([]byte, error) {
	switch {
	case len(sound) == 0:
		return nil, l.garbled("no sound")
	case len(sound)%(f.Width*f.Channels) != 0:
		return nil, l.garbled("the sound ends within a sample")
	}
	return speech.Format{Rate: f.Rate, Channels: f.Channels}.WAV(sound), nil
}
