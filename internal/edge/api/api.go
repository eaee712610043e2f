// Package api is the REST surface of the platform, and the live events (SSE).
//
// It owns no table and no rule: a route is declared with the act it needs, decodes, asks one room and encodes. It
// promises:
//   - no route looks at a request before access was checked, but those that exist to sign in, and what says that the
//     program lives;
//   - a refusal is problem+json (RFC 9457) with a stable code, what, where, which rule and what to do; what the program
//     itself did wrong is logged and shown as an id only;
//   - a field or parameter that is not known is refused, so that a misspelt one is not lost;
//   - a resident (住户) passes only to what is a resident's own, and into homes that they are a member of at that moment;
//   - a creating call repeated with its Idempotency-Key gets the first answer;
//   - a browser's cookie is good for requests of the same origin only;
//   - no answer is kept by a cache but an icon, which never changes, by the browser that asked; and none holds a secret but those that make an API token or an invitation to a home, once;
//   - a live view that does not keep up is told of the gap, and ends when its session does.
//
// OpenAPI 3.1 stands at /api/openapi.json, made from the same declarations; openapi.json beside this file is a copy of
// it, from which the console's types are made.
//
// Three paths need nobody to be signed in and are not part of that document: /healthz says that the process answers,
// /readyz that its database does, and /metrics gives figures of the whole process for Prometheus: sessions, messages, lag,
// memory. None names a device, a person or an organisation. Who must not see them is kept out by the address listened on
// or by the proxy in front.
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
	"lampworks/internal/fleet/config"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/history"
	"lampworks/internal/fleet/session"
	"lampworks/internal/fleet/shadow"
	"lampworks/internal/fleet/timeline"
	"lampworks/internal/fleet/virtual"
	"lampworks/internal/household/home"
	"lampworks/internal/household/pairing"
	"lampworks/internal/household/resident"
	"lampworks/internal/household/scene"
	"lampworks/internal/household/voice"
	"lampworks/internal/infra/bus"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/agreement"
	"lampworks/internal/partner/certify"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/entitlement"
	"lampworks/internal/partner/factory"
	"lampworks/internal/partner/issuance"
	"lampworks/internal/partner/notice"
	"lampworks/internal/partner/product"
	"lampworks/internal/partner/quota"
	"lampworks/internal/partner/takeout"
	"lampworks/internal/partner/verify"
	"lampworks/speech"
)

// Config is what the routes ask.
type Config struct {
	Accounts  *account.Service
	Outbox    *outbox.Outbox
	Products  *product.Service
	Certify   *certify.Service
	Orders    *issuance.Service
	Factory   *factory.Service
	Jobs      *job.Runner
	Verify    *verify.Service
	Devices   *device.Service
	Shadows   *shadow.Service
	Configs   *config.Service
	Timelines *timeline.Service
	Commands  *command.Commands
	History   *history.Service
	Virtual   *virtual.Fleet
	Residents *resident.Service
	Homes     *home.Service
	Pairing   *pairing.Service
	Scenes    *scene.Service
	Voice     *voice.Service
	Quota     *quota.Service // nil: requests are not limited
	Enforce   *enforce.Service
	Takeout   *takeout.Service // it collects what the lists here show
	Gateway   Gateway
	Sessions  *session.Service
	Store     *store.Store
	Log       uplink.Log
	Bus       bus.Bus
	Speech    speech.Synthesizer // nil: texts are not spoken
	Hears     speech.Recognizer  // nil: nothing is heard
	Console   http.Handler       // everything outside /api; nil: nothing there
	Gates     []Gate             // asked in order at every request that needs an act
	Logger    *slog.Logger
	Closing   <-chan struct{} // closed when the program stops: live views end, requests finish; nil: never

	Agreements   *agreement.Service
	Notices      *notice.Service
	Entitlements *entitlement.Service
}

// Gateway is what the API asks of the gateway of this process.
type Gateway interface {
	Sessions() int
	Session(device string) (session.Live, bool)
	Counts() map[string]int64 // by the name of the metric
}

// API answers requests. It is safe for concurrent use.
type API struct {
	Config
	huma    huma.API
	metrics *prometheus.Registry
	views   *seats
	mux     *http.ServeMux
	bodies  map[string]int64 // the most bytes of a body, by the pattern of routes that take more than others
}

// New returns the handler of everything under /, the console included.
func New(c Config) http.Handler {
	mux := http.NewServeMux()
	a := build(c, mux)
	mux.HandleFunc("GET /api/openapi.json", a.openapi())
	mux.HandleFunc("/api/", a.nowhere(mux))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", a.ready)
	mux.Handle("GET /metrics", a.measures())
	if c.Console != nil {
		mux.Handle("/", c.Console)
	}
	return a.door(mux)
}

// build declares every route on mux.
func build(c Config, mux *http.ServeMux) *API {
	a := &API{Config: c, metrics: prometheus.NewRegistry(), views: liveSeats(), mux: mux, bodies: make(map[string]int64)}
	hc := huma.DefaultConfig("Lampworks", "1")
	hc.Info.Description = about
	hc.OpenAPIPath, hc.DocsPath, hc.SchemasPath = "", "", ""
	hc.CreateHooks = nil // no $schema links in bodies: they are not part of the contract
	hc.Transformers = []huma.Transformer{a.refusal}
	hc.RejectUnknownQueryParameters = true
	hc.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":   {Type: "http", Scheme: "bearer", Description: "An API token, lw_…"},
		"session": {Type: "apiKey", In: "cookie", Name: cookieName, Description: "Set by POST /api/v1/session; good for the same origin only."},
	}
	describeTypes(hc.Components.Schemas)
	a.huma = humago.New(mux, hc)
	a.routes()
	if c.Takeout != nil {
		c.Takeout.Over(a.collections()...)
	}
	return a
}

func (a *API) routes() {
	a.sessionRoutes()
	a.factorRoutes()
	a.signUpRoutes()
	a.invitationRoutes()
	a.outboxRoutes()
	a.userRoutes()
	a.tokenRoutes()
	a.organisationRoutes()
	a.verificationRoutes()
	a.auditRoutes()
	a.jobRoutes()
	a.productRoutes()
	a.productLifeRoutes()
	a.certifyRoutes()
	a.orderRoutes()
	a.macRoutes()
	a.downloadRoutes()
	a.leakRoutes()
	a.factoryRoutes()
	a.deviceRoutes()
	a.configRoutes()
	a.residentRoutes()
	a.homeRoutes()
	a.residenceRoutes()
	a.claimRoutes()
	a.arrangementRoutes()
	a.sceneRoutes()
	a.timerRoutes()
	a.automationRoutes()
	a.sentenceRoutes()
	a.announcedRoutes()
	a.recordingRoutes()
	a.microphoneRoutes()
	a.wordRoutes()
	a.voiceInboxRoutes()
	a.liveRoutes()
	a.timelineRoutes()
	a.agreementRoutes()
	a.noticeRoutes()
	a.serviceRoutes()
	a.limitRoutes()
	a.enforcementRoutes()
	a.exportRoutes()
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
