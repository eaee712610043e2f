package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2/sse"

	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/uplink"
	"lampworks/tsl"
)

// seen is a device that a view shows: what it says since it stands in the home.
type seen struct {
	product string
	since   time.Time
}

// offered is an event that waits to be sent.
type offered struct {
	sse.Message
	lost func() // is told if it was not sent; nil: nobody asks
}

func (m *offered) giveBack() {
	if m.lost != nil {
		m.lost()
	}
}

// view is one browser that watches one home. One goroutine follows the Log, one writes, and those of the Bus offer.
type view struct {
	a       *API
	who     access.Actor
	home    string
	version int64                           // of the home when devices was read; the follower's
	past    uplink.Position                 // up to where the Log was when the view began
	pos     uplink.Position                 // the last that was looked at; the follower's
	devices atomic.Pointer[map[string]seen] // by id; replaced, never changed
	events  chan offered
	ending  sync.Mutex    // guards ended
	ended   bool          // nothing is sent any more
	dropped atomic.Uint64 // events of the Bus that did not fit, since the last gap that was told
}

func (v *view) load(ctx context.Context) error {
	h, err := v.a.Homes.Load(ctx, v.who, v.home)
	if err != nil {
		return err
	}
	devices := make(map[string]seen, len(h.Devices))
	for _, d := range h.Devices {
		devices[d.ID] = seen{d.Product, d.BoundAt}
	}
	v.devices.Store(&devices)
	v.version = h.Version
	return nil
}

// begin finds where to go on after the position a browser has seen (0: none), and how many records it cannot be given.
func (v *view) begin(seen uplink.Position) (lost uint64, gap bool) {
	tail, head := v.a.Log.Tail(), v.a.Log.Head()
	v.past = tail
	switch {
	case seen == 0:
		v.pos = tail
	case seen > tail: // of another Log: restored, or made anew
		v.pos, gap = tail, true
	case seen+1 < head: // trimmed meanwhile
		v.pos, lost, gap = head-1, uint64(head-1-seen), true
	default:
		v.pos = seen
	}
	if gap || v.pos == tail || tail-v.pos <= liveBehind {
		return lost, gap
	}
	lost = uint64(tail - v.pos)
	v.pos = tail
	return lost, true
}

// pump writes events, and a sign of life when there are none.
func (v *view) pump(ctx context.Context, send sse.Sender) {
	alive := time.NewTicker(liveEvery)
	defer alive.Stop()
	for {
		m := offered{}
		select {
		case <-ctx.Done():
			return
		case m = <-v.events:
		case <-alive.C:
			m.Data = pingEvent{moment(time.Now())}
		}
		if n := v.dropped.Swap(0); n > 0 && send(sse.Message{Data: gapEvent{n}}) != nil {
			m.giveBack()
			return
		}
		if send(m.Message) != nil {
			m.giveBack()
			return
		}
		if ctx.Err() != nil { // what is written to a connection that has just ended is accepted
			m.giveBack()
			return
		}
	}
}

// offer hands an event to the writer and waits while the browser is slow: the Log waits with it.
func (v *view) offer(ctx context.Context, m sse.Message) bool {
	select {
	case v.events <- offered{Message: m}:
		return true
	case <-ctx.Done():
		return false
	}
}

// follow reads the tail of the Log until ctx ends, or the right to see the home.
func (v *view) follow(ctx context.Context) {
	checked := time.Now()
	for ctx.Err() == nil {
		wait, cancel := context.WithTimeout(ctx, liveCheck)
		err := v.a.Log.Wait(wait, v.pos)
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return
		}
		if time.Since(checked) >= liveCheck || err != nil {
			if !v.holds(ctx) {
				return
			}
			checked = time.Now()
		}
		if err == nil && !v.advance(ctx) {
			return
		}
	}
}

// holds asks whether who watches may still do so, and reads the home again if it changed.
func (v *view) holds(ctx context.Context) bool {
	who, err := v.a.still(ctx, v.who, access.ReadHome)
	var version int64
	if err == nil {
		version, err = v.a.Homes.Version(ctx, who, v.home)
	}
	if err == nil && version != v.version {
		err = v.load(ctx)
	}
	if fault.Of(err) != nil && !fault.Passes(err) {
		return false // signed out, refused by a gate, or the home is gone
	}
	if err != nil && ctx.Err() == nil {
		v.a.Logger.LogAttrs(ctx, slog.LevelWarn, "live view not checked", slog.String("home", v.home), slog.Any("error", err))
	}
	return true
}

// advance sends what the Log has after v.pos, or says that it is too much.
func (v *view) advance(ctx context.Context) bool {
	if tail := v.a.Log.Tail(); tail-v.pos > liveBehind {
		lost := uint64(tail - v.pos)
		v.pos = tail
		return v.offer(ctx, sse.Message{ID: int(tail), Data: gapEvent{lost}})
	}
	records, err := v.a.Log.Read(ctx, v.pos, 500)
	if err != nil {
		if ctx.Err() == nil {
			v.a.Logger.LogAttrs(ctx, slog.LevelWarn, "live view ended", slog.String("home", v.home), slog.Any("error", err))
		}
		return false
	}
	for i := range records {
		if !v.record(ctx, &records[i]) {
			return false
		}
		v.pos = records[i].Pos
	}
	return true
}

