package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

type verifyCommand struct {
	Catalogue verifyCatalogue `cmd:"" help:"What is asked of whom: fields, papers, qualifications, levels, reasons."`
	Show      verifyShow      `cmd:"" help:"Where the verification stands."`
	Form      verifyForm      `cmd:"" help:"Print the form with what is missing, or fill it in from a JSON file."`
	Upload    verifyUpload    `cmd:"" help:"Upload a paper: PDF, PNG, JPEG or WebP."`
	Submit    verifySubmit    `cmd:"" help:"Submit the form with its papers for review."`
	Withdraw  verifyWithdraw  `cmd:"" help:"Withdraw what nobody has decided about."`
	Queue     verifyQueue     `cmd:"" help:"What waits for reviewers."`
	Claim     verifyClaim     `cmd:"" help:"Take a submission for review."`
	Review    verifyReview    `cmd:"" help:"Print a submission as it was, with what has changed."`
	Decide    verifyDecide    `cmd:"" help:"Approve or reject a submission."`
	Demand    verifyDemand    `cmd:"" help:"Ask for papers by a date."`
	Revoke    verifyRevoke    `cmd:"" help:"End a verification for false papers."`
	Waive     verifyWaive     `cmd:"" help:"Waive a condition in writing."`
	Waivers   verifyWaivers   `cmd:"" help:"Conditions that are waived."`
}

// applicant is the organisation that a command is about.
type applicant struct {
	client
	Organisation string `arg:"" help:"Id of the organisation." placeholder:"ORGANISATION"`
}

// do asks one route of the organisation's verification and prints the answer.
func (a *applicant) do(ctx context.Context, method, path string, in any) error {
	return a.show(ctx, method, a.path(path), in)
}

func (a *applicant) path(path string) string {
	return "/api/v1/organisations/" + url.PathEscape(a.Organisation) + "/verification" + path
}

type verifyCatalogue struct{ client }

func (v *verifyCatalogue) Run(ctx context.Context) error {
	return v.show(ctx, "GET", "/api/v1/verification/catalogue", nil)
}

type verifyShow struct{ applicant }

func (v *verifyShow) Run(ctx context.Context) error { return v.do(ctx, "GET", "", nil) }

type verifyForm struct {
	applicant
	Fill string `help:"JSON file: {\"form\":\"organisation\",\"values\":{…}}." type:"existingfile" placeholder:"FILE"`
}

func (v *verifyForm) Run(ctx context.Context) error {
	if v.Fill == "" {
		return v.do(ctx, "GET", "/form", nil)
	}
	b, err := os.ReadFile(v.Fill)
	if err != nil {
		return fmt.Errorf("reading the form: %w", err)
	}
	return v.do(ctx, "PUT", "/form", json.RawMessage(b))
}

type verifyUpload struct {
	applicant
	Slot   string `arg:"" help:"What it is, as business_licence."`
	File   string `arg:"" type:"existingfile" help:"The file."`
	Number string `help:"Of the paper." placeholder:"NUMBER"`
	Issuer string `help:"Who issued it." placeholder:"NAME"`
	From   string `help:"First day, YYYY-MM-DD." placeholder:"DATE"`
	Until  string `help:"Last day, YYYY-MM-DD." placeholder:"DATE"`
}

func (v *verifyUpload) Run(ctx context.Context) error {
	f, err := os.Open(v.File)
	if err != nil {
		return fmt.Errorf("reading the paper: %w", err)
	}
	defer f.Close()
	q := url.Values{"slot": {v.Slot}, "name": {filepath.Base(v.File)}}
	for name, value := range map[string]string{"number": v.Number, "issuer": v.Issuer, "valid_from": v.From, "valid_until": v.Until} {
		if value != "" {
			q.Set(name, value)
		}
	}
	var answer json.RawMessage
	if err := v.send(ctx, v.path("/papers?"+q.Encode()), f, &answer); err != nil {
		return err
	}
	return printJSON(answer)
}

type verifySubmit struct{ applicant }

func (v *verifySubmit) Run(ctx context.Context) error { return v.do(ctx, "POST", "/submissions", nil) }

type verifyWithdraw struct{ applicant }

func (v *verifyWithdraw) Run(ctx context.Context) error {
	return v.do(ctx, "DELETE", "/submissions", nil)
}

type verifyQueue struct {
	client
	State  string `help:"Only those in this state." default:"pending" placeholder:"STATE"`
	Kind   string `help:"Only organisations of this kind." placeholder:"KIND"`
	Cursor string `help:"next_cursor of the page before." placeholder:"CURSOR"`
}

func (v *verifyQueue) Run(ctx context.Context) error {
	q := url.Values{"state": {v.State}, "kind": {v.Kind}, "sort": {"submitted_at"}, "cursor": {v.Cursor}}
	return v.show(ctx, "GET", "/api/v1/verifications?"+q.Encode(), nil)
}

type verifyClaim struct {
	applicant
	Reviewer string `help:"User id of somebody else; for administrators." placeholder:"ID"`
}

func (v *verifyClaim) Run(ctx context.Context) error {
	in := map[string]string{}
	if v.Reviewer != "" {
		in["reviewer"] = v.Reviewer
	}
	return v.do(ctx, "PUT", "/claim", in)
}

type verifyReview struct {
	applicant
	Submission int    `arg:"" help:"Its number."`
	Reveal     string `help:"Show personal values in full, and why; the look is recorded." placeholder:"REASON"`
}

func (v *verifyReview) Run(ctx context.Context) error {
	path := fmt.Sprintf("/submissions/%d", v.Submission)
	if v.Reveal != "" {
		return v.do(ctx, "POST", path+"/reveal", map[string]string{"reason": v.Reveal})
	}
	return v.do(ctx, "GET", path, nil)
}

type verifyDecide struct {
	applicant
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
	return v.do(ctx, "POST", "/decision", map[string]any{
		"submission": v.Submission, "decision": v.Decision, "reasons": reasons, "note": v.Note, "decline": append([]string{}, v.Decline...),
	})
}

type verifyDemand struct {
	applicant
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
	return v.do(ctx, "PUT", "/demand", map[string]any{
		"act": act, "text": v.Text, "papers": append([]string{}, v.Paper...), "due": v.Due, "consequence": v.Consequence,
	})
}

type verifyRevoke struct {
	applicant
	Reason string `arg:"" help:"The organisation reads it."`
}

func (v *verifyRevoke) Run(ctx context.Context) error {
	return v.do(ctx, "POST", "/revocation", map[string]string{"reason": v.Reason})
}

type verifyWaive struct {
	applicant
	Condition string    `arg:"" help:"field.NAME, paper.SLOT or qualification.NAME."`
	Reason    string    `help:"Why." required:"" placeholder:"TEXT"`
	Wording   string    `help:"The waiver itself." required:"" placeholder:"TEXT"`
	Until     time.Time `help:"Until when, as 2027-01-31T00:00:00Z." required:"" placeholder:"TIME"`
}

func (v *verifyWaive) Run(ctx context.Context) error {
	return v.do(ctx, "POST", "/waivers", map[string]any{"condition": v.Condition, "reason": v.Reason, "wording": v.Wording, "ends_at": v.Until})
}

type verifyWaivers struct {
	client
	Organisation string `help:"Only those of this organisation." placeholder:"ID"`
}

func (v *verifyWaivers) Run(ctx context.Context) error {
	return v.show(ctx, "GET", "/api/v1/waivers?"+url.Values{"organisation": {v.Organisation}}.Encode(), nil)
}
