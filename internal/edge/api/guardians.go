package api

import (
	"context"
	"io"

	"lampworks/internal/infra/access"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/agreement"
)

type consentView struct {
	ID          string                 `json:"id"`
	User        string                 `json:"user"`
	State       agreement.ConsentState `json:"state" enum:"requested,confirmed,refused,withdrawn,lapsed"`
	Name        string                 `json:"name"`
	Relation    string                 `json:"relation"`
	Contact     string                 `json:"contact" doc:"Masked to others than the person."`
	Papers      []guardianPaperView    `json:"papers" nullable:"false"`
	Ready       bool                   `json:"ready" doc:"What the guardian signed and what shows the relationship are there: a reviewer may confirm."`
	NeededUntil moment                 `json:"needed_until,omitzero" doc:"The person is of age from then on, and the consent ends by itself."`
	ConfirmedBy string                 `json:"confirmed_by,omitempty" enum:"reviewer,code"`
	Reason      string                 `json:"reason,omitempty"`
	CodeUntil   moment                 `json:"code_until,omitzero" doc:"A code was sent to the guardian, good until then."`
	CreatedAt   moment                 `json:"created_at"`
	DecidedAt   moment                 `json:"decided_at,omitzero"`
	Open        []agreement.ConsentAct `json:"open" nullable:"false"`
}

func consentOf(who access.Actor) func(*agreement.Consent) consentView {
	return func(c *agreement.Consent) consentView {
		v := consentView{
			c.ID, c.User, c.State, c.Guardian.Name, c.Guardian.Relation, c.Guardian.Contact,
			[]guardianPaperView{},
			c.Ready, moment(c.NeededUntil),
			c.ConfirmedBy, c.Reason, moment(c.CodeUntil), moment(c.CreatedAt), moment(c.DecidedAt), append([]agreement.ConsentAct{}, c.Open(who)...),
		}
		for i := range c.Papers {
			v.Papers = append(v.Papers, guardianPaperOf(&c.Papers[i]))
		}
		return v
	}
}

type guardianPaperView struct {
	ID         string              `json:"id"`
	Kind       agreement.PaperKind `json:"kind" enum:"consent,relation" doc:"consent: what the guardian signed; relation: what shows that they are the guardian."`
	MediaType  string              `json:"media_type"`
	Size       int64               `json:"size_bytes"`
	SHA256     string              `json:"sha256"`
	UploadedAt moment              `json:"uploaded_at"`
	Gone       bool                `json:"gone,omitempty" doc:"Its bytes were deleted when the consent had ended."`
}

func guardianPaperOf(p *agreement.Paper) guardianPaperView {
	return guardianPaperView{p.ID, p.Kind, string(p.MediaType), p.Size, p.SHA256, moment(p.UploadedAt), p.Gone}
}

type newConsentInput struct {
	Body struct {
		Name     string `json:"name" maxLength:"100"`
		Relation string `json:"relation" maxLength:"50" example:"mother"`
		Contact  string `json:"contact" maxLength:"254" doc:"E-mail address or phone number."`
		SendCode bool   `json:"send_code,omitempty" doc:"Send a code to the contact."`
		Lang     string `json:"lang" enum:"zh-CN,en" doc:"Of the message."`
	}
}

type consentsInput struct {
	ListInput
	State string `query:"state" enum:"requested,confirmed,refused,withdrawn,lapsed"`
	User  string `query:"user" maxLength:"64"`
	Ready string `query:"ready" enum:"true,false" doc:"Those whose papers wait for a reviewer, or the others."`
}

type consentInput struct {
	Consent string `path:"consent" maxLength:"64"`
}

type proofInput struct {
	Consent string `path:"consent" maxLength:"64"`
	Body    struct {
		Code string `json:"code" maxLength:"16"`
	}
}

type consentStateInput struct {
	Consent string `path:"consent" maxLength:"64"`
	Body    struct {
		Act    agreement.ConsentAct `json:"act" enum:"confirm,refuse,withdraw" doc:"confirm and refuse are a reviewer's."`
		Papers []string             `json:"papers,omitempty" nullable:"false" maxItems:"20" doc:"To confirm: ids of the papers that were looked at. If there are others now, nothing is done (409, stale)."`
		Reason string               `json:"reason,omitempty" maxLength:"1000"`
	}
}

type guardianUploadInput struct {
	Consent string              `path:"consent" maxLength:"64"`
	Kind    agreement.PaperKind `query:"kind" required:"true" enum:"consent,relation" doc:"consent: what the guardian signed; relation: what shows that they are the guardian."`
	Type    string              `header:"Content-Type" maxLength:"128"`
}

type guardianPaperInput struct {
	Consent string `path:"consent" maxLength:"64"`
	Paper   string `path:"paper" maxLength:"64"`
}

type guardianRevealInput struct {
	Consent string `path:"consent" maxLength:"64"`
	Body    struct {
		Reason string `json:"reason" minLength:"1" maxLength:"1000" doc:"Why the contact has to be seen; it stands in the audit." example:"to call the guardian back"`
	}
}

type capacityInput struct {
	Body struct {
		NeedsGuardian bool          `json:"needs_guardian" doc:"The person is under 18 or without full capacity. It is taken back by a reviewer."`
		AdultIn       account.Month `json:"adult_in,omitempty" pattern:"^[0-9]{4}-[0-9]{2}$" doc:"Month in which the person turns 18: the need ends with it. The day is not asked for." example:"2027-05"`
	}
}

