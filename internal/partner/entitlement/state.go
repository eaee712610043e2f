package entitlement

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
	"lampworks/internal/partner/enforce"
)

// What may be missing before a service is open to an organisation.
const (
	MissingSwitch        = "switched_off"      // it is off for everybody
	MissingStanding      = "suspended"         // a measure of the operator refuses it
	MissingOverride      = "kept_out"          // the operator decided so
	MissingKind          = "organisation_kind" // the organisation is of another kind
	MissingLevel         = "verification_level"
	MissingQualification = "qualification"
	MissingApplication   = "application"
	MissingAgreement     = "agreement"
	MissingPlan          = "plan"
)

// A Missing is one thing that keeps an organisation from a service.
type Missing struct {
	What string // one of the constants above
	Text string // a sentence
	Fix  string // where to get it; may be empty
}

// A Standing is one service for one organisation.
type Standing struct {
	Named
	Open        bool
	Missing     []Missing // empty if it is open
	Bar         Bar       // in force; its ID is empty where there is none
	Application *Application
	Override    *Override
	Off         *Switch // in force
	Next        *Switch // that comes
	NextBar     *Bar    // that comes
}

// rules are the bars and switches of all services.
type rules struct {
	bars     []Bar    // by effective date
	switches []Switch // by effective date
}

func (s *Service) rules(ctx context.Context, q store.Querier) (rules, error) {
	var r rules
	var err error
	if r.bars, err = collect(ctx, q, scanBar, "SELECT "+barColumns+" FROM "+barFrom+" WHERE b.cancelled_at = 0 ORDER BY b.effective_at, b.id"); err != nil {
		return r, fmt.Errorf("reading the bars: %w", err)
	}
	if r.switches, err = collect(ctx, q, scanSwitch, "SELECT "+switchColumns+" FROM "+switchFrom+" WHERE w.cancelled_at = 0 ORDER BY w.effective_at, w.id"); err != nil {
		return r, fmt.Errorf("reading the switches: %w", err)
	}
	return r, nil
}

// bar is the one in force, an open one without an id where there is none.
func (r rules) bar(service string, now time.Time) Bar {
	found := Bar{Service: service, Kind: Open}
	for _, b := range r.bars {
		if b.Service == service && !b.EffectiveAt.After(now) && stands(b.Announcement, b.announcementState, b.announcementEndedAt, b.EffectiveAt) {
			found = b
		}
	}
	return found
}

func (r rules) nextBar(service string, now time.Time) *Bar {
	for i := range r.bars {
		b := &r.bars[i]
		if b.Service == service && b.EffectiveAt.After(now) && stands(b.Announcement, b.announcementState, b.announcementEndedAt, b.EffectiveAt) {
			return b
		}
	}
	return nil
}

// turned is the switch in force, nil where none was ever turned, and the one that comes.
func (r rules) turned(service string, now time.Time) (is, next *Switch) {
	for i := range r.switches {
		w := &r.switches[i]
		if w.Service != service || !stands(w.Announcement, w.announcementState, w.announcementEndedAt, w.EffectiveAt) {
			continue
		}
		if !w.EffectiveAt.After(now) {
			is = w
		} else if next == nil {
			next = w
		}
	}
	return is, next
}

// dates lists when an answer changes by itself.
func (r rules) dates() (out []time.Time) {
	for _, b := range r.bars {
		out = append(out, b.EffectiveAt)
	}
	for _, w := range r.switches {
		out = append(out, w.EffectiveAt)
	}
	return out
}

// facts are what is known of an organisation.
type facts struct {
	organisation string
	kinds        []account.Kind
	level        int
	applications []Application
	overrides    []Override
	standing     enforce.Standing
}

func (s *Service) facts(ctx context.Context, q store.Querier, organisation string) (facts, error) {
	f := facts{organisation: organisation}
	kindsOf := account.KindsOf
	if s.Kinds != nil {
		kindsOf = s.Kinds
	}
	var err error
	if f.kinds, err = kindsOf(ctx, q, organisation); err != nil {
		return f, err
	}
	if f.applications, err = collect(ctx, q, scanApplication, openApplicationsSQL, organisation); err != nil {
		return f, fmt.Errorf("reading the applications of organisation %s: %w", organisation, err)
	}
	if f.overrides, err = collect(ctx, q, scanOverride, overridesSQL, organisation, s.now().UnixMilli()); err != nil {
		return f, fmt.Errorf("reading the overrides of organisation %s: %w", organisation, err)
	}
	if f.standing, err = enforce.StandingOf(ctx, q, enforce.Chain{Organisation: organisation}); err != nil {
		return f, err
	}
	if s.Level != nil {
		f.level, err = s.Level(ctx, q, organisation)
	}
	return f, err
}

