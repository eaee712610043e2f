package gateway

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/session"
	"lampworks/internal/infra/uplink"
)

// maxUnsaid bounds the ends that wait; the next start of the program finds out about those beyond.
const maxUnsaid = 100_000

// An end is that of a session: of what is written down of it, or of the device's being there.
type end struct {
	at       time.Time
	device   string
	presence device.Presence
	ended    *session.Ended // nil: it is the presence
}

// record is what the Log is to take. By then the device may have another session.
func (e *end) record(g *Gateway) uplink.Record {
	if e.ended != nil {
		return session.EndedRecord(e.device, e.at, e.ended)
	}
	p := e.presence
	if !p.Online {
		now := g.sessions.find(e.device)
		p.Replaced = now != nil && now.epoch != p.Epoch
	}
	return uplink.Record{At: e.at, Kind: uplink.Presence, Device: e.device, Subject: "presence", Body: p.Append(nil)}
}

// store hands the Log a record, and waits only for its taking. failed is told if it is not stored.
func (g *Gateway) store(ctx context.Context, r uplink.Record, failed func(error)) {
	ctx, cancel := context.WithTimeout(ctx, identifyTimeout)
	defer cancel()
	err := g.c.Log.Append(ctx, r, func(_ uplink.Position, err error) {
		if err != nil {
			failed(err)
		}
	})
	if err != nil {
		failed(err)
	}
}

// sayEnd hands the Log an end. One that it does not take waits.
func (g *Gateway) sayEnd(ctx context.Context, e end) {
	g.store(ctx, e.record(g), func(err error) {
		g.c.Logger.LogAttrs(context.Background(), slog.LevelWarn, "the end of a session was not stored", slog.String("device", e.device), slog.Any("error", err))
		g.unsaid.put(e)
	})
}

// unsaid is the ends that the Log has not taken.
type unsaid struct {
	mu  sync.Mutex // guards all
	all []end
}

func (u *unsaid) put(ends ...end) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.all = append(u.all, ends[:min(len(ends), maxUnsaid-len(u.all))]...)
}

func (u *unsaid) take() []end {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := u.all
	u.all = nil
	return all
}

// sayEnds hands the Log the ends that it has not taken: the first to find out whether it takes any, then the others together.
func (g *Gateway) sayEnds(ctx context.Context) {
	all := g.unsaid.take()
	if len(all) == 0 {
		return
	}
	if err := g.say(ctx, &all[0]); err != nil {
		g.unsaid.put(all...)
		g.c.Logger.LogAttrs(ctx, slog.LevelWarn, "ends of sessions wait to be stored", slog.Int("ends", len(all)), slog.Any("error", err))
		return
	}
	for _, e := range all[1:] {
		g.sayEnd(ctx, e)
	}
}

// say waits until the Log has an end.
func (g *Gateway) say(ctx context.Context, e *end) error {
	ctx, cancel := context.WithTimeout(ctx, identifyTimeout)
	defer cancel()
	done := make(chan error, 1)
	if err := g.c.Log.Append(ctx, e.record(g), func(_ uplink.Position, err error) { done <- err }); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
