package api_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
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

// TestAccountEditsAreHeld edits people and organisations on what was read, and on what was read before somebody else.
func TestAccountEditsAreHeld(t *testing.T) {
	w := newWorld(t)
	w.people()
	user := w.user("liming")
	w.want(w.call(w.operator, "POST", "/api/v1/organisations/"+w.a+"/members", `{"login":"liming","role":"query"}`), 201)
	invitation := w.want(w.call(w.owner, "POST", "/api/v1/organisations/"+w.a+"/invitations", `{"login":"wangwei","role":"query"}`), 201).id()
	for _, tt := range []struct{ token, object, method, edit, body string }{
		{w.operator, "users/" + user, "PUT", "/state", `{"state":"enabled"}`},
		{w.operator, "users/" + user, "PUT", "/role", `{"role":"reviewer"}`},
		{w.owner, "organisations/" + w.a, "PUT", "", `{"names":{"en":"Lamps"},"kinds":["chip_maker"]}`},
		{w.owner, "organisations/" + w.a + "/members/" + user, "PATCH", "", `{"role":"engineer"}`},
		{w.owner, "organisations/" + w.a + "/invitations/" + invitation, "PUT", "/sending", ""},
	} {
		path := "/api/v1/" + tt.object
		read := w.want(w.call(tt.token, "GET", path, ""), 200)
		seen := read.header.Get("ETag")
		if want := fmt.Sprintf(`"%v"`, read.get("revision")); seen != want {
			t.Errorf("%s has the ETag %s, want %s", path, seen, want)
		}
		w.want(w.call(tt.token, tt.method, path+tt.edit, tt.body, "If-Match", seen), 204)
		if late := w.want(w.call(tt.token, tt.method, path+tt.edit, tt.body, "If-Match", seen), 412); late.text("code") != "stale" {
			t.Errorf("%s of what was changed: %s", path+tt.edit, late.body)
		}
		w.want(w.call(tt.token, tt.method, path+tt.edit, tt.body), 204)
	}
}

// TestAccountLists asks for what only an index serves, as JSON and as files, and for what none does.
func TestAccountLists(t *testing.T) {
	w := newWorld(t)
	w.people()
	w.want(w.call(w.owner, "POST", "/api/v1/tokens", `{"name":"line"}`), 201)
	w.want(w.call(w.owner, "POST", "/api/v1/organisations/"+w.a+"/invitations", `{"login":"wangwei","role":"query"}`), 201)
	for _, tt := range []struct{ token, list, asks, column, want string }{
		{w.operator, "users", "login=an&sort=-login&total=true", "login", "anna"},
		{w.operator, "organisations", "kind=terminal_maker&sort=name&total=true", "id", w.a},
		{w.owner, "organisations/" + w.a + "/members", "role=owner&sort=created_at&total=true", "login", "anna"},
		{w.owner, "organisations/" + w.a + "/invitations", "state=open&sort=made_at&total=true", "role", "query"},
		{w.owner, "memberships", "role=owner&total=true", "organisation/id", w.a},
		{w.owner, "tokens", "state=in_force&name=li&total=true", "name", "line"},
	} {
		path := "/api/v1/" + tt.list + "?" + tt.asks
		a := w.want(w.call(tt.token, "GET", path, ""), 200)
		if a.text("items/0/"+tt.column) != tt.want || a.get("total/exact") != true || a.get("total/count") == 0.0 {
			t.Errorf("%s gives %s", path, a.body)
		}
		for _, format := range []string{"csv", "jsonl"} {
			if file := w.want(w.call(tt.token, "GET", path+"&format="+format, ""), 200); !strings.Contains(string(file.body), tt.want) {
				t.Errorf("%s as %s is %s", path, format, file.body)
			}
		}
		w.want(w.call(tt.token, "GET", "/api/v1/"+tt.list+"?sort=colour", ""), 422)
		w.want(w.call(tt.token, "GET", "/api/v1/"+tt.list+"?cursor=banana", ""), 422)
	}
	if dead := w.want(w.call(w.operator, "GET", "/api/v1/dead-messages?kind=mail&organisation="+w.a+"&sort=ended_at&total=true", ""), 200); dead.get("total/count") != 0.0 {
		t.Errorf("dead messages are %s", dead.body)
	}
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

// TestShortLists pages through the lists that come whole by default, and goes on where an item has gone meanwhile.
func TestShortLists(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	for range 3 {
		w.signIn("anna")
	}
	for _, prefix := range []string{"ACDE48", "ACDE4A"} {
		w.want(w.call(w.operator, "POST", "/api/v1/mac-pools", `{"name":"block","prefix":"`+prefix+`"}`), 201)
	}
	for _, tt := range []struct{ token, path string }{
		{w.owner, "sessions"},
		{w.owner, "contacts"},
		{w.owner, "organisation-kinds"},
		{w.owner, "categories"},
		{w.owner, "paper-kinds"},
		{w.owner, "order-limits"},
		{w.owner, "limits"},
		{w.owner, "organisations/" + w.a + "/limits"},
		{w.owner, "products/" + m.product + "/limits"},
		{w.owner, "devices/" + m.device + "/limits"},
		{w.operator, "mac-pools"},
		{w.operator, "lost-orders"},
	} {
		path := "/api/v1/" + tt.path
		whole := w.want(w.call(tt.token, "GET", path, ""), 200)
		var pages []any
		for cursor := ""; ; {
			a := w.want(w.call(tt.token, "GET", path+"?limit=1&cursor="+cursor, ""), 200)
			pages = append(pages, a.get("items").([]any)...)
			if cursor = a.text("next_cursor"); cursor == "" {
				break
			}
		}
		name := func(items any) string { // a use counts on, so it is compared by what it is of
			var b strings.Builder
			for _, i := range items.([]any) {
				o := i.(map[string]any)
				fmt.Fprintln(&b, o["id"], o["name"], o["kind"], o["limit"], o["level"])
			}
			return b.String()
		}
		if got, want := name(pages), name(whole.get("items")); got != want {
			t.Errorf("%s by pages is\n%swant\n%s", path, got, want)
		}
		file := w.want(w.call(tt.token, "GET", path+"?format=csv", ""), 200)
		if got, want := len(must(csv.NewReader(bytes.NewReader(file.body)).ReadAll())(t)), len(pages)+1; got != want {
			t.Errorf("%s has %d rows as CSV, want %d", path, got, want)
		}
		w.want(w.call(tt.token, "GET", path+"?cursor=%25", ""), 422)
	}
	w.want(w.call(w.owner, "GET", "/api/v1/limits?cursor=bm9uZQ", ""), 422)
	all := w.want(w.call(w.owner, "GET", "/api/v1/sessions", ""), 200)
	first := w.want(w.call(w.owner, "GET", "/api/v1/sessions?limit=1", ""), 200)
	w.want(w.call(w.owner, "DELETE", "/api/v1/sessions/"+first.text("items/0/id"), ""), 204)
	next := w.want(w.call(w.owner, "GET", "/api/v1/sessions?limit=1&cursor="+first.text("next_cursor"), ""), 200)
	if got, want := next.text("items/0/id"), all.text("items/1/id"); got != want {
		t.Errorf("behind the session that ended comes %s, want %s", got, want)
	}
}
