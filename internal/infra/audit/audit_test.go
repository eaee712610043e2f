package audit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

func actor(organisation string) access.Actor {
	return access.Actor{Kind: access.KindUser, ID: "u1", User: "u1", Login: "ada", From: "192.0.2.1", Organisation: organisation}
}

func list(t *testing.T, s *store.Store, organisation string, f audit.Filter) (entries []audit.Entry, next string, err error) {
	t.Helper()
	err = s.Read(t.Context(), func(v *store.View) (err error) {
		entries, next, err = audit.List(t.Context(), v, organisation, f)
		return err
	})
	return entries, next, err
}

func TestEntryExistsExactlyIfTheActDoes(t *testing.T) {
	s := storetest.Open(t)
	ctx := context.Background()
	for _, refuse := range []bool{false, true} {
		_ = s.Write(ctx, func(tx *store.Tx) error {
			if err := audit.Record(ctx, tx, actor("o"), access.WriteProduct, "product 7", fmt.Sprintf("refused %v", refuse)); err != nil {
				t.Error(err)
			}
			if refuse {
				return errors.New("refused")
			}
			return nil
		})
	}
	entries, _, err := list(t, s, "o", audit.Filter{})
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d entries, %v; want 1", len(entries), err)
	}
	e := entries[0]
	if e.Act != "product.write" || e.Object != "product 7" || e.Note != "refused false" ||
		e.Actor.Login != "ada" || e.Actor.From != "192.0.2.1" || e.Organisation != "o" || e.At.IsZero() || e.Seq != 1 || e.ID == "" {
		t.Errorf("the entry is %+v", e)
	}
}

func TestListGivesOwnEntriesNewestFirstInPages(t *testing.T) {
	s := storetest.Open(t)
	ctx := context.Background()
	for i := range 7 {
		err := s.Write(ctx, func(tx *store.Tx) error {
			if err := audit.Record(ctx, tx, actor("other"), "x", "y", ""); err != nil {
				return err
			}
			return audit.Record(ctx, tx, actor("o"), fmt.Sprintf("act.%d", i%2), fmt.Sprintf("object %d", i), "")
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	f := audit.Filter{Limit: 3}
	for pages := 0; ; pages++ {
		entries, next, err := list(t, s, "o", f)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			got = append(got, e.Object[len("object "):])
		}
		if next == "" {
			if pages != 2 {
				t.Errorf("%d pages, want 3", pages+1)
			}
			break
		}
		f.Cursor = next
	}
	if s := strings.Join(got, " "); s != "6 5 4 3 2 1 0" {
		t.Errorf("the order is %s", s)
	}
	entries, _, err := list(t, s, "o", audit.Filter{Act: "act.1", Object: "object 3"})
	if err != nil || len(entries) != 1 {
		t.Errorf("the filter finds %d, %v", len(entries), err)
	}
	for _, f := range []audit.Filter{{Limit: -1}, {Limit: 201}, {Cursor: "x"}} {
		if _, _, err := list(t, s, "o", f); !fault.Is(err, fault.Malformed) {
			t.Errorf("%+v gives %v", f, err)
		}
	}
}

func TestEntryIsNeverChanged(t *testing.T) {
	s := storetest.Open(t)
	ctx := context.Background()
	exec := func(sql string) error {
		return s.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, sql)
			return err
		})
	}
	err := s.Write(ctx, func(tx *store.Tx) error { return audit.Record(ctx, tx, actor("o"), "a", "b", "c") })
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ sql, want string }{
		{`UPDATE audit_entry SET note = ''`, "an audit entry is never changed"},
		{`UPDATE audit_entry SET at = 0`, "an audit entry is never changed"},
		{`UPDATE audit_entry SET seal = x'00', sealed_at = 1`, ""},
		{`UPDATE audit_entry SET seal = x'01'`, "the seal of an audit entry is never changed"},
	} {
		err := exec(tt.sql)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s gives %v, want %q", tt.sql, err, tt.want)
		}
	}
}

func TestLongFieldsAreCutNotRefused(t *testing.T) {
	s := storetest.Open(t)
	ctx := context.Background()
	err := s.Write(ctx, func(tx *store.Tx) error {
		return audit.Record(ctx, tx, actor("o"), "a", strings.Repeat("灯", 100), strings.Repeat("\xff", 10)+strings.Repeat("n", 5000))
	})
	if err != nil {
		t.Fatal(err)
	}
	entries, _, err := list(t, s, "o", audit.Filter{})
	if err != nil || entries[0].Object != strings.Repeat("灯", 66) || len(entries[0].Note) != 2000 {
		t.Errorf("object has %d bytes, note %d, %v", len(entries[0].Object), len(entries[0].Note), err)
	}
}
