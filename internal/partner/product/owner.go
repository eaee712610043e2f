package product

import (
	"context"
	"errors"
	"fmt"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// Owner gives the organisation of a product, for the check before a request is looked at.
func (s *Service) Owner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.store, "product", "SELECT organisation FROM product WHERE id = ?", id)
}

// OwnerIn is Owner as q sees it; for rooms that act on products within a transaction of their own.
func (s *Service) OwnerIn(ctx context.Context, q store.Querier, id string) (organisation string, err error) {
	err = q.QueryRow(ctx, "SELECT organisation FROM product WHERE id = ?", id).Scan(&organisation)
	if errors.Is(err, store.ErrNoRows) {
		return "", fault.NotFound("product", id)
	}
	if err != nil {
		return "", fmt.Errorf("reading whose product %s is: %w", id, err)
	}
	return organisation, nil
}

// PaperOwner gives the organisation of a paper.
func (s *Service) PaperOwner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.store, "paper", "SELECT organisation FROM product_paper WHERE id = ?", id)
}
