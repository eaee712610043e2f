package command

import (
	"context"
	"fmt"
	"slices"
	"time"

	"lampworks/internal/fleet/shadow"
	"lampworks/internal/infra/store"
)

// Fetch gives a device, on its session of the given epoch, what is desired of it: of the properties that are named, or of all.
// The sets that wait for it and want nothing else are not sent as commands any more: they are in cs, marked as sent by the
// time it returns, and succeed when the device reports what was set. What cannot be told the device goes back by
// [Commands.Return].
func (s *Commands) Fetch(ctx context.Context, device string, epoch uint64, properties []string) (desired []shadow.Wanted, cs []Command, err error) {
	err = s.store.Read(ctx, func(v *store.View) error {
		desired, err = shadow.Desired(ctx, v, device, properties)
		return err
	})
	if err != nil || len(desired) == 0 {
		return desired, nil, err
	}
	if none, err := s.nothingWaits(ctx, device); none || err != nil {
		return desired, nil, err
	}
	now := time.Now()
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		cs = cs[:0]
		if desired, err = shadow.Desired(ctx, tx, device, properties); err != nil {
			return err
		}
		waiting, err := open(ctx, tx, device, Accepted)
		if err != nil {
			return err
		}
		for _, c := range waiting {
			if c.Kind != PropertySet || !c.DeadlineAt.After(now) || !wants(desired, &c) {
				continue
			}
			_, err := tx.Exec(ctx, "UPDATE command SET state = 'sent', sent_at = ?, epoch = ?, fetched = 1 WHERE seq = ? AND state = 'accepted'", now.UnixMilli(), int64(epoch), c.Seq)
			if err != nil {
				return fmt.Errorf("marking command %s as fetched: %w", c.ID, err)
			}
			c.State, c.SentAt = Sent, now.UTC()
			cs = append(cs, c)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("fetching what is desired of device %s: %w", device, err)
	}
	return desired, cs, nil
}

// wants reports whether every property that c sets is among the desired ones: with their values c, or what came after it, is
// carried out.
func wants(desired []shadow.Wanted, c *Command) bool {
	sets, err := setsOf(c)
	if err != nil {
		return false
	}
	for id := range sets {
		if !slices.ContainsFunc(desired, func(w shadow.Wanted) bool { return w.Property == id }) {
			return false
		}
	}
	return true
}
