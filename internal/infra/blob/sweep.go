package blob

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"lampworks/internal/infra/fault"
)

const (
	sweepAge   = 24 * time.Hour // a blob younger than this may still get its row
	sweepEvery = 24 * time.Hour
	sweepPage  = 500
)

// Named gives those of the ids that a room's rows name.
type Named func(ctx context.Context, ids []string) ([]string, error)

// Run sweeps once a day until ctx ends. The rooms together name every blob that is to stay.
func (b *Blobs) Run(ctx context.Context, log *slog.Logger, rooms ...Named) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		n, err := b.Sweep(ctx, rooms...)
		switch {
		case err != nil && ctx.Err() == nil:
			log.LogAttrs(ctx, slog.LevelWarn, "blobs not swept", slog.Any("error", err))
		case n > 0:
			log.LogAttrs(ctx, slog.LevelInfo, "blobs without a row removed", slog.Int("count", n))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Sweep removes blobs older than a day that no room names, and returns how many there were. For a day after the clock has
// jumped it removes none.
func (b *Blobs) Sweep(ctx context.Context, rooms ...Named) (removed int, err error) {
	if !b.clock.Trusted(b.now()) {
		return 0, nil
	}
	after := ""
	for {
		page, err := b.files.List(ctx, after, sweepPage)
		if err != nil {
			return removed, fmt.Errorf("listing blobs: %w", err)
		}
		if len(page) == 0 {
			return removed, nil
		}
		after = page[len(page)-1].ID
		lost, err := b.lost(ctx, page, rooms)
		if err != nil {
			return removed, err
		}
		for _, id := range lost {
			if err := b.files.Remove(ctx, id); err != nil && !fault.Is(err, fault.Missing) {
				return removed, fmt.Errorf("removing blob %s: %w", id, err)
			}
			removed++
		}
	}
}

// lost lists the old blobs of a page that no room names.
func (b *Blobs) lost(ctx context.Context, page []Entry, rooms []Named) ([]string, error) {
	var ids []string
	for _, e := range page {
		if b.now().Sub(e.At) >= sweepAge {
			ids = append(ids, e.ID)
		}
	}
	for _, named := range rooms {
		if len(ids) == 0 {
			return nil, nil
		}
		known, err := named(ctx, ids)
		if err != nil {
			return nil, fmt.Errorf("asking a room which blobs it names: %w", err)
		}
		ids = slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(known, id) })
	}
	return ids, nil
}
