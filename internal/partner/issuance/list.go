package issuance

import (
	"context"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// orders is how orders are listed: those of an organisation, or, to who sees all, the queue of a state.
var orders = listing.List[Order]{
	Object:  "order",
	Columns: orderColumns,
	From:    orderFrom,
	Key:     "o.id",
	Newest:  true,
	Fields: []listing.Field{
		{Name: "organisation", Column: "o.organisation"},
		{Name: "product", Column: "o.product"},
		{Name: "state", Column: "o.state"},
		{Name: "purpose", Column: "o.purpose"},
	},
	Ways: []listing.Way{
		{Filters: []string{"organisation"}},
		{Filters: []string{"organisation", "state"}},
		{Filters: []string{"organisation", "product"}, Rest: []string{"state", "purpose"}, Bound: "a product has few orders"},
		{Filters: []string{"product"}, Rest: []string{"state", "purpose"}, Bound: "a product has few orders"},
		{Filters: []string{"state"}},
		{},
	},
	Scan: func(row listing.Scanner) (Order, error) { return scan(row) },
}

// List returns a page of the orders of who's organisation, or of all if who sees all, the newest first. Filters are product,
// state and purpose, and organisation for who sees all.
func (s *Service) List(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[Order], err error) {
	if err := who.Check(access.ReadOrder); err != nil {
		return page, err
	}
	if ask, err = scoped(who, ask); err != nil {
		return page, err
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		page, err = orders.Read(ctx, v, ask)
		return err
	})
	return page, err
}

// scoped limits what is asked for to who's organisation.
func scoped(who access.Actor, ask listing.Ask) (listing.Ask, error) {
	if who.Everywhere() {
		return ask, nil
	}
	if who.Organisation == "" {
		return ask, fault.Forbidden(string(access.ReadOrder), "an organisation to act for")
	}
	own := map[string]string{"organisation": who.Organisation}
	for name, value := range ask.Filters {
		if name != "organisation" {
			own[name] = value
		}
	}
	ask.Filters = own
	return ask, nil
}
