package api

import (
	"context"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/entitlement"
)

type serviceView struct {
	Name        string             `json:"name" doc:"Stable."`
	Names       account.Names      `json:"names"`
	About       account.Names      `json:"about"`
	Acts        []access.Act       `json:"acts" nullable:"false" doc:"That belong to it."`
	Steps       []entitlement.Step `json:"steps" nullable:"false" enum:"order,mass_order,publish" doc:"On the way of a product that ask for it: of devices' access, where the product's protocols belong to it."`
	Enforced    bool               `json:"enforced" doc:"An act or a step asks for it. Bars, switches and overrides of others are refused: they would change nothing."`
	Available   bool               `json:"available"`
	Missing     []missingView      `json:"missing" nullable:"false" doc:"What keeps the organisation from it."`
	Bar         barView            `json:"bar"`
	NextBar     *barView           `json:"next_bar,omitempty"`
	Off         *switchView        `json:"off,omitempty" doc:"It is switched off."`
	NextSwitch  *switchView        `json:"next_switch,omitempty"`
	Application *applicationView   `json:"application,omitempty"`
	Override    *overrideView      `json:"override,omitempty"`
}

type missingView struct {
	What string `json:"what" enum:"switched_off,suspended,kept_out,organisation_kind,verification_level,qualification,application,agreement,plan"`
	Text string `json:"text"`
	Fix  string `json:"fix,omitempty"`
}

type barView struct {
	ID             string              `json:"id,omitempty" doc:"Absent: none was set, the service is open."`
	Service        string              `json:"service"`
	Kind           entitlement.BarKind `json:"kind" enum:"open,application,agreement,paid"`
	Agreement      string              `json:"agreement,omitempty"`
	Kinds          []account.Kind      `json:"kinds" nullable:"false"`
	Level          int                 `json:"level"`
	Qualifications []string            `json:"qualifications" nullable:"false"`
	Announcement   string              `json:"announcement,omitempty"`
	Reason         string              `json:"reason,omitempty"`
	EffectiveAt    moment              `json:"effective_at,omitzero"`
	CreatedAt      moment              `json:"created_at,omitzero"`
	CancelledAt    moment              `json:"cancelled_at,omitzero"`
}

func barOf(b *entitlement.Bar) barView {
	return barView{
		b.ID, b.Service, b.Kind, b.Agreement, append([]account.Kind{}, b.Kinds...), b.Level, append([]string{}, b.Qualifications...),
		b.Announcement, b.Reason, moment(b.EffectiveAt), moment(b.CreatedAt), moment(b.CancelledAt),
	}
}

type switchView struct {
	ID           string `json:"id"`
	Service      string `json:"service"`
	On           bool   `json:"on"`
	Emergency    bool   `json:"emergency,omitempty"`
	Announcement string `json:"announcement,omitempty"`
	Reason       string `json:"reason"`
	EffectiveAt  moment `json:"effective_at"`
	CreatedAt    moment `json:"created_at"`
	CancelledAt  moment `json:"cancelled_at,omitzero"`
}

func switchOf(w *entitlement.Switch) switchView {
	return switchView{w.ID, w.Service, w.On, w.Emergency, w.Announcement, w.Reason, moment(w.EffectiveAt), moment(w.CreatedAt), moment(w.CancelledAt)}
}

type planView struct {
	ID        string             `json:"id"`
	Service   string             `json:"service"`
	Names     account.Names      `json:"names"`
	Period    entitlement.Period `json:"period" enum:"once,month,quarter,year"`
	Amount    int64              `json:"amount" doc:"A period, in the smallest unit of the currency. It is recorded, not charged."`
	Currency  string             `json:"currency"`
	Includes  map[string]int64   `json:"includes" doc:"Limits by their names."`
	Retired   bool               `json:"retired,omitempty"`
	CreatedAt moment             `json:"created_at"`
}

