// Package storetest gives tests of rooms a real store, and adapters the suite they have to pass.
//
// It owns nothing and promises a store that is empty, migrated and closed with the test. It is SQLite; with
// LAMPWORKS_TEST_STORE=postgres it is PostgreSQL, so that every room's tests run on both.
package storetest

import (
	"os"
	"path/filepath"
	"testing"

	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/sqlite"
)

// Postgres says whether tests run on PostgreSQL.
func Postgres() bool { return os.Getenv("LAMPWORKS_TEST_STORE") == "postgres" }

// SQLiteOnly skips a test on PostgreSQL, and says why.
func SQLiteOnly(t testing.TB, why string) {
	t.Helper()
	if Postgres() {
		t.Skip("only on SQLite: " + why)
	}
}

// Open gives an empty, migrated store.
func Open(t testing.TB) *store.Store {
	t.Helper()
	return OpenAt(t, filepath.Join(t.TempDir(), "lampworks.db"))
}

// OpenAt opens the store at path, on PostgreSQL a database that belongs to that path; closing it twice does no harm.
func OpenAt(t testing.TB, path string) *store.Store {
	t.Helper()
	if Postgres() {
		return openPostgres(t, path)
	}
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return closed(t, s)
}

// closed closes s with the test.
func closed(t testing.TB, s *store.Store) *store.Store {
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	return s
}
