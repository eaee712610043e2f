// Package api is the REST surface of the platform, and the live events (SSE).
//
// It owns no table and no rule: a route is declared with the act it needs, decodes, asks one room and encodes. It
// promises:
//   - no route answers before access was checked, but those that exist to sign in, and what says that the program lives;
//   - a refusal is problem+json (RFC 9457) with a stable code, what, where, which rule and what to do; what the program
//     itself did wrong is logged and shown as an id only;
//   - a creating call repeated with its Idempotency-Key gets the first answer;
//   - a browser's cookie is good for requests of the same origin only;
//   - a live view that does not keep up is told of the gap.
//
// OpenAPI 3.1 stands at /api/openapi.json, made from the same declarations.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"

	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/history"
	"lampworks/internal/fleet/shadow"
	"lampworks/internal/fleet/virtual"
	"lampworks/internal/household/home"
	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/bus"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/issuance"
	"lampworks/internal/partner/product"
	"lampworks/speech"
)

// Config is what the routes ask.
type Config struct {
	Accounts *account.Service
	Products *product.Service
	Orders   *issuance.Service
	Jobs     *job.Runner
	Devices  *device.Service
	Shadows  *shadow.Service
	Commands *command.Commands
	History  *history.Service
	Virtual  *virtual.Fleet
	Homes    *home.Service
	Voice    *voice.Service
	Gateway  Gateway
	Store    *store.Store
	Log      uplink.Log
	Bus      bus.Bus
	Speech   speech.Synthesizer
	Console  http.Handler // everything outside /api; nil: nothing there
	Logger   *slog.Logger
}

// Gateway is what /metrics asks of the gateway of this process.
type Gateway interface {
	Sessions() int
	Counts() map[string]int64 // by the name of the metric
}

// API answers requests. It is safe for concurrent use.
type API struct {
	Config
	huma    huma.API
	metrics *prometheus.Registry
}

// MaxBody is the largest body of a request, bytes.
const MaxBody = 1 << 20

// New returns the handler of everything under /, the console included.
func New(c Config) http.Handler {
	mux := http.NewServeMux()
	hc := huma.DefaultConfig("Lampworks", "1")
	hc.Info.Description = "An open platform for voice-controlled devices. Sign in with a session cookie or `Authorization: Bearer lw_…`."
	hc.OpenAPIPath, hc.DocsPath, hc.SchemasPath = "/api/openapi", "", ""
	hc.CreateHooks = nil // no $schema links in bodies: they are not part of the contract
	hc.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":   {Type: "http", Scheme: "bearer", Description: "An API token, lw_…"},
		"session": {Type: "apiKey", In: "cookie", Name: cookieName},
	}
	a := &API{Config: c, huma: humago.New(mux, hc), metrics: prometheus.NewRegistry()}
	a.routes()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", a.ready)
	mux.Handle("GET /metrics", a.measures())
	if c.Console != nil {
		mux.Handle("/", c.Console)
	}
	return http.NewCrossOriginProtection().Handler(a.identify(limitBody(mux)))
}

func (a *API) routes() {
	a.sessionRoutes()
	a.homeRoutes()
	a.sentenceRoutes()
	a.liveRoutes()
	a.deviceRoutes()
}

// limitBody bounds what a client can send before anything is decoded.
func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
		next.ServeHTTP(w, r)
	})
}

// ready says whether the parts that requests need answer.
func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	err := a.Store.Read(ctx, func(v *store.View) error {
		var one int
		return v.QueryRow(ctx, "SELECT 1").Scan(&one)
	})
	if err != nil {
		a.Logger.LogAttrs(ctx, slog.LevelWarn, "not ready", slog.Any("error", err))
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ready\n"))
}

// route declares an operation that needs act.
func route[I, B any](a *API, method, path string, act access.Act, summary string, do func(context.Context, access.Actor, *I) (B, error)) {
	op := huma.Operation{
		OperationID: operationID(method, path), Method: method, Path: path, Summary: summary, MaxBodyBytes: MaxBody,
		Description: "Needs " + string(act) + ".", Security: []map[string][]string{{"token": {}}, {"session": {}}},
	}
	register(a, op, func(ctx context.Context, in *I) (B, error) {
		who, err := access.Require(ctx, act)
		if err != nil {
			var none B
			return none, err
		}
		return do(ctx, who, in)
	})
}

// body is a response that is one JSON value.
type body[B any] struct{ Body B }

// nothing is the body of a response without one.
type nothing struct{}

func register[I, B any](a *API, op huma.Operation, do func(context.Context, *I) (B, error)) {
	if op.DefaultStatus == 0 {
		op.DefaultStatus = http.StatusOK
	}
	if _, empty := any(*new(B)).(nothing); empty {
		op.DefaultStatus = http.StatusNoContent
		huma.Register(a.huma, op, func(ctx context.Context, in *I) (*struct{}, error) {
			if _, err := do(ctx, in); err != nil {
				return nil, a.problem(ctx, err)
			}
			return nil, nil
		})
		return
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*body[B], error) {
		b, err := do(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return &body[B]{b}, nil
	})
}

// page is a part of a list.
type page[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Ask for the next page with cursor=…; absent after the last."`
}

// PageInput is how a client asks for a part of a list.
type PageInput struct {
	Cursor string `query:"cursor" maxLength:"200" doc:"next_cursor of the page before."`
	Limit  int    `query:"limit" minimum:"0" maximum:"500" doc:"How many items; 0 is the list's own default."`
}

func pageOf[S, T any](items []S, more bool, id func(*S) string, form func(*S) T) page[T] {
	p := page[T]{Items: make([]T, 0, len(items))}
	for i := range items {
		p.Items = append(p.Items, form(&items[i]))
	}
	if more && len(items) > 0 {
		p.NextCursor = id(&items[len(items)-1])
	}
	return p
}
