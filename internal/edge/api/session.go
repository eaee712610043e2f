package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/account"
)

const cookieName = "lw_session"

// identify puts the actor of a cookie or token into the request's context. A request without either goes on without an
// actor; one with a bad one is answered 401 by the first route that needs somebody.
func (a *API) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), addressKey{}, origin{r.RemoteAddr, r.TLS != nil})
		if key := r.Header.Get("Idempotency-Key"); key != "" {
			ctx = context.WithValue(ctx, onceKey{}, key)
		}
		token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !bearer {
			token = ""
			if c, err := r.Cookie(cookieName); err == nil {
				token = c.Value
			}
		}
		if token != "" && strings.HasPrefix(r.URL.Path, "/api/") {
			if who, err := a.Accounts.Authenticate(ctx, token, r.RemoteAddr); err == nil {
				ctx = context.WithValue(access.With(ctx, who), tokenKey{}, token)
			}
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

type (
	addressKey struct{}
	tokenKey   struct{}
)

// origin is where a request came from.
type origin struct {
	address string
	secure  bool // over TLS that ends here
}

func originOf(ctx context.Context) origin {
	o, _ := ctx.Value(addressKey{}).(origin)
	return o
}

func address(ctx context.Context) string { return originOf(ctx).address }

type sessionView struct {
	Login            string            `json:"login"`
	Organisation     string            `json:"organisation,omitempty"`
	OrganisationName map[string]string `json:"organisation_name,omitempty"`
	Roles            []access.Role     `json:"roles"`
	Kind             string            `json:"kind"`
}

type sessionBody struct {
	Actor sessionView `json:"actor"`
}

type sessionOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      sessionBody
}

type signIn struct {
	Body struct {
		Login    string           `json:"login,omitempty" maxLength:"128"`
		Password account.Password `json:"password,omitempty"`
		Token    string           `json:"token,omitempty" maxLength:"512" doc:"An API token, instead of login and password."`
	}
}

type setupInput struct {
	Body struct {
		Code     string           `json:"code" maxLength:"128" doc:"The one-time code that the start of the program showed."`
		Login    string           `json:"login" maxLength:"128"`
		Password account.Password `json:"password"`
		Email    string           `json:"email,omitempty" maxLength:"254"`
	}
}

func (a *API) sessionRoutes() {
	open := func(method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: operationID(method, path), Method: method, Path: path, Summary: summary, MaxBodyBytes: 16 << 10, DefaultStatus: http.StatusOK}
	}
	register(a, open("GET", "/api/v1/setup", "Whether there is no operator yet"), func(ctx context.Context, _ *struct{}) (map[string]bool, error) {
		needed, err := a.Accounts.SetupNeeded(ctx)
		return map[string]bool{"needed": needed}, err
	})
	huma.Register(a.huma, open("POST", "/api/v1/setup", "Make the first operator"), func(ctx context.Context, in *setupInput) (*sessionOutput, error) {
		_, err := a.Accounts.Setup(ctx, in.Body.Code, account.NewUser{Login: in.Body.Login, Password: in.Body.Password, Email: in.Body.Email}, address(ctx))
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return a.signedIn(ctx)(a.Accounts.Login(ctx, in.Body.Login, in.Body.Password, address(ctx)))
	})
	huma.Register(a.huma, open("POST", "/api/v1/session", "Sign in"), func(ctx context.Context, in *signIn) (*sessionOutput, error) {
		if in.Body.Token != "" {
			return a.signedIn(ctx)(a.Accounts.LoginToken(ctx, in.Body.Token, address(ctx)))
		}
		return a.signedIn(ctx)(a.Accounts.Login(ctx, in.Body.Login, in.Body.Password, address(ctx)))
	})
	register(a, open("GET", "/api/v1/session", "Who is signed in"), func(ctx context.Context, _ *struct{}) (sessionBody, error) {
		who, ok := access.Of(ctx)
		if !ok {
			return sessionBody{}, fault.Unauthenticated("nobody is signed in")
		}
		return a.view(ctx, who)
	})
	huma.Register(a.huma, open("DELETE", "/api/v1/session", "Sign out"), func(ctx context.Context, _ *struct{}) (*sessionOutput, error) {
		who, ok := access.Of(ctx)
		if token, _ := ctx.Value(tokenKey{}).(string); ok && who.Kind == access.KindUser {
			if err := a.Accounts.Logout(ctx, who, token); err != nil {
				return nil, a.problem(ctx, err)
			}
		}
		return &sessionOutput{SetCookie: cookie(ctx, "", -1)}, nil
	})
}

// signedIn turns a new session into the answer that sets its cookie.
func (a *API) signedIn(ctx context.Context) func(account.Session, error) (*sessionOutput, error) {
	return func(s account.Session, err error) (*sessionOutput, error) {
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		b, err := a.view(ctx, s.Actor)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return &sessionOutput{SetCookie: cookie(ctx, s.Token.Reveal(), 30*24*time.Hour), Body: b}, nil
	}
}

func cookie(ctx context.Context, value string, age time.Duration) http.Cookie {
	return http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: int(age / time.Second), HttpOnly: true, Secure: originOf(ctx).secure, SameSite: http.SameSiteStrictMode,
	}
}

func (a *API) view(ctx context.Context, who access.Actor) (sessionBody, error) {
	v := sessionView{Login: who.Login, Organisation: who.Organisation, Roles: who.Roles, Kind: who.Kind}
	if who.Organisation != "" {
		org, err := a.Accounts.Organisation(ctx, who, who.Organisation)
		if err != nil {
			return sessionBody{}, err
		}
		v.OrganisationName = org.Names
	}
	return sessionBody{v}, nil
}
