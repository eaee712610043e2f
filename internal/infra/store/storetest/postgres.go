package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5"

	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/migrations"
	"lampworks/internal/infra/store/pgtest"
	"lampworks/internal/infra/store/postgres"
)

// readers are few: many tests run beside each other on one server.
const readers = 3

func openPostgres(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), Database(t, path), postgres.Options{Readers: readers, Shared: true, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	return closed(t, s)
}

// Database gives the address of the PostgreSQL database that belongs to path. It is made, with its tables, the first time
// it is asked for, and dropped with the test that asked.
func Database(t testing.TB, path string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(path))
	return pgtest.Named(t, "test_"+hex.EncodeToString(sum[:12]), "TEMPLATE "+prepared(t))
}

// prepared is a database with all tables and nothing in them, from which others are copied. Its name follows from the
// migrations; whoever needs it first makes it.
func prepared(t testing.TB) string {
	t.Helper()
	name := "tables_" + fingerprint(t)
	c, err := pgx.Connect(t.Context(), pgtest.Shared(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	run(t, c, "SELECT pg_advisory_lock(1)") // until the connection ends
	var there bool
	if err := c.QueryRow(t.Context(), "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&there); err != nil {
		t.Fatal(err)
	}
	if there {
		return name
	}
	run(t, c, "DROP DATABASE IF EXISTS half")
	half := pgtest.Named(t, "half", "TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
	s, err := postgres.Open(t.Context(), half, postgres.Options{Readers: 1, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	run(t, c, "ALTER DATABASE half RENAME TO "+name)
	return name
}

func fingerprint(t testing.TB) string {
	t.Helper()
	h := sha256.New()
	names, err := fs.Glob(migrations.Postgres, "postgres/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := migrations.Postgres.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		h.Write([]byte(name))
		h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func run(t testing.TB, c *pgx.Conn, query string) {
	t.Helper()
	if _, err := c.Exec(context.Background(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// quiet keeps it out of every test's output that the server does not wait for its disk.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
