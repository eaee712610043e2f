package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"time"

	"lampworks/internal/infra/uplink"
)

// Bounds of one commit and one step of trimming.
const (
	maxCommit  = 4 << 20 // bytes, about
	trimBlocks = 64
	noteEvery  = time.Second
)

// commitLoop writes what is queued until the log is closed and nothing is left.
// Between commits it writes cursors and trims, a few blocks at a time.
func (l *Log) commitLoop(answers chan<- []*block) {
	defer close(answers)
	trim := time.NewTicker(l.o.TrimEvery)
	defer trim.Stop()
	note := time.NewTicker(noteEvery)
	defer note.Stop()
	ctx := context.Background() // a commit is not given up half-way; closing ends the loop
	more := true                // perhaps there is something to trim
	for {
		if more { // what waits is committed first, but trimming has its turn under any load
			select {
			case <-l.wake:
				l.commit(ctx, answers)
			case <-l.closing:
				more = false
				continue
			default:
			}
			more = l.trim(ctx)
			continue
		}
		select {
		case <-l.wake:
			l.commit(ctx, answers)
		case <-trim.C:
			more = true
		case <-note.C:
			l.writeCursors(ctx)
		case <-l.closing:
			for l.commit(ctx, answers) {
			}
			l.writeCursors(ctx)
			return
		}
	}
}

// commit writes what is queued, or the first 4 MiB of it. False: nothing was.
func (l *Log) commit(ctx context.Context, answers chan<- []*block) bool {
	runtime.Gosched() // those who were just answered and come again share this commit
	blocks, next := l.take()
	if len(blocks) == 0 {
		return false
	}
	for _, b := range blocks {
		b.seal(next)
		next = b.last() + 1
	}
	err := l.file.commit(ctx, blocks)
	if err != nil {
		err = unavailable(fmt.Errorf("committing to the log: %w", err))
		l.o.Logger.LogAttrs(ctx, slog.LevelError, "uplink commit failed", slog.Any("error", err))
	}
	l.settle(blocks, err)
	answers <- blocks
	return true
}

// take removes from the queue what one commit writes, and gives the position of its first record.
func (l *Log) take() ([]*block, uplink.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, size := 0, 0
	for n < len(l.queue) && size < maxCommit {
		size += len(l.queue[n].data)
		n++
	}
	blocks := l.queue[:n:n]
	l.queue = l.queue[n:]
	if len(l.queue) == 0 {
		l.queue = nil
	} else {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	return blocks, l.tail + 1
}

// settle publishes a commit, or puts its error where its answers will find it, and makes room.
func (l *Log) settle(blocks []*block, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range blocks {
		l.records -= len(b.records)
		for i := range b.records {
			l.bytes -= b.records[i].Size()
		}
		if err != nil {
			b.err = err
			continue
		}
		l.tail = b.last()
		l.guess, l.guessRecords = min(len(b.data), maxBlock), len(b.records)
		l.recent.add(b, l.o.RecentBytes)
	}
	if l.space != nil {
		close(l.space)
		l.space = nil
	}
	if err == nil && l.grown != nil {
		close(l.grown)
		l.grown = nil
	}
}

// answerLoop calls back those whose records were committed, in order, while the next commit runs.
func (l *Log) answerLoop(answers <-chan []*block) {
	for blocks := range answers {
		for _, b := range blocks {
			for i, done := range b.done {
				switch {
				case done == nil:
				case b.err != nil:
					done(0, b.err)
				default:
					done(b.first+uplink.Position(i), nil)
				}
			}
			b.done = nil
		}
	}
}

// writeCursors writes down what consumers have noted.
func (l *Log) writeCursors(ctx context.Context) {
	l.mu.Lock()
	if !l.noted {
		l.mu.Unlock()
		return
	}
	l.noted = false
	cursors := maps.Clone(l.cursors)
	l.mu.Unlock()
	if err := l.file.note(ctx, cursors, l.o.Now().UnixMilli()); err != nil {
		l.o.Logger.LogAttrs(ctx, slog.LevelWarn, "uplink cursors not written", slog.Any("error", err))
		l.mu.Lock()
		l.noted = true
		l.mu.Unlock()
	}
}

// trim removes a few blocks that are too old or too much. True: there may be more.
func (l *Log) trim(ctx context.Context) bool {
	used, err := l.file.used(ctx)
	if err != nil {
		l.o.Logger.LogAttrs(ctx, slog.LevelError, "uplink trim failed", slog.Any("error", err))
		return false
	}
	now := l.o.Now()
	oldest, trusted := now.Add(-l.o.Keep).UnixMilli(), l.clock.Trusted(now)
	dropped := 0
	last, err := l.file.trim(ctx, trimBlocks, func(at int64, size int) bool {
		if (at >= oldest || !trusted) && used <= l.o.MaxBytes {
			return false
		}
		used -= int64(size)
		dropped++
		return true
	})
	if err != nil {
		l.o.Logger.LogAttrs(ctx, slog.LevelError, "uplink trim failed", slog.Any("error", err))
		return false
	}
	if last > 0 {
		l.trimmedTo(ctx, last)
	}
	return dropped == trimBlocks
}

// trimmedTo moves the head behind last and names what consumers have lost by it.
func (l *Log) trimmedTo(ctx context.Context, last uplink.Position) {
	l.mu.Lock()
	before := l.trimmed
	l.trimmed = last
	l.recent.forget(last)
	cursors := maps.Clone(l.cursors)
	l.mu.Unlock()
	for consumer, pos := range cursors {
		if pos >= last {
			continue
		}
		first := max(pos, before) + 1
		l.o.Logger.LogAttrs(ctx, slog.LevelError, "uplink records trimmed before a consumer read them",
			slog.String("consumer", consumer), slog.Uint64("first", uint64(first)), slog.Uint64("last", uint64(last)))
		if l.o.OnLost != nil {
			l.o.OnLost(consumer, first, last)
		}
	}
}
