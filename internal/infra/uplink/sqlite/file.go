package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/google/uuid"
	driversqlite "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/uplink"
)

// schemaVersion is written into the file's user_version. A newer file is refused.
const schemaVersion = 1

const schema = `
CREATE TABLE block (
  first INTEGER NOT NULL PRIMARY KEY, -- position of the first record
  count INTEGER NOT NULL,
  at    INTEGER NOT NULL,             -- Unix milliseconds when the first record came
  data  BLOB    NOT NULL
);
CREATE TABLE log (
  one        INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  epoch      TEXT    NOT NULL, -- another one after a restore
  trimmed    INTEGER NOT NULL, -- the newest position that was trimmed
  created_at INTEGER NOT NULL
);
CREATE TABLE cursor (
  consumer TEXT    NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL,
  noted_at INTEGER NOT NULL
) WITHOUT ROWID;
PRAGMA user_version = 1;
`

// A file is the SQLite file of a log. The committing goroutine alone writes.
type file struct {
	writers *sql.DB
	readers *sql.DB
	conn    *sql.Conn
	insert  *sql.Stmt
	remove  *sql.Stmt
	read    *sql.Stmt
	waits   bool // a commit waits for the disk: synchronous is FULL

	epoch   string
	trimmed uplink.Position // as of opening
	tail    uplink.Position // as of opening
	cursors map[string]uplink.Position
}

