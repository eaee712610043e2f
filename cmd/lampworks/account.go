package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

type contactCommand struct {
	Show contactShow `cmd:"" help:"One's own verified contacts."`
	Code contactCode `cmd:"" help:"Send a code to a contact one wants to have."`
	Set  contactSet  `cmd:"" help:"Have the contact that the code was sent to."`

	Preferences contactPreferences `cmd:"" help:"How one wants to be written to."`
	Prefer      contactPrefer      `cmd:"" help:"Say in which language one wants to be written to, and whether notices come by mail."`
}

const preferencesPath = "/api/v1/session/user/preferences"

type contactPreferences struct{ client }

func (c *contactPreferences) Run(ctx context.Context) error {
	return c.do(ctx, "GET", preferencesPath, nil)
}

type contactPrefer struct {
	client
	Lang        string `help:"zh-CN, en or both. Default: as it is." enum:"zh-CN,en,both," default:""`
	MailNotices *bool  `help:"Get notices by mail that one may decline. Default: as it is." negatable:""`
}

// Run leaves what is not named as it is.
func (c *contactPrefer) Run(ctx context.Context) error {
	var p struct {
		Lang        string `json:"lang,omitempty"`
		MailNotices bool   `json:"mail_notices"`
	}
	if err := c.call(ctx, "GET", preferencesPath, nil, &p); err != nil {
		return err
	}
	switch c.Lang {
	case "":
	case "both":
		p.Lang = ""
	default:
		p.Lang = c.Lang
	}
	if c.MailNotices != nil {
		p.MailNotices = *c.MailNotices
	}
	return c.do(ctx, "PUT", preferencesPath, p)
}

type contactShow struct{ pages }

func (c *contactShow) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/contacts", "kind address verified_at")
}

type contactCode struct {
	client
	Contact string `arg:"" help:"E-mail address, or phone number as +8613800000000."`
}

func (c *contactCode) Run(ctx context.Context) error {
	return askCode(ctx, c.client.exchange, "/api/v1/contacts/codes", c.Contact, "lampworks contact set %s CODE")
}

type contactSet struct {
	client
	ID   string `arg:"" help:"What the code was sent under."`
	Code string `arg:"" optional:"" help:"That came to the contact. Default: they are asked for, or read from standard input."`
}

func (c *contactSet) Run(ctx context.Context) error {
	code, err := textOf(c.Code, "code")
	if err != nil {
		return err
	}
	return c.do(ctx, "PUT", "/api/v1/contacts", body("id", c.ID, "code", code))
}

type signupCommand struct {
	Open signupOpen `cmd:"" help:"Whether people may make accounts themselves."`
	Code signupCode `cmd:"" help:"Send a code to the contact of a new account."`
	New  signupNew  `cmd:"" help:"Make the account by the code, or by that of an invitation, and sign in."`
}

type signupOpen struct{ server }

func (s *signupOpen) Run(ctx context.Context) error {
	var state struct {
		Open bool `json:"open"`
	}
	if _, err := s.exchange(ctx, "GET", "/api/v1/sign-up", nil, &state); err != nil { //nolint:bodyclose // exchange closes it
		return err
	}
	if !state.Open {
		fmt.Println(say("closed: by invitation, or by the operator", "未开放：须有邀请，或由运营者开设"))
		return exitError(exitRefuse)
	}
	fmt.Println(say("open", "开放"))
	return nil
}

type signupCode struct {
	server
	Contact string `arg:"" help:"E-mail address, or phone number as +8613800000000."`
}

func (s *signupCode) Run(ctx context.Context) error {
	return askCode(ctx, s.exchange, "/api/v1/sign-up/codes", s.Contact, "lampworks signup new --name LOGIN --id %s --code CODE")
}

