package voice

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"lampworks/internal/household/scene"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// Scenes is what voice asks of the room scene.
type Scenes interface {
	List(ctx context.Context, who access.Actor, homeID string) ([]scene.Scene, error)
	Start(ctx context.Context, who access.Actor, homeID, sceneID, asked string) (scene.Run, error)
	Stop(ctx context.Context, who access.Actor, homeID, id string) (scene.Run, error)
	Await(ctx context.Context, id string) (scene.Run, error)
	SetTimer(ctx context.Context, who access.Actor, homeID string, n scene.NewTimer) (scene.Timer, error)
	CancelTimer(ctx context.Context, who access.Actor, homeID, id string) (scene.Timer, error)
	Timers(ctx context.Context, who access.Actor, homeID string) ([]scene.Timer, error)
	ForgetLabels(ctx context.Context, tx *store.Tx, homeID, resident string) error
}

// NoScene is the reason of a scene that was removed meanwhile.
const NoScene = "no_scene"

// A performance is a scene that a sentence started.
type performance struct {
	act int // index into reading.Actions
	run scene.Run
}

// startScenes starts what the sentence names. It gives how many it did.
func (t *turn) startScenes(ctx context.Context) (int, error) {
	for i, a := range t.reading.Actions {
		if !isScene(a) {
			continue
		}
		r, err := t.s.c.Scenes.Start(ctx, t.who, t.in.Home, a.Scene, "voice")
		if refusal(err) {
			b := booking{act: i, why: sceneGone, reason: NoScene}
			if fault.Is(err, fault.OverLimit) {
				b.why, b.reason = sceneBusy, Busy
			}
			t.bookings = append(t.bookings, b)
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("starting scene %s for sentence %s: %w", a.Scene, t.id, err)
		}
		t.runs = append(t.runs, performance{i, r})
	}
	return len(t.runs), nil
}

// sceneFirst is how long what stands behind a scene waits for it, at most: one with pauses goes on beside it.
const sceneFirst = time.Second

// letScenes waits until what was started has ended.
func (t *turn) letScenes(ctx context.Context) {
	end := time.Now().Add(sceneFirst)
	if p := t.patience(); p.Before(end) {
		end = p
	}
	waiting, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	for i := range t.runs {
		_, _ = t.s.c.Scenes.Await(waiting, t.runs[i].run.ID) // what came of it is asked for later
	}
}

// watchScenes waits until what was started has ended, or for what is left of the deadline, and makes steps of what came of it.
func (t *turn) watchScenes(ctx context.Context) error {
	for i := range t.runs {
		p := &t.runs[i]
		r, err := t.s.c.Scenes.Await(ctx, p.run.ID)
		if err != nil {
			return fmt.Errorf("waiting for the scene of sentence %s: %w", t.id, err)
		}
		p.run = r
		for j := range r.Steps {
			st := &r.Steps[j]
			if t.home.devices[st.Device] == nil || st.Outcome == "" || st.Reason == string(scene.Late) || st.Reason == scene.Stopped {
				continue
			}
			if t.early && r.State == scene.Running && (st.Reason == scene.Silent || st.Reason == scene.Waiting) {
				continue // it is told later
			}
			out := step{act: p.act, device: st.Device, outcome: Done, command: st.Command, note: st.Note}
			if st.Outcome != scene.Confirmed {
				out.outcome, out.reason = Undone, st.Reason
				if st.Reason == scene.NotInModel {
					out.reason = Invalid
				}
			}
			t.steps = append(t.steps, out)
		}
	}
	return nil
}

// dangerous reports whether a scene, or one within it, does what is to be confirmed.
func (h *spoken) dangerous(id string) bool { return h.dangerousWithin(id, scene.MaxDepth) }

func (h *spoken) dangerousWithin(id string, depth int) bool {
	s := h.scenes[id]
	return s != nil && slices.ContainsFunc(s.Actions, func(a scene.Action) bool {
		if h.hidden(a.Device) {
			return true // the index, which judges, knows nothing of it, and the run commands it all the same
		}
		switch a.Kind {
		case scene.Call:
			return h.index.DangerousCall(a.Device, a.Service)
		case scene.Adjust:
			return h.index.DangerousAdjust(a.Device, a.Property, a.By)
		case scene.Start:
			return depth > 0 && h.dangerousWithin(a.Scene, depth-1)
		case scene.Set:
			var sets map[string]json.RawMessage
			if json.Unmarshal(a.Params, &sets) != nil {
				return false
			}
			for property, raw := range sets {
				if n, is := number(raw); is && h.index.DangerousSet(a.Device, property, n) {
					return true
				}
			}
		}
		return false
	})
}

// hidden reports whether a device of the home is none of those that understanding knows.
func (h *spoken) hidden(device string) bool {
	d := h.devices[device]
	return d != nil && d.Hidden
}

// broken counts the steps of a run that name what is not in the home any more.
func (t *turn) broken(r *scene.Run) int {
	n := 0
	for i := range r.Steps {
		if st := &r.Steps[i]; st.Outcome == scene.Skipped && (st.Reason == scene.Gone || st.Reason == scene.NoScene) {
			n++
		}
	}
	return n
}

// performed says what came of the scene of an action, and what of it is broken.
func (w *teller) performed(t *turn, act int) (good, bad []string) {
	for i := range t.runs {
		p := &t.runs[i]
		if p.act != act {
			continue
		}
		name := w.scene(p.run.Ref)
		switch p.run.State {
		case scene.Running:
			good = append(good, w.say(doneSceneStarted, "scene", name))
		case scene.Done:
			good = append(good, w.say(doneScene, "scene", name))
		case scene.Partly:
			good = append(good, w.say(doneScenePartly, "scene", name))
		case scene.Failed, scene.Late:
			bad = append(bad, w.say(failedScene, "scene", name))
		}
		if n := t.broken(&p.run); n > 0 {
			bad = append(bad, w.say(failedSceneBroken, "scene", name, "n", strconv.Itoa(n)))
		}
	}
	return good, bad
}

// judgeScenes gives the sentence the outcome of its scenes where none of their devices has said it.
func (t *turn) judgeScenes() {
	for i := range t.runs {
		r := &t.runs[i].run
		if n := t.broken(r); (n > 0 || r.State == scene.Failed) && t.out.Outcome == Acted {
			t.out.Outcome, t.out.Reason = Failed, scene.Gone
		}
	}
}