// record turns one record into its events.
func (v *view) record(ctx context.Context, r *uplink.Record) bool {
	shown, ours := (*v.devices.Load())[r.Device]
	if !ours || r.Pos <= v.past && r.At.Before(shown.since) { // what it said in another home is that home's
		return true
	}
	switch r.Kind {
	case uplink.Presence:
		p, err := device.DecodePresence(r.Body)
		return err != nil || p.Replaced || v.offer(ctx, sse.Message{ID: int(r.Pos), Data: presenceEvent{r.Device, p.Online, moment(r.At), p.Reason}})
	case uplink.Message:
		m, err := device.DecodeMessage(r.Body)
		if err != nil {
			return true
		}
		if props := v.properties(ctx, shown.product, r, m); len(props) > 0 && !v.offer(ctx, sse.Message{Data: stateEvent{r.Device, props}}) {
			return false
		}
		return v.offer(ctx, sse.Message{ID: int(r.Pos), Data: messageEvent{
			Pos: uint64(r.Pos), At: moment(r.At), Direction: "up", Device: r.Device, Topic: r.Subject, Payload: jsonOf(m.Payload), Result: "stored",
			TookUS: time.Since(r.At).Microseconds(),
		}})
	}
	return true
}

func (v *view) properties(ctx context.Context, product string, r *uplink.Record, m device.Message) map[string]valueView {
	if !m.Reports() || m.Past() {
		return nil
	}
	model, err := v.a.Products.Model(ctx, product)
	if err != nil {
		if ctx.Err() == nil {
			v.a.Logger.LogAttrs(ctx, slog.LevelWarn, "a live view has no thing model", slog.String("product", product), slog.Any("error", err))
		}
		return nil
	}
	props := make(map[string]valueView)
	newest := make(map[string]time.Time) // of several values of one property in a batch
	m.Values(model, func(p *tsl.Property, value []byte, at int64) {
		t := r.At
		if at > 0 {
			t = time.UnixMilli(at)
		}
		if t.Before(newest[p.Identifier]) {
			return
		}
		newest[p.Identifier] = t
		props[p.Identifier] = valueView{append(json.RawMessage(nil), value...), moment(t)}
	})
	return props
}

// jsonOf is a payload as it is if it is JSON, and else as a string.
func jsonOf(b []byte) json.RawMessage {
	if json.Valid(b) {
		return b
	}
	s, err := json.Marshal(string(b))
	if err != nil {
		return nil
	}
	return s
}

// bus turns events that the Log does not hold into live ones.
func (v *view) bus(ctx context.Context, prefix string) func(string, []byte) {
	return func(subject string, payload []byte) {
		id := strings.TrimPrefix(subject, prefix)
		if _, ours := (*v.devices.Load())[id]; !ours {
			return
		}
		event := v.traffic(prefix, id, payload)
		if prefix == command.EndedSubject {
			c, err := v.a.Commands.Load(ctx, v.who, string(payload))
			if err != nil {
				return // a lost event costs a line of a view
			}
			event = commandEventOf(&c)
		}
		if event != nil {
			v.hint(event)
		}
	}
}

// hint offers an event that may be lost: what a slow browser does not take is dropped and counted.
func (v *view) hint(event any) {
	if !v.offered(offered{Message: sse.Message{Data: event}}) {
		v.dropped.Add(1)
	}
}

// offered offers an event, and says whether there was room for it.
func (v *view) offered(m offered) bool {
	select {
	case v.events <- m:
		return true
	default:
		return false
	}
}

// told offers what came of a sentence of the person who watches.
func (v *view) told(_ string, payload []byte) {
	var t voice.Telling
	if json.Unmarshal(payload, &t) != nil || t.User == "" || t.User != v.who.User {
		return
	}
	v.hint(sentenceEvent{t.Answer, t.Quiet})
}

func (v *view) traffic(prefix, id string, payload []byte) any {
	var t device.Traffic
	if json.Unmarshal(payload, &t) != nil {
		return nil
	}
	e := messageEvent{At: moment(t.At), Device: id, Topic: t.Topic, Payload: t.Payload, Direction: "down", Result: "sent"}
	switch prefix {
	case device.RefusedSubject:
		e.Direction, e.Result = "up", "refused: "+t.Why
	case device.AskedSubject:
		e.Direction, e.Result = "up", "answered"
	}
	return e
}

func commandEventOf(c *command.Command) commandEvent {
	at := c.EndedAt
	if at.IsZero() {
		at = time.Now()
	}
	return commandEvent{c.ID, c.Device, c.Kind, c.State, c.Reason, c.Params, moment(at), at.Sub(c.CreatedAt).Microseconds()}
}
