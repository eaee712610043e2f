package api_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"lampworks/triple"
)

// TestNoSecretIsSeenAgain sends every secret in every way that a client may get wrong, and reads every answer and the log.
func TestNoSecretIsSeenAgain(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	made := w.want(w.call(w.owner, "POST", "/api/v1/tokens", `{"name":"canary"}`), 201).text("token")
	secrets := map[string]string{"password": password, "API token": made, "session": w.owner, "operator's session": w.operator, "recovery code": w.codes["anna"][0]}
	book := w.want(w.call(w.owner, "GET", "/api/v1/downloads/"+m.download+"/file", ""), 200)
	_, err := triple.ReadWorkbook(bytes.NewReader(book.body), int64(len(book.body)), func(x triple.Triple) error {
		secrets["DeviceSecret of "+x.MAC.String()] = x.Secret.Reveal()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	look := func(a answer) {
		t.Helper()
		seen := string(a.body) + fmt.Sprint(a.header["Location"], a.header["Www-Authenticate"])
		for name, s := range secrets {
			if strings.Contains(seen, s) {
				t.Errorf("%s: %d shows the %s", a.name, a.status, name)
			}
		}
	}
	for _, path := range []string{"/api/v1/session", "/api/v1/setup", "/api/v1/users"} {
		for _, form := range []string{
			`{"login":"anna","password":%q}`, `{"login":"anna","password":[%q]}`, `{"login":"anna","pasword":%q}`, `{"login":%q}`, `[%q]`, `%q`,
			`{"login":"anna","password":%q`, `{"login":"anna","password":"short","code":%q}`, `{"token":%q}`, `{"token":{"x":%q}}`, `{"email":%q}`,
		} {
			for _, s := range secrets {
				look(w.call(w.operator, "POST", path, fmt.Sprintf(form, s)))
				look(w.call(w.operator, "POST", path, fmt.Sprintf(form, strings.Repeat(s, 8)))) // too long for most fields
				look(w.call(w.operator, "POST", path, fmt.Sprintf(form, s), "Content-Type", "text/plain"))
			}
		}
	}
	for _, s := range secrets {
		look(w.call(w.owner, "PUT", "/api/v1/session/password", fmt.Sprintf(`{"old_password":"x","new_password":{"is":%q}}`, s)))
		look(w.call(w.owner, "PUT", "/api/v1/session/password", fmt.Sprintf(`{"old_password":%q,"new_password":"anna"}`, s)))
		look(w.call(s, "GET", "/api/v1/session", ""))
	}
	for _, e := range matrix {
		if e.method == "GET" && !strings.HasSuffix(e.path, "/live") && !strings.HasSuffix(e.path, "/file") {
			for _, who := range []string{w.owner, w.operator, made} {
				look(w.call(who, "GET", fill(e.path, m.ids(w)), ""))
			}
		}
	}
	look(w.call("", "GET", "/metrics", ""))
	look(w.call("", "GET", "/api/openapi.json", ""))
	for name, s := range secrets {
		if strings.Contains(w.logs.String(), s) {
			t.Errorf("the log shows the %s", name)
		}
	}
}
