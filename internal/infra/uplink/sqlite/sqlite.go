// Package sqlite keeps the Log in one SQLite file of its own (modernc.org/sqlite, no cgo).
//
// It owns that file and promises what package uplink promises. Many appenders
// share one fsync: what comes while one commit runs is the next one. What was
// appended last is also kept in memory, so that consumers who keep up do not read the file.
package sqlite

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"lampworks/internal/infra/uplink"
	"lampworks/internal/infra/watch"
)

// Options are the choices of an operator. The zero value is right for one node.
type Options struct {
	Keep         time.Duration // what is older is trimmed, unless the clock jumped within a day; default 7 days
	MaxBytes     int64         // what is beyond is trimmed, oldest first; default 4 GiB
	QueueRecords int           // most records that wait for a commit; default 16384
	QueueBytes   int           // most bytes that wait for a commit; default 32 MiB
	MaxRecord    int           // largest record, bytes; default 1 MiB
	RecentBytes  int           // newest records kept in memory; default 4 MiB
	TrimEvery    time.Duration // how often retention is looked at; default 10 s
	Logger       *slog.Logger  // default: slog.Default

	// OnLost is called when records were trimmed which a consumer had not yet
	// committed. It is called from the log's goroutine and must not block.
	OnLost func(consumer string, first, last uplink.Position)

	// Now is the clock; default time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&o.QueueRecords, 16384)
	set(&o.QueueBytes, 32<<20)
	set(&o.MaxRecord, 1<<20)
	set(&o.RecentBytes, 4<<20)
	if o.Keep <= 0 {
		o.Keep = 7 * 24 * time.Hour
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 4 << 30
	}
	if o.TrimEvery <= 0 {
		o.TrimEvery = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// A Log is the open file.
type Log struct {
	o     Options
	file  *file
	clock watch.Clock

	wake    chan struct{} // has room for one: something waits to be committed
	closing chan struct{}
	ended   sync.WaitGroup // the two goroutines of the log

	mu      sync.Mutex // guards what follows; nothing blocks under it
	queue   []*block   // waits to be committed, the last one still open
	records int        // queued or being committed
	bytes   int
	space   chan struct{} // closed when there is room again; nil: nobody waits
	grown   chan struct{} // closed when the tail has grown; nil: nobody waits
	closed  bool
	tail    uplink.Position
	trimmed uplink.Position // the newest that was
	recent  recent
	cursors map[string]uplink.Position
	noted   bool // cursors has what the file has not

	guess, guessRecords int // size of the newest block, and how many records it has
}

var _ uplink.Log = (*Log)(nil)

// Open opens the log at path and makes it if there is none.
func Open(ctx context.Context, path string, o Options) (*Log, error) {
	f, err := openFile(ctx, path)
	if err != nil {
		return nil, err
	}
	l := &Log{
		o: o.withDefaults(), file: f,
		wake: make(chan struct{}, 1), closing: make(chan struct{}),
		tail: f.tail, trimmed: f.trimmed, cursors: f.cursors,
	}
	answers := make(chan []*block, 2)
	l.ended.Go(func() { l.commitLoop(answers) })
	l.ended.Go(func() { l.answerLoop(answers) })
	return l, nil
}

// Epoch names this life of the log. It is another one after a restore, where
// positions begin again and cursors of the former life mean nothing.
func (l *Log) Epoch() string { return l.file.epoch }

// Append queues r and returns; done follows after the fsync that holds it.
func (l *Log) Append(ctx context.Context, r uplink.Record, done func(uplink.Position, error)) error {
	size := r.Size()
	if size > l.o.MaxRecord {
		return uplink.ErrTooLarge
	}
	for {
		space, err := l.push(r, size, done)
		if space == nil {
			return err
		}
		select {
		case <-space:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// push queues r if there is room; otherwise it gives the channel that tells of room.
func (l *Log) push(r uplink.Record, size int, done func(uplink.Position, error)) (space chan struct{}, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, uplink.ErrClosed
	}
	if l.records > 0 && (l.records >= l.o.QueueRecords || l.bytes+size > l.o.QueueBytes) {
		if l.space == nil {
			l.space = make(chan struct{})
		}
		return l.space, nil
	}
	n := len(l.queue)
	if n == 0 || !l.queue[n-1].fits(&r) {
		l.queue = append(l.queue, l.newBlock(n > 0, size))
		n++
	}
	l.queue[n-1].add(r, done)
	l.records++
	l.bytes += size
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return nil, nil
}

// newBlock makes a block about as large as the one before, or a whole one while blocks queue up.
func (l *Log) newBlock(queueing bool, size int) *block {
	guess, records := l.guess, l.guessRecords
	if queueing {
		guess, records = maxBlock, max(records, 1)
	}
	return &block{
		at:      l.o.Now().UnixMilli(),
		data:    make([]byte, 0, max(guess, size)+crcSize),
		records: make([]uplink.Record, 0, records),
		bodies:  make([]int, 0, records),
		done:    make([]func(uplink.Position, error), 0, records),
	}
}

// Read gives up to limit records after the position, and stops early beyond 8 MiB.
func (l *Log) Read(ctx context.Context, after uplink.Position, limit int) ([]uplink.Record, error) {
	if limit <= 0 {
		return nil, nil
	}
	l.mu.Lock()
	closed, tail := l.closed, l.tail
	after = max(after, l.trimmed)
	got, hit := l.recent.read(after, limit)
	l.mu.Unlock()
	switch {
	case closed:
		return nil, uplink.ErrClosed
	case after >= tail:
		return nil, nil
	case hit:
		return got, nil
	}
	return l.readFile(ctx, after, limit)
}

// maxRead is about how many bytes one Read takes from the file.
const maxRead = 8 << 20

func (l *Log) readFile(ctx context.Context, after uplink.Position, limit int) ([]uplink.Record, error) {
	var out []uplink.Record
	size := 0
	err := l.file.scan(ctx, after+1, limit+1, func(records []uplink.Record) bool {
		for _, r := range records {
			if r.Pos <= after {
				continue
			}
			out = append(out, r)
			size += r.Size()
			if len(out) == limit {
				return false
			}
		}
		return size < maxRead
	})
	switch {
	case err == nil:
		return out, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case l.isClosed():
		return nil, uplink.ErrClosed
	}
	return nil, unavailable(err)
}

func (l *Log) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// Wait returns nil as soon as Tail is beyond after.
func (l *Log) Wait(ctx context.Context, after uplink.Position) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		l.mu.Lock()
		if l.tail > after {
			l.mu.Unlock()
			return nil
		}
		if l.closed {
			l.mu.Unlock()
			return uplink.ErrClosed
		}
		if l.grown == nil {
			l.grown = make(chan struct{})
		}
		grown := l.grown
		l.mu.Unlock()
		select {
		case <-grown:
		case <-ctx.Done():
		}
	}
}

// Tail is the position of the newest durable record.
func (l *Log) Tail() uplink.Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tail
}

// Head is the position of the oldest record kept.
func (l *Log) Head() uplink.Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trimmed + 1
}

// Note tells how far a consumer has committed. It is written down within a second or so.
func (l *Log) Note(consumer string, pos uplink.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if old, ok := l.cursors[consumer]; !ok || old != pos {
		l.cursors[consumer], l.noted = pos, true
	}
}

// Cursors gives what was noted.
func (l *Log) Cursors() map[string]uplink.Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.cursors)
}

// Queued is how many records wait for their commit, and their bytes.
func (l *Log) Queued() (records, bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.records, l.bytes
}

// Close commits what is queued, answers every Append and closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		l.ended.Wait()
		return nil
	}
	l.closed = true
	if l.space != nil {
		close(l.space)
		l.space = nil
	}
	l.mu.Unlock()
	close(l.closing)
	l.ended.Wait()
	l.mu.Lock()
	if l.grown != nil {
		close(l.grown)
		l.grown = nil
	}
	l.mu.Unlock()
	return l.file.close()
}
