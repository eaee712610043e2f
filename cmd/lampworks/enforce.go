package main

import (
	"context"
)

type enforceCommand struct {
	Catalogue enforceCatalogueCommand `cmd:"" help:"Every kind of measure with what it refuses, and every reason."`
	List      enforceListCommand      `cmd:"" help:"Measures."`
	Show      enforceShowCommand      `cmd:"" help:"One measure."`
	Events    enforceEventsCommand    `cmd:"" help:"What happened to a measure, oldest first."`
	Impose    enforceImposeCommand    `cmd:"" help:"Impose a measure (operator)."`
	Lift      enforceLiftCommand      `cmd:"" help:"Lift a measure; a deletion that is held is called back (operator)."`
	Fulfil    enforceFulfilCommand    `cmd:"" help:"Fulfil an order to delete: what it is about is deleted now, for good (owner)."`
	Appeal    enforceAppealCommand    `cmd:"" help:"Appeal against a measure (owner)."`
	Appeals   enforceAppealsCommand   `cmd:"" help:"Appeals; with an id, that one."`
	Retract   enforceRetractCommand   `cmd:"" help:"Withdraw an appeal (owner)."`
	Decide    enforceDecideCommand    `cmd:"" help:"Decide about an appeal (operator; not who imposed the measure)."`
	Deletions enforceDeletionsCommand `cmd:"" help:"Deletions."`
	Proof     enforceProofCommand     `cmd:"" help:"A deletion with its proof."`
}

const (
	measurePath = "/api/v1/enforcement/measures/{}"
	appealPath  = "/api/v1/enforcement/appeals/{}"
)

type enforceEventsCommand struct {
	pages
	Measure string `arg:"" help:"Its id."`
}

func (e *enforceEventsCommand) Run(ctx context.Context) error {
	return e.list(ctx, at(measurePath+"/events", e.Measure), "at kind note")
}

type enforceCatalogueCommand struct{ client }

func (e *enforceCatalogueCommand) Run(ctx context.Context) error {
	return e.do(ctx, "GET", "/api/v1/enforcement/catalogue", nil)
}

type enforceListCommand struct {
	pages
	Organisation string `help:"Only those of this one." placeholder:"ID"`
	On           string `help:"Only those on this: KIND:ID." placeholder:"KIND:ID"`
	Kind         string `help:"Only those of this kind." placeholder:"KIND"`
	State        string `help:"scheduled, in_force, ended or lifted." placeholder:"STATE"`
}

func (e *enforceListCommand) Run(ctx context.Context) error {
	var kind, id string
	if e.On != "" {
		var err error
		if kind, id, err = subject(e.On); err != nil {
			return err
		}
	}
	return e.list(ctx, "/api/v1/enforcement/measures", "id state kind cause subject.kind subject.id starts_at ends_at due_at reason",
		"organisation", e.Organisation, "state", e.State, "kind", e.Kind, "subject_kind", kind, "subject", id)
}

type enforceShowCommand struct {
	client
	Measure string `arg:"" help:"Its id."`
}

func (e *enforceShowCommand) Run(ctx context.Context) error {
	return e.do(ctx, "GET", at(measurePath, e.Measure), nil)
}

type enforceImposeCommand struct {
	client
	Kind     string   `arg:"" help:"warn, suspend_service, suspend, take_down, order_deletion, delete_data or terminate." enum:"warn,suspend_service,suspend,take_down,order_deletion,delete_data,terminate"`
	On       string   `arg:"" help:"organisation:ID, product:ID, batch:ID or device:ID." sends:"subject"`
	Cause    string   `help:"A reason; lampworks enforce catalogue lists them." required:""`
	Reason   string   `help:"In words; the organisation reads it." required:""`
	Service  string   `help:"Of suspend_service."`
	Evidence []string `help:"Ids of what it rests on." placeholder:"ID"`
	Starts   string   `help:"RFC 3339. Default: now." placeholder:"TIME"`
	Ends     string   `help:"RFC 3339. Default: never." placeholder:"TIME"`
	Due      string   `help:"Of an order: by when. Of a deletion: not before." placeholder:"TIME"`
}

