package main

import (
	"context"
	"fmt"
)

type residentCommand struct {
	Code     residentCode     `cmd:"" help:"Have six digits sent to a contact, to sign in with."`
	Login    residentLogin    `cmd:"" help:"Sign in with the six digits; who is new gets an account."`
	Show     residentShow     `cmd:"" help:"The resident who is signed in."`
	Set      residentSet      `cmd:"" help:"Say one's name and language; what is not given is taken away."`
	Contact  residentContact  `cmd:"" help:"Have the contact that a code was sent to, in place of the one before; all other sessions end."`
	Delete   residentDelete   `cmd:"" help:"End one's own account as a resident for ever."`
	Sessions residentSessions `cmd:"" help:"One's own sessions, newest first."`
	End      residentEnd      `cmd:"" help:"End one of one's own sessions, or all but this one."`
	Homes    residentHomes    `cmd:"" help:"The homes that one is a member of."`
	Settle   residentSettle   `cmd:"" help:"Make a home, as its householder (户主)."`
	Join     residentJoin     `cmd:"" help:"Become a member of a home, by the code of an invitation."`
}

const residentPath = "/api/v1/resident"

type residentCode struct {
	server
	Contact string `arg:"" help:"E-mail address, or phone number as +8613800000000."`
}

func (r *residentCode) Run(ctx context.Context) error {
	_, err := r.exchange(ctx, "POST", residentPath+"/codes", body("contact", r.Contact), nil)
	if err == nil {
		fmt.Println(say("sent to", "已发送到"), r.Contact)
	}
	return err
}

type residentLogin struct {
	server
	Contact string `arg:"" help:"E-mail address, or phone number as +8613800000000."`
	Code    string `help:"Six digits that were sent to the contact. Default: they are asked for, or read from standard input." placeholder:"CODE"`
	Name    string `help:"Of who is new: how others in a home see them." placeholder:"NAME"`
	Lang    string `help:"Of who is new: of what is sent to them, zh-CN or en." placeholder:"LANG"`
}

func (r *residentLogin) Run(ctx context.Context) error {
	code, err := textOf(r.Code, "code")
	if err != nil {
		return err
	}
	r.warn()
	res, err := r.exchange(ctx, "POST", residentPath+"/session", body("contact", r.Contact, "code", code, "name", r.Name, "lang", r.Lang), nil)
	if err != nil {
		return err
	}
	if err := r.keep(res, r.Contact); err != nil {
		return err
	}
	fmt.Println(say("signed in as", "已登录："), r.Contact)
	return nil
}

type residentShow struct{ client }

func (r *residentShow) Run(ctx context.Context) error { return r.do(ctx, "GET", residentPath, nil) }

type residentSet struct {
	client
	Name string `help:"How others in a home see one; at most 32 characters." placeholder:"NAME"`
	Lang string `help:"Of what is sent to one: zh-CN or en." placeholder:"LANG"`
}

func (r *residentSet) Run(ctx context.Context) error {
	return r.do(ctx, "PUT", residentPath, body("name", r.Name, "lang", r.Lang))
}

type residentContact struct {
	client
	Contact     string `arg:"" help:"E-mail address, or phone number as +8613800000000."`
	Code        string `help:"Six digits that were sent to the contact. Default: they are asked for, or read from standard input." placeholder:"CODE"`
	PresentCode string `help:"Six digits that were sent to the contact that one has. Default: they are asked for, or read from standard input after the others." placeholder:"CODE"`
}

func (r *residentContact) Run(ctx context.Context) error {
	code, err := textOf(r.Code, "code")
	if err != nil {
		return err
	}
	present, err := textOf(r.PresentCode, "code of the present contact")
	if err != nil {
		return err
	}
	return r.do(ctx, "PUT", residentPath+"/contact", body("contact", r.Contact, "code", code, "present_code", present))
}

type residentDelete struct {
	client
	Code string `help:"Six digits that were sent to one's contact. Default: they are asked for, or read from standard input." placeholder:"CODE"`
}

func (r *residentDelete) Run(ctx context.Context) error {
	code, err := textOf(r.Code, "code")
	if err != nil {
		return err
	}
	return r.do(ctx, "POST", residentPath+"/deletion", body("code", code))
}

type residentSessions struct{ pages }

func (r *residentSessions) Run(ctx context.Context) error {
	return r.list(ctx, residentPath+"/sessions", "id current address agent used_at")
}

type residentEnd struct {
	client
	Session string `arg:"" optional:"" help:"Id of the session. Default: all but this one."`
}

func (r *residentEnd) Run(ctx context.Context) error {
	if r.Session == "" {
		return r.do(ctx, "DELETE", residentPath+"/sessions", nil)
	}
	return r.do(ctx, "DELETE", at(residentPath+"/sessions/{}", r.Session), nil)
}

type residentHomes struct{ pages }

func (r *residentHomes) Run(ctx context.Context) error {
	return r.list(ctx, residentPath+"/homes", "id names role joined_at")
}

type residentSettle struct {
	client
	Names map[string]string `help:"What the home is called, by language: zh-CN=家; may be repeated." required:"" placeholder:"LANG=NAME" mapsep:"none"`
}

func (r *residentSettle) Run(ctx context.Context) error {
	return r.do(ctx, creates, residentPath+"/homes", body("names", r.Names))
}

type residentJoin struct {
	client
	Code string `arg:"" optional:"" help:"Code of the invitation. Default: it is asked for, or read from standard input."`
}

func (r *residentJoin) Run(ctx context.Context) error {
	code, err := textOf(r.Code, "code")
	if err != nil {
		return err
	}
	return r.do(ctx, creates, residentPath+"/memberships", body("code", code))
}
