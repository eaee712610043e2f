package storetest

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lampworks/internal/infra/store"
)

const intoThing = "INSERT INTO thing (id, n)"

// things gives rows of the ids from first to last, in one slice.
func things(first, last int) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		row := make([]any, 2)
		for id := first; id <= last; id++ {
			row[0], row[1] = id, id
			if !yield(row) {
				return
			}
		}
	}
}

func inserts(t *testing.T, s *store.Store) {
	ctx := t.Context()
	write(t, s, `CREATE TABLE word (id INTEGER PRIMARY KEY, said TEXT, raw BYTEA)`) // to SQLite any type
	said := []any{"开灯", "a\tb\\c\nd\r", `\N`, `\.`, "", nil, "'; DROP TABLE word; --", strings.Repeat("长", 100_000)}
	err := s.Write(ctx, func(tx *store.Tx) error {
		if err := add(ctx, 1)(tx); err != nil {
			return err
		}
		if err := tx.Insert(ctx, intoThing, things(2, 1234)); err != nil {
			return err
		}
		if err := tx.Insert(ctx, intoThing, things(1, 0)); err != nil { // none
			return err
		}
		if n := len(ids(t, tx)); n != 1234 {
			t.Errorf("the transaction sees %d rows", n)
		}
		return tx.Insert(ctx, "INSERT INTO word (id, said, raw)", func(yield func([]any) bool) {
			for i, v := range said {
				if !yield([]any{i, v, []byte{0, 0xff, '\\', byte(i)}}) {
					return
				}
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(stored(t, s)); n != 1234 {
		t.Errorf("%d rows are stored", n)
	}
	words(t, s, said)
}

func words(t *testing.T, s *store.Store, want []any) {
	t.Helper()
	err := s.Read(t.Context(), func(v *store.View) error {
		rows, err := v.Query(t.Context(), `SELECT id, said, raw FROM word ORDER BY id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		var got []any
		for rows.Next() {
			var id int
			var said any
			var raw []byte
			if err := rows.Scan(&id, &said, &raw); err != nil {
				return err
			}
			if string(raw) != string([]byte{0, 0xff, '\\', byte(id)}) {
				t.Errorf("bytes of row %d are %x", id, raw)
			}
			got = append(got, said)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}

func insertFails(t *testing.T, s *store.Store) {
	ctx := t.Context()
	write(t, s, `INSERT INTO thing (id, n) VALUES (150, 0)`)
	swallowed := func(tx *store.Tx) error {
		if err := add(ctx, 1)(tx); err != nil {
			return err
		}
		if err := tx.Insert(ctx, intoThing, things(2, 200)); !errors.Is(err, store.ErrDuplicate) {
			t.Errorf("the insert gave %v", err)
		}
		return nil
	}
	errs := together(s, add(ctx, 300), swallowed, add(ctx, 301))
	if !errors.Is(errs[1], store.ErrDuplicate) {
		t.Errorf("the write gave %v", errs[1])
	}
	want(t, s, 150, 300, 301)
	for _, into := range []string{"DELETE FROM thing", "INSERT INTO thing", "INSERT INTO thing (id) SELECT (id)", "INSERT INTO thing (id); --"} {
		err := s.Write(ctx, func(tx *store.Tx) error { return tx.Insert(ctx, into, things(1, 1)) })
		if err == nil || !strings.Contains(err.Error(), "no head of an INSERT") {
			t.Errorf("%s: %v", into, err)
		}
	}
	err := s.Write(ctx, func(tx *store.Tx) error { return tx.Insert(ctx, "INSERT INTO thing (id)", things(1, 1)) })
	if fmt.Sprint(err) != "a row of 2 values for 1 columns" {
		t.Errorf("a row that is too long: %v", err)
	}
}
