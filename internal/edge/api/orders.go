package api

import (
	"context"
	"strconv"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/partner/issuance"
)

type orderView struct {
	ID           string           `json:"id"`
	Organisation string           `json:"organisation"`
	Product      string           `json:"product"`
	Quantity     int              `json:"quantity"`
	Issued       int              `json:"issued" doc:"Triples registered so far; none is usable before the state is issued."`
	Purpose      issuance.Purpose `json:"purpose" enum:"debug,mass"`
	Note         string           `json:"note,omitempty"`
	Factory      *factoryView     `json:"factory,omitempty" doc:"That burns the triples."`
	PlannedAt    moment           `json:"planned_at,omitzero" doc:"When the factory means to begin."`
	MACList      string           `json:"mac_list,omitempty" doc:"The maker's list that the addresses are of; absent: the platform's pools."`
	State        issuance.State   `json:"state" enum:"requested,issuing,issued,failed,rejected,withdrawn,cancelled"`
	Reason       string           `json:"reason,omitempty" doc:"Why it ended other than as issued."`
	Generation   uint32           `json:"generation" doc:"The newest of the secrets."`
	Job          string           `json:"job,omitempty" doc:"Id of the job that issues it."`
	RequestedBy  string           `json:"requested_by"`
	CreatedAt    moment           `json:"created_at"`
	DecidedBy    string           `json:"decided_by,omitempty" doc:"The reviewer; absent: nobody has decided, or nobody had to."`
	DecidedAt    moment           `json:"decided_at,omitzero"`
	EndedAt      moment           `json:"ended_at,omitzero"`
	DownloadedAt moment           `json:"downloaded_at,omitzero" doc:"A workbook was first taken to its end."`
	Open         []issuance.Act   `json:"open" nullable:"false" doc:"What who asks may do with it now."`
}

type factoryView struct {
	Name    string `json:"name" maxLength:"200" example:"Spark Lighting, plant 2"`
	Address string `json:"address,omitempty" maxLength:"200" example:"88 Keji Road, Hangzhou"`
	Contact string `json:"contact,omitempty" maxLength:"200" example:"line office, extension 12"`
}

func orderOf(who access.Actor) func(*issuance.Order) orderView {
	return func(o *issuance.Order) orderView {
		v := orderView{
			ID: o.ID, Organisation: o.Organisation, Product: o.Product, Quantity: o.Quantity, Issued: o.Done, Purpose: o.Purpose, Note: o.Note,
			PlannedAt: moment(o.PlannedAt), MACList: o.List, State: o.State, Reason: o.Reason, Generation: o.Generation, Job: o.Job,
			RequestedBy: o.RequestedBy, CreatedAt: moment(o.CreatedAt), DecidedBy: o.DecidedBy, DecidedAt: moment(o.DecidedAt),
			EndedAt: moment(o.EndedAt), DownloadedAt: moment(o.DownloadedAt), Open: append([]issuance.Act{}, o.Open(who)...),
		}
		if o.Factory != (issuance.Factory{}) {
			v.Factory = &factoryView{o.Factory.Name, o.Factory.Address, o.Factory.Contact}
		}
		return v
	}
}

type newOrderInput struct {
	Product string `path:"product" maxLength:"64"`
	Body    struct {
		Quantity  int              `json:"quantity" minimum:"1" maximum:"1000000" example:"5000"`
		Purpose   issuance.Purpose `json:"purpose" enum:"debug,mass" doc:"debug: at once, up to the limit of the product; mass: a reviewer decides."`
		Note      string           `json:"note,omitempty" maxLength:"500" doc:"For the reviewer." example:"the first run of the desk lamp"`
		Factory   *factoryView     `json:"factory,omitempty" doc:"That burns the triples; needed for mass."`
		PlannedAt time.Time        `json:"planned_at,omitzero" doc:"When the factory means to begin."`
		MACList   string           `json:"mac_list,omitempty" maxLength:"64" doc:"Take the addresses from this list of the organisation, not from the platform's pools."`
	}
}

func (in *newOrderInput) order() issuance.NewOrder {
	b := &in.Body
	n := issuance.NewOrder{Product: in.Product, Quantity: b.Quantity, Purpose: b.Purpose, Note: b.Note, PlannedAt: b.PlannedAt, List: b.MACList}
	if b.Factory != nil {
		n.Factory = issuance.Factory{Name: b.Factory.Name, Address: b.Factory.Address, Contact: b.Factory.Contact}
	}
	return n
}

type ordersInput struct {
	ListInput
	Product      string `query:"product" maxLength:"64"`
	State        string `query:"state" enum:"requested,issuing,issued,failed,rejected,withdrawn,cancelled"`
	Purpose      string `query:"purpose" enum:"debug,mass"`
	Organisation string `query:"organisation" maxLength:"64" doc:"For who sees all organisations."`
}

