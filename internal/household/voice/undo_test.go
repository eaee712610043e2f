package voice_test

import (
	"strings"
	"testing"
	"time"

	"lampworks/internal/fleet/command"
	"lampworks/internal/household/home"
	"lampworks/internal/household/scene"
	"lampworks/internal/household/voice"
)

// TestWhatIsUnderWayIsTakenBack: a command that was not sent is cancelled, of one that was sent it is said that it is too late, and of
// nothing nothing; another speaker takes back nothing.
func TestWhatIsUnderWayIsTakenBack(t *testing.T) {
	told := make(chan voice.Telling, 4)
	h := newHouse(t, func(c *voice.Config) {
		c.SentAfter, c.Deadline, c.CommandDeadline = 10*time.Millisecond, 30*time.Second, 30*time.Second
		c.Told = func(a voice.Telling) { told <- a }
	})
	t.Cleanup(h.voice.Close)
	lamp, curtain := h.device["living room lamp"], h.device["living room curtain"]
	var sent command.Command
	h.road.ends[lamp] = func(c *command.Command) { c.State, c.EndedAt = command.Accepted, time.Time{} }
	h.road.ends[curtain] = func(c *command.Command) { c.State, c.EndedAt, sent = command.Sent, time.Time{}, *c }
	say := func(speaker, text string) voice.Answer {
		t.Helper()
		a, err := h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Text: text, Speaker: speaker, Later: true})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	first := say("hall", "打开客厅的灯和窗帘")
	if first.Outcome != voice.Sent {
		t.Fatalf("%s: %s", first.Outcome, first.Reply)
	}
	if a := say("bed", "算了"); a.Outcome != voice.Chatted {
		t.Errorf("at another speaker: %s %s", a.Outcome, a.Reply)
	}
	want := "客厅的灯的指令取消了；客厅的窗帘的指令已经发出去了，收不回来。"
	if a := say("hall", "算了"); a.Outcome != voice.Acted || !strings.HasSuffix(a.Reply, want) {
		t.Errorf("%s %s: %s", a.Outcome, a.Reason, a.Reply)
	}
	if a := say("hall", "停"); a.Outcome != voice.Rejected || a.Reason != voice.TooLate || a.Reply != "客厅的窗帘的指令已经发出去了，收不回来。" {
		t.Errorf("once more: %s %s: %s", a.Outcome, a.Reason, a.Reply)
	}
	sent.State, sent.EndedAt = command.Succeeded, time.Now()
	h.road.end(sent)
	if got := <-told; got.Answer.ID != first.ID || !got.Quiet {
		t.Errorf("told %+v", got)
	}
	if a := say("hall", "算了"); a.Outcome != voice.Chatted {
		t.Errorf("of nothing: %s %s", a.Outcome, a.Reply)
	}
	again := say("hall", "打开客厅的窗帘")
	sent.State, sent.EndedAt = command.Succeeded, time.Now()
	h.road.end(sent)
	if got := <-told; got.Answer.ID != again.ID || got.Quiet {
		t.Errorf("nothing was said since: %+v", got)
	}
}

// TestASceneIsStopped: between two steps of a scene it is stopped, and says how far it came.
func TestASceneIsStopped(t *testing.T) {
	h := newHouse(t)
	lamp := h.device["living room lamp"]
	set := scene.Action{Kind: scene.Set, Device: lamp, Params: []byte(`{"powerstate":1}`)}
	_, err := h.scenes.Create(t.Context(), h.who, h.id, scene.Draft{
		Label: home.Label{Names: home.Names{"zh-CN": "慢慢来"}}, Actions: []scene.Action{set, {Kind: scene.Wait, Seconds: 60}, set, set},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{"取消场景", "算了"} {
		if a := h.tells(t, "hall", "慢慢来"); a.Outcome != voice.Acted {
			t.Fatalf("%s: %s", a.Outcome, a.Reply)
		}
		h.road.sent(h)
		if a := h.tells(t, "hall", said); a.Outcome != voice.Acted || a.Reply != "好的，场景停下了，3 步里做了 1 步。" {
			t.Errorf("%s %s: %s", a.Outcome, a.Reason, a.Reply)
		}
		if sent := h.road.sent(h); len(sent) != 0 {
			t.Errorf("sent %v", sent)
		}
		if n := rowsOf(t, h.store, "scene_run WHERE position = 4"); n == 0 {
			t.Error("the run goes on")
		}
	}
}
