package quota

import (
	"context"

	"lampworks/internal/infra/access"
)

// Owner finds the organisation whose limit an override sets; empty for the platform's.
func (s *Service) Owner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.c.Store, "override", "SELECT organisation FROM quota_override WHERE id = ?", id)
}
