package main

import (
	"context"
	"time"
)

type certifyCommand struct {
	List         certifyList         `cmd:"" help:"List certifications."`
	Show         certifyShow         `cmd:"" help:"One certification."`
	Apply        certifyApply        `cmd:"" help:"Apply for the certification of a product, or for its renewal."`
	Withdraw     certifyWithdraw     `cmd:"" help:"Withdraw one that is not decided yet."`
	Assign       certifyAssign       `cmd:"" help:"Assign a certification to a laboratory, or to the operator."`
	Evidence     certifyEvidence     `cmd:"" help:"The files that a result rests on."`
	Pass         certifyPass         `cmd:"" help:"Record that a product has passed, and issue its certificate."`
	Fail         certifyFail         `cmd:"" help:"Record that a product has failed."`
	Certificates certifyCertificates `cmd:"" help:"List certificates."`
	Certificate  certifyCertificate  `cmd:"" help:"One certificate."`
	Revoke       certifyRevoke       `cmd:"" help:"Revoke a certificate at once."`
}

const casePath = "/api/v1/certifications/{}"

// certifyFilter is what certifications and certificates are searched by.
type certifyFilter struct {
	Product      string `help:"Id of a product." placeholder:"ID"`
	Laboratory   string `help:"Id of a laboratory." placeholder:"ID"`
	Organisation string `help:"Only those of this one; for the operator." placeholder:"ID"`
}

func (f *certifyFilter) with(state string) []string {
	return []string{"product", f.Product, "laboratory", f.Laboratory, "organisation", f.Organisation, "state", state}
}

type certifyList struct {
	sorted
	certifyFilter
	State string `help:"open, assigned, passed, failed or withdrawn." placeholder:"STATE"`
}

func (c *certifyList) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/certifications", "id state kind product laboratory opened_at report", c.with(c.State)...)
}

type oneCase struct {
	client
	Case string `arg:"" help:"Id of the certification."`
}

type certifyShow struct{ oneCase }

func (c *certifyShow) Run(ctx context.Context) error {
	return c.do(ctx, "GET", at(casePath, c.Case), nil)
}

type certifyApply struct {
	oneProduct
	Protocol []string `help:"A protocol that is tested; may be repeated. lampworks product protocols lists them." required:"" placeholder:"NAME" sends:"covers/protocols"`
	Feature  []string `help:"A feature that is tested; may be repeated." placeholder:"NAME" sends:"covers/features"`
	Firmware string   `help:"Family of firmware." placeholder:"NAME" sends:"covers/firmware"`
}

func (c *certifyApply) Run(ctx context.Context) error {
	return c.do(ctx, creates, c.path("/certifications"), body("covers", body("protocols", c.Protocol, "features", c.Feature, "firmware", c.Firmware)))
}

type certifyWithdraw struct {
	oneCase
	held
}

func (c *certifyWithdraw) Run(ctx context.Context) error {
	return c.edit(ctx, c.held, "DELETE", at(casePath, c.Case), nil)
}

type certifyAssign struct {
	oneCase
	held
	Laboratory string `arg:"" optional:"" help:"Id of a laboratory; none: the operator."`
}

func (c *certifyAssign) Run(ctx context.Context) error {
	return c.edit(ctx, c.held, "PUT", at(casePath+"/laboratory", c.Case), body("laboratory", c.Laboratory))
}

type certifyEvidence struct {
	List  certifyEvidenceList  `cmd:"" help:"List them."`
	Add   certifyEvidenceAdd   `cmd:"" help:"Add one."`
	Fetch certifyEvidenceFetch `cmd:"" help:"Write one to a file."`
}

type certifyEvidenceList struct {
	pages
	Case string `arg:"" help:"Id of the certification."`
}

func (c *certifyEvidenceList) Run(ctx context.Context) error {
	return c.list(ctx, at(casePath+"/evidence", c.Case), "id media size added_at sha256")
}

type certifyEvidenceAdd struct {
	oneCase
	File string `arg:"" help:"The file." type:"existingfile" sends:"evidence"`
}

func (c *certifyEvidenceAdd) Run(ctx context.Context) error {
	return c.upload(ctx, creates, at(casePath+"/evidence", c.Case), c.File)
}

type certifyEvidenceFetch struct {
	fetched
	Case     string `arg:"" help:"Id of the certification."`
	Evidence string `arg:"" help:"Id of the file."`
}

func (c *certifyEvidenceFetch) Run(ctx context.Context) error {
	return c.save(ctx, at(casePath+"/evidence/{}", c.Case, c.Evidence), c.Out)
}

type certifyPass struct {
	oneCase
	held
	Report     string    `help:"Number of the report." required:"" placeholder:"NUMBER"`
	From       time.Time `help:"First moment of the certificate." required:"" placeholder:"TIME" sends:"valid_from"`
	Until      time.Time `help:"End of the certificate, excluded." required:"" placeholder:"TIME" sends:"valid_until"`
	Conditions string    `help:"Conditions." placeholder:"TEXT"`
}

func (c *certifyPass) Run(ctx context.Context) error {
	return c.edit(ctx, c.held, "PUT", at(casePath+"/result", c.Case),
		body("result", "pass", "report", c.Report, "valid_from", c.From, "valid_until", c.Until, "conditions", c.Conditions))
}

type certifyFail struct {
	oneCase
	held
	Report string `help:"Number of the report." required:"" placeholder:"NUMBER"`
	Reason string `help:"What failed." aliases:"note" required:"" placeholder:"TEXT"`
}

func (c *certifyFail) Run(ctx context.Context) error {
	return c.edit(ctx, c.held, "PUT", at(casePath+"/result", c.Case), body("result", "fail", "report", c.Report, "note", c.Reason))
}

type certifyCertificates struct {
	sorted
	certifyFilter
	State string `help:"pending, valid, expired or revoked." placeholder:"STATE"`
}

func (c *certifyCertificates) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/certificates", "id state product laboratory valid_from valid_until report", c.with(c.State)...)
}

type certifyCertificate struct {
	client
	Certificate string `arg:"" help:"Id of the certificate."`
}

func (c *certifyCertificate) Run(ctx context.Context) error {
	return c.do(ctx, "GET", at("/api/v1/certificates/{}", c.Certificate), nil)
}

type certifyRevoke struct {
	client
	held
	Certificate string `arg:"" help:"Id of the certificate."`
	Reason      string `help:"Why." required:"" placeholder:"TEXT"`
}

func (c *certifyRevoke) Run(ctx context.Context) error {
	return c.edit(ctx, c.held, "DELETE", query(at("/api/v1/certificates/{}", c.Certificate), "reason", c.Reason), nil)
}
