package certify

import (
	"context"

	"lampworks/internal/infra/access"
)

// Owner gives the organisation of a case, for the check before a request is looked at.
func (s *Service) Owner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.Store, "certification", "SELECT organisation FROM certification WHERE id = ?", id)
}

// CertificateOwner gives the organisation of a certificate.
func (s *Service) CertificateOwner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.Store, "certificate", "SELECT organisation FROM certificate WHERE id = ?", id)
}
