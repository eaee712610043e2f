package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

type orderCommand struct {
	Request      orderRequest      `cmd:"" help:"Apply for triples (三元组) of a product."`
	List         orderList         `cmd:"" help:"List orders, the newest first."`
	Show         orderShow         `cmd:"" help:"Print an order."`
	Limits       orderLimits       `cmd:"" help:"What a level of verification allows to order for mass production."`
	Cancel       orderCancel       `cmd:"" help:"Withdraw or cancel an order that is not issued yet."`
	Approve      orderApprove      `cmd:"" help:"Approve an order, as a reviewer."`
	Reject       orderReject       `cmd:"" help:"Reject an order, as a reviewer."`
	Download     orderDownload     `cmd:"" help:"Download the triples of an issued order; goes on where a transfer broke off."`
	Downloads    orderDownloads    `cmd:"" help:"List downloads, the newest first; with an id, print that one."`
	Revoke       orderRevoke       `cmd:"" help:"Take secrets that were handed out out of force: of an order, or of one download."`
	Registration orderRegistration `cmd:"" help:"The window in which devices of an order may register (动态注册)."`
	Open         orderOpen         `cmd:"" help:"Let devices of an order register for a while."`
	Close        orderClose        `cmd:"" help:"Let devices of an order register no longer."`
	Lost         orderLost         `cmd:"" help:"List orders that a restore of older data has lost."`
	MACs         orderMACs         `cmd:"" name:"macs" help:"Addresses (MAC) of one's own, and the operator's pools."`
}

const orderPath = "/api/v1/orders/{}"

// waits is whether a verb waits for the job that it starts.
type waits struct {
	Wait bool `help:"Wait until the job that it starts has ended, telling how far it is."`
}

// act calls, waits for the job of the answer if that is wanted, and prints what the object is then.
func (w *waits) act(ctx context.Context, c *client, method, path string, in any, object func(id string) string) error {
	var raw json.RawMessage
	if err := c.call(ctx, method, path, in, &raw); err != nil {
		return err
	}
	var o struct{ ID, Job string }
	if err := json.Unmarshal(raw, &o); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", path, err)
	}
	if !w.Wait || o.Job == "" {
		return printJSON(raw)
	}
	_, err := c.await(ctx, o.Job)
	return joined(err, c.do(ctx, "GET", object(o.ID), nil))
}

type orderRequest struct {
	oneProduct
	waits
	Quantity int       `required:"" short:"n" help:"How many, up to 1,000,000."`
	Purpose  string    `help:"debug: at once, up to the product's limit; mass: a reviewer decides. Default: ${default}." enum:"debug,mass" default:"debug"`
	Factory  string    `help:"Name of the factory that burns them; needed for mass." placeholder:"NAME" sends:"factory/name"`
	Address  string    `help:"Of the factory." placeholder:"TEXT" sends:"factory/address"`
	Contact  string    `help:"Of the factory." placeholder:"TEXT" sends:"factory/contact"`
	Planned  time.Time `help:"When they are to be burned." placeholder:"TIME" sends:"planned_at"`
	Note     string    `help:"For the reviewer." placeholder:"TEXT"`
	List     string    `help:"Id of a list of one's own addresses." placeholder:"ID" sends:"mac_list"`
}

func (o *orderRequest) Run(ctx context.Context) error {
	in := body("quantity", o.Quantity, "purpose", o.Purpose, "note", o.Note, "mac_list", o.List, "planned_at", o.Planned,
		"factory", body("name", o.Factory, "address", o.Address, "contact", o.Contact))
	return o.act(ctx, &o.client, creates, o.path("/orders"), in, orderAt)
}

func orderAt(id string) string { return at(orderPath, id) }

type orderList struct {
	sorted
	State        string `help:"requested, issuing, issued, failed, rejected, withdrawn or cancelled." placeholder:"STATE"`
	Product      string `help:"Id of a product." placeholder:"ID"`
	Purpose      string `help:"debug or mass." placeholder:"PURPOSE"`
	Organisation string `help:"Only those of this one; for the operator." placeholder:"ID"`
}

func (o *orderList) Run(ctx context.Context) error {
	return o.list(ctx, "/api/v1/orders", "id state purpose quantity issued generation product created_at note",
		"state", o.State, "product", o.Product, "purpose", o.Purpose, "organisation", o.Organisation)
}

// oneOrder names an order.
type oneOrder struct {
	client
	Order string `arg:"" help:"Id of the order."`
}

func (o *oneOrder) path(rest string) string { return at(orderPath, o.Order) + rest }

type orderShow struct{ oneOrder }

func (o *orderShow) Run(ctx context.Context) error { return o.do(ctx, "GET", o.path(""), nil) }

