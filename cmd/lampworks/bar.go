package main

import (
	"context"
	"time"
)

// The verbs of services that are the operator's: bars, overrides, switches.

type serviceBarsCommand struct {
	List   serviceBarsListCommand   `cmd:"" help:"List them, newest first."`
	New    serviceBarsNewCommand    `cmd:"" help:"Give a service another bar (operator)."`
	Cancel serviceBarsCancelCommand `cmd:"" help:"Take back a bar whose date has not come (operator)."`
}

type serviceBarsListCommand struct {
	sorted
	Service string `help:"Only those of this service." placeholder:"NAME"`
}

func (c *serviceBarsListCommand) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/service-bars", "id service kind level kinds qualifications agreement effective_at cancelled_at reason", "service", c.Service)
}

type serviceBarsNewCommand struct {
	client
	Service       string   `arg:"" help:"Name of the service, as voice."`
	Kind          string   `arg:"" help:"open, application, agreement or paid." enum:"open,application,agreement,paid"`
	Reason        string   `help:"Why." required:"" placeholder:"TEXT"`
	Level         int      `help:"Of verification, at least." placeholder:"N"`
	Only          []string `help:"Kinds of organisations; may be repeated. Default: all." placeholder:"KIND"`
	Qualification []string `help:"That is needed; may be repeated." placeholder:"NAME"`
	Agreement     string   `help:"Id of the agreement, of that kind." placeholder:"ID"`
	Announcement  string   `help:"Id of the announcement whose date it is." placeholder:"ID"`
	Emergency     bool     `help:"At once, without announcement."`
}

func (c *serviceBarsNewCommand) Run(ctx context.Context) error {
	in := body("service", c.Service, "kind", c.Kind, "reason", c.Reason, "kinds", c.Only, "qualifications", c.Qualification,
		"agreement", c.Agreement, "announcement", c.Announcement, "emergency", c.Emergency)
	if c.Level > 0 {
		in["level"] = c.Level
	}
	return c.do(ctx, creates, "/api/v1/service-bars", in)
}

type serviceBarsCancelCommand struct {
	client
	Bar    string `arg:"" help:"Its id."`
	Reason string `help:"Why." placeholder:"TEXT"`
}

func (c *serviceBarsCancelCommand) Run(ctx context.Context) error {
	return c.do(ctx, "DELETE", query(at("/api/v1/service-bars/{}", c.Bar), "reason", c.Reason), nil)
}

type serviceOverridesCommand struct {
	List serviceOverridesListCommand `cmd:"" help:"List them, newest first."`
	New  serviceOverridesNewCommand  `cmd:"" help:"Decide about a service for one organisation (operator)."`
	End  serviceOverridesEndCommand  `cmd:"" help:"End such a decision before its time (operator)."`
}

type serviceOverridesListCommand struct {
	sorted
	Service      string `help:"Only those of this service." placeholder:"NAME"`
	Organisation string `help:"Only those of this one." placeholder:"ID"`
}

func (c *serviceOverridesListCommand) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/service-overrides", "id service organisation allowed from until ended_at reason",
		"service", c.Service, "organisation", c.Organisation)
}

type serviceOverridesNewCommand struct {
	client
	Service      string    `arg:"" help:"Name of the service, as voice."`
	Organisation string    `arg:"" help:"Id of the organisation."`
	Decision     string    `arg:"" help:"allow or deny." enum:"allow,deny"`
	Reason       string    `help:"The organisation reads it." required:"" placeholder:"TEXT"`
	From         time.Time `help:"From when. Default: now." placeholder:"TIME"`
	Until        time.Time `help:"Until when. Default: without end." placeholder:"TIME"`
}

func (c *serviceOverridesNewCommand) Run(ctx context.Context) error {
	return c.do(ctx, creates, "/api/v1/service-overrides", body("service", c.Service, "organisation", c.Organisation, "allowed", c.Decision == "allow",
		"reason", c.Reason, "from", c.From, "until", c.Until))
}

type serviceOverridesEndCommand struct {
	client
	Override string `arg:"" help:"Its id."`
	Reason   string `help:"Why." placeholder:"TEXT"`
}

func (c *serviceOverridesEndCommand) Run(ctx context.Context) error {
	return c.do(ctx, "DELETE", query(at("/api/v1/service-overrides/{}", c.Override), "reason", c.Reason), nil)
}

type serviceSwitchesCommand struct {
	List   serviceSwitchesListCommand   `cmd:"" help:"List them, newest first."`
	Cancel serviceSwitchesCancelCommand `cmd:"" help:"Take back a switch whose date has not come (operator)."`
}

type serviceSwitchesListCommand struct {
	sorted
	Service string `help:"Only those of this service." placeholder:"NAME"`
}

func (c *serviceSwitchesListCommand) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/service-switches", "id service on emergency effective_at cancelled_at reason", "service", c.Service)
}

type serviceSwitchesCancelCommand struct {
	client
	Switch string `arg:"" help:"Its id."`
	Reason string `help:"Why." placeholder:"TEXT"`
}

func (c *serviceSwitchesCancelCommand) Run(ctx context.Context) error {
	return c.do(ctx, "DELETE", query(at("/api/v1/service-switches/{}", c.Switch), "reason", c.Reason), nil)
}

// switching is what both directions of a switch have.
type switching struct {
	client
	Service string    `arg:"" help:"Name of the service."`
	Reason  string    `help:"Why." required:"" placeholder:"TEXT"`
	At      time.Time `help:"From when. Default: now, or the date of the announcement." placeholder:"TIME"`
}

func (s *switching) turn(ctx context.Context, on bool, announcement string, emergency bool) error {
	return s.do(ctx, creates, "/api/v1/service-switches", body("service", s.Service, "on", on, "reason", s.Reason, "at", s.At,
		"announcement", announcement, "emergency", emergency))
}

type serviceOffCommand struct {
	switching
	Announcement string `help:"Id of the announcement whose date it is." placeholder:"ID"`
	Emergency    bool   `help:"At once, without announcement."`
}

func (c *serviceOffCommand) Run(ctx context.Context) error {
	return c.turn(ctx, false, c.Announcement, c.Emergency)
}

type serviceOnCommand struct{ switching }

func (c *serviceOnCommand) Run(ctx context.Context) error { return c.turn(ctx, true, "", false) }
