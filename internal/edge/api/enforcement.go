package api

import (
	"context"
	"encoding/json"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/takeout"
)

type measureView struct {
	ID           string        `json:"id"`
	Subject      subjectView   `json:"subject"`
	Organisation string        `json:"organisation"`
	Kind         enforce.Kind  `json:"kind" enum:"warn,suspend_service,suspend,take_down,order_deletion,delete_data,terminate"`
	Service      string        `json:"service,omitempty"`
	State        enforce.State `json:"state" enum:"scheduled,in_force,ended,lifted"`
	Cause        enforce.Cause `json:"cause"`
	Reason       string        `json:"reason"`
	Evidence     []string      `json:"evidence" nullable:"false" doc:"Ids of what it rests on."`
	ImposedBy    string        `json:"imposed_by,omitempty" doc:"Id of the person; for the operator only."`
	CreatedAt    moment        `json:"created_at"`
	StartsAt     moment        `json:"starts_at"`
	EndsAt       moment        `json:"ends_at,omitzero"`
	DueAt        moment        `json:"due_at,omitzero" doc:"Of an order: by when it is to be deleted. Of a deletion: when it begins."`
	AppealUntil  moment        `json:"appeal_until"`
	ClosedAt     moment        `json:"closed_at,omitzero"`
	Closing      string        `json:"closing,omitempty" doc:"Why it was lifted."`
	OpenActs     []enforce.Act `json:"open_acts" nullable:"false"`
}

func measureOf(who access.Actor) func(*enforce.Measure) measureView {
	return func(m *enforce.Measure) measureView {
		v := measureView{
			ID: m.ID, Subject: subjectView{m.Subject.Kind, m.Subject.ID}, Organisation: m.Organisation, Kind: m.Kind, Service: m.Service, State: m.State,
			Cause: m.Cause, Reason: m.Reason, Evidence: append([]string{}, m.Evidence...), CreatedAt: moment(m.Created), StartsAt: moment(m.Starts),
			EndsAt: moment(m.Ends), DueAt: moment(m.Due), AppealUntil: moment(m.AppealUntil), ClosedAt: moment(m.Closed), Closing: m.Closing,
			OpenActs: append([]enforce.Act{}, m.Open(who, time.Now())...),
		}
		if who.Everywhere() {
			v.ImposedBy = m.By
		}
		return v
	}
}

type appealView struct {
	ID           string              `json:"id"`
	Measure      string              `json:"measure"`
	Organisation string              `json:"organisation"`
	State        enforce.AppealState `json:"state" enum:"open,upheld,lifted,changed,withdrawn"`
	Statement    string              `json:"statement"`
	Evidence     []string            `json:"evidence" nullable:"false"`
	FiledAt      moment              `json:"filed_at"`
	DecidedAt    moment              `json:"decided_at,omitzero"`
	Decision     string              `json:"decision,omitempty"`
	OpenActs     []enforce.AppealAct `json:"open_acts" nullable:"false"`
}

func appealOf(who access.Actor) func(*enforce.Appealed) appealView {
	return func(p *enforce.Appealed) appealView {
		return appealView{
			p.ID, p.Measure, p.Organisation, p.State, p.Statement, append([]string{}, p.Evidence...), moment(p.Filed), moment(p.Decided), p.Decision,
			append([]enforce.AppealAct{}, p.Open(who)...),
		}
	}
}

type deletionView struct {
	ID           string                `json:"id"`
	Subject      subjectView           `json:"subject"`
	Organisation string                `json:"organisation"`
	Measure      string                `json:"measure,omitempty" doc:"Absent: the organisation leaves by its own will."`
	State        enforce.DeletionState `json:"state" enum:"announced,called_back,erasing,done"`
	Reason       string                `json:"reason,omitempty"`
	CreatedAt    moment                `json:"created_at"`
	HoldUntil    moment                `json:"hold_until" doc:"Until then it can be called back; from then on it cannot be undone."`
	StartedAt    moment                `json:"started_at,omitzero"`
	EndedAt      moment                `json:"ended_at,omitzero"`
	Proof        json.RawMessage       `json:"proof,omitempty" doc:"Where was looked for what was deleted, and what stays and why."`
	OpenActs     []enforce.DeletionAct `json:"open_acts" nullable:"false"`
	Export       string                `json:"export,omitempty" doc:"Where the organisation's data can be collected as a file before they are deleted: POST there."`
}

