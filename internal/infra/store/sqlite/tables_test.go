package sqlite

import (
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"lampworks/internal/infra/store/migrations"
)

var update = flag.Bool("update", false, "write what the migrations make of new data to migrations/sqlite.sql")

// What new data get in one piece is what the steps make, to the last column and row.
func TestNewDataAreAsTheStepsMakeThem(t *testing.T) {
	steps, err := fs.Sub(migrations.SQLite, "sqlite")
	if err != nil {
		t.Fatal(err)
	}
	open := func(name string) *sql.DB {
		t.Helper()
		db, err := pool(filepath.Join(t.TempDir(), name), Options{}.withDefaults(), 1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		return db
	}
	slow := open("steps.db")
	if err := migrations.Run(t.Context(), slow, goose.DialectSQLite3, steps); err != nil {
		t.Fatal(err)
	}
	want, err := dump(slow)
	if err != nil {
		t.Fatal(err)
	}
	const file = "../migrations/sqlite.sql"
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if migrations.NewSQLite != want {
		t.Errorf("%s is not what the steps make; go test ./internal/infra/store/sqlite -run NewData -update\n%s", file, cmp.Diff(want, migrations.NewSQLite))
	}
	quick := open("piece.db")
	if err := found(t.Context(), quick, want); err != nil {
		t.Fatal(err)
	}
	got, err := dump(quick)
	if err != nil || got != want {
		t.Errorf("the piece makes something else of new data: %v\n%s", err, cmp.Diff(want, got))
	}
	if err := found(t.Context(), quick, want); err != nil {
		t.Errorf("data that are there are not left alone: %v", err)
	}
}

// dump is what makes the tables of db, and the rows that are in them.
func dump(db *sql.DB) (text string, err error) {
	var b strings.Builder
	rows, err := db.Query(`SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid`)
	if err != nil {
		return "", err
	}
	var tables []string
	for rows.Next() {
		var kind, name, made string
		if err := rows.Scan(&kind, &name, &made); err != nil {
			return "", errors.Join(err, rows.Close())
		}
		if kind == "table" {
			tables = append(tables, name)
		}
		b.WriteString(made + ";\n")
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return "", err
	}
	for _, name := range append(tables, "sqlite_sequence") {
		if name == "sqlite_sequence" { // inserting rows has begun some
			b.WriteString("DELETE FROM sqlite_sequence;\n")
		}
		if err := dumpRows(db, &b, name); err != nil {
			return "", fmt.Errorf("table %s: %w", name, err)
		}
	}
	return b.String(), nil
}

func dumpRows(db *sql.DB, b *strings.Builder, table string) error {
	rows, err := db.Query(`SELECT * FROM "` + table + `" ORDER BY 1`)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	values, into := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		var columns, said []string
		for i, name := range names {
			if name == "tstamp" { // when a step was taken, which is now
				continue
			}
			columns = append(columns, name)
			if text, ok := values[i].(string); ok {
				said = append(said, "'"+strings.ReplaceAll(text, "'", "''")+"'")
				continue
			}
			said = append(said, fmt.Sprint(values[i]))
		}
		fmt.Fprintf(b, "INSERT INTO %s (%s) VALUES (%s);\n", table, strings.Join(columns, ", "), strings.Join(said, ", "))
	}
	return rows.Err()
}
