package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

type burnCommand struct {
	Upload  burnUpload  `cmd:"" help:"Upload a burn log (烧录记录): CSV of product id, MAC, result, time, station."`
	Status  burnStatus  `cmd:"" help:"Print how far an order is burned."`
	Missing burnMissing `cmd:"" help:"List addresses that no burn log has."`
}

type burnUpload struct {
	client
	Order string `arg:"" help:"Id of the order."`
	File  string `arg:"" help:"CSV." type:"existingfile"`
}

func (b *burnUpload) Run(ctx context.Context) error {
	f, err := os.Open(b.File)
	if err != nil {
		return fmt.Errorf("reading the burn log: %w", err)
	}
	defer f.Close()
	var l struct {
		ID, State               string
		Doubled, Foreign, Wrong int
	}
	path := "/api/v1/orders/" + url.PathEscape(b.Order) + "/burn-logs?name=" + url.QueryEscape(filepath.Base(b.File))
	if err := b.send(ctx, path, f, &l); err != nil {
		return err
	}
	for l.State == "checking" {
		if err := rest(ctx); err != nil {
			return err
		}
		if err := b.call(ctx, "GET", "/api/v1/burn-logs/"+l.ID, nil, &l); err != nil {
			return err
		}
	}
	if err := b.show(ctx, "GET", "/api/v1/burn-logs/"+l.ID, nil); err != nil {
		return err
	}
	if bad := l.Doubled + l.Foreign + l.Wrong; bad > 0 || l.State != "done" {
		return fmt.Errorf("the burn log is %s, and %d rows were not taken: GET /api/v1/burn-logs/%s/rows names them", l.State, bad, l.ID)
	}
	return nil
}

type burnStatus struct {
	client
	Order string `arg:"" help:"Id of the order."`
}

func (b *burnStatus) Run(ctx context.Context) error {
	return b.show(ctx, "GET", "/api/v1/orders/"+url.PathEscape(b.Order)+"/burn-status", nil)
}

type burnMissing struct {
	client
	Order  string `arg:"" help:"Id of the order."`
	Cursor string `help:"next_cursor of the page before." placeholder:"TEXT"`
}

func (b *burnMissing) Run(ctx context.Context) error {
	return b.show(ctx, "GET", "/api/v1/orders/"+url.PathEscape(b.Order)+"/unburned?cursor="+url.QueryEscape(b.Cursor), nil)
}
