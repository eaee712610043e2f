package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/once"
)

// create declares a POST that makes something: 201, or 204 where there is nothing to tell.
func create[I, B any](a *API, path string, act access.Act, summary string, do func(context.Context, access.Actor, *I) (B, error)) {
	op := huma.Operation{
		OperationID: operationID("POST", path), Method: http.MethodPost, Path: path, Summary: summary, MaxBodyBytes: MaxBody,
		DefaultStatus: http.StatusCreated, Description: "Needs " + string(act) + ".", Security: []map[string][]string{{"token": {}}, {"session": {}}},
		Parameters: []*huma.Param{{
			Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: "string"},
			Description: "A string of your own, the same when the call is repeated: the act is carried out once.",
		}},
	}
	register(a, op, func(ctx context.Context, in *I) (B, error) {
		var none B
		who, err := access.Require(ctx, act)
		if err != nil {
			return none, err
		}
		key, _ := ctx.Value(onceKey{}).(string)
		if key == "" {
			return do(ctx, who, in)
		}
		return doOnce(ctx, a, who, key, path, in, func(ctx context.Context) (B, error) { return do(ctx, who, in) })
	})
}

type onceKey struct{}

// doOnce carries do out under an Idempotency-Key, or gives the answer of the first time.
func doOnce[B any](ctx context.Context, a *API, who access.Actor, key, path string, in any, do func(context.Context) (B, error)) (B, error) {
	var b B
	asked, err := json.Marshal(in)
	if err != nil {
		return b, fmt.Errorf("reading the request again: %w", err)
	}
	act, claim, before, err := once.Begin(ctx, a.Store, who, key, sha256.Sum256(append([]byte(path+"\n"), asked...)))
	if err != nil {
		return b, err
	}
	if before != nil {
		if err := json.Unmarshal(before.Body, &b); err != nil {
			return b, fmt.Errorf("reading the first answer: %w", err)
		}
		return b, nil
	}
	b, err = do(act)
	keep := context.WithoutCancel(ctx)
	if err != nil {
		if gone := claim.Release(keep); gone != nil {
			return b, fmt.Errorf("giving an idempotency key back after %w: %w", err, gone)
		}
		return b, err
	}
	answer, err := json.Marshal(b)
	if err != nil {
		return b, fmt.Errorf("encoding the answer: %w", err)
	}
	return b, claim.Finish(keep, once.Answer{Status: http.StatusCreated, Body: answer})
}
