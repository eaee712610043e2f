package postgres_test

import (
	"context"
	"testing"

	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/postgres"
	"lampworks/internal/infra/store/storetest"
)

func contract(t *testing.T, o postgres.Options) {
	storetest.Run(t, func(t testing.TB, path string) *store.Store {
		t.Helper()
		s, err := postgres.Open(context.Background(), storetest.Database(t, path), o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestContract(t *testing.T) { contract(t, postgres.Options{}) }

func TestContractWithSmallestGroups(t *testing.T) {
	contract(t, postgres.Options{MaxGroup: 1, Readers: 1})
}
