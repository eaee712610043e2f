package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
)

type orderCommand struct {
	Request  orderRequest  `cmd:"" help:"Apply for triples (三元组) of a product."`
	List     orderList     `cmd:"" help:"List orders, the newest first."`
	Show     orderShow     `cmd:"" help:"Print an order."`
	Cancel   orderCancel   `cmd:"" help:"Withdraw or cancel an order that is not issued yet."`
	Approve  orderApprove  `cmd:"" help:"Approve an order, as a reviewer."`
	Reject   orderReject   `cmd:"" help:"Reject an order, as a reviewer."`
	Download orderDownload `cmd:"" help:"Download the triples of an issued order; goes on where a transfer broke off."`
	Revoke   orderRevoke   `cmd:"" help:"Take secrets that were handed out out of force: of an order, or of one download."`
	Lost     orderLost     `cmd:"" help:"List orders that a restore of older data has lost."`
	MACs     orderMACs     `cmd:"" name:"macs" help:"Bring addresses of one's own (CSV, text or a workbook)."`
}

// show asks and prints the answer as indented JSON.
func (c *client) show(ctx context.Context, method, path string, in any) error {
	var raw json.RawMessage
	if err := c.call(ctx, method, path, in, &raw); err != nil {
		return err
	}
	return printJSON(raw)
}

func printJSON(raw []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	fmt.Println(b.String())
	return nil
}

type orderRequest struct {
	client
	Product  string `arg:"" help:"Id of the product."`
	Quantity int    `required:"" short:"n" help:"How many, up to 1,000,000."`
	Purpose  string `help:"debug: at once, up to the product's limit; mass: a reviewer decides. Default: ${default}." enum:"debug,mass" default:"debug"`
	Factory  string `help:"Name of the factory that burns them; needed for mass." placeholder:"NAME"`
	Note     string `help:"For the reviewer." placeholder:"TEXT"`
	List     string `help:"Id of a list of one's own addresses." placeholder:"ID"`
}

func (o *orderRequest) Run(ctx context.Context) error {
	in := map[string]any{"quantity": o.Quantity, "purpose": o.Purpose}
	for name, v := range map[string]string{"note": o.Note, "mac_list": o.List} {
		if v != "" {
			in[name] = v
		}
	}
	if o.Factory != "" {
		in["factory"] = map[string]string{"name": o.Factory}
	}
	return o.show(ctx, "POST", "/api/v1/products/"+url.PathEscape(o.Product)+"/orders", in)
}

type orderList struct {
	client
	State   string `help:"requested, issuing, issued, failed, rejected, withdrawn or cancelled." placeholder:"STATE"`
	Product string `help:"Id of a product." placeholder:"ID"`
	Cursor  string `help:"next_cursor of the page before." placeholder:"TEXT"`
}

func (o *orderList) Run(ctx context.Context) error {
	q := url.Values{}
	for name, v := range map[string]string{"state": o.State, "product": o.Product, "cursor": o.Cursor} {
		if v != "" {
			q.Set(name, v)
		}
	}
	return o.show(ctx, "GET", "/api/v1/orders?"+q.Encode(), nil)
}

type orderShow struct {
	client
	Order string `arg:"" help:"Id of the order."`
}

func (o *orderShow) Run(ctx context.Context) error {
	return o.show(ctx, "GET", "/api/v1/orders/"+url.PathEscape(o.Order), nil)
}

type orderCancel struct {
	client
	Order string `arg:"" help:"Id of the order."`
	Note  string `help:"Why." placeholder:"TEXT"`
}

func (o *orderCancel) Run(ctx context.Context) error {
	return o.show(ctx, "DELETE", "/api/v1/orders/"+url.PathEscape(o.Order)+"?note="+url.QueryEscape(o.Note), nil)
}

type orderApprove struct {
	client
	Order  string `arg:"" help:"Id of the order."`
	Reason string `help:"Stays on record." placeholder:"TEXT"`
}

func (o *orderApprove) Run(ctx context.Context) error {
	return o.show(ctx, "POST", "/api/v1/orders/"+url.PathEscape(o.Order)+"/decision", map[string]string{"act": "approve", "reason": o.Reason})
}

type orderReject struct {
	client
	Order  string `arg:"" help:"Id of the order."`
	Reason string `required:"" help:"The maker reads it." placeholder:"TEXT"`
}

func (o *orderReject) Run(ctx context.Context) error {
	return o.show(ctx, "POST", "/api/v1/orders/"+url.PathEscape(o.Order)+"/decision", map[string]string{"act": "reject", "reason": o.Reason})
}

type orderRevoke struct {
	client
	Order    string `arg:"" optional:"" help:"Id of the order: every secret of it."`
	Download string `help:"Id of a download: what it handed out." placeholder:"ID"`
	Reason   string `required:"" help:"Stays on record." placeholder:"TEXT"`
}

func (o *orderRevoke) Run(ctx context.Context) error {
	path := "/api/v1/orders/" + url.PathEscape(o.Order) + "/revocation"
	switch {
	case (o.Order == "") == (o.Download == ""):
		return fmt.Errorf("name an order, or --download")
	case o.Download != "":
		path = "/api/v1/downloads/" + url.PathEscape(o.Download) + "/revocation"
	}
	return o.call(ctx, "POST", path, map[string]string{"reason": o.Reason}, nil)
}

type orderLost struct{ client }

func (o *orderLost) Run(ctx context.Context) error {
	return o.show(ctx, "GET", "/api/v1/lost-orders", nil)
}

type orderMACs struct {
	client
	File string `arg:"" help:"One address a line, or a column called mac." type:"existingfile"`
	Name string `help:"What the list is called. Default: ${default}." default:"own addresses"`
}

func (o *orderMACs) Run(ctx context.Context) error {
	f, err := os.Open(o.File)
	if err != nil {
		return fmt.Errorf("reading the list: %w", err)
	}
	defer f.Close()
	var l struct{ ID, State string }
	if err := o.send(ctx, "/api/v1/mac-lists?name="+url.QueryEscape(o.Name), f, &l); err != nil {
		return err
	}
	for l.State == "uploading" || l.State == "checking" {
		if err := rest(ctx); err != nil {
			return err
		}
		if err := o.call(ctx, "GET", "/api/v1/mac-lists/"+l.ID, nil, &l); err != nil {
			return err
		}
	}
	if err := o.show(ctx, "GET", "/api/v1/mac-lists/"+l.ID, nil); err != nil {
		return err
	}
	if l.State != "ready" {
		return fmt.Errorf("the list is %s", l.State)
	}
	return nil
}
