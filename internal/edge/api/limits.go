package api

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/quota"
)

// limited counts a request against the limits of its token and organisation, says in every answer what is left
// (draft-ietf-httpapi-ratelimit-headers-10), and refuses what is beyond with 429.
func (a *API) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, ok := access.Of(r.Context())
		if a.Quota == nil || !ok || who.Organisation == "" && !who.Resident() || !isAPI(r) {
			next.ServeHTTP(w, r)
			return
		}
		of := quota.Organisation(who.Organisation)
		uses := make([]rated, 0, 3)
		if who.Kind == access.KindToken {
			uses = append(uses, rated{quota.Token(who.ID, who.Organisation), quota.TokenRequestRate, quota.Decision{}})
		}
		if who.Resident() {
			of = quota.User(who.ID, "")
		}
		uses = append(uses, rated{of, quota.RequestRate, quota.Decision{}})
		if !who.Resident() {
			uses = append(uses, rated{of, quota.Requests, quota.Decision{}})
		}
		for i := range uses {
			u := &uses[i]
			if u.decision = a.Quota.Allow(u.of, u.limit, 1); !u.decision.OK {
				tellRates(w.Header(), uses[:i+1])
				f := fault.Limit(u.limit.String(), "used up", quota.Rule(u.decision.Limit, u.limit), u.decision.Wait)
				f.Fix = "wait as long as Retry-After says; RateLimit says in every answer what is left"
				if u.decision.Limit == 0 {
					f.Fix = "the operator has cut it off; the reason stands in GET /api/v1/limits/overrides"
				}
				writeProblem(w, a.problem(r.Context(), f))
				return
			}
		}
		tellRates(w.Header(), uses)
		next.ServeHTTP(w, r)
	})
}

type rated struct {
	of       quota.Subject
	limit    quota.Limit
	decision quota.Decision
}

// tellRates writes RateLimit-Policy (q: quota, w: window, s) and RateLimit (r: remaining, t: s until the window ends).
func tellRates(h http.Header, uses []rated) {
	var policy, state strings.Builder
	for i, u := range uses {
		if i > 0 {
			policy.WriteString(", ")
			state.WriteString(", ")
		}
		name := strconv.Quote(u.limit.String())
		policy.WriteString(name + ";q=" + strconv.FormatInt(u.decision.Limit, 10) + ";w=" + strconv.Itoa(int(u.limit.Spec().Window.Seconds())))
		state.WriteString(name + ";r=" + strconv.FormatInt(u.decision.Remaining, 10) + ";t=" + strconv.Itoa(int(math.Ceil(u.decision.Reset.Seconds()))))
	}
	h.Set("RateLimit-Policy", policy.String())
	h.Set("RateLimit", state.String())
}

type limitSpecView struct {
	Name          string            `json:"name" example:"messages_per_second"`
	Titles        map[string]string `json:"titles" doc:"By language."`
	Unit          string            `json:"unit" example:"messages"`
	Of            string            `json:"of" enum:"organisation,product,device,token,user" doc:"What it is counted for."`
	Kind          string            `json:"kind" enum:"stock,rate,held" doc:"What is there; what happens within a window; what one connection holds at a time."`
	WindowSeconds int               `json:"window_seconds,omitempty" doc:"Of a rate."`
	Default       int64             `json:"default"`
	Max           int64             `json:"max" doc:"The most an override may give."`
}

func limitOf(l *quota.Limit) limitSpecView {
	s := l.Spec()
	v := limitSpecView{s.Name, s.Title, s.Unit, s.Of, "rate", int(s.Window.Seconds()), s.Default, s.Max}
	switch {
	case l.Held():
		v.Kind = "held"
	case l.Stock():
		v.Kind = "stock"
	}
	return v
}

type useView struct {
	Limit        string `json:"limit" example:"products"`
	Value        int64  `json:"value" doc:"In force now."`
	Used         int64  `json:"used"`
	Percent      int64  `json:"percent"`
	Override     string `json:"override,omitempty" doc:"Id of the override that gives the value; absent: the default."`
	ResetSeconds int    `json:"reset_seconds,omitempty" doc:"Until the window is over."`
}

func useOf(u *quota.Use) useView {
	return useView{u.Limit.String(), u.Value, u.Used, u.Percent(), u.Override, int(math.Ceil(u.Reset.Seconds()))}
}

// usesOf is a page of what is used of each limit there is.
func usesOf(in *PageInput) func([]quota.Use, error) (page[useView], error) {
	return func(us []quota.Use, err error) (page[useView], error) {
		if err != nil {
			return page[useView]{}, err
		}
		return pageWithin(us, in, func(u *quota.Use) string { return u.Limit.String() }, useOf)
	}
}

type organisationLimitsInput struct {
	PageInput
	Organisation string `path:"organisation" maxLength:"64"`
}

