package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
)

type verifyCommand struct {
	Catalogue   verifyCatalogue   `cmd:"" help:"What is asked of whom: fields, papers, qualifications, levels, reasons."`
	Show        verifyShow        `cmd:"" help:"Where the verification stands."`
	Form        verifyForm        `cmd:"" help:"Print the form with what is missing, or fill it in from a JSON file."`
	Upload      verifyUpload      `cmd:"" help:"Upload a paper: PDF, PNG, JPEG or WebP."`
	Paper       verifyPaper       `cmd:"" help:"Write a paper to a file; a reviewer's look is recorded."`
	Remove      verifyRemove      `cmd:"" help:"Take a paper out of the next submission."`
	Submit      verifySubmit      `cmd:"" help:"Submit the form with its papers for review."`
	Withdraw    verifyWithdraw    `cmd:"" help:"Withdraw what nobody has decided about."`
	Submissions verifySubmissions `cmd:"" help:"What an organisation has submitted, newest first."`
	Queue       verifyQueue       `cmd:"" help:"The verifications of all organisations, as reviewers work on them."`
	Figures     verifyFigures     `cmd:"" help:"How much waits for reviewers, and for how long."`
	Claim       verifyClaim       `cmd:"" help:"Take a submission for review, or give it back."`
	Review      verifyReview      `cmd:"" help:"Print a submission as it was, with what has changed."`
	Decide      verifyDecide      `cmd:"" help:"Approve or reject a submission."`
	Demand      verifyDemand      `cmd:"" help:"Ask for papers by a date."`
	Clear       verifyClear       `cmd:"" help:"Take back what was asked for."`
	Revoke      verifyRevoke      `cmd:"" help:"End a verification for false papers."`
	Reinstate   verifyReinstate   `cmd:"" help:"Let an organisation begin again; another reviewer than who ended it."`
	Waive       verifyWaive       `cmd:"" help:"Waive a condition in writing."`
	Unwaive     verifyUnwaive     `cmd:"" help:"End a waiver now."`
	Waivers     verifyWaivers     `cmd:"" help:"Conditions that are waived."`
}

const verificationPath = organisationPath + "/verification"

// applicant is the organisation that a command is about.
type applicant struct{ oneOrganisation }

// ask asks one route of the organisation's verification and prints the answer.
func (a *applicant) ask(ctx context.Context, method, path string, in any) error {
	return a.do(ctx, method, a.path("/verification"+path), in)
}

// askHeld is ask, held to the version that was read.
func (a *applicant) askHeld(ctx context.Context, h held, method, path string, in any) error {
	return a.edit(ctx, h, method, a.path("/verification"+path), in)
}

type verifyCatalogue struct{ client }

func (v *verifyCatalogue) Run(ctx context.Context) error {
	return v.do(ctx, "GET", "/api/v1/verification/catalogue", nil)
}

type verifyShow struct{ applicant }

// Run prints where it stands and, if what was submitted last was rejected, why.
func (v *verifyShow) Run(ctx context.Context) error {
	var raw json.RawMessage
	if err := v.call(ctx, "GET", v.path("/verification"), nil, &raw); err != nil {
		return err
	}
	var newest struct {
		Items []struct {
			Number  int64           `json:"number"`
			State   string          `json:"state"`
			Reasons json.RawMessage `json:"reasons"`
			Note    string          `json:"note,omitempty"`
		} `json:"items"`
	}
	if err := v.call(ctx, "GET", v.path("/verification/submissions?limit=1"), nil, &newest); err != nil {
		return err
	}
	if len(newest.Items) == 0 || newest.Items[0].State != "rejected" {
		return printJSON(raw)
	}
	why, err := json.Marshal(newest.Items[0])
	if err != nil {
		return fmt.Errorf("printing the reasons: %w", err)
	}
	whole := bytes.TrimSuffix(bytes.TrimSpace(raw), []byte("}"))
	return printJSON(slices.Concat(whole, []byte(`,"last_submission":`), why, []byte("}")))
}

type verifyForm struct {
	applicant
	held
	Fill string `help:"JSON file: {\"form\":\"organisation\",\"values\":{…}}. Values that it does not name stay; an empty one, \"\", is cleared." placeholder:"FILE"`
}