func openFile(ctx context.Context, path string) (_ *file, err error) {
	f := &file{cursors: make(map[string]uplink.Position)}
	defer func() {
		if err != nil {
			_ = f.close()
			err = fmt.Errorf("opening the log %s: %w", path, unavailable(err))
		}
	}()
	if err := private(path); err != nil {
		return nil, err
	}
	common := []string{"busy_timeout(5000)", "cache_size(-4096)", "journal_size_limit(67108864)"}
	// 16 MiB of pages before a checkpoint instead of 4: a quarter of its fsyncs under load.
	if f.writers, err = pool(path, 1, append([]string{
		"page_size(8192)", "journal_mode(WAL)", "wal_autocheckpoint(2000)",
	}, common...)); err != nil {
		return nil, err
	}
	if f.conn, err = f.writers.Conn(ctx); err != nil {
		return nil, err
	}
	if err := f.prepare(ctx); err != nil {
		return nil, err
	}
	if f.readers, err = pool(path, 2, append([]string{"query_only(1)"}, common...)); err != nil {
		return nil, err
	}
	f.read, err = f.readers.PrepareContext(ctx, `
SELECT first, count, at, data
FROM block
WHERE first >= coalesce((SELECT max(first) FROM block WHERE first <= ?), 0)
ORDER BY first
LIMIT ?`)
	return f, err
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

func pool(path string, size int, pragmas []string) (*sql.DB, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + url.Values{"_pragma": pragmas}.Encode()
	c, err := driversqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// prepare makes the tables of a new file and reads where an old one stands.
func (f *file) prepare(ctx context.Context) error {
	var version int
	if err := f.conn.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return err
	}
	if version > schemaVersion {
		return fmt.Errorf("it has format %d, this program knows %d: start the newer program", version, schemaVersion)
	}
	if version == 0 {
		if err := f.create(ctx); err != nil {
			return err
		}
	}
	if err := f.load(ctx); err != nil {
		return err
	}
	var err error
	if f.insert, err = f.conn.PrepareContext(ctx,
		`INSERT INTO block (first, count, at, data) VALUES (?, ?, ?, ?)`); err != nil {
		return err
	}
	f.remove, err = f.conn.PrepareContext(ctx, `DELETE FROM block WHERE first <= ?`)
	return err
}

func (f *file) create(ctx context.Context) error {
	return f.transaction(ctx, func() error {
		if _, err := f.conn.ExecContext(ctx, schema); err != nil {
			return err
		}
		_, err := f.conn.ExecContext(ctx, `INSERT INTO log (one, epoch, trimmed, created_at) VALUES (1, ?, 0, ?)`,
			uuid.NewString(), time.Now().UnixMilli())
		return err
	})
}

// load reads epoch, ends and cursors.
func (f *file) load(ctx context.Context) error {
	err := f.conn.QueryRowContext(ctx, `SELECT epoch, trimmed FROM log WHERE one = 1`).Scan(&f.epoch, &f.trimmed)
	if err != nil {
		return err
	}
	f.tail = f.trimmed
	var last uplink.Position
	err = f.conn.QueryRowContext(ctx, `SELECT first + count - 1 FROM block ORDER BY first DESC LIMIT 1`).Scan(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	f.tail = max(f.tail, last)
	rows, err := f.conn.QueryContext(ctx, `SELECT consumer, position FROM cursor`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var pos uplink.Position
		if err := rows.Scan(&name, &pos); err != nil {
			return err
		}
		f.cursors[name] = pos
	}
	return rows.Err()
}

// transaction runs fn between BEGIN and COMMIT on the writing connection.
func (f *file) transaction(ctx context.Context, fn func() error) error {
	if _, err := f.conn.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		return err
	}
	err := fn()
	if err == nil {
		_, err = f.conn.ExecContext(ctx, `COMMIT`)
	}
	if err != nil {
		_, _ = f.conn.ExecContext(ctx, `ROLLBACK`)
	}
	return err
}

// lazily runs fn in a transaction that does not wait for the disk: what it changes
// may be undone by a crash, and is on disk with the next commit of records at the latest.
func (f *file) lazily(ctx context.Context, fn func() error) error {
	f.waits = false
	if _, err := f.conn.ExecContext(ctx, `PRAGMA synchronous = NORMAL`); err != nil {
		return err
	}
	return f.transaction(ctx, fn)
}

// commit writes blocks; when it returns nil they are on disk.
func (f *file) commit(ctx context.Context, blocks []*block) error {
	if !f.waits {
		if _, err := f.conn.ExecContext(ctx, `PRAGMA synchronous = FULL`); err != nil {
			return err
		}
		f.waits = true
	}
	if len(blocks) == 1 {
		return f.put(ctx, blocks[0])
	}
	return f.transaction(ctx, func() error {
		for _, b := range blocks {
			if err := f.put(ctx, b); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *file) put(ctx context.Context, b *block) error {
	_, err := f.insert.ExecContext(ctx, int64(b.first), len(b.records), b.at, b.data)
	return err
}

// scan reads rows from the one that holds pos on, and hands their records to take
// until that returns false.
func (f *file) scan(ctx context.Context, pos uplink.Position, most int, take func([]uplink.Record) bool) error {
	rows, err := f.read.QueryContext(ctx, int64(pos), most)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var first uplink.Position
		var count int
		var at int64
		var data []byte
		if err := rows.Scan(&first, &count, &at, &data); err != nil {
			return err
		}
		records, err := decode(first, at, count, data)
		if err != nil {
			return fmt.Errorf("records %d to %d of the log are damaged: %w", first, first+uplink.Position(count)-1, err)
		}
		if !take(records) {
			return nil
		}
	}
	return rows.Err()
}

// used is how many bytes of the file hold data.
func (f *file) used(ctx context.Context) (int64, error) {
	var bytes int64
	err := f.conn.QueryRowContext(ctx, `
SELECT (pages.page_count - free.freelist_count) * size.page_size
FROM pragma_page_count AS pages, pragma_freelist_count AS free, pragma_page_size AS size`).Scan(&bytes)
	return bytes, err
}

// trim removes blocks from the head while drop wants it, at most limit, and gives
// the newest position removed, 0 if none was.
func (f *file) trim(ctx context.Context, limit int, drop func(at int64, size int) bool) (last uplink.Position, err error) {
	rows, err := f.conn.QueryContext(ctx,
		`SELECT first, count, at, length(data) FROM block ORDER BY first LIMIT ?`, limit)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var first uplink.Position
	for rows.Next() {
		var f1, count uplink.Position
		var at int64
		var size int
		if err := rows.Scan(&f1, &count, &at, &size); err != nil {
			return 0, err
		}
		if !drop(at, size) {
			break
		}
		first, last = f1, f1+count-1
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || last == 0 {
		return 0, err
	}
	err = f.lazily(ctx, func() error {
		if _, err := f.remove.ExecContext(ctx, int64(first)); err != nil {
			return err
		}
		_, err := f.conn.ExecContext(ctx, `UPDATE log SET trimmed = ? WHERE one = 1`, int64(last))
		return err
	})
	return last, err
}

// note writes cursors down.
func (f *file) note(ctx context.Context, cursors map[string]uplink.Position, at int64) error {
	return f.lazily(ctx, func() error {
		for name, pos := range cursors {
			_, err := f.conn.ExecContext(ctx, `
INSERT INTO cursor (consumer, position, noted_at)
VALUES (?, ?, ?)
ON CONFLICT (consumer) DO UPDATE SET position = excluded.position, noted_at = excluded.noted_at`,
				name, int64(pos), at)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *file) close() error {
	var errs []error
	for _, s := range []*sql.Stmt{f.read, f.insert, f.remove} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	if f.readers != nil {
		errs = append(errs, f.readers.Close())
	}
	if f.conn != nil {
		errs = append(errs, f.conn.Close())
	}
	if f.writers != nil {
		errs = append(errs, f.writers.Close())
	}
	return errors.Join(errs...)
}

// unavailable turns errors of the disk into faults that an operator understands.
func unavailable(err error) error {
	e, ok := errors.AsType[*driversqlite.Error](err)
	if !ok {
		return err
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_FULL:
		return fault.Unavailable("the disk of the log is full", err)
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return fault.Unavailable("another process holds the log", err)
	case lib.SQLITE_IOERR:
		return fault.Unavailable("the disk of the log gives errors", err)
	case lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_PERM:
		return fault.Unavailable("the file of the log cannot be opened for writing", err)
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return fault.Unavailable("the file of the log is damaged", err)
	}
	return err
}