func planOf(p *entitlement.Plan) planView {
	return planView{p.ID, p.Service, p.Names, p.Period, p.Amount, p.Currency, p.Includes, p.Retired, moment(p.CreatedAt)}
}

type applicationView struct {
	ID           string            `json:"id"`
	Organisation string            `json:"organisation"`
	Service      string            `json:"service"`
	Plan         string            `json:"plan,omitempty"`
	Purpose      string            `json:"purpose"`
	State        entitlement.State `json:"state" enum:"requested,granted,refused,withdrawn,ended"`
	Reason       string            `json:"reason,omitempty" doc:"Of the last decision."`
	RequestedBy  string            `json:"requested_by"`
	DecidedBy    string            `json:"decided_by,omitempty"`
	CreatedAt    moment            `json:"created_at"`
	DecidedAt    moment            `json:"decided_at,omitzero"`
	Until        moment            `json:"until,omitzero"`
	EndedAt      moment            `json:"ended_at,omitzero"`
	Open         []entitlement.Act `json:"open" nullable:"false"`
}

func applicationOf(who access.Actor) func(*entitlement.Application) applicationView {
	return func(p *entitlement.Application) applicationView {
		return applicationView{
			p.ID, p.Organisation, p.Service, p.Plan, p.Purpose, p.State, p.Reason, p.RequestedBy, p.DecidedBy, moment(p.CreatedAt),
			moment(p.DecidedAt), moment(p.Until), moment(p.EndedAt), append([]entitlement.Act{}, p.Open(who)...),
		}
	}
}

type overrideView struct {
	ID           string `json:"id"`
	Organisation string `json:"organisation"`
	Service      string `json:"service"`
	Allowed      bool   `json:"allowed"`
	Reason       string `json:"reason"`
	MadeBy       string `json:"made_by"`
	From         moment `json:"from"`
	Until        moment `json:"until,omitzero"`
	CreatedAt    moment `json:"created_at"`
	EndedAt      moment `json:"ended_at,omitzero"`
}

func overrideOf(o *entitlement.Override) overrideView {
	return overrideView{o.ID, o.Organisation, o.Service, o.Allowed, o.Reason, o.MadeBy, moment(o.From), moment(o.Until), moment(o.CreatedAt), moment(o.EndedAt)}
}

func serviceOf(who access.Actor, say saying) func(*entitlement.Standing) serviceView {
	return func(s *entitlement.Standing) serviceView {
		v := serviceView{Name: s.Name, Names: s.Names, About: s.About, Acts: s.Acts, Steps: s.Steps, Enforced: s.Enforced(), Available: s.Open, Missing: []missingView{}, Bar: barOf(&s.Bar)}
		for _, m := range s.Missing {
			v.Missing = append(v.Missing, missingView{m.What, say(m.Text), say(m.Fix)})
		}
		v.NextBar, v.Off, v.NextSwitch = formOf(s.NextBar, barOf), formOf(s.Off, switchOf), formOf(s.Next, switchOf)
		v.Application, v.Override = formOf(s.Application, applicationOf(who)), formOf(s.Override, overrideOf)
		return v
	}
}

// formOf is the form of what may not be there.
func formOf[S, T any](s *S, form func(*S) T) *T {
	if s == nil {
		return nil
	}
	t := form(s)
	return &t
}

type servicesInput struct {
	PageInput
	Organisation string `query:"organisation" maxLength:"64" doc:"For the operator's people; without it they see what holds for everybody."`
}

type byServiceInput struct {
	ListInput
	Service string `query:"service" maxLength:"64"`
}

type applicationsInput struct {
	ListInput
	Service      string `query:"service" maxLength:"64"`
	State        string `query:"state" enum:"requested,granted,refused,withdrawn,ended"`
	Organisation string `query:"organisation" maxLength:"64"`
}

type overridesInput struct {
	ListInput
	Service      string `query:"service" maxLength:"64"`
	Organisation string `query:"organisation" maxLength:"64"`
}

