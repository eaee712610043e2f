package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func TestCell(t *testing.T) {
	t.Setenv("LC_ALL", "")
	t.Setenv("LANG", "C.UTF-8")
	for _, tt := range []struct{ item, column, want string }{
		{`{"id":"a"}`, "id", "a"},
		{`{"id":"a"}`, "state", ""},
		{`{"id":null}`, "id", ""},
		{`{"n":12}`, "n", "12"},
		{`{"on":false}`, "on", "false"},
		{`{"kinds":["a","b"]}`, "kinds", "a,b"},
		{`{"kinds":[]}`, "kinds", ""},
		{`{"names":{"en":"Lamp","zh-CN":"灯"}}`, "names", "Lamp"},
		{`{"names":{"zh-CN":"灯"}}`, "names", "灯"},
		{`{"subject":{"kind":"product"}}`, "subject.kind", "product"},
		{`{"subject":"x"}`, "subject.kind", ""},
		{`{"texts":{"en":{"title":"Hello"}}}`, "texts.en.title", "Hello"},
		{`{"missing":[{"code":"x"}]}`, "missing", "x"},
		{`{"missing":[{"code":"icon","fix":"…"},{"code":"care"}]}`, "missing", "icon,care"},
		{`{"missing":[{"what":"plan","text":"…"}]}`, "missing", "plan"},
		{`{"rows":[{"line":1}]}`, "rows", `[{"line":1}]`},
		{`{"name":"a\u001b[2Jb\u202ec\nd"}`, "name", "a [2Jb c d"},
		{`[]`, "id", ""},
	} {
		if got := plain(cell(json.RawMessage(tt.item), tt.column)); got != tt.want {
			t.Errorf("%s of %s\n got %q\nwant %q", tt.column, tt.item, got, tt.want)
		}
	}
	t.Setenv("LANG", "zh_CN.UTF-8")
	if got := cell(json.RawMessage(`{"names":{"en":"Lamp","zh-CN":"灯"}}`), "names"); got != "灯" {
		t.Errorf("a name on a Chinese terminal\n got %q\nwant 灯", got)
	}
}

// TestGather asks a server with pages: as many as are wanted, all, and one that never comes to an end.
func TestGather(t *testing.T) {
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RawQuery)
		switch r.URL.Query().Get("cursor") {
		case "":
			io.WriteString(w, `{"items":[1,2],"next_cursor":"b"}`)
		case "b":
			io.WriteString(w, `{"items":[3,4],"next_cursor":"c"}`)
		case "c":
			io.WriteString(w, `{"items":[5]}`)
		case "round":
			io.WriteString(w, `{"items":[6],"next_cursor":"round"}`)
		}
	}))
	t.Cleanup(srv.Close)
	for _, tt := range []struct {
		p           pages
		asked, want string
	}{
		{pages{}, "state=x", `{"items":[1,2],"next_cursor":"b"}`},
		{pages{Limit: 3}, "limit=3&state=x, cursor=b&limit=1&state=x", `{"items":[1,2,3,4],"next_cursor":"c"}`},
		{pages{All: true}, "state=x, cursor=b&state=x, cursor=c&state=x", `{"items":[1,2,3,4,5]}`},
		{pages{Cursor: "c"}, "cursor=c&state=x", `{"items":[5]}`},
		{pages{Cursor: "round", All: true}, "cursor=round&state=x", "the server goes round in circles: it names a page twice"},
	} {
		asked = nil
		tt.p.client = client{server: server{srv.URL}, Token: "x"}
		found, err := tt.p.gather(t.Context(), "/list", []string{"state", "x", "kind", ""})
		got := ""
		if err != nil {
			got = err.Error()
		} else if b, err := json.Marshal(found); err == nil {
			got = string(b)
		}
		if got != tt.want {
			t.Errorf("limit %d, cursor %q, all %t\n got %s\nwant %s", tt.p.Limit, tt.p.Cursor, tt.p.All, got, tt.want)
		}
		if got := strings.Join(asked, ", "); got != tt.asked {
			t.Errorf("limit %d, cursor %q, all %t asked\n got %s\nwant %s", tt.p.Limit, tt.p.Cursor, tt.p.All, got, tt.asked)
		}
	}
}

