package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/danielgtaylor/huma/v2/sse"

	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/household/scene"
	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/uplink"
)

// The live events of a home. The id of an event is a position of the uplink Log: a browser that comes back with
// Last-Event-ID goes on there, or is told of the gap.
type (
	stateEvent struct {
		Device     string               `json:"device"`
		Properties map[string]valueView `json:"properties"`
	}
	presenceEvent struct {
		Device string `json:"device"`
		Online bool   `json:"online"`
		At     moment `json:"at"`
		Reason string `json:"reason"`
	}
	commandEvent struct {
		ID     string          `json:"id"`
		Device string          `json:"device"`
		Kind   command.Kind    `json:"kind" enum:"property_set,property_get,service,raw,message,permit_join"`
		State  command.State   `json:"state" enum:"accepted,sent,acknowledged,succeeded,failed,expired,cancelled"`
		Reason command.Reason  `json:"reason,omitempty"`
		Params json.RawMessage `json:"params"`
		At     moment          `json:"at"`
		TookUS int64           `json:"took_us" doc:"From accepted to this state."`
	}
	messageEvent struct {
		Pos       uint64          `json:"pos,omitempty" doc:"Position in the Log; absent for what is not stored."`
		At        moment          `json:"at"`
		Direction string          `json:"direction" enum:"up,down"`
		Device    string          `json:"device"`
		Topic     string          `json:"topic"`
		Payload   json.RawMessage `json:"payload,omitempty"`
		Result    string          `json:"result" doc:"stored, answered, sent, or refused and why."`
		TookUS    int64           `json:"took_us,omitempty"`
	}
	sentenceEvent struct {
		Answer voice.Answer `json:"answer" doc:"With the id that the sentence was answered with before."`
		Quiet  bool         `json:"quiet,omitempty" doc:"Something else was said to the speaker since: show it, and do not speak it over the reply to that."`
	}
	gapEvent struct {
		Lost uint64 `json:"lost" doc:"How many records or events were passed over; 0: not known."`
	}
	pingEvent struct {
		At moment `json:"at"`
	}
)

type liveInput struct {
	Home        string `path:"home" maxLength:"64"`
	Speaker     string `query:"speaker" maxLength:"64" doc:"Who watches is the speaker of this name, and is told announcements. Its sentences name it, too: it is told none within a conversation."`
	Room        string `query:"room" maxLength:"64" doc:"Id of the room the speaker stands in."`
	LastEventID uint64 `header:"Last-Event-ID" doc:"Where to go on; browsers send it themselves."`
}

// Limits of live views.
const (
	liveBehind = 5000             // records a view may be behind before it is told of a gap instead
	liveQueue  = 512              // events that wait for a slow browser before some are dropped, and it is told
	liveEvery  = 15 * time.Second // how often a quiet view hears that it lives
	liveCheck  = 2 * time.Second  // how often it is asked whether the session still holds and the home is the same
	liveEach   = 32               // views of one person for one organisation at a time
	liveAll    = 2048             // views of this process
)

func (a *API) liveRoutes() {
	op := a.operation("GET", "/api/v1/homes/{home}/live", access.ReadHome, ofHome, "What happens in a home, as it happens")
	op.Description += " The id of an event is a position: with Last-Event-ID the stream goes on there, or begins with a gap event. " +
		"A command's event comes at its end; a sentence's, for who said it with later, when its slow devices have answered; an announcement's, for a view that names its speaker, when nobody speaks with it; a ping every 15 s says that the stream lives."
	op.Middlewares = append(huma.Middlewares{a.onlyGet}, append(op.Middlewares, a.seatedBy(a.homeIsThere))...)
	op.Responses["200"] = &huma.Response{Description: "Server-sent events."}
	sse.Register(a.huma, op, map[string]any{
		"state": stateEvent{}, "presence": presenceEvent{}, "command": commandEvent{}, "message": messageEvent{}, "sentence": sentenceEvent{}, "timer": timerEvent{}, "announcement": announcementEvent{}, "gap": gapEvent{}, "ping": pingEvent{},
	}, a.live)
}

// homeIsThere refuses a view of a home that is not who's, and a speaker that cannot listen there.
func (a *API) homeIsThere(ctx context.Context, who access.Actor, hc huma.Context) error {
	if speaker, room := hc.Query("speaker"), hc.Query("room"); speaker != "" || room != "" {
		return a.Voice.MayListen(ctx, who, hc.Param("home"), voice.Speaker{Name: speaker, Room: room})
	}
	_, err := a.Homes.Version(ctx, who, hc.Param("home"))
	return err
}

// seatedBy refuses before the stream begins, with a problem as everywhere: what there refuses, and a view too many.
func (a *API) seatedBy(there func(context.Context, access.Actor, huma.Context) error) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		ctx := hc.Context()
		who, _ := access.Of(ctx)
		if err := there(ctx, who, hc); err != nil {
			a.refuse(hc, err)
			return
		}
		leave, err := a.views.take(who.User + " " + who.Organisation)
		if err != nil {
			a.refuse(hc, err)
			return
		}
		defer leave()
		hc.SetHeader("X-Accel-Buffering", "no") // proxies: hand each event on
		next(hc)
		_, w := humago.Unwrap(hc)
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // the connection may serve on
	}
}

// liveSeats are the places of live views.
func liveSeats() *seats {
	return &seats{each: liveEach, all: liveAll, full: func(held int) error {
		return fault.Limit("number of live views", strconv.Itoa(held), strconv.Itoa(liveEach)+" for one person at a time", 5*time.Second)
	}}
}

// live sends the events of a home until the browser leaves, or what let it in ends.
func (a *API) live(ctx context.Context, in *liveInput, send sse.Sender) {
	who, _ := access.Of(ctx)
	v := &view{a: a, who: who, home: in.Home, events: make(chan offered, liveQueue)}
	if err := v.load(ctx); err != nil {
		a.Logger.LogAttrs(ctx, slog.LevelWarn, "live view not opened", slog.String("home", in.Home), slog.Any("error", err))
		return
	}
	first := []sse.Message{{Data: pingEvent{moment(time.Now())}}}
	if lost, gap := v.begin(uplink.Position(in.LastEventID)); gap {
		first = append(first, sse.Message{ID: int(v.pos), Data: gapEvent{lost}})
	}
	ctx, stop := context.WithCancel(ctx)
	for _, subject := range []string{device.DownSubject, device.RefusedSubject, device.AskedSubject, command.EndedSubject} {
		defer a.Bus.Subscribe(subject+">", v.bus(ctx, subject))()
	}
	defer a.Bus.Subscribe(voice.ToldSubject+in.Home, v.told)()
	defer a.Bus.Subscribe(scene.RangSubject+in.Home, v.rang)()
	if in.Speaker != "" {
		defer v.lose() // behind the leaving: what the browser was not sent waits for the speaker
		defer a.Voice.Listen(in.Home, voice.Speaker{Name: in.Speaker, Room: in.Room}, v.announce)()
	}
	var following sync.WaitGroup
	defer following.Wait()
	defer stop()
	following.Go(func() {
		select {
		case <-a.Closing:
			stop()
		case <-ctx.Done():
		}
	})
	following.Go(func() {
		defer stop() // what ends the view ends the stream
		v.follow(ctx)
	})
	for _, m := range first {
		if send(m) != nil {
			return
		}
	}
	v.pump(ctx, send)
}
