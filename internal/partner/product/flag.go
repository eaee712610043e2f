package product

import (
	"context"
	"fmt"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// Certified is the hook of certifications: in the transaction in which a product begins or ceases to be certified,
// everything built on it is flagged or cleared, and its makers are told.
func (s *Service) Certified(ctx context.Context, tx *store.Tx, product string, _ bool, _ string) error {
	return s.flagOn(ctx, tx, product)
}

// gone is the flag of a product that lost what it was built on. Nothing that happens to another product takes it away.
const gone = "a product it was built on is gone"

// flagOn looks again at everything that is built on a product, and on that.
func (s *Service) flagOn(ctx context.Context, tx *store.Tx, product string) error {
	on, err := dependents(ctx, tx, product)
	if err != nil {
		return err
	}
	for _, id := range on {
		p, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		was := p
		if p.Flag != gone { // that stays until its maker builds it on something else
			if err := s.look(ctx, tx, &p); err != nil {
				return err
			}
		}
		if p.Flagged != was.Flagged || p.Flag != was.Flag {
			if err := s.flagged(ctx, tx, &was, &p, product); err != nil {
				return err
			}
		}
		if err := s.flagOn(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

// look flags or clears a product by what it is built on. It does not write.
func (s *Service) look(ctx context.Context, q store.Querier, p *Product) error {
	err := s.rests(ctx, q, p)
	f := fault.Of(err)
	switch {
	case err != nil && (f == nil || fault.Passes(f)):
		return err
	case err == nil:
		p.Flagged, p.Flag, p.FlaggedAt = false, "", at(0)
	case !p.Flagged || p.Flag != f.Sentence():
		p.Flagged, p.Flag, p.FlaggedAt = true, f.Sentence(), at(s.now().UnixMilli())
	}
	return nil
}

// flagged writes the flag and tells the maker.
func (s *Service) flagged(ctx context.Context, tx *store.Tx, was, p *Product, base string) error {
	if err := s.save(ctx, tx, p); err != nil {
		return err
	}
	switch {
	case p.Flagged && !was.Flagged:
		return s.tell(ctx, tx, p.Organisation, "product.flagged", map[string]string{"product": p.ID, "base": base, "why": p.Flag})
	case !p.Flagged && was.Flagged:
		return s.tell(ctx, tx, p.Organisation, "product.cleared", map[string]string{"product": p.ID, "base": base})
	}
	return nil
}

// tell writes a message to an organisation's inbox.
func (s *Service) tell(ctx context.Context, tx *store.Tx, organisation, kind string, data map[string]string) error {
	if s.Notices == nil {
		return nil
	}
	if err := s.Notices.Send(ctx, tx, organisation, kind, data); err != nil {
		return fmt.Errorf("telling organisation %s: %w", organisation, err)
	}
	return nil
}
