package api

import (
	"context"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/notice"
)

type itemView struct {
	ID          string                 `json:"id"`
	Source      string                 `json:"source" enum:"announcement,message"`
	Kind        string                 `json:"kind,omitempty" doc:"Of a message; stable, for programs."`
	Severity    notice.Severity        `json:"severity" enum:"info,warning,critical"`
	Texts       map[string]notice.Text `json:"texts" doc:"By language: zh-CN, en."`
	At          moment                 `json:"at"`
	EffectiveAt moment                 `json:"effective_at,omitzero" doc:"What is announced happens then."`
	Supersedes  string                 `json:"supersedes,omitempty"`
	ReadAt      moment                 `json:"read_at,omitzero"`
}

func itemOf(i *notice.Item) itemView {
	return itemView{i.ID, i.Source, i.Kind, i.Severity, i.Texts, moment(i.At), moment(i.EffectiveAt), i.Supersedes, moment(i.ReadAt)}
}

type inboxInput struct {
	PageInput
	Unread bool `query:"unread" doc:"Only what was not read."`
}

type countView struct {
	Count int `json:"count"`
}

type noticeInput struct {
	Notice string `path:"notice" maxLength:"64"`
}

type announcementView struct {
	ID          string                 `json:"id"`
	State       notice.State           `json:"state" enum:"draft,published,superseded,withdrawn"`
	Severity    notice.Severity        `json:"severity" enum:"info,warning,critical"`
	Audience    notice.Audience        `json:"audience"`
	Supersedes  string                 `json:"supersedes,omitempty"`
	CreatedAt   moment                 `json:"created_at"`
	PublishedAt moment                 `json:"published_at,omitzero"`
	EffectiveAt moment                 `json:"effective_at,omitzero"`
	EndsAt      moment                 `json:"ends_at,omitzero"`
	EndedAt     moment                 `json:"ended_at,omitzero" doc:"Superseded or withdrawn."`
	Texts       map[string]notice.Text `json:"texts" doc:"By language: zh-CN, en."`
	Reads       int                    `json:"reads" doc:"How many people read it."`
	Open        []notice.Act           `json:"open" nullable:"false"`
}

func announcementOf(who access.Actor) func(*notice.Announcement) announcementView {
	return func(n *notice.Announcement) announcementView {
		return announcementView{
			n.ID, n.State, n.Severity, n.Audience, n.Supersedes, moment(n.CreatedAt), moment(n.PublishedAt), moment(n.EffectiveAt),
			moment(n.EndsAt), moment(n.EndedAt), n.Texts, n.Reads, append([]notice.Act{}, n.Open(who)...),
		}
	}
}

type announcementBody struct {
	Severity    notice.Severity             `json:"severity" enum:"info,warning,critical"`
	Audience    audienceBody                `json:"audience"`
	Supersedes  string                      `json:"supersedes,omitempty" maxLength:"64" doc:"Id of the announcement it takes the place of."`
	EffectiveAt time.Time                   `json:"effective_at,omitzero" doc:"What it announces happens then."`
	EndsAt      time.Time                   `json:"ends_at,omitzero" doc:"Not shown from then on; 90 days after it takes effect if not given."`
	Texts       map[string]announcementText `json:"texts" doc:"By language: zh-CN and en, both."`
}

type audienceBody struct {
	Everybody     bool           `json:"everybody,omitempty" doc:"Or lists: who fits all that are given."`
	Kinds         []account.Kind `json:"kinds,omitempty" nullable:"false" maxItems:"5"`
	Organisations []string       `json:"organisations,omitempty" nullable:"false" maxItems:"1000"`
	Services      []string       `json:"services,omitempty" nullable:"false" maxItems:"50"`
	Roles         []access.Role  `json:"roles,omitempty" nullable:"false" maxItems:"20"`
}

type announcementText struct {
	Title string `json:"title" maxLength:"200"`
	Body  string `json:"body" maxLength:"32768" doc:"Markdown, at most 32 KiB."`
}

func (b *announcementBody) made() notice.NewAnnouncement {
	n := notice.NewAnnouncement{
		Severity: b.Severity, Audience: notice.Audience(b.Audience), Supersedes: b.Supersedes, EffectiveAt: b.EffectiveAt, EndsAt: b.EndsAt,
		Texts: make(map[string]notice.Text),
	}
	for lang, t := range b.Texts {
		n.Texts[lang] = notice.Text(t)
	}
	return n
}

type newAnnouncementInput struct{ Body announcementBody }

type setAnnouncementInput struct {
	Announcement string `path:"announcement" maxLength:"64"`
	Body         announcementBody
}

