// Package dayfile keeps the history in SQLite, one file a day of receipt: dropping a day is deleting a file.
//
// It owns the files points-YYYY-MM-DD.db of one directory and promises what [history.Series] asks: the points and the
// cursor they came with are one transaction of one file. Reading neither waits for writing nor holds it up.
package dayfile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"lampworks/internal/fleet/history"
	"lampworks/internal/infra/uplink"
)

// schema is one transaction: a reader finds all tables or none.
const schema = `
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS name (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE -- of a device or a property
);
CREATE TABLE IF NOT EXISTS report (
  device   INTEGER NOT NULL,
  at       INTEGER NOT NULL, -- unix milliseconds
  position INTEGER NOT NULL,
  n        INTEGER NOT NULL, -- of the first point
  points   BLOB    NOT NULL, -- see row.go
  PRIMARY KEY (device, at, position, n)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursor (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL);
COMMIT;
`

// maxOpen is how many days are held open for writing at once.
const maxOpen = 8

// Files is a directory of days. It implements [history.Series].
type Files struct {
	dir     string
	examine int // reports that one call of Points may look at

	mu   sync.Mutex
	open []*file // for writing, least recently used first
}

var _ history.Series = (*Files)(nil)

// Open opens or makes the directory.
func Open(dir string) (*Files, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the history's directory: %w", err)
	}
	return &Files{dir: dir, examine: maxExamined}, nil
}

// Close closes all files.
func (f *Files) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, d := range f.open {
		errs = append(errs, d.db.Close())
	}
	f.open = nil
	return errors.Join(errs...)
}

// file is one day.
type file struct {
	day   string
	db    *sql.DB
	names map[string]int64 // of devices and properties → id; guarded by Files.mu
}

const form = "2006-01-02"

func dayOf(t time.Time) string { return t.UTC().Format(form) }

func (f *Files) path(day string) string { return filepath.Join(f.dir, "points-"+day+".db") }

// days lists the days there are, oldest first.
func (f *Files) days() ([]string, error) {
	names, err := filepath.Glob(filepath.Join(f.dir, "points-*.db"))
	if err != nil {
		return nil, fmt.Errorf("listing the days: %w", err)
	}
	days := make([]string, 0, len(names))
	for _, n := range names {
		day := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(n), "points-"), ".db")
		if _, err := time.Parse(form, day); err == nil {
			days = append(days, day)
		}
	}
	slices.Sort(days)
	return days, nil
}

// use returns the open file of a day; the caller holds mu.
func (f *Files) use(ctx context.Context, day string) (*file, error) {
	if i := slices.IndexFunc(f.open, func(d *file) bool { return d.day == day }); i >= 0 {
		d := f.open[i]
		f.open = append(slices.Delete(f.open, i, i+1), d)
		return d, nil
	}
	db, err := sql.Open("sqlite", "file:"+f.path(day)+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)")
	if err != nil {
		return nil, fmt.Errorf("opening the points of %s: %w", day, err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the points of %s: %w", day, err), db.Close())
	}
	if len(f.open) >= maxOpen {
		if err := f.open[0].db.Close(); err != nil {
			return nil, errors.Join(fmt.Errorf("closing the points of %s: %w", f.open[0].day, err), db.Close())
		}
		f.open = f.open[1:]
	}
	d := &file{day: day, db: db, names: make(map[string]int64)}
	f.open = append(f.open, d)
	return d, nil
}

// Cursor implements [history.Series]: the newest position of any day.
func (f *Files) Cursor(ctx context.Context) (uplink.Position, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	days, err := f.days()
	if err != nil {
		return 0, err
	}
	var newest uplink.Position
	for _, day := range days[max(0, len(days)-3):] { // a clock may have gone back by some hours, not by days
		d, err := f.use(ctx, day)
		if err != nil {
			return 0, err
		}
		var pos uplink.Position
		err = d.db.QueryRowContext(ctx, "SELECT position FROM cursor").Scan(&pos)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return 0, fmt.Errorf("reading the cursor of %s: %w", day, err)
		}
		newest = max(newest, pos)
	}
	return newest, nil
}

// Write implements [history.Series].
func (f *Files) Write(ctx context.Context, upTo uplink.Position, received time.Time, points []history.Point) (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, err := f.use(ctx, dayOf(received))
	if err != nil {
		return err
	}
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning on %s: %w", d.day, err)
	}
	defer func() {
		if err != nil {
			d.names = make(map[string]int64) // ids drawn in the transaction are gone with it
			err = errors.Join(err, tx.Rollback())
		}
	}()
	if err := d.insert(ctx, tx, points); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO cursor (one, position) VALUES (1, ?)
		ON CONFLICT (one) DO UPDATE SET position = MAX(position, excluded.position)`, upTo)
	if err != nil {
		return fmt.Errorf("moving the cursor of %s: %w", d.day, err)
	}
	return tx.Commit()
}

func (d *file) insert(ctx context.Context, tx *sql.Tx, points []history.Point) error {
	if len(points) == 0 {
		return nil
	}
	put, err := tx.PrepareContext(ctx, "INSERT OR IGNORE INTO report (device, at, position, n, points) VALUES (?, ?, ?, ?, ?)")
	if err != nil {
		return fmt.Errorf("preparing to write points: %w", err)
	}
	defer put.Close()
	var row []byte
	for len(points) > 0 {
		p, n := &points[0], together(points)
		device, err := d.id(ctx, tx, p.Device)
		if err != nil {
			return err
		}
		row = row[:0]
		for i := range points[:n] {
			property, err := d.id(ctx, tx, points[i].Property)
			if err != nil {
				return err
			}
			row = appendPoint(row, uint64(property), points[i].Value)
		}
		if _, err := put.ExecContext(ctx, device, p.At.UnixMilli(), p.Pos, p.N, row); err != nil {
			return fmt.Errorf("writing the points of device %s: %w", p.Device, err)
		}
		points = points[n:]
	}
	return nil
}

// maxNames bounds the ids kept in memory for a day, some hundred bytes each.
const maxNames = 200_000

func (d *file) id(ctx context.Context, tx *sql.Tx, name string) (int64, error) {
	if id, ok := d.names[name]; ok {
		return id, nil
	}
	var id int64
	err := tx.QueryRowContext(ctx, `
		INSERT INTO name (name) VALUES (?)
		ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id`, name).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("entering the name %s: %w", name, err)
	}
	if len(d.names) >= maxNames {
		clear(d.names)
	}
	d.names[name] = id
	return id, nil
}

// Drop implements [history.Series].
func (f *Files) Drop(_ context.Context, t time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	days, err := f.days()
	if err != nil {
		return err
	}
	var errs []error
	for _, day := range days {
		if day >= dayOf(t) {
			break
		}
		if i := slices.IndexFunc(f.open, func(d *file) bool { return d.day == day }); i >= 0 {
			errs = append(errs, f.open[i].db.Close())
			f.open = slices.Delete(f.open, i, i+1)
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(f.path(day) + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, fmt.Errorf("dropping the points of %s: %w", day, err))
			}
		}
	}
	return errors.Join(errs...)
}
