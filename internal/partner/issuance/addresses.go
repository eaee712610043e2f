package issuance

import (
	"context"
	"slices"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
	"lampworks/triple"
)

// Addresses are those of one order, for rooms that hold something against them.
type Addresses struct {
	Quantity int

	order  string
	from   source
	sorted []run // of pools: few
}

// Addresses gives the addresses of an order that who sees.
func (s *Service) Addresses(ctx context.Context, q store.Querier, who access.Actor, order string) (Addresses, error) {
	o, err := load(ctx, q, who, order)
	if err != nil {
		return Addresses{}, err
	}
	a := Addresses{Quantity: o.Quantity, order: o.ID}
	if a.from, err = sourceOf(ctx, q, &o); err != nil {
		return Addresses{}, err
	}
	for _, r := range a.from.ranges {
		a.sorted = append(a.sorted, run{r.first, r.last})
	}
	slices.SortFunc(a.sorted, func(a, b run) int { return compare(a.first, b.first) })
	return a, nil
}

// Has reports whether the order has an address.
func (a *Addresses) Has(ctx context.Context, q store.Querier, mac triple.MAC) (bool, error) {
	n := mac.Uint64()
	if a.from.list != 0 {
		order, err := orderOf(ctx, q, mac)
		return order == a.order, err
	}
	i, found := slices.BinarySearchFunc(a.sorted, n, func(r run, n uint64) int { return compare(r.first, n) })
	return found || i > 0 && n <= a.sorted[i-1].last, nil
}

// Rows gives n addresses of the order from a row on, as long as they follow each other upwards.
func (a *Addresses) Rows(ctx context.Context, q store.Querier, row, n int) ([]triple.MAC, error) {
	runs, err := a.from.runs(ctx, q, row, n)
	if err != nil {
		return nil, err
	}
	macs := make([]triple.MAC, 0, n)
	last := uint64(0)
	for _, r := range runs {
		if r.first < last {
			break
		}
		for m := r.first; m <= r.last; m++ {
			macs = append(macs, triple.MACOf(m))
		}
		last = r.last
	}
	return macs, nil
}
