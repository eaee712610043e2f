package scene

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// State is how far a run is.
type State string

// The states of a run.
const (
	Running State = "running"
	Done    State = "done"   // all of it is confirmed
	Partly  State = "partly" // some of it is
	Failed  State = "failed" // none of it is
	Late    State = "late"   // the rest was due more than [MaxLate] ago, when the program was not running
)

// Origins of a run: what Ref is the id of.
const OfScene = "scene"

// Outcomes of a step. Empty: nothing came of it yet.
const (
	Confirmed = "done"    // the device confirmed
	Undone    = "failed"  // Reason says why
	Skipped   = "skipped" // it could not be tried; Reason says why
	Waited    = "waited"  // of wait
)

// A Step is one action of a run, and what came of it.
type Step struct {
	Action
	Of      string `json:"of,omitempty" doc:"Id of the scene that it is of, where another ran it."`
	Outcome string `json:"outcome,omitempty" enum:"done,failed,skipped,waited" doc:"Left out: nothing came of it yet."`
	Reason  string `json:"reason,omitempty" doc:"Of failed and skipped: gone, no_scene, not_in_model, offline, waiting, silent, unconfirmed, wrong, refused, replaced, busy, suspended, unknown_state, invalid, late, stopped, no_speaker, too_often."`
	Note    string `json:"note,omitempty" doc:"What the device said when it refused."`
	Command string `json:"command,omitempty"`
}

// A Run is a list of steps on its way, or at its end.
type Run struct {
	ID, Home     string
	Organisation string
	Origin       string
	Ref          string     // id of what it is a run of
	Label        home.Names // what that was called
	Asked        string     // who asked for it: api, voice, clock, or what set off an automation
	Depth        int
	State        State
	Position     int
	DueAt        time.Time // of the next step; once it has ended: when
	Steps        []Step
	StartedAt    time.Time

	actor access.Actor // in whose name its commands go
}

// Ended reports whether nothing more will happen to the run.
func (r *Run) Ended() bool { return r.State != Running }

// Start begins a run of a scene of a home of who's organisation.
func (s *Service) Start(ctx context.Context, who access.Actor, homeID, sceneID, asked string) (Run, error) {
	var r Run
	err := s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := home.Revision(ctx, tx, who, homeID); err != nil {
			return err
		}
		all, err := scenesOf(ctx, tx, homeID)
		if err != nil {
			return err
		}
		sc := all[sceneID]
		if sc == nil {
			return fault.NotFound("scene", sceneID)
		}
		r = s.newRun(who, homeID, OfScene, sceneID, asked)
		r.Label, r.Steps = sc.Names, expand(sc.Actions, all, "", 0, nil)
		return s.begin(ctx, tx, &r)
	})
	return r, err
}

func (s *Service) newRun(who access.Actor, homeID, origin, ref, asked string) Run {
	now := time.Now().UTC().Truncate(time.Millisecond)
	return Run{
		ID: newID(), Home: homeID, Organisation: who.Organisation, Origin: origin, Ref: ref, Asked: asked, State: Running, DueAt: now, StartedAt: now,
		actor: access.Actor{Kind: who.Kind, ID: who.ID, Organisation: who.Organisation},
	}
}

// begin writes a new run, and has it go on once that is on disk.
func (s *Service) begin(ctx context.Context, tx *store.Tx, r *Run) error {
	var open int
	err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM scene_run WHERE home = ? AND state = ?", r.Home, Running).Scan(&open)
	if err != nil {
		return fmt.Errorf("counting the runs of home %s: %w", r.Home, err)
	}
	if open >= MaxRuns && !r.Ended() {
		return fault.Limit("runs under way", strconv.Itoa(open), fmt.Sprintf("%d runs under way a home", MaxRuns), time.Second)
	}
	if err := insertRun(ctx, tx, r); err != nil {
		return err
	}
	var devices []string
	for i := range r.Steps {
		if d := r.Steps[i].Device; d != "" && !slices.Contains(devices, d) {
			devices = append(devices, d)
		}
	}
	if err := link(ctx, tx, "run", r.ID, devices); err != nil {
		return err
	}
	tx.AfterCommit(s.nudge)
	return nil
}

// nudge has the work looked at now.
func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// expand puts the scenes that actions run into their places. depth is how deep the actions stand: 0 of a scene, -1 of what only runs scenes.
func expand(actions []Action, all map[string]*Scene, of string, depth int, steps []Step) []Step {
	for _, a := range actions {
		if len(steps) >= MaxSteps {
			return steps
		}
		sub := all[a.Scene]
		switch {
		case a.Kind != Start:
			steps = append(steps, Step{Action: a, Of: of})
		case sub == nil || depth >= MaxDepth:
			steps = append(steps, Step{Action: a, Of: of, Outcome: Skipped, Reason: NoScene})
		default:
			steps = expand(sub.Actions, all, sub.ID, depth+1, steps)
		}
	}
	return steps
}

