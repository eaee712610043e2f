package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// browser sends a request with the cookie of a session, as a page of origin would.
func (w *world) browser(session, method, path, body, origin string) answer {
	return w.call("", method, path, body, "Cookie", "lw_session="+session, "Origin", origin)
}

func TestCookie(t *testing.T) {
	w := newWorld(t)
	w.people()
	a := w.want(w.call("", "POST", "/api/v1/session", w.credentials("anna")), 200)
	cookies := (&http.Response{Header: a.header}).Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies, want 1", len(cookies))
	}
	c := cookies[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Secure || c.Domain != "" || c.MaxAge != 30*24*3600 {
		t.Errorf("the cookie is %s", strings.Replace(c.String(), c.Value, "[token]", 1))
	}
	if got := a.text("actor/login") + " " + a.text("actor/organisation_name/en") + " " + a.text("actor/kind"); got != "anna Works of anna user" {
		t.Errorf("signed in is %q", got)
	}
	w.want(w.browser(c.Value, "GET", "/api/v1/session", "", w.url), 200)

	out := w.want(w.browser(c.Value, "DELETE", "/api/v1/session", "", w.url), 204)
	if got := out.header.Get("Set-Cookie"); got != "lw_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict" {
		t.Errorf("signing out sets %q", got)
	}
	w.want(w.browser(c.Value, "GET", "/api/v1/session", "", w.url), 401)
	w.want(w.browser(c.Value, "DELETE", "/api/v1/session", "", w.url), 204) // signed out already
	w.want(w.call("", "DELETE", "/api/v1/session", ""), 204)
}

func TestOtherSites(t *testing.T) {
	w := newWorld(t)
	w.people()
	const body = `{"names":{"en":"x"}}`
	for _, tt := range []struct {
		name    string
		headers []string
		want    int
	}{
		{"same origin", []string{"Origin", w.url}, 201},
		{"same origin, as new browsers say it", []string{"Sec-Fetch-Site", "same-origin", "Origin", w.url}, 201},
		{"another origin", []string{"Origin", "https://evil.example"}, 403},
		{"another site", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"another port of the host", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"a script", nil, 201},
	} {
		a := w.call("", "POST", "/api/v1/homes", body, append(tt.headers, "Cookie", "lw_session="+w.owner)...)
		if a.status != tt.want || tt.want == 403 && a.text("code") != "forbidden" {
			t.Errorf("%s: %d %s, want %d", tt.name, a.status, a.body, tt.want)
		}
	}
}

func TestDoor(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	for _, tt := range []struct {
		method, path string
		want         int
		allow, body  string // body: a part of it
	}{
		{"GET", "/", 200, "", "the console"},
		{"GET", "/devices", 200, "", "the console"},
		{"GET", "/api", 404, "", `"code":"not_found"`},
		{"GET", "/api/", 404, "", `"code":"not_found"`},
		{"GET", "/api/v1/nothing", 404, "", `"code":"not_found"`},
		{"GET", "/api/v2/homes", 404, "", `"code":"not_found"`},
		{"PUT", "/api/v1/homes", 405, "GET, POST", `"code":"method_not_allowed"`},
		{"OPTIONS", "/api/v1/devices/x/state", 405, "PUT", `"rule":"PUT"`},
		{"HEAD", "/api/v1/homes", 200, "", ""},
		{"HEAD", "/api/v1/homes/" + m.home + "/live", 405, "GET", ""},
		{"HEAD", "/api/v1/downloads/" + m.download + "/file", 405, "GET", ""},
		{"GET", "/api/openapi.json", 200, "", `"openapi": "3.1`},
		{"GET", "/healthz", 200, "", "ok\n"},
		{"GET", "/readyz", 200, "", "ready\n"},
		{"GET", "/metrics", 200, "", "lampworks_sessions 3\n"},
		{"GET", "/metrics", 200, "", "lampworks_messages_total 7\n"},
		{"GET", "/metrics", 200, "", "lampworks_uplink_tail 1\n"},
	} {
		a := w.call(w.owner, tt.method, tt.path, "")
		if a.status != tt.want || a.header.Get("Allow") != tt.allow || !strings.Contains(string(a.body), tt.body) {
			t.Errorf("%s: %d, Allow %q, %.300s", a.name, a.status, a.header.Get("Allow"), a.body)
		}
		kept := a.header.Get("Cache-Control") != "no-store" || a.header.Get("X-Request-Id") == "" || a.header.Get("X-Content-Type-Options") != "nosniff"
		if strings.HasPrefix(tt.path, "/api/") && kept {
			t.Errorf("%s: headers %v", a.name, a.header)
		}
	}
	if a := w.want(w.call(w.owner, "GET", "/api/v1/orders/"+m.order, ""), 200); a.text("downloaded_at") != "" {
		t.Error("HEAD has used the one download up")
	}
	metrics := string(w.call("", "GET", "/metrics", "").body)
	for kind, id := range m.ids(w) {
		if len(id) > 8 && strings.Contains(metrics, id) {
			t.Errorf("/metrics names a %s", kind)
		}
	}
}

