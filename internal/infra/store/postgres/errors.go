package postgres

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// A constraint is a violated key under the name that rooms know it by.
type constraint struct {
	error
	is error
}

func (c constraint) Is(target error) bool { return target == c.is }
func (c constraint) Unwrap() error        { return c.error }

// A lost connection took with it what was under way.
type lost struct {
	error
	writer bool
}

func (l lost) Unwrap() error { return l.error }

// gone says whether err came with the end of a connection.
func gone(err error) bool {
	_, ok := errors.AsType[lost](err)
	return ok
}

// code is PostgreSQL's code of an error (https://www.postgresql.org/docs/current/errcodes-appendix.html), empty for others.
func code(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// explain gives errors of keys the names that package store has for them, and notes that the connection was lost.
func (c *conn) explain(err error) error {
	if err == nil {
		return nil
	}
	switch code(err) {
	case "23505":
		return constraint{err, store.ErrDuplicate}
	case "23503":
		return constraint{err, store.ErrReference}
	}
	if c.pg.IsClosed() {
		return lost{err, c.parts}
	}
	return err
}

// unavailable turns errors of the server and the way to it into faults that an operator understands.
func unavailable(err error) error {
	if err == nil || fault.Of(err) != nil {
		return err
	}
	if what := sentence(err); what != "" {
		return fault.Unavailable(what, err)
	}
	return err
}

// sentence says what an operator should know of an error, nothing if it is no matter of the server.
func sentence(err error) string {
	c := code(err)
	switch c {
	case "28P01", "28000":
		return "the database refuses the login"
	case "3D000":
		return "there is no such database"
	case "53100":
		return "the disk of the database is full"
	case "53200":
		return "the database has no memory left"
	case "53300":
		return "the database takes no more connections"
	case "55P03":
		return "another program holds the database"
	case "40001", "40P01":
		return "another program changed the same rows"
	case "57014":
		return "the database does not answer in time"
	case "57P03":
		return "the database is starting or stopping"
	}
	switch {
	case strings.HasPrefix(c, "58"):
		return "the disk of the database gives errors"
	case c == "XX001" || c == "XX002":
		return "the database is damaged"
	}
	return unreached(err)
}

// unreached is sentence for errors of the way to the server.
func unreached(err error) string {
	l, wasLost := errors.AsType[lost](err)
	_, refused := errors.AsType[*pgconn.ConnectError](err)
	late := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
	switch {
	case wasLost && late && !l.writer:
		return "" // the caller's own context has ended
	case wasLost && late:
		return "the database does not answer in time"
	case wasLost:
		return "the connection to the database was lost"
	case refused:
		return "the database cannot be reached"
	}
	return ""
}

// closedError names the closed store as package store does.
func closedError(err error) error {
	if errors.Is(err, sql.ErrConnDone) || strings.HasSuffix(err.Error(), "database is closed") {
		return store.ErrClosed
	}
	return err
}