type orderLimits struct{ pages }

func (o *orderLimits) Run(ctx context.Context) error {
	return o.list(ctx, "/api/v1/order-limits", "level order open")
}

type orderCancel struct {
	oneOrder
	Reason string `help:"Why." aliases:"note" placeholder:"TEXT"`
}

func (o *orderCancel) Run(ctx context.Context) error {
	return o.do(ctx, "DELETE", query(o.path(""), "note", o.Reason), nil)
}

type orderApprove struct {
	oneOrder
	waits
	Reason string `help:"Stays on record." placeholder:"TEXT"`
}

// Run waits by looking at the order: the job that issues it is the maker's.
func (o *orderApprove) Run(ctx context.Context) error {
	var raw json.RawMessage
	if err := o.call(ctx, "POST", o.path("/decision"), body("act", "approve", "reason", o.Reason), &raw); err != nil {
		return err
	}
	if !o.Wait {
		return printJSON(raw)
	}
	raw, err := o.issued(ctx)
	if len(raw) > 0 {
		err = joined(err, printJSON(raw))
	}
	return err
}

// issued waits until an order is issued or has failed, and gives its last state.
func (o *oneOrder) issued(ctx context.Context) (json.RawMessage, error) {
	told := ""
	for pause := shortest; ; pause = min(2*pause, longest) {
		var raw json.RawMessage
		if err := o.call(ctx, "GET", o.path(""), nil, &raw); err != nil {
			return nil, err
		}
		var v struct {
			State, Reason    string
			Issued, Quantity int64
		}
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, fmt.Errorf("reading the order: %w", err)
		}
		switch v.State {
		case "requested", "issuing":
		case "failed", "cancelled":
			return raw, fmt.Errorf(say("the order is %s: %s", "订单的状态为 %s：%s"), v.State, v.Reason)
		default:
			return raw, nil
		}
		if text := fmt.Sprintf(say("order %s: %d of %d", "订单 %s：%d，共 %d"), v.State, v.Issued, v.Quantity); text != told {
			note("%s", text)
			told = text
		}
		if err := rest(ctx, pause); err != nil {
			return nil, fmt.Errorf("waiting for the order: %w", err)
		}
	}
}

type orderReject struct {
	oneOrder
	Reason string `required:"" help:"The maker reads it." placeholder:"TEXT"`
}

func (o *orderReject) Run(ctx context.Context) error {
	return o.do(ctx, "POST", o.path("/decision"), body("act", "reject", "reason", o.Reason))
}

type orderDownloads struct {
	sorted
	Download     string `arg:"" optional:"" help:"Id of a download."`
	Order        string `help:"Only those of this order." placeholder:"ID"`
	Organisation string `help:"Only those of this one; for the operator." placeholder:"ID"`
}

func (o *orderDownloads) Run(ctx context.Context) error {
	if o.Download != "" {
		return o.do(ctx, "GET", at("/api/v1/downloads/{}", o.Download), nil)
	}
	return o.list(ctx, "/api/v1/downloads", "id order generation quantity format open created_at revoked_at reason",
		"order", o.Order, "organisation", o.Organisation)
}

type orderRevoke struct {
	client
	Order    string `arg:"" optional:"" help:"Id of the order: every secret of it."`
	Download string `help:"Id of a download: what it handed out." placeholder:"ID"`
	Reason   string `required:"" help:"Stays on record." placeholder:"TEXT"`
}

func (o *orderRevoke) Run(ctx context.Context) error {
	path := at(orderPath+"/revocation", o.Order)
	switch {
	case o.Order != "" && o.Download != "":
		return usageError{errorText(say("<order> and --download: want one of them, not both", "<order> 与 --download：两者只能给出一个"))}
	case o.Order == "" && o.Download == "":
		return usageError{errorText(say("name an order, or --download", "请给出订单，或用 --download"))}
	case o.Download != "":
		path = at("/api/v1/downloads/{}/revocation", o.Download)
	}
	if err := o.call(ctx, "POST", path, body("reason", o.Reason), nil); err != nil {
		return err
	}
	what := say("order ", "订单 ") + o.Order
	if o.Download != "" {
		what = say("download ", "下载 ") + o.Download
	}
	fmt.Printf(say("revoked: the secrets of %s; sessions with them end within seconds, and the next download hands out new ones\n",
		"已撤销%s 的密钥；用它们的会话数秒内结束，下次下载发出新的密钥\n"), what)
	return nil
}

type orderLost struct{ pages }

func (o *orderLost) Run(ctx context.Context) error {
	return o.list(ctx, "/api/v1/lost-orders", "order generation known")
}
