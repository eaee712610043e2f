// Package store keeps the relational truth.
//
// It owns the connection to the database and the migrations, and no table of its own. It promises:
//   - when Write returns nil, what it wrote is on disk;
//   - when Write returns an error, it changed nothing, whatever other writers shared its fsync;
//   - Read sees one moment and cannot write;
//   - what was asked to run after the commit runs once, and never if there was none.
//
// Which database it is, only the adapter below knows (store/sqlite, store/postgres).
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"strings"
)

// Errors that callers may compare with [errors.Is].
var (
	ErrDuplicate = errors.New("a row with this key exists") // a unique or primary key was violated
	ErrReference = errors.New("a row refers to none")       // a foreign key was violated
	ErrClosed    = errors.New("the store is closed")
	ErrEnded     = errors.New("the transaction has ended")
	ErrNoRows    = sql.ErrNoRows
)

// A Querier reads: a [Tx] sees its own writes, a [View] one moment of the past.
// Placeholders are "?". The rows must be closed before the function that uses
// them returns; a row of QueryRow must be scanned.
type Querier interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) *sql.Row
}

// A Conn is what an adapter lends to a transaction.
type Conn interface {
	Querier
	Exec(ctx context.Context, query string, args ...any) (sql.Result, error)
	// Insert adds rows of as many values as into names columns. After an error nothing is kept of the transaction's part.
	Insert(ctx context.Context, into string, rows iter.Seq[[]any]) error
}

// An Engine is one adapter: a database, its connections and its group commit.
type Engine interface {
	// Write runs fn alone on the one writing connection and returns after the commit
	// that holds it. It rolls fn back alone if fn fails, panics or exits its goroutine.
	Write(ctx context.Context, fn func(Conn) error) error
	// Read runs fn on a connection that cannot write, within one snapshot.
	Read(ctx context.Context, fn func(Querier) error) error
	// Look runs one SELECT on a connection that cannot write, and scans its first row into dest; [ErrNoRows] if it has none.
	Look(ctx context.Context, query string, args, dest []any) error
	// Close lets what runs finish, refuses what comes later and frees the database.
	Close() error
}

// A Store is the database. All methods may be called by any goroutine.
type Store struct{ engine Engine }

// New gives the store over an adapter. Programs call the adapter's Open.
func New(e Engine) *Store { return &Store{e} }

// Write runs fn in a transaction and returns after the commit that holds it.
// Concurrent calls run one after the other, each as a part of its own of a
// transaction that shares one fsync; a part that fails rolls back alone. fn runs on the
// caller's goroutine while it holds the only right to write: it calls neither
// Write nor Read, does no I/O of its own and is short. If ctx ends before its turn
// fn does not run; once it has begun, the end of ctx does not stop it.
func (s *Store) Write(ctx context.Context, fn func(tx *Tx) error) error {
	tx := Tx{}
	err := s.engine.Write(ctx, func(c Conn) error {
		tx.conn, tx.after, tx.failed = c, nil, nil // an adapter may try again what left nothing
		defer func() { tx.conn = nil }()
		if err := runBefore(ctx, &tx); err != nil {
			return err
		}
		if err := fn(&tx); err != nil {
			return err
		}
		if err := runAlongside(ctx, &tx); err != nil {
			return err
		}
		return tx.failed
	})
	if err != nil {
		return err
	}
	for _, f := range tx.after {
		f()
	}
	return nil
}

// Read runs fn on one snapshot of the database. It runs beside writers and never
// waits for them; it ends with ctx.
func (s *Store) Read(ctx context.Context, fn func(v *View) error) error {
	return s.engine.Read(ctx, func(q Querier) error { return fn(&View{q}) })
}

// Look reads the first row that one SELECT gives into dest, or gives [ErrNoRows]. It sees one moment, as Read does, and costs
// half of it, as nothing begins or ends around it: for what is asked for whenever a device comes. The statement finds by keys:
// once it runs, the end of ctx may not stop it.
func (s *Store) Look(ctx context.Context, query string, args []any, dest ...any) error {
	if !strings.HasPrefix(strings.TrimLeft(query, " \t\n"), "SELECT ") {
		return fmt.Errorf("%.20q begins no SELECT", query)
	}
	return s.engine.Look(ctx, query, args, dest)
}

