package certify

import (
	"context"
	"errors"
	"fmt"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
)

// redesigned is why the certificates of a product end that is another thing now.
const redesigned = "what the product is built of was changed"

// Redesigned ends every certificate of a product and withdraws its open case, in the transaction of the room that knows the
// product and changes what it is built of: what was tested is no longer what would be sold. The maker is told.
func (s *Service) Redesigned(ctx context.Context, tx *store.Tx, organisation, product string) error {
	who := access.System("product", organisation)
	if err := s.withdrawCase(ctx, tx, who, product); err != nil {
		return err
	}
	for {
		ids, err := texts(ctx, tx, inForceSQL, product)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if _, err := s.revoke(ctx, tx, who, id, redesigned); err != nil {
				return err
			}
		}
	}
}

// withdrawCase withdraws the case of a product that is not decided yet, if there is one.
func (s *Service) withdrawCase(ctx context.Context, tx *store.Tx, who access.Actor, product string) error {
	var id string
	err := tx.QueryRow(ctx, openCaseSQL, product).Scan(&id)
	if errors.Is(err, store.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for an open certification of product %s: %w", product, err)
	}
	_, err = actIn(ctx, tx, who, id, Withdraw, func(c *Case) (string, error) {
		c.Note, c.DecidedAt = redesigned, at(s.now().UnixMilli())
		return redesigned, nil
	})
	return err
}
