package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"lampworks/internal/edge/api/phrase"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/product"
	"lampworks/internal/partner/verify"
	"lampworks/tsl"
)

// Problem is how the API says what is wrong: RFC 9457 with our own members.
type Problem struct {
	Type       string   `json:"type" doc:"Stable name of the kind of problem." example:"urn:lampworks:problem:invalid"`
	Title      string   `json:"title"`
	Status     int      `json:"status"`
	Detail     string   `json:"detail" doc:"What is wrong, for a person."`
	Code       string   `json:"code" doc:"Stable, for programs."`
	Where      string   `json:"where,omitempty" doc:"JSON Pointer into the body, parameter or object."`
	Got        string   `json:"got,omitempty" doc:"The value as it came, cut."`
	Rule       string   `json:"rule,omitempty" doc:"What is allowed."`
	Fix        string   `json:"fix,omitempty" doc:"What to do."`
	Open       []string `json:"open,omitempty" nullable:"false" doc:"Acts that are open now."`
	Problems   []Flaw   `json:"problems,omitempty" nullable:"false" doc:"Every place that is wrong, where there are several; the first is the one above."`
	RetryAfter int      `json:"retry_after_seconds,omitempty" doc:"As the header Retry-After."`
	RequestID  string   `json:"request" doc:"Leads to the server's log; the header X-Request-Id of every answer."`
}

// Flaw is one place that is wrong.
type Flaw struct {
	Where string `json:"where" doc:"JSON Pointer; of a thing model, into /document."`
	Got   string `json:"got,omitempty"`
	Rule  string `json:"rule,omitempty"`
	Fix   string `json:"fix,omitempty"`
}

const problemType = "application/problem+json"

// Error implements error.
func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	h := make(http.Header)
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="lampworks"`)
	}
	return h
}

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return problemType }

// statusOf is the HTTP status of a code.
func statusOf(c fault.Code) int {
	switch c {
	case fault.Malformed, fault.NotSupported:
		return http.StatusUnprocessableEntity
	case fault.NoActor:
		return http.StatusUnauthorized
	case fault.NotAllowed, fault.Agreement, fault.SecondFactor, fault.Suspended:
		return http.StatusForbidden
	case fault.Missing:
		return http.StatusNotFound
	case fault.Clash, fault.Outdated:
		return http.StatusConflict
	case fault.OverLimit:
		return http.StatusTooManyRequests
	case fault.TooBig:
		return http.StatusRequestEntityTooLarge
	case fault.Down, fault.Unsure:
		return http.StatusServiceUnavailable
	case fault.Lapsed:
		return http.StatusGone
	}
	return http.StatusInternalServerError
}

// Codes of what only the edge meets.
const (
	codeInternal  = "internal"           // the program's own mistake
	codeCancelled = "cancelled"          // the client has gone
	codeMethod    = "method_not_allowed" // the path knows other methods
	codeMedia     = "media_type"         // the body is not JSON
	codeSlow      = "timeout"            // the body did not come in time
)

const statusGone = 499 // nobody reads it; it is for the log of a proxy

// problem translates an error of a room; the one place that does.
func (a *API) problem(ctx context.Context, err error) *Problem {
	id := callOf(ctx).id
	if p, ok := errors.AsType[*Problem](err); ok {
		p.RequestID = id
		return p.in(ctx)
	}
	if v, ok := errors.AsType[*tsl.Violation](err); ok {
		p := newProblem(http.StatusUnprocessableEntity, string(fault.Malformed), v.Error())
		p.Where, p.Got, p.Rule, p.Fix, p.RequestID = v.Where, v.Got, v.Rule, v.Fix, id
		return p.in(ctx)
	}
	if f := fault.Of(err); f != nil {
		if fault.Passes(f) {
			a.Logger.LogAttrs(ctx, slog.LevelWarn, "request refused for now", slog.String("request", id), slog.Any("error", err))
		}
		p := problemOf(f)
		p.RequestID = id
		return p.in(ctx)
	}
	var p *Problem
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		p = newProblem(statusGone, codeCancelled, "the request was given up")
	} else {
		a.Logger.LogAttrs(ctx, slog.LevelError, "request failed", slog.String("request", id), slog.Any("error", err))
		p = newProblem(http.StatusInternalServerError, codeInternal, "something of the platform does not work; it was logged")
		p.Fix = "try again; if it stays, tell the operator the request's id"
	}
	p.RequestID = id
	return p.in(ctx)
}

func newProblem(status int, code, detail string) *Problem {
	return &Problem{Type: "urn:lampworks:problem:" + code, Title: titles[english][code], Status: status, Code: code, Detail: detail}
}

// in gives the problem in the language that the request asks for. What programs compare, and values as they came, stay.
func (p *Problem) in(ctx context.Context) *Problem {
	if callOf(ctx).language != chinese {
		return p
	}
	said, book := *p, phrase.Chinese()
	said.Title = cmp.Or(titles[chinese][p.Code], p.Title)
	said.Detail = book.Detail(p.Detail, cmp.Or(p.Where, theBody), p.Got, p.Rule)
	said.Rule, said.Fix, said.Problems = book.Say(p.Rule), book.Say(p.Fix), sayFlaws(p.Problems, book.Say)
	return &said
}

func sayFlaws(flaws []Flaw, say saying) []Flaw {
	out := slices.Clone(flaws)
	for i := range out {
		out[i].Rule, out[i].Fix = say(out[i].Rule), say(out[i].Fix)
	}
	return out
}

func problemOf(f *fault.Fault) *Problem {
	p := newProblem(statusOf(f.Code), string(f.Code), f.Sentence())
	p.Where, p.Got, p.Rule, p.Fix, p.Open = f.Where, f.Got, f.Rule, f.Fix, f.Open
	p.RetryAfter = int(math.Ceil(f.RetryAfter.Seconds()))
	if all, ok := errors.AsType[tsl.Problems](f); ok {
		p.Problems = flawsOf(all)
	}
	if lacks, ok := errors.AsType[product.Lacks](f); ok {
		for _, l := range lacks {
			p.Problems = append(p.Problems, Flaw{Where: l.Code, Rule: l.What, Fix: l.Fix})
		}
	}
	if wrong, ok := errors.AsType[verify.Wrong](f); ok {
		for _, w := range wrong {
			p.Problems = append(p.Problems, Flaw{Where: w.Where, Got: w.Got, Rule: w.Rule, Fix: w.Fix})
		}
	}
	return p
}

// flawsOf lists what is wrong with a thing model, by its place in a body that has it as "document".
func flawsOf(all tsl.Problems) []Flaw {
	out := make([]Flaw, 0, len(all))
	for _, q := range all {
		out = append(out, Flaw{"/document" + q.Path, q.Got, q.Rule, q.Fix})
	}
	return out
}

func noMethod(method string, open ...string) *Problem {
	p := newProblem(http.StatusMethodNotAllowed, codeMethod, "the path does not know "+fault.Cut(method))
	p.Got, p.Rule = fault.Cut(method), strings.Join(open, ", ")
	return p
}

// refuse answers with a problem outside of a handler.
func (a *API) refuse(hc huma.Context, err error) {
	_, w := humago.Unwrap(hc)
	writeProblem(w, a.problem(hc.Context(), err))
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	h := w.Header()
	for name, values := range p.GetHeaders() {
		h[name] = values
	}
	h.Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // who does not read it has gone
}
