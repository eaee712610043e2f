package main

import (
	"context"
	"strings"
	"time"
)

// The verbs of verification that are a reviewer's.

type verifyQueue struct {
	sorted
	State    string `help:"Only those in this state; any for all. Default: ${default}." default:"pending" placeholder:"STATE"`
	Kind     string `help:"Only organisations of this kind." placeholder:"KIND"`
	Form     string `help:"organisation or person." placeholder:"FORM"`
	Reviewer string `help:"Only those that this user took." placeholder:"ID"`
}

func (v *verifyQueue) Run(ctx context.Context) error {
	if v.State == "any" {
		v.State = ""
	}
	if v.Sort == "" && v.State != "" {
		v.Sort = "submitted_at" // who waits longest comes first
	}
	return v.list(ctx, "/api/v1/verifications", "organisation state form submitted_at due_at expires_at reviewer",
		"state", v.State, "kind", v.Kind, "form", v.Form, "reviewer", v.Reviewer)
}

type verifyFigures struct{ client }

func (v *verifyFigures) Run(ctx context.Context) error {
	return v.do(ctx, "GET", "/api/v1/verifications/figures", nil)
}

type verifyClaim struct {
	applicant
	Reviewer string `help:"User id of somebody else; for administrators." placeholder:"ID"`
	Return   bool   `help:"Give it back."`
}

func (v *verifyClaim) Run(ctx context.Context) error {
	if v.Return {
		return v.ask(ctx, "DELETE", "/claim", nil)
	}
	return v.ask(ctx, "PUT", "/claim", body("reviewer", v.Reviewer))
}

type verifyDecide struct {
	applicant
	held
	Submission int      `arg:"" help:"Number of the submission that was looked at."`
	Decision   string   `arg:"" enum:"approve,reject" help:"approve or reject."`
	Reason     []string `help:"Of a rejection: CODE, or CODE@paper.SLOT, CODE@field.NAME." placeholder:"REASON"`
	Note       string   `help:"The organisation reads it." placeholder:"TEXT"`
	Decline    []string `help:"Qualification that is not granted." placeholder:"NAME"`
}

func (v *verifyDecide) Run(ctx context.Context) error {
	reasons := []map[string]string{}
	for _, r := range v.Reason {
		code, where, _ := strings.Cut(r, "@")
		reasons = append(reasons, map[string]string{"code": code, "where": where, "text": v.Note})
	}
	return v.askHeld(ctx, v.held, "POST", "/decision", map[string]any{
		"submission": v.Submission, "decision": v.Decision, "reasons": reasons, "note": v.Note, "decline": append([]string{}, v.Decline...),
	})
}

type verifyDemand struct {
	applicant
	held
	Text        string    `arg:"" help:"What is to be done."`
	Paper       []string  `help:"Slot of a paper that is to come." placeholder:"SLOT"`
	Due         time.Time `help:"By when, as 2027-01-31T00:00:00Z." required:"" placeholder:"TIME"`
	Consequence string    `help:"Of the date: level_drops or agreement_ends." enum:"level_drops,agreement_ends" default:"level_drops"`
	Recheck     bool      `help:"A spot check, not supplements."`
}

func (v *verifyDemand) Run(ctx context.Context) error {
	act := "ask_supplement"
	if v.Recheck {
		act = "ask_recheck"
	}
	return v.askHeld(ctx, v.held, "PUT", "/demand", body("act", act, "text", v.Text, "papers", v.Paper, "due", v.Due, "consequence", v.Consequence))
}

type verifyClear struct {
	applicant
	held
	Reason string `help:"Why; stays on record." required:"" placeholder:"TEXT"`
}

func (v *verifyClear) Run(ctx context.Context) error {
	return v.askHeld(ctx, v.held, "POST", "/demand/clear", body("reason", v.Reason))
}

type verifyRevoke struct {
	applicant
	held
	Reason string `help:"The organisation reads it." required:"" placeholder:"TEXT"`
}

func (v *verifyRevoke) Run(ctx context.Context) error {
	return v.askHeld(ctx, v.held, "POST", "/revocation", body("reason", v.Reason))
}

type verifyReinstate struct {
	applicant
	held
	Reason string `help:"The organisation reads it." required:"" placeholder:"TEXT"`
}

func (v *verifyReinstate) Run(ctx context.Context) error {
	return v.askHeld(ctx, v.held, "POST", "/reinstatement", body("reason", v.Reason))
}

type verifyWaive struct {
	applicant
	Condition string    `arg:"" help:"field.NAME, paper.SLOT or qualification.NAME."`
	Reason    string    `help:"Why." required:"" placeholder:"TEXT"`
	Wording   string    `help:"The waiver itself." required:"" placeholder:"TEXT"`
	Paper     string    `help:"Id of the paper that it stands in, signed." placeholder:"ID"`
	From      time.Time `help:"From when. Default: now." placeholder:"TIME" sends:"starts_at"`
	Until     time.Time `help:"Until when, as 2027-01-31T00:00:00Z." required:"" placeholder:"TIME" sends:"ends_at"`
}

func (v *verifyWaive) Run(ctx context.Context) error {
	return v.ask(ctx, creates, "/waivers", body("condition", v.Condition, "reason", v.Reason, "wording", v.Wording, "paper", v.Paper,
		"starts_at", v.From, "ends_at", v.Until))
}

type verifyUnwaive struct {
	applicant
	Waiver string `arg:"" help:"Id of the waiver."`
	Reason string `help:"Why." required:"" placeholder:"TEXT"`
}

func (v *verifyUnwaive) Run(ctx context.Context) error {
	return v.ask(ctx, "DELETE", query(at("/waivers/{}", v.Waiver), "reason", v.Reason), nil)
}

type verifyWaivers struct {
	sorted
	Organisation string `help:"Only those of this organisation." placeholder:"ID"`
	Condition    string `help:"Only those of this condition." placeholder:"NAME"`
}

func (v *verifyWaivers) Run(ctx context.Context) error {
	return v.list(ctx, "/api/v1/waivers", "id organisation condition in_force starts_at ends_at reason", "organisation", v.Organisation, "condition", v.Condition)
}
