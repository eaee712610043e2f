package home

import (
	"context"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
)

// Revision gives the version of a home of who's organisation as q sees it: an edit may be held to the one that was read.
func Revision(ctx context.Context, q store.Querier, who access.Actor, id string) (int64, error) {
	return versionOf(ctx, q, who, id)
}
