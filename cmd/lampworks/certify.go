package main

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

type certifyCommand struct {
	List   certifyList   `cmd:"" help:"List certifications."`
	Apply  certifyApply  `cmd:"" help:"Apply for the certification of a product, or for its renewal."`
	Assign certifyAssign `cmd:"" help:"Assign a certification to a laboratory, or to the operator."`
	Pass   certifyPass   `cmd:"" help:"Record that a product has passed, and issue its certificate."`
	Fail   certifyFail   `cmd:"" help:"Record that a product has failed."`
	Revoke certifyRevoke `cmd:"" help:"Revoke a certificate at once."`
}

type certifyList struct {
	client  `embed:""`
	Product string `help:"Id of a product."`
	State   string `help:"open, assigned, passed, failed or withdrawn."`
	Cursor  string `help:"next_cursor of the page before."`
}

func (c *certifyList) Run(ctx context.Context) error {
	return c.ask(ctx, http.MethodGet, query("/api/v1/certifications", "product", c.Product, "state", c.State, "cursor", c.Cursor), nil)
}

type certifyApply struct {
	client   `embed:""`
	Product  string   `arg:"" help:"Id of the product."`
	Protocol []string `help:"A protocol that is tested; may be repeated." required:""`
	Feature  []string `help:"A feature that is tested; may be repeated."`
	Firmware string   `help:"Family of firmware."`
}

func (c *certifyApply) Run(ctx context.Context) error {
	covers := map[string]any{"protocols": c.Protocol, "features": c.Feature, "firmware": c.Firmware}
	if len(c.Feature) == 0 {
		delete(covers, "features")
	}
	return c.ask(ctx, http.MethodPost, "/api/v1/products/"+url.PathEscape(c.Product)+"/certifications", map[string]any{"covers": covers})
}

type certifyAssign struct {
	client     `embed:""`
	Case       string `arg:"" help:"Id of the certification."`
	Laboratory string `arg:"" optional:"" help:"Id of a laboratory; none: the operator."`
}

func (c *certifyAssign) Run(ctx context.Context) error {
	return c.ask(ctx, http.MethodPut, "/api/v1/certifications/"+url.PathEscape(c.Case)+"/laboratory", map[string]string{"laboratory": c.Laboratory})
}

type certifyPass struct {
	client     `embed:""`
	Case       string    `arg:"" help:"Id of the certification."`
	Report     string    `help:"Number of the report." required:""`
	From       time.Time `help:"First moment of the certificate." required:"" placeholder:"TIME"`
	Until      time.Time `help:"End of the certificate, excluded." required:"" placeholder:"TIME"`
	Conditions string    `help:"Conditions."`
}

func (c *certifyPass) Run(ctx context.Context) error {
	return c.ask(ctx, http.MethodPut, "/api/v1/certifications/"+url.PathEscape(c.Case)+"/result",
		map[string]any{"result": "pass", "report": c.Report, "valid_from": c.From, "valid_until": c.Until, "conditions": c.Conditions})
}

type certifyFail struct {
	client `embed:""`
	Case   string `arg:"" help:"Id of the certification."`
	Report string `help:"Number of the report." required:""`
	Note   string `help:"What failed." required:""`
}

func (c *certifyFail) Run(ctx context.Context) error {
	return c.ask(ctx, http.MethodPut, "/api/v1/certifications/"+url.PathEscape(c.Case)+"/result", map[string]any{"result": "fail", "report": c.Report, "note": c.Note})
}

type certifyRevoke struct {
	client      `embed:""`
	Certificate string `arg:"" help:"Id of the certificate."`
	Reason      string `help:"Why." required:""`
}

func (c *certifyRevoke) Run(ctx context.Context) error {
	return c.ask(ctx, http.MethodDelete, query("/api/v1/certificates/"+url.PathEscape(c.Certificate), "reason", c.Reason), nil)
}