func deletionOf(who access.Actor) func(*enforce.Deletion) deletionView {
	return func(d *enforce.Deletion) deletionView {
		v := deletionView{
			ID: d.ID, Subject: subjectView{d.Subject.Kind, d.Subject.ID}, Organisation: d.Organisation, Measure: d.Measure, State: d.State, Reason: d.Reason,
			CreatedAt: moment(d.Created), HoldUntil: moment(d.HoldUntil), StartedAt: moment(d.Started), EndedAt: moment(d.Ended), Proof: d.Proof,
			OpenActs: append([]enforce.DeletionAct{}, d.Open(who)...),
		}
		if d.State == enforce.Announced && who.May(access.LeaveOrganisation) {
			v.Export = takeout.Path(d.Organisation)
		}
		return v
	}
}

type eventView struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	Note string `json:"note,omitempty"`
	At   moment `json:"at"`
}

func eventOf(e *enforce.Event) eventView { return eventView{e.ID, e.Kind, e.Note, moment(e.At)} }

type catalogueView struct {
	Measures []measureKind `json:"measures" nullable:"false"`
	Causes   []causeView   `json:"causes" nullable:"false"`
}

type measureKind struct {
	Kind    enforce.Kind      `json:"kind"`
	Titles  map[string]string `json:"titles"`
	Refuses []enforce.What    `json:"refuses" nullable:"false" doc:"What is refused while it is in force."`
}

type causeView struct {
	Cause  enforce.Cause     `json:"cause"`
	Titles map[string]string `json:"titles"`
}

type measuresInput struct {
	PageInput
	Organisation string `query:"organisation" maxLength:"64" doc:"For the operator: only those of this one."`
	SubjectKind  string `query:"subject_kind" maxLength:"64"`
	Subject      string `query:"subject" maxLength:"64"`
	State        string `query:"state" enum:"scheduled,in_force,ended,lifted"`
	Kind         string `query:"kind" maxLength:"64"`
}

type newMeasureInput struct {
	Body struct {
		Subject struct {
			Kind string `json:"kind" enum:"organisation,product,batch,device"`
			ID   string `json:"id" maxLength:"64"`
		} `json:"subject"`
		Kind     enforce.Kind  `json:"kind" enum:"warn,suspend_service,suspend,take_down,order_deletion,delete_data,terminate"`
		Service  string        `json:"service,omitempty" maxLength:"64" doc:"Of suspend_service."`
		Cause    enforce.Cause `json:"cause" maxLength:"64" example:"unsafe_product"`
		Reason   string        `json:"reason" maxLength:"4000" doc:"The organisation reads it."`
		Evidence []string      `json:"evidence,omitempty" nullable:"false" maxItems:"100"`
		Starts   time.Time     `json:"starts,omitzero" doc:"Now if not given."`
		Ends     time.Time     `json:"ends,omitzero" doc:"It ends by itself then; never if not given."`
		Due      time.Time     `json:"due,omitzero" doc:"Of order_deletion: by when. Of delete_data: not before."`
	}
}

type measureInput struct {
	Measure string `path:"measure" maxLength:"64"`
}

type liftInput struct {
	Measure string `path:"measure" maxLength:"64"`
	Body    struct {
		Reason string `json:"reason" maxLength:"4000"`
	}
}

type fulfilInput struct {
	Measure string `path:"measure" maxLength:"64"`
	Body    struct {
		Confirm string `json:"confirm" maxLength:"64" doc:"The id of the subject once more: everything of it will be deleted."`
	}
}

type measureEventsInput struct {
	PageInput
	Measure string `path:"measure" maxLength:"64"`
}

type newAppealInput struct {
	Measure string `path:"measure" maxLength:"64"`
	Body    struct {
		Statement string   `json:"statement" maxLength:"4000" doc:"What is wrong with the measure."`
		Evidence  []string `json:"evidence,omitempty" nullable:"false" maxItems:"100"`
	}
}

type appealsInput struct {
	PageInput
	Organisation string `query:"organisation" maxLength:"64" doc:"For the operator: only those of this one."`
	State        string `query:"state" enum:"open,upheld,lifted,changed,withdrawn"`
}

type appealInput struct {
	Appeal string `path:"appeal" maxLength:"64"`
}

type appealDecisionInput struct {
	Appeal string `path:"appeal" maxLength:"64"`
	Body   struct {
		Act    enforce.AppealAct `json:"act" enum:"uphold,lift,change"`
		Reason string            `json:"reason" maxLength:"4000" doc:"The organisation reads it."`
		Ends   time.Time         `json:"ends,omitzero" doc:"Of change: when the measure ends instead; of an order to delete, by when it is to be followed instead."`
	}
}

