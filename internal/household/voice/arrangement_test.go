package voice_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"lampworks/internal/household/home"
	"lampworks/internal/household/voice"
	"lampworks/nlu"
)

// TestAHiddenDeviceIsNotReached: neither by its name, nor with all others; shown again, it is.
func TestAHiddenDeviceIsNotReached(t *testing.T) {
	h := newHouse(t)
	id := h.equip(t, "kettle", "水壶", "kettle")
	if a := h.say(t, "打开水壶"); a.Outcome != voice.Acted && a.Outcome != voice.Clarified {
		t.Fatalf("before: %s %s", a.Outcome, a.Reply)
	}
	h.say(t, "取消")
	h.road.sent(h)
	if err := h.homes.Hide(t.Context(), h.who, h.id, id, true); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"打开水壶", "关掉所有设备"} {
		h.say(t, text)
		if sent := strings.Join(h.road.sent(h), "; "); strings.Contains(sent, "kettle") {
			t.Errorf("%s reaches the hidden kettle: %s", text, sent)
		}
	}
	if err := h.homes.Hide(t.Context(), h.who, h.id, id, false); err != nil {
		t.Fatal(err)
	}
	if a := h.say(t, "打开水壶"); a.Outcome != voice.Acted && a.Outcome != voice.Clarified {
		t.Errorf("shown again: %s %s", a.Outcome, a.Reply)
	}
}

// TestASpeakerSpeaksForItsRoom: what is said to a speaker without a room is meant in the one where it stands.
func TestASpeakerSpeaksForItsRoom(t *testing.T) {
	h := newHouse(t)
	say := func(speaker string) voice.Answer {
		t.Helper()
		a, err := h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Text: "打开台灯", Speaker: speaker})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	room := h.rooms["main bedroom"]
	if err := h.homes.PlaceSpeaker(t.Context(), h.who, h.id, "bedside", room); err != nil {
		t.Fatal(err)
	}
	say("bedside")
	if sent := h.road.sent(h); len(sent) != 1 || !strings.HasPrefix(sent[0], "main bedroom ") {
		t.Errorf("at the bedside: sent %q", sent)
	}
	a := say("elsewhere")
	if sent := h.road.sent(h); len(sent) == 1 && strings.HasPrefix(sent[0], "main bedroom ") {
		t.Errorf("from nowhere: %s, sent %q", a.Reply, sent)
	}
}

// TestNameWarnings: names that sound alike in one room, or are commands, are told; others are not.
func TestNameWarnings(t *testing.T) {
	h := newHouse(t)
	for i, name := range []string{"台灯一", "抬灯一", "关灯"} {
		id := h.equip(t, "light", fmt.Sprint("新灯", i), fmt.Sprint("new lamp ", i))
		if err := h.homes.SetDevice(t.Context(), h.who, h.id, id, h.rooms["living room"], home.Label{Names: home.Names{"zh-CN": name}}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := h.voice.Warnings(t.Context(), h.who, h.id)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range all {
		got = append(got, w.Kind+" "+w.Name+" "+w.Other)
	}
	slices.Sort(got)
	if want := []string{"is_command 关灯 ", "sounds_alike 抬灯一 台灯一"}; !slices.Equal(got, want) {
		t.Errorf("warnings are %q, want %q", got, want)
	}
	for _, tt := range []struct {
		a, b string
		same bool
	}{{"四楼", "十楼", true}, {"女儿房", "吕儿房", true}, {"主卧", "次卧", false}, {"Lamp 1", "lamp-1", true}, {"Lamp", "Lamb", false}, {"灯", "", false}} {
		if got := nlu.Heard(tt.a) == nlu.Heard(tt.b); got != tt.same {
			t.Errorf("%s and %s sound alike: %t", tt.a, tt.b, got)
		}
	}
}
