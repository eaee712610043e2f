package sqlite_test

import (
	"context"
	"testing"

	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/sqlite"
	"lampworks/internal/infra/store/storetest"
)

func contract(t *testing.T, o sqlite.Options) {
	storetest.Run(t, func(t testing.TB, path string) *store.Store {
		t.Helper()
		s, err := sqlite.Open(context.Background(), path, o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestContract(t *testing.T) { contract(t, sqlite.Options{}) }

func TestContractWithSmallestGroups(t *testing.T) {
	contract(t, sqlite.Options{MaxGroup: 1, Readers: 1})
}
