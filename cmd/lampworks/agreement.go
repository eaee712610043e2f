package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
)

type agreementCommand struct {
	List        agreementListCommand        `cmd:"" help:"List the agreements (协议) and the version in force of each."`
	Outstanding agreementOutstandingCommand `cmd:"" help:"Tell what has to be accepted, now and later."`
	Show        agreementShowCommand        `cmd:"" help:"Print the text of a version."`
	Accept      agreementAcceptCommand      `cmd:"" help:"Accept a version, for oneself or in the name of one's organisation."`
	Decline     agreementDeclineCommand     `cmd:"" help:"Decline a version. Export and leaving stay open."`
	Evidence    agreementEvidenceCommand    `cmd:"" help:"List what was accepted and declined."`
}

type agreementListCommand struct{ client }

func (c *agreementListCommand) Run(ctx context.Context) error {
	return talk(ctx, &c.client, "GET", "/api/v1/agreements", nil)
}

type agreementOutstandingCommand struct{ client }

func (c *agreementOutstandingCommand) Run(ctx context.Context) error {
	return talk(ctx, &c.client, "GET", "/api/v1/outstanding-agreements", nil)
}

type agreementEvidenceCommand struct{ client }

func (c *agreementEvidenceCommand) Run(ctx context.Context) error {
	return talk(ctx, &c.client, "GET", "/api/v1/acceptances?limit=500", nil)
}

// versionArgs name a version of an agreement.
type versionArgs struct {
	client
	Agreement string `arg:"" help:"Id of the agreement."`
	Version   int    `arg:"" help:"Number of the version."`
	Lang      string `help:"zh-CN or en." default:"zh-CN" enum:"zh-CN,en"`
}

type versionText struct {
	Texts map[string]struct {
		Body string `json:"body"`
		Hash string `json:"hash"`
	} `json:"texts"`
}

func (v *versionArgs) path() string { return "/api/v1/agreements/" + url.PathEscape(v.Agreement) }

func (v *versionArgs) read(ctx context.Context) (text versionText, err error) {
	return text, v.call(ctx, "GET", v.path()+"/versions/"+strconv.Itoa(v.Version), nil, &text)
}

type agreementShowCommand struct{ versionArgs }

func (c *agreementShowCommand) Run(ctx context.Context) error {
	text, err := c.read(ctx)
	if err != nil {
		return err
	}
	fmt.Println(text.Texts[c.Lang].Body)
	return nil
}

// answerArgs say something to a version whose text was read.
type answerArgs struct {
	versionArgs
	Hash    string `help:"Hash of the text that was read; without it the text is printed and its hash with it." placeholder:"SHA256"`
	Product string `help:"Id of the product that the terms are accepted for." placeholder:"ID"`
}

func (c *answerArgs) answer(ctx context.Context, what string) error {
	if c.Hash == "" {
		text, err := c.read(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("%s\n\n--hash %s\n", text.Texts[c.Lang].Body, text.Texts[c.Lang].Hash)
		return exitError(exitAsks)
	}
	in := map[string]any{"version": c.Version, "lang": c.Lang, "hash": c.Hash}
	if c.Product != "" {
		in["product"] = c.Product
	}
	return talk(ctx, &c.client, "POST", c.path()+"/"+what, in)
}

type agreementAcceptCommand struct{ answerArgs }

func (c *agreementAcceptCommand) Run(ctx context.Context) error { return c.answer(ctx, "acceptances") }

func (c *agreementAcceptCommand) Help() string {
	return "Without --hash the text is printed with its hash, and the exit code is 3; with the hash of what was read it is accepted."
}

type agreementDeclineCommand struct{ answerArgs }

func (c *agreementDeclineCommand) Run(ctx context.Context) error { return c.answer(ctx, "refusals") }

// talk sends in to a server and prints its answer.
func talk(ctx context.Context, c *client, method, path string, in any) error {
	var out json.RawMessage
	if err := c.call(ctx, method, path, in, &out); err != nil || len(out) == 0 {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, out, "", "  "); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", path, err)
	}
	fmt.Println(b.String())
	return nil
}
