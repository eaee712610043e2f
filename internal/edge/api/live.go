package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/sse"

	"lampworks/alink"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/uplink"
	"lampworks/tsl"
)

// The live events of a home. The id of an event is a position of the uplink Log: a browser that comes back with
// Last-Event-ID goes on there, or is told of the gap.
type (
	stateEvent struct {
		Device     string               `json:"device"`
		Properties map[string]valueView `json:"properties"`
	}
	presenceEvent struct {
		Device string    `json:"device"`
		Online bool      `json:"online"`
		At     time.Time `json:"at"`
		Reason string    `json:"reason"`
	}
	commandEvent struct {
		ID     string          `json:"id"`
		Device string          `json:"device"`
		Kind   string          `json:"kind"`
		State  string          `json:"state"`
		Reason string          `json:"reason,omitempty"`
		Params json.RawMessage `json:"params"`
		At     time.Time       `json:"at"`
		TookUS int64           `json:"took_us" doc:"From accepted to this state."`
	}
	messageEvent struct {
		Pos       uint64          `json:"pos,omitempty" doc:"Position in the Log; absent for what is not stored."`
		At        time.Time       `json:"at"`
		Direction string          `json:"direction" enum:"up,down"`
		Device    string          `json:"device"`
		Topic     string          `json:"topic"`
		Payload   json.RawMessage `json:"payload,omitempty"`
		Result    string          `json:"result" doc:"stored, sent, or refused and why."`
		TookUS    int64           `json:"took_us,omitempty"`
	}
	gapEvent struct {
		Lost uint64 `json:"lost" doc:"How many records were passed over; 0: not known."`
	}
	pingEvent struct {
		At time.Time `json:"at"`
	}
)

type liveInput struct {
	HomeInput
	LastEventID uint64 `header:"Last-Event-ID"`
}

const (
	liveBehind = 5000             // records a view may be behind before it is told of a gap instead
	liveQueue  = 512              // events that wait for a slow browser before some are dropped
	liveEvery  = 15 * time.Second // how often a quiet view hears that it lives, and how old its list of devices gets
)

func (a *API) liveRoutes() {
	sse.Register(a.huma, huma.Operation{
		OperationID: "get_homes_home_live", Method: http.MethodGet, Path: "/api/v1/homes/{home}/live", Summary: "What happens in a home, as it happens",
		Description: "Needs " + string(access.ReadHome) + ".", Security: []map[string][]string{{"token": {}}, {"session": {}}},
		Middlewares: huma.Middlewares{a.mayWatch},
	}, map[string]any{
		"state": stateEvent{}, "presence": presenceEvent{}, "command": commandEvent{}, "message": messageEvent{}, "gap": gapEvent{}, "ping": pingEvent{},
	}, a.live)
}

// mayWatch refuses before the stream begins, with a problem as everywhere.
func (a *API) mayWatch(hc huma.Context, next func(huma.Context)) {
	who, err := access.Require(hc.Context(), access.ReadHome)
	if err == nil {
		_, err = a.Homes.Version(hc.Context(), who, hc.Param("home"))
	}
	if err == nil {
		next(hc)
		return
	}
	p, ok := a.problem(hc.Context(), err).(*Problem)
	if !ok {
		return
	}
	hc.SetHeader("Content-Type", p.ContentType(""))
	hc.SetStatus(p.Status)
	_ = json.NewEncoder(hc.BodyWriter()).Encode(p)
}

// live sends the events of a home until the browser leaves.
func (a *API) live(ctx context.Context, in *liveInput, send sse.Sender) {
	who, ok := access.Of(ctx)
	if !ok {
		return
	}
	v := &view{a: a, who: who, home: in.Home, events: make(chan sse.Message, liveQueue)}
	if err := v.load(ctx); err != nil {
		return
	}
	v.pos = a.Log.Tail()
	if in.LastEventID > 0 && uplink.Position(in.LastEventID) < v.pos {
		v.pos = uplink.Position(in.LastEventID)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan struct{})
	defer func() { stop(); <-done }()
	for _, subject := range []string{device.DownSubject, device.RefusedSubject, command.EndedSubject} {
		defer a.Bus.Subscribe(subject+">", v.bus(ctx, subject))()
	}
	go func() { defer close(done); v.follow(ctx) }()
	if err := send(sse.Message{Data: pingEvent{time.Now().UTC()}}); err != nil {
		return
	}
	v.pump(ctx, send)
}

// view is one browser that watches one home.
type view struct {
	a       *API
	who     access.Actor
	home    string
	devices map[string]string // id → product; replaced, never changed
	pos     uplink.Position
	events  chan sse.Message
	lost    bool
}

func (v *view) load(ctx context.Context) error {
	h, err := v.a.Homes.Load(ctx, v.who, v.home)
	if err != nil {
		return err
	}
	v.devices = make(map[string]string, len(h.Devices))
	for _, d := range h.Devices {
		v.devices[d.ID] = d.Product
	}
	return nil
}

