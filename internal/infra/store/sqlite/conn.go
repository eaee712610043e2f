package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	driversqlite "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"lampworks/internal/infra/store"
)

// maxStatements is how many prepared statements a connection keeps. The program has a few hundred.
const maxStatements = 512

// A connector makes connections that keep their statements prepared.
type connector struct {
	driver.Connector
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	dc, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, explain(err)
	}
	return &conn{Conn: dc, statements: make(map[string]*statement)}, nil
}

// A conn is one connection of the driver with its prepared statements. One
// goroutine uses it at a time; database/sql sees to that.
type conn struct {
	driver.Conn
	statements map[string]*statement
	broken     error // what may have ended the transaction; no statement runs after it
}

// A statement is prepared once and used by one caller at a time.
type statement struct {
	driver.Stmt
	busy bool // rows of it are open
	kept bool // in the cache
}

// take gives the prepared statement for query. One that has rows open is not
// used again before they are closed: a second one is prepared instead.
func (c *conn) take(ctx context.Context, query string) (*statement, error) {
	if c.broken != nil {
		return nil, fmt.Errorf("the transaction has failed: %w", c.broken)
	}
	s, ok := c.statements[query]
	if ok && !s.busy {
		return s, nil
	}
	ds, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	if err != nil {
		return nil, c.note(err)
	}
	s = &statement{Stmt: ds}
	if !ok && c.room() {
		s.kept = true
		c.statements[query] = s
	}
	return s, nil
}

// room makes room for one more statement if it can.
func (c *conn) room() bool {
	if len(c.statements) < maxStatements {
		return true
	}
	for query, s := range c.statements { // any: which one is rarely a matter
		if !s.busy {
			delete(c.statements, query)
			_ = s.Close()
			return true
		}
	}
	return false
}

// free gives a statement back.
func (s *statement) free() error {
	s.busy = false
	if s.kept {
		return nil
	}
	return s.Close()
}

// ExecContext runs query by its prepared statement.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	r, err := s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	if e := s.free(); err == nil {
		err = e
	}
	return r, c.note(err)
}

// QueryContext runs query by its prepared statement, which is busy until the rows are closed.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	s.busy = true
	r, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		_ = s.free()
		return nil, c.note(err)
	}
	return &rows{Rows: r, s: s, c: c}, nil
}

// BeginTx begins a transaction of the driver; only the migrations use it.
func (c *conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

// ResetSession refuses a connection that the driver calls unusable.
func (c *conn) ResetSession(ctx context.Context) error {
	c.broken = nil
	return c.Conn.(driver.SessionResetter).ResetSession(ctx)
}

// IsValid says whether the connection may go back to the pool.
func (c *conn) IsValid() bool { return c.Conn.(driver.Validator).IsValid() }

// Close finalises the statements and the connection.
func (c *conn) Close() error {
	for _, s := range c.statements {
		_ = s.Close()
	}
	c.statements = nil
	return c.Conn.Close()
}

// control runs a statement about the transaction itself, also in a broken one.
func (c *conn) control(query string) error {
	c.broken = nil
	_, err := c.ExecContext(context.Background(), query, nil)
	return err
}

// note remembers an error after which SQLite may have rolled the whole transaction
// back, and translates it.
func (c *conn) note(err error) error {
	if err == nil {
		return nil
	}
	err = explain(err)
	if endsTransaction(err) {
		c.broken = err
	}
	return err
}

// rows frees its statement when it is closed.
type rows struct {
	driver.Rows
	s *statement
	c *conn
}

func (r *rows) Next(dest []driver.Value) error { return r.c.note(r.Rows.Next(dest)) }

func (r *rows) Close() error {
	err := r.Rows.Close()
	if e := r.s.free(); err == nil {
		err = e
	}
	return err
}

// A constraint is a violated key under the name that rooms know it by.
type constraint struct {
	error
	is error
}

func (c constraint) Is(target error) bool { return target == c.is }
func (c constraint) Unwrap() error        { return c.error }

// explain gives errors of keys the names that package store has for them.
func explain(err error) error {
	e, ok := errors.AsType[*driversqlite.Error](err)
	if !ok {
		return err
	}
	switch e.Code() {
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY, lib.SQLITE_CONSTRAINT_ROWID:
		return constraint{err, store.ErrDuplicate}
	case lib.SQLITE_CONSTRAINT_FOREIGNKEY:
		return constraint{err, store.ErrReference}
	}
	return err
}

// primary gives the primary result code of a driver error, 0 for others.
func primary(err error) int {
	if e, ok := errors.AsType[*driversqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// endsTransaction lists the errors upon which SQLite may roll back the whole
// transaction (https://www.sqlite.org/lang_transaction.html, section 3).
func endsTransaction(err error) bool {
	switch primary(err) {
	case lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_NOMEM, lib.SQLITE_BUSY, lib.SQLITE_INTERRUPT, lib.SQLITE_CORRUPT:
		return true
	}
	return false
}
