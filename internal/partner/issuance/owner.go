package issuance

import (
	"context"

	"lampworks/internal/infra/access"
)

// Owner gives the organisation of an order, for the check before a request is looked at.
func (s *Service) Owner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.store, "order", "SELECT organisation FROM issuance_order WHERE id = ?", id)
}

// DownloadOwner gives the organisation of a download.
func (s *Service) DownloadOwner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.store, "download", "SELECT organisation FROM issuance_download WHERE id = ?", id)
}

// ListOwner gives the organisation of a list of addresses.
func (s *Service) ListOwner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.store, "MAC list", "SELECT organisation FROM mac_list WHERE id = ?", id)
}
