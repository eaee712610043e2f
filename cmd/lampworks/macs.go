package main

import (
	"context"
	"fmt"
)

type orderMACs struct {
	Bring orderMACsBring `cmd:"" help:"Bring addresses of one's own (CSV, text or a workbook)."`
	List  orderMACsList  `cmd:"" help:"Lists of addresses that makers brought."`
	Show  orderMACsShow  `cmd:"" help:"One list, with what was wrong with its file."`
	Pools orderMACsPools `cmd:"" help:"The pools that addresses are taken from."`
	Pool  orderMACsPool  `cmd:"" help:"Add a pool of addresses (operator)."`
}

const macListPath = "/api/v1/mac-lists/{}"

type orderMACsBring struct {
	client
	reading
	File string `arg:"" help:"One address a line, or a column called mac." type:"existingfile"`
	Name string `help:"What the list is called. Default: ${default}." default:"own addresses"`
}

func (o *orderMACsBring) Run(ctx context.Context) error {
	var l struct {
		ID, State  string
		Total, Bad int
	}
	if err := o.send(ctx, "POST", query("/api/v1/mac-lists", "name", o.Name), o.File, &l); err != nil {
		return err
	}
	err := o.follow(ctx, func() (string, string, error) {
		err := o.call(ctx, "GET", at(macListPath, l.ID), nil, &l)
		return l.State, fmt.Sprintf(say("list %s: %d addresses, %d rows refused", "地址列表 %s：%d 个地址，%d 行被拒"), l.State, l.Total, l.Bad), err
	})
	if err != nil {
		return err
	}
	if err := o.do(ctx, "GET", at(macListPath, l.ID), nil); err != nil {
		return err
	}
	if o.Wait && l.State != "ready" {
		return fmt.Errorf(say("the list is %s", "地址列表的状态为 %s"), l.State)
	}
	return nil
}

type orderMACsList struct {
	sorted
	Organisation string `help:"Only those of this one; for the operator." placeholder:"ID"`
}

func (o *orderMACsList) Run(ctx context.Context) error {
	return o.list(ctx, "/api/v1/mac-lists", "id state total left bad order created_at name", "organisation", o.Organisation)
}

type orderMACsShow struct {
	client
	List string `arg:"" help:"Id of the list."`
}

func (o *orderMACsShow) Run(ctx context.Context) error {
	return o.do(ctx, "GET", at(macListPath, o.List), nil)
}

type orderMACsPools struct{ pages }

func (o *orderMACsPools) Run(ctx context.Context) error {
	return o.list(ctx, "/api/v1/mac-pools", "id default first last left created_at name")
}

type orderMACsPool struct {
	client
	Name   string `arg:"" help:"What it is called."`
	Prefix string `arg:"" help:"The first 6 to 11 hexadecimal digits of all its addresses, as AC:DE:48."`
}

func (o *orderMACsPool) Run(ctx context.Context) error {
	return o.do(ctx, creates, "/api/v1/mac-pools", body("name", o.Name, "prefix", o.Prefix))
}
