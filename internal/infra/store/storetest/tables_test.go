package storetest_test

import (
	"context"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/migrations"
	"lampworks/internal/infra/store/postgres"
	"lampworks/internal/infra/store/sqlite"
	"lampworks/internal/infra/store/storetest"
)

func lines(t *testing.T, s *store.Store, query string) (all []string) {
	t.Helper()
	err := s.Read(t.Context(), func(v *store.View) error {
		rows, err := v.Query(t.Context(), query)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				return err
			}
			all = append(all, line)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func names(t *testing.T, from fs.FS, folder string) []string {
	t.Helper()
	files, err := fs.Glob(from, folder+"/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	return files
}

// Both databases have the same steps, and they make the same tables, columns, keys and indexes.
func TestBothDatabasesHaveTheSameTables(t *testing.T) {
	if diff := cmp.Diff(names(t, migrations.SQLite, "sqlite"), names(t, migrations.Postgres, "postgres")); diff != "" {
		t.Errorf("migrations (-sqlite +postgres):\n%s", diff)
	}
	one, err := sqlite.Open(t.Context(), t.TempDir()+"/db", sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	two, err := postgres.Open(context.Background(), storetest.Database(t, t.TempDir()), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	for _, tt := range []struct{ what, sqlite, postgres string }{
		{
			"columns", `
			SELECT m.name || '.' || p.name || ' ' || p.type || CASE WHEN p."notnull" = 1 OR p.pk > 0 THEN ' NOT NULL' ELSE '' END
			FROM sqlite_master m JOIN pragma_table_xinfo(m.name) p
			WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name <> 'goose_db_version'
			ORDER BY 1`, `
			SELECT table_name || '.' || column_name || ' ' ||
				CASE data_type WHEN 'bigint' THEN 'INTEGER' WHEN 'text' THEN 'TEXT' WHEN 'bytea' THEN 'BLOB' WHEN 'double precision' THEN 'REAL' ELSE data_type END ||
				CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
			FROM information_schema.columns
			WHERE table_schema = current_schema() AND table_name <> 'goose_db_version'
			ORDER BY 1`,
		},
		{
			"primary keys", `
			SELECT name || ' (' || (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_table_info(m.name) WHERE pk > 0 ORDER BY pk)) || ')'
			FROM sqlite_master m
			WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'goose_db_version'
			ORDER BY 1`, `
			SELECT t.relname || ' (' || string_agg(a.attname, ', ' ORDER BY k.n) || ')'
			FROM pg_index x
			JOIN pg_class t ON t.oid = x.indrelid
			JOIN pg_namespace s ON s.oid = t.relnamespace
			CROSS JOIN unnest(x.indkey) WITH ORDINALITY AS k (attnum, n)
			JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum
			WHERE s.nspname = current_schema() AND x.indisprimary AND t.relname <> 'goose_db_version'
			GROUP BY t.relname
			ORDER BY 1`,
		},
		{
			"indexes", `
			SELECT m.tbl_name || ': ' || CASE l."unique" WHEN 1 THEN 'unique ' ELSE '' END || CASE l.partial WHEN 1 THEN 'partial ' ELSE '' END ||
				'(' || (SELECT group_concat(name, ', ') FROM (SELECT COALESCE(name, '…') AS name FROM pragma_index_info(l.name) ORDER BY seqno)) || ')'
				|| CASE l.origin WHEN 'c' THEN ' ' || l.name ELSE '' END
			FROM sqlite_master m JOIN pragma_index_list(m.name) l
			WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND l.origin <> 'pk' AND m.name <> 'goose_db_version'
			ORDER BY 1`, `
			SELECT t.relname || ': ' || CASE WHEN x.indisunique THEN 'unique ' ELSE '' END || CASE WHEN x.indpred IS NOT NULL THEN 'partial ' ELSE '' END ||
				'(' || string_agg(COALESCE(a.attname, '…'), ', ' ORDER BY k.n) || ')' || CASE WHEN c.oid IS NULL THEN ' ' || i.relname ELSE '' END
			FROM pg_index x
			JOIN pg_class t ON t.oid = x.indrelid
			JOIN pg_class i ON i.oid = x.indexrelid
			JOIN pg_namespace s ON s.oid = t.relnamespace
			LEFT JOIN pg_constraint c ON c.conindid = i.oid AND c.contype = 'u'
			CROSS JOIN unnest(x.indkey) WITH ORDINALITY AS k (attnum, n)
			LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum
			WHERE s.nspname = current_schema() AND NOT x.indisprimary AND t.relname <> 'goose_db_version'
			GROUP BY t.relname, i.relname, x.indisunique, x.indpred, c.oid
			ORDER BY 1`,
		},
	} {
		have, want := lines(t, two, tt.postgres), lines(t, one, tt.sqlite)
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s (-sqlite +postgres):\n%s", tt.what, diff)
		}
		if len(want) < 10 {
			t.Errorf("only %d %s", len(want), tt.what)
		}
	}
}