type announcementsInput struct {
	ListInput
	State string `query:"state" enum:"draft,published,superseded,withdrawn"`
}

type announcementInput struct {
	Announcement string `path:"announcement" maxLength:"64"`
}

type announcementStateInput struct {
	Announcement string `path:"announcement" maxLength:"64"`
	Body         struct {
		State     notice.State `json:"state" enum:"published,withdrawn"`
		PublishAt time.Time    `json:"publish_at,omitzero" doc:"Of a publication; now if not given."`
		Note      string       `json:"note,omitempty" maxLength:"1000" doc:"Why it is withdrawn."`
	}
}

type receiptsInput struct {
	ListInput
	Announcement string `path:"announcement" maxLength:"64"`
}

type receiptView struct {
	User         string `json:"user"`
	Organisation string `json:"organisation,omitempty" doc:"The reader acted for."`
	ReadAt       moment `json:"read_at"`
}

func (a *API) noticeRoutes() {
	list(a, "/api/v1/inbox", anybody, ofPerson, "Announcements and messages for oneself, newest first", func(ctx context.Context, who access.Actor, in *inboxInput) (page[itemView], error) {
		items, next, err := a.Notices.Inbox(ctx, who, notice.Ask{Unread: in.Unread, Cursor: in.Cursor, Limit: min(in.Limit, notice.MaxLimit)})
		return pageTo(items, next, itemOf), err
	})
	route(a, "GET", "/api/v1/inbox/unread", anybody, ofPerson, "How many of them are unread", func(ctx context.Context, who access.Actor, _ *struct{}) (countView, error) {
		n, err := a.Notices.Unread(ctx, who)
		return countView{n}, err
	})
	route(a, "POST", "/api/v1/inbox/receipts", anybody, ofPerson, "Mark all of them as read", func(ctx context.Context, who access.Actor, _ *struct{}) (countView, error) {
		n, err := a.Notices.ReadAll(ctx, who)
		return countView{n}, err
	})
	route(a, "PUT", "/api/v1/inbox/{notice}/receipt", anybody, ofPerson, "Mark one as read", func(ctx context.Context, who access.Actor, in *noticeInput) (nothing, error) {
		return nothing{}, a.Notices.Read(ctx, who, in.Notice)
	})
	a.announcementRoutes()
}

func (a *API) announcementRoutes() {
	const announcements = "/api/v1/announcements"
	list(a, announcements, access.ManageNotices, ofPlatform, "Announcements (公告), newest first", func(ctx context.Context, who access.Actor, in *announcementsInput) (page[announcementView], error) {
		p, err := a.Notices.Announcements(ctx, who, in.ask(map[string]string{"state": in.State}))
		return pageFrom(p, announcementOf(who)), err
	})
	create(a, announcements, access.ManageNotices, ofPlatform, "Write the draft of an announcement", func(ctx context.Context, who access.Actor, in *newAnnouncementInput) (announcementView, error) {
		n, err := a.Notices.Write(ctx, who, "", in.Body.made())
		return announcementOf(who)(&n), err
	})
	route(a, "GET", announcements+"/{announcement}", access.ManageNotices, ofPlatform, "An announcement", func(ctx context.Context, who access.Actor, in *announcementInput) (announcementView, error) {
		n, err := a.Notices.Announcement(ctx, who, in.Announcement)
		return announcementOf(who)(&n), err
	})
	route(a, "PUT", announcements+"/{announcement}", access.ManageNotices, ofPlatform, "Write a draft anew", func(ctx context.Context, who access.Actor, in *setAnnouncementInput) (announcementView, error) {
		n, err := a.Notices.Write(ctx, who, in.Announcement, in.Body.made())
		return announcementOf(who)(&n), err
	})
	route(a, "PUT", announcements+"/{announcement}/state", access.ManageNotices, ofPlatform, "Publish or withdraw an announcement", func(ctx context.Context, who access.Actor, in *announcementStateInput) (announcementView, error) {
		n, err := a.Notices.SetState(ctx, who, in.Announcement, in.Body.State, in.Body.PublishAt, in.Body.Note)
		return announcementOf(who)(&n), err
	})
	list(a, announcements+"/{announcement}/receipts", access.ManageNotices, ofPlatform, "Who read an announcement, and when", func(ctx context.Context, who access.Actor, in *receiptsInput) (page[receiptView], error) {
		p, err := a.Notices.Receipts(ctx, who, in.Announcement, in.ask(nil))
		return pageFrom(p, func(r *notice.Receipt) receiptView { return receiptView{r.User, r.Organisation, moment(r.ReadAt)} }), err
	})
}