type newBarInput struct {
	Body struct {
		Service        string              `json:"service" maxLength:"64" example:"voice"`
		Kind           entitlement.BarKind `json:"kind" enum:"open,application,agreement,paid"`
		Agreement      string              `json:"agreement,omitempty" maxLength:"64"`
		Kinds          []account.Kind      `json:"kinds,omitempty" nullable:"false" maxItems:"5"`
		Level          int                 `json:"level,omitempty" minimum:"0" maximum:"9" doc:"Of verification, at least."`
		Qualifications []string            `json:"qualifications,omitempty" nullable:"false" maxItems:"20"`
		Announcement   string              `json:"announcement,omitempty" maxLength:"64" doc:"Its date is that of the bar; needed unless the bar is open."`
		Emergency      bool                `json:"emergency,omitempty" doc:"At once, without announcement."`
		Reason         string              `json:"reason" maxLength:"1000"`
	}
}

type newSwitchInput struct {
	Body struct {
		Service      string    `json:"service" maxLength:"64" example:"voice"`
		On           bool      `json:"on"`
		At           time.Time `json:"at,omitzero" doc:"Of a switch-on; now if not given."`
		Announcement string    `json:"announcement,omitempty" maxLength:"64" doc:"Of a switch-off: its date is that of the switch."`
		Emergency    bool      `json:"emergency,omitempty" doc:"Off at once, without announcement."`
		Reason       string    `json:"reason" maxLength:"1000"`
	}
}

type newPlanInput struct {
	Body struct {
		Service  string             `json:"service" maxLength:"64"`
		Names    account.Names      `json:"names"`
		Period   entitlement.Period `json:"period" enum:"once,month,quarter,year"`
		Amount   int64              `json:"amount" minimum:"0" doc:"Smallest units." example:"9900"`
		Currency string             `json:"currency" maxLength:"3" example:"CNY"`
		Includes map[string]int64   `json:"includes,omitempty" doc:"Limits by their names."`
	}
}

type newApplicationInput struct {
	Body struct {
		Service string `json:"service" maxLength:"64" example:"voice"`
		Plan    string `json:"plan,omitempty" maxLength:"64"`
		Purpose string `json:"purpose" maxLength:"1000" doc:"For the reviewer."`
	}
}

type applicationInput struct {
	Application string `path:"application" maxLength:"64"`
}

type leaveServiceInput struct {
	Application string `path:"application" maxLength:"64"`
	Reason      string `query:"reason" maxLength:"1000"`
}

type decideApplicationInput struct {
	Application string `path:"application" maxLength:"64"`
	Body        struct {
		Act    entitlement.Act `json:"act" enum:"grant,refuse,end"`
		Reason string          `json:"reason,omitempty" maxLength:"1000"`
		Until  time.Time       `json:"until,omitzero" doc:"Of a grant; without an end if not given."`
	}
}

type newOverrideInput struct {
	Body struct {
		Organisation string    `json:"organisation" maxLength:"64"`
		Service      string    `json:"service" maxLength:"64"`
		Allowed      bool      `json:"allowed"`
		From         time.Time `json:"from,omitzero"`
		Until        time.Time `json:"until,omitzero"`
		Reason       string    `json:"reason" maxLength:"1000" doc:"The organisation reads it."`
	}
}

type barInput struct {
	Bar    string `path:"bar" maxLength:"64"`
	Reason string `query:"reason" maxLength:"1000"`
}

type switchInput struct {
	Switch string `path:"switch" maxLength:"64"`
	Reason string `query:"reason" maxLength:"1000"`
}

type planInput struct {
	Plan string `path:"plan" maxLength:"64"`
}

type overrideInput struct {
	Override string `path:"override" maxLength:"64"`
	Reason   string `query:"reason" maxLength:"1000"`
}

