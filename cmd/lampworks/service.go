package main

import (
	"context"
	"net/url"
)

type serviceCommand struct {
	List  serviceListCommand  `cmd:"" help:"List the services (服务): which are open to one's organisation, and why not."`
	Plans servicePlansCommand `cmd:"" help:"List the plans (套餐) that services are offered for."`
	Apply serviceApplyCommand `cmd:"" help:"Apply for a service."`
	Off   serviceOffCommand   `cmd:"" help:"Switch a service off for everybody; operators only."`
	On    serviceOnCommand    `cmd:"" help:"Switch a service on for everybody; operators only."`
}

type serviceListCommand struct {
	client
	Organisation string `help:"Id of an organisation; operators only." placeholder:"ID"`
}

func (c *serviceListCommand) Run(ctx context.Context) error {
	path := "/api/v1/services"
	if c.Organisation != "" {
		path += "?organisation=" + url.QueryEscape(c.Organisation)
	}
	return talk(ctx, &c.client, "GET", path, nil)
}

type servicePlansCommand struct{ client }

func (c *servicePlansCommand) Run(ctx context.Context) error {
	return talk(ctx, &c.client, "GET", "/api/v1/plans", nil)
}

type serviceApplyCommand struct {
	client
	Service string `arg:"" help:"Name of the service, as ota."`
	Purpose string `help:"What it is wanted for." required:""`
	Plan    string `help:"Id of a plan, where the service is paid." placeholder:"ID"`
}

func (c *serviceApplyCommand) Run(ctx context.Context) error {
	return talk(ctx, &c.client, "POST", "/api/v1/service-applications", given(map[string]any{"service": c.Service, "purpose": c.Purpose, "plan": c.Plan}))
}

type serviceOffCommand struct {
	client
	Service      string `arg:"" help:"Name of the service."`
	Reason       string `help:"Why." required:""`
	Announcement string `help:"Id of the announcement whose date it is." placeholder:"ID"`
	Emergency    bool   `help:"At once, without announcement."`
}

func (c *serviceOffCommand) Run(ctx context.Context) error {
	return talk(ctx, &c.client, "POST", "/api/v1/service-switches", given(map[string]any{
		"service": c.Service, "on": false, "reason": c.Reason, "announcement": c.Announcement, "emergency": c.Emergency,
	}))
}

type serviceOnCommand struct {
	client
	Service string `arg:"" help:"Name of the service."`
	Reason  string `help:"Why." required:""`
}

func (c *serviceOnCommand) Run(ctx context.Context) error {
	return talk(ctx, &c.client, "POST", "/api/v1/service-switches", map[string]any{"service": c.Service, "on": true, "reason": c.Reason})
}

// given leaves out the texts that were not given.
func given(in map[string]any) map[string]any {
	for name, v := range in {
		if v == "" {
			delete(in, name)
		}
	}
	return in
}
