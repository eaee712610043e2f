package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/speech"
)

// Limits of recordings.
const (
	maxRecording    = 4 << 20 // bytes: 60 s at 16 kHz in two channels
	maxHearings     = 8       // at once: each holds its recording
	maxHearingsEach = 2       // of one organisation
	hearingWithin   = 45 * time.Second
)

type recordingInput struct {
	Home    string `path:"home" maxLength:"64"`
	Room    string `query:"room" maxLength:"64" doc:"Id of the room the speaker stands in."`
	Lang    string `query:"lang" enum:"zh-CN,en" doc:"What is spoken; recognised, if it is not given, where the recogniser can."`
	Speaker string `query:"speaker" maxLength:"64" doc:"Sentences to one speaker are one conversation."`
}

type recordingView struct {
	Heard   string        `json:"heard" doc:"What was said; empty: nothing."`
	HeardUS int64         `json:"heard_us" doc:"How long the recogniser took, microseconds."`
	Answer  *voice.Answer `json:"answer,omitempty" doc:"What came of it, if something was said."`
}

func (a *API) recordingRoutes() {
	hearings := hearingSeats()
	op := a.operation("POST", "/api/v1/homes/{home}/recordings", access.Speak, ofHome, "Say a sentence to a home by its sound: a WAV file of 16 bit, at most 60 s, as the body. Nothing of it is kept")
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"audio/wav": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}, octets: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
	}}
	register(a, op, func(ctx context.Context, in *recordingInput) (recordingView, error) {
		who, _ := access.Of(ctx)
		leave, err := hearings.take(who.Organisation)
		if err != nil {
			return recordingView{}, err
		}
		defer leave()
		return a.record(ctx, who, in)
	})
}

// hearingSeats are the places of what is being heard, by organisation.
func hearingSeats() *seats {
	return &seats{each: maxHearingsEach, all: maxHearings, full: func(int) error {
		return &fault.Fault{Code: fault.Down, What: "as much is being heard as can be", Fix: "send it again in a second", RetryAfter: time.Second}
	}}
}

// record hears what was said, and says it.
func (a *API) record(ctx context.Context, who access.Actor, in *recordingInput) (recordingView, error) {
	began := time.Now()
	heard, err := a.hear(ctx, who, in)
	if err != nil {
		return recordingView{}, err
	}
	out := recordingView{Heard: heard, HeardUS: time.Since(began).Microseconds()}
	if heard == "" {
		return out, nil
	}
	said, err := a.Voice.Say(ctx, who, voice.Sentence{Home: in.Home, Room: in.Room, Text: heard, Lang: in.Lang, Speaker: in.Speaker})
	out.Answer = &said
	return out, err
}

// hear has the recogniser write down a recording.
func (a *API) hear(ctx context.Context, who access.Actor, in *recordingInput) (string, error) {
	if a.Hears == nil {
		return "", deaf(speech.ErrUnavailable)
	}
	h, err := a.Homes.Load(ctx, who, in.Home)
	if err != nil {
		return "", err
	}
	recording, err := callOf(ctx).file.whole(maxRecording, bodyTime)
	if err != nil {
		return "", err
	}
	format, sound, err := speech.ReadWAV(recording)
	if err != nil {
		return "", fault.Invalid("/body", "something else", "a WAV file of 16 bit PCM, 8,000 to 48,000 samples a second, in one or two channels", "record it as such")
	}
	if format.Bytes(speech.MaxHearing) < len(sound) {
		return "", fault.Invalid("/body", "longer", "at most 60 s of sound", "send the sentence alone")
	}
	ctx, cancel := context.WithTimeout(ctx, hearingWithin)
	defer cancel()
	words, err := a.likely(ctx, who, &h, in.Lang)
	if err != nil {
		return "", err
	}
	heard, err := listen(ctx, a.Hears, speech.Ask{Lang: in.Lang, Format: format, Words: words}, sound)
	if err != nil {
		return "", deaf(err)
	}
	return heard.Text, nil
}

// whole reads a body that must be there in time: while it comes, others may have to wait.
func (f file) whole(limit int64, within time.Duration) ([]byte, error) {
	if err := f.control.SetReadDeadline(time.Now().Add(within)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f.body, limit+1))
	if err != nil {
		return nil, fault.Unavailable("the file did not come in whole", err)
	}
	if int64(len(b)) > limit {
		return nil, fault.TooLarge("the file", int64(len(b)), limit)
	}
	err = f.control.SetReadDeadline(time.Time{}) // or the request would end with it
	if errors.Is(err, http.ErrNotSupported) {
		err = nil
	}
	return b, err
}

func listen(ctx context.Context, r speech.Recognizer, ask speech.Ask, sound []byte) (speech.Heard, error) {
	h, err := r.Listen(ctx, ask)
	if err != nil {
		return speech.Heard{}, err
	}
	defer h.Close()
	if _, err := h.Write(sound); err != nil {
		return speech.Heard{}, err
	}
	return h.Finish()
}

// deaf says that nothing here hears; why stands in the log.
func deaf(err error) error {
	f := fault.Unavailable("nothing here hears", err)
	f.Fix = "ask the operator to name a recogniser that works (--asr)"
	return f
}

// engineFails says whether an error is of an engine for speech, beside this program.
func engineFails(err error) bool {
	return errors.Is(err, speech.ErrUnavailable) || errors.Is(err, speech.ErrSilent) || errors.Is(err, speech.ErrGarbled) || errors.Is(err, speech.ErrFailed)
}
