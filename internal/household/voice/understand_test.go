package voice_test

import (
	"testing"

	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
)

// To understand is not to act: nothing is sent, and what is said next does not follow on it.
func TestUnderstandDoesNothing(t *testing.T) {
	h := newHouse(t)
	in := voice.Sentence{Home: h.id, Text: "打开次卧的台灯", Speaker: "hall"}
	a, err := h.voice.Understand(t.Context(), h.who, in)
	if err != nil || a.Outcome != voice.Acted || a.Reply != "" || len(a.Actions) != 1 || len(a.Actions[0].Targets) != 1 {
		t.Fatalf("got %+v, %v", a, err)
	}
	if act := a.Actions[0]; act.Op != "set" || h.called[act.Targets[0].Device] != "guest room desk lamp" || act.Targets[0].Outcome != voice.Open {
		t.Errorf("it would do %+v", act)
	}
	if sent := h.road.sent(h); len(sent) > 0 {
		t.Errorf("it sent %v", sent)
	}
	if a, err := h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Text: "关掉它", Speaker: "hall"}); err != nil || a.Outcome == voice.Acted {
		t.Errorf("it was remembered: %+v, %v", a, err)
	}
	if later, err := h.voice.Understand(t.Context(), h.who, voice.Sentence{Home: h.id, Text: "十分钟后打开次卧的台灯"}); err != nil || len(later.Actions) != 1 || len(later.Actions[0].Targets) != 1 {
		t.Errorf("what cannot be done yet is %+v, %v", later, err)
	}
	if _, err := h.voice.Understand(t.Context(), access.Actor{}, in); err == nil {
		t.Error("nobody may ask")
	}
	if _, err := h.voice.Understand(t.Context(), owner("other"), in); !fault.Is(err, fault.Missing) {
		t.Errorf("another organisation sees the home: %v", err)
	}
	if _, err := h.voice.Understand(t.Context(), h.who, voice.Sentence{Home: h.id, Text: "\xff"}); !fault.Is(err, fault.Malformed) {
		t.Errorf("what is no text: %v", err)
	}
}

// A token that may speak and read homes carries out what it says; it needs no other scope.
func TestScopesOfATokenThatSpeaks(t *testing.T) {
	h := newHouse(t)
	who := h.who
	who.Kind, who.Scopes = access.KindToken, []access.Act{access.Speak, access.ReadHome}
	in := voice.Sentence{Home: h.id, Text: "打开次卧的台灯"}
	if a, err := h.voice.Say(t.Context(), who, in); err != nil || a.Outcome != voice.Acted {
		t.Errorf("got %+v, %v", a, err)
	}
	who.Scopes = who.Scopes[:1]
	if _, err := h.voice.Say(t.Context(), who, in); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("without home.read: %v", err)
	}
}
