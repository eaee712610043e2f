package api

import (
	"context"
	"encoding/json"

	"lampworks/internal/household/scene"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
)

type timerView struct {
	ID        string           `json:"id"`
	Label     string           `json:"label"`
	Seconds   int              `json:"seconds,omitempty"`
	At        string           `json:"at,omitempty"`
	Day       string           `json:"day,omitempty"`
	Days      []string         `json:"days,omitempty" nullable:"false"`
	Actions   []sceneAction    `json:"actions" nullable:"false" doc:"None: it only rings."`
	Asked     string           `json:"asked" enum:"api,voice"`
	MadeBy    string           `json:"made_by,omitempty" doc:"The resident who set it, or the householder to whom it passed. Guests and children change and cancel only what they set."`
	State     scene.TimerState `json:"state" enum:"pending,fired,missed,cancelled" doc:"missed: it was due more than five minutes before the platform ran again; it did nothing."`
	DueAt     moment           `json:"due_at"`
	Shift     string           `json:"shift,omitempty" enum:"gap,first" doc:"What daylight saving does to it. gap: there is no such time on that day, it is as much later; first: there are two, it is the first."`
	LastAt    moment           `json:"last_at,omitzero" doc:"When it was due last."`
	Last      scene.TimerState `json:"last,omitempty" enum:"fired,missed" doc:"What came of that."`
	Broken    []sceneFlaw      `json:"broken,omitempty" nullable:"false" doc:"What it cannot do any more; it skips that."`
	Version   int64            `json:"version"`
	CreatedAt moment           `json:"created_at"`
	EndedAt   moment           `json:"ended_at,omitzero"`
}

func (v timerView) revision() int64 { return v.Version }

func timerOf(t *scene.Timer) timerView {
	return timerView{
		ID: t.ID, Label: t.Label, Seconds: t.Seconds, At: t.At, Day: t.Day, Days: t.Days, Asked: t.Asked, MadeBy: t.MadeBy, State: t.State, DueAt: moment(t.DueAt), Shift: t.Shift,
		LastAt: moment(t.LastAt), Last: t.Last, Version: t.Version, CreatedAt: moment(t.CreatedAt), EndedAt: moment(t.EndedAt),
		Actions: cast(t.Actions, func(a scene.Action) sceneAction { return sceneAction(a) }),
		Broken:  cast(t.Broken, func(f scene.Flaw) sceneFlaw { return sceneFlaw(f) }),
	}
}

type timerBody struct {
	Label   string        `json:"label,omitempty" maxLength:"128" doc:"What it is called: 煮蛋. At most 32 characters."`
	Seconds int           `json:"seconds,omitempty" minimum:"0" maximum:"2592000" doc:"After so many seconds; or at."`
	At      string        `json:"at,omitempty" maxLength:"5" doc:"Time of day in the home, as 07:30."`
	Day     string        `json:"day,omitempty" maxLength:"10" doc:"Date, with at; left out: the next time it is so late."`
	Days    []string      `json:"days,omitempty" nullable:"false" maxItems:"7" enum:"monday,tuesday,wednesday,thursday,friday,saturday,sunday" doc:"With at: it repeats on these weekdays."`
	Actions []sceneAction `json:"actions,omitempty" nullable:"false" maxItems:"50" doc:"Those of a scene; left out: it only rings."`
}

func (b *timerBody) timer() scene.NewTimer {
	return scene.NewTimer{
		Label: b.Label, When: scene.When{Seconds: b.Seconds, At: b.At, Day: b.Day, Days: b.Days}, Actions: actionsOf(b.Actions), Asked: "api",
	}
}

type newTimerInput struct {
	Home string `path:"home" maxLength:"64"`
	Body timerBody
}

type timerInput struct {
	Home  string `path:"home" maxLength:"64"`
	Timer string `path:"timer" maxLength:"64"`
}

type setTimerInput struct {
	Home  string `path:"home" maxLength:"64"`
	Timer string `path:"timer" maxLength:"64"`
	Body  timerBody
}

func (a *API) timerRoutes() {
	const path = "/api/v1/homes/{home}/timers"
	list(a, path, access.ReadHome, ofHome, "The timers (定时) of a home: those that are pending in the order in which they are due, then those that have ended", func(ctx context.Context, who access.Actor, in *scenesInput) (page[timerView], error) {
		all, err := a.Scenes.Timers(ctx, who, in.Home)
		if err != nil {
			return page[timerView]{}, err
		}
		return pageWithin(all, &in.PageInput, func(t *scene.Timer) string { return t.ID }, timerOf)
	})
	create(a, path, access.ControlDevice, ofHome, "Set a timer", func(ctx context.Context, who access.Actor, in *newTimerInput) (timerView, error) {
		t, err := a.Scenes.SetTimer(ctx, who, in.Home, in.Body.timer())
		return timerOf(&t), err
	})
	route(a, "GET", path+"/{timer}", access.ReadHome, ofHome, "A timer", func(ctx context.Context, who access.Actor, in *timerInput) (timerView, error) {
		t, err := a.Scenes.LoadTimer(ctx, who, in.Home, in.Timer)
		return timerOf(&t), err
	})
	at := func(ctx context.Context, q store.Querier, who access.Actor, in *setTimerInput) (int64, error) {
		return scene.TimerRevision(ctx, q, who, in.Home, in.Timer)
	}
	edit(a, "PUT", path+"/{timer}", access.ControlDevice, ofHome, at, "Set a timer anew that is pending", func(ctx context.Context, who access.Actor, in *setTimerInput) (timerView, error) {
		t, err := a.Scenes.ChangeTimer(ctx, who, in.Home, in.Timer, in.Body.timer())
		return timerOf(&t), err
	})
	route(a, "DELETE", path+"/{timer}", access.ControlDevice, ofHome, "Cancel a timer that is pending; it stays in the list", func(ctx context.Context, who access.Actor, in *timerInput) (timerView, error) {
		t, err := a.Scenes.CancelTimer(ctx, who, in.Home, in.Timer)
		return timerOf(&t), err
	})
}

// timerEvent is a live event: a timer was due.
type timerEvent struct {
	Timer string           `json:"timer"`
	Label string           `json:"label,omitempty"`
	State scene.TimerState `json:"state" enum:"fired,missed"`
	DueAt moment           `json:"due_at"`
	Run   string           `json:"run,omitempty" doc:"What it does, if it does anything."`
}

// rang turns a timer that was due into a live event.
func (v *view) rang(_ string, payload []byte) {
	var r scene.Rang
	if json.Unmarshal(payload, &r) != nil {
		return
	}
	v.hint(timerEvent{r.Timer, r.Label, r.State, moment(r.DueAt), r.Run})
}