var ofApplication = owner{"application", "application", func(ctx context.Context, a *API, id string) (string, error) {
	return a.Entitlements.ApplicationOwner(ctx, id)
}}

func (a *API) serviceRoutes() {
	list(a, "/api/v1/services", access.ReadEntitlement, ofCaller, "Services (服务): which are open to an organisation, and why not", func(ctx context.Context, who access.Actor, in *servicesInput) (page[serviceView], error) {
		all, err := a.Entitlements.Overview(ctx, who, in.Organisation)
		return pageTo(all, "", serviceOf(who, spoken(ctx))), err
	})
	list(a, "/api/v1/service-bars", access.ManageServices, ofPlatform, "Entry bars (准入门槛), newest first", func(ctx context.Context, who access.Actor, in *byServiceInput) (page[barView], error) {
		p, err := a.Entitlements.Bars(ctx, who, in.ask(map[string]string{"service": in.Service}))
		return pageFrom(p, barOf), err
	})
	create(a, "/api/v1/service-bars", access.ManageServices, ofPlatform, "Give a service another bar", func(ctx context.Context, who access.Actor, in *newBarInput) (barView, error) {
		n := &in.Body
		b, err := a.Entitlements.SetBar(ctx, who, entitlement.NewBar{
			Service: n.Service, Kind: n.Kind, Agreement: n.Agreement, Kinds: n.Kinds, Level: n.Level, Qualifications: n.Qualifications,
			Announcement: n.Announcement, Emergency: n.Emergency, Reason: n.Reason,
		})
		return barOf(&b), err
	})
	route(a, "DELETE", "/api/v1/service-bars/{bar}", access.ManageServices, ofPlatform, "Take back a bar whose date has not come", func(ctx context.Context, who access.Actor, in *barInput) (nothing, error) {
		return nothing{}, a.Entitlements.CancelBar(ctx, who, in.Bar, in.Reason)
	})
	a.switchRoutes()
	a.planRoutes()
	a.applicationRoutes()
	a.overrideRoutes()
}

func (a *API) switchRoutes() {
	list(a, "/api/v1/service-switches", access.ManageServices, ofPlatform, "Switches of services, newest first", func(ctx context.Context, who access.Actor, in *byServiceInput) (page[switchView], error) {
		p, err := a.Entitlements.Switches(ctx, who, in.ask(map[string]string{"service": in.Service}))
		return pageFrom(p, switchOf), err
	})
	create(a, "/api/v1/service-switches", access.ManageServices, ofPlatform, "Turn a service on or off for everybody", func(ctx context.Context, who access.Actor, in *newSwitchInput) (switchView, error) {
		n := &in.Body
		w, err := a.Entitlements.Turn(ctx, who, entitlement.NewSwitch{Service: n.Service, On: n.On, At: n.At, Announcement: n.Announcement, Emergency: n.Emergency, Reason: n.Reason})
		return switchOf(&w), err
	})
	route(a, "DELETE", "/api/v1/service-switches/{switch}", access.ManageServices, ofPlatform, "Take back a switch whose date has not come", func(ctx context.Context, who access.Actor, in *switchInput) (nothing, error) {
		return nothing{}, a.Entitlements.CancelSwitch(ctx, who, in.Switch, in.Reason)
	})
}

func (a *API) planRoutes() {
	list(a, "/api/v1/plans", access.ReadEntitlement, ofNobody, "Plans (套餐) that services are offered for", func(ctx context.Context, who access.Actor, in *byServiceInput) (page[planView], error) {
		p, err := a.Entitlements.Plans(ctx, who, in.ask(map[string]string{"service": in.Service}))
		return pageFrom(p, planOf), err
	})
	create(a, "/api/v1/plans", access.ManageServices, ofPlatform, "Offer a plan", func(ctx context.Context, who access.Actor, in *newPlanInput) (planView, error) {
		n := &in.Body
		p, err := a.Entitlements.AddPlan(ctx, who, entitlement.NewPlan{
			Service: n.Service, Names: n.Names, Period: n.Period, Amount: n.Amount, Currency: n.Currency, Includes: n.Includes,
		})
		return planOf(&p), err
	})
	route(a, "DELETE", "/api/v1/plans/{plan}", access.ManageServices, ofPlatform, "Offer a plan no longer; who has it keeps it", func(ctx context.Context, who access.Actor, in *planInput) (nothing, error) {
		return nothing{}, a.Entitlements.RetirePlan(ctx, who, in.Plan)
	})
}