// pump writes events, and a sign of life when there are none.
func (v *view) pump(ctx context.Context, send sse.Sender) {
	alive := time.NewTicker(liveEvery)
	defer alive.Stop()
	for {
		m := sse.Message{}
		select {
		case <-ctx.Done():
			return
		case m = <-v.events:
		case <-alive.C:
			m.Data = pingEvent{time.Now().UTC()}
		}
		if send(m) != nil {
			return
		}
	}
}

// offer hands an event to the writer and waits while the browser is slow: the Log waits with it.
func (v *view) offer(ctx context.Context, m sse.Message) bool {
	select {
	case v.events <- m:
		return true
	case <-ctx.Done():
		return false
	}
}

// follow reads the tail of the Log.
func (v *view) follow(ctx context.Context) {
	loaded := time.Now()
	for ctx.Err() == nil {
		wait, cancel := context.WithTimeout(ctx, liveEvery)
		err := v.a.Log.Wait(wait, v.pos)
		cancel()
		if time.Since(loaded) > liveEvery/5 {
			if v.load(ctx) != nil {
				return // the home is gone, or the right to see it
			}
			loaded = time.Now()
		}
		if err != nil {
			continue
		}
		if tail := v.a.Log.Tail(); tail-v.pos > liveBehind {
			if !v.offer(ctx, sse.Message{ID: int(tail), Data: gapEvent{uint64(tail - v.pos)}}) {
				return
			}
			v.pos = tail
			continue
		}
		records, err := v.a.Log.Read(ctx, v.pos, 500)
		if err != nil || len(records) == 0 {
			continue
		}
		for i := range records {
			if !v.record(ctx, &records[i]) {
				return
			}
			v.pos = records[i].Pos
		}
	}
}

// record turns one record into its events.
func (v *view) record(ctx context.Context, r *uplink.Record) bool {
	product, ours := v.devices[r.Device]
	if !ours {
		return true
	}
	switch r.Kind {
	case uplink.Presence:
		p, err := device.DecodePresence(r.Body)
		if err != nil {
			return true
		}
		return v.offer(ctx, sse.Message{ID: int(r.Pos), Data: presenceEvent{r.Device, p.Online, r.At, p.Reason}})
	case uplink.Message:
		m, err := device.DecodeMessage(r.Body)
		if err != nil {
			return true
		}
		if props := v.properties(ctx, product, r, m); len(props) > 0 && !v.offer(ctx, sse.Message{ID: int(r.Pos), Data: stateEvent{r.Device, props}}) {
			return false
		}
		return v.offer(ctx, sse.Message{ID: int(r.Pos), Data: messageEvent{
			Pos: uint64(r.Pos), At: r.At, Direction: "up", Device: r.Device, Topic: r.Subject, Payload: jsonOf(m.Payload), Result: "stored",
			TookUS: time.Since(r.At).Microseconds(),
		}})
	}
	return true
}

func (v *view) properties(ctx context.Context, product string, r *uplink.Record, m device.Message) map[string]valueView {
	if m.Template != alink.PropertyPost {
		return nil
	}
	model, err := v.a.Products.Model(ctx, product)
	if err != nil {
		v.a.Logger.LogAttrs(ctx, slog.LevelWarn, "a live view has no thing model", slog.String("product", product), slog.Any("error", err))
		return nil
	}
	req, err := alink.ParseRequest(m.Payload)
	if err != nil {
		return nil
	}
	props := make(map[string]valueView)
	model.CheckPost(req.Params, func(p *tsl.Property, value []byte, at int64) {
		t := r.At
		if at > 0 {
			t = time.UnixMilli(at).UTC()
		}
		props[p.Identifier] = valueView{append(json.RawMessage(nil), value...), t}
	})
	return props
}

func jsonOf(b []byte) json.RawMessage {
	if json.Valid(b) {
		return b
	}
	s, _ := json.Marshal(string(b))
	return s
}

// bus turns events that the Log does not hold into live ones. What a slow browser does not take is dropped.
func (v *view) bus(ctx context.Context, prefix string) func(string, []byte) {
	return func(subject string, payload []byte) {
		id := strings.TrimPrefix(subject, prefix)
		if _, ours := v.devices[id]; !ours {
			return
		}
		var m sse.Message
		switch prefix {
		case command.EndedSubject:
			c, err := v.a.Commands.Load(ctx, v.who, string(payload))
			if err != nil {
				return
			}
			m.Data = commandEventOf(&c)
		default:
			var t device.Traffic
			if json.Unmarshal(payload, &t) != nil {
				return
			}
			e := messageEvent{At: t.At, Device: id, Topic: t.Topic, Payload: t.Payload, Direction: "down", Result: "sent"}
			if prefix == device.RefusedSubject {
				e.Direction, e.Result = "up", "refused: "+t.Why
			}
			m.Data = e
		}
		select {
		case v.events <- m:
		default:
		}
	}
}

func commandEventOf(c *command.Command) commandEvent {
	at := c.EndedAt
	if at.IsZero() {
		at = time.Now().UTC()
	}
	return commandEvent{c.ID, c.Device, string(c.Kind), string(c.State), string(c.Reason), c.Params, at, at.Sub(c.CreatedAt).Microseconds()}
}
