package product

import (
	"context"
	"fmt"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/triple"
)

// Registers reports whether devices of a product may register. It is for the program's own paths, as Model.
func (s *Service) Registers(ctx context.Context, product string) (bool, error) {
	e, err := s.find(ctx, &s.known.byID, product, inForceSQL)
	if err != nil {
		return false, err
	}
	return e.product.Registration, nil
}

// RegistrationSecret is the ProductSecret that devices of a product sign with which ask for a secret of their own. It is for the
// program's own paths, as Model.
func (s *Service) RegistrationSecret(ctx context.Context, p *Product) (secret triple.Secret, err error) {
	err = s.store.Read(ctx, func(v *store.View) error {
		key, err := s.keys.ProductKey(ctx, v, p.ID)
		if err != nil {
			return fmt.Errorf("opening the key of product %s: %w", p.ID, err)
		}
		secret = triple.DeriveProduct(key.Reveal(), p.ID, p.secret)
		return nil
	})
	return secret, err
}

// Secret hands out the ProductSecret of a product of who's organisation: the one in force, or the next, from which on no other is.
func (s *Service) Secret(ctx context.Context, who access.Actor, id string, renew bool, reason string) (secret triple.Secret, err error) {
	if err := who.Check(access.DownloadTriples); err != nil {
		return secret, err
	}
	if !line(reason, maxNote) || reason == "" {
		return secret, fault.Invalid("/reason", reason, "1 to 500 characters", "say why")
	}
	p, err := s.change(ctx, who, id, func(_ *store.Tx, p *Product) (string, string, error) {
		if renew {
			p.secret++
		}
		return "product.secret", fmt.Sprintf("generation %d: %s", p.secret, reason), nil
	})
	if err != nil {
		return secret, err
	}
	return s.RegistrationSecret(ctx, &p)
}
