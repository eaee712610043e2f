package agreement

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
)

// A Demand is one version that somebody has to accept.
type Demand struct {
	Agreement   Agreement
	Version     Version
	Hashes      map[string]string // of its texts, by language
	Declined    bool              // it was said no to
	May         bool              // who asks may accept it
	EffectiveAt time.Time
}

// Duties is what is missing before somebody may use the platform.
type Duties struct {
	Now      []Demand
	Ahead    []Demand      // in force later, and to be accepted until then
	Guardian bool          // a guardian's consent is missing
	Consent  ConsentState  // where it stands; empty: nobody was named
	AdultIn  account.Month // with which the need for a consent ends; empty: there is none, or that is not known
}

// Outstanding tells what who has to accept: for themselves and for the organisation they act for.
func (s *Service) Outstanding(ctx context.Context, q store.Querier, who access.Actor) (Duties, error) {
	if !person(who) {
		return Duties{}, nil
	}
	all, err := set(ctx, q, s.now())
	if err != nil {
		return Duties{}, err
	}
	said, err := saidBy(ctx, q, who)
	if err != nil {
		return Duties{}, err
	}
	var kinds []account.Kind
	if who.Organisation != "" {
		if kinds, err = s.kindsOf(ctx, q, who.Organisation); err != nil {
			return Duties{}, err
		}
	}
	var d Duties
	for i := range all {
		g := &all[i]
		if g.Subject == Product || g.Subject == Organisation && (who.Organisation == "" || !g.concerns(kinds, "")) {
			continue
		}
		d.Now = appendDemand(d.Now, g, g.InForce, said[g.Subject], who)
		d.Ahead = appendDemand(d.Ahead, g, g.Ahead, said[g.Subject], who)
	}
	if err := withHashes(ctx, q, d.Now, d.Ahead); err != nil {
		return Duties{}, err
	}
	err = s.guardianOf(ctx, q, who.User, &d)
	return d, err
}

// Duties tells what who has to accept, in a snapshot of its own; see Outstanding.
func (s *Service) Duties(ctx context.Context, who access.Actor) (Duties, error) {
	var d Duties
	err := s.Store.Read(ctx, func(v *store.View) error {
		var err error
		d, err = s.Outstanding(ctx, v, who)
		return err
	})
	return d, err
}

// person says whether who is somebody the gate is for: a person or a token of theirs. The operator's staff act for whom the
// others agree with, as long as they act for no organisation.
func person(who access.Actor) bool {
	return who.User != "" && (who.Kind == access.KindUser || who.Kind == access.KindToken) && !who.Everywhere()
}

func appendDemand(to []Demand, g *Agreement, v *Version, said map[string]Decision, who access.Actor) []Demand {
	if v == nil || said[v.ID] == Accepted {
		return to
	}
	return append(to, Demand{
		Agreement: *g, Version: *v, Declined: said[v.ID] == Declined, EffectiveAt: v.EffectiveAt,
		May: g.Subject == User || who.May(access.AcceptAgreement),
	})
}

func withHashes(ctx context.Context, q store.Querier, lists ...[]Demand) error {
	for _, list := range lists {
		for i := range list {
			list[i].Hashes = make(map[string]string)
			_, err := rowsOf(ctx, q, func(row scanner) (struct{}, error) {
				var lang, hash string
				err := row.Scan(&lang, &hash)
				list[i].Hashes[lang] = hash
				return struct{}{}, err
			}, "SELECT lang, hash FROM agreement_text WHERE version = ?", list[i].Version.ID)
			if err != nil {
				return fmt.Errorf("reading the hashes of version %s: %w", list[i].Version.ID, err)
			}
		}
	}
	return nil
}

// saidBy is what a person and their organisation said last, by version.
func saidBy(ctx context.Context, q store.Querier, who access.Actor) (map[Subject]map[string]Decision, error) {
	ref, err := referenceOf(ctx, q, who.User)
	if err != nil {
		return nil, err
	}
	mine, err := decisions(ctx, q, User, ref)
	if err != nil {
		return nil, err
	}
	ours, err := decisions(ctx, q, Organisation, who.Organisation)
	return map[Subject]map[string]Decision{User: mine, Organisation: ours}, err
}

