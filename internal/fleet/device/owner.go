package device

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// Owner gives the organisation of a device, for the check before a request is looked at.
func (s *Service) Owner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.store, "device", "SELECT organisation FROM device WHERE id = ?", id)
}

// Names gives what a device calls itself by: the ProductKey of its product, and its DeviceName. It is for the program's own
// paths, which know whose device they serve.
func (s *Service) Names(ctx context.Context, id string) (productKey, deviceName string, err error) {
	var product string
	err = s.store.Read(ctx, func(v *store.View) error {
		return v.QueryRow(ctx, "SELECT product, name FROM device WHERE id = ?", id).Scan(&product, &deviceName)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", "", fault.NotFound("device", id)
	case err != nil:
		return "", "", fmt.Errorf("reading the names of device %s: %w", id, err)
	}
	productKey, err = s.products.Key(ctx, product)
	return productKey, deviceName, err
}
