package lampworks_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// TestMigrationsComeInPairs holds both folders of migrations to the same files, and each to the words of its database.
// What they make is compared where there is a PostgreSQL to ask (store/storetest).
func TestMigrationsComeInPairs(t *testing.T) {
	const dir = "internal/infra/store/migrations/"
	foreign := map[string]*regexp.Regexp{
		"sqlite":   regexp.MustCompile(`\b(BIGINT|BYTEA|IDENTITY|plpgsql|RAISE EXCEPTION)\b`),
		"postgres": regexp.MustCompile(`\b(INTEGER|BLOB|AUTOINCREMENT|WITHOUT ROWID|RAISE\(|sqlite_\w+|GLOB|IFNULL)\b`),
	}
	files := make(map[string][]string)
	for folder, words := range foreign {
		names, err := filepath.Glob(dir + folder + "/*.sql")
		if err != nil || len(names) == 0 {
			t.Fatalf("no migrations in %s: %v", folder, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			text = regexp.MustCompile(`--.*`).ReplaceAll(text, nil)
			if w := words.Find(text); w != nil {
				t.Errorf("%s: %s is a word of the other database", name, w)
			}
			files[folder] = append(files[folder], filepath.Base(name))
		}
	}
	for _, f := range files["sqlite"] {
		if !slices.Contains(files["postgres"], f) {
			t.Errorf("%s is missing in postgres", f)
		}
	}
	for _, f := range files["postgres"] {
		if !slices.Contains(files["sqlite"], f) {
			t.Errorf("%s is missing in sqlite", f)
		}
	}
}
