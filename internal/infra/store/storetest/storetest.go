// Package storetest gives tests of rooms a real store, and adapters the suite they have to pass.
//
// It owns nothing and promises a store that is empty, migrated and closed with the test.
package storetest

import (
	"path/filepath"
	"testing"

	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/sqlite"
)

// Open gives an empty, migrated store in a directory of the test.
func Open(t testing.TB) *store.Store {
	t.Helper()
	return OpenAt(t, filepath.Join(t.TempDir(), "lampworks.db"))
}

// OpenAt opens the store at path; closing it twice does no harm.
func OpenAt(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	return s
}
