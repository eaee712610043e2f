package api

import (
	"context"
	"net/url"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/sse"

	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
)

type heardView struct {
	Speaker string        `json:"speaker"`
	Room    string        `json:"room,omitempty"`
	State   voice.Hearing `json:"state" enum:"waiting,told,missed,cancelled" doc:"waiting: somebody speaks with the speaker, or it is away; told: it was handed over; missed: it waited for 10 minutes."`
	At      moment        `json:"at" doc:"Since when."`
}

type announcedView struct {
	ID       string      `json:"id"`
	Text     string      `json:"text"`
	Lang     string      `json:"lang" enum:"zh-CN,en"`
	Rooms    []string    `json:"rooms" nullable:"false" doc:"Ids; none: all."`
	At       moment      `json:"at"`
	Until    moment      `json:"until" doc:"It waits no longer."`
	Speakers []heardView `json:"speakers" nullable:"false"`
}

func announcedOf(a *voice.Announcement) announcedView {
	return announcedView{
		a.ID, a.Text, a.Lang, append([]string{}, a.Rooms...), moment(a.At), moment(a.Until),
		cast(a.Speakers, func(h voice.Heard) heardView { return heardView{h.Speaker, h.Room, h.State, moment(h.At)} }),
	}
}

type announceInput struct {
	Home string `path:"home" maxLength:"64"`
	Body struct {
		Text  string   `json:"text" maxLength:"800" doc:"At most 200 characters." example:"饭好了"`
		Lang  string   `json:"lang,omitempty" enum:"zh-CN,en" doc:"Recognised from the text if it is not given."`
		Rooms []string `json:"rooms,omitempty" nullable:"false" maxItems:"100" doc:"Ids; left out: all."`
	}
}

type announcedInput struct {
	Home      string `path:"home" maxLength:"64"`
	Announced string `path:"announced" maxLength:"64"`
}

type announcedListInput struct {
	PageInput
	Home string `path:"home" maxLength:"64"`
}

const announcedPath = "/api/v1/homes/{home}/announcements"

// announcedRoutes are about what is said on the speakers of a home.
func (a *API) announcedRoutes() {
	list(a, announcedPath, access.ReadHome, ofHome, "The last 100 announcements (播报) of a home, newest first", func(ctx context.Context, who access.Actor, in *announcedListInput) (page[announcedView], error) {
		all, err := a.Voice.Announcements(ctx, who, in.Home)
		if err != nil {
			return page[announcedView]{}, err
		}
		return pageWithin(all, &in.PageInput, func(v *voice.Announcement) string { return v.ID }, announcedOf)
	})
	create(a, announcedPath, access.Speak, ofHome, "Announce a text on the speakers that listen in a home; one that is not idle is told within 10 minutes", func(ctx context.Context, who access.Actor, in *announceInput) (announcedView, error) {
		v, err := a.Voice.Announce(ctx, who, in.Home, voice.NewAnnouncement{Text: in.Body.Text, Lang: in.Body.Lang, Rooms: in.Body.Rooms})
		return announcedOf(&v), err
	})
	route(a, "GET", announcedPath+"/{announced}", access.ReadHome, ofHome, "An announcement, and what became of it on each speaker", func(ctx context.Context, who access.Actor, in *announcedInput) (announcedView, error) {
		v, err := a.Voice.Announcement(ctx, who, in.Home, in.Announced)
		return announcedOf(&v), err
	})
	route(a, "DELETE", announcedPath+"/{announced}", access.Speak, ofHome, "Cancel an announcement on the speakers for which it waits; it stays in the list", func(ctx context.Context, who access.Actor, in *announcedInput) (announcedView, error) {
		v, err := a.Voice.CancelAnnouncement(ctx, who, in.Home, in.Announced)
		return announcedOf(&v), err
	})
	op := a.operation("GET", announcedPath+"/{announced}/sound", access.ReadHome, ofHome, "An announcement as it is spoken, as WAV")
	op.Responses["200"] = &huma.Response{
		Description: "16-bit PCM, mono.", Content: map[string]*huma.MediaType{"audio/wav": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}
	respond(a, op, func(ctx context.Context, in *announcedInput) (*speechOutput, error) {
		who, _ := access.Of(ctx)
		v, err := a.Voice.Announcement(ctx, who, in.Home, in.Announced)
		if err != nil {
			return nil, err
		}
		wav, err := a.speak(ctx, v.Text, v.Lang)
		return &speechOutput{"audio/wav", wav}, err
	})
}

// announcementEvent is a live event: a speaker is to say something.
type announcementEvent struct {
	ID    string `json:"id"`
	Text  string `json:"text"`
	Lang  string `json:"lang" enum:"zh-CN,en"`
	Sound string `json:"sound" doc:"Path under which it is to be had as WAV."`
	At    moment `json:"at" doc:"When it was announced."`
}

// announce offers an announcement to the speaker that watches; false: there is no room for it, or the view has ended.
func (v *view) announce(a voice.Announcement, lost func()) bool {
	sound := "/api/v1/homes/" + url.PathEscape(v.home) + "/announcements/" + url.PathEscape(a.ID) + "/sound"
	v.ending.Lock()
	defer v.ending.Unlock()
	return !v.ended && v.offered(offered{sse.Message{Data: announcementEvent{a.ID, a.Text, a.Lang, sound, moment(a.At)}}, lost})
}

// lose gives back the announcements that the browser was not sent; it takes no more.
func (v *view) lose() {
	v.ending.Lock()
	v.ended = true
	v.ending.Unlock()
	for {
		select {
		case m := <-v.events:
			m.giveBack()
		default:
			return
		}
	}
}
