package api

import (
	"context"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/agreement"
)

type agreementView struct {
	ID         string            `json:"id"`
	Precedence int               `json:"precedence" doc:"Where two contradict each other the lower number prevails."`
	Names      account.Names     `json:"names"`
	Prevails   account.Names     `json:"prevails" doc:"The sentence that says which one prevails."`
	Subject    agreement.Subject `json:"subject" enum:"user,organisation,product" doc:"Who has to accept."`
	Kinds      []account.Kind    `json:"kinds" nullable:"false" doc:"Organisations of these kinds only; empty: all."`
	Categories []string          `json:"categories" nullable:"false" doc:"Products of these categories only; empty: all."`
	CreatedAt  moment            `json:"created_at"`
	InForce    *VersionOfView    `json:"in_force,omitempty"`
	Ahead      *VersionOfView    `json:"ahead,omitempty" doc:"Published, and in force later."`
}

// VersionOfView is a version of an agreement without its texts. It is exported because huma looks into exported parts only.
type VersionOfView struct {
	ID          string          `json:"id"`
	Version     int             `json:"version"`
	State       agreement.State `json:"state" enum:"draft,published,superseded,withdrawn"`
	CreatedAt   moment          `json:"created_at"`
	PublishedAt moment          `json:"published_at,omitzero"`
	EffectiveAt moment          `json:"effective_at,omitzero"`
	EndedAt     moment          `json:"ended_at,omitzero"`
	Open        []agreement.Act `json:"open" nullable:"false" doc:"What who asks may do with it now."`
}

type agreementTextView struct {
	Body    string `json:"body" doc:"Markdown."`
	Changes string `json:"changes,omitempty" doc:"What differs from the version before."`
	Hash    string `json:"hash" doc:"SHA-256 of body; an acceptance sends it back."`
}

type wholeVersionView struct {
	VersionOfView
	Texts  map[string]agreementTextView `json:"texts" doc:"By language: zh-CN, en."`
	Digest string                       `json:"digest" doc:"SHA-256 over all its texts and summaries; a publication sends it back."`
}

func versionForm(who access.Actor, v *agreement.Version) VersionOfView {
	return VersionOfView{
		v.ID, v.Number, v.State, moment(v.CreatedAt), moment(v.PublishedAt), moment(v.EffectiveAt), moment(v.EndedAt),
		append([]agreement.Act{}, v.Open(who)...),
	}
}

func wholeVersion(who access.Actor, v *agreement.Version) wholeVersionView {
	out := wholeVersionView{versionForm(who, v), make(map[string]agreementTextView), v.Digest()}
	for lang, t := range v.Texts {
		out.Texts[lang] = agreementTextView{t.Body, t.Changes, t.Hash}
	}
	return out
}

func agreementOf(who access.Actor) func(*agreement.Agreement) agreementView {
	return func(g *agreement.Agreement) agreementView {
		out := agreementView{
			ID: g.ID, Precedence: g.Precedence, Names: g.Names, Prevails: g.Prevails, Subject: g.Subject,
			Kinds: append([]account.Kind{}, g.Kinds...), Categories: append([]string{}, g.Categories...), CreatedAt: moment(g.CreatedAt),
		}
		if g.InForce != nil {
			v := versionForm(who, g.InForce)
			out.InForce = &v
		}
		if g.Ahead != nil {
			v := versionForm(who, g.Ahead)
			out.Ahead = &v
		}
		return out
	}
}

type newAgreementInput struct {
	Body struct {
		Precedence int               `json:"precedence" minimum:"1" maximum:"1000000" example:"1"`
		Names      account.Names     `json:"names"`
		Prevails   account.Names     `json:"prevails"`
		Subject    agreement.Subject `json:"subject" enum:"user,organisation,product"`
		Kinds      []account.Kind    `json:"kinds,omitempty" nullable:"false" maxItems:"5"`
		Categories []string          `json:"categories,omitempty" nullable:"false" maxItems:"100"`
	}
}

type agreementDraftInput struct {
	Agreement string `path:"agreement" maxLength:"64"`
	Body      struct {
		Texts map[string]draftText `json:"texts" doc:"By language: zh-CN and en, both before it can be published."`
	}
}

type draftText struct {
	Body    string `json:"body" maxLength:"262144" doc:"Markdown, at most 256 KiB."`
	Changes string `json:"changes,omitempty" maxLength:"4000" doc:"What differs from the version before; needed from the second on."`
}

type agreementsInput struct {
	ListInput
	Subject string `query:"subject" enum:"user,organisation,product"`
}

type versionsOfInput struct {
	ListInput
	Agreement string `path:"agreement" maxLength:"64"`
	State     string `query:"state" enum:"draft,published,superseded,withdrawn"`
}

type versionOfInput struct {
	Agreement string `path:"agreement" maxLength:"64"`
	Version   int    `path:"version" minimum:"1"`
}