func TestBearer(t *testing.T) {
	w := newWorld(t)
	w.people()
	for _, tt := range []struct {
		header string
		want   int
	}{
		{"Bearer " + w.owner, 200},
		{"bearer " + w.owner, 200},
		{"Bearer  " + w.owner, 200},
		{"Basic " + w.owner, 401},
		{w.owner, 401},
		{"Bearer", 401},
		{"Bearer " + w.owner[:20], 401},
	} {
		if a := w.call("", "GET", "/api/v1/homes", "", "Authorization", tt.header); a.status != tt.want {
			t.Errorf("Authorization of %d bytes: %d, want %d", len(tt.header), a.status, tt.want)
		}
	}
	// a bearer that is wrong is not made good by a cookie
	w.want(w.call("lw_x_y", "GET", "/api/v1/homes", "", "Cookie", "lw_session="+w.owner), 401)
	// an API token signs a browser in, with what the token may do
	token := w.want(w.call(w.owner, "POST", "/api/v1/tokens", `{"name":"reads","scopes":["home.read"]}`), 201).text("token")
	session := w.cookie("POST", "/api/v1/session", fmt.Sprintf(`{"token":%q}`, token))
	w.want(w.browser(session, "GET", "/api/v1/homes", "", w.url), 200)
	w.want(w.browser(session, "POST", "/api/v1/homes", `{"names":{"en":"x"}}`, w.url), 403)
	w.want(w.browser(session, "DELETE", "/api/v1/session", "", w.url), 204)
	w.want(w.browser(session, "GET", "/api/v1/homes", "", w.url), 401)
}

// TestPasswordEndsSessions also shows that the new session's cookie comes with the answer.
func TestPasswordEndsSessions(t *testing.T) {
	w := newWorld(t)
	w.people()
	other := w.signIn("anna")
	session := w.cookieAs(w.owner, "PUT", "/api/v1/session/password", fmt.Sprintf(`{"old_password":%q,"new_password":"another long passphrase"}`, password))
	for _, tt := range []struct {
		token string
		want  int
	}{{w.owner, 401}, {other, 401}, {session, 200}} {
		w.want(w.call(tt.token, "GET", "/api/v1/session", ""), tt.want)
	}
}

// TestNoDatabase tells a platform that does not work from a token that does not hold.
func TestNoDatabase(t *testing.T) {
	w := newWorld(t)
	w.people()
	token := w.signIn("anna") // shown to nobody yet, so nothing is believed of it
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/api/v1/session", 500}, {"DELETE", "/api/v1/session", 500}, {"GET", "/api/v1/homes", 500}, {"GET", "/readyz", 503}, {"GET", "/healthz", 200},
	} {
		a := w.call(token, tt.method, tt.path, "")
		if tt.want == 500 && (a.status != 500 || a.text("code") != "internal" || !strings.Contains(w.logs.String(), a.text("request"))) || a.status != tt.want {
			t.Errorf("%s without a database: %d %s, want %d", a.name, a.status, a.body, tt.want)
		}
	}
}

// TestWait answers when the command ends, and at the end of patience if it does not.
func TestWait(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	path := "/api/v1/devices/" + m.device + "/commands"
	a := w.want(w.call(w.owner, "POST", path, `{"kind":"property_set","params":{"brightness":5},"deadline_ms":600000,"wait_ms":20}`), 201)
	if a.text("state") != "accepted" || a.text("ended_at") != "" {
		t.Errorf("after its patience: %s", a.body)
	}
	began := time.Now()
	a = w.want(w.call(w.owner, "POST", path, `{"kind":"property_set","params":{"brightness":6},"deadline_ms":50,"wait_ms":20000}`), 201)
	if a.text("state") != "expired" || a.text("reason") != "offline" || time.Since(began) > 15*time.Second {
		t.Errorf("after its deadline: %s", a.body)
	}
}
