// Package sqlite keeps the relational truth in one SQLite file (modernc.org/sqlite, no cgo).
//
// It owns the file and promises what package store promises, by write-ahead log
// and synchronous=FULL. Writers take turns on one connection, each inside a
// savepoint of its own; the last of those who wait commits for all of them, so
// that they share one fsync. Readers have connections of their own that cannot write.
package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"runtime"
	"strings"
	"time"

	driversqlite "modernc.org/sqlite"

	"lampworks/internal/infra/store"
)

// Options are the choices of an operator. The zero value is right for one node.
type Options struct {
	Readers  int           // connections for reading; default 4
	MaxGroup int           // most writes that share one commit; default 512
	MaxHold  time.Duration // longest time a group stays open; default 10 ms
	CacheKiB int           // page cache of each connection; default 8192
	Busy     time.Duration // wait for another process that holds the file; default 5 s
	Slow     time.Duration // a function that writes for longer is warned of; default 1 s
	Logger   *slog.Logger  // default: slog.Default
}

func (o Options) withDefaults() Options {
	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.MaxGroup <= 0 {
		o.MaxGroup = 512
	}
	if o.MaxHold <= 0 {
		o.MaxHold = 10 * time.Millisecond
	}
	if o.CacheKiB <= 0 {
		o.CacheKiB = 8192
	}
	if o.Busy <= 0 {
		o.Busy = 5 * time.Second
	}
	if o.Slow <= 0 {
		o.Slow = time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Open opens the file at path, makes it if there is none, and brings its tables
// to the state this program knows. It refuses data that a newer program has changed.
func Open(ctx context.Context, path string, o Options) (*store.Store, error) {
	e, err := openEngine(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("opening the database %s: %w", path, unavailable(err))
	}
	return store.New(e), nil
}

func openEngine(ctx context.Context, path string, o Options) (*engine, error) {
	o = o.withDefaults()
	e := &engine{options: o}
	if err := private(path); err != nil {
		return nil, err
	}
	var err error
	if e.writers, err = pool(path, o, 1, "synchronous(FULL)"); err != nil {
		return nil, err
	}
	if e.readers, err = pool(path, o, o.Readers, "query_only(1)"); err != nil {
		_ = e.writers.Close()
		return nil, err
	}
	if err := e.start(ctx); err != nil {
		_ = e.readers.Close()
		_ = e.writers.Close()
		return nil, err
	}
	return e, nil
}

// private makes the file readable by its owner only if there is none yet; SQLite
// gives its other files the same mode.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// pool opens connections to path, each with the given pragmas.
func pool(path string, o Options, size int, pragmas ...string) (*sql.DB, error) {
	pragmas = append([]string{
		fmt.Sprintf("busy_timeout(%d)", o.Busy.Milliseconds()),
		"journal_mode(WAL)",
		"foreign_keys(1)",
		fmt.Sprintf("cache_size(-%d)", o.CacheKiB),
		"journal_size_limit(67108864)",
	}, pragmas...)
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{"_pragma": pragmas}.Encode()}
	if !strings.HasPrefix(path, "/") {
		dsn.Path, dsn.Opaque = "", (&url.URL{Path: path}).EscapedPath()
	}
	base, err := driversqlite.NewConnector(dsn.String())
	if err != nil {
		return nil, fmt.Errorf("naming the database %s: %w", path, err)
	}
	db := sql.OpenDB(connector{base})
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// start migrates and takes the one connection that writes.
func (e *engine) start(ctx context.Context) error {
	if err := migrate(ctx, e.writers); err != nil {
		return err
	}
	c, err := e.writers.Conn(ctx)
	if err != nil {
		return err
	}
	e.conn = c
	return c.Raw(func(dc any) error {
		e.raw = dc.(*conn)
		return nil
	})
}

// An engine is the open file.
type engine struct {
	options Options
	writers *sql.DB
	readers *sql.DB
	conn    *sql.Conn // used only by who holds the right to write
	raw     *conn     // the same connection below database/sql

	queue queue
	group group // touched only by who holds the right to write
}

// A group is the writes that wait for one commit.
type group struct {
	open    bool
	since   time.Time
	members []chan error
}

// Write runs fn in its turn and returns after the commit that holds it.
func (e *engine) Write(ctx context.Context, fn func(store.Conn) error) error {
	if err := e.queue.enter(ctx); err != nil {
		return err
	}
	answer := make(chan error, 1)
	joined, err := e.run(ctx, fn, answer)
	if joined {
		err = <-answer
	}
	return unavailable(err)
}

// run carries fn out inside a savepoint. When it returns, or fn panics or exits
// its goroutine, the right to write has gone on. Joined means that answer will tell of the commit.
func (e *engine) run(ctx context.Context, fn func(store.Conn) error, answer chan error) (joined bool, err error) {
	if err := ctx.Err(); err != nil {
		e.settle()
		return false, err
	}
	if err := e.begin(); err != nil {
		e.settle()
		return false, err
	}
	w := &writing{conn: e.conn}
	kept := false
	began := time.Now()
	defer func() {
		if took := time.Since(began); took > e.options.Slow {
			e.options.Logger.LogAttrs(ctx, slog.LevelWarn, "a write kept all others waiting", slog.Duration("took", took))
		}
		w.closeRows()
		if err2 := e.end(kept); err2 != nil { // SQLite has rolled back the whole group
			e.fail(err2)
			joined, err = false, err2
		} else if kept {
			e.group.members = append(e.group.members, answer)
			joined = true
		}
		e.settle()
	}()
	if err := fn(w); err != nil {
		return false, err
	}
	kept = true
	return true, nil
}

// begin opens the group if there is none, and a savepoint in it.
func (e *engine) begin() error {
	if !e.group.open {
		if err := e.raw.control("BEGIN IMMEDIATE"); err != nil {
			return err
		}
		e.group.open, e.group.since = true, time.Now()
	}
	return e.raw.control("SAVEPOINT one")
}

// end keeps or undoes what was done since the savepoint. An error means that the
// whole transaction is gone, or must go.
func (e *engine) end(keep bool) error {
	broken := e.raw.broken
	if keep && broken == nil {
		return e.raw.control("RELEASE one")
	}
	if err := e.raw.control("ROLLBACK TO one"); err != nil {
		if broken != nil {
			return broken
		}
		return err
	}
	if err := e.raw.control("RELEASE one"); err != nil {
		return err
	}
	if keep {
		return broken // fn went on after an error that may have ended the transaction
	}
	return nil
}

// settle passes the right to write on, with the group still open if somebody may
// join it, else after the commit.
func (e *engine) settle() {
	g := &e.group
	if len(g.members) < e.options.MaxGroup && (!g.open || time.Since(g.since) < e.options.MaxHold) {
		if len(g.members) > 0 {
			runtime.Gosched() // those who are about to come share this commit
		}
		if e.queue.pass() {
			return
		}
	}
	e.commit()
	e.queue.leave()
}

// commit ends the group and tells its members.
func (e *engine) commit() {
	if !e.group.open {
		return
	}
	err := e.raw.control("COMMIT")
	if err != nil {
		_ = e.raw.control("ROLLBACK")
		err = fmt.Errorf("committing: %w", err)
	}
	e.answer(err)
}

// fail ends a group whose transaction is lost.
func (e *engine) fail(err error) {
	_ = e.raw.control("ROLLBACK")
	e.answer(fmt.Errorf("another write of the same transaction ended it: %w", err))
}

func (e *engine) answer(err error) {
	for _, m := range e.group.members {
		m <- err
	}
	clear(e.group.members)
	e.group.members = e.group.members[:0]
	e.group.open = false
}

// Close lets the writes that wait finish and closes the file.
func (e *engine) Close() error {
	if !e.queue.close() {
		return nil
	}
	err := e.readers.Close()
	for _, c := range []func() error{e.conn.Close, e.writers.Close} {
		if err2 := c(); err == nil {
			err = err2
		}
	}
	return err
}

// Read runs fn within one snapshot.
func (e *engine) Read(ctx context.Context, fn func(store.Querier) error) (err error) {
	c, err := e.readers.Conn(ctx)
	if err != nil {
		return unavailable(closedError(err))
	}
	r := &reading{conn: c}
	defer func() {
		r.closeRows()
		_, err2 := c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		if err3 := c.Close(); err2 == nil {
			err2 = err3
		}
		if err == nil && err2 != nil && ctx.Err() == nil {
			err = unavailable(err2)
		}
	}()
	if _, err := c.ExecContext(context.WithoutCancel(ctx), "BEGIN"); err != nil {
		return unavailable(err)
	}
	return unavailable(fn(r))
}
