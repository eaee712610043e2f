package issuance

import (
	"context"

	"lampworks/internal/infra/access"
)

// Owner gives the organisation of an order, for the check before a request is looked at.
func (s *Service) Owner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.store, "order", "SELECT organisation FROM issuance_order WHERE id = ?", id)
}
