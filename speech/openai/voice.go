package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"lampworks/speech"
)

// A Voice speaks.
type Voice struct{ *server }

// NewVoice connects to nothing; the server may be started later.
func NewVoice(c Config) (*Voice, error) {
	if c.Voice == "" {
		c.Voice = "alloy"
	}
	s, err := newServer(c, "the voice", patience())
	if err != nil {
		return nil, err
	}
	return &Voice{s}, nil
}

// Speak implements [speech.Synthesizer]. Besides the errors named there it returns those of [speech.Hearing]. The server
// finds the language out from the text.
func (v *Voice) Speak(ctx context.Context, text, lang string) ([]byte, error) {
	if err := speech.CheckText(text, lang); err != nil {
		return nil, err
	}
	body, err := json.Marshal(struct {
		Model  string `json:"model"`
		Input  string `json:"input"`
		Voice  string `json:"voice"`
		Format string `json:"response_format"`
	}{v.Model, speech.Aloud(text, lang), v.Voice, "wav"})
	if err != nil {
		return nil, fmt.Errorf("asking the voice: %w", err)
	}
	ctx, cancel := within(ctx, v.waits.spoken)
	defer cancel()
	b, err := v.ask(ctx, "/audio/speech", "application/json", bytes.NewReader(body), MaxSound)
	if err != nil {
		return nil, err
	}
	format, sound, err := speech.ReadWAV(b)
	switch {
	case err != nil:
		return nil, v.garbled("its sound is no WAV of 16 bit, 8 to 48 kHz, in one or two channels")
	case len(sound) == 0:
		return nil, v.garbled("no sound")
	}
	return format.WAV(sound), nil
}
