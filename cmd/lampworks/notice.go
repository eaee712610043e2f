package main

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
)

type noticeCommand struct {
	List    noticeListCommand    `cmd:"" help:"List announcements (公告) and messages for oneself, newest first."`
	Read    noticeReadCommand    `cmd:"" help:"Mark one as read, or all."`
	Publish noticePublishCommand `cmd:"" help:"Announce something, from a JSON file; operators only."`
}

type noticeListCommand struct {
	client
	Unread bool `help:"Only what was not read."`
}

func (c *noticeListCommand) Run(ctx context.Context) error {
	path := "/api/v1/inbox"
	if c.Unread {
		path += "?unread=true"
	}
	return talk(ctx, &c.client, "GET", path, nil)
}

type noticeReadCommand struct {
	client
	ID string `arg:"" optional:"" help:"Id of the notice. Default: all."`
}

func (c *noticeReadCommand) Run(ctx context.Context) error {
	if c.ID == "" {
		return talk(ctx, &c.client, "POST", "/api/v1/inbox/receipts", nil)
	}
	return talk(ctx, &c.client, "PUT", "/api/v1/inbox/"+url.PathEscape(c.ID)+"/receipt", nil)
}

type noticePublishCommand struct {
	client
	File string `arg:"" type:"existingfile" help:"JSON: severity, audience, effective_at, texts by language."`
}

func (c *noticePublishCommand) Run(ctx context.Context) error {
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	var made struct {
		ID string `json:"id"`
	}
	if err := c.call(ctx, "POST", "/api/v1/announcements", json.RawMessage(b), &made); err != nil {
		return err
	}
	return talk(ctx, &c.client, "PUT", "/api/v1/announcements/"+url.PathEscape(made.ID)+"/state", map[string]string{"state": "published"})
}
