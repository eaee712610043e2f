package api_test

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"
)

// TestExport takes a list of more than one page as a file, as each format has it.
func TestExport(t *testing.T) {
	w := newWorld(t)
	w.people()
	const homes = 203 // pages of an export hold 200
	for range homes - 2 {
		w.want(w.call(w.owner, "POST", "/api/v1/homes", `{"names":{"en":"lake house","zh-CN":"湖边"}}`), 201)
	}
	w.want(w.call(w.owner, "POST", "/api/v1/tokens", `{"name":"=cmd|'/c calc'!A1"}`), 201)
	w.want(w.call(w.owner, "POST", "/api/v1/tokens", `{"name":"plain, with \"quotes\""}`), 201)

	lines := w.call(w.owner, "GET", "/api/v1/homes?format=jsonl", "")
	if n := strings.Count(string(lines.body), "\n"); n != homes-2 || lines.header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("%d lines of %s, want %d", n, lines.header.Get("Content-Type"), homes-2)
	}
	table := w.call(w.owner, "GET", "/api/v1/homes?format=csv", "")
	rows, err := csv.NewReader(strings.NewReader(string(table.body))).ReadAll()
	if err != nil || len(rows) != homes-1 {
		t.Fatalf("%d rows, %v, want %d and a head", len(rows), err, homes-2)
	}
	if got := strings.Join(rows[0], ","); got != "id,names,created_at" {
		t.Errorf("the head is %s", got)
	}
	if got := rows[1][1]; got != `{"en":"lake house","zh-CN":"湖边"}` {
		t.Errorf("names are %s", got)
	}
	if got := table.header.Get("Content-Disposition"); got != `attachment; filename="homes.csv"` {
		t.Errorf("the file is %s", got)
	}
	tokens := w.call(w.owner, "GET", "/api/v1/tokens?format=csv", "").body
	for _, want := range []string{`'=cmd|'/c calc'!A1`, `"plain, with ""quotes"""`} {
		if !strings.Contains(string(tokens), want) {
			t.Errorf("%s is not in\n%s", want, tokens)
		}
	}
	none := w.call(w.stranger, "GET", "/api/v1/homes?format=csv", "")
	if string(none.body) != "id,names,created_at\n" {
		t.Errorf("an empty list is %q", none.body)
	}
	if a := w.call(w.owner, "GET", "/api/v1/homes?format=xml", ""); a.status != http.StatusUnprocessableEntity {
		t.Errorf("an unknown format: %d", a.status)
	}
	if a := w.call(w.owner, "GET", "/api/v1/devices?format=csv&cursor=%00", ""); a.status != http.StatusOK && a.text("code") == "" {
		t.Errorf("a refusal of an export is no problem: %d %s", a.status, a.body)
	}
}

// TestIfMatch edits on what was read, and on what was read before somebody else.
func TestIfMatch(t *testing.T) {
	w := newWorld(t)
	w.people()
	path := "/api/v1/homes/" + w.want(w.call(w.owner, "POST", "/api/v1/homes", `{"names":{"en":"a"}}`), 201).id()
	seen := w.want(w.call(w.owner, "GET", path, ""), 200).header.Get("ETag")
	if seen == "" {
		t.Fatal("a home has no ETag")
	}
	w.want(w.call(w.owner, "PATCH", path, `{"names":{"en":"b"}}`, "If-Match", seen), 204)
	late := w.call(w.owner, "PATCH", path, `{"names":{"en":"c"}}`, "If-Match", seen)
	if late.status != http.StatusPreconditionFailed || late.text("code") != "stale" {
		t.Errorf("an edit of what was changed: %d %s", late.status, late.body)
	}
	for _, weak := range []string{"W/" + seen, `"banana"`, "x"} {
		if a := w.call(w.owner, "PATCH", path, `{"names":{"en":"c"}}`, "If-Match", weak); a.status != http.StatusPreconditionFailed {
			t.Errorf("If-Match %s: %d", weak, a.status)
		}
	}
	if got := w.call(w.owner, "GET", path, "").text("names/en"); got != "b" {
		t.Errorf("the name is %s, want b", got)
	}
	now := w.call(w.owner, "GET", path, "").header.Get("ETag")
	w.want(w.call(w.owner, "PATCH", path, `{"names":{"en":"d"}}`, "If-Match", seen+", "+now), 204)
	w.want(w.call(w.owner, "PATCH", path, `{"names":{"en":"e"}}`, "If-Match", "*"), 204)
	w.want(w.call(w.stranger, "PATCH", path, `{"names":{"en":"f"}}`, "If-Match", seen), 404)
}

func TestProblemsSpeakChinese(t *testing.T) {
	w := newWorld(t)
	w.people()
	for accept, want := range map[string]string{
		"zh-CN,zh;q=0.9,en;q=0.8": "找不到", "en": "not found", "fr": "not found", "": "not found", "de, zh;q=0.5": "找不到", ";;": "not found",
	} {
		if got := w.call(w.owner, "GET", "/api/v1/homes/none", "", "Accept-Language", accept).text("title"); got != want {
			t.Errorf("Accept-Language %q: %s, want %s", accept, got, want)
		}
	}
}
