package api

import (
	"context"

	"lampworks/internal/household/scene"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
)

type automationTrigger scene.Trigger

type automationView struct {
	ID        string            `json:"id"`
	Name      string            `json:"name"`
	Enabled   bool              `json:"enabled"`
	Trigger   automationTrigger `json:"trigger"`
	Devices   map[string]string `json:"devices,omitempty" doc:"What the condition calls devices: a name to an id."`
	Condition string            `json:"condition,omitempty" doc:"CEL."`
	Actions   []sceneAction     `json:"actions" nullable:"false"`
	DueAt     moment            `json:"due_at,omitzero" doc:"By time and sun: when it is looked at next."`
	Broken    []sceneFlaw       `json:"broken,omitempty" nullable:"false" doc:"What it cannot do any more; it skips that."`
	Version   int64             `json:"version"`
	CreatedAt moment            `json:"created_at"`
	ChangedAt moment            `json:"changed_at"`
}

func (v automationView) revision() int64 { return v.Version }

func automationOf(m *scene.Automation) automationView {
	return automationView{
		ID: m.ID, Name: m.Name, Enabled: m.Enabled, Trigger: automationTrigger(m.Trigger), Devices: m.Devices, Condition: m.Condition, DueAt: moment(m.DueAt),
		Version: m.Version, CreatedAt: moment(m.CreatedAt), ChangedAt: moment(m.ChangedAt),
		Actions: cast(m.Actions, func(a scene.Action) sceneAction { return sceneAction(a) }),
		Broken:  cast(m.Broken, func(f scene.Flaw) sceneFlaw { return sceneFlaw(f) }),
	}
}

type traceView struct {
	ID      string `json:"id"`
	At      moment `json:"at" doc:"Of several, the last."`
	Cause   string `json:"cause" doc:"What set it off."`
	Outcome string `json:"outcome" enum:"ran,condition,unknown,loop,rate,late,refused" doc:"condition: it did not hold; unknown: what it looks at was not reported; loop: automations set each other off, three deep; rate: it ran too often; late: the platform did not run; refused: see why."`
	Why     string `json:"why,omitempty"`
	Depth   int    `json:"depth" doc:"How many automations led to it."`
	Times   int64  `json:"times" doc:"How often within the minute, of what did not run."`
	Run     string `json:"run,omitempty"`
}

func traceOf(t *scene.Trace) traceView {
	return traceView{t.ID, moment(t.At), t.Cause, t.Outcome, t.Why, t.Depth, t.Times, t.Run}
}

type automationBody struct {
	Name      string            `json:"name" maxLength:"128" doc:"At most 32 characters."`
	Disabled  bool              `json:"disabled,omitempty"`
	Trigger   automationTrigger `json:"trigger"`
	Devices   map[string]string `json:"devices,omitempty" doc:"What the condition calls devices: a name to an id."`
	Condition string            `json:"condition,omitempty" maxLength:"1000" doc:"CEL, with name.property and name.online of each device, now.hour, now.minute, now.weekday (1 is Monday), and value or event.… of the trigger. Left out: always."`
	Actions   []sceneAction     `json:"actions" nullable:"false" maxItems:"50"`
}

func (b *automationBody) draft() scene.AutomationDraft {
	return scene.AutomationDraft{
		Name: b.Name, Enabled: !b.Disabled, Trigger: scene.Trigger(b.Trigger), Devices: b.Devices, Condition: b.Condition, Actions: actionsOf(b.Actions),
	}
}

type newAutomationInput struct {
	Home string `path:"home" maxLength:"64"`
	Body automationBody
}

type automationInput struct {
	Home       string `path:"home" maxLength:"64"`
	Automation string `path:"automation" maxLength:"64"`
}

type setAutomationInput struct {
	Home       string `path:"home" maxLength:"64"`
	Automation string `path:"automation" maxLength:"64"`
	Body       automationBody
}

type enableInput struct {
	Home       string `path:"home" maxLength:"64"`
	Automation string `path:"automation" maxLength:"64"`
	Body       struct {
		Enabled bool `json:"enabled"`
	}
}

type tracesInput struct {
	PageInput
	Home       string `path:"home" maxLength:"64"`
	Automation string `path:"automation" maxLength:"64"`
}

func (a *API) automationRoutes() {
	const path = "/api/v1/homes/{home}/automations"
	list(a, path, access.ReadHome, ofHome, "The automations (自动化) of a home", func(ctx context.Context, who access.Actor, in *scenesInput) (page[automationView], error) {
		all, err := a.Scenes.Automations(ctx, who, in.Home)
		if err != nil {
			return page[automationView]{}, err
		}
		return pageWithin(all, &in.PageInput, func(m *scene.Automation) string { return m.ID }, automationOf)
	})
	create(a, path, access.WriteHome, ofHome, "Make an automation", func(ctx context.Context, who access.Actor, in *newAutomationInput) (automationView, error) {
		m, err := a.Scenes.CreateAutomation(ctx, who, in.Home, in.Body.draft())
		return automationOf(&m), err
	})
	route(a, "GET", path+"/{automation}", access.ReadHome, ofHome, "An automation", func(ctx context.Context, who access.Actor, in *automationInput) (automationView, error) {
		m, err := a.Scenes.LoadAutomation(ctx, who, in.Home, in.Automation)
		return automationOf(&m), err
	})
	at := func(ctx context.Context, q store.Querier, who access.Actor, in *setAutomationInput) (int64, error) {
		return scene.AutomationRevision(ctx, q, who, in.Home, in.Automation)
	}
	edit(a, "PUT", path+"/{automation}", access.WriteHome, ofHome, at, "Make an automation anew", func(ctx context.Context, who access.Actor, in *setAutomationInput) (automationView, error) {
		m, err := a.Scenes.ChangeAutomation(ctx, who, in.Home, in.Automation, in.Body.draft())
		return automationOf(&m), err
	})
	route(a, "PUT", path+"/{automation}/state", access.WriteHome, ofHome, "Switch an automation on or off", func(ctx context.Context, who access.Actor, in *enableInput) (automationView, error) {
		m, err := a.Scenes.EnableAutomation(ctx, who, in.Home, in.Automation, in.Body.Enabled)
		return automationOf(&m), err
	})
	route(a, "DELETE", path+"/{automation}", access.WriteHome, ofHome, "Take an automation away, with its traces", func(ctx context.Context, who access.Actor, in *automationInput) (nothing, error) {
		return nothing{}, a.Scenes.RemoveAutomation(ctx, who, in.Home, in.Automation)
	})
	list(a, path+"/{automation}/traces", access.ReadHome, ofHome, "What became of an automation each time it was set off, the newest first: why it ran, or did not", func(ctx context.Context, who access.Actor, in *tracesInput) (page[traceView], error) {
		all, err := a.Scenes.Traces(ctx, who, in.Home, in.Automation)
		if err != nil {
			return page[traceView]{}, err
		}
		return pageWithin(all, &in.PageInput, func(t *scene.Trace) string { return t.ID }, traceOf)
	})
}
