package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lampworks/internal/household/resident"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
)

const cookieName = "lw_session"

// call is what is known of a request beside its actor.
type call struct {
	id       string // under which it is logged
	address  string // of the client, host:port
	secure   bool   // over TLS that ends here
	uri      string // path and query as they came
	key      string // Idempotency-Key, or empty
	match    string // If-Match, or empty
	language string // of texts for people
	agent    string // what the client says of itself
	token    string // of the session or API token that was shown, or empty
	file     file   // the body without its bound; see upload
	doubt    error  // why the token is not good, or could not be looked at
}

type callKey struct{}

func callOf(ctx context.Context) call {
	c, _ := ctx.Value(callKey{}).(call)
	return c
}

// door is what every request passes: it gets an id, a bound for its body, and an actor; what a browser sends for another
// site stays outside.
func (a *API) door(inside http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, a.problem(r.Context(), &fault.Fault{
			Code: fault.NotAllowed, What: "the request comes from a page of another site", Where: "Origin", Fix: "use an API token outside of browsers",
		}))
	}))
	inside = cross.Handler(a.identify(a.limited(inside)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := call{
			id: uuid.Must(uuid.NewV7()).String(), address: r.RemoteAddr, secure: r.TLS != nil,
			uri: r.URL.RequestURI(), key: r.Header.Get("Idempotency-Key"), match: r.Header.Get("If-Match"),
			agent:    r.UserAgent(),
			language: languageOf(r.Header.Get("Accept-Language")),
			file:     file{body: r.Body, control: http.NewResponseController(w)},
		}
		if isAPI(r) {
			h := w.Header()
			h.Set("X-Request-Id", c.id)
			h.Set("Cache-Control", "no-store")
			h.Set("X-Content-Type-Options", "nosniff")
		}
		defer a.caught(r.Context(), c.id)
		// A copy gets the bounded body: the server looks at its own to see whether bytes are left that are no request.
		r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
		r.Body = http.MaxBytesReader(w, r.Body, a.mostOf(r)+1) // one more, so that what is read tells too large from just fitting
		inside.ServeHTTP(w, r)
	})
}

// large lets a route take bodies of more bytes than others. Its handler reads them as they come.
func (a *API) large(method, path string, most int64) { a.bodies[method+" "+path] = most }

// mostOf is how many bytes the body of a request may have.
func (a *API) mostOf(r *http.Request) int64 {
	if r.ContentLength >= 0 && r.ContentLength <= maxBody {
		return maxBody
	}
	_, pattern := a.mux.Handler(r)
	return max(maxBody, a.bodies[pattern])
}

func isAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") }

// caught logs a panic and breaks the connection, whatever was written: half an answer must not look like a whole one.
func (a *API) caught(ctx context.Context, id string) {
	v := recover()
	if v == nil {
		return
	}
	if v != http.ErrAbortHandler { //nolint:errorlint // a sentinel that is thrown as it is
		a.Logger.LogAttrs(ctx, slog.LevelError, "request panicked",
			slog.String("request", id), slog.String("panic", fmt.Sprint(v)), slog.String("stack", string(debug.Stack())))
	}
	panic(http.ErrAbortHandler)
}

// identify puts the actor of a cookie or token into the request's context. A request without either goes on without an
// actor; the doubt about a bad one is told by the first route that needs somebody.
func (a *API) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token := shown(r); token != "" && isAPI(r) {
			ctx := r.Context()
			c := callOf(ctx)
			c.token = token
			who, err := a.authenticate(ctx, token, c.address)
			if err == nil {
				ctx = access.With(ctx, who)
			}
			c.doubt = err
			r = r.WithContext(context.WithValue(ctx, callKey{}, c))
		}
		next.ServeHTTP(w, r)
	})
}

// authenticate says who holds a token: a resident's has a mark of its own.
func (a *API) authenticate(ctx context.Context, token, address string) (access.Actor, error) {
	if a.Residents != nil && resident.Mine(token) {
		return a.Residents.Authenticate(ctx, token, address)
	}
	return a.Accounts.Authenticate(ctx, token, address)
}