func decisions(ctx context.Context, q store.Querier, kind Subject, subject string) (map[string]Decision, error) {
	out := make(map[string]Decision)
	if subject == "" {
		return out, nil
	}
	_, err := rowsOf(ctx, q, func(row scanner) (struct{}, error) {
		var version string
		var d Decision
		err := row.Scan(&version, &d)
		out[version] = d
		return struct{}{}, err
	}, decisionsSQL, string(kind), subject)
	if err != nil {
		return nil, fmt.Errorf("reading what %s %s accepted: %w", kind, subject, err)
	}
	return out, nil
}

func (s *Service) kindsOf(ctx context.Context, q store.Querier, organisation string) ([]account.Kind, error) {
	if s.Kinds != nil {
		return s.Kinds(ctx, q, organisation)
	}
	return account.KindsOf(ctx, q, organisation)
}

// Accepted tells whether an organisation has accepted the version of an agreement that is in force; without one in force
// it has not.
func (s *Service) Accepted(ctx context.Context, q store.Querier, organisation, agreement string) (bool, error) {
	all, err := set(ctx, q, s.now())
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(all, func(a Agreement) bool { return a.ID == agreement })
	if i < 0 || all[i].InForce == nil {
		return false, nil
	}
	said, err := decisions(ctx, q, Organisation, organisation)
	return said[all[i].InForce.ID] == Accepted, err
}

// GateProduct refuses what needs the terms of a product while they are not accepted for it. It is asked in the transaction
// of the act and believes nothing.
func (s *Service) GateProduct(ctx context.Context, q store.Querier, organisation, product, category string) error {
	all, err := set(ctx, q, s.now())
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(a Agreement) bool { return a.Subject != Product || a.InForce == nil })
	if len(all) == 0 {
		return nil
	}
	kinds, err := s.kindsOf(ctx, q, organisation)
	if err != nil {
		return err
	}
	said, err := decisions(ctx, q, Product, product)
	if err != nil {
		return err
	}
	var missing []Demand
	for i := range all {
		if g := &all[i]; g.concerns(kinds, category) {
			missing = appendDemand(missing, g, g.InForce, said, access.Actor{})
		}
	}
	return refusal(Duties{Now: missing})
}

// refusal is the fault that names what is missing; nil if nothing is.
func refusal(d Duties) error {
	if d.Guardian {
		return guardianFault(d.Consent)
	}
	if len(d.Now) == 0 {
		return nil
	}
	f := &fault.Fault{
		Code: fault.Agreement, Where: "agreement", Rule: "every agreement in force is accepted",
		Fix: "read it at GET /api/v1/agreements/{agreement}/versions/{version}, then POST /api/v1/agreements/{agreement}/acceptances; " +
			"for an organisation an owner does. Whoever declines may export and leave",
	}
	var names []string
	for i := range d.Now {
		n := &d.Now[i]
		f.Open = append(f.Open, n.Agreement.ID)
		names = append(names, fmt.Sprintf("%q / %q (version %d, by the %s)", n.Agreement.Names["en"], n.Agreement.Names["zh-CN"], n.Version.Number, n.Agreement.Subject))
	}
	f.What = "not accepted yet: " + strings.Join(names, ", ")
	return f
}

func guardianFault(state ConsentState) error {
	f := &fault.Fault{
		Code: fault.Agreement, What: "a guardian's consent is missing", Where: "guardian", Rule: "a person without full capacity needs a guardian's consent",
		Fix: "name the guardian with POST /api/v1/guardian-consents", Open: []string{"guardian_consent"},
	}
	if state == Requested {
		f.What = "a guardian's consent waits for its confirmation"
		f.Fix = "show the code the guardian got with POST /api/v1/guardian-consents/{consent}/proof, or upload what they signed and what shows the " +
			"relationship with POST /api/v1/guardian-consents/{consent}/papers and wait for the reviewer"
	}
	return f
}
