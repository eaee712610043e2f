package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/account"
)

type sessionView struct {
	Login            string        `json:"login"`
	Kind             string        `json:"kind" enum:"user,token"`
	Organisation     string        `json:"organisation" doc:"Id of the organisation acted for; empty for an operator, or a user without one."`
	OrganisationName account.Names `json:"organisation_name" doc:"Its names by language."`
	Roles            []access.Role `json:"roles" nullable:"false"`
	Acts             []access.Act  `json:"acts" nullable:"false" doc:"What who is signed in may do."`
	Strong           bool          `json:"strong" doc:"The second factor was shown. Roles of the operator do nothing without."`
	FactorNeeded     bool          `json:"second_factor_needed" doc:"Nothing is open before the second factor is enrolled (POST /api/v1/factor)."`
	ProvedUntil      moment        `json:"proved_until,omitzero" doc:"Until then what shows secrets is open; then PUT /api/v1/session/proof opens it again."`
	Laboratory       string        `json:"laboratory,omitempty" doc:"Id of the laboratory, for that role."`
}

type sessionBody struct {
	Actor sessionView `json:"actor"`
}

type sessionOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      sessionBody
}

type signedOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

type signIn struct {
	Body struct {
		Login    string           `json:"login,omitempty" maxLength:"128"`
		Password account.Password `json:"password,omitempty"`
		Code     account.Code     `json:"code,omitempty" doc:"Of the second factor, or a recovery code. Whoever has one and leaves it out is asked for it: 403 second_factor."`
		Token    account.Token    `json:"token,omitempty" doc:"An API token, instead of login and password."`
	}
}

type setupInput struct {
	Body struct {
		Code     account.Code     `json:"code" doc:"The one-time code that the start of the program showed."`
		Login    string           `json:"login" maxLength:"128"`
		Password account.Password `json:"password"`
		Email    string           `json:"email,omitempty" maxLength:"254"`
	}
}

type passwordInput struct {
	Body struct {
		OldPassword account.Password `json:"old_password"`
		NewPassword account.Password `json:"new_password"`
	}
}

type selectInput struct {
	Body struct {
		Organisation string `json:"organisation" maxLength:"64" doc:"Empty: for none, which only the operator's people may."`
	}
}

type setupView struct {
	Needed bool `json:"needed"`
}

type openSession struct {
	ID           string `json:"id"`
	Current      bool   `json:"current" doc:"The one that asks."`
	Strong       bool   `json:"strong" doc:"Opened with the second factor."`
	Agent        string `json:"agent,omitempty" doc:"What the browser said of itself."`
	Organisation string `json:"organisation,omitempty"`
	APIToken     string `json:"api_token,omitempty" doc:"Id of the API token it was opened with."`
	Address      string `json:"address"`
	CreatedAt    moment `json:"created_at"`
	UsedAt       moment `json:"used_at"`
	EndsAt       moment `json:"ends_at" doc:"If it is not used."`
}

func (a *API) sessionRoutes() {
	register(a, open("GET", "/api/v1/setup", "Whether there is no operator yet"), func(ctx context.Context, _ *struct{}) (setupView, error) {
		needed, err := a.Accounts.SetupNeeded(ctx)
		return setupView{needed}, err
	})
	respond(a, secret(open("POST", "/api/v1/setup", "Make the first operator, and sign in as such")), a.setUp)
	respond(a, secret(open("POST", "/api/v1/session", "Sign in")), func(ctx context.Context, in *signIn) (*sessionOutput, error) {
		if token := in.Body.Token.Reveal(); token != "" {
			return a.signedIn(ctx)(a.Accounts.LoginToken(ctx, token, callOf(ctx).address, callOf(ctx).agent))
		}
		return a.signedIn(ctx)(a.Accounts.SignIn(ctx, credentials(ctx, in.Body.Login, in.Body.Password, in.Body.Code)))
	})
	route(a, "GET", "/api/v1/session", anybody, ofPerson, "Who is signed in", func(ctx context.Context, who access.Actor, _ *struct{}) (sessionBody, error) {
		return a.view(ctx, who)
	})
	out := open("DELETE", "/api/v1/session", "Sign out")
	out.DefaultStatus = http.StatusNoContent
	respond(a, out, a.signOut)
	route(a, "PUT", "/api/v1/session/organisation", anybody, ofPerson, "Act for another organisation one is a member of, or, of the operator's people, for none", a.selectOrganisation)
	respond(a, secret(a.operation("PUT", "/api/v1/session/password", anybody, ofPerson, "Change the password; ends all sessions and opens a new one")),
		func(ctx context.Context, in *passwordInput) (*sessionOutput, error) {
			who, _ := access.Of(ctx)
			return a.signedIn(ctx)(a.Accounts.ChangePassword(ctx, who, in.Body.OldPassword, in.Body.NewPassword))
		})
	list(a, "/api/v1/sessions", anybody, ofPerson, "One's own sessions, newest first, at most 50", func(ctx context.Context, who access.Actor, in *PageInput) (page[openSession], error) {
		all, err := a.Accounts.Sessions(ctx, who)
		if err != nil {
			return page[openSession]{}, err
		}
		return pageWithin(all, in, func(s *account.Session) string { return s.ID }, func(s *account.Session) openSession {
			return openSession{s.ID, s.Current, s.Strong, s.Agent, s.Organisation, s.APIToken, s.Address, moment(s.CreatedAt), moment(s.UsedAt), moment(s.EndsAt)}
		})
	})
	route(a, "DELETE", "/api/v1/sessions", anybody, ofPerson, "End all of one's own sessions but this one", func(ctx context.Context, who access.Actor, _ *struct{}) (nothing, error) {
		return nothing{}, a.Accounts.EndOtherSessions(ctx, who)
	})
	route(a, "DELETE", "/api/v1/sessions/{session}", anybody, ofPerson, "End one of one's own sessions", func(ctx context.Context, who access.Actor, in *struct {
		Session string `path:"session" maxLength:"64"`
	},
	) (nothing, error) {
		return nothing{}, a.Accounts.EndSession(ctx, who, in.Session)
	})
}

