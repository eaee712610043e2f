package virtual

import (
	"context"
	"log/slog"
	"sync"
)

// Fleet is the virtual devices that run in this process, by the id of the device they play.
type Fleet struct {
	log  *slog.Logger
	runs sync.WaitGroup

	mu sync.Mutex
	of map[string]*Device
}

// NewFleet returns an empty fleet.
func NewFleet(log *slog.Logger) *Fleet {
	return &Fleet{log: log, of: make(map[string]*Device)}
}

// Start plays device id until ctx ends.
func (f *Fleet) Start(ctx context.Context, id string, c Config) *Device {
	d := New(c)
	f.mu.Lock()
	f.of[id] = d
	f.mu.Unlock()
	f.runs.Go(func() {
		if err := d.Run(ctx); err != nil {
			f.log.LogAttrs(ctx, slog.LevelWarn, "virtual device stopped", slog.String("device", id), slog.Any("error", err))
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.of[id] == d {
			delete(f.of, id)
		}
	})
	return d
}

// Find returns the virtual device that plays id, or nil.
func (f *Fleet) Find(id string) *Device {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.of[id]
}

// Wait returns when no device runs any more, after the contexts of all have ended.
func (f *Fleet) Wait() { f.runs.Wait() }
