package product

import (
	"context"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/certify"
)

// The names that a list of products is filtered by.
const (
	ByKind     = "kind"
	ByState    = "state"
	ByCategory = "category"
	ByFlagged  = "flagged" // "true" or "false"
	BySearch   = "search"  // a part of a name, the ProductKey or the ProductID, any case
)

// List returns a page of the products of who's organisation, or of all for who sees all: oldest first, or by changed_at.
func (s *Service) List(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[Product], err error) {
	if err := who.Check(access.ReadProduct); err != nil {
		return page, err
	}
	if ask, err = scoped(who, ask); err != nil {
		return page, err
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		page, err = products().Read(ctx, v, ask)
		return err
	})
	return page, err
}

// scoped keeps a list to who's organisation, unless all are theirs to see.
func scoped(who access.Actor, ask listing.Ask) (listing.Ask, error) {
	filters := make(map[string]string, len(ask.Filters)+1)
	for name, value := range ask.Filters {
		filters[name] = value
	}
	ask.Filters = filters
	if who.Everywhere() {
		return ask, nil
	}
	if who.Organisation == "" {
		return ask, fault.Forbidden(string(access.ReadProduct), "an organisation to act for")
	}
	filters["organisation"] = who.Organisation
	return ask, nil
}

func products() *listing.List[Product] {
	rest := []string{ByKind, ByState, ByCategory, ByFlagged, BySearch}
	const few = "an organisation has at most some thousand products: quota"
	return &listing.List[Product]{
		Object: "product", Columns: columns, From: "product",
		Fields: []listing.Field{
			{Name: "organisation"},
			{Name: ByKind},
			{Name: ByState},
			{Name: ByCategory},
			{Name: ByFlagged, Parse: yes},
			{Name: BySearch, Part: true},
			{Name: "changed_at", Parse: millisOf},
		},
		Ways: []listing.Way{
			{},
			{Filters: []string{"organisation"}, Rest: rest, Bound: few},
			{Filters: []string{"organisation"}, Rest: rest, Sort: "changed_at", Bound: few},
			{Filters: []string{ByKind}},
			{Filters: []string{ByState}},
			{Filters: []string{ByFlagged}},
		},
		Scan: func(row listing.Scanner) (Product, error) { return scan(row) },
	}
}

func yes(text string) (any, error) {
	switch text {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	}
	return nil, fault.Invalid("/flagged", text, `"true" or "false"`, "send one of the two")
}

// An Offer is a product that others may build on: what it is and what was certified of it, and nothing else of it.
type Offer struct {
	ID           string
	Organisation string
	Kind         Kind
	State        State
	Category     string
	Names        Names
	Icon         string
	Protocols    []string            // of what it is built on, too
	Certified    bool                // as everything is that it is built on
	Certificate  certify.Certificate // its own; zero: none is in force
}

// Catalogue lists what is published to build on, for every maker. Filter: kind.
func (s *Service) Catalogue(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[Offer], err error) {
	if err := who.Check(access.ReadProduct); err != nil {
		return page, err
	}
	ask.Filters = map[string]string{ByKind: ask.Filters[ByKind], "offered": "1"}
	err = s.store.Read(ctx, func(v *store.View) error {
		found, err := offers().Read(ctx, v, ask)
		if err != nil {
			return err
		}
		page.Next, page.Total, page.Items = found.Next, found.Total, make([]Offer, 0, len(found.Items))
		for i := range found.Items {
			o, err := s.offer(ctx, v, &found.Items[i])
			if err != nil {
				return err
			}
			page.Items = append(page.Items, o)
		}
		return nil
	})
	return page, err
}

func offers() *listing.List[Product] {
	return &listing.List[Product]{
		Object: "product", Columns: columns, From: "product",
		Fields: []listing.Field{{Name: "offered", Parse: func(string) (any, error) { return 1, nil }}, {Name: ByKind}},
		Ways:   []listing.Way{{Filters: []string{"offered", ByKind}}, {Filters: []string{"offered"}}},
		Scan:   func(row listing.Scanner) (Product, error) { return scan(row) },
	}
}

func (s *Service) offer(ctx context.Context, q store.Querier, p *Product) (Offer, error) {
	o := Offer{
		ID: p.ID, Organisation: p.Organisation, Kind: p.Kind, State: p.State, Category: p.Category, Names: p.Names, Icon: p.Icon,
	}
	var err error
	if o.Protocols, err = speaks(ctx, q, p); err != nil || s.Certify == nil {
		return o, err
	}
	c, err := s.Certify.InForce(ctx, q, p.ID)
	if err != nil && fault.Of(err) == nil {
		return o, err
	}
	if err == nil {
		err = s.rests(ctx, q, p)
		if err != nil && fault.Of(err) == nil {
			return o, err
		}
	}
	o.Certified, o.Certificate = err == nil, c
	return o, nil
}

// A Label is what a family may read of the product of its device, as it stands on the box.
type Label struct {
	Product  string
	Category string
	Names    Names
	Icon     string
	Care     Care
	Retired  bool    // its maker makes it no longer
	Papers   []Paper // compliance papers: kind, number, issuer and validity
}

// Label returns what a family may read of a product; the caller has checked that one of its devices is in the home.
func (s *Service) Label(ctx context.Context, id string) (l Label, err error) {
	err = s.store.Read(ctx, func(v *store.View) error {
		p, err := find(ctx, v, id)
		if err != nil {
			return err
		}
		l = Label{Product: p.ID, Category: p.Category, Names: p.Names, Icon: p.Icon, Care: p.Care, Retired: p.State == Retired}
		all, err := papersOf(ctx, v, id)
		if err != nil {
			return err
		}
		for _, d := range all {
			if !d.reviewed() && d.State != Refused {
				l.Papers = append(l.Papers, d)
			}
		}
		return nil
	})
	return l, err
}
