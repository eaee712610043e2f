package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

// ErrNewer says that the data were changed by a newer program.
var ErrNewer = errors.New("the data were written by a newer program; start that one, or restore a backup made before")

// Run brings the tables of db up to date by the steps, in the words of dialect. Data that are so already cost one or two
// queries; data that a newer program has changed are refused.
func Run(ctx context.Context, db *sql.DB, dialect goose.Dialect, steps fs.FS) error {
	known, err := versions(steps)
	if err != nil {
		return err
	}
	done, err := applied(ctx, db, dialect)
	if err != nil {
		return fmt.Errorf("reading which migrations are done: %w", err)
	}
	for v := range done {
		if v != 0 && !known[v] {
			return fmt.Errorf("migration %d is not known here: %w", v, ErrNewer)
		}
		delete(known, v)
	}
	if len(known) == 0 {
		return nil
	}
	p, err := goose.NewProvider(dialect, db, steps,
		goose.WithAllowOutofOrder(true), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("reading migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	return nil
}

// begun asks whether the data have seen a step, one query a dialect.
var begun = map[goose.Dialect]string{
	goose.DialectSQLite3:  `SELECT COUNT(*) FROM sqlite_master WHERE name = 'goose_db_version'`,
	goose.DialectPostgres: `SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'goose_db_version'`,
}

// versions lists the numbers of the steps.
func versions(steps fs.FS) (map[int64]bool, error) {
	names, err := fs.Glob(steps, "*.sql")
	if err != nil {
		return nil, err
	}
	known := make(map[int64]bool, len(names))
	for _, name := range names {
		number, _, _ := strings.Cut(path.Base(name), "_")
		v, err := strconv.ParseInt(number, 10, 64)
		if err != nil || v <= 0 {
			return nil, fmt.Errorf("migration %s does not begin with a number", name)
		}
		if known[v] {
			return nil, fmt.Errorf("two migrations have the number %d", v)
		}
		known[v] = true
	}
	return known, nil
}

// applied lists the steps that the data have seen; none if they are new.
func applied(ctx context.Context, db *sql.DB, dialect goose.Dialect) (map[int64]bool, error) {
	var n int
	err := db.QueryRowContext(ctx, begun[dialect]).Scan(&n)
	if err != nil || n == 0 {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, `SELECT version_id FROM goose_db_version WHERE is_applied`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	done := make(map[int64]bool)
	for rows.Next() {
		var v int64
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		done[v] = true
	}
	return done, rows.Err()
}
