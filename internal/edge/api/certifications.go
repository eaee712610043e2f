package api

import (
	"bytes"
	"context"
	"io"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/certify"
)

var (
	ofCase        = owner{"case", "certification", func(ctx context.Context, a *API, id string) (string, error) { return a.Certify.Owner(ctx, id) }}
	ofCertificate = owner{"certificate", "certificate", func(ctx context.Context, a *API, id string) (string, error) {
		return a.Certify.CertificateOwner(ctx, id)
	}}
)

type caseView struct {
	ID           string         `json:"id"`
	Organisation string         `json:"organisation"`
	Product      string         `json:"product"`
	Kind         string         `json:"kind" doc:"Of the product."`
	Category     string         `json:"category,omitempty" doc:"Of the product."`
	Covers       certify.Covers `json:"covers"`
	Laboratory   string         `json:"laboratory,omitempty" doc:"Absent: the operator."`
	State        certify.State  `json:"state" enum:"open,assigned,passed,failed,withdrawn"`
	Report       string         `json:"report,omitempty" doc:"Its number."`
	Note         string         `json:"note,omitempty"`
	OpenedAt     moment         `json:"opened_at"`
	DecidedAt    moment         `json:"decided_at,omitzero"`
	Revision     int64          `json:"revision" doc:"As the ETag."`
	Open         []certify.Act  `json:"open" nullable:"false" doc:"What who asks may do with it now."`
}

func (v caseView) revision() int64 { return v.Revision }

func caseOf(who access.Actor) func(*certify.Case) caseView {
	return func(c *certify.Case) caseView {
		return caseView{
			c.ID, c.Organisation, c.Product, c.Kind, c.Category, c.Covers, c.Laboratory, c.State, c.Report, c.Note, moment(c.OpenedAt),
			moment(c.DecidedAt), c.Revision, append([]certify.Act{}, c.Open(who)...),
		}
	}
}

type certificateView struct {
	ID           string                   `json:"id"`
	Case         string                   `json:"case"`
	Organisation string                   `json:"organisation"`
	Product      string                   `json:"product"`
	Laboratory   string                   `json:"laboratory,omitempty" doc:"Absent: the operator."`
	Covers       certify.Covers           `json:"covers"`
	Report       string                   `json:"report"`
	Conditions   string                   `json:"conditions,omitempty"`
	ValidFrom    moment                   `json:"valid_from"`
	ValidUntil   moment                   `json:"valid_until" doc:"Excluded."`
	State        certify.CertificateState `json:"state" enum:"pending,valid,expired,revoked"`
	Reason       string                   `json:"reason,omitempty" doc:"Why it was revoked."`
	IssuedAt     moment                   `json:"issued_at"`
	EndedAt      moment                   `json:"ended_at,omitzero"`
	Revision     int64                    `json:"revision" doc:"As the ETag."`
	Open         []certify.CertificateAct `json:"open" nullable:"false" doc:"What who asks may do with it now."`
}

func (v certificateView) revision() int64 { return v.Revision }

func certificateOf(who access.Actor) func(*certify.Certificate) certificateView {
	return func(c *certify.Certificate) certificateView {
		return certificateView{
			c.ID, c.Case, c.Organisation, c.Product, c.Laboratory, c.Covers, c.Report, c.Conditions, moment(c.ValidFrom), moment(c.ValidUntil),
			c.State, c.Reason, moment(c.IssuedAt), moment(c.EndedAt), c.Revision, append([]certify.CertificateAct{}, c.Open(who)...),
		}
	}
}

type laboratoryView struct {
	ID         string                   `json:"id"`
	Names      map[string]string        `json:"names"`
	Kinds      []string                 `json:"kinds" nullable:"false" doc:"Of products; empty: every kind."`
	Categories []string                 `json:"categories" nullable:"false" doc:"Of products; empty: every category."`
	ValidFrom  moment                   `json:"valid_from"`
	ValidUntil moment                   `json:"valid_until" doc:"Excluded."`
	State      certify.AppointmentState `json:"state" enum:"appointed,ended"`
	Reason     string                   `json:"reason,omitempty" doc:"Why it ended."`
	Revision   int64                    `json:"revision" doc:"As the ETag."`
	Open       []certify.AppointmentAct `json:"open" nullable:"false" doc:"What who asks may do with it now."`
}

