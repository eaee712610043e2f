package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// own measures how what a session and a message cost changes with the number of devices, what TLS adds, and what is asked of this
// program alone.
func (b *bench) own(ctx context.Context, t *table, all []peer) error {
	few, some, many := b.n(5000)/5, b.n(5000), b.n(5000)*3
	for _, n := range []int{few, many} {
		for _, p := range all {
			if p.bound(n) < n {
				continue
			}
			if err := b.crowded(ctx, t, p, n, fmt.Sprintf(", %d of them", n), true); err != nil {
				return err
			}
		}
	}
	secure := *b
	secure.Transport = TLS
	certified, err := secure.findPeers()
	if err != nil {
		return err
	}
	for _, p := range certified {
		if p.name != "lampworks" && p.name != "mosquitto" {
			continue
		}
		if err := secure.crowded(ctx, t, p, some, fmt.Sprintf(", over TLS 1.3, %d of them", some), false); err != nil {
			return err
		}
	}
	for _, run := range []func() ([]Figure, error){
		func() ([]Figure, error) { return b.rush(ctx, many) },
		func() ([]Figure, error) { return b.revive(ctx, some*2) },
		func() ([]Figure, error) { return b.endure(ctx) },
	} {
		figures, err := run()
		if err != nil {
			return err
		}
		if err := b.note(t, "lampworks", "", figures); err != nil {
			return err
		}
	}
	return nil
}

// note prints figures of a peer, and has them in the table.
func (b *bench) note(t *table, peer, about string, figures []Figure) error {
	for _, f := range figures {
		f.Name += about
		t.add(peer, f)
		f.Name = peer + "." + f.Name
		if err := b.print(f); err != nil {
			return err
		}
	}
	return nil
}

// crowded measures n devices of a peer: what they cost to connect and to keep, and what each of their messages costs.
func (b *bench) crowded(ctx context.Context, t *table, p peer, n int, about string, posts bool) error {
	at, err := p.open(ctx, idling, n)
	if err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	figures, err := b.idle(ctx, at)
	if err == nil && posts {
		var more []Figure
		more, err = b.everybody(ctx, at)
		figures = append(figures, more...)
	}
	if err := errors.Join(err, at.close()); err != nil {
		return fmt.Errorf("measuring %d devices of %s: %w", n, p.name, err)
	}
	return b.note(t, p.name, about, figures)
}

// everybody lets all devices post in turn, and measures what a message costs until all that is to be done with it is done.
func (b *bench) everybody(ctx context.Context, at *place) ([]Figure, error) {
	clients, err := at.all(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer drop(clients)
	if at.caughtUp != nil {
		if err := at.caughtUp(ctx); err != nil {
			return nil, err
		}
	}
	var sent atomic.Int64
	var g errgroup.Group
	cpu, end := at.cpu(), time.Now().Add(b.span())
	for first := range publishers {
		g.Go(func() error {
			for i, turn := first, 0; time.Now().Before(end) && ctx.Err() == nil; i += publishers {
				if i >= len(clients) {
					i, turn = first, turn+1
				}
				if err := clients[i%len(clients)].Publish(ctx, at.devices[i%len(clients)].says, thinly(turn), 1); err != nil {
					return fmt.Errorf("posting: %w", err)
				}
				sent.Add(1)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if at.caughtUp != nil {
		if err := at.caughtUp(ctx); err != nil {
			return nil, err
		}
	}
	n := float64(sent.Load())
	return []Figure{{Name: "small post of QoS 1 in turn, all consumers, processor", Value: float64((at.cpu() - cpu).Microseconds()) / n, Unit: "µs", N: int(n)}}, nil
}

// endure measures posts with all consumers on: what one costs, and the highest rate tried at which no consumer's lag grows.
func (b *bench) endure(ctx context.Context) ([]Figure, error) {
	var seen []Figure
	quiet := *b
	quiet.seen = &seen
	if err := quiet.ingestOn(ctx, true, nil); err != nil {
		return nil, err
	}
	var out []Figure
	for _, f := range seen {
		f.Name = "posts with all consumers, " + strings.TrimPrefix(f.Name, "ingest.consumers.")
		if f.CPUPerOpUS > 0 {
			out = append(out, Figure{Name: f.Name + ", processor", Value: f.CPUPerOpUS, Unit: "µs", N: f.N})
		}
		out = append(out, Figure{Name: f.Name, Value: f.Value, Unit: f.Unit, N: f.N, Note: f.Note})
	}
	return out, nil
}
