package command

import (
	"strings"
	"testing"

	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

// TestOpenCommandsAreFoundByTheirIndex: with a million ended commands a walk of the table costs half a second, every two
// seconds and at every batch of the Log.
func TestOpenCommandsAreFoundByTheirIndex(t *testing.T) {
	storetest.SQLiteOnly(t, "it reads the plan of SQLite")
	s := storetest.Open(t)
	for _, sql := range []string{dueSQL, "SELECT " + columns + " FROM command " + freshSQL} {
		err := s.Read(t.Context(), func(v *store.View) error {
			var id, parent, unused int
			var plan string
			if err := v.QueryRow(t.Context(), "EXPLAIN QUERY PLAN "+sql, 0, 1).Scan(&id, &parent, &unused, &plan); err != nil {
				return err
			}
			if !strings.Contains(plan, "command_open_seq") {
				t.Errorf("%s\nis planned as %s", sql, plan)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