// askCode asks for a code to a contact and prints under which id, alone, so that a program can take it; what comes next goes
// to standard error.
func askCode(ctx context.Context, ask func(ctx context.Context, method, path string, in, out any) (*http.Response, error), path, contact, next string) error {
	var sent struct {
		ID   string `json:"id"`
		Wait int    `json:"wait_seconds"`
	}
	if _, err := ask(ctx, "POST", path, body("contact", contact), &sent); err != nil { //nolint:bodyclose // exchange, which it is, closes it
		return err
	}
	fmt.Println(sent.ID)
	note(say("the code is on its way, or the newest message there has one; next: ", "验证码已发出，或见最近一条消息；下一步：")+next, sent.ID)
	if sent.Wait > 0 {
		note(say("Many codes were asked for from this address: if none comes, ask again in %d seconds.", "此地址索要验证码过于频繁：若没有收到，请在 %d 秒后再试。"), sent.Wait)
	}
	return nil
}

type signupNew struct {
	server
	Name         string            `help:"Login." required:"" placeholder:"LOGIN" sends:"login"`
	PasswordFile string            `help:"File with the password. Default: it is asked for, or the next line of standard input." type:"existingfile" placeholder:"FILE"`
	ID           string            `name:"id" help:"What the code was sent under." placeholder:"ID"`
	Code         string            `help:"That came to the contact." placeholder:"CODE"`
	Invitation   string            `help:"Code of an invitation, instead of the two." placeholder:"CODE"`
	Organisation map[string]string `help:"Name of a new organisation of which one becomes the owner: zh-CN=名称; may be repeated." mapsep:"none" placeholder:"LANG=NAME"`
	Kind         []string          `help:"What the organisation is; lampworks organisation kinds lists them." placeholder:"KIND"`
	Person       bool              `help:"The organisation is a person on their own (个人)."`
	BirthDate    string            `help:"Of such a person, YYYY-MM-DD; what is kept is whether they are under 18." placeholder:"DATE"`
}

func (s *signupNew) Run(ctx context.Context) error {
	password, err := secretOf(s.PasswordFile, "password")
	if err != nil {
		return err
	}
	s.warn()
	in := body("login", s.Name, "password", password, "id", s.ID, "code", s.Code, "invitation", s.Invitation, "birth_date", s.BirthDate)
	if s.Person {
		in["person"] = true
	}
	if len(s.Organisation) > 0 {
		in["organisation"] = map[string]any{"names": s.Organisation, "kinds": append([]string{}, s.Kind...)}
	}
	var out signedIn
	res, err := s.exchange(ctx, "POST", "/api/v1/sign-up", in, &out) //nolint:bodyclose // exchange closes it
	if err != nil {
		return err
	}
	return s.begin(res, &out)
}

type passwordCommand struct {
	Change passwordChange `cmd:"" help:"Change one's password; ends all sessions and opens a new one."`
	Code   passwordCode   `cmd:"" help:"Send a code for a new password to a verified contact."`
	Reset  passwordReset  `cmd:"" help:"Set a new password by the code; ends all sessions."`
}

type passwordChange struct {
	client
	OldPasswordFile string `help:"File with the password there is. Default: it is asked for, or the next line of standard input." type:"existingfile" placeholder:"FILE"`
	NewPasswordFile string `help:"File with the new one. Default: likewise, after it." type:"existingfile" placeholder:"FILE"`
}

func (p *passwordChange) Run(ctx context.Context) error {
	before, err := secretOf(p.OldPasswordFile, "password")
	if err != nil {
		return err
	}
	after, err := secretOf(p.NewPasswordFile, "new password")
	if err != nil {
		return err
	}
	var out signedIn
	res, err := p.exchange(ctx, "PUT", "/api/v1/session/password", body("old_password", before, "new_password", after), &out)
	if err != nil {
		return err
	}
	return p.begin(res, &out)
}

type passwordCode struct {
	server
	Contact string `arg:"" help:"The verified contact."`
}

func (p *passwordCode) Run(ctx context.Context) error {
	return askCode(ctx, p.exchange, "/api/v1/password-reset/codes", p.Contact, "lampworks password reset %s CODE")
}

type passwordReset struct {
	server
	ID           string `arg:"" help:"What the code was sent under."`
	Code         string `arg:"" help:"That came to the contact."`
	PasswordFile string `help:"File with the new password. Default: it is asked for, or the next line of standard input." type:"existingfile" placeholder:"FILE"`
}

func (p *passwordReset) Run(ctx context.Context) error {
	password, err := secretOf(p.PasswordFile, "new password")
	if err != nil {
		return err
	}
	p.warn()
	_, err = p.exchange(ctx, "POST", "/api/v1/password-reset", body("id", p.ID, "code", p.Code, "password", password), nil)
	return err
}