type orderInput struct {
	Order string `path:"order" maxLength:"64"`
}

type cancelOrderInput struct {
	Order string `path:"order" maxLength:"64"`
	Note  string `query:"note" maxLength:"500" doc:"Why."`
}

type decisionInput struct {
	Order string `path:"order" maxLength:"64"`
	Body  struct {
		Act    issuance.Act `json:"act" enum:"approve,reject"`
		Reason string       `json:"reason,omitempty" maxLength:"500" doc:"Needed to reject; the maker reads it." example:"the factory is not known to us"`
	}
}

type reasonBody struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Stays on record." example:"a workbook was lost at the factory"`
}

type revokeOrderInput struct {
	Order string `path:"order" maxLength:"64"`
	Body  reasonBody
}

type lostView struct {
	Order      string `json:"order"`
	Generation uint32 `json:"generation" doc:"The newest that was handed out."`
	Known      uint32 `json:"known" doc:"The newest that the data know; 0: they do not know the order."`
}

func lostOf(l *issuance.Lost) lostView { return lostView{l.Order, l.Generation, l.Known} }

type limitView struct {
	Level int `json:"level" doc:"Of the organisation's verification."`
	Order int `json:"order" doc:"Triples of one order."`
	Open  int `json:"open" doc:"Triples of all orders that have not ended."`
}

func (a *API) orderRoutes() {
	create(a, "/api/v1/products/{product}/orders", access.IssueTriples, ofProduct, "Apply for triples (三元组) of a product", func(ctx context.Context, who access.Actor, in *newOrderInput) (orderView, error) {
		o, err := a.Orders.Request(ctx, who, in.order())
		return orderOf(who)(&o), err
	})
	list(a, "/api/v1/orders", access.ReadOrder, ofCaller, "Orders, newest first; a reviewer sees those of all organisations", func(ctx context.Context, who access.Actor, in *ordersInput) (page[orderView], error) {
		p, err := a.Orders.List(ctx, who, in.ask(map[string]string{"product": in.Product, "state": in.State, "purpose": in.Purpose, "organisation": in.Organisation}))
		return pageFrom(p, orderOf(who)), err
	})
	route(a, "GET", "/api/v1/orders/{order}", access.ReadOrder, ofOrder, "An order", func(ctx context.Context, who access.Actor, in *orderInput) (orderView, error) {
		o, err := a.Orders.Load(ctx, who, in.Order)
		return orderOf(who)(&o), err
	})
	route(a, "DELETE", "/api/v1/orders/{order}", access.IssueTriples, ofOrder, "Withdraw an order that nobody has decided about, or cancel one that is being issued", func(ctx context.Context, who access.Actor, in *cancelOrderInput) (orderView, error) {
		o, err := a.Orders.Cancel(ctx, who, in.Order, in.Note)
		return orderOf(who)(&o), err
	})
	route(a, "POST", "/api/v1/orders/{order}/decision", access.ReviewOrder, ofOrder, "Approve or reject an order that waits", func(ctx context.Context, who access.Actor, in *decisionInput) (orderView, error) {
		o, err := a.Orders.Decide(ctx, who, in.Order, in.Body.Act, in.Body.Reason)
		return orderOf(who)(&o), err
	})
	route(a, "POST", "/api/v1/orders/{order}/revocation", access.RevokeTriples, ofOrder, "Take every secret of an order that was handed out out of force", func(ctx context.Context, who access.Actor, in *revokeOrderInput) (nothing, error) {
		return nothing{}, a.Orders.RevokeOrder(ctx, who, in.Order, in.Body.Reason)
	})
	list(a, "/api/v1/order-limits", access.ReadOrder, ofNobody, "What a level of verification allows to order for mass production: a catalogue of the program", func(_ context.Context, _ access.Actor, in *PageInput) (page[limitView], error) {
		var all []limitView
		for level, l := range issuance.Limits() {
			all = append(all, limitView{level, l.Order, l.Open})
		}
		return pageWithin(all, in, func(l *limitView) string { return strconv.Itoa(l.Level) }, func(l *limitView) limitView { return *l })
	})
	list(a, "/api/v1/lost-orders", access.OperatePlatform, ofPlatform, "Orders that a restore of older data has lost, or set back", func(ctx context.Context, _ access.Actor, in *PageInput) (page[lostView], error) {
		ls, err := a.Orders.Missing(ctx)
		if err != nil {
			return page[lostView]{}, err
		}
		return pageWithin(ls, in, func(l *issuance.Lost) string { return l.Order }, lostOf)
	})
}
