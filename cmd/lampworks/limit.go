package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
)

type limitCommand struct {
	List      limitListCommand      `cmd:"" help:"Every limit there is."`
	Usage     limitUsageCommand     `cmd:"" help:"What an organisation, product or device may use, and uses."`
	Set       limitSetCommand       `cmd:"" help:"Set, throttle or cut off, or ask to use less by a date (operator)."`
	Overrides limitOverridesCommand `cmd:"" help:"Limits that are others than the default."`
	Lift      limitLiftCommand      `cmd:"" help:"Lift an override (operator)."`
	Answer    limitAnswerCommand    `cmd:"" help:"Answer being asked to use less."`
	Notices   limitNoticesCommand   `cmd:"" help:"What the organisation was told about its limits."`
}

// look prints what a GET answers, indented.
func (c *client) look(ctx context.Context, path string) error {
	return c.do(ctx, "GET", path, nil)
}

// do calls the API and prints what it answers, indented.
func (c *client) do(ctx context.Context, method, path string, in any) error {
	var raw json.RawMessage
	if err := c.call(ctx, method, path, in, &raw); err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return fmt.Errorf("printing the answer of %s: %w", path, err)
	}
	out.WriteByte('\n')
	_, err := out.WriteTo(os.Stdout)
	return err
}

// having is a query of the parameters that are not empty.
func having(pairs ...string) string {
	q := make(url.Values)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// body is a JSON object of the members that are not empty.
func body(pairs ...any) map[string]any {
	m := make(map[string]any)
	for i := 0; i+1 < len(pairs); i += 2 {
		if v, text := pairs[i+1].(string); !text || v != "" {
			m[pairs[i].(string)] = pairs[i+1]
		}
	}
	return m
}

type limitListCommand struct{ client }

func (l *limitListCommand) Run(ctx context.Context) error { return l.look(ctx, "/api/v1/limits") }

type limitUsageCommand struct {
	client
	Of string `arg:"" help:"organisation:ID, product:ID or device:ID." placeholder:"KIND:ID"`
}

func (l *limitUsageCommand) Run(ctx context.Context) error {
	kind, id, err := subject(l.Of)
	if err != nil {
		return err
	}
	return l.look(ctx, "/api/v1/"+kind+"s/"+url.PathEscape(id)+"/limits")
}

// subject reads KIND:ID.
func subject(s string) (kind, id string, err error) {
	kind, id, ok := strings.Cut(s, ":")
	if !ok && s != "platform" {
		return "", "", fmt.Errorf("%s: want KIND:ID, as product:0198f3c2-…", s)
	}
	return kind, id, nil
}

type limitSetCommand struct {
	client
	Limit   string `arg:"" help:"Name of the limit, as device_messages_per_second."`
	For     string `arg:"" help:"organisation:ID, product:ID, device:ID or platform."`
	Value   int64  `arg:"" help:"The new value; 0 cuts off."`
	Reason  string `help:"The organisation reads it." required:""`
	Purpose string `help:"set, throttle, cut_off or adjust (ask to use less by --from)." enum:"set,throttle,cut_off,adjust" default:"set"`
	From    string `help:"RFC 3339. Default: now." placeholder:"TIME"`
	Until   string `help:"RFC 3339. Default: no end." placeholder:"TIME"`
}

func (l *limitSetCommand) Run(ctx context.Context) error {
	kind, id, err := subject(l.For)
	if err != nil {
		return err
	}
	return l.do(ctx, "POST", "/api/v1/limits/overrides", body("subject", body("kind", kind, "id", id), "limit", l.Limit, "purpose", l.Purpose,
		"value", l.Value, "reason", l.Reason, "from", l.From, "until", l.Until))
}

type limitOverridesCommand struct {
	client
	Organisation string `help:"Only those of this one." placeholder:"ID"`
}

func (l *limitOverridesCommand) Run(ctx context.Context) error {
	return l.look(ctx, "/api/v1/limits/overrides"+having("organisation", l.Organisation))
}

type limitLiftCommand struct {
	client
	Override string `arg:"" help:"Its id."`
	Reason   string `help:"Why."`
}

func (l *limitLiftCommand) Run(ctx context.Context) error {
	return l.do(ctx, "DELETE", "/api/v1/limits/overrides/"+url.PathEscape(l.Override)+having("reason", l.Reason), nil)
}

type limitAnswerCommand struct {
	client
	Override string `arg:"" help:"Its id."`
	Answer   string `arg:"" help:"What is done about it, and by when."`
}

func (l *limitAnswerCommand) Run(ctx context.Context) error {
	return l.do(ctx, "PUT", "/api/v1/limits/overrides/"+url.PathEscape(l.Override)+"/answer", body("answer", l.Answer))
}

type limitNoticesCommand struct{ client }

func (l *limitNoticesCommand) Run(ctx context.Context) error {
	return l.look(ctx, "/api/v1/limits/notices")
}
