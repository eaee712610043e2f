// Package postgres keeps the relational truth in one PostgreSQL database (jackc/pgx, no cgo).
//
// It owns its connections and promises what package store promises. Writers take turns on one connection, as on SQLite,
// each behind a savepoint of its own; the last of those who wait commits for all. Over every program that writes the
// database there is one writer at a time: a group holds a lock in the database from before its first look to its commit,
// so that what a write read still stands when it writes, and rows that a counter numbers commit in the order of their
// numbers. Readers have one snapshot each, and cannot write.
//
// Connections that are lost come back by themselves; what was under way is refused with [fault.Unavailable] and changed
// nothing. The one case in which that cannot be known at once is a commit whose answer was lost: then the database is
// asked what became of the transaction, and only if it cannot be asked in time does the writer hear that it is not
// known ([fault.Unsure]).
//
// PostgreSQL keeps text only: bytes that are no UTF-8, and NUL, are kept as U+FFFD.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/turns"
)

// Options are the choices of an operator. The zero value is right for one node.
type Options struct {
	Readers  int           // connections for reading; default 8
	MaxGroup int           // most writes that share one commit; default 512
	MaxHold  time.Duration // longest time a group stays open; default 10 ms
	Shared   bool          // other programs may use the database at the same time; else Open refuses one that is in use
	Busy     time.Duration // wait for another program that holds the database, or the right to write; default 5 s
	Patience time.Duration // wait for the answer to a statement, or to a connection; default 30 s, 5 s
	Doubt    time.Duration // wait for the database to say what became of a commit whose answer was lost; default 5 s
	Slow     time.Duration // a function that writes for longer is warned of; default 1 s
	Logger   *slog.Logger  // default: slog.Default
}

func (o Options) withDefaults() Options {
	if o.Readers <= 0 {
		o.Readers = 8
	}
	if o.MaxGroup <= 0 {
		o.MaxGroup = 512
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&o.MaxHold, 10 * time.Millisecond},
		{&o.Busy, 5 * time.Second},
		{&o.Patience, 30 * time.Second},
		{&o.Doubt, 5 * time.Second},
		{&o.Slow, time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Open connects to the database that address names (postgres://user@host:port/name), and brings its tables to the state
// this program knows. It refuses data that a newer program has changed, a database that another program uses, and one
// whose text is not ordered by its bytes. No error names the password.
func Open(ctx context.Context, address string, o Options) (*store.Store, error) {
	e, err := openEngine(ctx, address, o)
	if err != nil {
		return nil, fmt.Errorf("opening the database %s: %w", Name(address), unavailable(err))
	}
	return store.New(e), nil
}

// Name is what may be shown of an address: user, host and database, never the password or an option.
func Name(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" {
		return "postgres://…"
	}
	c, err := pgx.ParseConfig(address)
	if err != nil {
		return u.Scheme + "://" + u.Host + u.EscapedPath()
	}
	return fmt.Sprintf("%s://%s@%s:%d/%s", u.Scheme, c.User, c.Host, c.Port, c.Database)
}

func openEngine(ctx context.Context, address string, o Options) (*engine, error) {
	o = o.withDefaults()
	config, err := configure(address, o)
	if err != nil {
		return nil, err
	}
	e := &engine{options: o}
	e.writers = pool(config, 1)
	e.readers = pool(config, o.Readers)
	e.writer = newWriter(e.writers, o)
	e.turns = turns.New(e.writer, turns.Options{MaxGroup: o.MaxGroup, MaxHold: o.MaxHold, Slow: o.Slow, Logger: o.Logger})
	if err := e.start(ctx, config); err != nil {
		_ = e.close()
		return nil, err
	}
	return e, nil
}

// start takes the database before anything is looked at or changed, and then migrates.
func (e *engine) start(ctx context.Context, config *pgx.ConnConfig) error {
	if err := e.writer.open(ctx); err != nil {
		return err
	}
	if err := fit(ctx, e.readers, e.options.Logger); err != nil {
		return err
	}
	return migrate(ctx, config)
}

// fit refuses a database that would not keep what rooms rely on.
func fit(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	var version int
	var encoding, order, fsync string
	err := db.QueryRowContext(ctx, `
		SELECT current_setting('server_version_num')::bigint, pg_encoding_to_char(encoding), datcollate, current_setting('fsync')
		FROM pg_database
		WHERE datname = current_database()`).Scan(&version, &encoding, &order, &fsync)
	switch {
	case err != nil:
		return err
	case version < 140000:
		return fmt.Errorf("the server is PostgreSQL %d, want 14 or later", version/10000)
	case encoding != "UTF8" || order != "C" && order != "POSIX" && order != "C.UTF-8" && order != "C.utf8":
		return fmt.Errorf("its encoding is %s and its order %s, want UTF8 and C; "+
			"make it with: CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'", encoding, order)
	case fsync != "on":
		log.LogAttrs(ctx, slog.LevelWarn, "the database does not wait for its disk (fsync is off): a power cut loses what was acknowledged")
	}
	return nil
}

// An engine is the open database.
type engine struct {
	options Options
	writers *sql.DB // one connection, which writer holds
	readers *sql.DB
	writer  *writer // used only by who holds the right to write
	turns   *turns.Turns
}

// Write runs fn in its turn and returns after the commit that holds it.
func (e *engine) Write(ctx context.Context, fn func(store.Conn) error) error {
	return unavailable(e.turns.Write(ctx, func() error {
		w := turns.Lend(e.writer.conn, true)
		defer w.Close()
		err := fn(w)
		if err == nil {
			err = e.writer.raw.broken // fn went on after an error that ended its part
		}
		return err
	}))
}

// Read runs fn within one snapshot.
func (e *engine) Read(ctx context.Context, fn func(store.Querier) error) error {
	c, err := e.snapshot(ctx)
	if err != nil {
		return unavailable(err)
	}
	defer c.Close()
	r := turns.Lend(c, false)
	defer func() {
		r.Close()
		quick, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.options.Patience)
		defer cancel()
		_ = c.Raw(func(dc any) error { return dc.(*conn).control(quick, "ROLLBACK") }) // a connection that cannot is not used again
	}()
	return unavailable(fn(r))
}

// Look runs one statement, which is a snapshot by itself. A connection that was lost while it rested is replaced.
func (e *engine) Look(ctx context.Context, query string, args, dest []any) error {
	for tries := 0; ; tries++ {
		err := e.readers.QueryRowContext(ctx, query, args...).Scan(dest...)
		if err == nil {
			return nil
		}
		if !gone(err) || ctx.Err() != nil || tries > e.options.Readers {
			return unavailable(closedError(err))
		}
	}
}

// snapshot gives a connection in a transaction that cannot write. Connections that were lost while they rested are replaced.
func (e *engine) snapshot(ctx context.Context) (*sql.Conn, error) {
	for tries := 0; ; tries++ {
		c, err := e.readers.Conn(ctx)
		if err != nil {
			return nil, closedError(err)
		}
		err = c.Raw(func(dc any) error {
			return dc.(*conn).control(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
		})
		if err == nil {
			return c, nil
		}
		_ = c.Close()
		if !gone(err) || ctx.Err() != nil || tries > e.options.Readers {
			return nil, err
		}
	}
}

// Close lets the writes that wait finish and closes the connections.
func (e *engine) Close() error {
	if !e.turns.Close() {
		return nil
	}
	return e.close()
}

func (e *engine) close() error {
	e.writer.drop()
	return errors.Join(e.readers.Close(), e.writers.Close())
}
