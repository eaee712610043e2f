package dayfile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"lampworks/internal/fleet/history"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/uplink"
)

// maxExamined bounds the reports of one device that a page may cost, some hundred milliseconds.
const maxExamined = 200_000

// Points implements [history.Series]. A late report stands in the file of its receipt, so every day from the first that
// can hold it is asked; once a page is full, for what stands before its end only.
func (f *Files) Points(ctx context.Context, q history.Query) ([]history.Point, error) {
	days, err := f.days()
	if err != nil {
		return nil, err
	}
	r := reading{q: q, left: f.examine, most: f.examine}
	first := dayOf(q.From.Add(-24 * time.Hour)) // received before it happened: only a clock that runs ahead does that
	for _, day := range days {
		if day < first {
			continue
		}
		if err := r.day(ctx, f.path(day)); err != nil {
			return nil, fmt.Errorf("reading the points of %s: %w", day, err)
		}
	}
	return r.out, nil
}

// reading is one call of Points.
type reading struct {
	q    history.Query
	out  []history.Point // in order
	left int             // reports that may be looked at
	most int
}

// day reads one file over a connection of its own, which changes nothing.
func (r *reading) day(ctx context.Context, path string) (err error) {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	defer func() {
		err = errors.Join(err, db.Close())
		if _, gone := os.Stat(path); err != nil && errors.Is(gone, fs.ErrNotExist) {
			err = nil // dropped meanwhile
		}
	}()
	var made bool
	if err := db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'report')").Scan(&made); err != nil || !made {
		return err
	}
	var device int64
	var property uint64
	err = db.QueryRowContext(ctx, "SELECT d.id, p.id FROM name d, name p WHERE d.name = ? AND p.name = ?", r.q.Device, r.q.Property).Scan(&device, &property)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("finding %s of device %s: %w", r.q.Property, r.q.Device, err)
	}
	had := len(r.out)
	if err := r.points(ctx, db, device, property); err != nil {
		return err
	}
	if had < len(r.out) {
		r.merge()
	}
	return nil
}

// points appends what a file has of the page.
func (r *reading) points(ctx context.Context, db *sql.DB, device int64, property uint64) error {
	from, pos, n := r.q.From.UnixMilli(), uplink.Position(0), -1
	if r.q.After != nil {
		from, pos, n = r.q.After.At.UnixMilli(), r.q.After.Pos, r.q.After.N
	}
	rows, err := db.QueryContext(ctx, `
		SELECT at, position, n, points
		FROM report
		WHERE device = ? AND at < ? AND (at, position) >= (?, ?)
		ORDER BY at, position, n`, device, r.q.To.UnixMilli(), from, pos)
	if err != nil {
		return err
	}
	defer rows.Close()
	for found := 0; found < r.q.Limit && rows.Next(); {
		var at int64
		var first int
		var row []byte
		p := history.Point{Device: r.q.Device, Property: r.q.Property}
		if err := rows.Scan(&at, &p.Pos, &first, &row); err != nil {
			return fmt.Errorf("reading a report: %w", err)
		}
		p.At = time.UnixMilli(at).UTC()
		if r.left--; r.left < 0 {
			return r.tooMany(p.At)
		}
		err := eachPoint(row, func(place int, id uint64, value []byte) {
			p.N = first + place
			if id != property || at == from && p.Pos == pos && p.N <= n {
				return
			}
			p.Value = value
			r.out, found = append(r.out, p), found+1
		})
		if err != nil {
			return fmt.Errorf("position %d: %w", p.Pos, err)
		}
	}
	return rows.Err()
}

// tooMany refuses a range that would cost too much; at is how far it was looked at.
func (r *reading) tooMany(at time.Time) error {
	const form = "2006-01-02T15:04:05.000Z"
	return fault.Invalid("/to", r.q.To.UTC().Format(form), fmt.Sprintf("a range with at most %d reports of the device", r.most),
		"ask for a range that ends at "+at.Format(form)+" or before, and for the rest after it")
}

// merge puts the points in order, each once though it was received on several days, cuts them to a page, and ends the range where a full page ends.
func (r *reading) merge() {
	slices.SortFunc(r.out, func(a, b history.Point) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		if a.Pos != b.Pos {
			return int(int64(a.Pos) - int64(b.Pos))
		}
		return a.N - b.N
	})
	r.out = slices.CompactFunc(r.out, func(a, b history.Point) bool { return a.Pos == b.Pos && a.N == b.N && a.At.Equal(b.At) })
	if len(r.out) < r.q.Limit {
		return
	}
	r.out = r.out[:r.q.Limit]
	if end := r.out[len(r.out)-1].At.Add(time.Millisecond); end.Before(r.q.To) {
		r.q.To = end
	}
}
