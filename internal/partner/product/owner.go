package product

import (
	"context"

	"lampworks/internal/infra/access"
)

// Owner gives the organisation of a product, for the check before a request is looked at.
func (s *Service) Owner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.store, "product", "SELECT organisation FROM product WHERE id = ?", id)
}

// PaperOwner gives the organisation of a paper.
func (s *Service) PaperOwner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.store, "paper", "SELECT organisation FROM product_paper WHERE id = ?", id)
}