func (v *verifyForm) Run(ctx context.Context) error {
	if v.Fill == "" {
		return v.ask(ctx, "GET", "/form", nil)
	}
	file, err := document(v.Fill)
	if err != nil {
		return err
	}
	var given formValues
	if err := json.Unmarshal(file, &given); err != nil {
		return fmt.Errorf("--fill %s: want {\"form\":…,\"values\":{…}} whose values are texts: %w", v.Fill, err)
	}
	var have struct {
		formValues
		Version int64 `json:"version"`
	}
	if err := v.call(ctx, "GET", v.path("/verification/form"), nil, &have); err != nil {
		return err
	}
	h := v.held
	if h.Revision == nil { // what is sent is what was read, but for what the file names
		h.Revision = &have.Version
	}
	return v.askHeld(ctx, h, "PUT", "/form", have.with(given))
}

// formValues is a form as it is filled in.
type formValues struct {
	Form   string            `json:"form"`
	Values map[string]string `json:"values"`
}

// with is the form with what was given in the places that this names. The values of another form are not carried over. What is
// empty is cleared by the server.
func (f formValues) with(given formValues) formValues {
	if given.Form != "" && given.Form != f.Form {
		f = formValues{Form: given.Form}
	}
	values := maps.Clone(f.Values)
	if values == nil {
		values = make(map[string]string)
	}
	maps.Copy(values, given.Values)
	return formValues{f.Form, values}
}

type verifyUpload struct {
	applicant
	Slot   string `arg:"" help:"What it is, as business_licence."`
	File   string `arg:"" type:"existingfile" help:"The file." sends:"paper"`
	Number string `help:"Of the paper." placeholder:"NUMBER"`
	Issuer string `help:"Who issued it." placeholder:"NAME"`
	From   string `help:"First day, YYYY-MM-DD." placeholder:"DATE" sends:"valid_from"`
	Until  string `help:"Last day, YYYY-MM-DD." placeholder:"DATE" sends:"valid_until"`
}

func (v *verifyUpload) Run(ctx context.Context) error {
	return v.upload(ctx, "POST", query(v.path("/verification/papers"), "slot", v.Slot, "name", filepath.Base(v.File),
		"number", v.Number, "issuer", v.Issuer, "valid_from", v.From, "valid_until", v.Until), v.File)
}

type verifyPaper struct {
	fetched
	Organisation string `arg:"" help:"Id of the organisation."`
	Paper        string `arg:"" help:"Id of the paper."`
}

func (v *verifyPaper) Run(ctx context.Context) error {
	return v.save(ctx, at(verificationPath+"/papers/{}", v.Organisation, v.Paper), v.Out)
}

type verifyRemove struct {
	applicant
	Paper string `arg:"" help:"Id of the paper."`
}

func (v *verifyRemove) Run(ctx context.Context) error {
	return v.ask(ctx, "DELETE", at("/papers/{}", v.Paper), nil)
}

type verifySubmit struct{ applicant }

func (v *verifySubmit) Run(ctx context.Context) error {
	return v.ask(ctx, creates, "/submissions", nil)
}

type verifyWithdraw struct{ applicant }

func (v *verifyWithdraw) Run(ctx context.Context) error {
	return v.ask(ctx, "DELETE", "/submissions", nil)
}

type verifySubmissions struct {
	sorted
	Organisation string `arg:"" help:"Id of the organisation."`
	State        string `help:"Only those in this state." placeholder:"STATE"`
}

func (v *verifySubmissions) Run(ctx context.Context) error {
	return v.list(ctx, at(verificationPath+"/submissions", v.Organisation), "number state form submitted_at decided_at reasons note", "state", v.State)
}

type verifyShowing struct {
	applicant
	Submission int `arg:"" help:"Its number."`
}

func (v *verifyShowing) path(rest string) string {
	return "/submissions/" + strconv.Itoa(v.Submission) + rest
}

type verifyReview struct {
	verifyShowing
	Reveal string `help:"Show personal values in full, and why; the look is recorded." placeholder:"REASON" sends:"reason"`
}

func (v *verifyReview) Run(ctx context.Context) error {
	if v.Reveal != "" {
		return v.ask(ctx, "POST", v.verifyShowing.path("/reveal"), body("reason", v.Reveal))
	}
	return v.ask(ctx, "GET", v.verifyShowing.path(""), nil)
}