// The names that runs are filtered by.
const (
	ByRef   = "of"
	ByState = "state"
	ofHome  = "home"
)

func runs() *listing.List[Run] {
	const bound = "a home keeps at most 200 runs"
	return &listing.List[Run]{
		Object: "run", Columns: runColumns, From: "scene_run", Newest: true,
		Fields: []listing.Field{{Name: ofHome, Column: "home"}, {Name: ByRef, Column: "ref"}, {Name: ByState, Column: "state"}},
		Ways: []listing.Way{
			{Filters: []string{ofHome}, Rest: []string{ByState}, Bound: bound},
			{Filters: []string{ofHome, ByRef}, Rest: []string{ByState}, Bound: bound},
		},
		Scan: func(row listing.Scanner) (Run, error) { return scanRun(row) },
	}
}

// Runs returns a page of the runs of a home of who's organisation, newest first. Filters: of, state.
func (s *Service) Runs(ctx context.Context, who access.Actor, homeID string, ask listing.Ask) (page listing.Page[Run], err error) {
	ask.Filters = map[string]string{ofHome: homeID, ByRef: ask.Filters[ByRef], ByState: ask.Filters[ByState]}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		if _, err := home.Revision(ctx, v, who, homeID); err != nil {
			return err
		}
		page, err = runs().Read(ctx, v, ask)
		return err
	})
	return page, err
}

// LoadRun returns a run of a home of who's organisation.
func (s *Service) LoadRun(ctx context.Context, who access.Actor, homeID, id string) (r Run, err error) {
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		if _, err := home.Revision(ctx, v, who, homeID); err != nil {
			return err
		}
		r, err = loadRun(ctx, v, id)
		return err
	})
	if err == nil && r.Home != homeID {
		return Run{}, fault.NotFound("run", id)
	}
	return r, err
}

// Stop has a run of a home of who's organisation go no further: the steps that it has not come to are skipped. It gives the run as it
// is then, whose commands that were sent are answered for as ever.
func (s *Service) Stop(ctx context.Context, who access.Actor, homeID, id string) (Run, error) {
	for range 3 { // its next step may just be under way
		if r, err := s.stop(ctx, who, homeID, id); !errors.Is(err, errTaken) {
			return r, err
		}
	}
	return Run{}, fault.Stale("run", id)
}

func (s *Service) stop(ctx context.Context, who access.Actor, homeID, id string) (r Run, err error) {
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := home.Revision(ctx, tx, who, homeID); err != nil {
			return err
		}
		if r, err = loadRun(ctx, tx, id); err != nil {
			return err
		}
		switch from := r.Position; {
		case r.Home != homeID:
			return fault.NotFound("run", id)
		case r.Ended() || from >= len(r.Steps):
			return fault.Conflict("state", "the run has no step before it any more")
		default:
			for i := from; i < len(r.Steps); i++ {
				if st := &r.Steps[i]; st.Outcome == "" {
					st.Outcome, st.Reason = Skipped, Stopped
				}
			}
			r.Position, r.DueAt = len(r.Steps), time.Now().UTC().Truncate(time.Millisecond)
			if err := r.move(ctx, tx, from); err != nil {
				return err
			}
		}
		tx.AfterCommit(s.nudge)
		return audit.Record(ctx, tx, who, "scene.run.stop", id, "home "+homeID)
	})
	return r, err
}

// Count counts the steps of the run that do something, and those of them that somebody stopped before they were begun.
func (r *Run) Count() (all, stopped int) {
	for i := range r.Steps {
		if st := &r.Steps[i]; st.Kind != Wait {
			all++
			if st.Reason == Stopped {
				stopped++
			}
		}
	}
	return all, stopped
}

// pollEvery is how long a lost wake-up, or another node, can delay who waits for a run.
const pollEvery = 250 * time.Millisecond

// Await returns a run at its end or, when ctx ends before, as it is then, with what its commands have come to.
func (s *Service) Await(ctx context.Context, id string) (Run, error) {
	ended := make(chan struct{}, 1)
	s.mu.Lock()
	s.ends[id] = append(s.ends[id], ended)
	s.mu.Unlock()
	defer s.leave(id, ended)
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		r, err := s.runByID(context.WithoutCancel(ctx), id)
		if err != nil || r.Ended() {
			return r, err
		}
		select {
		case <-ctx.Done():
			_ = s.judge(ctx, &r) // as far as it is known
			return r, nil
		case <-ended:
		case <-poll.C:
		}
	}
}

func (s *Service) leave(id string, ended chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends[id] = slices.DeleteFunc(s.ends[id], func(c chan struct{}) bool { return c == ended })
	if len(s.ends[id]) == 0 {
		delete(s.ends, id)
	}
}

func (s *Service) runByID(ctx context.Context, id string) (r Run, err error) {
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		r, err = loadRun(ctx, v, id)
		return err
	})
	return r, err
}
