package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"lampworks/internal/infra/fault"
	"lampworks/tsl"
)

// Problem is how the API says what is wrong: RFC 9457 with our own members.
type Problem struct {
	Type       string   `json:"type" doc:"Stable name of the kind of problem." example:"urn:lampworks:problem:invalid"`
	Title      string   `json:"title"`
	Status     int      `json:"status"`
	Detail     string   `json:"detail,omitempty" doc:"What is wrong, for a person."`
	Code       string   `json:"code" doc:"Stable, for programs."`
	Where      string   `json:"where,omitempty" doc:"JSON Pointer, field or object."`
	Got        string   `json:"got,omitempty"`
	Rule       string   `json:"rule,omitempty"`
	Fix        string   `json:"fix,omitempty" doc:"What to do."`
	Open       []string `json:"open,omitempty" doc:"Acts that are open now."`
	RetryAfter int      `json:"retry_after_seconds,omitempty"`
	Request    string   `json:"request,omitempty" doc:"Id under which the server logged it."`
}

// Error implements error.
func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// statuses are the HTTP statuses of the codes.
var statuses = map[fault.Code]int{
	fault.Malformed: http.StatusUnprocessableEntity, fault.NoActor: http.StatusUnauthorized, fault.NotAllowed: http.StatusForbidden,
	fault.Missing: http.StatusNotFound, fault.Clash: http.StatusConflict, fault.Outdated: http.StatusConflict,
	fault.OverLimit: http.StatusTooManyRequests, fault.TooBig: http.StatusRequestEntityTooLarge,
	fault.NotSupported: http.StatusNotImplemented, fault.Down: http.StatusServiceUnavailable, fault.Lapsed: http.StatusGone,
}

// problem translates an error of a room; the one place that does.
func (a *API) problem(ctx context.Context, err error) error {
	if v, ok := errors.AsType[*tsl.Violation](err); ok {
		return problemOf(&fault.Fault{Code: fault.Malformed, What: v.Error(), Where: v.Where, Got: v.Got, Rule: v.Rule, Fix: v.Fix})
	}
	if ps, ok := errors.AsType[tsl.Problems](err); ok {
		return problemOf(&fault.Fault{Code: fault.Malformed, What: ps.Error(), Rule: "a thing model document", Fix: "mend every place that is named"})
	}
	if f := fault.Of(err); f != nil {
		if f.Code == fault.Down {
			a.Logger.LogAttrs(ctx, slog.LevelWarn, "request refused for now", slog.Any("error", err))
		}
		return problemOf(f)
	}
	id := uuid.Must(uuid.NewV7()).String()
	status := http.StatusInternalServerError
	if errors.Is(err, context.Canceled) {
		return &Problem{Type: "about:blank", Title: "the request was given up", Status: 499, Code: "cancelled", Request: id}
	}
	a.Logger.LogAttrs(ctx, slog.LevelError, "request failed", slog.String("request", id), slog.Any("error", err))
	return &Problem{
		Type: "about:blank", Title: "something of the platform does not work", Status: status, Code: "internal",
		Detail: "it was logged; nothing is known to have changed", Fix: "try again; if it stays, tell the operator the request's id", Request: id,
	}
}

func problemOf(f *fault.Fault) *Problem {
	status, ok := statuses[f.Code]
	if !ok {
		status = http.StatusBadRequest
	}
	return &Problem{
		Type: "urn:lampworks:problem:" + string(f.Code), Title: strings.ReplaceAll(string(f.Code), "_", " "), Status: status,
		Detail: f.Error(), Code: string(f.Code), Where: f.Where, Got: f.Got, Rule: f.Rule, Fix: f.Fix, Open: f.Open,
		RetryAfter: int(f.RetryAfter.Seconds()),
	}
}

// operationID is a name for client generators: "get_homes_home_sentences".
func operationID(method, path string) string {
	path = strings.TrimPrefix(path, "/api/v1/")
	path = strings.NewReplacer("/", "_", "{", "", "}", "", "-", "_").Replace(path)
	return strings.ToLower(method) + "_" + path
}
