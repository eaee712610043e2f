package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"lampworks/alink"
	"lampworks/mqtt"
)

// rush drops all devices at once and measures until all are back, and what the platform says of them.
func (b *bench) rush(ctx context.Context, n int) (_ []Figure, err error) {
	s, m, err := b.crowd(ctx, n)
	if err != nil {
		return nil, err
	}
	at, err := ownPlace(s, m)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, at.close()) }()
	clients, err := at.all(ctx, nil)
	if err != nil {
		return nil, err
	}
	time.Sleep(max(b.span()/2, 2*time.Second))
	before, cpu := at.memory("VmRSS"), at.cpu()
	drop(clients)
	began := time.Now()
	clients, again, err := at.insist(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer drop(clients)
	wall, spent := time.Since(began), at.cpu()-cpu
	if err := s.noneOffline(ctx, m); err != nil {
		return nil, err
	}
	shown := time.Since(began)
	time.Sleep(max(b.span(), 5*time.Second))
	name := fmt.Sprintf("storm of %d, ", n)
	return []Figure{
		{Name: name + "all back", Value: wall.Seconds(), Unit: "s", N: n},
		{Name: name + "and shown as online by the API", Value: shown.Seconds(), Unit: "s", N: n},
		{Name: name + "connections tried again", Value: float64(again), Unit: "", N: n},
		{Name: name + "processor", Value: float64(spent.Microseconds()) / float64(n), Unit: "µs a device", N: n},
		{Name: name + "memory after it", Value: 100 * float64(at.memory("VmRSS")) / float64(before), Unit: "% of before", N: n},
	}, nil
}

// noneOffline waits until the API lists no device of a product as offline.
func (s *server) noneOffline(ctx context.Context, m *maker) error {
	var page struct{ Items []listed }
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err := s.call(ctx, "GET", "/api/v1/devices?limit=1&online=false&product="+m.ID, nil, &page); err != nil {
			return err
		}
		if len(page.Items) == 0 {
			return nil
		}
	}
	return errors.New("a minute after all were back some devices are listed as offline")
}

// insist is all, but tries what failed again for a minute, and says how often.
func (at *place) insist(ctx context.Context, onMessage func(int, *mqtt.Client, mqtt.Message)) (clients []*mqtt.Client, again int64, err error) {
	clients = make([]*mqtt.Client, len(at.devices))
	var retries atomic.Int64
	end := time.Now().Add(time.Minute)
	var g errgroup.Group
	g.SetLimit(64)
	for i := range at.devices {
		g.Go(func() (err error) {
			var hear func(*mqtt.Client, mqtt.Message)
			if onMessage != nil {
				hear = func(c *mqtt.Client, m mqtt.Message) { onMessage(i, c, m) }
			}
			for {
				if clients[i], err = at.devices[i].dial(ctx, at.server, hear); err == nil || time.Now().After(end) || ctx.Err() != nil {
					return err
				}
				retries.Add(1)
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
	if err := g.Wait(); err != nil {
		drop(clients)
		return nil, 0, fmt.Errorf("connecting devices: %w", err)
	}
	return clients, retries.Load(), nil
}

// queued is how many commands wait for each of the devices that some wait for.
const queued = 100

// revive kills the program while devices whose sessions stay are away and commands wait for one in a hundred of them, and measures
// until it serves again, all are back, and every command has arrived.
func (b *bench) revive(ctx context.Context, n int) (_ []Figure, err error) {
	s, m, err := b.crowd(ctx, n)
	if err != nil {
		return nil, err
	}
	dir := s.dir
	defer os.RemoveAll(dir)
	waiting := max(n/100, 1)
	if err := s.leaveCommands(ctx, m, waiting); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	if err := s.end(syscall.SIGKILL); err != nil {
		return nil, err
	}
	began := time.Now()
	if s, err = b.serve(ctx, dir); err != nil {
		return nil, err
	}
	at, err := ownPlace(s, m)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, at.close()) }()
	at.stay()
	var came atomic.Int64
	clients, _, err := at.insist(ctx, func(i int, c *mqtt.Client, msg mqtt.Message) {
		came.Add(1)
		if req, err := alink.ParseRequest(msg.Payload); err == nil {
			_ = c.PublishAsync(msg.Topic+"_reply", alink.AppendReply(nil, req.ID, alink.CodeOK, "success", nil, ""), nil)
		}
	})
	if err != nil {
		return nil, err
	}
	defer drop(clients)
	back := time.Since(began)
	for end := time.Now().Add(time.Minute); came.Load() < int64(waiting*queued) && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if got := came.Load(); got != int64(waiting*queued) {
		return nil, fmt.Errorf("%d of %d commands that waited arrived", got, waiting*queued)
	}
	name := fmt.Sprintf("restart with %d sessions that stay and %d commands, ", n, waiting*queued)
	return []Figure{
		{Name: name + "ready", Value: s.took.Seconds(), Unit: "s", N: n},
		{Name: name + "all back", Value: back.Seconds(), Unit: "s", N: n},
		{Name: name + "all commands there, each once", Value: time.Since(began).Seconds(), Unit: "s", N: waiting * queued},
	}, nil
}

// stay makes sessions of devices outlive their connections.
func (at *place) stay() {
	for i := range at.devices {
		at.devices[i].config.Clean = false
	}
}

// leaveCommands lets all devices come and go, and gives commands to some of them.
func (s *server) leaveCommands(ctx context.Context, m *maker, devices int) error {
	at, err := ownPlace(s, m)
	if err != nil {
		return err
	}
	at.stay()
	clients, _, err := at.insist(ctx, nil)
	if err != nil {
		return err
	}
	drop(clients)
	all, err := s.devices(ctx, m)
	if err != nil {
		return err
	}
	var g errgroup.Group
	g.SetLimit(16)
	for _, d := range all[:devices] {
		g.Go(func() error {
			for range queued {
				in := map[string]any{"kind": "service", "service": "identify", "params": map[string]any{}, "deadline_ms": 3_600_000}
				if err := s.call(ctx, "POST", "/api/v1/devices/"+d.ID+"/commands", in, nil); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}
