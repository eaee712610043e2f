package access

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// OwnerOf finds the organisation that the object with this id belongs to, by the query of the room whose object it is: one
// text, "SELECT organisation FROM product WHERE id = ?". Where there is none it is a fault.
func OwnerOf(ctx context.Context, s *store.Store, object, query, id string) (organisation string, err error) {
	err = s.Read(ctx, func(v *store.View) error {
		return v.QueryRow(ctx, query, id).Scan(&organisation)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return "", fault.NotFound(object, id)
	}
	if err != nil {
		return "", fmt.Errorf("finding the owner of %s %s: %w", object, id, err)
	}
	return organisation, nil
}
