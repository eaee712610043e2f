package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

type orderRegistration struct{ oneOrder }

func (o *orderRegistration) Run(ctx context.Context) error {
	return o.do(ctx, "GET", o.path("/registration-window"), nil)
}

type orderOpen struct {
	oneOrder
	Window time.Duration `help:"How long devices may register, in whole minutes, a week at most." required:"" placeholder:"DURATION" sends:"minutes" most:"168h"`
	Name   []string      `help:"A DeviceName that may; may be repeated. Default: all of the order." placeholder:"NAME"`
	Names  string        `help:"A file of such names, one a line." type:"existingfile" placeholder:"FILE"`
	Reason string        `help:"Stays on record." required:"" placeholder:"TEXT"`
}

func (o *orderOpen) Run(ctx context.Context) error {
	names := o.Name
	if o.Names != "" {
		f, err := os.Open(o.Names)
		if err != nil {
			return fmt.Errorf("reading the names: %w", err)
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			if name := strings.TrimSpace(lines.Text()); name != "" {
				names = append(names, name)
			}
		}
		if err := lines.Err(); err != nil {
			return fmt.Errorf("reading the names: %w", err)
		}
	}
	if o.Window < time.Minute || o.Window%time.Minute != 0 {
		return usageError{fmt.Errorf("--window %s: want whole minutes, as 10m", o.Window)}
	}
	return o.do(ctx, creates, o.path("/registration-window"), body("minutes", int64(o.Window/time.Minute), "names", names, "reason", o.Reason))
}

type orderClose struct{ oneOrder }

func (o *orderClose) Run(ctx context.Context) error {
	return o.do(ctx, "DELETE", o.path("/registration-window"), nil)
}

type productSecret struct {
	oneProduct
	Reason string `help:"Stays on record." required:"" placeholder:"TEXT"`
	Renew  bool   `help:"Make another, from which on no other is in force."`
}

func (p *productSecret) Run(ctx context.Context) error {
	return p.do(ctx, "POST", p.path("/secret"), body("reason", p.Reason, "renew", p.Renew))
}

type fleetReset struct {
	oneDevice
	Reason string `help:"Stays on record." required:"" placeholder:"TEXT"`
}

func (f *fleetReset) Run(ctx context.Context) error {
	return f.do(ctx, "POST", f.path("/registration-reset"), body("reason", f.Reason))
}