type tokenCommand struct {
	List tokenList `cmd:"" help:"One's own API tokens."`
	Show tokenShow `cmd:"" help:"One of them, without the token itself."`
	New  tokenNew  `cmd:"" help:"Make an API token (令牌) and print it, once."`
	End  tokenEnd  `cmd:"" help:"Revoke one, with the sessions opened with it."`
}

type tokenList struct {
	sorted
	State string `help:"in_force, expired or revoked." placeholder:"STATE"`
	Name  string `help:"Only those whose name begins so." placeholder:"TEXT"`
}

func (t *tokenList) Run(ctx context.Context) error {
	return t.list(ctx, "/api/v1/tokens", "id state prefix strong expires_at revoked_at used_at organisation scopes name", "state", t.State, "name", t.Name)
}

type tokenShow struct {
	client
	ID string `arg:"" help:"Its id."`
}

func (t *tokenShow) Run(ctx context.Context) error {
	return t.do(ctx, "GET", at("/api/v1/tokens/{}", t.ID), nil)
}

type tokenNew struct {
	client
	Name    string    `arg:"" help:"What it is for."`
	Scope   []string  `help:"What it may do at most, as order.read; may be repeated. Default: all that one's role allows." placeholder:"ACT"`
	Expires time.Time `help:"At most 366 days ahead. Default: in 90 days." placeholder:"TIME" sends:"expires_at"`
}

// Run prints the token alone on standard output, so that it can go where it is kept; its id goes to standard error.
func (t *tokenNew) Run(ctx context.Context) error {
	var made struct {
		ID      string    `json:"id"`
		Token   string    `json:"token"`
		Expires time.Time `json:"expires_at"`
	}
	if err := t.call(ctx, creates, "/api/v1/tokens", body("name", t.Name, "scopes", t.Scope, "expires_at", t.Expires), &made); err != nil {
		return err
	}
	if made.Token == "" { // it is told once, and that answer was lost
		return fmt.Errorf("token %s was made, and the answer with it was lost; end it: lampworks token end %[1]s, and make another", made.ID)
	}
	note(say("token %s, until %s; it is not shown again", "令牌 %s，有效至 %s；不会再次显示"), made.ID, made.Expires.Format(time.RFC3339))
	fmt.Println(made.Token)
	return nil
}

type tokenEnd struct {
	client
	ID string `arg:"" help:"Its id."`
}

func (t *tokenEnd) Run(ctx context.Context) error {
	return t.do(ctx, "DELETE", at("/api/v1/tokens/{}", t.ID), nil)
}

type userCommand struct {
	List     userList     `cmd:"" help:"All users; operators only."`
	Show     userShow     `cmd:"" help:"One user; operators only."`
	New      userNew      `cmd:"" help:"Make a user without any role; operators only."`
	Role     userRole     `cmd:"" help:"Make a user one of the operator's people, or no longer."`
	State    userState    `cmd:"" help:"Take a user's right to act away, or give it back."`
	Factor   userFactor   `cmd:"" help:"Reset the second factor of who lost it; ends their sessions."`
	Capacity userCapacity `cmd:"" help:"Say whether a person needs a guardian's consent; reviewers only."`
	Delete   userDelete   `cmd:"" help:"End one's own account for ever."`
}

type userList struct {
	sorted
	State string `help:"enabled or disabled." placeholder:"STATE"`
	Role  string `help:"Only the operator's people with this role." placeholder:"ROLE"`
	Login string `help:"Only those whose login begins so." placeholder:"TEXT"`
}

func (u *userList) Run(ctx context.Context) error {
	return u.list(ctx, "/api/v1/users", "id state platform_role second_factor created_at revision login", "state", u.State, "role", u.Role, "login", u.Login)
}

type userShow struct {
	client
	User string `arg:"" help:"Id of the user."`
}

func (u *userShow) Run(ctx context.Context) error {
	return u.do(ctx, "GET", at("/api/v1/users/{}", u.User), nil)
}

