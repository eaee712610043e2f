package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/verify"
)

const (
	verifications = "/api/v1/verifications"
	verification  = "/api/v1/organisations/{organisation}/verification"
)

type verifyFormInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Body         struct {
		Form   verify.Form       `json:"form" enum:"organisation,person" example:"organisation"`
		Values map[string]string `json:"values" maxProperties:"100" doc:"By the names of the catalogue's fields."`
	}
}

type verifyUploadInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Slot         string `query:"slot" required:"true" maxLength:"64" example:"business_licence"`
	Name         string `query:"name" maxLength:"400" doc:"Of the file."`
	Number       string `query:"number" maxLength:"256" doc:"Of the paper."`
	Issuer       string `query:"issuer" maxLength:"400"`
	ValidFrom    string `query:"valid_from" maxLength:"10" format:"date" doc:"First day."`
	ValidUntil   string `query:"valid_until" maxLength:"10" format:"date" doc:"Last day."`
	Type         string `header:"Content-Type" maxLength:"128"`

	body io.Reader
}

// Resolve implements huma.Resolver: the body is handed on as it comes.
func (in *verifyUploadInput) Resolve(hc huma.Context) []error {
	in.body = &pieces{hc.BodyReader(), hc}
	return nil
}

// pieces reads a body of which each piece must be there in time.
type pieces struct {
	body io.Reader
	hc   huma.Context
}

// Read implements io.Reader.
func (p *pieces) Read(b []byte) (int, error) {
	if err := p.hc.SetReadDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return p.body.Read(b)
}

type verifyPaperInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Paper        string `path:"paper" maxLength:"64"`
}

type verifySubmissionInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Number       int    `path:"number" minimum:"1" maximum:"1000"`
}

type verifySubmissionsInput struct {
	ListInput
	Organisation string `path:"organisation" maxLength:"64"`
	State        string `query:"state" maxLength:"64"`
}

type verifyRevealInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Number       int    `path:"number" minimum:"1" maximum:"1000"`
	Body         struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Why it has to be seen; it stands in the audit." example:"to compare with the registry"`
	}
}

type verifyClaimInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Body         struct {
		Reviewer string `json:"reviewer,omitempty" maxLength:"64" doc:"User id; whoever asks if not given. Giving it to somebody else is for administrators."`
	}
}

type verifyDecisionInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Body         struct {
		Submission int             `json:"submission" minimum:"1" doc:"Number of the one that was looked at." example:"1"`
		Decision   string          `json:"decision" enum:"approve,reject" example:"reject"`
		Reasons    []verify.Reason `json:"reasons,omitempty" maxItems:"50" doc:"Of a rejection, at least one."`
		Note       string          `json:"note,omitempty" maxLength:"2000" doc:"The organisation reads it."`
		Decline    []string        `json:"decline,omitempty" maxItems:"50" doc:"Qualifications that are not granted though the papers for them are there."`
	}
}

type verifyDemandInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Body         struct {
		Act         verify.Act `json:"act" enum:"ask_recheck,ask_supplement" example:"ask_supplement"`
		Text        string     `json:"text" minLength:"1" maxLength:"2000" example:"Please upload the renewed trademark registration."`
		Papers      []string   `json:"papers,omitempty" maxItems:"40" doc:"Slots."`
		Due         time.Time  `json:"due"`
		Consequence string     `json:"consequence" enum:"level_drops,agreement_ends"`
	}
}

type verificationReasonInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Body         struct {
		Reason string `json:"reason" minLength:"1" maxLength:"2000" doc:"The organisation reads it."`
	}
}

type verifyQueueInput struct {
	ListInput
	Kind     account.Kind `query:"kind" maxLength:"64"`
	State    string       `query:"state" maxLength:"64"`
	Form     string       `query:"form" maxLength:"64"`
	Reviewer string       `query:"reviewer" maxLength:"64"`
}

type verifyWaiversInput struct {
	ListInput
	Organisation string `query:"organisation" maxLength:"64"`
	Condition    string `query:"condition" maxLength:"128"`
}

type verifyNewWaiverInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Body         struct {
		Condition string    `json:"condition" maxLength:"128" example:"qualification.radio"`
		Reason    string    `json:"reason" minLength:"1" maxLength:"2000"`
		Wording   string    `json:"wording" minLength:"1" maxLength:"8000" doc:"The waiver itself."`
		Paper     string    `json:"paper,omitempty" maxLength:"64" doc:"Id of a paper of the organisation that has it."`
		StartsAt  time.Time `json:"starts_at,omitzero" doc:"Now if not given."`
		EndsAt    time.Time `json:"ends_at"`
	}
}

type verifyWaiverInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Waiver       string `path:"waiver" maxLength:"64"`
	Reason       string `query:"reason" required:"true" minLength:"1" maxLength:"2000" doc:"The organisation reads it."`
}

func (a *API) verificationRoutes() {
	route(a, "GET", "/api/v1/verification/catalogue", anybody, ofNobody, "What is asked of whom: fields, papers, qualifications, levels and reasons", func(context.Context, access.Actor, *struct{}) (*verify.Catalogue, error) {
		return a.Verify.Catalogue(), nil
	})
	route(a, "GET", verification, access.ReadVerification, ofOrganisation, "Where the verification (认证) of an organisation stands", func(ctx context.Context, who access.Actor, in *organisationInput) (verificationView, error) {
		c, err := a.Verify.Load(ctx, who, in.Organisation)
		return a.verificationOf(ctx, who, c, err)
	})
	route(a, "GET", verification+"/form", access.ReadVerification, ofOrganisation, "The form as it is being filled in, and what is missing", func(ctx context.Context, who access.Actor, in *organisationInput) (verifyWorksheetView, error) {
		w, err := a.Verify.Worksheet(ctx, who, in.Organisation)
		return verifyWorksheetOf(&w), err
	})
	edit(a, "PUT", verification+"/form", access.SubmitVerification, ofOrganisation, verificationVersion(a, func(in *verifyFormInput) string { return in.Organisation }), "Fill in the form", func(ctx context.Context, who access.Actor, in *verifyFormInput) (verificationView, error) {
		c, err := a.Verify.SetForm(ctx, who, in.Organisation, verify.Draft{Form: in.Body.Form, Values: in.Body.Values})
		return a.verificationOf(ctx, who, c, err)
	})
	a.verificationPaperRoutes()
	a.submissionRoutes()
	a.reviewRoutes()
	a.waiverRoutes()
}

// verificationVersion finds the version of the case that an edit is about.
func verificationVersion[I any](a *API, organisation func(*I) string) revision[I] {
	return func(ctx context.Context, q store.Querier, who access.Actor, in *I) (int64, error) {
		return a.Verify.Version(ctx, q, who, organisation(in))
	}
}

func (a *API) verificationPaperRoutes() {
	const papers = verification + "/papers"
	op := a.operation("POST", papers, access.SubmitVerification, ofOrganisation, "Upload a paper for the next submission: PDF, PNG, JPEG or WebP, as the body")
	op.DefaultStatus = http.StatusCreated
	binary := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/pdf": binary, "image/png": binary, "image/jpeg": binary, "image/webp": binary, "application/octet-stream": binary,
	}}
	a.large(op.Method, op.Path, verify.LargestPaper)
	register(a, op, func(ctx context.Context, in *verifyUploadInput) (verifyPaperView, error) {
		who, _ := access.Of(ctx)
		p, err := a.Verify.Upload(ctx, who, in.Organisation, verify.NewPaper{
			Slot: in.Slot, About: verify.About{Name: in.Name, Number: in.Number, Issuer: in.Issuer}, ValidFrom: in.ValidFrom, ValidUntil: in.ValidUntil, MediaType: in.Type,
		}, in.body)
		if err != nil && fault.Of(err) == nil {
			err = bodyFault(err)
		}
		return verifyPaperOf(&p), err
	})
	route(a, "DELETE", papers+"/{paper}", access.SubmitVerification, ofOrganisation, "Take a paper out of the next submission", func(ctx context.Context, who access.Actor, in *verifyPaperInput) (nothing, error) {
		return nothing{}, a.Verify.Remove(ctx, who, in.Organisation, in.Paper)
	})
	look(a, papers+"/{paper}", access.ReadVerification, ofOrganisation, "The bytes of a paper, for the organisation's owner and for reviewers, whose look is recorded", func(ctx context.Context, who access.Actor, in *verifyPaperInput) (looked, error) {
		p, content, err := a.Verify.Look(ctx, who, in.Organisation, in.Paper)
		return looked{p.Slot + "-" + p.ID, p.MediaType, p.Size, content}, err
	})
}

