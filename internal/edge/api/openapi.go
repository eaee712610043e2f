package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/account"
)

const about = `An open platform for voice-controlled devices.

Sign in with a session cookie (POST /api/v1/session) or send an API token as ` + "`Authorization: Bearer lw_…`" + `. Times are RFC 3339
(` + "`2026-01-31T08:00:00.000Z`" + `): answered in UTC with milliseconds, read with any offset. Dates are ` + "`2026-01-31`" + `. A list comes in pages: ask for the next with its next_cursor. A creating call with an Idempotency-Key may
be repeated safely. What is refused is application/problem+json; fields and parameters that are not known are refused.`

// Document returns the OpenAPI 3.1 document of every route under /api, indented JSON. It asks no room.
func Document() ([]byte, error) {
	a := build(Config{}, http.NewServeMux())
	if err := a.complete(); err != nil {
		return nil, err
	}
	b, err := json.MarshalIndent(a.huma.OpenAPI(), "", "  ")
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}

// openapi serves the document, which is made when somebody first asks: no start waits for it.
func (a *API) openapi() http.HandlerFunc {
	made := sync.OnceValues(Document)
	return func(w http.ResponseWriter, r *http.Request) {
		b, err := made()
		if err != nil {
			writeProblem(w, a.problem(r.Context(), err))
			return
		}
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(b)
	}
}

// problemResponse is what every route answers when it does not do what it was asked for.
func problemResponse() map[string]*huma.Response {
	return map[string]*huma.Response{"default": {
		Description: "What is wrong, where, by which rule, and what to do.",
		Headers:     map[string]*huma.Param{"Retry-After": {Description: "Seconds; where asking again makes sense.", Schema: &huma.Schema{Type: huma.TypeInteger}}},
		Content:     map[string]*huma.MediaType{problemType: {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}}},
	}}
}

// describeTypes tells of the types whose form is not that of their Go fields.
func describeTypes(r huma.Registry) {
	for _, t := range []reflect.Type{reflect.TypeFor[account.Password](), reflect.TypeFor[account.Token](), reflect.TypeFor[account.Code]()} {
		r.RegisterTypeAlias(t, reflect.TypeFor[secretText]())
	}
}

// secretText is the form of what is typed in and never shown.
type secretText string

// Schema implements huma.SchemaProvider.
func (secretText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "password", WriteOnly: true, MaxLength: new(2048)}
}

// complete adds what no single route says.
func (a *API) complete() error {
	doc := a.huma.OpenAPI()
	schemas := doc.Components.Schemas
	schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	delete(schemas.Map(), "ErrorModel") // huma's own, never answered
	delete(schemas.Map(), "ErrorDetail")
	code := schemas.Map()["Problem"].Properties["code"]
	for _, c := range codes() {
		code.Enum = append(code.Enum, c)
	}
	shown, err := examples()
	if err != nil {
		return err
	}
	doc.Components.Examples, doc.Components.Responses = problemExamples(), make(map[string]*huma.Response)
	for path, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			illustrate(op, shown[op.Method+" "+path])
			share(doc.Components, op)
			for _, tag := range op.Tags {
				if !slices.ContainsFunc(doc.Tags, func(t *huma.Tag) bool { return t.Name == tag }) {
					doc.Tags = append(doc.Tags, &huma.Tag{Name: tag})
				}
			}
		}
	}
	slices.SortFunc(doc.Tags, func(a, b *huma.Tag) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// codes lists every code a problem may have.
func codes() []string {
	var out []string
	for _, c := range []fault.Code{
		fault.Malformed, fault.NoActor, fault.NotAllowed, fault.Missing, fault.Clash, fault.Outdated, fault.OverLimit,
		fault.TooBig, fault.NotSupported, fault.Down, fault.Lapsed, fault.Agreement, fault.Unsure,
		fault.SecondFactor, fault.Suspended,
	} {
		out = append(out, string(c))
	}
	return append(out, codeInternal, codeCancelled, codeMethod, codeMedia, codeSlow)
}