type versionStateInput struct {
	Agreement string `path:"agreement" maxLength:"64"`
	Version   int    `path:"version" minimum:"1"`
	Body      struct {
		State       agreement.State `json:"state" enum:"published,withdrawn"`
		Digest      string          `json:"digest,omitempty" maxLength:"64" doc:"Of the version as it was read, needed to publish it: if its texts were changed since, nothing is done (409, stale)."`
		EffectiveAt time.Time       `json:"effective_at,omitzero" doc:"Of a publication; from now on if not given."`
		Note        string          `json:"note,omitempty" maxLength:"1000" doc:"Why it is withdrawn."`
	}
}

type answerInput struct {
	Agreement string `path:"agreement" maxLength:"64"`
	Body      struct {
		Version int    `json:"version" minimum:"1"`
		Lang    string `json:"lang" enum:"zh-CN,en" doc:"The language that was read."`
		Hash    string `json:"hash" maxLength:"64" doc:"Of the text that was read."`
		Product string `json:"product,omitempty" maxLength:"64" doc:"Where the terms are for one product."`
	}
}

type acceptanceView struct {
	ID           string             `json:"id"`
	Person       string             `json:"person" doc:"Random reference of who decided; keep it as the receipt."`
	User         string             `json:"user,omitempty" doc:"Whom it stands for, until they are deleted."`
	Decision     agreement.Decision `json:"decision" enum:"accepted,declined"`
	Agreement    string             `json:"agreement"`
	VersionID    string             `json:"version_id"`
	Version      int                `json:"version"`
	Lang         string             `json:"lang"`
	Hash         string             `json:"hash"`
	Subject      agreement.Subject  `json:"subject" enum:"user,organisation,product"`
	SubjectID    string             `json:"subject_id"`
	Organisation string             `json:"organisation,omitempty" doc:"In whose name."`
	Address      string             `json:"address,omitempty"`
	Channel      string             `json:"channel" enum:"session,token"`
	DecidedAt    moment             `json:"decided_at"`
}

func acceptanceOf(e *agreement.Acceptance) acceptanceView {
	return acceptanceView{
		e.ID, e.Person, e.User, e.Decision, e.Agreement, e.Version, e.Number, e.Lang, e.Hash, e.SubjectKind, e.Subject, e.Organisation,
		e.Address, e.Channel, moment(e.At),
	}
}

type declinedView struct {
	Evidence acceptanceView `json:"evidence"`
	Export   string         `json:"export,omitempty" doc:"Path of the export that collects the organisation's data; where nobody may export, it is absent."`
	Leave    []access.Act   `json:"leave" nullable:"false" doc:"Acts that stay open to who does not agree."`
}

type acceptancesInput struct {
	ListInput
	Organisation string `query:"organisation" maxLength:"64"`
	Agreement    string `query:"agreement" maxLength:"64"`
	Version      string `query:"version" maxLength:"64" doc:"Id of a version."`
	Person       string `query:"person" maxLength:"64" doc:"Reference of a receipt, or me: what the caller decided, in whatever name."`
}

type demandView struct {
	Agreement   string            `json:"agreement"`
	Version     int               `json:"version"`
	Names       account.Names     `json:"names"`
	Subject     agreement.Subject `json:"subject" enum:"user,organisation,product"`
	Hashes      map[string]string `json:"hashes" doc:"Of its texts, by language."`
	EffectiveAt moment            `json:"effective_at"`
	Declined    bool              `json:"declined,omitempty"`
	May         bool              `json:"may" doc:"Who asks may accept it; for an organisation an owner does."`
}

type dutiesView struct {
	Now      []demandView           `json:"now" nullable:"false" doc:"To be accepted before anything else."`
	Ahead    []demandView           `json:"ahead" nullable:"false" doc:"In force later."`
	Guardian bool                   `json:"guardian" doc:"A guardian's consent is missing."`
	Consent  agreement.ConsentState `json:"consent,omitempty" doc:"Where it stands."`
	AdultIn  account.Month          `json:"adult_in,omitempty" doc:"Month with which the need for a consent ends; absent: there is none, or that is not known."`
}

func demandsOf(all []agreement.Demand) []demandView {
	out := make([]demandView, 0, len(all))
	for i := range all {
		d := &all[i]
		out = append(out, demandView{
			d.Agreement.ID, d.Version.Number, d.Agreement.Names, d.Agreement.Subject, d.Hashes, moment(d.EffectiveAt), d.Declined, d.May,
		})
	}
	return out
}

