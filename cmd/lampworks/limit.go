package main

import (
	"context"
	"fmt"
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
	Recount   limitRecountCommand   `cmd:"" help:"Hold the counted stocks of an organisation against the rows they stand for (operator)."`
}

type limitListCommand struct{ pages }

func (l *limitListCommand) Run(ctx context.Context) error {
	return l.list(ctx, "/api/v1/limits", "name kind of default max unit window_seconds titles")
}

type limitUsageCommand struct {
	pages
	Of string `arg:"" help:"organisation:ID, product:ID or device:ID." placeholder:"KIND:ID"`
}

func (l *limitUsageCommand) Run(ctx context.Context) error {
	kind, id, err := subject(l.Of)
	if err != nil {
		return err
	}
	return l.list(ctx, at("/api/v1/{}s/{}/limits", kind, id), "limit used value percent reset_seconds override")
}

// subject reads KIND:ID.
func subject(s string) (kind, id string, err error) {
	kind, id, ok := strings.Cut(s, ":")
	if !ok && s != "platform" {
		return "", "", usageError{fmt.Errorf("%s: want KIND:ID, as product:0198f3c2-…", s)}
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
	return l.do(ctx, creates, "/api/v1/limits/overrides", body("subject", body("kind", kind, "id", id), "limit", l.Limit, "purpose", l.Purpose,
		"value", l.Value, "reason", l.Reason, "from", l.From, "until", l.Until))
}

type limitOverridesCommand struct {
	pages
	Organisation string `help:"Only those of this one." placeholder:"ID"`
}

func (l *limitOverridesCommand) Run(ctx context.Context) error {
	return l.list(ctx, "/api/v1/limits/overrides", "id limit value purpose subject.kind subject.id from until lifted_at reason", "organisation", l.Organisation)
}

type limitLiftCommand struct {
	client
	Override string `arg:"" help:"Its id."`
	Reason   string `help:"Why."`
}

func (l *limitLiftCommand) Run(ctx context.Context) error {
	return l.do(ctx, "DELETE", query(at("/api/v1/limits/overrides/{}", l.Override), "reason", l.Reason), nil)
}

type limitAnswerCommand struct {
	client
	Override string `arg:"" help:"Its id."`
	Answer   string `arg:"" help:"What is done about it, and by when."`
}

func (l *limitAnswerCommand) Run(ctx context.Context) error {
	return l.do(ctx, "PUT", at("/api/v1/limits/overrides/{}/answer", l.Override), body("answer", l.Answer))
}

type limitNoticesCommand struct{ pages }

func (l *limitNoticesCommand) Run(ctx context.Context) error {
	return l.list(ctx, "/api/v1/limits/notices", "id at kind limit used value percent subject.kind subject.id note")
}

type limitRecountCommand struct{ oneOrganisation }

func (l *limitRecountCommand) Run(ctx context.Context) error {
	return l.do(ctx, "POST", l.path("/limits/recount"), nil)
}
