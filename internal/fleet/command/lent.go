package command

import (
	"context"
	"fmt"

	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// Lent says whether a device, of whatever maker, takes the commands of who acts in the name of an organisation which is not its
// own: a home of residents in which it is bound (绑定).
type Lent func(ctx context.Context, q store.Querier, organisation, device string) (bool, error)

// LendBy makes s ask whether devices are lent. It is called before the first command.
func (s *Commands) LendBy(lent Lent) { s.lent = lent }

// reach finds a device of who's organisation, or one that is lent to it.
func (s *Commands) reach(ctx context.Context, q store.Querier, who access.Actor, id string) (d device.Device, lent bool, err error) {
	d, err = device.Load(ctx, q, who, id)
	if !fault.Is(err, fault.Missing) {
		return d, false, err
	}
	if unlent := s.stillLent(ctx, q, who, id); unlent != nil {
		return d, false, unlent
	}
	d, err = device.Load(ctx, q, access.System("lent", ""), id)
	return d, true, err
}

// stillLent refuses a device that is not lent: it is not found.
func (s *Commands) stillLent(ctx context.Context, q store.Querier, who access.Actor, id string) error {
	if s.lent == nil || who.Organisation == "" {
		return fault.NotFound("device", id)
	}
	is, err := s.lent(ctx, q, who.Organisation, id)
	if err != nil {
		return fmt.Errorf("asking whether device %s is lent: %w", id, err)
	}
	if !is {
		return fault.NotFound("device", id)
	}
	return nil
}