type userNew struct {
	client
	Name         string `arg:"" help:"Login." sends:"login"`
	PasswordFile string `help:"File with the password. Default: it is asked for, or the next line of standard input." type:"existingfile" placeholder:"FILE"`
	Email        string `help:"E-mail address." placeholder:"ADDRESS"`
}

func (u *userNew) Run(ctx context.Context) error {
	password, err := secretOf(u.PasswordFile, "password")
	if err != nil {
		return err
	}
	return u.do(ctx, "POST", "/api/v1/users", body("login", u.Name, "password", password, "email", u.Email))
}

type userRole struct {
	client
	held
	User       string `arg:"" help:"Id of the user."`
	Role       string `arg:"" help:"admin, reviewer, certifier, laboratory, platform_support or none." enum:"admin,reviewer,certifier,laboratory,platform_support,none"`
	Laboratory string `help:"Id, for the role laboratory." placeholder:"ID"`
	Reason     string `help:"Why; for the audit." aliases:"note" placeholder:"TEXT"`
}

func (u *userRole) Run(ctx context.Context) error {
	in := body("laboratory", u.Laboratory, "note", u.Reason)
	if in["role"] = u.Role; u.Role == "none" {
		in["role"] = ""
	}
	if err := u.hold(ctx, u.held, "PUT", at("/api/v1/users/{}/role", u.User), in, nil); err != nil {
		return err
	}
	if u.Role == "none" {
		fmt.Printf(say("user %s is none of the operator's people any more\n", "用户 %s 不再是运营人员\n"), u.User)
		return nil
	}
	fmt.Printf(say("user %s has the role %s; it does nothing before they sign in with a second factor\n", "用户 %s 的角色为 %s；用第二因素登录后才生效\n"), u.User, u.Role)
	return nil
}

type userState struct {
	client
	held
	User   string `arg:"" help:"Id of the user."`
	State  string `arg:"" help:"enabled or disabled." enum:"enabled,disabled"`
	Reason string `help:"Why; for the audit." aliases:"note" placeholder:"TEXT"`
}

func (u *userState) Run(ctx context.Context) error {
	if err := u.hold(ctx, u.held, "PUT", at("/api/v1/users/{}/state", u.User), body("state", u.State, "note", u.Reason), nil); err != nil {
		return err
	}
	fmt.Printf(say("user %s is %s\n", "用户 %s 的状态为 %s\n"), u.User, u.State)
	return nil
}

type userFactor struct {
	client
	User   string `arg:"" help:"Id of the user."`
	Reason string `help:"Why; for the audit." aliases:"note" placeholder:"TEXT"`
}

func (u *userFactor) Run(ctx context.Context) error {
	if err := u.call(ctx, "DELETE", query(at("/api/v1/users/{}/factor", u.User), "note", u.Reason), nil, nil); err != nil {
		return err
	}
	fmt.Printf(say("user %s has no second factor any more, and no session\n", "用户 %s 的第二因素已移除，会话已全部结束\n"), u.User)
	return nil
}

type userCapacity struct {
	client
	User    string `arg:"" help:"Id of the user."`
	Needs   string `arg:"" help:"needs-guardian, or free." enum:"needs-guardian,free"`
	AdultIn string `help:"Month in which they turn 18: the need ends with it." placeholder:"YYYY-MM"`
	Reason  string `help:"Why." required:"" placeholder:"TEXT"`
}

func (u *userCapacity) Run(ctx context.Context) error {
	return u.do(ctx, "PUT", at("/api/v1/users/{}/capacity", u.User), body("needs_guardian", u.Needs == "needs-guardian", "adult_in", u.AdultIn, "reason", u.Reason))
}

type userDelete struct {
	client
	PasswordFile string `help:"File with one's password. Default: it is asked for, or the next line of standard input." type:"existingfile" placeholder:"FILE"`
}

// Run ends the account; with it goes the session that was kept.
func (u *userDelete) Run(ctx context.Context) error {
	password, err := secretOf(u.PasswordFile, "password")
	if err != nil {
		return err
	}
	if err := u.call(ctx, "POST", "/api/v1/session/user/deletion", body("password", password), nil); err != nil {
		return err
	}
	if u.Token != "" {
		return nil
	}
	return u.forget()
}