type deletionsInput struct {
	PageInput
	Organisation string `query:"organisation" maxLength:"64" doc:"For the operator: only those of this one."`
	State        string `query:"state" enum:"announced,called_back,erasing,done"`
}

type deletionInput struct {
	Deletion string `path:"deletion" maxLength:"64"`
}

type leaveInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Body         struct {
		Confirm string `json:"confirm" maxLength:"64" doc:"The id of the organisation once more: everything of it will be deleted."`
		Reason  string `json:"reason,omitempty" maxLength:"4000"`
	}
}

type stayInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Deletion     string `query:"deletion" required:"true" maxLength:"64" doc:"Id of the deletion that is called back."`
	Reason       string `query:"reason" maxLength:"1000"`
}

var (
	ofMeasure  = owner{"measure", "measure", func(ctx context.Context, a *API, id string) (string, error) { return a.Enforce.MeasureOwner(ctx, id) }}
	ofAppeal   = owner{"appeal", "appeal", func(ctx context.Context, a *API, id string) (string, error) { return a.Enforce.AppealOwner(ctx, id) }}
	ofDeletion = owner{"deletion", "deletion", func(ctx context.Context, a *API, id string) (string, error) { return a.Enforce.DeletionOwner(ctx, id) }}
)

func (a *API) enforcementRoutes() {
	route(a, "GET", "/api/v1/enforcement/catalogue", access.ReadEnforcement, ofNobody, "Every kind of measure with what it refuses, and every reason", func(context.Context, access.Actor, *struct{}) (catalogueView, error) {
		return catalogue(), nil
	})
	list(a, "/api/v1/enforcement/measures", access.ReadEnforcement, ofCaller, "Measures, newest first", func(ctx context.Context, who access.Actor, in *measuresInput) (page[measureView], error) {
		p, err := a.Enforce.Measures(ctx, who, in.unsorted(map[string]string{
			"organisation": in.Organisation, "subject_kind": in.SubjectKind, "subject": in.Subject, "state": in.State, "kind": in.Kind,
		}))
		return pageFrom(p, measureOf(who)), err
	})
	create(a, "/api/v1/enforcement/measures", access.Enforce, ofPlatform, "Impose a measure on an organisation, product, batch or device", func(ctx context.Context, who access.Actor, in *newMeasureInput) (measureView, error) {
		b := &in.Body
		m, err := a.Enforce.Impose(ctx, who, enforce.NewMeasure{
			Subject: enforce.Subject{Kind: b.Subject.Kind, ID: b.Subject.ID}, Kind: b.Kind, Service: b.Service, Cause: b.Cause, Reason: b.Reason, Evidence: b.Evidence,
			Starts: b.Starts, Ends: b.Ends, Due: b.Due,
		})
		return measureOf(who)(&m), err
	})
	route(a, "GET", "/api/v1/enforcement/measures/{measure}", access.ReadEnforcement, ofMeasure, "A measure", func(ctx context.Context, who access.Actor, in *measureInput) (measureView, error) {
		m, err := a.Enforce.Measure(ctx, who, in.Measure)
		return measureOf(who)(&m), err
	})
	list(a, "/api/v1/enforcement/measures/{measure}/events", access.ReadEnforcement, ofMeasure, "What happened to a measure, oldest first", func(ctx context.Context, who access.Actor, in *measureEventsInput) (page[eventView], error) {
		p, err := a.Enforce.Events(ctx, who, in.unsorted(map[string]string{"measure": in.Measure}))
		return pageFrom(p, eventOf), err
	})
	route(a, "POST", "/api/v1/enforcement/measures/{measure}/lift", access.Enforce, ofMeasure, "Lift a measure; a deletion that is held is called back", func(ctx context.Context, who access.Actor, in *liftInput) (measureView, error) {
		m, err := a.Enforce.Lift(ctx, who, in.Measure, in.Body.Reason)
		return measureOf(who)(&m), err
	})
	route(a, "POST", "/api/v1/enforcement/measures/{measure}/fulfilment", access.Appeal, ofMeasure, "Fulfil an order to delete: what it is about is deleted now", func(ctx context.Context, who access.Actor, in *fulfilInput) (measureView, error) {
		m, err := a.Enforce.Fulfil(ctx, who, in.Measure, in.Body.Confirm)
		return measureOf(who)(&m), err
	})
	a.appealRoutes()
	a.deletionRoutes()
}

