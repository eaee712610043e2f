package api

import (
	"context"
	"io"
	"strconv"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/factory"
	"lampworks/triple"
)

type burnLogView struct {
	ID           string        `json:"id"`
	Order        string        `json:"order"`
	Organisation string        `json:"organisation"`
	Name         string        `json:"name,omitempty"`
	State        factory.State `json:"state" enum:"uploading,checking,done,cancelled,failed"`
	Reason       string        `json:"reason,omitempty"`
	Lines        int           `json:"lines" doc:"Rows that were read."`
	Burned       int           `json:"burned"`
	Failed       int           `json:"failed"`
	Repeated     int           `json:"repeated" doc:"Rows that said what was known."`
	Doubled      int           `json:"doubled" doc:"Addresses that were burned before."`
	Foreign      int           `json:"foreign" doc:"Addresses that are not of the order."`
	Wrong        int           `json:"wrong" doc:"Rows that cannot be read."`
	Job          string        `json:"job,omitempty" doc:"That reads it; cancel it to stop."`
	CreatedBy    string        `json:"created_by"`
	CreatedAt    moment        `json:"created_at"`
	EndedAt      moment        `json:"ended_at,omitzero"`
}

func burnLogOf(l *factory.Log) burnLogView {
	return burnLogView{
		l.ID, l.Order, l.Organisation, l.Name, l.State, l.Reason, l.Lines, l.Burned, l.Failed, l.Repeated, l.Doubled, l.Foreign, l.Wrong,
		l.Job, l.CreatedBy, moment(l.CreatedAt), moment(l.EndedAt),
	}
}

type badRowView struct {
	Line int          `json:"line" doc:"Of the file, from 1."`
	Kind factory.Kind `json:"kind" enum:"double,foreign,wrong"`
	Got  string       `json:"got"`
	Rule string       `json:"rule"`
}

func badRowOf(say saying) func(*factory.Flaw) badRowView {
	return func(f *factory.Flaw) badRowView { return badRowView{f.Line, f.Kind, f.Got, say(f.Rule)} }
}

type burnView struct {
	MAC     string         `json:"mac"`
	Result  factory.Result `json:"result" enum:"burned,failed"`
	At      moment         `json:"at"`
	Station string         `json:"station,omitempty"`
	Log     string         `json:"log" doc:"That said so last."`
	Line    int            `json:"line"`
}

func burnOf(b *factory.Burn) burnView {
	return burnView{b.MAC.String(), b.Result, moment(b.At), b.Station, b.Log, b.Line}
}

type burnStatusView struct {
	Quantity int `json:"quantity" doc:"Triples of the order."`
	Burned   int `json:"burned"`
	Failed   int `json:"failed"`
	Missing  int `json:"missing" doc:"Nobody has said anything of."`
}

type unburnedView struct {
	MAC string `json:"mac"`
}

type newBurnLogInput struct {
	Order string `path:"order" maxLength:"64"`
	Name  string `query:"name" maxLength:"100"`
}

type burnLogsInput struct {
	ListInput
	Order        string `query:"order" maxLength:"64"`
	Organisation string `query:"organisation" maxLength:"64" doc:"For who sees all organisations."`
}

type burnLogInput struct {
	Log string `path:"log" maxLength:"64"`
}

type burnRowsInput struct {
	ListInput
	Log string `path:"log" maxLength:"64"`
}

type burnsInput struct {
	ListInput
	Order  string `path:"order" maxLength:"64"`
	Result string `query:"result" enum:"burned,failed"`
}

type unburnedInput struct {
	PageInput
	Order string `path:"order" maxLength:"64"`
}

func (a *API) factoryRoutes() {
	upload(a, "/api/v1/orders/{order}/burn-logs", access.WriteBurnLog, ofOrder, "Upload a burn log (烧录记录): CSV of product id, MAC, result, time, station, up to 1,000,000 rows", factory.MaxBytes, []string{"text/csv", "application/octet-stream"},
		func(ctx context.Context, who access.Actor, in *newBurnLogInput, body io.Reader) (burnLogView, error) {
			l, err := a.Factory.Add(ctx, who, in.Order, in.Name, body)
			return burnLogOf(&l), err
		})
	list(a, "/api/v1/burn-logs", access.ReadBurnLog, ofCaller, "Burn logs, newest first", func(ctx context.Context, who access.Actor, in *burnLogsInput) (page[burnLogView], error) {
		p, err := a.Factory.List(ctx, who, in.ask(map[string]string{"order": in.Order, "organisation": in.Organisation}))
		return pageFrom(p, burnLogOf), err
	})
	route(a, "GET", "/api/v1/burn-logs/{log}", access.ReadBurnLog, ofBurnLog, "A burn log, with what came of it", func(ctx context.Context, who access.Actor, in *burnLogInput) (burnLogView, error) {
		l, err := a.Factory.Load(ctx, who, in.Log)
		return burnLogOf(&l), err
	})
	list(a, "/api/v1/burn-logs/{log}/rows", access.ReadBurnLog, ofBurnLog, "The rows of a burn log that were not taken, with line and rule; the first 100,000", func(ctx context.Context, who access.Actor, in *burnRowsInput) (page[badRowView], error) {
		p, err := a.Factory.Flaws(ctx, who, in.Log, in.ask(nil))
		return pageFrom(p, badRowOf(spoken(ctx))), err
	})
	route(a, "GET", "/api/v1/orders/{order}/burn-status", access.ReadBurnLog, ofOrder, "How far an order is burned", func(ctx context.Context, who access.Actor, in *orderInput) (burnStatusView, error) {
		s, err := a.Factory.Status(ctx, who, in.Order)
		return burnStatusView{s.Quantity, s.Burned, s.Failed, s.Missing}, err
	})
	list(a, "/api/v1/orders/{order}/burns", access.ReadBurnLog, ofOrder, "What is known of the addresses of an order", func(ctx context.Context, who access.Actor, in *burnsInput) (page[burnView], error) {
		p, err := a.Factory.Burns(ctx, who, in.Order, in.ask(map[string]string{"result": in.Result}))
		return pageFrom(p, burnOf), err
	})
	list(a, "/api/v1/orders/{order}/unburned", access.ReadBurnLog, ofOrder, "Addresses of an order that no burn log has", a.unburned)
}

func (a *API) unburned(ctx context.Context, who access.Actor, in *unburnedInput) (page[unburnedView], error) {
	row := 0
	if in.Cursor != "" {
		n, err := strconv.Atoi(in.Cursor)
		if err != nil || n < 0 {
			return page[unburnedView]{}, fault.Invalid("cursor", in.Cursor, "the next_cursor of a list", "begin without a cursor")
		}
		row = n
	}
	limit := in.Limit
	if limit == 0 {
		limit = 100
	}
	macs, next, err := a.Factory.Missing(ctx, who, in.Order, row, limit)
	cursor := ""
	if next > 0 {
		cursor = strconv.Itoa(next)
	}
	return pageTo(macs, cursor, func(m *triple.MAC) unburnedView { return unburnedView{m.String()} }), err
}