// Close waits for the calls that run, refuses those that come later and frees the database.
func (s *Store) Close() error { return s.engine.Close() }

// A Tx is one Write. It is used by its function only, and by one goroutine.
type Tx struct {
	conn   Conn
	after  []func()
	failed error // of Insert: some of its rows may be there
}

var _ Querier = (*Tx)(nil)

// Query runs a statement that gives rows. The end of ctx does not interrupt it.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if tx.conn == nil {
		return nil, ErrEnded
	}
	return tx.conn.Query(ctx, query, args...)
}

// QueryRow runs a statement that gives one row; scan it, also when it is not needed.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return tx.conn.QueryRow(ctx, query, args...)
}

// Exec runs a statement without rows.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if tx.conn == nil {
		return nil, ErrEnded
	}
	return tx.conn.Exec(ctx, query, args...)
}

// inserts is what Insert takes: no more than a table and its columns.
var inserts = regexp.MustCompile(`^\s*INSERT INTO \w+ \(\w+(?:, \w+)*\)\s*$`)

// Insert adds many rows by the fastest way the database has. into is the head of the statement, "INSERT INTO table (one, two)",
// and each row has a value for each of its columns; rows may give the same slice again and again. An error undoes the whole
// transaction, whatever its function makes of it.
func (tx *Tx) Insert(ctx context.Context, into string, rows iter.Seq[[]any]) error {
	if tx.conn == nil {
		return ErrEnded
	}
	if !inserts.MatchString(into) {
		return fmt.Errorf("%q is no head of an INSERT, want INSERT INTO table (column, column)", into)
	}
	if err := tx.conn.Insert(ctx, into, rows); err != nil {
		tx.failed = err
		return err
	}
	return nil
}

// AfterCommit runs f once, after the commit that holds this transaction and before
// its Write returns, on the same goroutine; never if it is rolled back. Functions
// of one transaction run in order; those of two may run in either order.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// A View is one Read. It is used by its function only.
type View struct{ q Querier }

var _ Querier = (*View)(nil)

// Query runs a statement that gives rows.
func (v *View) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return v.q.Query(ctx, query, args...)
}

// QueryRow runs a statement that gives one row; scan it, also when it is not needed.
func (v *View) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return v.q.QueryRow(ctx, query, args...)
}

type beforeKey struct{}

type before struct {
	fn   func(ctx context.Context, tx *Tx) error
	done bool
}

// Before gives a context whose first successful Write begins with fn, in the same transaction;
// its error undoes all. It is how an edge holds an act to what somebody saw; one goroutine uses the context.
func Before(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) context.Context {
	return context.WithValue(ctx, beforeKey{}, &before{fn: fn})
}

func runBefore(ctx context.Context, tx *Tx) error {
	b, _ := ctx.Value(beforeKey{}).(*before)
	if b == nil || b.done {
		return nil
	}
	tx.AfterCommit(func() { b.done = true })
	return b.fn(ctx, tx)
}

type alongsideKey struct{}

type alongside struct {
	fn   func(ctx context.Context, tx *Tx) error
	done bool
}

// Alongside gives a context whose first successful Write also runs fn, in the same
// transaction, after its own function. It is how an edge ties something to an
// act whose transaction belongs to a room; one goroutine uses the context.
func Alongside(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) context.Context {
	return context.WithValue(ctx, alongsideKey{}, &alongside{fn: fn})
}

func runAlongside(ctx context.Context, tx *Tx) error {
	a, _ := ctx.Value(alongsideKey{}).(*alongside)
	if a == nil || a.done {
		return nil
	}
	if err := a.fn(ctx, tx); err != nil {
		return err
	}
	tx.AfterCommit(func() { a.done = true })
	return nil
}
