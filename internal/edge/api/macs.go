package api

import (
	"context"
	"io"

	"lampworks/internal/infra/access"
	"lampworks/internal/partner/issuance"
)

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

type macListView struct {
	ID           string             `json:"id"`
	Organisation string             `json:"organisation"`
	Name         string             `json:"name"`
	State        issuance.ListState `json:"state" enum:"uploading,checking,ready,refused,cancelled,failed"`
	Reason       string             `json:"reason,omitempty"`
	Total        int                `json:"total" doc:"Addresses."`
	Left         int                `json:"left" doc:"Of them, that no order has."`
	Order        string             `json:"order,omitempty" doc:"That takes from it at this moment."`
	Bad          int                `json:"bad" doc:"Rows of the file that were refused."`
	Report       []issuance.BadRow  `json:"report,omitempty" doc:"The first 1,000 of them."`
	Job          string             `json:"job,omitempty" doc:"That reads the file; cancel it to stop."`
	CreatedBy    string             `json:"created_by"`
	CreatedAt    moment             `json:"created_at"`
}

func macListOf(l *issuance.MACList) macListView {
	return macListView{
		l.ID, l.Organisation, l.Name, l.State, l.Reason, l.Total, l.Left, l.Order, l.Bad, l.Report, l.Job, l.CreatedBy, moment(l.CreatedAt),
	}
}

type newMACListInput struct {
	Name string `query:"name" required:"true" minLength:"1" maxLength:"100"`
}

type macListsInput struct {
	ListInput
	Organisation string `query:"organisation" maxLength:"64" doc:"For who sees all organisations."`
}

type macListInput struct {
	List string `path:"list" maxLength:"64"`
}

func (a *API) macRoutes() {
	list(a, "/api/v1/mac-pools", access.ManagePools, ofPlatform, "The pools that addresses are taken from, at most 1,000", func(ctx context.Context, who access.Actor, in *PageInput) (page[poolView], error) {
		ps, err := a.Orders.Pools(ctx, who)
		if err != nil {
			return page[poolView]{}, err
		}
		return pageWithin(ps, in, func(p *issuance.Pool) string { return p.ID }, poolOf)
	})
	create(a, "/api/v1/mac-pools", access.ManagePools, ofPlatform, "Add a pool of addresses", func(ctx context.Context, who access.Actor, in *newPoolInput) (poolView, error) {
		p, err := a.Orders.AddPool(ctx, who, issuance.NewPool{Name: in.Body.Name, Prefix: in.Body.Prefix})
		return poolOf(&p), err
	})
	upload(a, "/api/v1/mac-lists", access.IssueTriples, ofCaller, "Bring addresses of one's own: CSV, text or a workbook, up to 1,000,000", issuance.MaxListBytes, fileTypes(),
		func(ctx context.Context, who access.Actor, in *newMACListInput, body io.Reader) (macListView, error) {
			l, err := a.Orders.AddList(ctx, who, in.Name, body)
			return macListOf(&l), err
		})
	list(a, "/api/v1/mac-lists", access.ReadOrder, ofCaller, "Lists of addresses that makers brought, newest first", func(ctx context.Context, who access.Actor, in *macListsInput) (page[macListView], error) {
		p, err := a.Orders.Lists(ctx, who, in.ask(map[string]string{"organisation": in.Organisation}))
		return pageFrom(p, macListOf), err
	})
	route(a, "GET", "/api/v1/mac-lists/{list}", access.ReadOrder, ofMACList, "A list of addresses, with what was wrong with its file", func(ctx context.Context, who access.Actor, in *macListInput) (macListView, error) {
		l, err := a.Orders.LoadList(ctx, who, in.List)
		return macListOf(&l), err
	})
}
