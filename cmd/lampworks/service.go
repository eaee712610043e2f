package main

import (
	"context"
	"time"
)

type serviceCommand struct {
	List         serviceListCommand         `cmd:"" help:"List the services (服务): which are open to one's organisation, and why not."`
	Plans        servicePlansCommand        `cmd:"" help:"The plans (套餐) that services are offered for."`
	Apply        serviceApplyCommand        `cmd:"" help:"Apply for a service."`
	Applications serviceApplicationsCommand `cmd:"" help:"List applications; with an id, print that one."`
	Withdraw     serviceWithdrawCommand     `cmd:"" help:"Withdraw an application, or give up what was granted."`
	Decide       serviceDecideCommand       `cmd:"" help:"Grant, refuse or end an application (operator)."`
	Bars         serviceBarsCommand         `cmd:"" help:"Entry bars (准入门槛) of services."`
	Overrides    serviceOverridesCommand    `cmd:"" help:"Decisions of the operator for single organisations."`
	Switches     serviceSwitchesCommand     `cmd:"" help:"Switches of services."`
	Off          serviceOffCommand          `cmd:"" help:"Switch a service off for everybody; operators only."`
	On           serviceOnCommand           `cmd:"" help:"Switch a service on for everybody; operators only."`
}

type serviceListCommand struct {
	pages
	Organisation string `help:"Id of an organisation; operators only." placeholder:"ID"`
}

func (c *serviceListCommand) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/services", "name available enforced missing application.state names", "organisation", c.Organisation)
}

type servicePlansCommand struct {
	List servicePlansListCommand `cmd:"" help:"List them."`
	New  servicePlansNewCommand  `cmd:"" help:"Offer a plan (operator)."`
	End  servicePlansEndCommand  `cmd:"" help:"Offer a plan no longer; who has it keeps it (operator)."`
}

type servicePlansListCommand struct {
	sorted
	Service string `help:"Only those of this service." placeholder:"NAME"`
}

func (c *servicePlansListCommand) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/plans", "id service amount currency period retired includes names", "service", c.Service)
}

type servicePlansNewCommand struct {
	client
	Service  string            `arg:"" help:"Name of the service, as voice."`
	Amount   int64             `arg:"" help:"Price in the smallest unit: 990 is 9.90."`
	Name     map[string]string `help:"Name in a language: zh-CN=名称; may be repeated." required:"" mapsep:"none" placeholder:"LANG=NAME"`
	Currency string            `help:"Default: ${default}." default:"CNY"`
	Period   string            `help:"once, month, quarter or year. Default: ${default}." enum:"once,month,quarter,year" default:"year"`
	Includes map[string]int64  `help:"A limit it includes: products=50; may be repeated." mapsep:"none" placeholder:"LIMIT=N"`
}

func (c *servicePlansNewCommand) Run(ctx context.Context) error {
	in := body("service", c.Service, "amount", c.Amount, "names", c.Name, "currency", c.Currency, "period", c.Period)
	if len(c.Includes) > 0 {
		in["includes"] = c.Includes
	}
	return c.do(ctx, creates, "/api/v1/plans", in)
}

type servicePlansEndCommand struct {
	client
	Plan string `arg:"" help:"Id of the plan."`
}

func (c *servicePlansEndCommand) Run(ctx context.Context) error {
	return c.do(ctx, "DELETE", at("/api/v1/plans/{}", c.Plan), nil)
}

type serviceApplyCommand struct {
	client
	Service string `arg:"" help:"Name of the service, as voice."`
	Purpose string `help:"What it is wanted for." required:"" placeholder:"TEXT"`
	Plan    string `help:"Id of a plan, where the service is paid." placeholder:"ID"`
}

func (c *serviceApplyCommand) Run(ctx context.Context) error {
	return c.do(ctx, creates, "/api/v1/service-applications", body("service", c.Service, "purpose", c.Purpose, "plan", c.Plan))
}

type serviceApplicationsCommand struct {
	sorted
	Application  string `arg:"" optional:"" help:"Id of an application."`
	Service      string `help:"Only those for this service." placeholder:"NAME"`
	State        string `help:"requested, granted, refused, withdrawn or ended." placeholder:"STATE"`
	Organisation string `help:"Only those of this one; for the operator." placeholder:"ID"`
}

const applicationPath = "/api/v1/service-applications/{}"

func (c *serviceApplicationsCommand) Run(ctx context.Context) error {
	if c.Application != "" {
		return c.do(ctx, "GET", at(applicationPath, c.Application), nil)
	}
	return c.list(ctx, "/api/v1/service-applications", "id service state organisation plan created_at until purpose",
		"service", c.Service, "state", c.State, "organisation", c.Organisation)
}

type serviceWithdrawCommand struct {
	client
	Application string `arg:"" help:"Id of the application."`
	Reason      string `help:"Why." placeholder:"TEXT"`
}

func (c *serviceWithdrawCommand) Run(ctx context.Context) error {
	return c.do(ctx, "DELETE", query(at(applicationPath, c.Application), "reason", c.Reason), nil)
}

type serviceDecideCommand struct {
	client
	Application string    `arg:"" help:"Id of the application."`
	Act         string    `arg:"" help:"grant, refuse or end." enum:"grant,refuse,end"`
	Reason      string    `help:"The organisation reads it." placeholder:"TEXT"`
	Until       time.Time `help:"Of a grant: until when. Default: without end." placeholder:"TIME"`
}

func (c *serviceDecideCommand) Run(ctx context.Context) error {
	return c.do(ctx, "PUT", at(applicationPath+"/decision", c.Application), body("act", c.Act, "reason", c.Reason, "until", c.Until))
}