func (v laboratoryView) revision() int64 { return v.Revision }

func laboratoryOf(who access.Actor) func(*certify.Laboratory) laboratoryView {
	return func(l *certify.Laboratory) laboratoryView {
		return laboratoryView{
			l.ID, l.Names, append([]string{}, l.Kinds...), append([]string{}, l.Categories...), moment(l.ValidFrom), moment(l.ValidUntil), l.State,
			l.Reason, l.Revision, append([]certify.AppointmentAct{}, l.Open(who)...),
		}
	}
}

type evidenceView struct {
	ID      string `json:"id"`
	Media   string `json:"media"`
	Size    int64  `json:"size" doc:"Bytes."`
	SHA256  string `json:"sha256"`
	AddedAt moment `json:"added_at"`
}

func evidenceOf(e *certify.Evidence) evidenceView {
	return evidenceView{e.ID, e.Media, e.Size, e.SHA256, moment(e.AddedAt)}
}

type casesInput struct {
	ListInput
	Product      string `query:"product" maxLength:"64"`
	State        string `query:"state" enum:"open,assigned,passed,failed,withdrawn"`
	Laboratory   string `query:"laboratory" maxLength:"64"`
	Organisation string `query:"organisation" maxLength:"64" doc:"For the operator."`
}

type certificatesInput struct {
	ListInput
	Product      string `query:"product" maxLength:"64"`
	State        string `query:"state" enum:"pending,valid,expired,revoked"`
	Laboratory   string `query:"laboratory" maxLength:"64"`
	Organisation string `query:"organisation" maxLength:"64" doc:"For the operator."`
}

type newCaseInput struct {
	Product string `path:"product" maxLength:"64"`
	Body    struct {
		Covers certify.Covers `json:"covers" doc:"What is tested: protocols, features, family of firmware."`
	}
}

type caseInput struct {
	Case string `path:"case" maxLength:"64"`
}

type assignInput struct {
	Case string `path:"case" maxLength:"64"`
	Body struct {
		Laboratory string `json:"laboratory,omitempty" maxLength:"64" doc:"Empty: the operator's own people."`
	}
}

type resultInput struct {
	Case string `path:"case" maxLength:"64"`
	Body struct {
		Result     string    `json:"result" enum:"pass,fail"`
		Report     string    `json:"report" maxLength:"64" doc:"Number of the report."`
		Note       string    `json:"note,omitempty" maxLength:"1000" doc:"For the maker; a failure needs one."`
		ValidFrom  time.Time `json:"valid_from,omitzero" doc:"Of the certificate; for a pass."`
		ValidUntil time.Time `json:"valid_until,omitzero" doc:"Excluded; for a pass."`
		Conditions string    `json:"conditions,omitempty" maxLength:"1000"`
	}
}

type evidenceInput struct {
	Case    string `path:"case" maxLength:"64"`
	RawBody []byte `contentType:"application/octet-stream" doc:"The file as it is: PDF, PNG, JPEG or WebP, at most 1 MiB."`
}

type evidenceFileInput struct {
	Case     string `path:"case" maxLength:"64"`
	Evidence string `path:"evidence" maxLength:"64"`
}

type certificateInput struct {
	Certificate string `path:"certificate" maxLength:"64"`
}

type revokeInput struct {
	Certificate string `path:"certificate" maxLength:"64"`
	Reason      string `query:"reason" required:"true" maxLength:"1000"`
}

type appointment struct {
	Names      map[string]string `json:"names"`
	Kinds      []string          `json:"kinds,omitempty" maxItems:"32" doc:"Of products; empty: every kind."`
	Categories []string          `json:"categories,omitempty" maxItems:"32" doc:"Of products; empty: every category."`
	ValidFrom  time.Time         `json:"valid_from"`
	ValidUntil time.Time         `json:"valid_until" doc:"Excluded."`
}

func (b *appointment) of() certify.Appointment {
	return certify.Appointment{Names: b.Names, Kinds: b.Kinds, Categories: b.Categories, ValidFrom: b.ValidFrom, ValidUntil: b.ValidUntil}
}

