package enforce

import (
	"context"

	"lampworks/internal/infra/access"
)

// MeasureOwner finds the organisation that a measure is told to.
func (s *Service) MeasureOwner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.c.Store, "measure", "SELECT organisation FROM enforce_measure WHERE id = ?", id)
}

// AppealOwner finds the organisation that filed an appeal.
func (s *Service) AppealOwner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.c.Store, "appeal", "SELECT organisation FROM enforce_appeal WHERE id = ?", id)
}

// DeletionOwner finds the organisation whose data a deletion deletes.
func (s *Service) DeletionOwner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.c.Store, "deletion", "SELECT organisation FROM enforce_deletion WHERE id = ?", id)
}
