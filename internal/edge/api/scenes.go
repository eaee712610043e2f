package api

import (
	"context"
	"time"

	"lampworks/internal/household/home"
	"lampworks/internal/household/scene"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
)

// What a scene is made of, under names of their own in the document.
type (
	sceneAction scene.Action
	sceneFlaw   scene.Flaw
	runStep     scene.Step
)

// cast gives a list of a type's under another name.
func cast[T, S any](list []S, form func(S) T) []T {
	out := make([]T, len(list))
	for i := range list {
		out[i] = form(list[i])
	}
	return out
}

type sceneView struct {
	ID        string        `json:"id"`
	Names     home.Names    `json:"names"`
	Aliases   home.Aliases  `json:"aliases,omitempty"`
	Phrases   home.Aliases  `json:"phrases,omitempty" doc:"Sentences that start it, by language."`
	Actions   []sceneAction `json:"actions" nullable:"false"`
	Broken    []sceneFlaw   `json:"broken,omitempty" nullable:"false" doc:"What it cannot do any more; a run skips it."`
	Version   int64         `json:"version"`
	CreatedAt moment        `json:"created_at"`
	ChangedAt moment        `json:"changed_at"`
}

func (v sceneView) revision() int64 { return v.Version }

func sceneOf(sc *scene.Scene) sceneView {
	v := sceneView{
		ID: sc.ID, Names: sc.Names, Aliases: sc.Aliases, Phrases: sc.Phrases, Version: sc.Version,
		CreatedAt: moment(sc.CreatedAt), ChangedAt: moment(sc.ChangedAt),
		Actions: cast(sc.Actions, func(a scene.Action) sceneAction { return sceneAction(a) }),
		Broken:  cast(sc.Broken, func(f scene.Flaw) sceneFlaw { return sceneFlaw(f) }),
	}
	return v
}

type runView struct {
	ID        string      `json:"id"`
	Origin    string      `json:"origin" enum:"scene,timer,automation" doc:"What it is a run of."`
	Of        string      `json:"of" doc:"Id of that."`
	Names     home.Names  `json:"names,omitempty" doc:"What that was called."`
	Depth     int         `json:"depth,omitempty" doc:"How many automations led to it."`
	Asked     string      `json:"asked" doc:"Who asked for it: api, voice, clock, or what set an automation off."`
	State     scene.State `json:"state" enum:"running,done,partly,failed,late" doc:"done: all of it is confirmed; late: the rest was due more than five minutes before the platform ran again."`
	Steps     []runStep   `json:"steps" nullable:"false"`
	Position  int         `json:"position" doc:"How many of the steps were begun."`
	StartedAt moment      `json:"started_at"`
	DueAt     moment      `json:"due_at,omitzero" doc:"While it is running: when the next step is due."`
	EndedAt   moment      `json:"ended_at,omitzero"`
}

func runOf(r *scene.Run) runView {
	v := runView{
		ID: r.ID, Origin: r.Origin, Of: r.Ref, Names: r.Label, Asked: r.Asked, Depth: r.Depth, State: r.State, Position: r.Position,
		StartedAt: moment(r.StartedAt), DueAt: moment(r.DueAt),
	}
	if r.Ended() {
		v.DueAt, v.EndedAt = moment{}, moment(r.DueAt)
	}
	v.Steps = cast(r.Steps, func(st scene.Step) runStep { return runStep(st) })
	return v
}

type sceneBody struct {
	Names   home.Names    `json:"names"`
	Aliases home.Aliases  `json:"aliases,omitempty"`
	Phrases home.Aliases  `json:"phrases,omitempty" doc:"Sentences that start it, by language."`
	Actions []sceneAction `json:"actions" nullable:"false" maxItems:"50"`
	Anyway  bool          `json:"anyway,omitempty" doc:"Also if one of its words is a command already: from then on it starts the scene."`
}

func (b *sceneBody) draft() scene.Draft {
	return scene.Draft{Label: home.Label{Names: b.Names, Aliases: b.Aliases}, Phrases: b.Phrases, Actions: actionsOf(b.Actions), Anyway: b.Anyway}
}

func actionsOf(list []sceneAction) []scene.Action {
	return cast(list, func(a sceneAction) scene.Action { return scene.Action(a) })
}

type scenesInput struct {
	PageInput
	Home string `path:"home" maxLength:"64"`
}

type newSceneInput struct {
	Home string `path:"home" maxLength:"64"`
	Body sceneBody
}

