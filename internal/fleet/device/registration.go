package device

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/issuance"
	"lampworks/triple"
)

// MAC is the address that the device is named after.
func (id *Identity) MAC() triple.MAC { return id.mac }

// maxPast is how many generations before the ones in force a wrong signature is compared with.
const maxPast = 16

// Superseded looks for the generation of a secret that a device had, and that is not in force any more, which fits. False: it is none of
// those that were handed out lately.
func (s *Service) Superseded(ctx context.Context, id *Identity, fits func(secret string) bool) (generation uint32, ok bool, err error) {
	err = s.store.Read(ctx, func(v *store.View) error {
		newest, err := issuance.Newest(ctx, v, id.Order)
		if err != nil {
			return err
		}
		key, err := s.keys.ProductKey(ctx, v, id.Product)
		if err != nil {
			return fmt.Errorf("opening the key of product %s: %w", id.Product, err)
		}
		for g := newest; g > 0 && newest-g < maxPast; g-- {
			if slices.ContainsFunc(id.secrets, func(c candidate) bool { return c.generation == g }) {
				continue
			}
			if fits(triple.Derive(key.Reveal(), id.Product, id.mac, g).Reveal()) {
				generation, ok = g, true
			}
		}
		return nil
	})
	return generation, ok, err
}

// ResetRegistration lets a device register once more (动态注册): what it was handed so far is out of force, and its session ends.
func (s *Service) ResetRegistration(ctx context.Context, who access.Actor, id, reason string) error {
	if err := who.Check(access.RevokeTriples); err != nil {
		return err
	}
	if strings.TrimSpace(reason) == "" || utf8.RuneCountInString(reason) > 500 {
		return fault.Invalid("/reason", reason, "1 to 500 characters", "say why")
	}
	return s.store.Write(store.Urgent(ctx), func(tx *store.Tx) error {
		d, err := Load(ctx, tx, who, id)
		if err != nil {
			return err
		}
		mac, err := triple.ParseMAC(d.Name)
		if err != nil {
			return fmt.Errorf("reading the name of device %s: %w", id, err)
		}
		if err := issuance.ResetRegistration(ctx, tx, d.Order, mac, time.Now()); err != nil {
			return err
		}
		if err := s.changed(ctx, tx, id); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "device.registration_reset", id, reason)
	})
}
