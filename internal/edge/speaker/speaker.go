// Package speaker is the voice socket: others connect to it and speak to a home (语音接口).
//
// Today that is Wyoming, by which Home Assistant has sentences understood. It owns no table, and promises:
//   - a listener speaks to one home, in the name of one API token, whatever its peers send: the protocol has no passwords;
//   - the token is read and looked at anew for each sentence, as the API does for each request: one that was revoked, that lost
//     its role or that a measure stops carries out nothing more;
//   - a sentence counts as a server call against the limits of the token and its organisation;
//   - neither the token nor what was said is in a log or an error.
//
// It translates. What a sentence means and may do is decided by the rooms below.
package speaker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"

	"lampworks/internal/household/home"
	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/quota"
	"lampworks/nlu"
	"lampworks/speech/wyoming"
)

// A Gate refuses somebody who may do an act, for a reason that is not their role.
type Gate func(ctx context.Context, who access.Actor, act access.Act) error

// Config says to which home a listener speaks, and who acts.
type Config struct {
	Home  string                 // id; empty: the only one that the token sees
	Token func() (string, error) // the API token, as it is now
	URL   string                 // where this Lampworks is; peers show it

	Authenticate func(ctx context.Context, token, from string) (access.Actor, error)
	Gates        []Gate
	Quota        *quota.Service // nil: nothing is counted
	Homes        *home.Service
	Voice        *voice.Service
	Logger       *slog.Logger
}

// languages are what is announced.
var languages = [...]string{"zh", "zh-CN", "zh-TW", "en"}

// New returns a server of Wyoming for a home. It starts nothing.
func New(c Config) *wyoming.Server {
	return wyoming.NewServer(wyoming.ServerConfig{
		Handler: &room{c}, Name: "lampworks", Description: "Lampworks: homes, understood in Chinese and English", By: "Lampworks", URL: c.URL,
		Version: wyoming.Version, Languages: languages[:], Logger: c.Logger,
	})
}

// room answers for a home.
type room struct{ c Config }

// Handle carries out a sentence. A question back is an answer, too; what is refused and what nobody understood is not.
func (r *room) Handle(ctx context.Context, in wyoming.Sentence) (wyoming.Reply, error) {
	who, s, err := r.come(ctx, in)
	if err != nil {
		return wyoming.Reply{}, told(err)
	}
	a, err := r.c.Voice.Say(ctx, who, s)
	if err != nil {
		return wyoming.Reply{}, told(err)
	}
	return wyoming.Reply{Text: a.Reply, Understood: understood(&a)}, nil
}

// understood is no when a sentence names nothing that is there, or is none for a home: the peer may know somebody else to
// ask. The reply is said all the same, and what follows in the conversation may answer it.
func understood(a *voice.Answer) bool {
	switch a.Outcome {
	case voice.Acted, voice.Failed:
		return true
	case voice.Clarified:
		return len(a.Candidates) > 0 || a.Reason != string(nlu.MissingDevice) && a.Reason != string(nlu.UnclearWords)
	}
	return false
}

// Meanings says what a sentence would do.
func (r *room) Meanings(ctx context.Context, in wyoming.Sentence) ([]wyoming.Meaning, error) {
	who, s, err := r.come(ctx, in)
	if err != nil {
		return nil, told(err)
	}
	a, err := r.c.Voice.Understand(ctx, who, s)
	if err != nil || a.Outcome != voice.Acted {
		return nil, told(err)
	}
	out := make([]wyoming.Meaning, 0, len(a.Actions))
	for i := range a.Actions {
		out = append(out, meaning(&a.Actions[i]))
	}
	return out, nil
}

