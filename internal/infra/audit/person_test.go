package audit_test

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

// stored is everything that stands in the entries themselves.
func stored(t *testing.T, s *store.Store) string {
	t.Helper()
	var all strings.Builder
	err := s.Read(t.Context(), func(v *store.View) error {
		rows, err := v.Query(t.Context(), `SELECT actor, actor_user, actor_login, actor_from, object, note FROM audit_entry ORDER BY seq`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c [6]string
			if err := rows.Scan(&c[0], &c[1], &c[2], &c[3], &c[4], &c[5]); err != nil {
				return err
			}
			fmt.Fprintln(&all, c)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestPersonsStandByReferenceAndCanBeForgotten(t *testing.T) {
	o := newOffice(t)
	ada, token := actor("o"), actor("o")
	token.Kind, token.ID = access.KindToken, "t1"
	device := access.Actor{Kind: access.KindDevice, ID: "d1", From: "192.0.2.9", Organisation: "o"}
	for _, who := range []access.Actor{ada, token, device, actor("p")} {
		o.record(who, "a.b", 2)
	}
	err := o.store.Write(t.Context(), func(tx *store.Tx) error {
		ref, err := audit.Person(t.Context(), tx, "o", "u1")
		if err != nil {
			return err
		}
		return audit.Record(t.Context(), tx, device, "user.password", ref, "")
	})
	if err != nil {
		t.Fatal(err)
	}
	o.finish()
	s := stored(t, o.store)
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" []:\n", r) }) { // "ada" may stand within a reference
		if word == "ada" || word == "u1" || strings.HasPrefix(word, "192.0.2") {
			t.Errorf("an entry holds a person:\n%s", s)
		}
	}
	entries, _, err := list(t, o.store, "o", audit.Filter{})
	if err != nil || len(entries) != 7 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for i, want := range []string{
		"device d1   192.0.2.9 u1", "device d1   192.0.2.9 object 1", "device d1   192.0.2.9 object 0",
		"token t1 u1 ada 192.0.2.1 object 1", "token t1 u1 ada 192.0.2.1 object 0", "user u1 u1 ada 192.0.2.1 object 1", "user u1 u1 ada 192.0.2.1 object 0",
	} {
		e := entries[i]
		if got := fmt.Sprint(e.Actor.Kind, " ", e.Actor.ID, " ", e.Actor.User, " ", e.Actor.Login, " ", e.Actor.From, " ", e.Object); got != want || e.Deleted {
			t.Errorf("got  %q %v\nwant %q", got, e.Deleted, want)
		}
	}
	for filter, want := range map[audit.Filter]int{{Actor: "u1"}: 4, {Actor: "t1"}: 2, {Object: "u1"}: 1, {Actor: "u1", Act: "user."}: 0, {Act: "user."}: 1, {Act: "a.b"}: 6} {
		if got, _, err := list(t, o.store, "o", filter); err != nil || len(got) != want {
			t.Errorf("%+v finds %d, want %d; %v", filter, len(got), want, err)
		}
	}
	if err := o.store.Write(t.Context(), func(tx *store.Tx) error { return audit.Forget(t.Context(), tx, "u1") }); err != nil {
		t.Fatal(err)
	}
	entries, _, err = list(t, o.store, "o", audit.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	one, other := entries[5], entries[6]
	if !one.Deleted || one.Actor.Login != "" || one.Actor.From != "" || one.Actor.User != "" || one.Actor.ID != other.Actor.ID || one.Actor.ID == "u1" || entries[1].Actor.From != "192.0.2.9" {
		t.Errorf("after forgetting: %+v", one)
	}
	foreign, _, err := list(t, o.store, "p", audit.Filter{})
	if err != nil || foreign[0].Actor.ID == one.Actor.ID {
		t.Errorf("one person has the same reference in two organisations, %v", err)
	}
	o.sound(nil)
}

func TestANewLoginIsShown(t *testing.T) {
	s := storetest.Open(t)
	who := actor("o")
	for _, who.Login = range []string{"ada", "", "ada.l"} {
		if err := s.Write(t.Context(), func(tx *store.Tx) error { return audit.Record(t.Context(), tx, who, "a", "b", "") }); err != nil {
			t.Fatal(err)
		}
	}
	entries, _, err := list(t, s, "o", audit.Filter{})
	if err != nil || len(entries) != 3 || entries[2].Actor.Login != "ada.l" {
		t.Errorf("%+v, %v", entries, err)
	}
}

// TestEntriesOfBeforeMoveBehindReferences makes entries as the version before made them, and carries the migration out.
func TestEntriesOfBeforeMoveBehindReferences(t *testing.T) {
	if storetest.Postgres() {
		t.Skip("data of before are SQLite's only")
	}
	path := filepath.Join(t.TempDir(), "old.db")
	old := func(number string) {
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		text, err := os.ReadFile("../store/migrations/sqlite/" + number)
		if err != nil {
			t.Fatal(err)
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		if _, err := db.Exec(up); err != nil {
			t.Fatal(err)
		}
		if number == "0001_audit_entry.sql" {
			for i, v := range []string{"'user','u1','u1','ada','192.0.2.1'", "'token','t1','u1','ada','192.0.2.1'", "'clock','x','','',''", "'device','d1','','','192.0.2.7'"} {
				if _, err := db.Exec(`INSERT INTO audit_entry (id, at, organisation, actor_kind, actor, actor_user, actor_login, actor_from, act, object, note)
					VALUES (?, 1, 'o', `+v+`, 'a.b', 'c', 'd')`, i); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for _, number := range []string{"0001_audit_entry.sql", "0050_audit_person.sql", "0051_audit_search.sql", "0052_audit_checkpoint.sql"} {
		old(number)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT e.actor_kind || ' ' || e.actor || ' ' || e.actor_user || ' ' || e.actor_login || ' ' || COALESCE(p.person, '-') || ' ' ||
		COALESCE(p.login, '-') || ' ' || COALESCE(a.address, '-') || ' ' || (p.salt IS NULL), e.actor_user
		FROM audit_entry e LEFT JOIN audit_person p ON p.reference = e.actor_user LEFT JOIN audit_address a ON a.reference = e.actor_from ORDER BY e.seq`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for _, want := range []string{"user R R  u1 ada 192.0.2.1 1", "token t1 R  u1 ada 192.0.2.1 1", "clock x   - - - 1", "device d1   - - 192.0.2.7 1"} {
		var got, reference string
		if !rows.Next() {
			t.Fatal("a row is missing")
		}
		if err := rows.Scan(&got, &reference); err != nil {
			t.Fatal(err)
		}
		if reference != "" {
			if h, ok := strings.CutPrefix(reference, "person:before:"); !ok || len(h) != 32 || strings.Trim(h, "0123456789abcdef") != "" {
				t.Errorf("the reference is %q", reference)
			}
			got = strings.ReplaceAll(got, reference, "R")
		}
		if got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

func TestSearchIsScopedAndIndexed(t *testing.T) {
	s := storetest.Open(t)
	owner, other, operator := actor("o"), actor("p"), actor("")
	owner.Roles, other.Roles, operator.Roles = []access.Role{access.Owner}, []access.Role{access.Owner}, []access.Role{access.Admin}
	owner.Strong, other.Strong, operator.Strong = true, true, true
	engineer := owner
	engineer.Roles = []access.Role{access.Engineer}
	for _, who := range []access.Actor{owner, other, operator} {
		if err := s.Write(t.Context(), func(tx *store.Tx) error { return audit.Record(t.Context(), tx, who, "order.issue", "x", "") }); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		who          access.Actor
		organisation string
		filter       audit.Filter
		want         string
	}{
		{owner, "", audit.Filter{}, "o"},
		{owner, "o", audit.Filter{Object: "x"}, "o"},
		{owner, "p", audit.Filter{}, `there is no organisation "p"`},
		{owner, "platform", audit.Filter{}, `there is no organisation "platform"`},
		{engineer, "", audit.Filter{}, "audit.read is not allowed: it needs role admin or owner"},
		{operator, "", audit.Filter{}, "+p+o"},
		{operator, "", audit.Filter{Object: "x", Act: "order."}, "+p+o"},
		{operator, "p", audit.Filter{}, "p"},
		{operator, "platform", audit.Filter{}, ""},
		{operator, "", audit.Filter{Since: "2000-01-01T00:00:00Z", Until: "2001-01-01T00:00:00Z"}, "-"},
		{operator, "", audit.Filter{Since: "yesterday"}, "time is yesterday, want a time as 2026-01-31T08:00:00Z"},
		{operator, "o", audit.Filter{Since: "2000-01-01T00:00:00Z", Act: "order.issue"}, "o"},
	} {
		var got []string
		err := s.Read(context.Background(), func(v *store.View) error {
			entries, _, err := audit.Search(context.Background(), v, tt.who, tt.organisation, tt.filter)
			for _, e := range entries {
				got = append(got, e.Organisation)
			}
			return err
		})
		what := strings.Join(got, "+")
		if err != nil {
			what = err.Error()
		} else if len(got) == 0 {
			what = "-"
		}
		if what != tt.want {
			t.Errorf("%s as %q with %+v:\n got %q\nwant %q", tt.organisation, tt.who.Organisation, tt.filter, what, tt.want)
		}
	}
	listingtest.Prove(t, s, audit.Entries, "p", "a", "o")
}

func TestAnchorsAndKeysAreRead(t *testing.T) {
	o := filled(t)
	a := o.newest().Anchor()
	if got, err := audit.ParseAnchor(" " + a.String() + "\n"); err != nil || got != a {
		t.Errorf("%s is read as %v, %v", a, got, err)
	}
	for _, bad := range []string{"", "7", "7:00", "x:" + strings.Repeat("0", 64), "0:" + strings.Repeat("0", 64), a.String() + "0"} {
		if _, err := audit.ParseAnchor(bad); err == nil || !strings.Contains(err.Error(), "want the number of a checkpoint, a colon and 64 hexadecimal characters") {
			t.Errorf("%q gives %v", bad, err)
		}
	}
	if key, err := audit.ParseKey(hex.EncodeToString(o.key.Public())); err != nil || !key.Equal(o.key.Public()) {
		t.Errorf("the key is read as %x, %v", key, err)
	}
	if _, err := audit.ParseKey("00"); text(err) != "key is 00, want 64 hexadecimal characters" {
		t.Errorf("a short key gives %v", err)
	}
}
