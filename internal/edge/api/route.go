package api

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"lampworks/internal/infra/access"
)

// Limits of a request.
const (
	maxBody   = 1 << 20          // bytes of a body
	maxSecret = 16 << 10         // bytes of a body that signs somebody in
	bodyTime  = 30 * time.Second // a body must be there by then
)

// anybody is the need of routes for everybody who is signed in.
const anybody access.Act = ""

// route declares an operation that needs act upon an object of own.
func route[I, B any](a *API, method, path string, act access.Act, own owner, summary string, do func(context.Context, access.Actor, *I) (B, error)) {
	register(a, a.operation(method, path, act, own, summary), func(ctx context.Context, in *I) (B, error) {
		who, _ := access.Of(ctx)
		return do(ctx, who, in)
	})
}

// operation is a route that nobody passes who may not do act, or who does not see whose the object is. One that does not
// say whose it is, is not registered.
func (a *API) operation(method, path string, act access.Act, own owner, summary string) huma.Operation {
	if own.object == "" || own.param != "" && !strings.Contains(path, "{"+own.param+"}") {
		panic("the route " + method + " " + path + " does not say whose its object is")
	}
	op := open(method, path, summary)
	op.Description = "Needs " + string(act) + "."
	if act == anybody {
		op.Description = "For everybody who is signed in."
	}
	if own.object == ofResident.object {
		op.Description = "For residents."
	}
	op.Security = []map[string][]string{{"token": {}}, {"session": {}}}
	op.Middlewares = huma.Middlewares{a.enter(own), a.admit(act, harmless(method, path, own)), a.belongs(own)}
	if act != anybody {
		op.Middlewares = append(op.Middlewares, a.gate(act))
	}
	return op
}

// harmless says whether a route for everybody who is signed in is one for tokens that are limited to scopes, too: what all may
// know, who the token acts for, and which terms stand in its way.
func harmless(method, path string, own owner) bool {
	return own.object == ofNobody.object || own.object == ofShown.object || method == "GET" && (path == "/api/v1/session" || path == "/api/v1/outstanding-agreements")
}

// open is a route that needs nobody to be signed in.
func open(method, path, summary string) huma.Operation {
	tag, _, _ := strings.Cut(strings.TrimPrefix(path, prefix), "/")
	return huma.Operation{
		OperationID: operationID(method, path), Method: method, Path: path, Summary: summary, Tags: []string{tag},
		Description: "Needs nobody to be signed in.", Security: []map[string][]string{{}},
		DefaultStatus: http.StatusOK, MaxBodyBytes: maxBody + 1, BodyReadTimeout: bodyTime, Responses: problemResponse(),
	}
}

const prefix = "/api/v1/"

// operationID is a name for client generators: "get_homes_home_sentences".
func operationID(method, path string) string {
	path = strings.NewReplacer("/", "_", "{", "", "}", "", "-", "_").Replace(strings.TrimPrefix(path, prefix))
	return strings.ToLower(method) + "_" + path
}

// nothing is the body of a response without one: 204.
type nothing struct{}

// answer is a response that is one JSON value. It is one type for all routes: the code that decodes a request is compiled
// once for a type of input, not once for each pair of input and answer.
type answer struct {
	ETag string `header:"ETag" doc:"For If-Match."` // of objects that have revisions
	Body any
}

func register[I, B any](a *API, op huma.Operation, do func(context.Context, *I) (B, error)) {
	_, empty := any(*new(B)).(nothing)
	_, revised := any(*new(B)).(tagged)
	shape := &huma.Schema{}
	if empty {
		op.DefaultStatus = http.StatusNoContent
	} else {
		shape = a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[B](), true, op.OperationID+"Response")
	}
	status := strconv.Itoa(op.DefaultStatus)
	op.Responses[status] = &huma.Response{Content: map[string]*huma.MediaType{"application/json": {Schema: shape}}}
	respond(a, op, func(ctx context.Context, in *I) (*answer, error) {
		b, err := do(ctx, in)
		if err != nil {
			return nil, err
		}
		if empty {
			return nil, nil //nolint:nilnil // how the library is told: the status and nothing else
		}
		out := &answer{Body: b}
		if revised {
			out.ETag = etag(any(b).(tagged).revision())
		}
		return out, nil
	})
	if empty {
		op.Responses[status].Content = nil
	}
	if !revised {
		op.Responses[status].Headers = nil
	}
}

// respond declares an operation whose answer has more than a body.
func respond[I, O any](a *API, op huma.Operation, do func(context.Context, *I) (*O, error)) {
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return out, nil
	})
}

// moment is a time as every answer writes it: UTC, always with milliseconds, so that the order of the texts is that of the
// times.
type moment time.Time

const momentForm = "2006-01-02T15:04:05.000Z"

// IsZero is whether it never was: such a time is left out.
func (m moment) IsZero() bool { return time.Time(m).IsZero() }

// MarshalJSON implements json.Marshaler.
func (m moment) MarshalJSON() ([]byte, error) {
	return strconv.AppendQuote(nil, time.Time(m).UTC().Format(momentForm)), nil
}

// UnmarshalJSON implements json.Unmarshaler, for answers that are given again.
func (m *moment) UnmarshalJSON(b []byte) error { return (*time.Time)(m).UnmarshalJSON(b) }

// Schema implements huma.SchemaProvider.
func (moment) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
}
