package main

import "context"

type announceCommand struct {
	Say    announceSay    `cmd:"" help:"Announce a text on the speakers that listen in a home."`
	List   announceList   `cmd:"" help:"The last 100 announcements of a home, newest first."`
	Show   announceShow   `cmd:"" help:"One announcement, and what became of it on each speaker."`
	Cancel announceCancel `cmd:"" help:"Cancel an announcement on the speakers for which it waits."`
}

const announcedPath = homePath + "/announcements/{}"

type announceSay struct {
	client
	Home string   `arg:"" help:"Id of the home."`
	Text string   `arg:"" help:"What is to be announced, at most 200 characters."`
	Lang string   `help:"Language of the text: zh-CN or en. Default: recognised." placeholder:"LANG"`
	Room []string `help:"Id of a room; may be given again. Default: all speakers." placeholder:"ID" sends:"rooms"`
}

func (a *announceSay) Run(ctx context.Context) error {
	in := body("text", a.Text, "lang", a.Lang)
	if len(a.Room) > 0 {
		in["rooms"] = a.Room
	}
	return a.do(ctx, creates, at(homePath+"/announcements", a.Home), in)
}

type announceList struct {
	pages
	Home string `arg:"" help:"Id of the home."`
}

func (a *announceList) Run(ctx context.Context) error {
	return a.list(ctx, at(homePath+"/announcements", a.Home), "id at text speakers")
}

type oneAnnounced struct {
	client
	Home         string `arg:"" help:"Id of the home."`
	Announcement string `arg:"" help:"Id of the announcement."`
}

func (a *oneAnnounced) path() string { return at(announcedPath, a.Home, a.Announcement) }

type announceShow struct{ oneAnnounced }

func (a *announceShow) Run(ctx context.Context) error { return a.do(ctx, "GET", a.path(), nil) }

type announceCancel struct{ oneAnnounced }

func (a *announceCancel) Run(ctx context.Context) error { return a.do(ctx, "DELETE", a.path(), nil) }
