package command

import (
	"context"

	"lampworks/internal/infra/access"
)

// Owner gives the organisation of a command, for the check before a request is looked at.
func (c *Commands) Owner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, c.store, "command", "SELECT organisation FROM command WHERE id = ?", id)
}