func catalogue() catalogueView {
	var v catalogueView
	for _, e := range enforce.Effects() {
		v.Measures = append(v.Measures, measureKind{e.Kind, e.Title, append([]enforce.What{}, e.Refuses...)})
	}
	for _, c := range enforce.Causes() {
		v.Causes = append(v.Causes, causeView{c.Cause, c.Title})
	}
	return v
}

func (a *API) appealRoutes() {
	create(a, "/api/v1/enforcement/measures/{measure}/appeals", access.Appeal, ofMeasure, "Appeal against a measure", func(ctx context.Context, who access.Actor, in *newAppealInput) (appealView, error) {
		p, err := a.Enforce.Appeal(ctx, who, in.Measure, in.Body.Statement, in.Body.Evidence)
		return appealOf(who)(&p), err
	})
	list(a, "/api/v1/enforcement/appeals", access.ReadEnforcement, ofCaller, "Appeals, newest first", func(ctx context.Context, who access.Actor, in *appealsInput) (page[appealView], error) {
		p, err := a.Enforce.Appeals(ctx, who, in.unsorted(map[string]string{"organisation": in.Organisation, "state": in.State}))
		return pageFrom(p, appealOf(who)), err
	})
	route(a, "GET", "/api/v1/enforcement/appeals/{appeal}", access.ReadEnforcement, ofAppeal, "An appeal", func(ctx context.Context, who access.Actor, in *appealInput) (appealView, error) {
		p, err := a.Enforce.LoadAppeal(ctx, who, in.Appeal)
		return appealOf(who)(&p), err
	})
	route(a, "PUT", "/api/v1/enforcement/appeals/{appeal}/decision", access.DecideAppeal, ofAppeal, "Decide about an appeal; nobody decides about a measure they imposed", func(ctx context.Context, who access.Actor, in *appealDecisionInput) (appealView, error) {
		p, err := a.Enforce.Decide(ctx, who, in.Appeal, enforce.Decision{Act: in.Body.Act, Why: in.Body.Reason, Ends: in.Body.Ends})
		return appealOf(who)(&p), err
	})
	route(a, "DELETE", "/api/v1/enforcement/appeals/{appeal}", access.Appeal, ofAppeal, "Withdraw an appeal", func(ctx context.Context, who access.Actor, in *appealInput) (appealView, error) {
		p, err := a.Enforce.Decide(ctx, who, in.Appeal, enforce.Decision{Act: enforce.Withdraw})
		return appealOf(who)(&p), err
	})
}

func (a *API) deletionRoutes() {
	list(a, "/api/v1/enforcement/deletions", access.ReadEnforcement, ofCaller, "Deletions, newest first", func(ctx context.Context, who access.Actor, in *deletionsInput) (page[deletionView], error) {
		p, err := a.Enforce.Deletions(ctx, who, in.unsorted(map[string]string{"organisation": in.Organisation, "state": in.State}))
		return pageFrom(p, deletionOf(who)), err
	})
	route(a, "GET", "/api/v1/enforcement/deletions/{deletion}", access.ReadEnforcement, ofDeletion, "A deletion, with its proof once it is done", func(ctx context.Context, who access.Actor, in *deletionInput) (deletionView, error) {
		d, err := a.Enforce.Deletion(ctx, who, in.Deletion)
		return deletionOf(who)(&d), err
	})
	create(a, "/api/v1/organisations/{organisation}/leave", access.LeaveOrganisation, ofOrganisation, "End the organisation: everything of it is deleted after a hold", func(ctx context.Context, who access.Actor, in *leaveInput) (deletionView, error) {
		if in.Body.Confirm != in.Organisation || in.Organisation != who.Organisation {
			return deletionView{}, fault.Invalid("/confirm", in.Body.Confirm, "the id of the organisation that ends, for which who asks acts", "")
		}
		d, err := a.Enforce.Leave(ctx, who, in.Body.Reason)
		return deletionOf(who)(&d), err
	})
	route(a, "DELETE", "/api/v1/organisations/{organisation}/leave", access.LeaveOrganisation, ofOrganisation, "Call the end of the organisation back, while it is held", func(ctx context.Context, who access.Actor, in *stayInput) (deletionView, error) {
		d, err := a.Enforce.CallBack(ctx, who, in.Deletion, in.Reason)
		return deletionOf(who)(&d), err
	})
}

// unsorted is the question to a listing that is not sorted.
func (p *PageInput) unsorted(filters map[string]string) listing.Ask {
	return listing.Ask{Filters: filters, Cursor: p.Cursor, Limit: p.Limit}
}
