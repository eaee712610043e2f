package api_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

func TestIdempotencyKey(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	count := func(list string) int {
		return len(w.want(w.call(w.owner, "GET", list, ""), 200).get("items").([]any))
	}
	again := func(key, path, body string) answer {
		return w.call(w.owner, "POST", path, body, "Idempotency-Key", key)
	}

	t.Run("the second call gets the first answer", func(t *testing.T) {
		const body = `{"names":{"zh-CN":"一次","en":"once"}}`
		first := w.want(again("k1", "/api/v1/homes", body), 201)
		second := w.want(again("k1", "/api/v1/homes", strings.ReplaceAll(body, ":", " : ")), 201)
		if string(first.body) != string(second.body) || count("/api/v1/homes") != 2 {
			t.Errorf("first %s, second %s, %d homes", first.body, second.body, count("/api/v1/homes"))
		}
	})
	t.Run("params come back as they were", func(t *testing.T) {
		const body = `{"kind":"property_set","params":{"powerstate":1,"brightness":42},"deadline_ms":600000}`
		path := "/api/v1/devices/" + m.device + "/commands"
		first, second := w.want(again("k2", path, body), 201), w.want(again("k2", path, body), 201)
		if string(first.body) != string(second.body) || !strings.Contains(string(first.body), `{"powerstate":1,"brightness":42}`) {
			t.Errorf("first %s, second %s", first.body, second.body)
		}
	})
	t.Run("another content is a conflict", func(t *testing.T) {
		other := w.want(w.call(w.owner, "POST", "/api/v1/homes", `{"names":{"en":"other"}}`), 201).id()
		w.want(again("k3", "/api/v1/homes/"+m.home+"/rooms", `{"names":{"en":"hall"}}`), 201)
		w.want(again("k3", "/api/v1/homes/"+m.home+"/rooms", `{"names":{"en":"loft"}}`), 409)
		w.want(again("k3", "/api/v1/homes/"+other+"/rooms", `{"names":{"en":"hall"}}`), 409) // the path is content
		w.want(again("k3", "/api/v1/homes", `{"names":{"en":"hall"}}`), 409)
	})
	t.Run("keys of two people are two", func(t *testing.T) {
		w.want(again("k4", "/api/v1/homes", `{"names":{"en":"hers"}}`), 201)
		w.want(w.call(w.stranger, "POST", "/api/v1/homes", `{"names":{"en":"his"}}`, "Idempotency-Key", "k4"), 201)
	})
	t.Run("a refused call gives the key back", func(t *testing.T) {
		w.want(again("k5", "/api/v1/homes", `{"names":{"fr":"x"}}`), 422)
		w.want(again("k5", "/api/v1/homes", `{"names":{"en":"x"}}`), 201)
	})
	t.Run("an answer without a body", func(t *testing.T) {
		free := w.want(w.call(w.owner, "GET", "/api/v1/devices", ""), 200).text("items/1/id")
		body := fmt.Sprintf(`{"device":%q,"names":{"en":"lamp"}}`, free)
		for range 2 {
			w.want(again("k6", "/api/v1/homes/"+m.home+"/devices", body), 204)
		}
	})
	t.Run("a key that is none", func(t *testing.T) {
		w.want(again("with space", "/api/v1/homes", `{"names":{"en":"y"}}`), 422)
		w.want(again(strings.Repeat("k", 256), "/api/v1/homes", `{"names":{"en":"y"}}`), 422)
		w.want(again(strings.Repeat("k", 255), "/api/v1/homes", `{"names":{"en":"y"}}`), 201)
	})
	t.Run("a token is told once and kept nowhere", func(t *testing.T) {
		storetest.SQLiteOnly(t, "the search of bytes is SQLite's")
		first := w.want(again("k7", "/api/v1/tokens", `{"name":"once"}`), 201)
		second := w.want(again("k7", "/api/v1/tokens", `{"name":"once"}`), 201)
		token := first.text("token")
		if token == "" || second.text("token") != "" || first.id() != second.id() {
			t.Errorf("first %s, second %s", first.body, second.body)
		}
		err := w.store.Read(t.Context(), func(v *store.View) error {
			var n int
			if err := v.QueryRow(t.Context(), "SELECT COUNT(*) FROM once_answer WHERE INSTR(answer, ?) > 0", token).Scan(&n); err != nil {
				return err
			}
			if n != 0 {
				t.Error("the token is stored")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	t.Run("calls at the same time", func(t *testing.T) {
		before := count("/api/v1/products")
		answers := make([]answer, 8)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() { answers[i] = again("k8", "/api/v1/products", `{"category":"light","names":{"en":"one"}}`) })
		}
		wg.Wait()
		for _, a := range answers {
			if a.status != 201 && a.status != 409 {
				t.Errorf("%d %s", a.status, a.body)
			}
		}
		if n := count("/api/v1/products") - before; n != 1 {
			t.Errorf("%d products were made, want 1", n)
		}
	})
}
