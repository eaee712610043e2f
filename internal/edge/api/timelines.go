package api

import (
	"context"
	"log/slog"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/sse"

	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/timeline"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
)

type entryView struct {
	Seq     int64          `json:"seq" doc:"Grows; the id of the live events."`
	At      moment         `json:"at" doc:"Of several, the last."`
	Kind    timeline.Kind  `json:"kind" enum:"connected,disconnected,refused,slowed,message,will,registered,fight,command,answer"`
	What    string         `json:"what,omitempty" doc:"Topic, address, or what the command is; … for what was too much to be told apart."`
	Why     string         `json:"why,omitempty"`
	Times   int64          `json:"times" doc:"How often within the minute; 1 for what is not counted."`
	Command string         `json:"command,omitempty" doc:"Its id; with it what has become of it."`
	State   command.State  `json:"state,omitempty" enum:"accepted,sent,acknowledged,succeeded,failed,expired,cancelled"`
	Reason  command.Reason `json:"reason,omitempty"`
	EndedAt moment         `json:"ended_at,omitzero"`
}

func entryOf(e *timeline.Entry) entryView {
	return entryView{e.Seq, moment(e.At), e.Kind, e.What, e.Why, e.Times, e.Command, e.State, e.Reason, moment(e.EndedAt)}
}

type countingView struct {
	At    moment        `json:"at" doc:"The last time."`
	Kind  timeline.Kind `json:"kind" enum:"refused,slowed,message"`
	What  string        `json:"what,omitempty"`
	Why   string        `json:"why,omitempty"`
	Times int64         `json:"times" doc:"How often so far."`
}

type timelineInput struct {
	ListInput
	Device string `path:"device" maxLength:"64"`
	Kind   string `query:"kind" enum:"connected,disconnected,refused,slowed,message,will,registered,fight,command,answer"`
	Text   string `query:"text" maxLength:"256" doc:"Any part of what or why, in any case."`
}

type timelineLiveInput struct {
	Device      string `path:"device" maxLength:"64"`
	LastEventID int64  `header:"Last-Event-ID" doc:"Where to go on; browsers send it themselves."`
}

func (a *API) timelineRoutes() {
	const path = "/api/v1/devices/{device}/timeline"
	list(a, path, access.ReadDevice, ofDevice, "What happened to a device (设备时间线), newest first: connections, messages, refusals, commands", func(ctx context.Context, who access.Actor, in *timelineInput) (page[entryView], error) {
		p, err := a.Timelines.List(ctx, who, in.Device, in.ask(map[string]string{timeline.ByKind: in.Kind, timeline.ByText: in.Text}))
		return pageFrom(p, entryOf), err
	})
	op := a.operation("GET", path+"/live", access.ReadDevice, ofDevice, "What happens to a device, as it is written down")
	op.Description += " The id of an event is an entry's seq: with Last-Event-ID the stream goes on there, or begins with a gap event if some of it is forgotten. " +
		"What is counted is an entry when its minute is over, or the device goes; what changes until then is told every 2 s by counting events, which have no id. A ping every 15 s says that the stream lives."
	op.Middlewares = append(huma.Middlewares{a.onlyGet}, append(op.Middlewares, a.seatedBy(a.deviceIsThere))...)
	op.Responses["200"] = &huma.Response{Description: "Server-sent events."}
	sse.Register(a.huma, op, map[string]any{"entry": entryView{}, "counting": countingView{}, "gap": gapEvent{}, "ping": pingEvent{}}, a.timelineLive)
}

// deviceIsThere refuses a view of a device that is not who's.
func (a *API) deviceIsThere(ctx context.Context, who access.Actor, hc huma.Context) error {
	_, err := a.Devices.Load(ctx, who, hc.Param("device"))
	return err
}

// timelineLive sends what happens to a device until the browser leaves, or what let it in ends.
func (a *API) timelineLive(ctx context.Context, in *timelineLiveInput, send sse.Sender) {
	who, _ := access.Of(ctx)
	v := &timelineView{a: a, who: who, device: in.Device, at: in.LastEventID, send: send}
	if err := v.follow(ctx); err != nil && ctx.Err() == nil {
		a.Logger.LogAttrs(ctx, slog.LevelWarn, "a live timeline ended", slog.String("device", in.Device), slog.Any("error", err))
	}
}

// timelineView is one browser that watches one device; one goroutine.
type timelineView struct {
	a      *API
	who    access.Actor
	device string
	at     int64 // the entry that was sent last
	send   sse.Sender

	counted map[timeline.Entry]int64 // what was sent of the minute that runs, by its line
}

func (v *timelineView) follow(ctx context.Context) (err error) {
	changed := make(chan struct{}, 1)
	defer v.a.Bus.Subscribe(timeline.ChangedSubject+v.device, func(string, []byte) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})()
	newest, err := v.a.Timelines.Newest(ctx, v.device)
	if err != nil {
		return err
	}
	switch {
	case v.at == 0:
		v.at = newest
	case v.at > newest: // of another database
		v.at = newest
		if v.send(sse.Message{ID: int(newest), Data: gapEvent{}}) != nil {
			return nil
		}
	}
	if v.send(sse.Message{Data: pingEvent{moment(time.Now())}}) != nil {
		return nil
	}
	look, alive := time.NewTicker(liveCheck), time.NewTicker(liveEvery)
	defer look.Stop()
	defer alive.Stop()
	for {
		if going, err := v.advance(ctx); err != nil || !going {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-v.a.Closing:
			return nil
		case <-changed:
		case <-look.C:
			if !v.holds(ctx) || !v.count() {
				return nil
			}
		case <-alive.C:
			if v.send(sse.Message{Data: pingEvent{moment(time.Now())}}) != nil {
				return nil
			}
		}
	}
}

// holds asks whether who watches may still do so.
func (v *timelineView) holds(ctx context.Context) bool {
	who, err := v.a.still(ctx, v.who, access.ReadDevice)
	if err == nil {
		_, err = v.a.Devices.Load(ctx, who, v.device)
	}
	return fault.Of(err) == nil || fault.Passes(err)
}

// advance sends what is new; going says whether the browser is still there.
func (v *timelineView) advance(ctx context.Context) (going bool, err error) {
	for {
		es, behind, err := v.a.Timelines.After(ctx, v.device, v.at, 200)
		if err != nil {
			return false, err
		}
		if behind > v.at {
			v.at = behind
			if v.send(sse.Message{ID: int(behind), Data: gapEvent{}}) != nil {
				return false, nil
			}
		}
		for i := range es {
			if v.send(sse.Message{ID: int(es[i].Seq), Data: entryOf(&es[i])}) != nil {
				return false, nil
			}
			v.at = es[i].Seq
		}
		if len(es) < 200 {
			return true, nil
		}
	}
}

// count sends what has changed of what is counted; going says whether the browser is still there.
func (v *timelineView) count() (going bool) {
	counted := make(map[timeline.Entry]int64)
	for _, e := range v.a.Timelines.Counting(v.device) {
		l := timeline.Entry{Kind: e.Kind, What: e.What, Why: e.Why}
		if counted[l] = e.Times; v.counted[l] == e.Times {
			continue
		}
		if v.send(sse.Message{Data: countingView{moment(e.At), e.Kind, e.What, e.Why, e.Times}}) != nil {
			return false
		}
	}
	v.counted = counted
	return true
}
