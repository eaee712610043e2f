package test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/store"
	storesqlite "lampworks/internal/infra/store/sqlite"
)

// TestKillDuringDeletion ends the program with SIGKILL while organisations are deleted with all they have. Afterwards every
// deletion that was ordered has ended with its proof, no table names one of them but those that must, each has one entry a
// transition, and an organisation beside them has all it had.
func TestKillDuringDeletion(t *testing.T) {
	t.Parallel()
	s, operator := operated(t, "en", "--deletion-hold", "100ms")
	e := &ending{s: s, operator: operator, maker: &person{lang: "en", login: "maker", password: "a lamp in every window"}}
	e.maker.s = s
	e.owner = operator.does(t, "POST", "/users", map[string]string{"login": e.maker.login, "password": e.maker.password}).id(t)
	e.maker.signIn(t)
	_, beside, err := e.settle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	kills := howOften()
	for range kills {
		e.restart(t)
		e.maker.signIn(t) // the session for an organisation ends with it
		organisation, _, err := e.settle(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		untilKilled(t.Context(), e.s, 1, func(ctx context.Context) error { return e.delete(ctx, organisation) })
	}
	e.restart(t)
	ended := e.ended(t)
	e.operator.s.token = e.operator.session
	if devices := e.s.all(t, "/api/v1/devices?limit=500&order="+beside).Items; len(devices) != settled {
		t.Errorf("the organisation beside has %d devices, want %d", len(devices), settled)
	}
	end(t, e.s)
	whole(t, e.s.dir)
	gone(t, e.s.dir, ended)
	t.Logf("%d kills, %d organisations deleted", kills, len(ended))
	if len(ended) == 0 {
		t.Error("there was no load")
	}
}

// ending is a platform that deletes one organisation after the other.
type ending struct {
	s               *server
	operator, maker *person
	owner           string   // id of the maker: nobody of the operator deletes an organisation of their own
	ordered         []string // organisations about whose deletion the operator was told that it is ordered
}

func (e *ending) restart(t *testing.T) {
	t.Helper()
	s, err := start(e.s.dir, "serve", "--deletion-hold", "100ms")
	if err != nil {
		t.Fatalf("the start after a kill: %v", err)
	}
	t.Cleanup(func() { _ = s.stop() })
	e.s, e.operator.s, e.maker.s = s, s, s
}

// settled is how many devices an organisation of this test has.
const settled = 500

// settle makes an organisation with a product, and an order with its devices.
func (e *ending) settle(ctx context.Context) (organisation, order string, err error) {
	do := func(p *person, method, path string, in any) (id string) {
		if err != nil {
			return ""
		}
		var r reply
		if r, err = p.try(ctx, method, path, in); err == nil && r.status >= 300 {
			err = fmt.Errorf("%s: %d %s", r.what, r.status, r.body)
		}
		var out struct{ ID, State string }
		_ = json.Unmarshal(r.body, &out)
		if strings.HasPrefix(path, "/orders/") {
			return out.State
		}
		return out.ID
	}
	organisation = do(e.operator, "POST", "/organisations", map[string]any{"names": names("灯火", "Denghuo"), "kinds": []string{"terminal_maker"}, "owner": e.owner})
	do(e.operator, "POST", "/limits/overrides", map[string]any{
		"subject": map[string]string{"kind": "organisation", "id": organisation}, "limit": "debug_triples", "purpose": "set", "value": 1_000_000, "reason": "a test",
	})
	do(e.maker, "PUT", "/session/organisation", map[string]string{"organisation": organisation})
	product := do(e.maker, "POST", "/products", map[string]any{"category": "light", "names": names("灯", "lamp")})
	order = do(e.maker, "POST", "/products/"+product+"/orders", map[string]any{"quantity": settled, "purpose": "debug"})
	for state := ""; state != "issued" && err == nil; time.Sleep(5 * time.Millisecond) {
		state = do(e.maker, "GET", "/orders/"+order, nil)
	}
	return organisation, order, err
}

// delete orders the deletion of an organisation and waits for its end.
func (e *ending) delete(ctx context.Context, organisation string) error {
	r, err := e.operator.try(ctx, "POST", "/enforcement/measures", map[string]any{
		"subject": map[string]string{"kind": "organisation", "id": organisation}, "kind": "delete_data", "cause": "unsafe_product", "reason": "A test.",
	})
	if err != nil || r.status >= 300 {
		return errors.Join(err, fmt.Errorf("%s: %d %s", r.what, r.status, r.body))
	}
	e.ordered = append(e.ordered, organisation)
	for ctx.Err() == nil {
		r, err := e.operator.try(ctx, "GET", "/enforcement/deletions?organisation="+organisation, nil)
		if err != nil {
			return err
		}
		var page struct{ Items []struct{ State string } }
		if err := json.Unmarshal(r.body, &page); err != nil {
			return err
		}
		if len(page.Items) == 1 && page.Items[0].State == "done" {
			return io.EOF // nothing is left to do
		}
		time.Sleep(5 * time.Millisecond)
	}
	return ctx.Err()
}

// ended waits for the end of each deletion, and returns the organisations that are gone.
func (e *ending) ended(t *testing.T) (gone []string) {
	t.Helper()
	done := make(map[string]bool)
	for _, item := range e.operator.does(t, "GET", "/enforcement/deletions?limit=500", nil).items(t) {
		id, organisation := item["id"].(string), item["organisation"].(string)
		eventually(t, "the end of deletion "+id, func() (bool, any) {
			got := e.operator.does(t, "GET", "/enforcement/deletions/"+id, nil)
			return got.text(t, "state") == "done" && got.at(t, "proof") != nil, string(got.body)
		})
		e.s.token = e.operator.session
		if got, want := e.s.acts(t, id), map[string]int{"deletion.begin": 1, "deletion.done": 1}; !maps.Equal(got, want) {
			t.Errorf("deletion %s has the entries %v, want %v", id, got, want)
		}
		if done[organisation] {
			t.Errorf("organisation %s was deleted twice", organisation)
		}
		done[organisation] = true
		gone = append(gone, organisation)
	}
	for _, organisation := range e.ordered {
		if !done[organisation] {
			t.Errorf("the deletion of %s was ordered, and is not there", organisation)
		}
	}
	return gone
}

// gone looks for organisations in every column of every table of a data directory that nobody works on. The audit, the measure
// itself, and the number that is never given again may name them.
func gone(t *testing.T, dir string, organisations []string) {
	t.Helper()
	db, err := storesqlite.Open(t.Context(), filepath.Join(dir, "data", "lampworks.db"), storesqlite.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Read(t.Context(), func(v *store.View) error {
		rows, err := v.Query(t.Context(), `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
			WHERE m.type = 'table' AND m.name NOT LIKE 'audit_%' AND m.name NOT LIKE 'enforce_%' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'organisation'`)
		if err != nil {
			return err
		}
		defer rows.Close()
		var columns [][2]string
		for rows.Next() {
			var c [2]string
			if err := rows.Scan(&c[0], &c[1]); err != nil {
				return err
			}
			columns = append(columns, c)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		for _, c := range columns {
			for _, organisation := range organisations {
				var n int
				if err := v.QueryRow(t.Context(), fmt.Sprintf(`SELECT COUNT(*) FROM %q WHERE instr(CAST(%q AS TEXT), ?) > 0`, c[0], c[1]), organisation).Scan(&n); err != nil {
					return err
				}
				if n > 0 {
					t.Errorf("organisation %s is deleted, and %d rows of %s name it in %s", organisation, n, c[0], c[1])
				}
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}