func (a *API) agreementRoutes() {
	const agreements = "/api/v1/agreements"
	list(a, agreements, anybody, ofNobody, "The agreements (协议) there are, the one that prevails first", func(ctx context.Context, who access.Actor, in *agreementsInput) (page[agreementView], error) {
		p, err := a.Agreements.Set(ctx, in.ask(map[string]string{"subject": in.Subject}))
		return pageFrom(p, agreementOf(who)), err
	})
	create(a, agreements, access.ManageAgreements, ofPlatform, "Add an agreement", func(ctx context.Context, who access.Actor, in *newAgreementInput) (agreementView, error) {
		b := &in.Body
		g, err := a.Agreements.Add(ctx, who, agreement.NewAgreement{
			Precedence: b.Precedence, Names: b.Names, Prevails: b.Prevails, Subject: b.Subject, Kinds: b.Kinds, Categories: b.Categories,
		})
		return agreementOf(who)(&g), err
	})
	route(a, "PUT", agreements+"/{agreement}/draft", access.ManageAgreements, ofPlatform, "Write the draft of the next version", func(ctx context.Context, who access.Actor, in *agreementDraftInput) (wholeVersionView, error) {
		texts := make(map[string]agreement.NewText)
		for lang, t := range in.Body.Texts {
			texts[lang] = agreement.NewText{Body: t.Body, Changes: t.Changes}
		}
		v, err := a.Agreements.SetDraft(ctx, who, in.Agreement, texts)
		return wholeVersion(who, &v), err
	})
	list(a, agreements+"/{agreement}/versions", anybody, ofNobody, "The versions of an agreement, newest first", func(ctx context.Context, who access.Actor, in *versionsOfInput) (page[VersionOfView], error) {
		p, err := a.Agreements.Versions(ctx, who, in.Agreement, in.ask(map[string]string{"state": in.State}))
		return pageFrom(p, func(v *agreement.Version) VersionOfView { return versionForm(who, v) }), err
	})
	route(a, "GET", agreements+"/{agreement}/versions/{version}", anybody, ofNobody, "A version with its texts", func(ctx context.Context, who access.Actor, in *versionOfInput) (wholeVersionView, error) {
		v, err := a.Agreements.Numbered(ctx, who, in.Agreement, in.Version)
		return wholeVersion(who, &v), err
	})
	route(a, "PUT", agreements+"/{agreement}/versions/{version}/state", access.ManageAgreements, ofPlatform, "Publish or withdraw a version", func(ctx context.Context, who access.Actor, in *versionStateInput) (wholeVersionView, error) {
		b := &in.Body
		v, err := a.Agreements.SetState(ctx, who, in.Agreement, in.Version, agreement.Move{To: b.State, Digest: b.Digest, Effective: b.EffectiveAt, Note: b.Note})
		return wholeVersion(who, &v), err
	})
	a.acceptanceRoutes()
	a.guardianRoutes()
}

func (a *API) acceptanceRoutes() {
	route(a, "GET", "/api/v1/outstanding-agreements", anybody, ofPerson, "What one has to accept, now and later", func(ctx context.Context, who access.Actor, _ *struct{}) (dutiesView, error) {
		d, err := a.Agreements.Duties(ctx, who)
		return dutiesView{demandsOf(d.Now), demandsOf(d.Ahead), d.Guardian, d.Consent, d.AdultIn}, err
	})
	create(a, "/api/v1/agreements/{agreement}/acceptances", anybody, ofPerson, "Accept a version, for oneself or in the name of one's organisation", func(ctx context.Context, who access.Actor, in *answerInput) (acceptanceView, error) {
		answer, err := a.answer(ctx, who, in)
		if err != nil {
			return acceptanceView{}, err
		}
		e, err := a.Agreements.Accept(ctx, who, answer)
		return acceptanceOf(&e), err
	})
	create(a, "/api/v1/agreements/{agreement}/refusals", anybody, ofPerson, "Decline a version; export and leaving stay open", func(ctx context.Context, who access.Actor, in *answerInput) (declinedView, error) {
		answer, err := a.answer(ctx, who, in)
		if err != nil {
			return declinedView{}, err
		}
		w, err := a.Agreements.Decline(ctx, who, answer)
		return declinedView{acceptanceOf(&w.Evidence), w.Export, append([]access.Act{}, w.Leave...)}, err
	})
	list(a, "/api/v1/acceptances", anybody, ofPerson, "Evidence of what was accepted and declined: one's own, one's organisation's, or all", func(ctx context.Context, who access.Actor, in *acceptancesInput) (page[acceptanceView], error) {
		p, err := a.Agreements.Acceptances(ctx, who, in.ask(map[string]string{
			"organisation": in.Organisation, "agreement": in.Agreement, "version": in.Version, "person": in.Person,
		}))
		return pageFrom(p, acceptanceOf), err
	})
}

// answer is what was said, with the category of the product that it is about.
func (a *API) answer(ctx context.Context, who access.Actor, in *answerInput) (agreement.Answer, error) {
	answer := agreement.Answer{Agreement: in.Agreement, Number: in.Body.Version, Lang: in.Body.Lang, Hash: in.Body.Hash, Product: in.Body.Product}
	if in.Body.Product == "" {
		return answer, nil
	}
	p, err := a.Products.Load(ctx, who, in.Body.Product)
	answer.Category = p.Category
	return answer, err
}
