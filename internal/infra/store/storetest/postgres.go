package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/url"
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
	s, err := postgres.Open(t.Context(), Database(t, path), postgres.Options{Readers: readers})
	if err != nil {
		t.Fatal(err)
	}
	return closed(t, s)
}

// Database gives the address of the PostgreSQL database that belongs to path. It is made, with its tables, the first time
// it is asked for, and dropped with the test that asked.
func Database(t testing.TB, path string) string {
	t.Helper()
	server := pgtest.Shared(t)
	c, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	sum := sha256.Sum256([]byte(path))
	name := "test_" + hex.EncodeToString(sum[:12])
	if exists(t, c, name) {
		return named(t, server, name)
	}
	template := prepared(t, c, server)
	run(t, c, "CREATE DATABASE "+name+" TEMPLATE "+template)
	t.Cleanup(func() { dropped(t, server, name) })
	return named(t, server, name)
}

// prepared is a database with all tables and nothing in them, from which others are copied. Its name follows from the
// migrations; whoever needs it first makes it.
func prepared(t testing.TB, c *pgx.Conn, server string) string {
	t.Helper()
	name := "tables_" + fingerprint(t)
	run(t, c, "SELECT pg_advisory_lock(1)")
	defer run(t, c, "SELECT pg_advisory_unlock(1)")
	if exists(t, c, name) {
		return name
	}
	run(t, c, "DROP DATABASE IF EXISTS "+name+"_half")
	run(t, c, "CREATE DATABASE "+name+"_half TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
	s, err := postgres.Open(t.Context(), named(t, server, name+"_half"), postgres.Options{Readers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	run(t, c, "ALTER DATABASE "+name+"_half RENAME TO "+name)
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

func exists(t testing.TB, c *pgx.Conn, name string) (is bool) {
	t.Helper()
	if err := c.QueryRow(t.Context(), "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&is); err != nil {
		t.Fatal(err)
	}
	return is
}

func run(t testing.TB, c *pgx.Conn, query string) {
	t.Helper()
	if _, err := c.Exec(context.Background(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func dropped(t testing.TB, server, name string) {
	c, err := pgx.Connect(context.Background(), server)
	if err != nil {
		t.Errorf("dropping database %s: %v", name, err)
		return
	}
	defer c.Close(context.Background())
	run(t, c, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
}

// named is the address of another database of the same server.
func named(t testing.TB, server, name string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}
