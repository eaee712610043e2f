package speaker

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/nlu"
	"lampworks/speech/wyoming"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Who acts is found out for each sentence; whoever is refused on the way does not reach the home. There is no room voice
// in this test: a sentence that came so far would panic.
func TestWhoIsRefusedSaysNothing(t *testing.T) {
	x := func() (string, error) { return "lwt_x", nil }
	token := access.Actor{Kind: access.KindToken, ID: "t", Organisation: "o", Roles: []access.Role{access.Owner}}
	mute := token
	mute.Scopes = []access.Act{access.ReadHome}
	as := func(who access.Actor, err error) func(context.Context, string, string) (access.Actor, error) {
		return func(_ context.Context, shown, from string) (access.Actor, error) {
			if shown != "lwt_x" || from != "192.0.2.1" {
				t.Errorf("was shown %q from %q", shown, from)
			}
			return who, err
		}
	}
	shut := func(context.Context, access.Actor, access.Act) error {
		return &fault.Fault{Code: fault.Suspended, What: "the organisation is suspended", Fix: "appeal"}
	}
	for _, tt := range []struct {
		name string
		c    Config
		code string
		text string
	}{
		{"a token that is none", Config{Authenticate: as(access.Actor{}, &fault.Fault{Code: fault.NoActor, What: "the token is not good", Fix: "make another"})}, "unauthenticated", "the token is not good; make another"},
		{"a token out of scope", Config{Authenticate: as(mute, nil)}, "forbidden", "voice.speak is not allowed: it needs a token with the scope voice.speak"},
		{"a measure", Config{Authenticate: as(token, nil), Gates: []Gate{shut}}, "suspended", "the organisation is suspended; appeal"},
	} {
		tt.c.Token, tt.c.Logger = x, slog.New(slog.DiscardHandler)
		r := &room{tt.c}
		in := wyoming.Sentence{Text: "打开灯", From: "192.0.2.1"}
		_, handled := r.Handle(t.Context(), in)
		_, read := r.Meanings(t.Context(), in)
		for _, err := range []error{handled, read} {
			var told *wyoming.Refusal
			if !errors.As(err, &told) || told.Code != tt.code || !strings.HasPrefix(told.Text, tt.text) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	}
	var told *wyoming.Refusal
	r := &room{Config{Token: func() (string, error) { return "", os.ErrNotExist }, Authenticate: as(token, nil)}}
	if _, err := r.Handle(t.Context(), wyoming.Sentence{}); err == nil || errors.As(err, &told) {
		t.Errorf("a file that is missing is told to strangers: %v", err)
	}
}

func TestConversationsHaveSpeakers(t *testing.T) {
	long := strings.Repeat("x", 100)
	seen := map[string]bool{}
	for _, in := range []wyoming.Sentence{
		{Conversation: "01J", From: "a"},
		{Conversation: "01K", From: "a"},
		{Conversation: long, From: "a"},
		{Conversation: long + "y", From: "a"},
		{From: "a"},
		{From: "b"},
		{Conversation: "a"},
	} {
		s := speaker(in)
		if seen[s] || len(s) > voice.MaxSpeaker {
			t.Errorf("%.20q is %q, which another is or which is too long", in.Conversation, s)
		}
		seen[s] = true
	}
	if speaker(wyoming.Sentence{Conversation: "c", From: "a"}) != speaker(wyoming.Sentence{Conversation: "c", From: "b"}) {
		t.Error("one conversation has two speakers")
	}
}

func TestLanguages(t *testing.T) {
	for tag, want := range map[string]string{"zh": "zh-CN", "zh-CN": "zh-CN", "zh_TW": "zh-CN", "cmn": "zh-CN", "en": "en", "EN-us": "en", "": "", "de": ""} {
		if got := language(tag); got != want {
			t.Errorf("%q is %q, want %q", tag, got, want)
		}
	}
}

func TestMeaningsSayWhatWouldBeDone(t *testing.T) {
	amount := 10.0
	m := meaning(&voice.Act{
		Op: "adjust", Prop: "brightness", Direction: "up", Amount: &amount, DelaySeconds: 60,
		Targets: []voice.Target{{Device: "d1", Name: "灯"}, {Device: "d2", Name: "台灯"}},
	})
	var got []string
	for _, e := range m.Entities {
		got = append(got, e.Name)
	}
	if want := "name device name device property direction amount delay_seconds"; m.Name != "lampworks.adjust" || strings.Join(got, " ") != want {
		t.Errorf("%s with %v, want %s", m.Name, got, want)
	}
}

func TestWhatIsUnderstood(t *testing.T) {
	which := []voice.Target{{Device: "a"}, {Device: "b"}}
	for _, tt := range []struct {
		a    voice.Answer
		want bool
	}{
		{voice.Answer{Outcome: voice.Acted}, true},
		{voice.Answer{Outcome: voice.Failed, Reason: voice.Offline}, true},
		{voice.Answer{Outcome: voice.Clarified, Reason: "ambiguous_device", Candidates: which}, true},
		{voice.Answer{Outcome: voice.Clarified, Reason: string(nlu.MissingDevice), Candidates: which}, true},
		{voice.Answer{Outcome: voice.Clarified, Reason: string(nlu.MissingValue)}, true},
		{voice.Answer{Outcome: voice.Clarified, Reason: string(nlu.MissingDevice)}, false},
		{voice.Answer{Outcome: voice.Clarified, Reason: string(nlu.UnclearWords)}, false},
		{voice.Answer{Outcome: voice.Rejected, Reason: voice.OutOfRange}, false},
		{voice.Answer{Outcome: voice.Chatted}, false},
	} {
		if got := understood(&tt.a); got != tt.want {
			t.Errorf("%s, %s: %v", tt.a.Outcome, tt.a.Reason, got)
		}
	}
}
