package product

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"lampworks/internal/infra/store"
)

// A need is one thing that must be there before an act and those after it.
type need struct {
	code  string
	from  Act
	kinds []Kind // nil: every kind
	check func(ctx context.Context, s *Service, q store.Querier, p *Product) (*Lack, error)
}

// said is a need that the product itself answers.
func said(what, fix string, has func(*Product) bool) func(context.Context, *Service, store.Querier, *Product) (*Lack, error) {
	return func(_ context.Context, _ *Service, _ store.Querier, p *Product) (*Lack, error) {
		if has(p) {
			return nil, nil
		}
		return &Lack{What: what, Fix: fix}, nil
	}
}

const (
	patch = "PATCH /api/v1/products/{product}"
	apply = "POST /api/v1/products/{product}/certifications"
)

// needs is what the acts wait for, beside the table of states. It is the one list.
func needs() []need {
	return []need{
		{"model", Debug, []Kind{Terminal}, said("a published thing model", "POST /api/v1/products/{product}/versions", func(p *Product) bool { return p.Version > 0 })},
		{"protocols", Certify, []Kind{Chip}, said("the protocols that the chip was tuned for", patch, func(p *Product) bool { return len(p.Protocols) > 0 })},
		{"built_on", Certify, []Kind{Module, Solution, Terminal}, said("what it is built on", patch, func(p *Product) bool { return p.BuiltOn != "" })},
		{"base", Certify, []Kind{Module, Solution, Terminal}, func(ctx context.Context, s *Service, q store.Querier, p *Product) (*Lack, error) {
			return lackOf(s.rests(ctx, q, p), "base", "have what it is built on certified, or build on something else: "+patch)
		}},
		{"names", Publish, nil, said("names in zh-CN and en", patch, func(p *Product) bool { return p.Names.whole() })},
		{"icon", Publish, nil, said("an icon", "PUT /api/v1/products/{product}/icon", func(p *Product) bool { return p.Icon != "" })},
		{"care", Publish, []Kind{Terminal}, said("the warranty and an after-sales contact", patch, func(p *Product) bool { return p.Care.complete() })},
		{"papers", Publish, []Kind{Terminal}, missingPapers},
		{"authorisations", Publish, nil, openAuthorisations},
		{"certificate", Publish, nil, func(ctx context.Context, s *Service, q store.Querier, p *Product) (*Lack, error) {
			return lackOf(s.certified(ctx, q, p.ID), "certificate", apply)
		}},
		{"terms", Publish, nil, func(ctx context.Context, s *Service, q store.Querier, p *Product) (*Lack, error) {
			if s.Terms == nil {
				return nil, nil
			}
			return lackOf(s.Terms(ctx, q, p.Organisation, p.ID, p.Category), "terms", "accept the terms for products")
		}},
		{"service", Publish, nil, closedServices},
	}
}

// closedServices names the services that its devices need to reach the platform, and that are not open to its organisation.
func closedServices(ctx context.Context, s *Service, q store.Querier, p *Product) (*Lack, error) {
	if s.Enter == nil {
		return nil, nil
	}
	all, err := services(ctx, q, p)
	if err != nil {
		return nil, err
	}
	var what, fix []string
	for _, name := range all {
		lack, err := lackOf(s.Enter(ctx, q, p.Organisation, name), "service", "")
		if err != nil {
			return nil, err
		}
		if lack == nil {
			continue
		}
		what = append(what, lack.What)
		if !slices.Contains(fix, lack.Fix) {
			fix = append(fix, lack.Fix)
		}
	}
	if len(what) == 0 {
		return nil, nil
	}
	return &Lack{What: strings.Join(what, "; "), Fix: strings.Join(fix, "; ")}, nil
}

// lacks lists everything that act waits for.
func (s *Service) lacks(ctx context.Context, q store.Querier, p *Product, act Act) (Lacks, error) {
	if act == Reopen {
		return s.resting(ctx, q, p)
	}
	order := []Act{Develop, Debug, Certify, Publish, Produce}
	at := slices.Index(order, act)
	var all Lacks
	for _, n := range needs() {
		if slices.Index(order, n.from) > at || n.kinds != nil && !slices.Contains(n.kinds, p.Kind) {
			continue
		}
		lack, err := n.check(ctx, s, q, p)
		if err != nil {
			return nil, err
		}
		if lack != nil {
			lack.Code = n.code
			all = append(all, *lack)
		}
	}
	return all, nil
}

// resting keeps a product that others are built on from being changed under them.
func (s *Service) resting(ctx context.Context, q store.Querier, p *Product) (Lacks, error) {
	on, err := dependents(ctx, q, p.ID)
	if err != nil || len(on) == 0 {
		return nil, err
	}
	return Lacks{{"rested_on", "that no other product is built on it", "make a new product instead"}}, nil
}

// missingPapers names every kind of paper that the category asks for and that is not there or not in force.
func missingPapers(ctx context.Context, s *Service, q store.Querier, p *Product) (*Lack, error) {
	c, err := FindCategory(p.Category)
	if err != nil {
		return nil, err
	}
	have, err := papersOf(ctx, q, p.ID)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, kind := range c.Papers {
		if !slices.ContainsFunc(have, func(d Paper) bool { return d.Kind == kind && d.counts(s.now()) }) {
			missing = append(missing, lackOfPaper(have, kind, s.now()))
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	return &Lack{What: "papers in force: " + strings.Join(missing, ", "), Fix: "POST /api/v1/products/{product}/papers"}, nil
}

// lackOfPaper names a kind of paper, and why the newest of it does not count, if there is one.
func lackOfPaper(have []Paper, kind string, now time.Time) string {
	var last *Paper
	for i := range have {
		if have[i].Kind == kind && (last == nil || have[i].ID > last.ID) {
			last = &have[i]
		}
	}
	switch {
	case last == nil:
		return kind
	case last.State == Refused:
		return fmt.Sprintf("%s (refused)", kind)
	case now.Before(last.ValidFrom):
		return fmt.Sprintf("%s (not in force yet)", kind)
	case !last.ValidUntil.IsZero() && !now.Before(last.ValidUntil):
		return fmt.Sprintf("%s (expired)", kind)
	}
	return fmt.Sprintf("%s (not reviewed yet)", kind)
}

// openAuthorisations names authorisations of third parties that a reviewer has not approved, or that have ended.
func openAuthorisations(ctx context.Context, s *Service, q store.Querier, p *Product) (*Lack, error) {
	have, err := papersOf(ctx, q, p.ID)
	if err != nil {
		return nil, err
	}
	for _, d := range have {
		if d.reviewed() && !d.counts(s.now()) {
			return &Lack{What: "a reviewer's approval of the authorisation " + d.Number, Fix: "wait for the review, or remove it: DELETE /api/v1/papers/{paper}"}, nil
		}
	}
	return nil, nil
}
