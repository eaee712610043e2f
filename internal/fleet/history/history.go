// Package history keeps what devices reported over time (历史数据).
//
// It owns the points of every property, behind [Series] with one adapter for each size of the platform, and promises:
//   - each report of the uplink Log becomes its points once, also when the process is killed while writing: the points and
//     the position they came from are one transaction;
//   - past values stand where they happened, in whatever order they come, and one that comes again is the same point;
//   - the day of receipt decides when a point is dropped, the device's own time is what it is found by;
//   - a device of another organisation has no history: it is not found.
//
// Points are eventually those of the Log, a fraction of a second behind.
package history

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"time"

	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/uplink"
	"lampworks/internal/infra/watch"
	"lampworks/internal/partner/product"
	"lampworks/tsl"
)

// A Point is one value of one property at one time.
type Point struct {
	Pos      uplink.Position // of the report it came from; 0: a past value, of which N says what it is
	N        int             // its place within the report
	Device   string
	Property string
	At       time.Time // by the device where it said one, else of receipt; milliseconds
	Received time.Time
	Value    []byte // JSON, as it came
}

// A Query asks for the points of one property, oldest first.
type Query struct {
	Device, Property string
	From, To         time.Time // From ≤ At < To
	After            *Point    // the last point of the page before
	Limit            int
}

// Series stores points. Its adapters pass the suite in historytest. Safe for concurrent use; Write has one caller.
type Series interface {
	// Cursor is the newest position that is written with all before it.
	Cursor(ctx context.Context) (uplink.Position, error)
	// Write stores the points of the records up to and with a position. A point that is there already is left as it is.
	Write(ctx context.Context, upTo uplink.Position, received time.Time, points []Point) error
	Points(ctx context.Context, q Query) ([]Point, error)
	// Drop removes what was received before the day of t (UTC).
	Drop(ctx context.Context, t time.Time) error
	// Erase removes every point of some devices, and their names.
	Erase(ctx context.Context, devices []string) error
	// Holds counts what is kept of some devices.
	Holds(ctx context.Context, devices []string) (int64, error)
	Close() error
}

// Keep is how long points are kept where nothing else is configured.
const Keep = 30 * 24 * time.Hour

// maxAhead is how far a device's clock may run ahead before its times are taken as those of receipt.
const maxAhead = 10 * time.Minute

// Service answers for histories. It is safe for concurrent use.
type Service struct {
	series   Series
	devices  *device.Service
	products *product.Service
	keep     time.Duration
	log      *slog.Logger
	clock    watch.Clock
}

// New returns the service over a series, which stays the caller's to close. keep 0 is [Keep].
func New(series Series, devices *device.Service, products *product.Service, keep time.Duration, log *slog.Logger) *Service {
	if keep == 0 {
		keep = Keep
	}
	return &Service{series: series, devices: devices, products: products, keep: keep, log: log}
}

// MaxPoints is the largest page of points.
const MaxPoints = 1000

// Points returns a page of the points of a property, oldest first, and whether more follow.
func (s *Service) Points(ctx context.Context, who access.Actor, q Query) ([]Point, bool, error) {
	if q.Limit == 0 {
		q.Limit = 100
	}
	if q.Limit < 1 || q.Limit > MaxPoints {
		return nil, false, fault.Invalid("/limit", fmt.Sprint(q.Limit), fmt.Sprintf("an integer from 1 to %d", MaxPoints), "ask for fewer and follow the cursor")
	}
	if !q.From.Before(q.To) {
		return nil, false, fault.Invalid("/from", fault.Stamp(q.From), "a time before /to", "exchange the two")
	}
	if _, err := s.devices.Load(ctx, who, q.Device); err != nil {
		return nil, false, err
	}
	limit := q.Limit
	q.Limit++
	points, err := s.series.Points(ctx, q)
	if err != nil {
		return nil, false, fmt.Errorf("reading the history of %s of device %s: %w", q.Property, q.Device, err)
	}
	if len(points) > limit {
		return points[:limit], true, nil
	}
	return points, false, nil
}

const (
	batch  = 5000
	linger = 100 * time.Millisecond // a history may be late: fewer, larger transactions
)

// drop forgets what is too old, unless the clock jumped within a day: then nobody knows what is.
func (s *Service) drop(ctx context.Context, now time.Time) {
	if !s.clock.Trusted(now) {
		return
	}
	if err := s.series.Drop(ctx, now.Add(-s.keep)); err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "old points were not dropped", slog.Any("error", err))
	}
}

// Follow keeps the points as the Log tells them and drops what is too old, until ctx ends.
func (s *Service) Follow(ctx context.Context, log uplink.Log) error {
	from, err := s.series.Cursor(ctx)
	if err != nil {
		return fmt.Errorf("reading the cursor of the history: %w", err)
	}
	s.clock.Look(time.Now())
	var dropped time.Time
	return uplink.Follow(ctx, log, "history", from, batch, func(ctx context.Context, records []uplink.Record) error {
		if err := s.write(ctx, records); err != nil {
			return err
		}
		if now := time.Now(); now.Sub(dropped) > time.Hour {
			s.drop(ctx, now)
			dropped = now
		}
		return nil
	}, uplink.Logger(s.log), uplink.Gather(linger))
}

// write stores a batch, day of receipt by day of receipt, so that each day's cursor tells the truth.
func (s *Service) write(ctx context.Context, records []uplink.Record) error {
	var points []Point
	for i, r := range records {
		if r.Kind == uplink.Message {
			var err error
			if points, err = s.split(ctx, r, points); err != nil {
				return err
			}
		}
		last := i == len(records)-1
		if last || day(records[i+1].At) != day(r.At) {
			if err := s.series.Write(ctx, r.Pos, r.At, points); err != nil {
				return fmt.Errorf("writing %d points up to position %d: %w", len(points), r.Pos, err)
			}
			points = points[:0]
		}
	}
	return nil
}

func day(t time.Time) int64 { return t.Unix() / 86400 }

// split appends the points of one record.
func (s *Service) split(ctx context.Context, r uplink.Record, points []Point) ([]Point, error) {
	m, err := device.DecodeMessage(r.Body)
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "message record passed over", slog.Uint64("position", uint64(r.Pos)), slog.Any("error", err))
		return points, nil
	}
	if !m.Reports() {
		return points, nil
	}
	model, err := s.products.Model(ctx, m.Product)
	if err != nil {
		return points, fmt.Errorf("opening the thing model of product %s: %w", m.Product, err)
	}
	n := 0
	m.Values(model, func(p *tsl.Property, value []byte, at int64) {
		point := Point{Pos: r.Pos, N: n, Device: r.Device, Property: p.Identifier, At: r.At, Received: r.At, Value: value}
		n++
		switch {
		case m.Past():
			point.Pos, point.N, point.At = 0, fingerprint(p.Identifier, value), time.UnixMilli(at).UTC()
		case at > 0 && at <= r.At.Add(maxAhead).UnixMilli():
			point.At = time.UnixMilli(at).UTC()
		}
		points = append(points, point)
	})
	return points, nil
}

// fingerprint is the place of a past value among those of its time: it follows from what it says, so that one which is
// posted again is the same point.
func fingerprint(property string, value []byte) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(property))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write(value)
	return int(h.Sum32() >> 1)
}
