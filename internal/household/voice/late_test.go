package voice_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"lampworks/internal/fleet/command"
	"lampworks/internal/household/voice"
	"lampworks/internal/infra/listing"
)

// TestSlowDeviceIsToldOfLater: who can be told later does not wait for a slow device, and is told once what it did.
func TestSlowDeviceIsToldOfLater(t *testing.T) {
	told := make(chan voice.Telling, 4)
	h := newHouse(t, func(c *voice.Config) {
		c.SentAfter, c.Deadline, c.CommandDeadline = 20*time.Millisecond, 30*time.Second, 30*time.Second
		c.Told = func(a voice.Telling) { told <- a }
	})
	t.Cleanup(h.voice.Close)
	lamp, curtain := h.device["living room lamp"], h.device["living room curtain"]
	slow := make(chan command.Command, 2)
	h.road.ends[lamp] = func(c *command.Command) { c.State, c.EndedAt = command.Sent, time.Time{}; slow <- *c }
	a, err := h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Text: "打开客厅的灯和窗帘", Later: true})
	if err != nil {
		t.Fatal(err)
	}
	want := "好的，客厅的窗帘打开了，指令已发送，客厅的灯还没有回应，有结果再告诉您。"
	if a.Outcome != voice.Sent || a.Reply != want {
		t.Errorf("%s: %s", a.Outcome, a.Reply)
	}
	if got := outcomes(&a); got[lamp] != voice.Sent || got[curtain] != voice.Done {
		t.Errorf("outcomes %v", got)
	}
	select {
	case early := <-told:
		t.Fatalf("told before the device answered: %+v", early)
	default:
	}
	c := <-slow
	c.State, c.Reason, c.Note, c.EndedAt = command.Failed, command.Refused, "broken bulb", time.Now()
	h.road.end(c)
	got := <-told
	want = "刚才的指令：客厅的窗帘打开了；客厅的灯拒绝执行，说“broken bulb”。"
	if got.Answer.ID != a.ID || got.Home != h.id || got.User != h.who.User || got.Answer.Outcome != voice.Failed || got.Answer.Reply != want {
		t.Errorf("told is %+v", got)
	}
	kept, err := h.voice.Sentences(t.Context(), h.who, h.id, listing.Ask{})
	if err != nil || len(kept.Items) != 1 || kept.Items[0].Outcome != voice.Failed || kept.Items[0].Reply != want {
		t.Errorf("beside its words stands %+v, %v", kept.Items, err)
	}
}

// TestLateEnds: closing ends the waiting, and nobody is told; who cannot be told waits.
func TestLateEnds(t *testing.T) {
	h := newHouse(t, func(c *voice.Config) {
		c.SentAfter, c.Deadline, c.CommandDeadline = 10*time.Millisecond, 100*time.Millisecond, time.Minute
		c.Told = func(a voice.Telling) { t.Errorf("told %+v", a) }
	})
	h.road.ends[h.device["living room lamp"]] = func(c *command.Command) { c.State, c.EndedAt = command.Sent, time.Time{} }
	a, err := h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Text: "打开客厅的灯"})
	if err != nil || a.Outcome != voice.Failed || !strings.Contains(a.Reply, "没有回应") {
		t.Errorf("%+v %v", a, err)
	}
	if a, err = h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Text: "打开客厅的灯", Later: true}); err != nil || a.Outcome != voice.Sent {
		t.Errorf("%+v %v", a, err)
	}
	h.voice.Close()
}

func outcomes(a *voice.Answer) map[string]string {
	out := make(map[string]string)
	for _, act := range a.Actions {
		for _, target := range act.Targets {
			out[target.Device] = fmt.Sprint(target.Outcome)
		}
	}
	return out
}
