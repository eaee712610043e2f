package uplink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Waits between two tries of a handler that failed.
const (
	firstWait = 10 * time.Millisecond
	longWait  = 5 * time.Second
)

// An Option changes how Follow works.
type Option func(*follower)

// Logger sends what Follow has to report to l instead of the default logger.
func Logger(l *slog.Logger) Option { return func(f *follower) { f.log = l } }

// Gap calls lost with the first and last position that were trimmed before the consumer saw them.
func Gap(lost func(first, last Position)) Option { return func(f *follower) { f.gap = lost } }

// Gather lets records gather for d after some were handed over, unless there was a whole batch: a consumer that nobody waits
// for commits once for many of them, and a record that comes alone does not wait.
func Gather(d time.Duration) Option { return func(f *follower) { f.gather = d } }

type follower struct {
	log    *slog.Logger
	gap    func(first, last Position)
	gather time.Duration
}

// Follow hands every record after from to handle, in order, up to batch at a
// time, until ctx ends; then it returns nil. handle commits its rows and its cursor
// in one transaction. If it fails the same records come again, after a wait that grows
// from 10 ms to 5 s. Positions trimmed before they were read are reported as an
// error of level Error: that promise was broken. The only errors it returns are
// that the log was closed and [ErrAhead].
func Follow(ctx context.Context, log Log, name string, from Position, batch int,
	handle func(context.Context, []Record) error, options ...Option,
) error {
	f := follower{log: slog.Default()}
	for _, o := range options {
		o(&f)
	}
	if tail := log.Tail(); from > tail {
		return fmt.Errorf("following as %s from %d, the log ends at %d: %w", name, from, tail, ErrAhead)
	}
	log.Note(name, from)
	for ctx.Err() == nil {
		records, err := f.next(ctx, log, name, from, batch)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			continue
		}
		if first := records[0].Pos; first != from+1 {
			f.lost(ctx, name, from+1, first-1)
		}
		if !f.handle(ctx, name, records, handle) {
			return nil
		}
		from = records[len(records)-1].Pos
		log.Note(name, from)
		if f.gather > 0 && len(records) < batch {
			pause(ctx, f.gather)
		}
	}
	return nil
}

// next waits for records after from. None and no error means: look again, or ctx has ended.
func (f *follower) next(ctx context.Context, log Log, name string, from Position, batch int) ([]Record, error) {
	if err := log.Wait(ctx, from); err != nil {
		if ctx.Err() != nil {
			return nil, nil
		}
		return nil, fmt.Errorf("waiting for records after %d as %s: %w", from, name, err)
	}
	records, err := log.Read(ctx, from, batch)
	switch {
	case err == nil || ctx.Err() != nil:
		return records, nil
	case errors.Is(err, ErrClosed):
		return nil, fmt.Errorf("reading after %d as %s: %w", from, name, err)
	}
	f.log.LogAttrs(ctx, slog.LevelError, "uplink read failed",
		slog.String("consumer", name), slog.Uint64("after", uint64(from)), slog.Any("error", err))
	pause(ctx, longWait)
	return nil, nil
}

// handle calls do until it succeeds; false means that ctx ended first.
func (f *follower) handle(ctx context.Context, name string, records []Record,
	do func(context.Context, []Record) error,
) bool {
	for wait := firstWait; ; wait = min(2*wait, longWait) {
		err := do(ctx, records)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		f.log.LogAttrs(ctx, slog.LevelWarn, "uplink consumer failed, trying again",
			slog.String("consumer", name), slog.Uint64("first", uint64(records[0].Pos)),
			slog.Int("records", len(records)), slog.Duration("wait", wait), slog.Any("error", err))
		if !pause(ctx, wait) {
			return false
		}
	}
}

func (f *follower) lost(ctx context.Context, name string, first, last Position) {
	f.log.LogAttrs(ctx, slog.LevelError, "uplink records lost to a consumer",
		slog.String("consumer", name), slog.Uint64("first", uint64(first)), slog.Uint64("last", uint64(last)))
	if f.gap != nil {
		f.gap(first, last)
	}
}

// pause waits for d; false means that ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// cursorLag is how often, at least, the cursor of a consumer is written while records come that do not concern it. They are read
// again after a crash, all those since the last that did at worst: what concerns whom may have changed by then, and is the
// consumer's to mind.
const cursorLag = 2 * time.Second

// A Lag lets a consumer that none of the records concerned leave its cursor where it is for a while: a row written for
// nothing costs as much as one that says something. One goroutine uses it; the zero Lag writes at once.
type Lag struct{ written time.Time }

// Due reports whether the cursor is to be written at now although nothing else is, and takes it for written.
func (l *Lag) Due(now time.Time) bool {
	if since := now.Sub(l.written); since >= 0 && since < cursorLag {
		return false
	}
	l.written = now
	return true
}
