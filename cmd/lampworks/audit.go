package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"lampworks/internal/infra/audit"
	"lampworks/internal/node"
)

type auditCommand struct {
	Verify auditVerify `cmd:"" help:"Check the audit in a data directory or an exported file, without a server. Exit code 1: something is wrong."`
	Export auditExport `cmd:"" help:"Write the audit of a running server as JSON lines that verify checks, or as CSV."`
	List   auditList   `cmd:"" help:"Print who did what, newest first."`
	Key    auditKey    `cmd:"" help:"Print the key that signs the audit and the anchor of its newest checkpoint."`
}

type auditVerify struct {
	Where  string `arg:"" help:"Data directory, or file of audit export." placeholder:"FILE|DATA"`
	Key    string `help:"Public key the checkpoints must be signed by. Without, the one that stands beside the audit is trusted." placeholder:"HEX"`
	Anchor string `help:"Newest checkpoint that is known: that verify or key printed earlier. With it a cut end is found." placeholder:"ANCHOR"`
}

// Run implements the verb.
func (c *auditVerify) Run(ctx context.Context) error {
	var err error
	check := node.AuditCheck{Where: c.Where}
	if c.Key != "" {
		if check.Key, err = audit.ParseKey(c.Key); err != nil {
			return err
		}
	}
	if c.Anchor != "" {
		a, err := audit.ParseAnchor(strings.TrimPrefix(c.Anchor, "anchor "))
		if err != nil {
			return err
		}
		check.Anchor = &a
	}
	report, err := check.Run(ctx)
	if err != nil {
		return fmt.Errorf("verifying %s: %w", c.Where, err)
	}
	for _, line := range report.Lines() {
		fmt.Println(line)
	}
	if c.Key == "" {
		fmt.Println(say("the key was not given: who replaced the audit and its key together is not found", "没有给出公钥：若审计与密钥一并被替换，则无从发现"))
	}
	if report.Wrong > 0 {
		return exitError(1)
	}
	fmt.Println("OK")
	return nil
}

// auditFilter is what the audit is searched by.
type auditFilter struct {
	Act          string `help:"order.issue, or all acts of a room: order. (with its dot); an operator names --organisation with it." placeholder:"ACT"`
	Object       string `help:"Id of what was acted upon." placeholder:"ID"`
	Actor        string `help:"Id of the person, token or device that acted." placeholder:"ID"`
	Organisation string `help:"For an operator: an id, or platform. Default: all." placeholder:"ID"`
	Since        string `help:"From this time on." placeholder:"TIME"`
	Until        string `help:"Before this time." placeholder:"TIME"`
}

func (f *auditFilter) pairs() []string {
	return []string{"act", f.Act, "object", f.Object, "actor", f.Actor, "organisation", f.Organisation, "since", f.Since, "until", f.Until}
}

type auditExport struct {
	client
	auditFilter
	Format string `help:"jsonl (can be verified) or csv." default:"jsonl" enum:"jsonl,csv"`
	Out    string `help:"File to write; it must not exist. Default: standard output." placeholder:"FILE"`
}

// Run implements the verb.
func (c *auditExport) Run(ctx context.Context) error {
	if c.Format == "csv" {
		return c.save(ctx, query("/api/v1/audit", append(c.pairs(), "format", "csv")...), c.Out)
	}
	return c.save(ctx, query("/api/v1/audit/export", c.pairs()...), c.Out)
}

type auditList struct {
	pages
	auditFilter
}

// Run implements the verb.
func (c *auditList) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/audit", "at actor.kind actor.id act object actor.login note", c.pairs()...)
}

type auditKey struct {
	client
}

// Run implements the verb.
func (c *auditKey) Run(ctx context.Context) error {
	var key struct {
		PublicKey string `json:"public_key"`
		Anchor    string `json:"anchor"`
	}
	if err := c.call(ctx, http.MethodGet, "/api/v1/audit/key", nil, &key); err != nil {
		return err
	}
	fmt.Println("key", key.PublicKey)
	if key.Anchor != "" {
		fmt.Println("anchor", key.Anchor)
	}
	return nil
}
