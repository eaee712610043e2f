package api

import (
	"context"
	"encoding/json"

	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
)

var ofUnread = owner{"sentence", "sentence", func(ctx context.Context, a *API, id string) (string, error) { return a.Voice.EntryOwner(ctx, id) }}

type unreadView struct {
	ID           string          `json:"id"`
	Organisation string          `json:"organisation"`
	Lang         string          `json:"lang"`
	Text         string          `json:"text"`
	Room         string          `json:"room,omitempty" doc:"In which it was said, as its home names it."`
	Reason       string          `json:"reason"`
	State        voice.State     `json:"state" enum:"new,case,dismissed"`
	Expect       json.RawMessage `json:"expect,omitempty" doc:"Of a case: what it should have been read as."`
	Times        int64           `json:"times" doc:"How often it was said, or what is equal to it but for spaces, signs and case."`
	FirstAt      moment          `json:"first_at"`
	LastAt       moment          `json:"last_at"`
	DecidedAt    moment          `json:"decided_at,omitzero"`
	Open         []voice.Move    `json:"open" nullable:"false" doc:"What who asks may do with it now."`
}

func unreadOf(who access.Actor) func(*voice.Entry) unreadView {
	return func(e *voice.Entry) unreadView {
		return unreadView{
			e.ID, e.Organisation, e.Lang, e.Text, e.Room, e.Reason, e.State, e.Expect, e.Times, moment(e.FirstAt), moment(e.LastAt), moment(e.DecidedAt),
			append([]voice.Move{}, e.Open(who)...),
		}
	}
}

type triedContext struct {
	Home        string   `json:"home" doc:"Cases with the same were said among the same names."`
	SpeakerRoom string   `json:"speaker_room,omitempty"`
	Previous    []string `json:"previous_utterances" nullable:"false"`
}

type triedView struct {
	ID        string          `json:"id"`
	Lang      string          `json:"lang"`
	Utterance string          `json:"utterance"`
	Context   triedContext    `json:"context"`
	Expect    json.RawMessage `json:"expect"`
	Passes    bool            `json:"passes" doc:"It is read so by the program that runs, with the thing models in force."`
	Got       json.RawMessage `json:"got" doc:"What it is read as."`
}

func triedOf(c *voice.Replayed) triedView {
	return triedView{c.ID, c.Lang, c.Text, triedContext{c.Vocabulary + ".json", c.Room, []string{}}, c.Expect, c.Passes, c.Got}
}

type unreadsInput struct {
	ListInput
	State        string `query:"state" enum:"new,case,dismissed"`
	Lang         string `query:"lang" enum:"zh-CN,en" doc:"Of one organisation only."`
	Organisation string `query:"organisation" maxLength:"64" doc:"For the operator: only this one."`
}

type triedInput struct {
	ListInput
	Lang         string `query:"lang" enum:"zh-CN,en" doc:"Of one organisation only."`
	Organisation string `query:"organisation" maxLength:"64" doc:"For the operator: only this one."`
}

type unreadInput struct {
	Sentence string `path:"sentence" maxLength:"64"`
}

type decideInput struct {
	Sentence string `path:"sentence" maxLength:"64"`
	Body     struct {
		Act    voice.Move      `json:"act" enum:"accept,dismiss,reopen" doc:"accept makes it a case, or gives a case another expectation."`
		Expect json.RawMessage `json:"expect,omitempty" doc:"With accept: outcome (act, clarify, reject, chat) and, of act, actions as lampworks nlu writes them, on devices of the sentence's home." example:"{\"outcome\":\"act\",\"actions\":[{\"op\":\"set\",\"targets\":[\"d1\"],\"prop\":\"powerstate\",\"value\":true}]}"`
	}
}

// voiceInboxRoutes are about what nobody understood.
func (a *API) voiceInboxRoutes() {
	const all, one = "/api/v1/voice/inbox", "/api/v1/voice/inbox/{sentence}"
	list(a, all, access.ReadVoice, ofCaller, "Sentences that nobody understood, of those who give them away, newest first; they name neither person nor home", func(ctx context.Context, who access.Actor, in *unreadsInput) (page[unreadView], error) {
		p, err := a.Voice.Inbox(ctx, who, in.ask(map[string]string{voice.ByState: in.State, voice.ByLang: in.Lang, voice.ByOrganisation: in.Organisation}))
		return pageFrom(p, unreadOf(who)), err
	})
	route(a, "GET", one+"/home", access.ReadVoice, ofUnread, "The names that such a sentence was said among, with the thing models in force, as lampworks nlu --home reads them", func(ctx context.Context, who access.Actor, in *unreadInput) (map[string]any, error) {
		_, home, err := a.Voice.Entry(ctx, who, in.Sentence)
		if err != nil {
			return nil, err
		}
		var out map[string]any
		return out, json.Unmarshal(home, &out)
	})
	route(a, "PUT", one+"/state", access.DecideVoice, ofUnread, "Make such a sentence a regression case, dismiss it, or take that back", func(ctx context.Context, who access.Actor, in *decideInput) (unreadView, error) {
		e, err := a.Voice.Decide(ctx, who, in.Sentence, in.Body.Act, in.Body.Expect)
		return unreadOf(who)(&e), err
	})
	list(a, "/api/v1/voice/cases", access.ReadVoice, ofCaller, "Regression cases, newest first, each read again by the program that runs; as JSON lines in the form of the evaluation sets", func(ctx context.Context, who access.Actor, in *triedInput) (page[triedView], error) {
		return a.tried(ctx, who, in)
	})
}

func (a *API) tried(ctx context.Context, who access.Actor, in *triedInput) (page[triedView], error) {
	p, err := a.Voice.Cases(ctx, who, in.ask(map[string]string{voice.ByLang: in.Lang, voice.ByOrganisation: in.Organisation}))
	return pageFrom(p, triedOf), err
}
