package product

import (
	"context"
	"slices"
	"strings"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/enforce"
)

// A Kind is what a product is in the trade.
type Kind string

// The kinds.
const (
	Chip     Kind = "chip"     // 芯片
	Module   Kind = "module"   // 模组
	Solution Kind = "solution" // 方案
	Terminal Kind = "terminal" // 智能终端
)

// A Rule is what holds for a kind of product.
type Rule struct {
	Kind     Kind
	Names    Names
	Makers   []account.Kind // the kinds of organisations that make it
	BuiltOn  []Kind         // what it is built on: one of these; empty: nothing
	Solution bool           // it may carry a solution
}

// Rules is what holds for each kind. It is the one table.
func Rules() []Rule {
	return []Rule{
		{Kind: Chip, Names: Names{"zh-CN": "芯片", "en": "chip"}, Makers: []account.Kind{account.ChipMaker}},
		{Kind: Module, Names: Names{"zh-CN": "模组", "en": "module"}, Makers: []account.Kind{account.ModuleMaker}, BuiltOn: []Kind{Chip}},
		{
			Kind: Solution, Names: Names{"zh-CN": "方案", "en": "solution"},
			Makers: []account.Kind{account.SoftwareProvider, account.HardwareProvider}, BuiltOn: []Kind{Module, Chip},
		},
		{
			Kind: Terminal, Names: Names{"zh-CN": "智能终端", "en": "terminal"},
			Makers: []account.Kind{account.TerminalMaker, account.HardwareProvider}, BuiltOn: []Kind{Module, Chip}, Solution: true,
		},
	}
}

// ruleOf is what holds for a kind; an empty one is a terminal.
func ruleOf(k Kind) (Rule, error) {
	var all []Kind
	for _, r := range Rules() {
		if r.Kind == k || k == "" && r.Kind == Terminal {
			return r, nil
		}
		all = append(all, r.Kind)
	}
	return Rule{}, fault.Unlisted("/kind", string(k), all, "")
}

// mayMake refuses a product of a kind that the organisation does not make.
func (s *Service) mayMake(ctx context.Context, q store.Querier, who access.Actor, r Rule) error {
	if s.Kinds == nil {
		return nil
	}
	kinds, err := s.Kinds(ctx, q, who.Organisation)
	if err != nil {
		return err
	}
	var may []string
	for _, k := range r.Makers {
		if slices.Contains(kinds, k) {
			return nil
		}
		may = append(may, string(k))
	}
	return fault.Forbidden("making a "+string(r.Kind), "an organisation of the kind "+strings.Join(may, " or "))
}

// refer checks that p may be built on the product called ref, found at where.
func (s *Service) refer(ctx context.Context, q store.Querier, p *Product, where, ref string, kinds []Kind) error {
	if ref == "" {
		return nil
	}
	if len(kinds) == 0 {
		return fault.Invalid(where, ref, "nothing: a "+string(p.Kind)+" has none", "leave it out")
	}
	base, err := s.base(ctx, q, p.Organisation, ref)
	if err != nil {
		return err
	}
	if !slices.Contains(kinds, base.Kind) {
		var want []string
		for _, k := range kinds {
			want = append(want, string(k))
		}
		return fault.Invalid(where, "a product of the kind "+string(base.Kind), "a product of the kind "+strings.Join(want, " or "), "")
	}
	if base.State == Retired {
		return fault.Conflict(where, "product "+ref+" is retired: nothing new is built on it")
	}
	if err := s.certified(ctx, q, ref); err != nil {
		return err
	}
	if err := base.offers(ctx, q, p.Organisation, where); err != nil {
		return err
	}
	return s.rests(ctx, q, &base)
}

// offers refuses to have something new built on a product that a measure keeps from being published. Why is told to its own
// organisation only.
func (p *Product) offers(ctx context.Context, q store.Querier, organisation, where string) error {
	err := p.stands(ctx, q, enforce.Publish)
	if fault.Is(err, fault.Suspended) && p.Organisation != organisation {
		return fault.Conflict(where, "product "+p.ID+" is under a measure of the operator: nothing new is built on it")
	}
	return err
}

// base finds what an organisation may build on: its own products, and others' that are published.
func (s *Service) base(ctx context.Context, q store.Querier, organisation, id string) (Product, error) {
	p, err := find(ctx, q, id)
	if err == nil && p.Organisation != organisation && !p.Offered {
		err = fault.NotFound("product", id)
	}
	return p, err
}

// certified refuses a product without a certificate in force.
func (s *Service) certified(ctx context.Context, q store.Querier, id string) error {
	if s.Certify == nil {
		return fault.Unavailable("certification is not part of this program", nil)
	}
	_, err := s.Certify.InForce(ctx, q, id)
	return err
}

// rests refuses a product of which something it is built on, or that is built on, is not certified. Each kind is built on
// another, so there is no circle.
func (s *Service) rests(ctx context.Context, q store.Querier, p *Product) error {
	if p.bare() && !p.State.inDesign() {
		return onNothing(p)
	}
	for _, ref := range []string{p.BuiltOn, p.Solution} {
		if ref == "" {
			continue
		}
		if err := s.certified(ctx, q, ref); err != nil {
			return err
		}
		base, err := find(ctx, q, ref)
		if err != nil {
			return err
		}
		if base.bare() { // it was certified on something that is gone
			return onNothing(&base)
		}
		if err := s.rests(ctx, q, &base); err != nil {
			return err
		}
	}
	return nil
}

// bare says whether a product that must be built on something is built on nothing: it has yet to be, or what it was is gone.
func (p *Product) bare() bool {
	rule, err := ruleOf(p.Kind)
	return err == nil && len(rule.BuiltOn) > 0 && p.BuiltOn == ""
}

func onNothing(p *Product) error {
	return fault.Conflict("/built_on", "what product "+p.ID+" was built on is gone")
}
