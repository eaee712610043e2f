package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"lampworks/internal/infra/access"
	"lampworks/internal/partner/issuance"
)

type orderView struct {
	ID           string           `json:"id"`
	Product      string           `json:"product"`
	Quantity     int              `json:"quantity"`
	Issued       int              `json:"issued" doc:"Triples registered so far; none is usable before the state is issued."`
	Purpose      issuance.Purpose `json:"purpose" enum:"debug,mass"`
	Note         string           `json:"note,omitempty"`
	State        issuance.State   `json:"state" enum:"requested,issuing,issued,failed,cancelled"`
	Reason       string           `json:"reason,omitempty" doc:"Why it failed or was cancelled."`
	Generation   uint32           `json:"generation" doc:"Of the secrets."`
	Job          string           `json:"job,omitempty" doc:"Id of the job that issues it."`
	RequestedBy  string           `json:"requested_by"`
	CreatedAt    moment           `json:"created_at"`
	EndedAt      moment           `json:"ended_at,omitzero"`
	DownloadedAt moment           `json:"downloaded_at,omitzero" doc:"The workbook was written to its end; it is not given again."`
	Open         []issuance.Act   `json:"open" nullable:"false" doc:"What who asks may do with it now."`
}

func orderOf(who access.Actor) func(*issuance.Order) orderView {
	return func(o *issuance.Order) orderView {
		return orderView{
			o.ID, o.Product, o.Quantity, o.Done, o.Purpose, o.Note, o.State, o.Reason, o.Generation, o.Job, o.RequestedBy,
			moment(o.CreatedAt), moment(o.EndedAt), moment(o.DownloadedAt), append([]issuance.Act{}, o.Open(who)...),
		}
	}
}

type newOrderInput struct {
	Product string `path:"product" maxLength:"64"`
	Body    struct {
		Quantity int              `json:"quantity" minimum:"1" maximum:"1000000"`
		Purpose  issuance.Purpose `json:"purpose" enum:"debug,mass"`
		Note     string           `json:"note,omitempty" maxLength:"500" doc:"For the reviewer."`
	}
}

type ordersInput struct {
	PageInput
	Product string `query:"product" maxLength:"64"`
	State   string `query:"state" enum:"requested,issuing,issued,failed,cancelled"`
}

type orderInput struct {
	Order string `path:"order" maxLength:"64"`
}

type cancelOrderInput struct {
	Order string `path:"order" maxLength:"64"`
	Note  string `query:"note" maxLength:"500" doc:"Why."`
}

type poolView struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Default   bool   `json:"default" doc:"Made by the program, of locally administered addresses; used only while there is no other."`
	First     string `json:"first" doc:"MAC; both ends belong to it."`
	Last      string `json:"last"`
	Left      int    `json:"left" doc:"Addresses that no order has."`
	CreatedAt moment `json:"created_at"`
}

func poolOf(p *issuance.Pool) poolView {
	return poolView{p.ID, p.Name, p.Default, p.First.String(), p.Last.String(), p.Left, moment(p.CreatedAt)}
}

type newPoolInput struct {
	Body struct {
		Name   string `json:"name" maxLength:"100"`
		Prefix string `json:"prefix" maxLength:"32" doc:"The first 6 to 11 hexadecimal digits of all its addresses, with or without : or -." example:"AC:DE:48"`
	}
}

