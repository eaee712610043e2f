package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"lampworks/mqtt"
)

// echoes is how many devices answer commands.
const echoes = 20

// all connects every device of a place.
func (at *place) all(ctx context.Context, onMessage func(int, *mqtt.Client, mqtt.Message)) ([]*mqtt.Client, error) {
	clients := make([]*mqtt.Client, len(at.devices))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(64)
	for i := range at.devices {
		g.Go(func() (err error) {
			var hear func(*mqtt.Client, mqtt.Message)
			if onMessage != nil {
				hear = func(c *mqtt.Client, m mqtt.Message) { onMessage(i, c, m) }
			}
			clients[i], err = at.devices[i].dial(ctx, at.server, hear)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		drop(clients)
		return nil, fmt.Errorf("connecting devices: %w", err)
	}
	return clients, nil
}

// idle measures what connecting costs the processor, and a session that says nothing the memory.
func (b *bench) idle(ctx context.Context, at *place) ([]Figure, error) {
	n := float64(len(at.devices))
	before, cpu, began := at.memory("VmRSS"), at.cpu(), time.Now()
	clients, err := at.all(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer drop(clients)
	spent, wall := at.cpu()-cpu, time.Since(began)
	peak := at.memory("VmRSS")
	time.Sleep(max(b.span()/2, 2*time.Second))
	after := at.memory("VmRSS")
	return []Figure{
		{Name: "connect and subscribe, processor", Value: float64(spent.Microseconds()) / n, Unit: "µs", N: len(clients)},
		{Name: "connect and subscribe, rate", Value: n / wall.Seconds(), Unit: "1/s", N: len(clients)},
		{Name: "session, connecting", Value: float64(peak-before) / n, Unit: "B", N: len(clients), RSSBytes: peak},
		{Name: "session, idle", Value: float64(after-before) / n, Unit: "B", N: len(clients), RSSBytes: after},
	}, nil
}

// post measures messages of QoS 1 as fast as they are acknowledged.
func (b *bench) post(ctx context.Context, at *place) ([]Figure, error) {
	clients, err := at.all(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer drop(clients)
	var sent atomic.Int64
	var mu sync.Mutex
	var took []time.Duration
	var g errgroup.Group
	cpu, began := at.cpu(), time.Now()
	for i, c := range clients {
		g.Go(func() error {
			some, err := stream(ctx, c, at.devices[i].says, thickly, began.Add(b.span()), &sent)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, some...)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	wall, spent := time.Since(began), at.cpu()-cpu
	n := float64(sent.Load())
	_, p99 := spread(took)
	return []Figure{
		{Name: "QoS 1 posts of 1 kB, 64 publishers, rate", Value: n / wall.Seconds(), Unit: "1/s", N: int(n)},
		{Name: "QoS 1 posts, p99 of PUBACK", Value: p99 / 1000, Unit: "ms", N: int(n)},
		{Name: "QoS 1 posts, processor", Value: float64(spent.Microseconds()) / n, Unit: "µs", N: int(n)},
	}, nil
}

// stream posts with several messages under way until end, and times each acknowledgement.
func stream(ctx context.Context, c *mqtt.Client, topic string, payload func(int) []byte, end time.Time, sent *atomic.Int64) ([]time.Duration, error) {
	const window = 8
	var mu sync.Mutex
	var took []time.Duration
	var failed error
	free := make(chan struct{}, window)
	for turn := 0; time.Now().Before(end) && ctx.Err() == nil; turn++ {
		free <- struct{}{}
		began := time.Now()
		err := c.PublishAsync(topic, payload(turn), func(err error) {
			mu.Lock()
			took, failed = append(took, time.Since(began)), errors.Join(failed, err)
			mu.Unlock()
			sent.Add(1)
			<-free
		})
		if err != nil {
			return nil, fmt.Errorf("posting: %w", err)
		}
	}
	for range window {
		select {
		case free <- struct{}{}:
		case <-c.Done():
			return nil, c.Err()
		}
	}
	mu.Lock()
	defer mu.Unlock()
	return took, failed
}

// echo measures a command to a device and its answer back, at a steady rate: of this program over its API and committed, of the
// others from one client to another.
func (b *bench) echo(ctx context.Context, at *place) ([]Figure, error) {
	if at.stage != nil {
		for room := range at.stage.rooms { // warm
			if err := command(ctx, at.stage, room, 1); err != nil {
				return nil, err
			}
		}
		machine := pace(ctx, "")
		f, err := b.steady(ctx, at.stage, "commands", command)
		return echoed(&f, &machine), err
	}
	clients, err := at.all(ctx, func(i int, c *mqtt.Client, m mqtt.Message) {
		_ = c.PublishAsync(at.devices[i].says, m.Payload, nil)
	})
	if err != nil {
		return nil, err
	}
	defer drop(clients)
	answers := make(chan time.Time, 1024)
	boss := signed(1 << 20)
	boss.hears = "/sys/+/+/thing/event/property/post"
	c, err := boss.dial(ctx, at.server, func(*mqtt.Client, mqtt.Message) { answers <- time.Now() })
	if err != nil {
		return nil, err
	}
	defer c.Kill()
	var took []time.Duration
	machine := pace(ctx, "")
	tick := time.NewTicker(time.Second / time.Duration(max(b.Rate, 1)))
	defer tick.Stop()
	cpu := at.cpu()
	for end, i := time.Now().Add(b.span()), 0; time.Now().Before(end); i++ {
		<-tick.C
		began := time.Now()
		if err := c.PublishAsync(at.devices[i%echoes].hearsOn, []byte(`{"id":"1","params":{"brightness":50}}`), nil); err != nil {
			return nil, fmt.Errorf("commanding: %w", err)
		}
		select {
		case now := <-answers:
			took = append(took, now.Sub(began))
		case <-time.After(10 * time.Second):
			return nil, errors.New("a command was not answered within 10 s")
		}
	}
	f := Figure{N: len(took), CPUPerOpUS: float64((at.cpu() - cpu).Microseconds()) / float64(max(len(took), 1))}
	f.P50, f.P99 = spread(took)
	return echoed(&f, &machine), nil
}

func echoed(f, machine *Figure) []Figure {
	return []Figure{
		{Name: "command and answer at 100/s, p50", Value: f.P50 / 1000, Unit: "ms", N: f.N},
		{Name: "command and answer at 100/s, p99", Value: f.P99 / 1000, Unit: "ms", N: f.N},
		{Name: "the machine before it: fixed work, p99 to p50", Value: machine.Value, Unit: "ratio", N: machine.N},
		{Name: "command and answer, processor", Value: f.CPUPerOpUS, Unit: "µs", N: f.N},
	}
}
