package home

import (
	"context"

	"lampworks/internal/infra/access"
)

// Owner gives the organisation of a home, for the check before a request is looked at.
func (s *Service) Owner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.store, "home", "SELECT organisation FROM home WHERE id = ?", id)
}
