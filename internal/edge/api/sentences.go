package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/speech"
)

type sentenceInput struct {
	HomeInput
	Body struct {
		Text    string `json:"text" doc:"What is said." example:"打开客厅的灯"`
		Room    string `json:"room,omitempty" maxLength:"64" doc:"Id of the room the speaker stands in."`
		Lang    string `json:"lang,omitempty" enum:"zh-CN,en" doc:"Recognised from the words if it is not given."`
		Speaker string `json:"speaker,omitempty" maxLength:"64" doc:"Sentences to one speaker are one conversation."`
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
	route(a, "POST", "/api/v1/homes/{home}/sentences", access.Speak, "Say a sentence to a home", func(ctx context.Context, who access.Actor, in *sentenceInput) (voice.Answer, error) {
		return a.Voice.Say(ctx, who, voice.Sentence{Home: in.Home, Room: in.Body.Room, Text: in.Body.Text, Lang: in.Body.Lang, Speaker: in.Body.Speaker})
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "post_speech", Method: http.MethodPost, Path: "/api/v1/speech", Summary: "Speak a text, as WAV", MaxBodyBytes: 16 << 10,
		DefaultStatus: http.StatusOK, Description: "Needs " + string(access.Speak) + ".", Security: []map[string][]string{{"token": {}}, {"session": {}}},
		Responses: map[string]*huma.Response{"200": {Description: "16-bit PCM, mono", Content: map[string]*huma.MediaType{"audio/wav": {}}}},
	}, func(ctx context.Context, in *speechInput) (*speechOutput, error) {
		if _, err := access.Require(ctx, access.Speak); err != nil {
			return nil, a.problem(ctx, err)
		}
		wav, err := a.speak(ctx, in.Body.Text, in.Body.Lang)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return &speechOutput{"audio/wav", wav}, nil
	})
}

func (a *API) speak(ctx context.Context, text, lang string) ([]byte, error) {
	wav, err := a.Speech.Speak(ctx, text, lang)
	if bad, ok := errors.AsType[*speech.TextError](err); ok {
		return nil, fault.Invalid("/text", fault.Cut(text), bad.Error(), "send a shorter text")
	}
	if errors.Is(err, speech.ErrUnavailable) {
		return nil, fault.Unavailable(err.Error(), err)
	}
	return wav, err
}
