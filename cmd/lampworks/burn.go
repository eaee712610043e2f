package main

import (
	"context"
	"fmt"
	"path/filepath"
)

type burnCommand struct {
	Upload  burnUpload  `cmd:"" help:"Upload a burn log (烧录记录): CSV of product id, MAC, result, time, station."`
	List    burnList    `cmd:"" help:"List burn logs, the newest first."`
	Show    burnShow    `cmd:"" help:"Print a burn log, with what came of it."`
	Rows    burnRows    `cmd:"" help:"The rows of a burn log that were not taken, with line and rule."`
	Status  burnStatus  `cmd:"" help:"Print how far an order is burned."`
	Burns   burnBurns   `cmd:"" help:"What is known of the addresses of an order."`
	Missing burnMissing `cmd:"" help:"List addresses that no burn log has."`
}

const burnLogPath = "/api/v1/burn-logs/{}"

type burnUpload struct {
	oneOrder
	reading
	File string `arg:"" help:"CSV." type:"existingfile"`
}

func (b *burnUpload) Run(ctx context.Context) error {
	var l struct {
		ID, State                      string
		Lines, Doubled, Foreign, Wrong int
	}
	if err := b.send(ctx, "POST", query(b.path("/burn-logs"), "name", filepath.Base(b.File)), b.File, &l); err != nil {
		return err
	}
	err := b.follow(ctx, func() (string, string, error) {
		err := b.call(ctx, "GET", at(burnLogPath, l.ID), nil, &l)
		return l.State, fmt.Sprintf(say("burn log %s: %d rows", "烧录记录 %s：已读 %d 行"), l.State, l.Lines), err
	})
	if err != nil {
		return err
	}
	if err := b.do(ctx, "GET", at(burnLogPath, l.ID), nil); err != nil {
		return err
	}
	if bad := l.Doubled + l.Foreign + l.Wrong; b.Wait && (bad > 0 || l.State != "done") {
		return fmt.Errorf(say("the burn log is %s, and %d rows were not taken: lampworks burn rows %s names them", "烧录记录的状态为 %s，%d 行未被接受，详见：lampworks burn rows %s"), l.State, bad, l.ID)
	}
	return nil
}

type burnList struct {
	sorted
	Order        string `help:"Only those of this order." placeholder:"ID"`
	Organisation string `help:"Only those of this one; for the operator." placeholder:"ID"`
}

func (b *burnList) Run(ctx context.Context) error {
	return b.list(ctx, "/api/v1/burn-logs", "id state order lines burned failed doubled foreign wrong created_at name",
		"order", b.Order, "organisation", b.Organisation)
}

type burnShow struct {
	client
	Log string `arg:"" help:"Id of the burn log."`
}

func (b *burnShow) Run(ctx context.Context) error {
	return b.do(ctx, "GET", at(burnLogPath, b.Log), nil)
}

type burnRows struct {
	sorted
	Log string `arg:"" help:"Id of the burn log."`
}

func (b *burnRows) Run(ctx context.Context) error {
	return b.list(ctx, at(burnLogPath+"/rows", b.Log), "line kind got rule")
}

type burnStatus struct{ oneOrder }

func (b *burnStatus) Run(ctx context.Context) error {
	return b.do(ctx, "GET", b.path("/burn-status"), nil)
}

type burnBurns struct {
	sorted
	Order  string `arg:"" help:"Id of the order."`
	Result string `help:"burned or failed." placeholder:"RESULT"`
}

func (b *burnBurns) Run(ctx context.Context) error {
	return b.list(ctx, at(orderPath+"/burns", b.Order), "mac result at station log line", "result", b.Result)
}

type burnMissing struct {
	pages
	Order string `arg:"" help:"Id of the order."`
}

func (b *burnMissing) Run(ctx context.Context) error {
	return b.list(ctx, at(orderPath+"/unburned", b.Order), "mac")
}
