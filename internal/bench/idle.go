package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"lampworks/alink"
	"lampworks/mqtt"
)

// start measures from exec to ready, on new data and on old, the memory of an idle server, and the size of the binary.
func (b *bench) start(ctx context.Context) error {
	const rounds = 10
	var first, again []time.Duration
	var rss int64
	for i := range rounds {
		dir, err := os.MkdirTemp("", "lampworks-bench-")
		if err != nil {
			return fmt.Errorf("making a directory: %w", err)
		}
		defer os.RemoveAll(dir)
		for _, list := range []*[]time.Duration{&first, &again} {
			s, err := b.serve(ctx, dir)
			if err != nil {
				return err
			}
			*list = append(*list, s.took)
			if i == rounds-1 && list == &again {
				time.Sleep(3 * time.Second)
				rss = s.memory("VmRSS")
			}
			if err := s.stop(); err != nil {
				return err
			}
		}
	}
	info, err := os.Stat(b.Program)
	if err != nil {
		return fmt.Errorf("looking at the binary: %w", err)
	}
	p50, p99 := spread(first)
	q50, q99 := spread(again)
	return errors.Join(
		b.print(Figure{Name: "start.first", Value: p50 / 1000, Unit: "ms", P50: p50, P99: p99, N: rounds, Note: "new data: keys and tables made, an operator's password hashed"}),
		b.print(Figure{Name: "start.again", Value: q50 / 1000, Unit: "ms", P50: q50, P99: q99, N: rounds}),
		b.print(Figure{Name: "idle.rss", Value: float64(rss) / (1 << 20), Unit: "MiB", RSSBytes: rss, N: 1}),
		b.print(Figure{Name: "binary.size", Value: float64(info.Size()) / (1 << 20), Unit: "MiB", N: 1}),
	)
}