func (a *API) orderRoutes() {
	create(a, "/api/v1/products/{product}/orders", access.IssueTriples, ofProduct, "Apply for triples (三元组) of a product", func(ctx context.Context, who access.Actor, in *newOrderInput) (orderView, error) {
		o, err := a.Orders.Request(ctx, who, issuance.NewOrder{Product: in.Product, Quantity: in.Body.Quantity, Purpose: in.Body.Purpose, Note: in.Body.Note})
		return orderOf(who)(&o), err
	})
	list(a, "/api/v1/orders", access.ReadOrder, ofCaller, "Orders, newest first", func(ctx context.Context, who access.Actor, in *ordersInput) (page[orderView], error) {
		os, more, err := a.Orders.List(ctx, who, issuance.Filter{Product: in.Product, State: issuance.State(in.State), After: in.Cursor, Limit: in.Limit})
		return pageOf(os, more, func(o *issuance.Order) string { return o.ID }, orderOf(who)), err
	})
	route(a, "GET", "/api/v1/orders/{order}", access.ReadOrder, ofOrder, "An order", func(ctx context.Context, who access.Actor, in *orderInput) (orderView, error) {
		o, err := a.Orders.Load(ctx, who, in.Order)
		return orderOf(who)(&o), err
	})
	route(a, "DELETE", "/api/v1/orders/{order}", access.IssueTriples, ofOrder, "Cancel an order that is not issued yet", func(ctx context.Context, who access.Actor, in *cancelOrderInput) (orderView, error) {
		o, err := a.Orders.Cancel(ctx, who, in.Order, in.Note)
		return orderOf(who)(&o), err
	})
	op := a.operation("GET", "/api/v1/orders/{order}/workbook", access.DownloadTriples, ofOrder, "The triples of an issued order as a workbook; once")
	op.Middlewares = append(huma.Middlewares{a.onlyGet}, op.Middlewares...)
	op.Responses["200"] = &huma.Response{
		Description: "Six columns, as burning tools read them, and a cover sheet. It is given to its end once; a download that broke off may be repeated.",
		Content:     map[string]*huma.MediaType{workbookType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}
	huma.Register(a.huma, op, a.workbook)
	route(a, "GET", "/api/v1/mac-pools", access.OperatePlatform, ofPlatform, "The pools that addresses are taken from", func(ctx context.Context, who access.Actor, _ *struct{}) (page[poolView], error) {
		ps, err := a.Orders.Pools(ctx, who)
		return pageTo(ps, "", poolOf), err
	})
	create(a, "/api/v1/mac-pools", access.OperatePlatform, ofPlatform, "Add a pool of addresses", func(ctx context.Context, who access.Actor, in *newPoolInput) (poolView, error) {
		p, err := a.Orders.AddPool(ctx, who, issuance.NewPool{Name: in.Body.Name, Prefix: in.Body.Prefix})
		return poolOf(&p), err
	})
}

const workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// workbook hands the triples of an order out as they are derived. What refuses it does so before the first byte; what
// fails later breaks the connection, so that half a workbook never looks whole.
func (a *API) workbook(_ context.Context, in *orderInput) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		ctx := hc.Context()
		who, _ := access.Of(ctx)
		_, w := humago.Unwrap(hc)
		out := &download{w: w, control: http.NewResponseController(w), name: "lampworks-" + in.Order + ".xlsx"}
		_, err := a.Orders.Download(ctx, who, in.Order, out)
		switch {
		case err == nil:
			_ = out.control.SetWriteDeadline(time.Time{}) // the connection serves on
		case !out.begun:
			a.refuse(hc, err)
		default:
			a.Logger.LogAttrs(ctx, slog.LevelWarn, "workbook broke off",
				slog.String("request", callOf(ctx).id), slog.String("order", in.Order), slog.Any("error", err))
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

// patience is how long a piece of a download may take to leave.
const patience = 30 * time.Second

// download sends every piece before it takes the next: the file is never held, and when the room hears that the last one
// was written, it has left.
type download struct {
	w       http.ResponseWriter
	control *http.ResponseController
	name    string
	begun   bool
}

// Write implements io.Writer.
func (d *download) Write(p []byte) (int, error) {
	if !d.begun {
		d.begun = true
		d.w.Header().Set("Content-Type", workbookType)
		d.w.Header().Set("Content-Disposition", `attachment; filename="`+d.name+`"`)
		d.w.WriteHeader(http.StatusOK)
	}
	if err := d.control.SetWriteDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	n, err := d.w.Write(p)
	if err != nil {
		return n, err
	}
	return n, d.control.Flush()
}
