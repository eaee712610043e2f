package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lampworks/alink"
	"lampworks/mqtt"
	"lampworks/triple"
	"lampworks/tsl"
)

// wide is a thing model with many numeric properties, so that a report of 1 kB is one that a large appliance sends.
func wide() map[string]any { return wideOf(24) }

func wideOf(n int) map[string]any {
	var props []map[string]any
	for i := range n {
		props = append(props, map[string]any{
			"identifier": fmt.Sprintf("channel%02dReading", i), "name": fmt.Sprintf("channel %d", i), "accessMode": "rw", "required": false,
			"dataType": map[string]any{"type": "int", "specs": map[string]any{"min": "0", "max": "100000", "step": "1", "unit": "%"}},
		})
	}
	return map[string]any{"schema": "https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json", "profile": map[string]any{}, "properties": props, "events": []any{}, "services": []any{}}
}

// report is a post of wide; turn makes each one different.
func report(turn int) []byte { return reportOf(24, turn) }

func reportOf(n, turn int) []byte {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"channel%02dReading":{"value":%d}`, i, 10_000+(turn*31+i*977)%80_000)
	}
	b.WriteByte('}')
	return []byte(b.String())
}

// check measures the thing-model check of a 1 kB post in this process.
func (b *bench) check(context.Context) error {
	doc, err := json.Marshal(wide())
	if err != nil {
		return fmt.Errorf("encoding the model: %w", err)
	}
	parsed, err := tsl.Parse(doc)
	if err != nil {
		return fmt.Errorf("reading the model: %w", err)
	}
	model, err := tsl.Compile(parsed)
	if err != nil {
		return fmt.Errorf("compiling the model: %w", err)
	}
	post := report(1)
	if v := model.CheckPost(post, func(*tsl.Property, []byte, int64) {}); v != nil {
		return v
	}
	r := testing.Benchmark(func(tb *testing.B) {
		tb.ReportAllocs()
		for tb.Loop() {
			if v := model.CheckPost(post, func(*tsl.Property, []byte, int64) {}); v != nil {
				tb.Fatal(v)
			}
		}
	})
	return b.print(Figure{Name: "check", Value: float64(r.NsPerOp()) / 1000, Unit: "us", N: r.N, Note: fmt.Sprintf("%d bytes, 24 properties, %d allocations", len(post), r.AllocsPerOp())})
}

const publishers = 64

// ingest measures checked and committed QoS 1 posts: gateway to Log at saturation, and with all consumers the highest rate
// at which none falls behind.
func (b *bench) ingest(ctx context.Context) error {
	for _, with := range []bool{false, true} {
		var flags []string
		if !with {
			flags = []string{"--no-consumers"}
		}
		if err := b.ingestOn(ctx, with, flags); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) ingestOn(ctx context.Context, consumers bool, flags []string) (err error) {
	s, err := b.serve(ctx, "", flags...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.signIn(ctx); err != nil {
		return err
	}
	m, err := s.manufacture(ctx, "sensor", wide(), publishers)
	if err != nil {
		return err
	}
	clients, _, err := s.connect(ctx, m, m.triples, nil)
	if err != nil {
		return err
	}
	defer drop(clients)
	name := "ingest.log"
	if consumers {
		name = "ingest.consumers.burst"
	}
	full, err := b.flood(ctx, s, m, clients, name, 0, b.span())
	if err != nil || !consumers {
		return err
	}
	return b.sustain(ctx, s, m, clients, full)
}

// sustain lowers the rate until no consumer's lag grows over a minute.
func (b *bench) sustain(ctx context.Context, s *server, m *maker, clients []*mqtt.Client, full float64) error {
	span := max(b.span(), 60*time.Second)
	for _, part := range []float64{0.9, 0.75, 0.6, 0.5, 0.4, 0.3, 0.2} {
		if err := s.caughtUp(ctx, 2*time.Minute); err != nil {
			return err
		}
		watching, stop := context.WithCancel(ctx)
		var lags []float64
		var watched error
		done := make(chan struct{})
		go func() {
			defer close(done)
			lags, watched = s.watchLag(watching)
		}()
		rate, err := b.flood(ctx, s, m, clients, fmt.Sprintf("ingest.consumers.%.0f%%", part*100), full*part, span)
		stop()
		<-done
		if err := errors.Join(err, watched); err != nil {
			return err
		}
		if t := trendOf(lags); t.sustained(rate) {
			return b.print(Figure{
				Name: "ingest.consumers.sustained", Value: rate, Unit: "1/s", N: len(lags),
				Note: fmt.Sprintf("lag %.0f records after a third, %.0f at the end of %s, growing by %.1f a second", t.early, t.late, span, t.slope),
			})
		}
	}
	return errors.New("lag grows even at a fifth of the burst rate")
}

// flood publishes for a while, at rate a second (0: as fast as acknowledgements come), and prints what was reached.
func (b *bench) flood(ctx context.Context, s *server, m *maker, clients []*mqtt.Client, name string, rate float64, span time.Duration) (float64, error) {
	var sent atomic.Int64
	var mu sync.Mutex
	var all []time.Duration
	var wg sync.WaitGroup
	errs := make([]error, len(clients))
	cpu, began := s.cpu(), time.Now()
	end := began.Add(span)
	for i, c := range clients {
		wg.Go(func() {
			var took []time.Duration
			took, errs[i] = publish(ctx, c, alink.PropertyPost.Topic(m.ProductKey, m.triples[i].MAC.String(), ""), rate/float64(len(clients)), end, &sent)
			mu.Lock()
			all = append(all, took...)
			mu.Unlock()
		})
	}
	wg.Wait()
	wall, spent := time.Since(began), s.cpu()-cpu
	if err := errors.Join(errs...); err != nil {
		return 0, err
	}
	n := int(sent.Load())
	p50, p99 := spread(all)
	got := float64(n) / wall.Seconds()
	return got, b.print(Figure{
		Name: name, Value: got, Unit: "1/s", P50: p50, P99: p99, N: n, CPUPerOpUS: float64(spent.Microseconds()) / float64(n), RSSBytes: s.memory("VmRSS"),
		Note: fmt.Sprintf("%d publishers, %d bytes, PUBACK after the commit", len(clients), len(report(1))),
	})
}

// publish posts one after the other until end and times each acknowledgement.
func publish(ctx context.Context, c *mqtt.Client, topic string, rate float64, end time.Time, sent *atomic.Int64) ([]time.Duration, error) {
	var took []time.Duration
	next := time.Now()
	for turn := 0; time.Now().Before(end) && ctx.Err() == nil; turn++ {
		payload := alink.AppendRequest(nil, strconv.Itoa(turn), "thing.event.property.post", report(turn))
		began := time.Now()
		if err := c.Publish(ctx, topic, payload, 1); err != nil {
			return took, fmt.Errorf("posting: %w", err)
		}
		took = append(took, time.Since(began))
		sent.Add(1)
		if rate > 0 {
			next = next.Add(time.Duration(float64(time.Second) / rate))
			time.Sleep(time.Until(next))
		}
	}
	return took, nil
}

// answering is a device that confirms every set at once.
func answering(m *maker, ts []triple.Triple) func(int, *mqtt.Client, mqtt.Message) {
	return func(i int, c *mqtt.Client, msg mqtt.Message) {
		name := ts[i].MAC.String()
		t, _, ok := alink.Match([]byte(msg.Topic), m.ProductKey, name)
		if !ok || t != alink.PropertySet {
			return
		}
		req, err := alink.ParseRequest(msg.Payload)
		if err != nil {
			return
		}
		_ = c.PublishAsync(alink.PropertyPost.Topic(m.ProductKey, name, ""), alink.AppendRequest(nil, "1", "thing.event.property.post", req.Params), nil)
		_ = c.PublishAsync(alink.PropertySetReply.Topic(m.ProductKey, name, ""), alink.AppendReply(nil, req.ID, alink.CodeOK, "success", nil, t.Method("")), nil)
	}
}