func (a *API) applicationRoutes() {
	const applications = "/api/v1/service-applications"
	list(a, applications, access.ReadEntitlement, ofCaller, "Applications for services, newest first", func(ctx context.Context, who access.Actor, in *applicationsInput) (page[applicationView], error) {
		p, err := a.Entitlements.Applications(ctx, who, in.ask(map[string]string{"service": in.Service, "state": in.State, "organisation": in.Organisation}))
		return pageFrom(p, applicationOf(who)), err
	})
	create(a, applications, access.ApplyEntitlement, ofCaller, "Apply for a service", func(ctx context.Context, who access.Actor, in *newApplicationInput) (applicationView, error) {
		p, err := a.Entitlements.Apply(ctx, who, entitlement.NewApplication{Service: in.Body.Service, Plan: in.Body.Plan, Purpose: in.Body.Purpose})
		return applicationOf(who)(&p), err
	})
	route(a, "GET", applications+"/{application}", access.ReadEntitlement, ofApplication, "An application", func(ctx context.Context, who access.Actor, in *applicationInput) (applicationView, error) {
		p, err := a.Entitlements.Application(ctx, who, in.Application)
		return applicationOf(who)(&p), err
	})
	route(a, "DELETE", applications+"/{application}", access.ApplyEntitlement, ofApplication, "Withdraw an application, or give up what was granted", func(ctx context.Context, who access.Actor, in *leaveServiceInput) (applicationView, error) {
		p, err := a.Entitlements.GiveUp(ctx, who, in.Application, in.Reason)
		return applicationOf(who)(&p), err
	})
	route(a, "PUT", applications+"/{application}/decision", access.DecideEntitlement, ofApplication, "Grant, refuse or end", func(ctx context.Context, who access.Actor, in *decideApplicationInput) (applicationView, error) {
		p, err := a.Entitlements.Decide(ctx, who, in.Application, in.Body.Act, in.Body.Reason, in.Body.Until)
		return applicationOf(who)(&p), err
	})
}

func (a *API) overrideRoutes() {
	const overrides = "/api/v1/service-overrides"
	list(a, overrides, access.ReadEntitlement, ofCaller, "What the operator decided for single organisations, newest first", func(ctx context.Context, who access.Actor, in *overridesInput) (page[overrideView], error) {
		p, err := a.Entitlements.Overrides(ctx, who, in.ask(map[string]string{"service": in.Service, "organisation": in.Organisation}))
		return pageFrom(p, overrideOf), err
	})
	create(a, overrides, access.ManageServices, ofPlatform, "Decide about a service for one organisation", func(ctx context.Context, who access.Actor, in *newOverrideInput) (overrideView, error) {
		n := &in.Body
		o, err := a.Entitlements.Override(ctx, who, entitlement.NewOverride{
			Organisation: n.Organisation, Service: n.Service, Allowed: n.Allowed, From: n.From, Until: n.Until, Reason: n.Reason,
		})
		return overrideOf(&o), err
	})
	route(a, "DELETE", overrides+"/{override}", access.ManageServices, ofPlatform, "End such a decision before its time", func(ctx context.Context, who access.Actor, in *overrideInput) (nothing, error) {
		return nothing{}, a.Entitlements.EndOverride(ctx, who, in.Override, in.Reason)
	})
}
