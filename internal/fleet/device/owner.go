package device

import (
	"context"

	"lampworks/internal/infra/access"
)

// Owner gives the organisation of a device, for the check before a request is looked at.
func (s *Service) Owner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.store, "device", "SELECT organisation FROM device WHERE id = ?", id)
}