func (e *enforceImposeCommand) Run(ctx context.Context) error {
	kind, id, err := subject(e.On)
	if err != nil {
		return err
	}
	return e.do(ctx, creates, "/api/v1/enforcement/measures", body("subject", body("kind", kind, "id", id), "kind", e.Kind, "cause", e.Cause,
		"reason", e.Reason, "service", e.Service, "starts", e.Starts, "ends", e.Ends, "due", e.Due, "evidence", e.Evidence))
}

type enforceLiftCommand struct {
	client
	Measure string `arg:"" help:"Its id."`
	Reason  string `help:"Why." required:""`
}

func (e *enforceLiftCommand) Run(ctx context.Context) error {
	return e.do(ctx, "POST", at(measurePath+"/lift", e.Measure), body("reason", e.Reason))
}

type enforceFulfilCommand struct {
	client
	Measure string `arg:"" help:"Its id."`
	Confirm string `help:"The id of what will be deleted, once more." required:"" placeholder:"ID"`
}

func (e *enforceFulfilCommand) Run(ctx context.Context) error {
	return e.do(ctx, "POST", at(measurePath+"/fulfilment", e.Measure), body("confirm", e.Confirm))
}

type enforceAppealCommand struct {
	client
	Measure   string   `arg:"" help:"Its id."`
	Statement string   `arg:"" help:"What is wrong with it."`
	Evidence  []string `help:"Ids." placeholder:"ID"`
}

func (e *enforceAppealCommand) Run(ctx context.Context) error {
	return e.do(ctx, creates, at(measurePath+"/appeals", e.Measure), body("statement", e.Statement, "evidence", e.Evidence))
}

type enforceAppealsCommand struct {
	pages
	Appeal       string `arg:"" optional:"" help:"Id of an appeal."`
	State        string `help:"open, upheld, lifted, changed or withdrawn." placeholder:"STATE"`
	Organisation string `help:"Only those of this one; for the operator." placeholder:"ID"`
}

func (e *enforceAppealsCommand) Run(ctx context.Context) error {
	if e.Appeal != "" {
		return e.do(ctx, "GET", at(appealPath, e.Appeal), nil)
	}
	return e.list(ctx, "/api/v1/enforcement/appeals", "id state measure filed_at decided_at organisation statement",
		"state", e.State, "organisation", e.Organisation)
}

type enforceRetractCommand struct {
	client
	Appeal string `arg:"" help:"Its id."`
}

func (e *enforceRetractCommand) Run(ctx context.Context) error {
	return e.do(ctx, "DELETE", at(appealPath, e.Appeal), nil)
}

type enforceDecideCommand struct {
	client
	Appeal string `arg:"" help:"Its id."`
	Act    string `arg:"" help:"uphold (the measure stands), lift or change (it ends at another time)." enum:"uphold,lift,change"`
	Reason string `help:"The organisation reads it." required:""`
	Ends   string `help:"Of change: when the measure ends instead, RFC 3339." placeholder:"TIME"`
}

func (e *enforceDecideCommand) Run(ctx context.Context) error {
	return e.do(ctx, "PUT", at(appealPath+"/decision", e.Appeal), body("act", e.Act, "reason", e.Reason, "ends", e.Ends))
}

type enforceDeletionsCommand struct {
	pages
	State        string `help:"announced, called_back, erasing or done." placeholder:"STATE"`
	Organisation string `help:"Only those of this one; for the operator." placeholder:"ID"`
}

func (e *enforceDeletionsCommand) Run(ctx context.Context) error {
	return e.list(ctx, "/api/v1/enforcement/deletions", "id state measure subject.kind subject.id hold_until started_at ended_at reason",
		"state", e.State, "organisation", e.Organisation)
}

type enforceProofCommand struct {
	client
	Deletion string `arg:"" help:"Its id."`
}

func (e *enforceProofCommand) Run(ctx context.Context) error {
	return e.do(ctx, "GET", at("/api/v1/enforcement/deletions/{}", e.Deletion), nil)
}