// secret marks an operation whose body holds a secret: it is small, and nothing of it is repeated.
func secret(op huma.Operation) huma.Operation {
	op.MaxBodyBytes = maxSecret + 1
	op.Metadata = map[string]any{hiding: true}
	return op
}

func (a *API) setUp(ctx context.Context, in *setupInput) (*sessionOutput, error) {
	from := callOf(ctx).address
	_, err := a.Accounts.Setup(ctx, in.Body.Code.Reveal(), account.NewUser{Login: in.Body.Login, Password: in.Body.Password, Email: in.Body.Email}, from)
	if err != nil {
		return nil, err
	}
	return a.signedIn(ctx)(a.Accounts.SignIn(ctx, credentials(ctx, in.Body.Login, in.Body.Password, account.Code{})))
}

func credentials(ctx context.Context, login string, p account.Password, code account.Code) account.Credentials {
	c := callOf(ctx)
	return account.Credentials{Login: login, Password: p, Code: code, From: c.address, Agent: c.agent, Lang: c.language}
}

// signOut ends the session that was shown. Whoever has none is signed out already.
func (a *API) signOut(ctx context.Context, _ *struct{}) (*signedOut, error) {
	if who, ok := access.Of(ctx); ok && who.Resident() {
		if err := a.Residents.SignOut(ctx, who); err != nil {
			return nil, err
		}
	} else if ok {
		if err := a.Accounts.Logout(ctx, who, callOf(ctx).token); err != nil {
			return nil, err
		}
	} else if doubt := callOf(ctx).doubt; doubt != nil && !fault.Is(doubt, fault.NoActor) {
		return nil, doubt // it could not be looked at: the session may still hold
	}
	return &signedOut{cookie(ctx, "", -1)}, nil
}

func (a *API) selectOrganisation(ctx context.Context, who access.Actor, in *selectInput) (sessionBody, error) {
	c := callOf(ctx)
	if err := a.Accounts.SelectOrganisation(ctx, who, c.token, in.Body.Organisation); err != nil {
		return sessionBody{}, err
	}
	who, err := a.Accounts.Authenticate(ctx, c.token, c.address)
	if err != nil {
		return sessionBody{}, err
	}
	return a.view(ctx, who)
}

// signedIn turns a new session into the answer that sets its cookie.
func (a *API) signedIn(ctx context.Context) func(account.Session, error) (*sessionOutput, error) {
	return func(s account.Session, err error) (*sessionOutput, error) {
		if err != nil {
			return nil, err
		}
		b, err := a.view(ctx, s.Actor)
		if err != nil {
			return nil, err
		}
		return &sessionOutput{SetCookie: cookie(ctx, s.Token.Reveal(), 30*24*3600), Body: b}, nil
	}
}

// cookie carries a session, seconds long; below 0 it takes it away. Behind a proxy that ends TLS the program does not see
// that the browser came by it; SameSite and HttpOnly hold all the same.
func cookie(ctx context.Context, value string, seconds int) http.Cookie {
	return http.Cookie{ //nolint:gosec // Secure where TLS ends in this program
		Name: cookieName, Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, Secure: callOf(ctx).secure, SameSite: http.SameSiteStrictMode,
	}
}

func (a *API) view(ctx context.Context, who access.Actor) (sessionBody, error) {
	v := sessionView{
		Login: who.Login, Organisation: who.Organisation, OrganisationName: account.Names{},
		Roles: append([]access.Role{}, who.Roles...), Kind: who.Kind, Acts: []access.Act{}, Strong: who.Strong, FactorNeeded: who.NeedsFactor(), Laboratory: who.Laboratory,
	}
	if !who.Proved.IsZero() {
		v.ProvedUntil = moment(who.Proved.Add(access.Fresh))
	}
	for _, act := range access.Acts() {
		if who.May(act) {
			v.Acts = append(v.Acts, act)
		}
	}
	if who.Organisation != "" && who.May(access.ReadOrganisation) {
		org, err := a.Accounts.Organisation(ctx, who, who.Organisation)
		if err != nil {
			return sessionBody{}, err
		}
		v.OrganisationName = org.Names
	}
	return sessionBody{v}, nil
}
