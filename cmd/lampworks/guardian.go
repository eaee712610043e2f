package main

import "context"

type guardianCommand struct {
	List guardianList `cmd:"" help:"Guardians' consents (监护人同意): one's own, or all to a reviewer."`
	Show guardianShow `cmd:"" help:"One consent."`
	Need guardianNeed `cmd:"" help:"Say that one needs a guardian's consent."`
	Name guardianName `cmd:"" help:"Name one's guardian, from a JSON file."`
	Code guardianCode `cmd:"" help:"Show the code that the guardian got."`
	Set  guardianSet  `cmd:"" help:"Confirm or refuse a consent, as a reviewer; or withdraw one's own."`
}

const consentPath = "/api/v1/guardian-consents/{}"

type guardianList struct {
	sorted
	State string `help:"requested, confirmed, refused or withdrawn." placeholder:"STATE"`
	User  string `help:"Only those of this user; for a reviewer." placeholder:"ID"`
}

func (g *guardianList) Run(ctx context.Context) error {
	return g.list(ctx, "/api/v1/guardian-consents", "id user state relation confirmed_by created_at decided_at reason", "state", g.State, "user", g.User)
}

type oneConsent struct {
	client
	Consent string `arg:"" help:"Id of the consent."`
}

type guardianShow struct{ oneConsent }

func (g *guardianShow) Run(ctx context.Context) error {
	return g.do(ctx, "GET", at(consentPath, g.Consent), nil)
}

type guardianNeed struct{ client }

func (g *guardianNeed) Run(ctx context.Context) error {
	return g.do(ctx, "PUT", "/api/v1/capacity", map[string]bool{"needs_guardian": true})
}

type guardianName struct{ fromFile }

func (g *guardianName) Help() string {
	return `The file: {"name":"…","relation":"…","contact":"…","lang":"zh-CN","send_code":true}; it names a person, and so stands on no command line.`
}

func (g *guardianName) Run(ctx context.Context) error {
	return g.submit(ctx, "POST", "/api/v1/guardian-consents")
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
	Act    string `arg:"" help:"confirm, refuse or withdraw." enum:"confirm,refuse,withdraw"`
	Reason string `help:"Why." placeholder:"TEXT"`
}

func (g *guardianSet) Run(ctx context.Context) error {
	return g.do(ctx, "PUT", at(consentPath+"/state", g.Consent), body("act", g.Act, "reason", g.Reason))
}
