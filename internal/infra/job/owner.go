package job

import (
	"context"

	"lampworks/internal/infra/access"
)

// Owner gives the organisation of a job, for the check before a request is looked at.
func (r *Runner) Owner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, r.store, "job", "SELECT organisation FROM job WHERE id = ?", id)
}