// dates lists when an answer changes by itself.
func (f *facts) dates() (out []time.Time) {
	for i := range f.applications {
		out = append(out, f.applications[i].Until)
	}
	for i := range f.overrides {
		out = append(out, f.overrides[i].From, f.overrides[i].Until)
	}
	for i := range f.standing.Measures {
		out = append(out, f.standing.Measures[i].Ends)
	}
	return out
}

// State tells of every service whether it is open to an organisation, and why not.
func (s *Service) State(ctx context.Context, q store.Querier, organisation string) ([]Standing, error) {
	all, _, err := s.state(ctx, q, organisation)
	return all, err
}

// state also lists when an answer changes by itself.
func (s *Service) state(ctx context.Context, q store.Querier, organisation string) ([]Standing, []time.Time, error) {
	all, err := services()
	if err != nil {
		return nil, nil, err
	}
	r, err := s.rules(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	f, err := s.facts(ctx, q, organisation)
	if err != nil {
		return nil, nil, err
	}
	out := make([]Standing, len(all))
	for i := range all {
		if out[i], err = s.standing(ctx, q, all[i], r, &f); err != nil {
			return nil, nil, err
		}
	}
	return out, append(r.dates(), f.dates()...), nil
}

// Overview tells who of the services of their organisation. The operator's people may name any, or none to see what holds
// for everybody.
func (s *Service) Overview(ctx context.Context, who access.Actor, organisation string) ([]Standing, error) {
	if err := who.Check(access.ReadEntitlement); err != nil {
		return nil, err
	}
	if organisation == "" {
		organisation = who.Organisation
	}
	if organisation != "" && !who.Sees(organisation) {
		return nil, fault.NotFound("organisation", organisation)
	}
	var all []Standing
	err := s.Store.Read(ctx, func(v *store.View) error {
		var err error
		if organisation == "" {
			all, err = s.forAll(ctx, v)
		} else {
			all, err = s.State(ctx, v, organisation)
		}
		return err
	})
	return all, err
}

// forAll tells what holds for everybody: a service is open if nothing at all is asked for.
func (s *Service) forAll(ctx context.Context, q store.Querier) ([]Standing, error) {
	all, err := services()
	if err != nil {
		return nil, err
	}
	r, err := s.rules(ctx, q)
	if err != nil {
		return nil, err
	}
	out := make([]Standing, len(all))
	for i := range all {
		out[i] = s.common(all[i], r)
		b := &out[i].Bar
		out[i].Open = out[i].Off == nil && b.Kind == Open && len(b.Kinds) == 0 && b.Level == 0 && len(b.Qualifications) == 0
	}
	return out, nil
}

// common is what a standing has for all organisations.
func (s *Service) common(named Named, r rules) Standing {
	now := s.now()
	st := Standing{Named: named, Bar: r.bar(named.Name, now), NextBar: r.nextBar(named.Name, now)}
	var is *Switch
	if is, st.Next = r.turned(named.Name, now); is != nil && !is.On {
		st.Off = is
	}
	return st
}

// Require gives nil if a service is open to an organisation, and otherwise the fault that names what is missing. It reads
// what q sees and believes nothing.
func (s *Service) Require(ctx context.Context, q store.Querier, organisation, service string) error {
	named, err := find("service", service)
	if err != nil {
		return err
	}
	r, err := s.rules(ctx, q)
	if err != nil {
		return err
	}
	f, err := s.facts(ctx, q, organisation)
	if err != nil {
		return err
	}
	st, err := s.standing(ctx, q, named, r, &f)
	if err != nil {
		return err
	}
	return st.refusal()
}

// Allowed lists the services that are open to an organisation.
func (s *Service) Allowed(ctx context.Context, q store.Querier, organisation string) ([]string, error) {
	all, err := s.State(ctx, q, organisation)
	var out []string
	for i := range all {
		if all[i].Open {
			out = append(out, all[i].Name)
		}
	}
	return out, err
}

func (s *Service) standing(ctx context.Context, q store.Querier, named Named, r rules, f *facts) (Standing, error) {
	st := s.common(named, r)
	now := s.now()
	for i := range f.applications {
		if f.applications[i].Service == named.Name {
			st.Application = &f.applications[i]
		}
	}
	for i := range f.overrides {
		if o := &f.overrides[i]; o.Service == named.Name && o.in(now) {
			st.Override = o
		}
	}
	var err error
	st.Missing, err = s.missing(ctx, q, &st, f)
	st.Open = len(st.Missing) == 0
	return st, err
}

// missing names everything that keeps an organisation from a service.
func (s *Service) missing(ctx context.Context, q store.Querier, st *Standing, f *facts) ([]Missing, error) {
	if st.Off != nil {
		return []Missing{{MissingSwitch, "it is switched off for everybody since " + fault.Stamp(st.Off.EffectiveAt) + ": " + st.Off.Reason, "see the announcements"}}, nil
	}
	if refused := fault.Of(f.standing.Check(enforce.OfService(st.Name))); refused != nil {
		return []Missing{{MissingStanding, refused.Sentence(), refused.Fix}}, nil
	}
	if o := st.Override; o != nil && o.Allowed {
		return nil, nil
	} else if o != nil {
		return []Missing{{MissingOverride, "the operator decided so: " + o.Reason, "ask the operator"}}, nil
	}
	out, err := s.unfulfilled(ctx, q, &st.Bar, f)
	if err != nil {
		return nil, err
	}
	m, err := s.notEntered(ctx, q, st, f)
	if m != nil {
		out = append(out, *m)
	}
	return out, err
}

// unfulfilled names what the organisation itself lacks.
func (s *Service) unfulfilled(ctx context.Context, q store.Querier, b *Bar, f *facts) (out []Missing, err error) {
	if len(b.Kinds) > 0 && !slices.ContainsFunc(f.kinds, func(k account.Kind) bool { return slices.Contains(b.Kinds, k) }) {
		out = append(out, Missing{MissingKind, fmt.Sprintf("it is for organisations of the kind %s", join(b.Kinds)), "PUT /api/v1/organisations/{organisation}"})
	}
	if f.level < b.Level {
		out = append(out, Missing{MissingLevel, fmt.Sprintf("it needs verification of level %d, the organisation has %d", b.Level, f.level), "submit a verification"})
	}
	for _, name := range b.Qualifications {
		holds := false
		if s.Qualified != nil {
			if holds, err = s.Qualified(ctx, q, f.organisation, name); err != nil {
				return nil, fmt.Errorf("asking for the qualification %s of organisation %s: %w", name, f.organisation, err)
			}
		}
		if !holds {
			out = append(out, Missing{MissingQualification, "it needs the qualification " + name, "submit the qualification"})
		}
	}
	return out, nil
}

func join(kinds []account.Kind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, " or ")
}