type newLaboratoryInput struct{ Body appointment }

type laboratoryInput struct {
	Laboratory string `path:"laboratory" maxLength:"64"`
}

type setLaboratoryInput struct {
	Laboratory string `path:"laboratory" maxLength:"64"`
	Body       appointment
}

type endLaboratoryInput struct {
	Laboratory string `path:"laboratory" maxLength:"64"`
	Reason     string `query:"reason" required:"true" maxLength:"1000"`
}

func (a *API) certifyRoutes() {
	const cases, one = "/api/v1/certifications", "/api/v1/certifications/{case}"
	create(a, "/api/v1/products/{product}/certifications", access.ApplyCertification, ofProduct, "Apply for the certification (认证) of a product, or for its renewal", func(ctx context.Context, who access.Actor, in *newCaseInput) (caseView, error) {
		c, err := a.Products.OpenCase(ctx, who, in.Product, in.Body.Covers)
		return caseOf(who)(&c), err
	})
	list(a, cases, access.ReadCertification, ofCaller, "List certifications, newest first", func(ctx context.Context, who access.Actor, in *casesInput) (page[caseView], error) {
		p, err := a.Certify.Cases(ctx, who, in.ask(map[string]string{"product": in.Product, "state": in.State, "laboratory": in.Laboratory, "organisation": in.Organisation}))
		return pageFrom(p, caseOf(who)), err
	})
	route(a, "GET", one, access.ReadCertification, ofCase, "A certification", func(ctx context.Context, who access.Actor, in *caseInput) (caseView, error) {
		c, err := a.Certify.Case(ctx, who, in.Case)
		return caseOf(who)(&c), err
	})
	edit(a, "PUT", one+"/laboratory", access.RecordCertification, ofCase, func(ctx context.Context, q store.Querier, who access.Actor, in *assignInput) (int64, error) {
		return a.Certify.Revision(ctx, q, who, in.Case)
	}, "Assign a certification to a laboratory, or to the operator", func(ctx context.Context, who access.Actor, in *assignInput) (caseView, error) {
		c, err := a.Certify.Assign(ctx, who, in.Case, in.Body.Laboratory)
		return caseOf(who)(&c), err
	})
	edit(a, "PUT", one+"/result", access.RecordCertification, ofCase, func(ctx context.Context, q store.Querier, who access.Actor, in *resultInput) (int64, error) {
		return a.Certify.Revision(ctx, q, who, in.Case)
	}, "Record the result of a certification; a pass issues the certificate", func(ctx context.Context, who access.Actor, in *resultInput) (caseView, error) {
		b := &in.Body
		c, err := a.Certify.Record(ctx, who, in.Case, certify.Result{
			Passed: b.Result == "pass", Report: b.Report, Note: b.Note, ValidFrom: b.ValidFrom, ValidUntil: b.ValidUntil, Conditions: b.Conditions,
		})
		return caseOf(who)(&c), err
	})
	edit(a, "DELETE", one, access.ApplyCertification, ofCase, func(ctx context.Context, q store.Querier, who access.Actor, in *caseInput) (int64, error) {
		return a.Certify.Revision(ctx, q, who, in.Case)
	}, "Withdraw a certification that is not decided yet", func(ctx context.Context, who access.Actor, in *caseInput) (caseView, error) {
		c, err := a.Certify.Withdraw(ctx, who, in.Case)
		return caseOf(who)(&c), err
	})
	a.evidenceRoutes(one)
	a.certificateRoutes()
	a.laboratoryRoutes()
}

func (a *API) evidenceRoutes(one string) {
	create(a, one+"/evidence", access.RecordCertification, ofCase, "Add a file that the result rests on", func(ctx context.Context, who access.Actor, in *evidenceInput) (evidenceView, error) {
		e, err := a.Certify.AddEvidence(ctx, who, in.Case, bytes.NewReader(in.RawBody))
		return evidenceOf(&e), err
	})
	list(a, one+"/evidence", access.ReadCertification, ofCase, "The files of a certification", func(ctx context.Context, who access.Actor, in *struct {
		PageInput
		Case string `path:"case" maxLength:"64"`
	},
	) (page[evidenceView], error) {
		all, err := a.Certify.Evidence(ctx, who, in.Case)
		return pageTo(all, "", evidenceOf), err
	})
	fetch(a, one+"/evidence/{evidence}", access.ReadCertification, ofCase, true, "A file of a certification", func(ctx context.Context, who access.Actor, in *evidenceFileInput) (string, io.ReadCloser, error) {
		e, r, err := a.Certify.OpenEvidence(ctx, who, in.Case, in.Evidence)
		return e.Media, r, err
	})
}