// crowd makes n light triples on a server, restarts it so that provisioning leaves nothing in its memory, and returns both.
// Stopping the server removes its directory; on an error it is gone already.
func (b *bench) crowd(ctx context.Context, n int) (_ *server, _ *maker, err error) {
	dir, err := os.MkdirTemp("", "lampworks-bench-")
	if err != nil {
		return nil, nil, fmt.Errorf("making a directory: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	s, err := b.serve(ctx, dir)
	if err != nil {
		return nil, nil, err
	}
	m, err := s.light(ctx, n)
	operator, token := s.operator, s.token
	if err := errors.Join(err, s.stop()); err != nil {
		return nil, nil, err
	}
	if s, err = b.serve(ctx, dir); err != nil {
		return nil, nil, err
	}
	s.keep, s.operator, s.token = false, operator, token
	return s, m, nil
}

// light signs in and makes n triples of a light.
func (s *server) light(ctx context.Context, n int) (*maker, error) {
	if err := s.signIn(ctx); err != nil {
		return nil, err
	}
	return s.manufacture(ctx, "light", nil, n)
}

// sessions measures what an idle session costs in memory and a connect in processor time.
func (b *bench) sessions(ctx context.Context) (err error) {
	n := b.n(10_000)
	s, m, err := b.crowd(ctx, n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	time.Sleep(2 * time.Second)
	before, cpu := s.memory("VmRSS"), s.cpu()
	began := time.Now()
	clients, took, err := s.connect(ctx, m, m.triples, nil)
	if err != nil {
		return err
	}
	defer drop(clients)
	spent, wall := s.cpu()-cpu, time.Since(began)
	if err := postOnce(ctx, m, clients); err != nil {
		return err
	}
	p50, p99 := spread(took)
	peak := s.memory("VmRSS")
	time.Sleep(time.Duration(max(b.Seconds, 10)) * time.Second)
	after := s.memory("VmRSS")
	return errors.Join(
		b.print(Figure{Name: "sessions.connect", Value: float64(n) / wall.Seconds(), Unit: "1/s", P50: p50, P99: p99, N: n, CPUPerOpUS: float64(spent.Microseconds()) / float64(n), Note: "CONNECT, signature, SUBSCRIBE"}),
		b.print(Figure{Name: "sessions.idle", Value: float64(after-before) / float64(n), Unit: "B/session", N: n, RSSBytes: after, Note: "resident, after each posted once and traffic stopped"}),
		b.print(Figure{Name: "sessions.busy", Value: float64(peak-before) / float64(n), Unit: "B/session", N: n, RSSBytes: peak, Note: "resident, right after the posts"}),
	)
}

// postOnce lets every device say something.
func postOnce(ctx context.Context, m *maker, clients []*mqtt.Client) error {
	for i, c := range clients {
		topic := alink.PropertyPost.Topic(m.ProductKey, m.triples[i].MAC.String(), "")
		if err := c.Publish(ctx, topic, alink.AppendRequest(nil, "1", "thing.event.property.post", []byte(`{"powerstate":1,"brightness":50}`)), 0); err != nil {
			return fmt.Errorf("posting: %w", err)
		}
	}
	return nil
}

// storm drops all sessions at once and measures until all are back.
func (b *bench) storm(ctx context.Context) (err error) {
	n := b.n(5000)
	s, m, err := b.crowd(ctx, n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	clients, _, err := s.connect(ctx, m, m.triples, nil)
	if err != nil {
		return err
	}
	drop(clients)
	cpu, began := s.cpu(), time.Now()
	clients, took, err := s.connect(ctx, m, m.triples, nil)
	if err != nil {
		return err
	}
	wall, spent := time.Since(began), s.cpu()-cpu
	drop(clients)
	p50, p99 := spread(took)
	return b.print(Figure{Name: "storm.back", Value: wall.Seconds(), Unit: "s", P50: p50, P99: p99, N: n, CPUPerOpUS: float64(spent.Microseconds()) / float64(n)})
}

// restart kills the server under its sessions and measures until it is ready and all are back.
func (b *bench) restart(ctx context.Context) (err error) {
	n := b.n(5000)
	s, m, err := b.crowd(ctx, n)
	if err != nil {
		return err
	}
	dir := s.dir
	defer os.RemoveAll(dir)
	clients, _, err := s.connect(ctx, m, m.triples, nil)
	if err != nil {
		return errors.Join(err, s.stop())
	}
	if err := s.end(syscall.SIGKILL); err != nil {
		return err
	}
	drop(clients)
	began := time.Now()
	if s, err = b.serve(ctx, dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	clients, _, err = s.connect(ctx, m, m.triples, nil)
	if err != nil {
		return err
	}
	defer drop(clients)
	return errors.Join(
		b.print(Figure{Name: "restart.ready", Value: float64(s.took.Milliseconds()), Unit: "ms", N: n, Note: "after kill -9"}),
		b.print(Figure{Name: "restart.back", Value: time.Since(began).Seconds(), Unit: "s", N: n}),
	)
}

// triples measures a large order from application to workbook.
func (b *bench) triples(ctx context.Context) (err error) {
	n := b.n(1_000_000)
	s, err := b.serve(ctx, "", b.database()...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.signIn(ctx); err != nil {
		return err
	}
	m := new(maker)
	if err := s.call(ctx, "POST", "/api/v1/products", map[string]any{"category": "light", "names": map[string]string{"en": "bench"}}, m); err != nil {
		return err
	}
	path := b.Out
	if path == "" {
		path = filepath.Join(s.dir, "triples.xlsx")
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("making the workbook: %w", err)
	}
	defer f.Close()
	neighbour, err := s.neighbour(ctx)
	if err != nil {
		return err
	}
	cpu, began := s.cpu(), time.Now()
	writes := neighbour.start(ctx)
	if err := s.order(ctx, m, n); err != nil {
		return errors.Join(err, writes.stop())
	}
	issued := time.Since(began)
	if err := s.download(ctx, m, f); err != nil {
		return errors.Join(err, writes.stop())
	}
	total, peak := time.Since(began), s.memory("VmHWM")
	if err := writes.stop(); err != nil {
		return err
	}
	p50, p99 := spread(writes.took)
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("looking at the workbook: %w", err)
	}
	return errors.Join(
		b.print(Figure{Name: "triples.issued", Value: issued.Seconds(), Unit: "s", N: n}),
		b.print(Figure{
			Name: "triples.total", Value: total.Seconds(), Unit: "s", N: n, CPUPerOpUS: float64((s.cpu() - cpu).Microseconds()) / float64(n), RSSBytes: peak,
			Note: fmt.Sprintf("ordered, issued and downloaded, workbook of %d bytes; rss_bytes is the server's peak", info.Size()),
		}),
		b.print(Figure{
			Name: "triples.neighbour_write", Value: p99 / 1000, Unit: "ms", P50: p50, P99: p99, N: len(writes.took),
			Note: "p99 of another organisation's writes meanwhile, one after the other, 20 ms apart",
		}),
	)
}
