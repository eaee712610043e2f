package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestProblems holds what a client is told, word by word and in both languages. Ids are written as the name of their kind.
func TestProblems(t *testing.T) {
	w := newWorld(t)
	w.people()
	w.staff()
	m := w.manufacture()
	ids := m.ids(w)
	w.want(w.call(w.owner, "PUT", "/api/v1/products/"+m.product+"/draft", `{"document":{"properties":[{"identifier":"x"},{"identifier":"x","name":"X","dataType":{"type":"int"}}]}}`), 200)
	told := make(map[string]*bytes.Buffer)
	for _, lang := range []string{"en", "zh-CN"} {
		told[lang] = new(bytes.Buffer)
	}
	for _, tt := range []struct{ who, method, path, body, kind string }{
		{"", "GET", "/api/v1/devices", ``, ""},
		{"lw_abc_def", "GET", "/api/v1/devices", ``, ""},
		{w.roles["market"], "POST", "/api/v1/homes", `{}`, ""},
		{w.owner, "GET", "/api/v1/devices/none", ``, ""},
		{w.owner, "GET", "/api/v1/lamps", ``, ""},
		{w.owner, "PUT", "/api/v1/homes", ``, ""},
		{w.owner, "POST", "/api/v1/homes", ``, ""},
		{w.owner, "POST", "/api/v1/homes", `{"names":`, ""},
		{w.owner, "POST", "/api/v1/homes", `[]`, ""},
		{w.owner, "POST", "/api/v1/homes", `{"nmaes":{"en":"x"}}`, ""},
		{w.owner, "POST", "/api/v1/homes", `{"names":{"en":7}}`, ""},
		{w.owner, "POST", "/api/v1/homes", `{"names":{"fr":"maison"}}`, ""},
		{w.owner, "POST", "/api/v1/homes", `names=x`, "application/x-www-form-urlencoded"},
		{w.owner, "GET", "/api/v1/devices?limit=501", ``, ""},
		{w.owner, "GET", "/api/v1/devices?limit=many", ``, ""},
		{w.owner, "GET", "/api/v1/devices?limt=5", ``, ""},
		{w.owner, "GET", "/api/v1/devices/{device}/commands?cursor=-1", ``, ""},
		{w.owner, "GET", "/api/v1/devices/{device}/history?property=powerstate&cursor=1-2", ``, ""},
		{w.owner, "GET", "/api/v1/devices/{device}/history", ``, ""},
		{w.owner, "GET", "/api/v1/homes/{home}/live", ``, ""},
		{w.owner, "POST", "/api/v1/devices/{device}/commands", `{"kind":"property_set","params":{"brightness":0}}`, ""},
		{w.owner, "POST", "/api/v1/devices/{device}/commands", `{"kind":"reboot","params":{}}`, ""},
		{w.owner, "POST", "/api/v1/products/{product}/orders", `{"quantity":0,"purpose":"mass"}`, ""},
		{w.owner, "POST", "/api/v1/products/{product}/versions", `{}`, ""},
		{w.owner, "DELETE", "/api/v1/orders/{order}", ``, ""},
		{w.owner, "POST", "/api/v1/speech", `{"text":"你好","lang":"zh-CN"}`, ""},
		{"", "POST", "/api/v1/session", `{"login":"anna","password":"` + password + `-"}`, ""},
		{"", "POST", "/api/v1/session", `{"login":"anna","password":{"text":"` + password + `"}}`, ""},
		{"", "POST", "/api/v1/session", `{"login":"anna","pass":"` + password + `"}`, ""},
		{"", "POST", "/api/v1/session", `{"login":"anna","password":"` + password, ""},
	} {
		for lang, out := range told {
			headers := []string{"Last-Event-ID", "old", "Accept-Language", lang}
			if tt.kind != "" {
				headers = append(headers, "Content-Type", tt.kind)
			}
			a := w.call(tt.who, tt.method, fill(tt.path, ids), tt.body, headers...)
			fmt.Fprintf(out, "%s %s %s\n", tt.method, tt.path, strings.ReplaceAll(tt.body, password, "[password]"))
			out.Write(shown(t, a, ids))
		}
	}
	for lang, out := range told {
		if strings.Contains(out.String(), password) {
			t.Error("a problem repeats a password")
		}
		golden(t, map[string]string{"en": "problems.txt", "zh-CN": "problems.zh-CN.txt"}[lang], out.Bytes())
	}
}

// shown is a problem as the golden file has it.
func shown(t *testing.T, a answer, ids map[string]string) []byte {
	t.Helper()
	var p map[string]any
	if err := json.Unmarshal(a.body, &p); err != nil || a.header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%s: %d %s %q: %v", a.name, a.status, a.header.Get("Content-Type"), a.body, err)
	}
	if p["request"] != a.header.Get("X-Request-Id") || p["request"] == "" || p["status"] != float64(a.status) {
		t.Errorf("%s: the problem names request %v and status %v, the header %s and %d", a.name, p["request"], p["status"], a.header.Get("X-Request-Id"), a.status)
	}
	delete(p, "request")
	var out bytes.Buffer
	fmt.Fprintf(&out, "%d", a.status)
	for _, name := range []string{"Allow", "Retry-After", "WWW-Authenticate"} {
		if v := a.header.Get(name); v != "" {
			fmt.Fprintf(&out, " %s: %s", name, v)
		}
	}
	out.WriteByte('\n')
	for _, key := range slices.Sorted(maps.Keys(p)) {
		if key == "status" {
			continue
		}
		v, err := json.Marshal(p[key])
		if err != nil {
			t.Fatal(err)
		}
		line := string(v)
		for kind, id := range ids {
			if len(id) > 8 {
				line = strings.ReplaceAll(line, id, "{"+kind+"}")
			}
		}
		fmt.Fprintf(&out, "  %s %s\n", key, line)
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// TestGuessing is the one route that asks to wait.
func TestGuessing(t *testing.T) {
	w := newWorld(t)
	var a answer
	for range 6 {
		a = w.call("", "POST", "/api/v1/session", `{"login":"nobody","password":"guess"}`)
	}
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "1" || a.get("retry_after_seconds") != 1.0 || a.text("code") != "limit" {
		t.Errorf("the sixth guess: %d, Retry-After %q, %s", a.status, a.header.Get("Retry-After"), a.body)
	}
}
