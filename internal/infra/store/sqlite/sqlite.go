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
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	driversqlite "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/migrations"
	"lampworks/internal/infra/store/turns"
)

// Options are the choices of an operator. The zero value is right for one node.
type Options struct {
	Readers  int           // connections for reading; default 4
	MaxGroup int           // most writes that share one commit; default 512
	MaxHold  time.Duration // longest time a group stays open; default 10 ms
	CacheKiB int           // page cache of each connection; default 8192
	Busy     time.Duration // wait for another process that holds the file; default 5 s
	Slow     time.Duration // a function that writes for longer is warned of; default 1 s
	Reserve  int64         // bytes kept on the disk for urgent writes (store.Urgent) when it is full; default none
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
	e.reserve = newReserve(path, o.Reserve, o.Logger)
	var err error
	if e.writers, err = pool(path, o, 1, "synchronous(FULL)", "temp_store(MEMORY)"); err != nil {
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
		"journal_size_limit(67108864)", "wal_autocheckpoint(4000)",
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

// migrate brings the tables up to date over the one connection of db. The steps do not wait for the disk: one that a power
// cut takes back is taken again at the next start, and the first commit of an act, which waits, has them before it.
func migrate(ctx context.Context, db *sql.DB) error {
	steps, err := fs.Sub(migrations.SQLite, "sqlite")
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, `PRAGMA synchronous = NORMAL`); err != nil {
		return err
	}
	if err := found(ctx, db, migrations.NewSQLite); err != nil {
		return fmt.Errorf("making the tables: %w", err)
	}
	if err := migrations.Run(ctx, db, goose.DialectSQLite3, steps); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `PRAGMA synchronous = FULL`)
	return err
}

// found gives data that are new all tables at once.
func found(ctx context.Context, db *sql.DB, tables string) error {
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if empty, err := isEmpty(ctx, c); err != nil || !empty {
		return err
	}
	if _, err := c.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		return err
	}
	empty, err := isEmpty(ctx, c) // another program may have found the same
	if err == nil && empty {
		_, err = c.ExecContext(ctx, tables)
	}
	if err != nil {
		_, undo := c.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
		return errors.Join(err, undo)
	}
	_, err = c.ExecContext(ctx, `COMMIT`)
	return err
}

func isEmpty(ctx context.Context, c *sql.Conn) (bool, error) {
	var n int
	err := c.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_master`).Scan(&n)
	return n == 0, err
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
		e.turns = turns.New(&group{raw: e.raw}, turns.Options{MaxGroup: e.options.MaxGroup, MaxHold: e.options.MaxHold, Slow: e.options.Slow, Logger: e.options.Logger})
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
	turns   *turns.Turns
	reserve *reserve
}

// Write runs fn in its turn and returns after the commit that holds it.
// On a full disk one that is urgent is tried again with a piece of the reserve; nothing of the first try is left.
func (e *engine) Write(ctx context.Context, fn func(store.Conn) error) error {
	urgent := store.IsUrgent(ctx)
	for tries := 0; ; tries++ {
		if err := e.reserve.admit(urgent); err != nil {
			return err
		}
		err := e.turns.Write(ctx, func() error {
			w := turns.Lend(e.conn, true)
			defer w.Close()
			return fn(w)
		})
		if primary(err) != lib.SQLITE_FULL || !e.reserve.met(urgent) || tries == urgentTries {
			return unavailable(err)
		}
	}
}

// urgentTries is how often an urgent write is tried again on a full disk: others may take what the reserve gives back.
const urgentTries = 5

// A group is the transaction that writers share: each stands in a savepoint of its own.
// The first has none: a savepoint costs it two statements and a copy of every page that it changes, and most writers are alone.
type group struct {
	raw    *conn
	marked bool // the member that runs has a savepoint
}

func (g *group) Begin() error  { return g.raw.control("BEGIN IMMEDIATE") }
func (g *group) Commit() error { return g.raw.control("COMMIT") }
func (g *group) Abandon()      { _ = g.raw.control("ROLLBACK") }

// Mark begins a savepoint, unless there is nothing before it.
func (g *group) Mark(first bool) error {
	g.marked = !first
	if first {
		return nil
	}
	return g.raw.control("SAVEPOINT one")
}

// End keeps or undoes what the member did.
func (g *group) End(keep bool) (open bool, err error) {
	if g.marked {
		return true, g.endMarked(keep)
	}
	broken := g.raw.broken
	if keep && broken == nil {
		return true, nil
	}
	if err := g.raw.control("ROLLBACK"); err != nil && broken == nil { // else SQLite may have done so
		return false, err
	}
	if keep {
		return false, broken // the function went on after an error that may have ended the transaction
	}
	return false, nil
}

// endMarked keeps or undoes what was done since the savepoint.
func (g *group) endMarked(keep bool) error {
	broken := g.raw.broken
	if keep && broken == nil {
		return g.raw.control("RELEASE one")
	}
	if err := g.raw.control("ROLLBACK TO one"); err != nil { // SQLite has rolled back the whole group
		if broken != nil {
			return broken
		}
		return err
	}
	if err := g.raw.control("RELEASE one"); err != nil {
		return err
	}
	if keep {
		return broken // the function went on after an error that may have ended the transaction
	}
	return nil
}

// Close lets the writes that wait finish and closes the file.
func (e *engine) Close() error {
	if !e.turns.Close() {
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
	r := turns.Lend(c, false)
	defer func() {
		r.Close()
		err2 := control(c, "ROLLBACK")
		if err3 := c.Close(); err2 == nil {
			err2 = err3
		}
		if err == nil && err2 != nil && ctx.Err() == nil {
			err = unavailable(err2)
		}
	}()
	if err := control(c, "BEGIN"); err != nil {
		return unavailable(err)
	}
	return unavailable(fn(r))
}

// control runs a statement about the transaction below database/sql, whose way is several times as long.
func control(c *sql.Conn, query string) error {
	return c.Raw(func(dc any) error { return dc.(*conn).control(query) })
}

// Look runs one statement, which is a snapshot by itself. Being watched for the end of a context would cost it more than it
// takes.
func (e *engine) Look(ctx context.Context, query string, args, dest []any) error {
	c, err := e.readers.Conn(ctx)
	if err != nil {
		return unavailable(closedError(err))
	}
	err = c.QueryRowContext(context.WithoutCancel(ctx), query, args...).Scan(dest...)
	if err2 := c.Close(); err == nil {
		err = err2
	}
	return unavailable(err)
}
