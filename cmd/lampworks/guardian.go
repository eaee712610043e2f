package main

import "context"

type guardianCommand struct {
	List   guardianList   `cmd:"" help:"Guardians' consents (监护人同意): one's own, or all to a reviewer."`
	Show   guardianShow   `cmd:"" help:"One consent, with its papers."`
	Need   guardianNeed   `cmd:"" help:"Say that one needs a guardian's consent."`
	Name   guardianName   `cmd:"" help:"Name one's guardian, from a JSON file."`
	Code   guardianCode   `cmd:"" help:"Show the code that the guardian got."`
	Upload guardianUpload `cmd:"" help:"Upload what the guardian signed, or what shows that they are the guardian."`
	Remove guardianRemove `cmd:"" help:"Take a paper out of one's consent."`
	Paper  guardianPaper  `cmd:"" help:"Save a paper; a reviewer's look is recorded."`
	Reveal guardianReveal `cmd:"" help:"Show the guardian's contact in full, to a reviewer; the look is recorded."`
	Set    guardianSet    `cmd:"" help:"Confirm or refuse a consent, as a reviewer; or withdraw one's own."`
}

const consentPath = "/api/v1/guardian-consents/{}"

type guardianList struct {
	sorted
	State string `help:"requested, confirmed, refused, withdrawn or lapsed." placeholder:"STATE"`
	User  string `help:"Only those of this user; for a reviewer." placeholder:"ID"`
	Ready bool   `help:"Only those whose papers wait for a reviewer."`
}

func (g *guardianList) Run(ctx context.Context) error {
	return g.list(ctx, "/api/v1/guardian-consents", "id user state ready relation confirmed_by created_at decided_at needed_until reason",
		"state", g.State, "user", g.User, "ready", yes(g.Ready))
}

type oneConsent struct {
	client
	Consent string `arg:"" help:"Id of the consent."`
}

type guardianShow struct{ oneConsent }

func (g *guardianShow) Run(ctx context.Context) error {
	return g.do(ctx, "GET", at(consentPath, g.Consent), nil)
}

type guardianNeed struct {
	client
	AdultIn string `help:"Month in which one turns 18: the need ends with it." placeholder:"YYYY-MM"`
}

func (g *guardianNeed) Run(ctx context.Context) error {
	return g.do(ctx, "PUT", "/api/v1/capacity", body("needs_guardian", true, "adult_in", g.AdultIn))
}

type guardianUpload struct {
	oneConsent
	Kind string `arg:"" help:"consent: what the guardian signed; relation: what shows that they are the guardian." enum:"consent,relation"`
	File string `arg:"" type:"existingfile" help:"PDF, PNG, JPEG or WebP, at most 10 MiB."`
}

func (g *guardianUpload) Run(ctx context.Context) error {
	return g.upload(ctx, "POST", query(at(consentPath+"/papers", g.Consent), "kind", g.Kind), g.File)
}

type guardianRemove struct {
	oneConsent
	Paper string `arg:"" help:"Id of the paper."`
}

func (g *guardianRemove) Run(ctx context.Context) error {
	return g.do(ctx, "DELETE", at(consentPath+"/papers/{}", g.Consent, g.Paper), nil)
}

type guardianPaper struct {
	fetched
	Consent string `arg:"" help:"Id of the consent."`
	Paper   string `arg:"" help:"Id of the paper."`
}

func (g *guardianPaper) Run(ctx context.Context) error {
	return g.save(ctx, at(consentPath+"/papers/{}", g.Consent, g.Paper), g.Out)
}

type guardianReveal struct {
	oneConsent
	Reason string `required:"" help:"Why it has to be seen; it stands in the audit." placeholder:"TEXT"`
}

func (g *guardianReveal) Run(ctx context.Context) error {
	return g.do(ctx, "POST", at(consentPath+"/reveal", g.Consent), body("reason", g.Reason))
}

type guardianName struct{ fromFile }

func (g *guardianName) Help() string {
	return `The file: {"name":"…","relation":"…","contact":"…","lang":"zh-CN","send_code":true}; it names a person, and so stands on no command line.`
}

func (g *guardianName) Run(ctx context.Context) error {
	return g.submit(ctx, creates, "/api/v1/guardian-consents")
}

type guardianCode struct {
	oneConsent
	Code string `arg:"" optional:"" help:"Six digits. Default: they are asked for, or read from standard input."`
}

func (g *guardianCode) Run(ctx context.Context) error {
	code, err := textOf(g.Code, "code")
	if err != nil {
		return err
	}
	return g.do(ctx, "POST", at(consentPath+"/proof", g.Consent), body("code", code))
}

type guardianSet struct {
	oneConsent
	Act    string   `arg:"" help:"confirm, refuse or withdraw." enum:"confirm,refuse,withdraw"`
	Paper  []string `help:"To confirm: id of a paper that was looked at; may be repeated. If there are others now, nothing is done." placeholder:"ID"`
	Reason string   `help:"Why." placeholder:"TEXT"`
}

func (g *guardianSet) Run(ctx context.Context) error {
	return g.do(ctx, "PUT", at(consentPath+"/state", g.Consent), body("act", g.Act, "papers", g.Paper, "reason", g.Reason))
}
