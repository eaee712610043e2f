package scene_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"lampworks/internal/fleet/command"
	"lampworks/internal/household/scene"
)

// TestWhoWaitsHoldsNobodyUp: runs whose devices do not answer take no place of those that have something to do.
func TestWhoWaitsHoldsNobodyUp(t *testing.T) {
	h := newHouse(t)
	h.work(h.scenes)
	h.road.ends[h.device["lamp"]] = func(c *command.Command) { c.State, c.EndedAt = command.Sent, time.Time{} }
	silent := h.scene("没人答", h.set("lamp", `{"powerstate":1}`))
	for range 100 {
		if _, err := h.scenes.Start(t.Context(), h.who, h.id, silent.ID, "api"); err != nil {
			t.Fatal(err)
		}
	}
	other := h.scene("落幕", h.set("curtain", `{"position":0}`))
	r, err := h.scenes.Start(t.Context(), h.who, h.id, other.ID, "api")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), command.DefaultDeadline)
	defer cancel()
	if r, err = h.scenes.Await(ctx, r.ID); err != nil || r.State != scene.Done {
		t.Errorf("the run is %s %v, %v", r.State, outcomes(r), err)
	}
}

// TestUnreadEndsAreReadAgain: a run whose commands' ends cannot be read now does not fail for it.
func TestUnreadEndsAreReadAgain(t *testing.T) {
	h := newHouse(t)
	h.config.Every = 20 * time.Millisecond
	s := scene.New(h.config)
	h.road.unread = 2
	h.scenes = s
	h.work(s)
	if r := h.run(h.scene("睡前", h.set("lamp", `{"powerstate":1}`))); r.State != scene.Done {
		t.Errorf("the run is %s: %v", r.State, outcomes(r))
	}
}

// TestGrowingSceneMindsThoseThatRunIt: what they come to together stays within a run, and a timer's actions do.
func TestGrowingSceneMindsThoseThatRunIt(t *testing.T) {
	h := newHouse(t)
	inner := h.scene("里面", h.set("lamp", `{"powerstate":1}`))
	var starts, many []scene.Action
	for range 5 {
		starts = append(starts, scene.Action{Kind: scene.Start, Scene: inner.ID})
	}
	h.scene("外面", starts...)
	for range scene.MaxActions {
		many = append(many, h.set("lamp", `{"powerstate":1}`))
	}
	_, err := h.scenes.Change(t.Context(), h.who, h.id, inner.ID, scene.Draft{Label: zh("里面"), Actions: many})
	if got := text(err); !strings.Contains(got, `the scene "外面", which runs this one, would be too large: steps is more`) {
		t.Error(got)
	}
	big := h.scene("聚会", many...)
	for i := range starts {
		starts[i].Scene = big.ID
	}
	const want = "steps is more, the limit is 200 steps with those of the scenes that it runs"
	if _, err := h.scenes.SetTimer(t.Context(), h.who, h.id, scene.NewTimer{When: scene.When{Seconds: 60}, Actions: starts}); text(err) != want {
		t.Error(err)
	}
	_, err = h.scenes.CreateAutomation(t.Context(), h.who, h.id, scene.AutomationDraft{Name: "a", Trigger: scene.Trigger{Kind: scene.OnTime, At: "07:00"}, Actions: starts})
	if text(err) != want {
		t.Error(err)
	}
}

// TestBadConstant of a condition is told as what is wrong with it.
func TestBadConstant(t *testing.T) {
	h := newHouse(t)
	d := scene.AutomationDraft{Name: "a", Condition: `"a".matches("(")`, Trigger: scene.Trigger{Kind: scene.OnTime, At: "07:00"}, Actions: []scene.Action{h.set("lamp", `{"powerstate":1}`)}}
	if _, err := h.scenes.CreateAutomation(t.Context(), h.who, h.id, d); !strings.HasPrefix(text(err), "the condition is wrong: ") {
		t.Error(err)
	}
}

// TestSwitchingOnKeepsEdits: who switches an automation on while another changes it switches the changed one on.
func TestSwitchingOnKeepsEdits(t *testing.T) {
	h := newHouse(t)
	d := scene.AutomationDraft{Name: "a", Trigger: scene.Trigger{Kind: scene.OnTime, At: "07:00"}, Actions: []scene.Action{h.set("lamp", `{"powerstate":1}`)}}
	a, err := h.scenes.CreateAutomation(t.Context(), h.who, h.id, d)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		d.Name = fmt.Sprint("a", i)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := h.scenes.ChangeAutomation(t.Context(), h.who, h.id, a.ID, d); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() { _, _ = h.scenes.EnableAutomation(t.Context(), h.who, h.id, a.ID, true) })
		wg.Wait()
		if now, err := h.scenes.LoadAutomation(t.Context(), h.who, h.id, a.ID); err != nil || now.Name != d.Name {
			t.Fatalf("round %d: it is called %q, %v", i, now.Name, err)
		}
	}
}