// notEntered names what the way into the service lacks; nil if the organisation is in.
func (s *Service) notEntered(ctx context.Context, q store.Querier, st *Standing, f *facts) (*Missing, error) {
	a := st.Application
	in := a != nil && a.State == Granted && (a.Until.IsZero() || a.Until.After(s.now()))
	waits := a != nil && a.State == Requested
	switch st.Bar.Kind {
	case ByApplication:
		if waits {
			return &Missing{MissingApplication, "the application waits for a decision", "GET /api/v1/service-applications/" + a.ID}, nil
		}
		if !in {
			return &Missing{MissingApplication, "it has to be applied for", "POST /api/v1/service-applications"}, nil
		}
	case Paid:
		if waits {
			return &Missing{MissingPlan, "the plan waits for a decision", "GET /api/v1/service-applications/" + a.ID}, nil
		}
		if !in || a.Plan == "" {
			return &Missing{MissingPlan, "it needs a plan", "GET /api/v1/plans, then POST /api/v1/service-applications"}, nil
		}
	case ByAgreement:
		ok, err := s.Agreements.Accepted(ctx, q, f.organisation, st.Bar.Agreement)
		if err != nil {
			return nil, err
		}
		if !ok {
			return &Missing{MissingAgreement, "its agreement " + st.Bar.Agreement + " is not accepted", "POST /api/v1/agreements/" + st.Bar.Agreement + "/acceptances"}, nil
		}
	}
	return nil, nil
}

// refusal is the fault that names what is missing; nil if nothing is.
func (st *Standing) refusal() error {
	if len(st.Missing) == 0 {
		return nil
	}
	f := &fault.Fault{Code: fault.NotAllowed, Where: "service " + st.Name}
	var texts, fixes []string
	for _, m := range st.Missing {
		texts = append(texts, m.Text)
		if m.Fix != "" {
			fixes = append(fixes, m.Fix)
		}
		f.Open = append(f.Open, m.What)
	}
	f.Rule, f.Fix = strings.Join(texts, "; "), strings.Join(fixes, "; ")
	f.What = "the service " + st.Name + " is not open: " + f.Rule
	return f
}
