package voice_test

import (
	"testing"

	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
)

// TestAChildDoesNothingDangerous: what is asked back of others is refused to a child, and a child's yes is an answer to nothing
// that another was asked at the same speaker.
func TestAChildDoesNothingDangerous(t *testing.T) {
	h := newHouse(t)
	h.equip(t, "door_lock", "门锁", "door lock")
	child := access.Actor{Kind: access.KindResident, ID: "bo", User: "bo", Organisation: h.who.Organisation, Roles: []access.Role{access.Child}}
	say := func(who access.Actor, text string) voice.Answer {
		t.Helper()
		a, err := h.voice.Say(t.Context(), who, voice.Sentence{Home: h.id, Text: text, Speaker: "hall"})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a := say(child, "打开门锁"); a.Outcome != voice.Rejected || a.Reason != "not_allowed" || a.Reply != "这件事要请大人来做，所以什么都没有动。" {
		t.Errorf("%s %s: %s", a.Outcome, a.Reason, a.Reply)
	}
	if a := say(h.who, "打开门锁"); a.Outcome != voice.Clarified {
		t.Fatalf("%s: %s", a.Outcome, a.Reply)
	}
	if a := say(child, "确认"); a.Outcome == voice.Acted {
		t.Errorf("a child's yes: %s", a.Reply)
	}
	if sent := h.road.sent(h); len(sent) > 0 {
		t.Errorf("sent %v", sent)
	}
	if a := say(h.who, "确认"); a.Outcome != voice.Acted {
		t.Errorf("the yes of who was asked: %s %s", a.Outcome, a.Reply)
	}
	h.road.sent(h)
	guest := child
	guest.ID, guest.User, guest.Roles = "lu", "lu", []access.Role{access.Guest}
	if a := say(guest, "打开门锁"); a.Outcome != voice.Clarified {
		t.Errorf("a guest: %s %s", a.Outcome, a.Reply)
	}
}