func (a *API) certificateRoutes() {
	const one = "/api/v1/certificates/{certificate}"
	list(a, "/api/v1/certificates", access.ReadCertification, ofCaller, "List certificates, newest first", func(ctx context.Context, who access.Actor, in *certificatesInput) (page[certificateView], error) {
		p, err := a.Certify.Certificates(ctx, who, in.ask(map[string]string{"product": in.Product, "state": in.State, "laboratory": in.Laboratory, "organisation": in.Organisation}))
		return pageFrom(p, certificateOf(who)), err
	})
	route(a, "GET", one, access.ReadCertification, ofCertificate, "A certificate", func(ctx context.Context, who access.Actor, in *certificateInput) (certificateView, error) {
		c, err := a.Certify.Certificate(ctx, who, in.Certificate)
		return certificateOf(who)(&c), err
	})
	edit(a, "DELETE", one, access.RecordCertification, ofCertificate, func(ctx context.Context, q store.Querier, who access.Actor, in *revokeInput) (int64, error) {
		return a.Certify.CertificateRevision(ctx, q, who, in.Certificate)
	}, "Revoke a certificate at once", func(ctx context.Context, who access.Actor, in *revokeInput) (certificateView, error) {
		c, err := a.Certify.Revoke(ctx, who, in.Certificate, in.Reason)
		return certificateOf(who)(&c), err
	})
}

func (a *API) laboratoryRoutes() {
	const all, one = "/api/v1/laboratories", "/api/v1/laboratories/{laboratory}"
	list(a, all, access.ReadCertification, ofNobody, "List the laboratories (实验室) that the operator appointed", func(ctx context.Context, who access.Actor, in *ListInput) (page[laboratoryView], error) {
		p, err := a.Certify.Laboratories(ctx, who, in.ask(nil))
		return pageFrom(p, laboratoryOf(who)), err
	})
	create(a, all, access.AppointLaboratory, ofPlatform, "Appoint a laboratory", func(ctx context.Context, who access.Actor, in *newLaboratoryInput) (laboratoryView, error) {
		l, err := a.Certify.Appoint(ctx, who, in.Body.of())
		return laboratoryOf(who)(&l), err
	})
	route(a, "GET", one, access.ReadCertification, ofNobody, "A laboratory", func(ctx context.Context, who access.Actor, in *laboratoryInput) (laboratoryView, error) {
		l, err := a.Certify.Laboratory(ctx, who, in.Laboratory)
		return laboratoryOf(who)(&l), err
	})
	edit(a, "PUT", one, access.AppointLaboratory, ofPlatform, func(ctx context.Context, q store.Querier, _ access.Actor, in *setLaboratoryInput) (int64, error) {
		return a.Certify.LaboratoryRevision(ctx, q, in.Laboratory)
	}, "Change what a laboratory is appointed for", func(ctx context.Context, who access.Actor, in *setLaboratoryInput) (laboratoryView, error) {
		l, err := a.Certify.SetLaboratory(ctx, who, in.Laboratory, in.Body.of())
		return laboratoryOf(who)(&l), err
	})
	edit(a, "DELETE", one, access.AppointLaboratory, ofPlatform, func(ctx context.Context, q store.Querier, _ access.Actor, in *endLaboratoryInput) (int64, error) {
		return a.Certify.LaboratoryRevision(ctx, q, in.Laboratory)
	}, "End the appointment of a laboratory", func(ctx context.Context, who access.Actor, in *endLaboratoryInput) (laboratoryView, error) {
		l, err := a.Certify.EndLaboratory(ctx, who, in.Laboratory, in.Reason)
		return laboratoryOf(who)(&l), err
	})
}