// bodyFault tells of a body that did not come whole.
func bodyFault(err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return fault.TooLarge("body", large.Limit, large.Limit-1)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &fault.Fault{Code: fault.Malformed, What: "the body broke off before its end", Where: "body", Fix: "send it again", Err: err}
	}
	return err
}

func (a *API) submissionRoutes() {
	const submissions = verification + "/submissions"
	list(a, submissions, access.ReadVerification, ofOrganisation, "What an organisation has submitted, newest first", func(ctx context.Context, who access.Actor, in *verifySubmissionsInput) (page[VerifySubmissionLine], error) {
		p, err := a.Verify.Submissions(ctx, who, in.Organisation, in.ask(map[string]string{"state": in.State}))
		return pageFrom(p, verifySubmissionLineOf), err
	})
	create(a, submissions, access.SubmitVerification, ofOrganisation, "Submit the form with its papers for review", func(ctx context.Context, who access.Actor, in *organisationInput) (verificationView, error) {
		c, err := a.Verify.Submit(ctx, who, in.Organisation)
		return a.verificationOf(ctx, who, c, err)
	})
	route(a, "DELETE", submissions, access.SubmitVerification, ofOrganisation, "Withdraw the submission that nobody has decided about", func(ctx context.Context, who access.Actor, in *organisationInput) (verificationView, error) {
		c, err := a.Verify.Withdraw(ctx, who, in.Organisation)
		return a.verificationOf(ctx, who, c, err)
	})
	route(a, "GET", submissions+"/{number}", access.ReadVerification, ofOrganisation, "A submission as it was, masked, with what has changed", func(ctx context.Context, who access.Actor, in *verifySubmissionInput) (verifySubmissionView, error) {
		s, err := a.Verify.Submission(ctx, who, in.Organisation, in.Number)
		return verifySubmissionOf(&s), err
	})
	route(a, "POST", submissions+"/{number}/reveal", access.ReviewVerification, ofOrganisation, "A submission in full, for reviewers; the look is recorded", func(ctx context.Context, who access.Actor, in *verifyRevealInput) (verifySubmissionView, error) {
		s, err := a.Verify.Reveal(ctx, who, in.Organisation, in.Number, in.Body.Reason)
		return verifySubmissionOf(&s), err
	})
}

