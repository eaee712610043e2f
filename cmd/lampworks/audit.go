package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

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
		fmt.Println("the key was not given: who replaced the audit and its key together is not found")
	}
	if report.Wrong > 0 {
		return exitError(1)
	}
	fmt.Println("OK")
	return nil
}

// auditFilter is what the audit is searched by.
type auditFilter struct {
	Act          string `help:"order.issue, or all acts of a room: order." placeholder:"ACT"`
	Object       string `help:"Id of what was acted upon." placeholder:"ID"`
	Actor        string `help:"Id of the person, token or device that acted." placeholder:"ID"`
	Organisation string `help:"For an operator: an id, or platform. Default: all." placeholder:"ID"`
	Since        string `help:"From this time on." placeholder:"TIME"`
	Until        string `help:"Before this time." placeholder:"TIME"`
}

func (f *auditFilter) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{
		"act": f.Act, "object": f.Object, "actor": f.Actor, "organisation": f.Organisation, "since": f.Since, "until": f.Until,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

type auditExport struct {
	client
	auditFilter
	Format string `help:"jsonl (can be verified) or csv." default:"jsonl" enum:"jsonl,csv"`
	Out    string `help:"File to write; it must not exist. Default: standard output." placeholder:"FILE"`
}

// Run implements the verb. A file that broke off is removed: half an export is none.
func (c *auditExport) Run(ctx context.Context) error {
	path := "/api/v1/audit/export?" + c.query().Encode()
	if c.Format == "csv" {
		q := c.query()
		q.Set("format", "csv")
		path = "/api/v1/audit?" + q.Encode()
	}
	if c.Out == "" {
		return c.copy(ctx, path, os.Stdout)
	}
	f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	err = c.copy(ctx, path, f)
	if err2 := f.Close(); err == nil {
		err = err2
	}
	if err != nil {
		_ = os.Remove(c.Out)
	}
	return err
}

// copy writes an answer of any length.
func (c *client) copy(ctx context.Context, path string, w io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(c.Server, "/")+path, nil)
	if err != nil {
		return fmt.Errorf("--server %s: %w", c.Server, err)
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("asking the server: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return refused(res)
	}
	if _, err := io.Copy(w, res.Body); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", path, err)
	}
	return nil
}

type auditList struct {
	client
	auditFilter
	Limit int `help:"How many entries at most." default:"50"`
}

type auditEntry struct {
	At    time.Time `json:"at"`
	Actor struct {
		Kind    string `json:"kind"`
		ID      string `json:"id"`
		Login   string `json:"login"`
		From    string `json:"from"`
		Deleted bool   `json:"deleted"`
	} `json:"actor"`
	Act    string `json:"act"`
	Object string `json:"object"`
	Note   string `json:"note"`
}

func (e *auditEntry) who() string {
	switch {
	case e.Actor.Deleted:
		return "deleted person"
	case e.Actor.Login != "":
		return e.Actor.Login
	}
	return e.Actor.Kind + " " + e.Actor.ID
}

// Run implements the verb.
func (c *auditList) Run(ctx context.Context) error {
	q := c.query()
	for left := c.Limit; left > 0; {
		q.Set("limit", fmt.Sprint(min(left, audit.MaxPage)))
		var page struct {
			Items []auditEntry `json:"items"`
			Next  string       `json:"next_cursor"`
		}
		if err := c.call(ctx, http.MethodGet, "/api/v1/audit?"+q.Encode(), nil, &page); err != nil {
			return err
		}
		for i := range page.Items {
			e := &page.Items[i]
			fmt.Printf("%s  %-20s  %-24s  %s  %q\n", e.At.Format(time.RFC3339), e.who(), e.Act, e.Object, e.Note)
		}
		if left -= len(page.Items); page.Next == "" {
			return nil
		}
		q.Set("cursor", page.Next)
	}
	return nil
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