// meaning names an act as voice does, and what it is for.
func meaning(a *voice.Act) wyoming.Meaning {
	m := wyoming.Meaning{Name: "lampworks." + a.Op, Entities: []wyoming.Entity{}}
	add := func(name string, value any, there bool) {
		if there {
			m.Entities = append(m.Entities, wyoming.Entity{Name: name, Value: value})
		}
	}
	for _, t := range a.Targets {
		add("name", t.Name, true)
		add("device", t.Device, true)
	}
	add("property", a.Prop, a.Prop != "")
	add("value", a.Value, a.Value != nil)
	add("direction", a.Direction, a.Direction != "")
	if a.Amount != nil {
		add("amount", *a.Amount, true)
	}
	add("scene", a.Scene, a.Scene != "")
	add("seconds", a.Seconds, a.Seconds != 0)
	add("label", a.Label, a.Label != "")
	add("delay_seconds", a.DelaySeconds, a.DelaySeconds != 0)
	add("at", a.At, a.At != "")
	add("day", a.Day, a.Day != "")
	return m
}

// come finds out who acts and which home is spoken to, and puts the sentence into the words of voice.
func (r *room) come(ctx context.Context, in wyoming.Sentence) (access.Actor, voice.Sentence, error) {
	who, err := r.actor(ctx, in.From)
	if err != nil {
		return who, voice.Sentence{}, err
	}
	at, err := r.home(ctx, who)
	return who, voice.Sentence{Home: at, Text: in.Text, Lang: language(in.Lang), Speaker: speaker(in)}, err
}

// actor is who acts now, past the gates and limits that a request to the API passes.
func (r *room) actor(ctx context.Context, from string) (access.Actor, error) {
	token, err := r.c.Token()
	if err != nil {
		return access.Actor{}, fmt.Errorf("finding who speaks: %w", err)
	}
	who, err := r.c.Authenticate(ctx, token, from)
	if err != nil {
		return who, err
	}
	if err := r.allow(who); err != nil {
		return who, err
	}
	if err := who.Check(access.Speak); err != nil {
		return who, err
	}
	for _, refuses := range r.c.Gates {
		if err := refuses(ctx, who, access.Speak); err != nil {
			return who, err
		}
	}
	return who, nil
}

// allow counts a sentence as a server call.
func (r *room) allow(who access.Actor) error {
	if r.c.Quota == nil || who.Organisation == "" {
		return nil
	}
	of := quota.Organisation(who.Organisation)
	for _, use := range []struct {
		of    quota.Subject
		limit quota.Limit
	}{{quota.Token(who.ID, who.Organisation), quota.TokenRequestRate}, {of, quota.RequestRate}, {of, quota.Requests}} {
		if d := r.c.Quota.Allow(use.of, use.limit, 1); !d.OK {
			return fault.Limit(use.limit.String(), "used up", quota.Rule(d.Limit, use.limit), d.Wait)
		}
	}
	return nil
}

// home is the one that was named, or the only one.
func (r *room) home(ctx context.Context, who access.Actor) (string, error) {
	if r.c.Home != "" {
		return r.c.Home, nil
	}
	homes, more, err := r.c.Homes.List(ctx, who, home.Page{Limit: 1})
	switch {
	case err != nil:
		return "", err
	case len(homes) == 1 && !more:
		return homes[0].ID, nil
	}
	return "", &wyoming.Refusal{Code: string(fault.Missing), Text: "there is no home, or more than one: name it with --wyoming-home"}
}

// language is the one of voice; traditional Chinese is read by the same rules.
func language(tag string) string {
	switch primary, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(tag, "_", "-")), "-"); primary {
	case "zh", "cmn":
		return nlu.Chinese
	case "en":
		return nlu.English
	}
	return ""
}

// speaker is whose sentences follow on each other: those of one conversation, else of one peer.
func speaker(in wyoming.Sentence) string {
	s := "wyoming " + in.Conversation
	if in.Conversation == "" {
		s = "wyoming@" + in.From
	}
	if len(s) > voice.MaxSpeaker {
		sum := sha256.Sum256([]byte(s))
		s = "wyoming " + hex.EncodeToString(sum[:16])
	}
	return s
}

// told is what a peer hears of an error: refusals as they are, of everything else that something went wrong.
func told(err error) error {
	f := fault.Of(err)
	if f == nil {
		return err
	}
	text := f.Sentence()
	if f.Fix != "" {
		text += "; " + f.Fix
	}
	return &wyoming.Refusal{Code: string(f.Code), Text: text}
}
