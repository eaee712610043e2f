package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	lib "modernc.org/sqlite/lib"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// lent are the rows that a function was given; what it left open is closed after it.
type lent struct{ rows []*sql.Rows }

func (o *lent) keep(r *sql.Rows, err error) (*sql.Rows, error) {
	if err == nil {
		o.rows = append(o.rows, r)
	}
	return r, err
}

func (o *lent) closeRows() {
	for _, r := range o.rows {
		_ = r.Close()
	}
}

// A writing is the writing connection, lent to one function. Its statements do
// not end with the caller's context: an interrupt in the middle of a
// transaction would roll back the writes of others.
type writing struct {
	lent
	conn *sql.Conn
}

func (w *writing) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return w.conn.ExecContext(context.WithoutCancel(ctx), query, args...)
}

func (w *writing) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return w.keep(w.conn.QueryContext(context.WithoutCancel(ctx), query, args...))
}

func (w *writing) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return w.conn.QueryRowContext(context.WithoutCancel(ctx), query, args...)
}

// A reading is a reading connection, lent to one function.
type reading struct {
	lent
	conn *sql.Conn
}

func (r *reading) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return r.keep(r.conn.QueryContext(ctx, query, args...))
}

func (r *reading) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return r.conn.QueryRowContext(ctx, query, args...)
}

// unavailable turns errors of the disk and the file into faults that an operator understands.
func unavailable(err error) error {
	if err == nil || fault.Of(err) != nil {
		return err
	}
	switch primary(err) {
	case lib.SQLITE_FULL:
		return fault.Unavailable("the disk of the database is full", err)
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return fault.Unavailable("another process holds the database", err)
	case lib.SQLITE_IOERR:
		return fault.Unavailable("the disk of the database gives errors", err)
	case lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_PERM:
		return fault.Unavailable("the database file cannot be opened for writing", err)
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return fault.Unavailable("the database file is damaged", err)
	case lib.SQLITE_NOMEM:
		return fault.Unavailable("the database has no memory left", err)
	}
	return err
}

// closedError names the closed store as package store does.
func closedError(err error) error {
	if errors.Is(err, sql.ErrConnDone) || strings.HasSuffix(err.Error(), "database is closed") {
		return store.ErrClosed
	}
	return err
}
