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

// An end is that of a session that the Log has not taken: of what is written down of it, or of the device's being there.
type end struct {
	at       time.Time
	device   string
	presence device.Presence
	ended    *session.Ended // nil: it is the presence
}

// record is what the Log is to take. Meanwhile the device may have come back.
func (e *end) record(g *Gateway) uplink.Record {
	if e.ended != nil {
		return session.EndedRecord(e.device, e.at, e.ended)
	}
	p := e.presence
	if now := g.sessions.find(e.device); now != nil && now.epoch != p.Epoch {
		p.Replaced = true
	}
	return uplink.Record{At: e.at, Kind: uplink.Presence, Device: e.device, Subject: "presence", Body: p.Append(nil)}
}

// unsaid is the ends that wait, in the order in which they came.
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

// sayEnds hands the Log the ends that it has not taken, until it does.
func (g *Gateway) sayEnds(ctx context.Context) {
	all := g.unsaid.take()
	for i := range all {
		if err := g.say(ctx, &all[i]); err != nil {
			g.unsaid.put(all[i:]...)
			g.c.Logger.LogAttrs(ctx, slog.LevelWarn, "ends of sessions wait to be stored", slog.Int("ends", len(all)-i), slog.Any("error", err))
			return
		}
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
