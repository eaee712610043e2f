package main

import (
	"context"
	"time"
)

type laboratoryCommand struct {
	List laboratoryList `cmd:"" help:"The laboratories (实验室) that the operator appointed."`
	Show laboratoryShow `cmd:"" help:"One of them."`
	New  laboratoryNew  `cmd:"" help:"Appoint a laboratory (operator)."`
	Edit laboratoryEdit `cmd:"" help:"Change what a laboratory is appointed for (operator)."`
	End  laboratoryEnd  `cmd:"" help:"End an appointment (operator)."`
}

type laboratoryList struct{ sorted }

func (l *laboratoryList) Run(ctx context.Context) error {
	return l.list(ctx, "/api/v1/laboratories", "id state valid_from valid_until kinds categories names")
}

type oneLaboratory struct {
	client
	Laboratory string `arg:"" help:"Id of the laboratory."`
}

func (l *oneLaboratory) path() string { return at("/api/v1/laboratories/{}", l.Laboratory) }

type laboratoryShow struct{ oneLaboratory }

func (l *laboratoryShow) Run(ctx context.Context) error { return l.do(ctx, "GET", l.path(), nil) }

// appointment is what a laboratory is appointed for.
type appointment struct {
	Name     map[string]string `help:"Name in a language: zh-CN=名称; may be repeated." required:"" mapsep:"none" placeholder:"LANG=NAME"`
	Kind     []string          `help:"Of products. Default: every kind." placeholder:"KIND"`
	Category []string          `help:"Of products. Default: every category." placeholder:"NAME"`
	From     time.Time         `help:"First moment." required:"" placeholder:"TIME" sends:"valid_from"`
	Until    time.Time         `help:"End, excluded." required:"" placeholder:"TIME" sends:"valid_until"`
}

func (a *appointment) body() map[string]any {
	return body("names", a.Name, "kinds", a.Kind, "categories", a.Category, "valid_from", a.From, "valid_until", a.Until)
}

type laboratoryNew struct {
	client
	appointment
}

func (l *laboratoryNew) Run(ctx context.Context) error {
	return l.do(ctx, creates, "/api/v1/laboratories", l.body())
}

type laboratoryEdit struct {
	oneLaboratory
	held
	appointment
}

func (l *laboratoryEdit) Run(ctx context.Context) error {
	return l.edit(ctx, l.held, "PUT", l.path(), l.body())
}

type laboratoryEnd struct {
	oneLaboratory
	held
	Reason string `help:"Why." required:"" placeholder:"TEXT"`
}

func (l *laboratoryEnd) Run(ctx context.Context) error {
	return l.edit(ctx, l.held, "DELETE", query(l.path(), "reason", l.Reason), nil)
}
