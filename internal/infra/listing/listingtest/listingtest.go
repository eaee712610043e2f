// Package listingtest proves that every combination a list serves is served by an index.
//
// It owns nothing and promises that a list which would walk or sort its table fails the test that calls it. It asks SQLite
// for its plans; on another database the test is skipped and says so.
package listingtest

import (
	"strings"
	"testing"

	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// Prove asks the database how it would read the first and a later page of every way of a list, in both directions, and
// fails if it would walk a table or sort. Small names tables of few rows (reference data) that may be walked.
func Prove[T any](t *testing.T, s *store.Store, l *listing.List[T], small ...string) {
	t.Helper()
	if !sqlite(t, s) {
		t.Skip("plans are read from SQLite only")
	}
	for _, query := range l.Statements() {
		served := 0
		for _, step := range plan(t, s, query) {
			walks := strings.HasPrefix(step, "SCAN ") && !named(step, small) && query.Indexed > 0
			if walks || strings.Contains(step, "USE TEMP B-TREE") {
				t.Errorf("%s\nwould be read so: %s", query.Text, step)
			}
			served = max(served, strings.Count(step, "=?")+strings.Count(step, ">?"))
		}
		if served < query.Indexed {
			t.Errorf("%s\nhas %d conditions for an index, and the best serves %d", query.Text, query.Indexed, served)
		}
	}
}

func named(step string, small []string) bool {
	table := strings.Fields(step)[1]
	for _, name := range small {
		if table == name {
			return true
		}
	}
	return false
}

func sqlite(t *testing.T, s *store.Store) bool {
	t.Helper()
	err := s.Read(t.Context(), func(v *store.View) error {
		var version string
		return v.QueryRow(t.Context(), "SELECT sqlite_version()").Scan(&version)
	})
	return err == nil
}

func plan(t *testing.T, s *store.Store, q listing.Statement) (steps []string) {
	t.Helper()
	err := s.Read(t.Context(), func(v *store.View) error {
		rows, err := v.Query(t.Context(), "EXPLAIN QUERY PLAN "+q.Text, q.Args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				return err
			}
			steps = append(steps, step)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatalf("%s: %v", q.Text, err)
	}
	return steps
}