type userCapacityInput struct {
	User string `path:"user" maxLength:"64"`
	Body struct {
		NeedsGuardian bool          `json:"needs_guardian"`
		AdultIn       account.Month `json:"adult_in,omitempty" pattern:"^[0-9]{4}-[0-9]{2}$" doc:"Month in which the person turns 18: the need ends with it." example:"2027-05"`
		Reason        string        `json:"reason" maxLength:"1000"`
	}
}

func (a *API) guardianRoutes() {
	const consents = "/api/v1/guardian-consents"
	route(a, "PUT", "/api/v1/capacity", anybody, ofPerson, "Say that one needs a guardian's consent", func(ctx context.Context, who access.Actor, in *capacityInput) (nothing, error) {
		return nothing{}, a.Agreements.DeclareCapacity(ctx, who, who.User, agreement.Capacity{
			NeedsGuardian: in.Body.NeedsGuardian, AdultIn: in.Body.AdultIn, Reason: "the person says so",
		})
	})
	route(a, "PUT", "/api/v1/users/{user}/capacity", access.ReviewVerification, ofPlatform, "Say whether a person needs a guardian's consent", func(ctx context.Context, who access.Actor, in *userCapacityInput) (nothing, error) {
		return nothing{}, a.Agreements.DeclareCapacity(ctx, who, in.User, agreement.Capacity{
			NeedsGuardian: in.Body.NeedsGuardian, AdultIn: in.Body.AdultIn, Reason: in.Body.Reason,
		})
	})
	list(a, consents, anybody, ofPerson, "Guardians' consents (监护人同意): one's own, or all to a reviewer", func(ctx context.Context, who access.Actor, in *consentsInput) (page[consentView], error) {
		p, err := a.Agreements.Consents(ctx, who, in.ask(map[string]string{"state": in.State, "user": in.User, "ready": in.Ready}))
		return pageFrom(p, consentOf(who)), err
	})
	create(a, consents, anybody, ofPerson, "Name one's guardian", func(ctx context.Context, who access.Actor, in *newConsentInput) (consentView, error) {
		b := &in.Body
		c, err := a.Agreements.AskConsent(ctx, who, agreement.NewConsent{
			Guardian: agreement.Guardian{Name: b.Name, Relation: b.Relation, Contact: b.Contact}, SendCode: b.SendCode, Lang: b.Lang,
		})
		return consentOf(who)(&c), err
	})
	route(a, "GET", consents+"/{consent}", anybody, ofPerson, "A consent", func(ctx context.Context, who access.Actor, in *consentInput) (consentView, error) {
		c, err := a.Agreements.Consent(ctx, who, in.Consent)
		return consentOf(who)(&c), err
	})
	route(a, "POST", consents+"/{consent}/proof", anybody, ofPerson, "Show the code that the guardian got", func(ctx context.Context, who access.Actor, in *proofInput) (consentView, error) {
		c, err := a.Agreements.ProveConsent(ctx, who, in.Consent, in.Body.Code)
		return consentOf(who)(&c), err
	})
	route(a, "PUT", consents+"/{consent}/state", anybody, ofPerson, "Confirm, refuse or withdraw a consent", func(ctx context.Context, who access.Actor, in *consentStateInput) (consentView, error) {
		b := &in.Body
		c, err := a.Agreements.DecideConsent(ctx, who, in.Consent, agreement.ConsentDecision{Act: b.Act, Papers: b.Papers, Reason: b.Reason})
		return consentOf(who)(&c), err
	})
	route(a, "POST", consents+"/{consent}/reveal", access.ReviewVerification, ofPlatform, "See the guardian's contact in full; needs the second factor and a reason, and is recorded", func(ctx context.Context, who access.Actor, in *guardianRevealInput) (consentView, error) {
		c, err := a.Agreements.Reveal(ctx, who, in.Consent, in.Body.Reason)
		return consentOf(who)(&c), err
	})
	a.guardianPaperRoutes(consents + "/{consent}/papers")
}

func (a *API) guardianPaperRoutes(papers string) {
	upload(a, papers, anybody, ofPerson, "Upload a paper for one's consent: PDF, PNG, JPEG or WebP, as the body", agreement.MaxPaper+1, imageTypes(), func(ctx context.Context, who access.Actor, in *guardianUploadInput, r io.Reader) (guardianPaperView, error) {
		p, err := a.Agreements.Upload(ctx, who, in.Consent, in.Kind, in.Type, r)
		return guardianPaperOf(&p), err
	})
	route(a, "DELETE", papers+"/{paper}", anybody, ofPerson, "Take a paper out of one's consent", func(ctx context.Context, who access.Actor, in *guardianPaperInput) (nothing, error) {
		return nothing{}, a.Agreements.RemovePaper(ctx, who, in.Consent, in.Paper)
	})
	look(a, papers+"/{paper}", anybody, ofPerson, "The bytes of a paper, for the person whom the consent is for and for reviewers, whose look is recorded", func(ctx context.Context, who access.Actor, in *guardianPaperInput) (looked, error) {
		p, content, err := a.Agreements.LookAt(ctx, who, in.Consent, in.Paper)
		return looked{string(p.Kind) + "-" + p.ID, p.MediaType, p.Size, content}, err
	})
}

// imageTypes is what papers of persons come as.
func imageTypes() (types []string) {
	for _, t := range agreement.MediaTypes() {
		types = append(types, string(t))
	}
	return append(types, octets)
}