type productLimitsInput struct {
	PageInput
	Product string `path:"product" maxLength:"64"`
}

type deviceLimitsInput struct {
	PageInput
	Device string `path:"device" maxLength:"64"`
}

type subjectView struct {
	Kind string `json:"kind" example:"product"`
	ID   string `json:"id,omitempty"`
}

type limitOverrideView struct {
	ID           string        `json:"id"`
	Subject      subjectView   `json:"subject"`
	Organisation string        `json:"organisation,omitempty"`
	Limit        string        `json:"limit"`
	Purpose      quota.Purpose `json:"purpose" enum:"set,throttle,cut_off,adjust"`
	Value        int64         `json:"value"`
	Reason       string        `json:"reason"`
	From         moment        `json:"from"`
	Until        moment        `json:"until,omitzero"`
	CreatedAt    moment        `json:"created_at"`
	Answer       string        `json:"answer,omitempty" doc:"What the organisation says of being asked to use less."`
	AnsweredAt   moment        `json:"answered_at,omitzero"`
	LiftedAt     moment        `json:"lifted_at,omitzero"`
}

func limitOverrideOf(o *quota.Override) limitOverrideView {
	return limitOverrideView{
		o.ID,
		subjectView{o.Subject.Kind, o.Subject.ID},
		o.Organisation, o.Limit.String(), o.Purpose, o.Value, o.Reason, moment(o.From), moment(o.Until),
		moment(o.Created), o.Answer, moment(o.Answered), moment(o.Lifted),
	}
}

type limitNoticeView struct {
	ID      string      `json:"id"`
	Subject subjectView `json:"subject"`
	Limit   string      `json:"limit"`
	Kind    string      `json:"kind" enum:"near,reached,changed,adjust"`
	Percent int64       `json:"percent,omitempty"`
	Used    int64       `json:"used,omitempty"`
	Value   int64       `json:"value"`
	Note    string      `json:"note,omitempty"`
	At      moment      `json:"at"`
}

func limitNoticeOf(n *quota.Notice) limitNoticeView {
	return limitNoticeView{n.ID, subjectView{n.Subject.Kind, n.Subject.ID}, n.Limit.String(), n.Kind, n.Percent, n.Used, n.Value, n.Note, moment(n.At)}
}

type limitOverridesInput struct {
	PageInput
	Organisation string `query:"organisation" maxLength:"64" doc:"For the operator: only those of this one."`
}

type newLimitOverrideInput struct {
	Body struct {
		Subject subjectBody   `json:"subject"`
		Limit   string        `json:"limit" maxLength:"64" example:"device_messages_per_second"`
		Purpose quota.Purpose `json:"purpose" enum:"set,throttle,cut_off,adjust" doc:"adjust asks to use less by from; then the limit falls by itself."`
		Value   int64         `json:"value" minimum:"0"`
		Reason  string        `json:"reason" maxLength:"4000" doc:"The organisation reads it."`
		From    time.Time     `json:"from,omitzero" doc:"Now if not given."`
		Until   time.Time     `json:"until,omitzero"`
	}
}

type subjectBody struct {
	Kind string `json:"kind" enum:"platform,organisation,product,device" doc:"An override of an organisation holds for its products and devices too, one of the platform for all."`
	ID   string `json:"id,omitempty" maxLength:"64"`
}

type limitOverrideInput struct {
	Override string `path:"limit_override" maxLength:"64"`
	Reason   string `query:"reason" maxLength:"1000" doc:"Why it is lifted."`
}

type limitAnswerInput struct {
	Override string `path:"limit_override" maxLength:"64"`
	Body     struct {
		Answer string `json:"answer" maxLength:"4000" doc:"What is done about it, and by when."`
	}
}

type recountView struct {
	Limit     string `json:"limit"`
	Was       int64  `json:"was"`
	Is        int64  `json:"is"`
	Corrected bool   `json:"corrected"`
}

var ofLimitOverride = owner{"limit_override", "override", func(ctx context.Context, a *API, id string) (string, error) { return a.Quota.Owner(ctx, id) }}

