package api

import (
	"context"
	"errors"

	"github.com/danielgtaylor/huma/v2"

	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/speech"
)

type sentenceInput struct {
	Home string `path:"home" maxLength:"64"`
	Body struct {
		Text    string `json:"text" doc:"What is said." example:"打开客厅的灯"`
		Room    string `json:"room,omitempty" maxLength:"64" doc:"Id of the room the speaker stands in."`
		Lang    string `json:"lang,omitempty" enum:"zh-CN,en" doc:"Recognised from the words if it is not given."`
		Speaker string `json:"speaker,omitempty" maxLength:"64" doc:"Sentences to one speaker are one conversation."`
		Later   bool   `json:"later,omitempty" doc:"Who speaks watches the home live: devices that have not answered after 1.5 s do not hold the answer up; its outcome is sent then, and an event tells what came of it."`
	}
}

type speechInput struct {
	Body struct {
		Text string `json:"text" maxLength:"2000"`
		Lang string `json:"lang" enum:"zh-CN,en"`
	}
}

type speechOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (a *API) sentenceRoutes() {
	route(a, "POST", "/api/v1/homes/{home}/sentences", access.Speak, ofHome, "Say a sentence to a home", func(ctx context.Context, who access.Actor, in *sentenceInput) (voice.Answer, error) {
		return a.Voice.Say(ctx, who, voice.Sentence{Home: in.Home, Room: in.Body.Room, Text: in.Body.Text, Lang: in.Body.Lang, Speaker: in.Body.Speaker, Later: in.Body.Later})
	})
	op := a.operation("POST", "/api/v1/speech", access.Speak, ofCaller, "Speak a text, as WAV")
	op.MaxBodyBytes = maxSpoken + 1
	op.Responses["200"] = &huma.Response{
		Description: "16-bit PCM, mono.", Content: map[string]*huma.MediaType{"audio/wav": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}
	respond(a, op, func(ctx context.Context, in *speechInput) (*speechOutput, error) {
		wav, err := a.speak(ctx, in.Body.Text, in.Body.Lang)
		return &speechOutput{"audio/wav", wav}, err
	})
}

const maxSpoken = 16 << 10 // bytes of a body whose text is to be spoken

func (a *API) speak(ctx context.Context, text, lang string) ([]byte, error) {
	if a.Speech == nil {
		return nil, mute(speech.ErrUnavailable)
	}
	wav, err := a.Speech.Speak(ctx, text, lang)
	if bad, ok := errors.AsType[*speech.TextError](err); ok {
		return nil, fault.Invalid("/"+bad.Where, bad.Got, bad.Rule, bad.Fix)
	}
	if engineFails(err) {
		return nil, mute(err)
	}
	return wav, err
}

// mute says that no speech can be made here; what the operator installs stands in the log.
func mute(err error) error {
	f := fault.Unavailable("nothing here speaks", err)
	f.Fix = "ask the operator to install a speech engine"
	return f
}
