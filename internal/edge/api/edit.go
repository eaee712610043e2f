package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// A tagged view has a revision, which its answer carries as ETag.
type tagged interface{ revision() int64 }

// A revision finds the number of the object an edit is about, as q sees it; it grows with each change.
type revision[I any] func(ctx context.Context, q store.Querier, who access.Actor, in *I) (int64, error)

// edit declares a PUT, PATCH or DELETE of an object that has revisions: with If-Match it is carried out only on the
// revision that was read, in one transaction with the look at it; without, on whatever is there.
func edit[I, B any](a *API, method, path string, act access.Act, own owner, at revision[I], summary string, do func(context.Context, access.Actor, *I) (B, error)) {
	op := a.operation(method, path, act, own, summary)
	op.Parameters = []*huma.Param{{
		Name: "If-Match", In: "header", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: new(64)},
		Description: "ETag of the object as it was read: if somebody has changed it since, nothing is done (412).",
	}}
	register(a, op, func(ctx context.Context, in *I) (B, error) {
		who, _ := access.Of(ctx)
		if match := callOf(ctx).match; match != "" && match != "*" {
			ctx = store.Before(ctx, func(ctx context.Context, tx *store.Tx) error {
				now, err := at(ctx, tx, who, in)
				if err != nil || matches(match, now) {
					return err
				}
				return changed(match, now)
			})
		}
		return do(ctx, who, in)
	})
}

// etag is a revision as HTTP has it.
func etag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }

// matches compares strongly: a weak tag matches nothing (RFC 9110, section 13.1.1).
func matches(header string, revision int64) bool {
	for tag := range strings.SplitSeq(header, ",") {
		if strings.TrimSpace(tag) == etag(revision) {
			return true
		}
	}
	return false
}

func changed(match string, now int64) *Problem {
	p := newProblem(http.StatusPreconditionFailed, string(fault.Outdated), "it was changed by somebody else meanwhile")
	p.Where, p.Got, p.Rule, p.Fix = "If-Match", fault.Cut(match), etag(now), "load it again and repeat the act"
	return p
}
