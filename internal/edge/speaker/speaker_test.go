package speaker

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
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

func file(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTokensAreReadFromFilesOfTheirOwner(t *testing.T) {
	if token, err := ReadToken(file(t, "lwt_secret\n", 0o600)); token != "lwt_secret" || err != nil {
		t.Errorf("read %q, %v", token, err)
	}
	for _, tt := range []struct{ path, want string }{
		{file(t, "lwt_secret", 0o644), "chmod 600"},
		{file(t, "lwt_secret", 0o640), "chmod 600"},
		{file(t, "\n", 0o600), "has no API token"},
		{file(t, "lwt_secret and more", 0o600), "has no API token"},
		{file(t, strings.Repeat("x", maxToken+1), 0o600), "has no API token"},
		{t.TempDir(), "chmod 600"},
		{filepath.Join(t.TempDir(), "none"), "no such file"},
	} {
		if _, err := ReadToken(tt.path); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %q", tt.path, err, tt.want)
		}
	}
}

// Who acts is found out for each sentence; whoever is refused on the way does not reach the home. There is no room voice
// in this test: a sentence that came so far would panic.
func TestWhoIsRefusedSaysNothing(t *testing.T) {
	path := file(t, "lwt_x", 0o600)
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
		tt.c.Token, tt.c.Logger = path, slog.New(slog.DiscardHandler)
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
	r := &room{Config{Token: filepath.Join(t.TempDir(), "none"), Authenticate: as(token, nil)}}
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
