package certify

import (
	"context"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

const few = "an organisation, and a product, has few of them"

func cases() *listing.List[Case] {
	return &listing.List[Case]{
		Object: "certification", Columns: caseColumns, From: "certification", Newest: true,
		Fields: []listing.Field{{Name: "organisation"}, {Name: "laboratory"}, {Name: "product"}, {Name: "state"}},
		Ways: []listing.Way{
			{},
			{Filters: []string{"laboratory", "state"}, Rest: []string{"organisation", "product"}, Bound: few},
			{Filters: []string{"product"}, Rest: []string{"organisation", "laboratory", "state"}, Bound: few},
			{Filters: []string{"organisation"}, Rest: []string{"laboratory", "state"}, Bound: few},
			{Filters: []string{"laboratory"}},
			{Filters: []string{"state"}},
		},
		Scan: scanCase,
	}
}

func certificates() *listing.List[Certificate] {
	return &listing.List[Certificate]{
		Object: "certificate", Columns: certificateColumns, From: "certificate", Newest: true,
		Fields: []listing.Field{{Name: "organisation"}, {Name: "laboratory"}, {Name: "product"}, {Name: "state"}},
		Ways: []listing.Way{
			{},
			{Filters: []string{"product"}, Rest: []string{"organisation", "laboratory", "state"}, Bound: few},
			{Filters: []string{"organisation"}, Rest: []string{"laboratory", "state"}, Bound: few},
			{Filters: []string{"laboratory"}},
			{Filters: []string{"state"}},
		},
		Scan: scanCertificate,
	}
}

func laboratories() *listing.List[Laboratory] {
	return &listing.List[Laboratory]{
		Object: "laboratory", Columns: laboratoryColumns, From: "laboratory", Newest: true, Ways: []listing.Way{{}}, Scan: scanLaboratory,
	}
}

// limit keeps a list to what who sees.
func limit(who access.Actor, ask listing.Ask) (listing.Ask, error) {
	filters := make(map[string]string, len(ask.Filters)+1)
	for name, value := range ask.Filters {
		filters[name] = value
	}
	ask.Filters = filters
	laboratory, limited := laboratoryOf(who)
	switch {
	case limited && laboratory == "":
		return ask, fault.Forbidden(string(access.ReadCertification), "a laboratory to work for")
	case limited:
		filters["laboratory"] = laboratory
	case who.Everywhere():
	case who.Organisation == "":
		return ask, fault.Forbidden(string(access.ReadCertification), "an organisation to act for")
	default:
		filters["organisation"] = who.Organisation
	}
	return ask, nil
}

// Cases lists the cases that who sees, newest first. Filters: product, state, laboratory, organisation.
func (s *Service) Cases(ctx context.Context, who access.Actor, ask listing.Ask) (listing.Page[Case], error) {
	return read(ctx, s, who, cases(), ask)
}

// Certificates lists the certificates that who sees, newest first. Filters: product, state, laboratory, organisation.
func (s *Service) Certificates(ctx context.Context, who access.Actor, ask listing.Ask) (listing.Page[Certificate], error) {
	return read(ctx, s, who, certificates(), ask)
}

func read[T any](ctx context.Context, s *Service, who access.Actor, l *listing.List[T], ask listing.Ask) (page listing.Page[T], err error) {
	if err := who.Check(access.ReadCertification); err != nil {
		return page, err
	}
	if ask, err = limit(who, ask); err != nil {
		return page, err
	}
	err = s.Store.Read(ctx, func(v *store.View) error {
		page, err = l.Read(ctx, v, ask)
		return err
	})
	return page, err
}

// Laboratories lists the laboratories, newest first; which there are is no secret.
func (s *Service) Laboratories(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[Laboratory], err error) {
	if err := who.Check(access.ReadCertification); err != nil {
		return page, err
	}
	err = s.Store.Read(ctx, func(v *store.View) error {
		page, err = laboratories().Read(ctx, v, ask)
		return err
	})
	return page, err
}
