package takeout

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

const columns = `id, organisation, state, reason, ordered_by, created_at, job, ended_at, expires_at, file, size_bytes, file_count, row_count,
	sha256, failure`

const insertSQL = `
	INSERT INTO takeout_export (` + columns + `)
	VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, '', 0, 0, 0, '', '')`

const updateSQL = `
	UPDATE takeout_export
	SET state = ?, ended_at = ?, expires_at = ?, file = ?, size_bytes = ?, file_count = ?, row_count = ?, sha256 = ?, failure = ?
	WHERE id = ? AND state = ?`

func insert(ctx context.Context, tx *store.Tx, e *Export) error {
	_, err := tx.Exec(ctx, insertSQL, e.ID, e.Organisation, e.State, e.Reason, e.By, ms(e.Created), e.Job)
	if err != nil {
		return fmt.Errorf("ordering an export of organisation %s: %w", e.Organisation, err)
	}
	return nil
}

func load(ctx context.Context, q store.Querier, organisation, id string) (Export, error) {
	e, err := scan(q.QueryRow(ctx, "SELECT "+columns+" FROM takeout_export WHERE id = ? AND organisation = ?", id, organisation))
	if errors.Is(err, sql.ErrNoRows) {
		return e, fault.NotFound("export", id)
	}
	if err != nil {
		return e, fmt.Errorf("loading export %s: %w", id, err)
	}
	return e, nil
}

func scan(row listing.Scanner) (Export, error) {
	var e Export
	var created, ended, expires int64
	err := row.Scan(&e.ID, &e.Organisation, &e.State, &e.Reason, &e.By, &created, &e.Job, &ended, &expires, &e.File, &e.Bytes, &e.Files, &e.Rows,
		&e.SHA256, &e.Failure)
	e.Created, e.Ended, e.Expires = moment(created), moment(ended), moment(expires)
	return e, err
}

func exports() *listing.List[Export] {
	return &listing.List[Export]{
		Object: "export", Columns: columns, From: "takeout_export", Newest: true,
		Fields: []listing.Field{{Name: "organisation"}, {Name: "state"}},
		Ways:   []listing.Way{{Filters: []string{"organisation"}, Rest: []string{"state"}, Bound: "an organisation orders at most five a day"}},
		Scan:   scan,
	}
}

// some reads exports that a condition names, a few at a time.
func some(ctx context.Context, q store.Querier, where string, args ...any) ([]Export, error) {
	rows, err := q.Query(ctx, "SELECT "+columns+" FROM takeout_export WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading exports: %w", err)
	}
	defer rows.Close()
	var all []Export
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("reading exports: %w", err)
		}
		all = append(all, e)
	}
	return all, rows.Err()
}

// moment is the time of ms; 0 is none.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
