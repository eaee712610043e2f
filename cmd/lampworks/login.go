package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

type loginCommand struct {
	server
	Name         string `help:"Login. Default: it is asked for, or read from standard input." placeholder:"LOGIN"`
	PasswordFile string `help:"File with the password. Default: it is asked for, or the next line of standard input." type:"existingfile" placeholder:"FILE"`
	Code         string `help:"Of the second factor, or a recovery code; each is good once." placeholder:"CODE"`
}

func (l *loginCommand) Help() string {
	return "The session is kept in session.json in the folder lampworks of your configuration, readable by you alone, and used by every verb that " +
		"asks this server and gets no token. It ends with lampworks logout."
}

func (l *loginCommand) Run(ctx context.Context) error {
	login, err := textOf(l.Name, "login")
	if err != nil {
		return err
	}
	password, err := secretOf(l.PasswordFile, "password")
	if err != nil {
		return err
	}
	l.warn()
	in := body("login", login, "password", password, "code", l.Code)
	var out signedIn
	res, err := l.exchange(ctx, "POST", "/api/v1/session", in, &out)
	var r *refusal
	if errors.As(err, &r) && r.Code == "second_factor" && l.Code == "" && terminal() {
		if in["code"], err = textOf("", "code"); err != nil {
			return err
		}
		res, err = l.exchange(ctx, "POST", "/api/v1/session", in, &out)
	}
	if err != nil {
		return err
	}
	return l.begin(res, &out)
}

// warn tells that a password goes where others can read it.
func (s *server) warn() {
	u, err := url.Parse(s.Server)
	if err != nil || u.Scheme != "http" || u.Hostname() == "localhost" {
		return
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsLoopback() {
		fmt.Fprintf(os.Stderr, say("lampworks: what goes to %s is not encrypted; use https where it leaves this machine\n", "lampworks：发往 %s 的内容没有加密；离开本机时请用 https\n"), s.Server)
	}
}

// signedIn is who is signed in, as far as a line tells it.
type signedIn struct {
	Actor struct {
		Login        string   `json:"login"`
		Organisation string   `json:"organisation"`
		Roles        []string `json:"roles"`
		FactorNeeded bool     `json:"second_factor_needed"`
	} `json:"actor"`
}

// begin keeps the session of an answer and says whose it is.
func (s *server) begin(res *http.Response, in *signedIn) error {
	a := &in.Actor
	if err := s.keep(res, a.Login); err != nil {
		return err
	}
	text := say("signed in as ", "已登录：") + a.Login
	if len(a.Roles) > 0 {
		text += " (" + strings.Join(a.Roles, ", ") + ")"
	}
	if a.Organisation != "" {
		text += say(", acting for ", "，代表组织 ") + a.Organisation
	}
	fmt.Println(text)
	if a.FactorNeeded {
		fmt.Println(say("nothing is open before a second factor is enrolled: lampworks factor start", "启用第二因素之前什么也不能做：lampworks factor start"))
	}
	return nil
}

type logoutCommand struct{ server }

// Run ends the session and forgets it. One that has ended is forgotten, too; one that the server was not asked about is kept.
func (l *logoutCommand) Run(ctx context.Context) error {
	k, err := readKept()
	if err != nil {
		return err
	}
	s, ok := k.Sessions[l.address()]
	if !ok {
		return fmt.Errorf(say("nobody is signed in at %s", "尚未登录 %s"), l.address())
	}
	c := client{server: l.server}
	var r *refusal
	if err := c.call(ctx, "DELETE", "/api/v1/session", nil, nil); err != nil && (!errors.As(err, &r) || r.status != http.StatusUnauthorized) {
		return err
	}
	if err := l.forget(); err != nil {
		return err
	}
	fmt.Println(say("signed out", "已退出登录："), s.Login)
	return nil
}

type whoamiCommand struct{ client }

func (w *whoamiCommand) Run(ctx context.Context) error {
	return w.do(ctx, "GET", "/api/v1/session", nil)
}

type proveCommand struct {
	client
	Code string `arg:"" optional:"" help:"Six digits of the authenticator. Default: they are asked for, or read from standard input."`
}

func (p *proveCommand) Help() string {
	return "For 15 minutes downloads and what else shows secrets is open in this session."
}

func (p *proveCommand) Run(ctx context.Context) error {
	code, err := textOf(p.Code, "code")
	if err != nil {
		return err
	}
	return p.do(ctx, "PUT", "/api/v1/session/proof", body("code", code))
}

type setupCommand struct {
	server
	CodeFile     string `help:"File with the code that the start of the program showed, or the address that it is in: first-operator of the data directory." required:"" type:"existingfile" placeholder:"FILE"`
	Name         string `help:"Login." required:"" placeholder:"LOGIN"`
	PasswordFile string `help:"File with the password. Default: it is asked for, or the next line of standard input." type:"existingfile" placeholder:"FILE"`
	Email        string `help:"E-mail address." placeholder:"ADDRESS"`
}

func (s *setupCommand) Run(ctx context.Context) error {
	var state struct {
		Needed bool `json:"needed"`
	}
	if _, err := s.exchange(ctx, "GET", "/api/v1/setup", nil, &state); err != nil {
		return err
	}
	if !state.Needed {
		return errorText(say("there is an operator already: run lampworks login", "已有运营者：请运行 lampworks login"))
	}
	code, err := secretOf(s.CodeFile, "code")
	if err != nil {
		return err
	}
	if _, after, ok := strings.Cut(code, "#"); ok {
		code = after
	}
	password, err := secretOf(s.PasswordFile, "password")
	if err != nil {
		return err
	}
	s.warn()
	var out signedIn
	res, err := s.exchange(ctx, "POST", "/api/v1/setup", body("code", strings.TrimSpace(code), "login", s.Name, "password", password, "email", s.Email), &out)
	if err != nil {
		return err
	}
	return s.begin(res, &out)
}

type sessionCommand struct {
	List   sessionList   `cmd:"" help:"One's own sessions, newest first."`
	End    sessionEnd    `cmd:"" help:"End one of them."`
	Others sessionOthers `cmd:"" name:"end-others" help:"End all of them but this one."`
}

type sessionList struct{ pages }

func (s *sessionList) Run(ctx context.Context) error {
	return s.list(ctx, "/api/v1/sessions", "id current strong used_at ends_at address agent")
}

type sessionEnd struct {
	client
	Session string `arg:"" help:"Its id."`
}

func (s *sessionEnd) Run(ctx context.Context) error {
	return s.do(ctx, "DELETE", at("/api/v1/sessions/{}", s.Session), nil)
}

type sessionOthers struct{ client }

func (s *sessionOthers) Run(ctx context.Context) error {
	return s.do(ctx, "DELETE", "/api/v1/sessions", nil)
}
