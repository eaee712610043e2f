package main

import (
	"context"
	"fmt"
)

type factorCommand struct {
	Show    factorShow    `cmd:"" help:"Whether there is one, and how many recovery codes are left."`
	Start   factorStart   `cmd:"" help:"Begin to enrol one; its secret is printed once."`
	Confirm factorConfirm `cmd:"" help:"Put it in force by a code of it; recovery codes are printed once."`
	Codes   factorCodes   `cmd:"" help:"Replace the recovery codes; the new ones are printed once."`
	Remove  factorRemove  `cmd:"" help:"Remove it."`
}

const factorPath = "/api/v1/factor"

type factorShow struct{ client }

func (f *factorShow) Run(ctx context.Context) error { return f.do(ctx, "GET", factorPath, nil) }

type factorStart struct{ client }

func (f *factorStart) Run(ctx context.Context) error { return f.do(ctx, "POST", factorPath, nil) }

type factorConfirm struct {
	client
	Code string `arg:"" optional:"" help:"Six digits of the authenticator. Default: they are asked for, or read from standard input."`
}

func (f *factorConfirm) Run(ctx context.Context) error {
	code, err := textOf(f.Code, "code")
	if err != nil {
		return err
	}
	return f.codes(ctx, "PUT", factorPath, body("code", code))
}

type factorCodes struct{ client }

func (f *factorCodes) Run(ctx context.Context) error {
	return f.codes(ctx, "POST", factorPath+"/recovery-codes", nil)
}

// codes asks and prints the recovery codes that come, one a line.
func (c *client) codes(ctx context.Context, method, path string, in any) error {
	var out struct {
		Codes []string `json:"recovery_codes"`
	}
	if err := c.call(ctx, method, path, in, &out); err != nil {
		return err
	}
	for _, code := range out.Codes {
		fmt.Println(code)
	}
	return nil
}

type factorRemove struct{ client }

func (f *factorRemove) Run(ctx context.Context) error { return f.do(ctx, "DELETE", factorPath, nil) }