type sceneInput struct {
	Home  string `path:"home" maxLength:"64"`
	Scene string `path:"scene" maxLength:"64"`
}

type setSceneInput struct {
	Home  string `path:"home" maxLength:"64"`
	Scene string `path:"scene" maxLength:"64"`
	Body  sceneBody
}

type startInput struct {
	Home  string `path:"home" maxLength:"64"`
	Scene string `path:"scene" maxLength:"64"`
	Body  struct {
		WaitMS int64 `json:"wait_ms,omitempty" minimum:"0" maximum:"20000" doc:"Answer when it has ended, or after this time."`
	}
}

type runsInput struct {
	ListInput
	Home  string `path:"home" maxLength:"64"`
	Of    string `query:"of" maxLength:"64" doc:"Id of the scene, timer or automation."`
	State string `query:"state" enum:"running,done,partly,failed,late"`
}

type runInput struct {
	Home string `path:"home" maxLength:"64"`
	Run  string `path:"run" maxLength:"64"`
}

func (a *API) sceneRoutes() {
	const path = "/api/v1/homes/{home}/scenes"
	list(a, path, access.ReadHome, ofHome, "The scenes (场景) of a home", func(ctx context.Context, who access.Actor, in *scenesInput) (page[sceneView], error) {
		all, err := a.Scenes.List(ctx, who, in.Home)
		if err != nil {
			return page[sceneView]{}, err
		}
		return pageWithin(all, &in.PageInput, func(sc *scene.Scene) string { return sc.ID }, sceneOf)
	})
	create(a, path, access.WriteHome, ofHome, "Make a scene", func(ctx context.Context, who access.Actor, in *newSceneInput) (sceneView, error) {
		sc, err := a.Scenes.Create(ctx, who, in.Home, in.Body.draft())
		return sceneOf(&sc), err
	})
	route(a, "GET", path+"/{scene}", access.ReadHome, ofHome, "A scene", func(ctx context.Context, who access.Actor, in *sceneInput) (sceneView, error) {
		sc, err := a.Scenes.Load(ctx, who, in.Home, in.Scene)
		return sceneOf(&sc), err
	})
	at := func(ctx context.Context, q store.Querier, who access.Actor, in *setSceneInput) (int64, error) {
		return scene.Revision(ctx, q, who, in.Home, in.Scene)
	}
	edit(a, "PUT", path+"/{scene}", access.WriteHome, ofHome, at, "Make a scene anew", func(ctx context.Context, who access.Actor, in *setSceneInput) (sceneView, error) {
		sc, err := a.Scenes.Change(ctx, who, in.Home, in.Scene, in.Body.draft())
		return sceneOf(&sc), err
	})
	route(a, "DELETE", path+"/{scene}", access.WriteHome, ofHome, "Take a scene away", func(ctx context.Context, who access.Actor, in *sceneInput) (nothing, error) {
		return nothing{}, a.Scenes.Remove(ctx, who, in.Home, in.Scene)
	})
	create(a, path+"/{scene}/runs", access.ControlDevice, ofHome, "Run a scene", func(ctx context.Context, who access.Actor, in *startInput) (runView, error) {
		r, err := a.Scenes.Start(ctx, who, in.Home, in.Scene, "api")
		if err != nil {
			return runView{}, err
		}
		if wait := time.Duration(in.Body.WaitMS) * time.Millisecond; wait > 0 {
			waiting, cancel := context.WithTimeout(ctx, wait)
			defer cancel()
			if now, err := a.Scenes.Await(waiting, r.ID); err == nil {
				r = now
			}
		}
		return runOf(&r), nil
	})
	list(a, "/api/v1/homes/{home}/runs", access.ReadHome, ofHome, "What was carried out in a home, newest first: 200 runs of 30 days", func(ctx context.Context, who access.Actor, in *runsInput) (page[runView], error) {
		p, err := a.Scenes.Runs(ctx, who, in.Home, in.ask(map[string]string{scene.ByRef: in.Of, scene.ByState: in.State}))
		return pageFrom(p, runOf), err
	})
	route(a, "GET", "/api/v1/homes/{home}/runs/{run}", access.ReadHome, ofHome, "A run, with what came of each of its steps", func(ctx context.Context, who access.Actor, in *runInput) (runView, error) {
		r, err := a.Scenes.LoadRun(ctx, who, in.Home, in.Run)
		return runOf(&r), err
	})
}
