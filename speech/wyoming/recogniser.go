package wyoming

import (
	"context"
	"time"

	"lampworks/speech"
)

// Config says which server is asked.
type Config struct {
	Address string // host:port
	Model   string // of a recogniser, or the voice; empty: the first installed one that has the language
}

// A Recogniser is a Wyoming server that writes down what it hears (asr). It has no place for the words that are likely.
type Recogniser struct{ choice }

// NewRecogniser connects to nothing; the server may be started later.
func NewRecogniser(c Config) *Recogniser {
	return newRecogniser(c, patience())
}

func newRecogniser(c Config, w waits) *Recogniser {
	return &Recogniser{choice{server: server{c.Address, "the recogniser", w}, kind: "asr", name: c.Model}}
}

const (
	piece      = 2048 * 2        // bytes of sound in one event
	maxEvents  = 10_000          // of one answer
	hearingEnd = 2 * time.Minute // the longest a hearing stays open, however slowly sound comes
	lastWords  = time.Second     // for the reason why a server broke off while it was written to
)

type soundFormat struct {
	Rate     int `json:"rate"`
	Width    int `json:"width"`
	Channels int `json:"channels"`
}

var mono16 = soundFormat{Rate: speech.Rate, Width: 2, Channels: 1}

// Listen implements [speech.Recognizer]. Partial texts come from servers that stream them.
func (r *Recogniser) Listen(ctx context.Context, ask speech.Ask) (speech.Hearing, error) {
	intake, err := speech.NewIntake(ask.Format)
	if err != nil {
		return nil, err
	}
	name, err := r.of(ctx, ask.Lang)
	if err != nil {
		return nil, err
	}
	l, err := r.open(ctx)
	if err != nil {
		return nil, err
	}
	err = l.send(Transcribe, struct {
		Name     string `json:"name,omitempty"`
		Language string `json:"language,omitempty"`
	}{name, language(ask.Lang)}, nil)
	if err == nil {
		err = l.send(AudioStart, mono16, nil)
	}
	if err == nil {
		err = l.SetReadDeadline(time.Now().Add(hearingEnd))
	}
	if err != nil {
		l.close()
		return nil, err
	}
	h := &hearing{l: l, intake: intake, partial: ask.Partial, over: make(chan struct{})}
	go h.hear()
	return h, nil
}

// language is how servers call it: Whisper and its kin know no countries.
func language(lang string) string {
	if lang == "" {
		return ""
	}
	return tongue(lang)
}

// hearing is one request. hear runs beside it and ends with the link.
type hearing struct {
	l       *link
	intake  *speech.Intake
	partial func(string)
	sound   []byte // converted, not sent
	any     bool   // something was sent

	over  chan struct{} // closed when hear has ended; then the rest stands
	heard speech.Heard
	err   error
}

// Write implements [speech.Hearing].
func (h *hearing) Write(pcm []byte) (int, error) {
	select {
	case <-h.over: // a server that found the end by itself wants no more
		return len(pcm), h.err
	default:
	}
	var err error
	if h.sound, err = h.intake.Append(h.sound, pcm); err != nil {
		return 0, err
	}
	for len(h.sound) >= piece {
		if err := h.send(piece); err != nil {
			return 0, err
		}
	}
	return len(pcm), nil
}

// send sends the first n bytes of the sound.
func (h *hearing) send(n int) error {
	h.any = true
	err := h.l.send(AudioChunk, mono16, h.sound[:n])
	h.sound = append(h.sound[:0], h.sound[n:]...)
	return h.reason(err)
}

// reason prefers what the server said to the fact that it does not listen any more.
func (h *hearing) reason(err error) error {
	if err == nil {
		return nil
	}
	if late := h.l.SetReadDeadline(time.Now().Add(lastWords)); late == nil {
		<-h.over
	}
	h.l.close()
	<-h.over
	if h.err == nil {
		return nil // it has answered already
	}
	return h.err
}

// Finish implements [speech.Hearing].
func (h *hearing) Finish() (speech.Heard, error) {
	defer h.Close()
	h.sound = h.intake.End(h.sound)
	for len(h.sound) > 0 {
		if err := h.send(min(piece, len(h.sound))); err != nil {
			return speech.Heard{}, err
		}
	}
	if !h.any {
		return speech.Heard{}, nil // nothing to ask
	}
	if err := h.reason(h.l.send(AudioStop, nil, nil)); err != nil {
		return speech.Heard{}, err
	}
	if err := h.l.SetReadDeadline(time.Now().Add(h.l.waits.text)); err != nil {
		h.l.close()
	}
	<-h.over
	return h.heard, h.err
}

// Close implements [speech.Hearing].
func (h *hearing) Close() error {
	h.l.close()
	<-h.over
	return nil
}

// hear reads until the text is there.
func (h *hearing) hear() {
	defer close(h.over)
	so := ""
	for range maxEvents {
		e, err := h.l.read()
		if err != nil {
			h.err = err
			return
		}
		text, err := e.Data.text("text")
		switch {
		case e.Type != Transcript && e.Type != TranscriptChunk:
			continue
		case err != nil:
			h.err = h.l.why(err)
			return
		case len(text) > speech.MaxHeard || len(so) > speech.MaxHeard:
			h.err = h.l.garbled("a text that is too long to have been said")
			return
		case e.Type == Transcript:
			h.heard.Text = text
			h.heard.Lang, _ = e.Data.text("language")
			return
		}
		if so += text; h.partial != nil {
			h.partial(so)
		}
	}
	h.err = h.l.garbled("event upon event without a text")
}
