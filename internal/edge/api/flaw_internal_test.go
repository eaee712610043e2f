package api

import (
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

func TestFlaws(t *testing.T) {
	for _, tt := range []struct {
		in   huma.ErrorDetail
		hide bool
		want string
	}{
		{huma.ErrorDetail{Message: "expected number <= 6.048e+08", Location: "body.deadline_ms", Value: 604800001.0}, false, "/deadline_ms is 604800001, want at most 604800000"},
		{huma.ErrorDetail{Message: "expected number >= 1", Location: "path.version", Value: int64(0)}, false, "/version is 0, want at least 1"},
		{huma.ErrorDetail{Message: "expected length <= 64", Location: "query.name", Value: "n"}, false, `/name is "n", want at most 64 characters`},
		{huma.ErrorDetail{Message: "expected array length <= 20", Location: "body.kinds", Value: []any{1}}, false, "/kinds is not right, want at most 20 items"},
		{huma.ErrorDetail{Message: "expected string", Location: "body.kinds[3]", Value: true}, false, "/kinds/3 is true, want a string"},
		{huma.ErrorDetail{Message: "expected string to be RFC 3339 date-time", Location: "body.expires_at", Value: "soon"}, false, `/expires_at is "soon", want a time as 2026-01-31T08:00:00Z`},
		{huma.ErrorDetail{Message: "invalid date/time for format 2006", Location: "query.from", Value: "soon"}, false, `/from is "soon", want a time as 2026-01-31T08:00:00Z`},
		{huma.ErrorDetail{Message: "expected array items to be unique", Location: "body.a", Value: 1.0}, false, "/a is 1, want what the OpenAPI document allows there"},
		{huma.ErrorDetail{Message: "unexpected property", Location: "body.a", Value: map[string]any{"a": "secret"}}, true, "/a is not known"},
		{huma.ErrorDetail{Message: "expected string", Location: "body.password", Value: 1234.0}, true, "/password is not right, want a string"},
		{huma.ErrorDetail{Message: "invalid character 's' after key", Location: "body", Value: "secret"}, true, "the body is not JSON"},
		{huma.ErrorDetail{Message: "something new", Location: "body.x"}, false, "/x is not right, want what the OpenAPI document allows there"},
	} {
		if got := flawOf(&tt.in, tt.hide).sentence(); got != tt.want {
			t.Errorf("%s at %s\n got %s\nwant %s", tt.in.Message, tt.in.Location, got, tt.want)
		}
	}
}
