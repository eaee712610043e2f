package access

import (
	"context"
	"errors"
	"fmt"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// OwnerOf finds the organisation that the object with this id belongs to, by the query of the room whose object it is: one
// text, "SELECT organisation FROM product WHERE id = ?". Where there is none it is a fault.
func OwnerOf(ctx context.Context, s *store.Store, object, query, id string) (organisation string, err error) {
	err = s.Look(ctx, query, []any{id}, &organisation)
	if errors.Is(err, store.ErrNoRows) {
		return "", fault.NotFound(object, id)
	}
	if err != nil {
		return "", fmt.Errorf("finding the owner of %s %s: %w", object, id, err)
	}
	return organisation, nil
}