func (a *API) reviewRoutes() {
	list(a, verifications, access.ReviewVerification, ofPlatform, "The verifications of all organisations, as reviewers work on them", func(ctx context.Context, who access.Actor, in *verifyQueueInput) (page[verificationEntryView], error) {
		p, err := a.Verify.Queue(ctx, who, in.ask(map[string]string{"kind": string(in.Kind), "state": in.State, "form": in.Form, "reviewer": in.Reviewer}))
		return pageFrom(p, verificationEntryOf), err
	})
	route(a, "GET", verifications+"/figures", access.ReviewVerification, ofPlatform, "How much waits for reviewers, and for how long", func(ctx context.Context, who access.Actor, _ *struct{}) (verificationFiguresView, error) {
		f, err := a.Verify.Figures(ctx, who)
		return verificationFiguresOf(&f), err
	})
	decide := func(method, path, summary string, do func(context.Context, access.Actor, *verificationReasonInput) (*verify.Case, error)) {
		edit(a, method, path, access.ReviewVerification, ofOrganisation, verificationVersion(a, func(in *verificationReasonInput) string { return in.Organisation }), summary,
			func(ctx context.Context, who access.Actor, in *verificationReasonInput) (verificationView, error) {
				c, err := do(ctx, who, in)
				return a.verificationOf(ctx, who, c, err)
			})
	}
	route(a, "PUT", verification+"/claim", access.ReviewVerification, ofOrganisation, "Take a submission for review, so that two do not work on one", func(ctx context.Context, who access.Actor, in *verifyClaimInput) (verificationView, error) {
		c, err := a.Verify.Claim(ctx, who, in.Organisation, in.Body.Reviewer)
		return a.verificationOf(ctx, who, c, err)
	})
	route(a, "DELETE", verification+"/claim", access.ReviewVerification, ofOrganisation, "Give it back", func(ctx context.Context, who access.Actor, in *organisationInput) (verificationView, error) {
		c, err := a.Verify.Release(ctx, who, in.Organisation)
		return a.verificationOf(ctx, who, c, err)
	})
	edit(a, "POST", verification+"/decision", access.ReviewVerification, ofOrganisation, verificationVersion(a, func(in *verifyDecisionInput) string { return in.Organisation }), "Approve or reject a submission", func(ctx context.Context, who access.Actor, in *verifyDecisionInput) (verificationView, error) {
		b := &in.Body
		c, err := a.Verify.Decide(ctx, who, in.Organisation, verify.Decision{
			Submission: b.Submission, Approve: b.Decision == "approve", Reasons: b.Reasons, Note: b.Note, Decline: b.Decline,
		})
		return a.verificationOf(ctx, who, c, err)
	})
	edit(a, "PUT", verification+"/demand", access.ReviewVerification, ofOrganisation, verificationVersion(a, func(in *verifyDemandInput) string { return in.Organisation }), "Ask for papers by a date: a spot check or supplements", func(ctx context.Context, who access.Actor, in *verifyDemandInput) (verificationView, error) {
		b := &in.Body
		c, err := a.Verify.Ask(ctx, who, in.Organisation, verify.Demand{Act: b.Act, Text: b.Text, Papers: b.Papers, Due: b.Due, Consequence: b.Consequence})
		return a.verificationOf(ctx, who, c, err)
	})
	decide("POST", verification+"/demand/clear", "Take back what was asked for", func(ctx context.Context, who access.Actor, in *verificationReasonInput) (*verify.Case, error) {
		return a.Verify.Clear(ctx, who, in.Organisation, in.Body.Reason)
	})
	decide("POST", verification+"/revocation", "End a verification for false papers", func(ctx context.Context, who access.Actor, in *verificationReasonInput) (*verify.Case, error) {
		return a.Verify.Revoke(ctx, who, in.Organisation, in.Body.Reason)
	})
	decide("POST", verification+"/reinstatement", "Let an organisation begin again; another reviewer than who ended it", func(ctx context.Context, who access.Actor, in *verificationReasonInput) (*verify.Case, error) {
		return a.Verify.Reinstate(ctx, who, in.Organisation, in.Body.Reason)
	})
}

func (a *API) waiverRoutes() {
	list(a, "/api/v1/waivers", access.ReadVerification, ofCaller, "Conditions that the operator has waived in writing (书面豁免), newest first", func(ctx context.Context, who access.Actor, in *verifyWaiversInput) (page[verifyWaiverView], error) {
		p, err := a.Verify.Waivers(ctx, who, in.ask(map[string]string{"organisation": in.Organisation, "condition": in.Condition}))
		return pageFrom(p, verifyWaiverOf), err
	})
	create(a, verification+"/waivers", access.ReviewVerification, ofOrganisation, "Waive a condition for an organisation", func(ctx context.Context, who access.Actor, in *verifyNewWaiverInput) (verifyWaiverView, error) {
		b := &in.Body
		w, err := a.Verify.Waive(ctx, who, verify.Waiver{
			Organisation: in.Organisation, Condition: b.Condition, Reason: b.Reason, Wording: b.Wording, Paper: b.Paper, Starts: b.StartsAt, Ends: b.EndsAt,
		})
		return verifyWaiverOf(&w), err
	})
	route(a, "DELETE", verification+"/waivers/{waiver}", access.ReviewVerification, ofOrganisation, "End a waiver now", func(ctx context.Context, who access.Actor, in *verifyWaiverInput) (verifyWaiverView, error) {
		w, err := a.Verify.RevokeWaiver(ctx, who, in.Organisation, in.Waiver, in.Reason)
		return verifyWaiverOf(&w), err
	})
}
