package api

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"lampworks/internal/infra/fault"
)

// examplesFile holds what a running server was asked and answered, by route; TestEveryOperationOnce writes it. Ids, times
// and secrets are replaced, and long lists are cut.
//
//go:embed examples.json
var examplesFile []byte

// An example is one request of a route and its answer, each JSON or absent.
type example struct {
	Request  json.RawMessage `json:"request,omitempty"`
	Response json.RawMessage `json:"response,omitempty"`
}

// examples reads the file, by "METHOD path".
func examples() (map[string]example, error) {
	all := make(map[string]example)
	if err := json.Unmarshal(examplesFile, &all); err != nil {
		return nil, fmt.Errorf("reading the examples: %w", err)
	}
	return all, nil
}

// illustrate puts the example of an operation into the document.
func illustrate(op *huma.Operation, e example) {
	const form = "application/json"
	if op.RequestBody != nil && len(e.Request) > 0 && op.RequestBody.Content[form] != nil {
		op.RequestBody.Content[form].Example = e.Request
	}
	for status, r := range op.Responses {
		if m := r.Content[form]; m != nil && status != "default" && len(e.Response) > 0 {
			m.Example = e.Response
		}
	}
}

// problemExamples shows one problem of every kind that an operation may meet, as problemOf makes it.
func problemExamples() map[string]*huma.Example {
	const id = "0197f3a0-7b1e-7c3a-9f42-000000000001"
	stale := changed(etag(3), 4)
	all := map[string]*Problem{"stale": stale}
	for _, f := range []*fault.Fault{
		fault.Unauthenticated("a session or an API token"),
		fault.NeedsFactor("triple.download", "PUT /api/v1/session/proof with a code of the second factor"),
		fault.Forbidden("product.write", "the role engineer or owner"),
		fault.NotFound("product", id),
		fault.Closed("publish", "debug", []string{"certify", "redesign"}),
		fault.Invalid("/names/en", "", "1 to 100 characters", "give the product a name"),
		fault.Limit("requests_per_second", "used up", "1000 requests in 1 s", time.Second),
		fault.TooLarge("body", maxBody+1, maxBody),
		{Code: fault.Agreement, Where: "agreement", Rule: "every agreement in force is accepted", Fix: "read and accept it: GET /api/v1/outstanding-agreements", Open: []string{id}},
		{Code: fault.Suspended, Where: "organisation", Rule: "suspend " + id, Fix: "POST /api/v1/enforcement/measures/" + id + "/appeals"},
		fault.Unavailable("the database", nil),
	} {
		all[string(f.Code)] = problemOf(f)
	}
	out := make(map[string]*huma.Example, len(all))
	for name, p := range all {
		p.RequestID = id
		out[name] = &huma.Example{Summary: p.Title, Value: p}
	}
	return out
}

// A refusal is the shared answer of operations that may meet the same problems.
type refusal struct {
	name  string // "ProblemOfMemberObjectChange"
	kinds []string
}

// refusalOf says which problems an operation may meet, from what it declares.
func refusalOf(op *huma.Operation) refusal {
	r := refusal{"Problem", []string{string(fault.Malformed), string(fault.OverLimit), string(fault.Down)}}
	add := func(name string, codes ...fault.Code) {
		r.name += name
		for _, c := range codes {
			r.kinds = append(r.kinds, string(c))
		}
	}
	switch {
	case strings.HasPrefix(op.Description, "Needs nobody"):
		add("OfAnybody")
	case strings.HasPrefix(op.Description, "For everybody"):
		add("OfPerson", fault.NoActor)
	default:
		add("OfMember", fault.NoActor, fault.NotAllowed, fault.SecondFactor, fault.Agreement)
	}
	if strings.Contains(op.Path, "{") {
		add("Object", fault.Missing)
	}
	if op.Method != http.MethodGet {
		add("Change", fault.Clash)
		if strings.HasPrefix(r.name, "ProblemOfMember") {
			r.kinds = append(r.kinds, string(fault.Suspended))
		}
	}
	if op.RequestBody != nil {
		add("Body", fault.TooBig)
	}
	if slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "If-Match" }) {
		add("Revision", fault.Outdated)
	}
	return r
}

// share declares the refusals of an operation once for all that have the same.
func share(to *huma.Components, op *huma.Operation) {
	r := refusalOf(op)
	if to.Responses[r.name] == nil {
		shared := problemResponse()["default"]
		m := shared.Content[problemType]
		m.Examples = make(map[string]*huma.Example, len(r.kinds))
		for _, kind := range r.kinds {
			m.Examples[kind] = &huma.Example{Ref: "#/components/examples/" + kind}
		}
		to.Responses[r.name] = shared
	}
	op.Responses["default"] = &huma.Response{Ref: "#/components/responses/" + r.name}
}
