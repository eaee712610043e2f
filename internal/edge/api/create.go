package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/once"
	"lampworks/internal/infra/store"
)

// create declares a POST that makes something: 201, or 204 where there is nothing to tell.
func create[I, B any](a *API, path string, act access.Act, own owner, summary string, do func(context.Context, access.Actor, *I) (B, error)) {
	op := a.operation(http.MethodPost, path, act, own, summary)
	op.DefaultStatus = http.StatusCreated
	op.Parameters = []*huma.Param{{
		Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: huma.TypeString, MinLength: new(1), MaxLength: new(once.MaxKey)},
		Description: "A string of your own, the same when the call is repeated: within 24 hours the act is carried out once, and the answer is that of the first time.",
	}}
	register(a, op, func(ctx context.Context, in *I) (B, error) {
		who, _ := access.Of(ctx)
		if act.Cuts() { // the key is kept on a full disk, too
			ctx = store.Urgent(ctx)
		}
		if callOf(ctx).key == "" {
			return do(ctx, who, in)
		}
		return doOnce(ctx, a, who, in, func(ctx context.Context) (B, error) { return do(ctx, who, in) })
	})
}

// fleeting is an answer with a part that is given once and never stored.
type fleeting interface{ kept() any }

// doOnce carries do out under the call's Idempotency-Key, or gives the answer of the first time.
func doOnce[B any](ctx context.Context, a *API, who access.Actor, in any, do func(context.Context) (B, error)) (B, error) {
	var b B
	asked, err := fingerprint(ctx, in)
	if err != nil {
		return b, err
	}
	act, claim, before, err := once.Begin(ctx, a.Store, who, callOf(ctx).key, asked)
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
	if err := finish(keep, claim, b); err != nil { // the act is done all the same; a repetition is told so
		a.Logger.LogAttrs(ctx, slog.LevelWarn, "answer not kept for a repetition", slog.String("request", callOf(ctx).id), slog.Any("error", err))
	}
	return b, nil
}

func finish(ctx context.Context, claim *once.Claim, answer any) error {
	if f, ok := answer.(fleeting); ok {
		answer = f.kept()
	}
	b, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("encoding the answer: %w", err)
	}
	return claim.Finish(ctx, once.Answer{Status: http.StatusCreated, Body: b})
}

// fingerprint is what two requests with one key must share: the path with its ids, and what was decoded from the body.
// Secrets hide themselves here too, so no quick hash of a password is stored.
func fingerprint(ctx context.Context, in any) ([sha256.Size]byte, error) {
	asked, err := json.Marshal(in)
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("reading the request again: %w", err)
	}
	return sha256.Sum256([]byte("POST " + callOf(ctx).uri + "\n" + string(asked))), nil
}
