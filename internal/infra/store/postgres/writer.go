package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"lampworks/internal/infra/fault"
)

const (
	retryPause = 50 * time.Millisecond  // between questions whether a lock is free, or the database back
	downPause  = 500 * time.Millisecond // how long a failed connection is taken for the answer to the next writer too
)

// A writer is the one connection that writes, and the transaction on it that a group shares.
type writer struct {
	options Options
	db      *sql.DB
	conn    *sql.Conn // nil: none now
	raw     *conn     // the same connection below database/sql
	pid     int64     // of its process on the server; stays known after the connection is lost
	name    string    // of this program on the server

	transaction string // number of the open transaction, to ask for after a lost answer

	down  error // why there was no connection
	since time.Time
}

func newWriter(db *sql.DB, o Options) *writer { return &writer{options: o, db: db} }

// open connects and takes the database for this program.
func (w *writer) open(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout+w.options.Busy)
	defer cancel()
	c, err := w.db.Conn(ctx)
	if err != nil {
		return err
	}
	w.conn = c
	err = c.Raw(func(dc any) error {
		w.raw = dc.(*conn)
		w.raw.parts, w.raw.patience = true, w.options.Patience
		return w.take(ctx)
	})
	if err != nil {
		w.drop()
	}
	return err
}

// take holds the lock that says this program uses the database. A process of our own on the server that has not noticed
// yet that its connection is lost is ended; a program that is about to end is waited for.
func (w *writer) take(ctx context.Context) error {
	try := `SELECT pg_try_advisory_lock($1)::int`
	if w.options.Shared {
		try = `SELECT pg_try_advisory_lock_shared($1)::int`
	}
	for began := time.Now(); ; {
		var got int
		if err := w.raw.pg.QueryRow(ctx, try, int64(nodeLock)).Scan(&got); err != nil {
			return w.raw.explain(err)
		}
		if got == 1 {
			break
		}
		if time.Since(began) > w.options.Busy {
			return fault.Unavailable("another program uses the database", nil)
		}
		if w.pid != 0 {
			_, err := w.raw.pg.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND application_name = $2`, w.pid, w.name)
			if err != nil {
				return w.raw.explain(err)
			}
		}
		if err := pause(ctx, retryPause); err != nil {
			return err
		}
	}
	w.pid = int64(w.raw.pg.PgConn().PID())
	w.name = w.raw.pg.Config().RuntimeParams["application_name"]
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// drop lets the connection go.
func (w *writer) drop() {
	if w.conn != nil {
		if w.raw != nil {
			_ = w.raw.Close() // so that the pool does not keep it
		}
		_ = w.conn.Close()
	}
	w.conn, w.raw = nil, nil
}

// connected has a connection, an old or a new one.
func (w *writer) connected() error {
	if w.conn != nil && !w.raw.pg.IsClosed() {
		return nil
	}
	w.drop()
	if w.down != nil && time.Since(w.since) < downPause {
		return w.down
	}
	w.down = w.open(context.Background())
	w.since = time.Now()
	if w.down == nil {
		w.options.Logger.LogAttrs(context.Background(), slog.LevelInfo, "the database can be written again")
	}
	return w.down
}

// Begin opens the transaction of a group and waits for the right to write over all programs. A connection that was lost
// while it rested is replaced.
func (w *writer) Begin() error {
	for again := false; ; again = true {
		if err := w.connected(); err != nil {
			return err
		}
		err := w.begin()
		if err == nil {
			return nil
		}
		if !gone(err) {
			w.Abandon()
			return err
		}
		w.drop()
		if again {
			return err
		}
	}
}

func (w *writer) begin() error {
	ctx, cancel := w.raw.bounded(context.Background())
	defer cancel()
	results, err := w.raw.pg.PgConn().Exec(ctx, `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; `+
		`SELECT pg_advisory_xact_lock(`+strconv.FormatInt(writeLock, 10)+`); SELECT pg_current_xact_id()::text`).ReadAll()
	switch {
	case err != nil && code(err) == "25006":
		return fault.Unavailable("the database takes no writes: the server is a standby", err)
	case err != nil:
		return w.raw.explain(err)
	case len(results) != 3 || len(results[2].Rows) != 1:
		return errors.New("the database gives the transaction no number")
	}
	w.transaction = string(results[2].Rows[0][0])
	w.raw.saved, w.raw.stale, w.raw.wrote, w.raw.part, w.raw.broken = false, false, false, false, nil
	return nil
}

// Mark notes where a member begins. Its savepoint goes out with its first statement.
func (w *writer) Mark(bool) error {
	w.raw.broken = nil
	return nil
}

// End keeps or undoes what was done since the mark.
func (w *writer) End(keep bool) (open bool, err error) {
	c := w.raw
	if c.pg.IsClosed() {
		if c.broken == nil {
			c.broken = lost{errors.New("the connection is closed"), true}
		}
		return false, c.broken
	}
	own := c.saved && !c.stale // it has run a statement
	if keep && c.broken == nil {
		c.stale = c.saved
		return true, nil
	}
	if own {
		if err := c.control(context.Background(), undoOne); err != nil {
			return false, err
		}
		c.wrote, c.part = false, false
	} else if c.pg.PgConn().TxStatus() != 'T' {
		return false, c.broken
	}
	return true, nil
}

// Commit ends the transaction. If the answer is lost, the database is asked for it.
func (w *writer) Commit() error {
	ctx, cancel := w.raw.bounded(context.Background())
	defer cancel()
	results, err := w.raw.pg.PgConn().Exec(ctx, "COMMIT").ReadAll()
	switch {
	case err == nil && len(results) == 1 && results[0].CommandTag.String() == "COMMIT":
		return nil
	case err == nil:
		return errors.New("the database undid the transaction")
	case !w.raw.pg.IsClosed() || pgconn.SafeToRetry(err):
		return w.raw.explain(err)
	}
	return w.outcome(w.transaction, w.raw.explain(err))
}

// Abandon ends a transaction that is lost.
func (w *writer) Abandon() {
	if w.raw == nil {
		return
	}
	if w.raw.pg.IsClosed() || w.raw.control(context.Background(), "ROLLBACK") != nil {
		w.drop()
	}
}

// outcome finds out what became of a transaction whose commit had no answer. Cause is why it had none.
func (w *writer) outcome(transaction string, cause error) error {
	w.drop()
	ctx, cancel := context.WithTimeout(context.Background(), w.options.Doubt)
	defer cancel()
	for {
		switch status, err := w.status(ctx, transaction); {
		case err == nil && status == "committed":
			w.options.Logger.LogAttrs(ctx, slog.LevelWarn, "the answer to a commit was lost; the database has it", slog.Any("cause", cause))
			return nil
		case err == nil && status == "aborted":
			return cause
		}
		if pause(ctx, retryPause) != nil {
			w.options.Logger.LogAttrs(ctx, slog.LevelError, "it is not known whether writes were kept: the database went away in their commit", slog.Any("cause", cause))
			return fault.Unconfirmed("the database went away while this was being written", cause)
		}
	}
}

// status asks what became of a transaction: committed, aborted, in progress.
func (w *writer) status(ctx context.Context, transaction string) (status string, err error) {
	if w.conn == nil || w.raw.pg.IsClosed() {
		w.drop()
		if err := w.open(ctx); err != nil {
			return "", err
		}
	}
	err = w.raw.pg.QueryRow(ctx, `SELECT COALESCE(pg_xact_status($1::text::xid8), '')`, transaction).Scan(&status)
	if err != nil {
		return "", fmt.Errorf("asking what became of transaction %s: %w", transaction, err)
	}
	return status, nil
}
