package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

type noticeCommand struct {
	List     noticeListCommand     `cmd:"" help:"List announcements (公告) and messages for oneself, newest first."`
	Unread   noticeUnreadCommand   `cmd:"" help:"How many of them are unread."`
	Read     noticeReadCommand     `cmd:"" help:"Mark one as read, or all."`
	All      noticeAllCommand      `cmd:"" help:"List the announcements there are; operators only."`
	Show     noticeShowCommand     `cmd:"" help:"One announcement; operators only."`
	Draft    noticeDraftCommand    `cmd:"" help:"Write a draft from a JSON file, or one anew; operators only."`
	Publish  noticePublishCommand  `cmd:"" help:"Announce something, from a JSON file or a draft; operators only."`
	Withdraw noticeWithdrawCommand `cmd:"" help:"Withdraw an announcement; operators only."`
	Receipts noticeReceiptsCommand `cmd:"" help:"Who read an announcement, and when; operators only."`
	Dead     noticeDeadCommand     `cmd:"" help:"Mail and text messages that were given up in the last 30 days; operators only."`
}

const announcementPath = "/api/v1/announcements/{}"

type noticeListCommand struct {
	pages
	Unread bool `help:"Only what was not read."`
}

func (c *noticeListCommand) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/inbox", "id source severity at effective_at read_at kind texts."+tongue()+".title", "unread", yes(c.Unread))
}

type noticeUnreadCommand struct{ client }

func (c *noticeUnreadCommand) Run(ctx context.Context) error {
	var n struct {
		Count int `json:"count"`
	}
	if err := c.call(ctx, "GET", "/api/v1/inbox/unread", nil, &n); err != nil {
		return err
	}
	fmt.Println(n.Count)
	return nil
}

type noticeReadCommand struct {
	client
	ID string `arg:"" optional:"" help:"Id of the notice. Default: all."`
}

func (c *noticeReadCommand) Run(ctx context.Context) error {
	if c.ID == "" {
		return c.do(ctx, "POST", "/api/v1/inbox/receipts", nil)
	}
	return c.do(ctx, "PUT", at("/api/v1/inbox/{}/receipt", c.ID), nil)
}

type noticeAllCommand struct {
	sorted
	State string `help:"draft, published, superseded or withdrawn." placeholder:"STATE"`
}

func (c *noticeAllCommand) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/announcements", "id state severity published_at effective_at ends_at reads texts."+tongue()+".title", "state", c.State)
}

type oneAnnouncement struct {
	client
	Announcement string `arg:"" help:"Its id."`
}

type noticeShowCommand struct{ oneAnnouncement }

func (c *noticeShowCommand) Run(ctx context.Context) error {
	return c.do(ctx, "GET", at(announcementPath, c.Announcement), nil)
}

type noticeDraftCommand struct {
	fromFile
	Of string `help:"Id of the draft that is written anew." placeholder:"ID"`
}

func (c *noticeDraftCommand) Help() string {
	return `The file: severity (info, warning, critical), audience ({"everybody":true} or lists), texts by language with title and body, and effective_at, ends_at, supersedes.`
}

func (c *noticeDraftCommand) Run(ctx context.Context) error {
	if c.Of != "" {
		return c.submit(ctx, "PUT", at(announcementPath, c.Of))
	}
	return c.submit(ctx, creates, "/api/v1/announcements")
}

type noticePublishCommand struct {
	client
	File string    `arg:"" optional:"" help:"JSON: severity, audience, effective_at, texts by language; - reads standard input."`
	Of   string    `help:"Id of a draft, instead of the file." placeholder:"ID"`
	When time.Time `help:"When it is published. Default: now." placeholder:"TIME" sends:"publish_at"`
}

func (c *noticePublishCommand) Run(ctx context.Context) error {
	id := c.Of
	if (c.File == "") == (id == "") {
		return errors.New("name a file, or a draft by --of")
	}
	if id == "" {
		in, err := document(c.File)
		if err != nil {
			return err
		}
		var made struct{ ID string }
		if err := c.call(ctx, creates, "/api/v1/announcements", in, &made); err != nil {
			return err
		}
		id = made.ID
	}
	return c.do(ctx, "PUT", at(announcementPath+"/state", id), body("state", "published", "publish_at", c.When))
}

type noticeWithdrawCommand struct {
	oneAnnouncement
	Reason string `help:"Why." aliases:"note" required:"" placeholder:"TEXT"`
}

func (c *noticeWithdrawCommand) Run(ctx context.Context) error {
	return c.do(ctx, "PUT", at(announcementPath+"/state", c.Announcement), body("state", "withdrawn", "note", c.Reason))
}

type noticeReceiptsCommand struct {
	sorted
	Announcement string `arg:"" help:"Its id."`
}

func (c *noticeReceiptsCommand) Run(ctx context.Context) error {
	return c.list(ctx, at(announcementPath+"/receipts", c.Announcement), "user organisation read_at")
}

type noticeDeadCommand struct {
	sorted
	Kind         string `help:"mail or sms." placeholder:"KIND"`
	Organisation string `help:"Only those on the account of this organisation." placeholder:"ID"`
}

func (c *noticeDeadCommand) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/dead-messages", "id kind organisation tries made_at ended_at error", "kind", c.Kind, "organisation", c.Organisation)
}