// enter parts residents from makers and operators. A resident passes to what is a resident's own, and into a home that they are a
// member of, in whose name they act from here on, and to what their homes show; all else is refused to them, as what is a resident's own is to others.
func (a *API) enter(own owner) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		ctx := hc.Context()
		who, ok := access.Of(ctx)
		switch theirs := own.object == ofResident.object; {
		case own.object == ofShown.object:
			next(hc)
		case ok && theirs != who.Resident() && own.object != ofHome.object:
			a.refuse(hc, notTheirs(who))
		case ok && who.Resident() && !theirs:
			inside, err := a.Homes.Enter(ctx, who, hc.Param(own.param))
			if err != nil {
				a.refuse(hc, err)
				return
			}
			next(huma.WithContext(hc, access.With(ctx, inside)))
		default:
			next(hc)
		}
	}
}

func notTheirs(who access.Actor) error {
	if who.Resident() {
		return fault.Forbidden("what makers and operators do", "an account of a maker or an operator")
	}
	return fault.Forbidden("what is a resident's own", "a resident's session (POST /api/v1/resident/session)")
}

// shown is the token that came with a request: a bearer token before the cookie.
func shown(r *http.Request) string {
	if kind, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(kind, "Bearer") {
		return strings.TrimSpace(token)
	}
	if c, err := r.Cookie(cookieName); err == nil {
		return c.Value
	}
	return ""
}

// admit lets nobody pass who may not do act, before the request is decoded. A harmless route is for tokens of any scope.
func (a *API) admit(act access.Act, harmless bool) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		if err := allowed(hc.Context(), act, harmless); err != nil {
			a.refuse(hc, err)
			return
		}
		next(hc)
	}
}

func allowed(ctx context.Context, act access.Act, harmless bool) error {
	who, ok := access.Of(ctx)
	switch {
	case ok && act == anybody && who.Scopes != nil && !harmless:
		return fault.Forbidden("what is a person's own", "a session opened with login and password, or a token without scopes")
	case ok && act == anybody:
		return nil
	case ok:
		return who.Check(act)
	case callOf(ctx).doubt != nil:
		return callOf(ctx).doubt
	}
	return fault.Unauthenticated("nobody is signed in")
}

// still asks again whether who may do act, in the middle of an answer that takes long: the session may have ended or be another's
// organisation's, a role be taken away, a gate be shut. It gives who they are now.
func (a *API) still(ctx context.Context, was access.Actor, act access.Act) (access.Actor, error) {
	c := callOf(ctx)
	who, err := a.authenticate(ctx, c.token, c.address)
	if err == nil && who.Resident() && was.Organisation != "" {
		who, err = a.Homes.Enter(ctx, who, was.Organisation)
	}
	switch {
	case err != nil:
		return was, err
	case who.User != was.User || who.Organisation != was.Organisation:
		return was, fault.Unauthenticated("the session acts for another organisation now")
	case act == anybody:
		return who, nil
	}
	if err := who.Check(act); err != nil {
		return was, err
	}
	return who, a.gated(ctx, who, act)
}

// onlyGet refuses HEAD where asking is not without consequence: a stream without an end, a workbook that is given once.
func (a *API) onlyGet(hc huma.Context, next func(huma.Context)) {
	if hc.Method() == http.MethodGet {
		next(hc)
		return
	}
	hc.SetHeader("Allow", http.MethodGet)
	a.refuse(hc, noMethod(hc.Method(), http.MethodGet))
}

// nowhere answers what no route under /api answers.
func (a *API) nowhere(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var open []string
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			probe := r.Clone(r.Context())
			probe.Method = method
			if _, pattern := mux.Handler(probe); pattern != "" && pattern != "/api/" {
				open = append(open, method)
			}
		}
		if len(open) == 0 {
			writeProblem(w, a.problem(r.Context(), fault.NotFound("path", r.URL.Path)))
			return
		}
		w.Header().Set("Allow", strings.Join(open, ", "))
		writeProblem(w, a.problem(r.Context(), noMethod(r.Method, open...)))
	}
}