// TestRefused says what to do where a verb of the program helps, and no more.
func TestRefused(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	var status int
	var after, answer string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	t.Cleanup(srv.Close)
	s := server{srv.URL}
	if err := s.keep(&http.Response{Header: http.Header{"Set-Cookie": {cookieName + "=x"}}}, "wang"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		token  string
		status int
		after  string
		answer string
		want   string
	}{
		{"", 429, "7", `{"title":"limit","detail":"too many","code":"limit"}`, "GET /x: limit: too many\nCome back in 7 seconds."},
		{"", 429, "", `{"title":"limit","detail":"products is full","code":"limit"}`, "GET /x: limit: products is full"},
		{"", 401, "", `{"title":"unauthenticated","detail":"the session or token is not valid","where":"session"}`, "GET /x: unauthenticated: the session or token is not valid\nThe session has ended. Sign in again: lampworks login --server URL"},
		{"", 401, "", `{"title":"unauthenticated","detail":"the code is wrong"}`, "GET /x: unauthenticated: the code is wrong"},
		{"t", 401, "", `{"title":"unauthenticated","detail":"the session or token is not valid","where":"session"}`, "GET /x: unauthenticated: the session or token is not valid"},
		{"", 403, "", `{"title":"second factor needed","detail":"show it","code":"second_factor"}`, "GET /x: second factor needed: show it\nShow a code of the second factor: lampworks prove --server URL. Without one yet: lampworks factor start --server URL"},
		{"t", 403, "", `{"title":"second factor needed","detail":"show it","code":"second_factor"}`, "GET /x: second factor needed: show it\nA session can show one: lampworks login --server URL, without --token and LAMPWORKS_TOKEN."},
		{"", 422, "", `{"title":"invalid","detail":"two","problems":[{"where":"/a","rule":"a number"},{"where":"/b","fix":"leave it out"}]}`, "GET /x: invalid: two\n  /a: a number\n  /b: leave it out"},
		{"", 403, "", `{"title":"agreement missing","detail":"one","code":"agreement"}`, "GET /x: agreement missing: one\nSee what is to be accepted: lampworks agreement outstanding --server URL"},
		{"", 403, "", `{"title":"suspended","detail":"one","code":"suspended"}`, "GET /x: suspended: one\nSee the measure: lampworks enforce list --server URL. Appeal against it, as an owner: lampworks enforce appeal MEASURE TEXT --server URL"},
		{"", 502, "", `<html>`, "GET /x: Bad Gateway"},
	} {
		status, after, answer = tt.status, tt.after, tt.answer
		c := client{server: s, Token: tt.token}
		err := c.call(t.Context(), "GET", "/x", nil, nil)
		if err == nil {
			t.Fatalf("%d is no error", tt.status)
		}
		if got := strings.ReplaceAll(err.Error(), srv.URL, "URL"); got != tt.want {
			t.Errorf("%d %s\n got %q\nwant %q", tt.status, tt.answer, got, tt.want)
		}
	}
}

// TestKept keeps sessions apart by server, in a file that others cannot read, and tells nobody what stands in a broken one.
func TestKept(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	keep := func(address, token string) {
		t.Helper()
		res := &http.Response{Header: http.Header{"Set-Cookie": {(&http.Cookie{Name: cookieName, Value: token}).String()}}}
		if err := (&server{address}).keep(res, "wang"); err != nil {
			t.Fatal(err)
		}
	}
	keep("http://Lamp.Example:8080/", "one")
	keep("https://lamp.example:8080", "two")
	for _, tt := range []struct{ address, token, want string }{
		{"http://lamp.example:8080", "", "lw_session=one"},
		{"https://LAMP.example:8080/", "", "lw_session=two"},
		{"https://lamp.example:8080", "given", "Bearer given"},
		{"http://other.example", "", "nobody is signed in at http://other.example: run lampworks login --server http://other.example, or give an API token in LAMPWORKS_TOKEN"},
	} {
		c := client{server: server{tt.address}, Token: tt.token}
		got := ""
		req, err := c.request(t.Context(), "GET", "/x", nil)
		if err != nil {
			got = err.Error()
		} else {
			got = req.Header.Get("Cookie") + req.Header.Get("Authorization")
		}
		if got != tt.want {
			t.Errorf("asking %s with token %q\n got %s\nwant %s", tt.address, tt.token, got, tt.want)
		}
	}
	if err := (&server{"http://lamp.example:8080"}).forget(); err != nil {
		t.Fatal(err)
	}
	if k, err := readKept(); err != nil || len(k.Sessions) != 1 {
		t.Errorf("after forgetting one of two: %v, %v", k, err)
	}
	path, err := keptPath()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(`{"sessions": secret`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readKept(); err == nil || strings.Contains(err.Error(), "secret") || !strings.HasSuffix(err.Error(), "cannot be read; remove it and sign in again") {
		t.Errorf("a broken file: %v", err)
	}
}
