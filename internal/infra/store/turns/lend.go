package turns

import (
	"context"
	"database/sql"
	"iter"

	"lampworks/internal/infra/store"
)

// Lent is a connection in the hands of one function. What it leaves open is closed after it.
type Lent struct {
	conn   *sql.Conn
	steady bool
	rows   []*sql.Rows
}

var _ store.Conn = (*Lent)(nil)

// Lend gives a function the use of a connection. Steady: its statements do not end with the caller's context, because
// an interrupt in the middle of a shared transaction would undo the writes of others.
func Lend(c *sql.Conn, steady bool) *Lent { return &Lent{conn: c, steady: steady} }

func (l *Lent) context(ctx context.Context) context.Context {
	if l.steady {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// Exec runs a statement without rows.
func (l *Lent) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return l.conn.ExecContext(l.context(ctx), query, args...)
}

// Query runs a statement that gives rows.
func (l *Lent) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r, err := l.conn.QueryContext(l.context(ctx), query, args...)
	if err == nil {
		l.rows = append(l.rows, r)
	}
	return r, err
}

// QueryRow runs a statement that gives one row.
func (l *Lent) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return l.conn.QueryRowContext(l.context(ctx), query, args...)
}

// An inserter is the connection of an adapter, below database/sql.
type inserter interface {
	Insert(ctx context.Context, into string, rows iter.Seq[[]any]) error
}

// Insert adds rows by the way the adapter has.
func (l *Lent) Insert(ctx context.Context, into string, rows iter.Seq[[]any]) error {
	return l.conn.Raw(func(dc any) error { return dc.(inserter).Insert(l.context(ctx), into, rows) })
}

// Close ends what the function left open.
func (l *Lent) Close() {
	for _, r := range l.rows {
		_ = r.Close()
	}
}
