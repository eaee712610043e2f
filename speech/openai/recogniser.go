package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"mime/multipart"
	"strings"
	"sync"
	"unicode/utf8"

	"lampworks/speech"
)

// maxPrompt is how much of the words that are likely is sent: servers look at the last 224 tokens.
const maxPrompt = 600 // bytes

// A Recogniser writes down what it hears, once the sound is whole: the interface has no partial texts.
type Recogniser struct{ *server }

// NewRecogniser connects to nothing; the server may be started later.
func NewRecogniser(c Config) (*Recogniser, error) {
	s, err := newServer(c, "the recogniser", patience())
	if err != nil {
		return nil, err
	}
	return &Recogniser{s}, nil
}

// Listen implements [speech.Recognizer].
func (r *Recogniser) Listen(ctx context.Context, ask speech.Ask) (speech.Hearing, error) {
	intake, err := speech.NewIntake(ask.Format)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	return &hearing{r: r, ask: ask, intake: intake, ctx: ctx, stop: stop}, nil
}

// hearing collects sound until it is whole.
type hearing struct {
	r      *Recogniser
	ask    speech.Ask
	intake *speech.Intake
	sound  []byte          // 16 kHz mono
	ctx    context.Context //nolint:containedctx // a hearing lives as long as the request that it is for
	stop   context.CancelFunc
	asking sync.Mutex // held by Finish
}

// Write implements [speech.Hearing].
func (h *hearing) Write(pcm []byte) (n int, err error) {
	if h.ctx.Err() != nil {
		return 0, h.r.why(h.ctx, h.ctx.Err())
	}
	if h.sound, err = h.intake.Append(h.sound, pcm); err != nil {
		return 0, err
	}
	return len(pcm), nil
}

// Finish implements [speech.Hearing].
func (h *hearing) Finish() (speech.Heard, error) {
	h.asking.Lock()
	defer h.asking.Unlock()
	defer h.stop()
	h.sound = h.intake.End(h.sound)
	if len(h.sound) == 0 {
		return speech.Heard{}, nil // nothing to ask
	}
	kind, body, err := h.form()
	if err != nil {
		return speech.Heard{}, err
	}
	ctx, cancel := within(h.ctx, h.r.waits.text)
	defer cancel()
	b, err := h.r.ask(ctx, "/audio/transcriptions", kind, body, MaxText)
	if err != nil {
		return speech.Heard{}, err
	}
	var answer struct {
		Text     *string `json:"text"`
		Language string  `json:"language"`
	}
	switch err := json.Unmarshal(b, &answer); {
	case err != nil || answer.Text == nil:
		return speech.Heard{}, h.r.garbled("no JSON with a text")
	case len(*answer.Text) > speech.MaxHeard:
		return speech.Heard{}, h.r.garbled("a text that is too long to have been said")
	}
	return speech.Heard{Text: strings.TrimSpace(*answer.Text), Lang: answer.Language}, nil
}

// form is what is asked, and the sound as a file.
func (h *hearing) form() (kind string, body *bytes.Buffer, err error) {
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	language, _, _ := strings.Cut(h.ask.Lang, "-")
	for _, f := range [][2]string{{"model", h.r.Model}, {"response_format", "json"}, {"language", language}, {"prompt", prompt(h.ask.Words)}} {
		if err == nil && f[1] != "" {
			err = w.WriteField(f[0], f[1])
		}
	}
	if err != nil {
		return "", nil, err
	}
	part, err := w.CreateFormFile("file", "speech.wav")
	if err != nil {
		return "", nil, err
	}
	if _, err := part.Write(speech.Format{Rate: speech.Rate, Channels: 1}.WAV(h.sound)); err != nil {
		return "", nil, err
	}
	return w.FormDataContentType(), body, w.Close()
}

// prompt names as many words as there is room for.
func prompt(words []string) string {
	var b strings.Builder
	for _, w := range words {
		if w == "" || !utf8.ValidString(w) || b.Len()+len(w)+2 > maxPrompt {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(w)
	}
	return b.String()
}

// Close implements [speech.Hearing].
func (h *hearing) Close() error {
	h.stop()
	h.asking.Lock() // until a Finish under way has ended
	defer h.asking.Unlock()
	return nil
}
