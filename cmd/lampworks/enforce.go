package main

import (
	"context"
	"net/url"
)

type enforceCommand struct {
	Catalogue enforceCatalogueCommand `cmd:"" help:"Every kind of measure with what it refuses, and every reason."`
	List      enforceListCommand      `cmd:"" help:"Measures."`
	Show      enforceShowCommand      `cmd:"" help:"One measure."`
	Impose    enforceImposeCommand    `cmd:"" help:"Impose a measure (operator)."`
	Lift      enforceLiftCommand      `cmd:"" help:"Lift a measure; a deletion that is held is called back (operator)."`
	Appeal    enforceAppealCommand    `cmd:"" help:"Appeal against a measure (owner)."`
	Appeals   enforceAppealsCommand   `cmd:"" help:"Appeals."`
	Decide    enforceDecideCommand    `cmd:"" help:"Decide about an appeal (operator; not who imposed the measure)."`
	Deletions enforceDeletionsCommand `cmd:"" help:"Deletions."`
	Proof     enforceProofCommand     `cmd:"" help:"A deletion with its proof."`
}

type enforceCatalogueCommand struct{ client }

func (e *enforceCatalogueCommand) Run(ctx context.Context) error {
	return e.look(ctx, "/api/v1/enforcement/catalogue")
}

type enforceListCommand struct {
	client
	Organisation string `help:"Only those of this one." placeholder:"ID"`
	State        string `help:"scheduled, in_force, ended or lifted." placeholder:"STATE"`
}

func (e *enforceListCommand) Run(ctx context.Context) error {
	return e.look(ctx, "/api/v1/enforcement/measures"+having("organisation", e.Organisation, "state", e.State))
}

type enforceShowCommand struct {
	client
	Measure string `arg:"" help:"Its id."`
}

func (e *enforceShowCommand) Run(ctx context.Context) error {
	return e.look(ctx, "/api/v1/enforcement/measures/"+url.PathEscape(e.Measure))
}

type enforceImposeCommand struct {
	client
	Kind     string   `arg:"" help:"warn, suspend_service, suspend, take_down, order_deletion, delete_data or terminate." enum:"warn,suspend_service,suspend,take_down,order_deletion,delete_data,terminate"`
	On       string   `arg:"" help:"organisation:ID, product:ID, batch:ID or device:ID."`
	Cause    string   `help:"A reason of the catalogue." required:""`
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
	in := body("subject", body("kind", kind, "id", id), "kind", e.Kind, "cause", e.Cause, "reason", e.Reason, "service", e.Service,
		"starts", e.Starts, "ends", e.Ends, "due", e.Due)
	if len(e.Evidence) > 0 {
		in["evidence"] = e.Evidence
	}
	return e.do(ctx, "POST", "/api/v1/enforcement/measures", in)
}

type enforceLiftCommand struct {
	client
	Measure string `arg:"" help:"Its id."`
	Reason  string `help:"Why." required:""`
}

func (e *enforceLiftCommand) Run(ctx context.Context) error {
	return e.do(ctx, "POST", "/api/v1/enforcement/measures/"+url.PathEscape(e.Measure)+"/lift", body("reason", e.Reason))
}

type enforceAppealCommand struct {
	client
	Measure   string   `arg:"" help:"Its id."`
	Statement string   `arg:"" help:"What is wrong with it."`
	Evidence  []string `help:"Ids." placeholder:"ID"`
}

func (e *enforceAppealCommand) Run(ctx context.Context) error {
	in := body("statement", e.Statement)
	if len(e.Evidence) > 0 {
		in["evidence"] = e.Evidence
	}
	return e.do(ctx, "POST", "/api/v1/enforcement/measures/"+url.PathEscape(e.Measure)+"/appeals", in)
}

type enforceAppealsCommand struct {
	client
	State string `help:"open, upheld, lifted, changed or withdrawn." placeholder:"STATE"`
}

func (e *enforceAppealsCommand) Run(ctx context.Context) error {
	return e.look(ctx, "/api/v1/enforcement/appeals"+having("state", e.State))
}

type enforceDecideCommand struct {
	client
	Appeal string `arg:"" help:"Its id."`
	Act    string `arg:"" help:"uphold, lift or change." enum:"uphold,lift,change"`
	Reason string `help:"The organisation reads it." required:""`
	Ends   string `help:"Of change: when the measure ends instead, RFC 3339." placeholder:"TIME"`
}

func (e *enforceDecideCommand) Run(ctx context.Context) error {
	return e.do(ctx, "PUT", "/api/v1/enforcement/appeals/"+url.PathEscape(e.Appeal)+"/decision", body("act", e.Act, "reason", e.Reason, "ends", e.Ends))
}

type enforceDeletionsCommand struct {
	client
	State string `help:"announced, called_back, erasing or done." placeholder:"STATE"`
}

func (e *enforceDeletionsCommand) Run(ctx context.Context) error {
	return e.look(ctx, "/api/v1/enforcement/deletions"+having("state", e.State))
}

type enforceProofCommand struct {
	client
	Deletion string `arg:"" help:"Its id."`
}

func (e *enforceProofCommand) Run(ctx context.Context) error {
	return e.look(ctx, "/api/v1/enforcement/deletions/"+url.PathEscape(e.Deletion))
}