func (a *API) limitRoutes() {
	list(a, "/api/v1/limits", access.ReadQuota, ofNobody, "Every limit there is: a catalogue of the program", func(_ context.Context, _ access.Actor, in *PageInput) (page[limitSpecView], error) {
		return pageWithin(quota.Limits(), in, func(l *quota.Limit) string { return l.String() }, limitOf)
	})
	list(a, "/api/v1/organisations/{organisation}/limits", access.ReadQuota, ofOrganisation, "What an organisation may use, and uses", func(ctx context.Context, who access.Actor, in *organisationLimitsInput) (page[useView], error) {
		return usesOf(&in.PageInput)(a.Quota.Usage(ctx, who, quota.Organisation(in.Organisation)))
	})
	list(a, "/api/v1/products/{product}/limits", access.ReadQuota, ofProduct, "What a product may use, and uses", func(ctx context.Context, who access.Actor, in *productLimitsInput) (page[useView], error) {
		organisation, err := a.Products.Owner(ctx, in.Product)
		if err != nil {
			return page[useView]{}, err
		}
		return usesOf(&in.PageInput)(a.Quota.Usage(ctx, who, quota.Product(in.Product, organisation)))
	})
	list(a, "/api/v1/devices/{device}/limits", access.ReadQuota, ofDevice, "What a device may use, and uses", func(ctx context.Context, who access.Actor, in *deviceLimitsInput) (page[useView], error) {
		of, err := a.limitSubject(ctx, quota.KindDevice, in.Device)
		if err != nil {
			return page[useView]{}, err
		}
		return usesOf(&in.PageInput)(a.Quota.Usage(ctx, who, of))
	})
	list(a, "/api/v1/limits/overrides", access.ReadQuota, ofCaller, "Limits that are others than the default, newest first", func(ctx context.Context, who access.Actor, in *limitOverridesInput) (page[limitOverrideView], error) {
		ask := quota.Ask{Organisation: in.Organisation}
		ask.Cursor, ask.Limit = in.Cursor, in.Limit
		p, err := a.Quota.Overrides(ctx, who, ask)
		return pageFrom(p, limitOverrideOf), err
	})
	create(a, "/api/v1/limits/overrides", access.ManageQuota, ofPlatform, "Set, throttle, cut off, or ask to use less by a date", func(ctx context.Context, who access.Actor, in *newLimitOverrideInput) (limitOverrideView, error) {
		l, err := quota.ParseLimit(in.Body.Limit)
		if err != nil {
			return limitOverrideView{}, err
		}
		of, err := a.limitSubject(ctx, in.Body.Subject.Kind, in.Body.Subject.ID)
		if err != nil {
			return limitOverrideView{}, err
		}
		o, err := a.Quota.Override(ctx, who, quota.NewOverride{
			Subject: of, Limit: l, Purpose: in.Body.Purpose, Value: in.Body.Value, Reason: in.Body.Reason, From: in.Body.From, Until: in.Body.Until,
		})
		return limitOverrideOf(&o), err
	})
	route(a, "PUT", "/api/v1/limits/overrides/{limit_override}/answer", access.WriteOrganisation, ofLimitOverride, "Answer being asked to use less", func(ctx context.Context, who access.Actor, in *limitAnswerInput) (limitOverrideView, error) {
		o, err := a.Quota.Answer(ctx, who, in.Override, in.Body.Answer)
		return limitOverrideOf(&o), err
	})
	route(a, "DELETE", "/api/v1/limits/overrides/{limit_override}", access.ManageQuota, ofLimitOverride, "Lift an override", func(ctx context.Context, who access.Actor, in *limitOverrideInput) (limitOverrideView, error) {
		o, err := a.Quota.Lift(ctx, who, in.Override, in.Reason)
		return limitOverrideOf(&o), err
	})
	list(a, "/api/v1/limits/notices", access.ReadQuota, ofCaller, "What the organisation was told about its limits, newest first", func(ctx context.Context, who access.Actor, in *PageInput) (page[limitNoticeView], error) {
		ask := (&ListInput{PageInput: *in}).ask(nil)
		p, err := a.Quota.Notices(ctx, who, ask)
		return pageFrom(p, limitNoticeOf), err
	})
	route(a, "POST", "/api/v1/organisations/{organisation}/limits/recount", access.ManageQuota, ofOrganisation, "Hold the counted stocks against the rows they stand for", func(ctx context.Context, who access.Actor, in *organisationInput) (page[recountView], error) {
		rs, err := a.Quota.Recount(ctx, who, quota.Organisation(in.Organisation))
		return pageTo(rs, "", func(r *quota.Recounted) recountView { return recountView{r.Limit.String(), r.Was, r.Is, r.Corrected} }), err
	})
}

// limitSubject finds what a subject belongs to.
func (a *API) limitSubject(ctx context.Context, kind, id string) (of quota.Subject, err error) {
	of = quota.Subject{Kind: kind, ID: id}
	switch kind {
	case quota.KindOrganisation:
		o, err := a.Accounts.Organisation(ctx, access.System("limits", ""), id)
		return quota.Organisation(o.ID), err
	case quota.KindProduct:
		of.Organisation, err = a.Products.Owner(ctx, id)
		of.Product = id
	case quota.KindDevice:
		if of.Organisation, err = a.Devices.Owner(ctx, id); err != nil {
			return of, err
		}
		d, err := a.Devices.Load(ctx, access.System("limits", of.Organisation), id)
		of.Product = d.Product
		return of, err
	}
	return of, err
}
