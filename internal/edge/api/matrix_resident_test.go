package api_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"lampworks/internal/infra/access"
)

// resides is the need of routes for residents.
const resides access.Act = "a resident"

// residenceMatrix is what residents do, and who lives in a home.
var residenceMatrix = []entry{
	{"GET", "/api/v1/resident", resides, "", true},
	{"PUT", "/api/v1/resident", resides, `{"name":"Xiao Ming"}`, true},
	{"PUT", "/api/v1/resident/contact", resides, `{"contact":"x@example.com","code":"000000","present_code":"000000"}`, true},
	{"POST", "/api/v1/resident/deletion", resides, `{"code":"000000"}`, true},
	{"GET", "/api/v1/resident/sessions", resides, "", true},
	{"DELETE", "/api/v1/resident/sessions", resides, "", true},
	{"DELETE", "/api/v1/resident/sessions/{session}", resides, "", true},
	{"GET", "/api/v1/resident/homes", resides, "", true},
	{"POST", "/api/v1/resident/homes", resides, `{"names":{"en":"x"}}`, true},
	{"POST", "/api/v1/resident/memberships", resides, `{"code":"x"}`, true},
	{"POST", "/api/v1/homes/{home}/devices/claim", access.WriteHome, `{"token":"000102030405060708090a0b0c0d0e0f","names":{"en":"x"}}`, false},
	{"GET", "/api/v1/homes/{home}/claims/{claim}", access.WriteHome, "", false},
	{"GET", "/api/v1/homes/{home}/speakers", access.ReadHome, "", false},
	{"PUT", "/api/v1/homes/{home}/speakers/{speaker}", access.WriteHome, `{"room":"{room}"}`, false},
	{"DELETE", "/api/v1/homes/{home}/speakers/{speaker}", access.WriteHome, "", false},
	{"PUT", "/api/v1/homes/{home}/devices/{device}/visibility", access.WriteHome, `{"hidden":true}`, false},
	{"GET", "/api/v1/homes/{home}/favourites", access.ReadHome, "", false},
	{"PUT", "/api/v1/homes/{home}/favourites", access.ReadHome, `{"devices":["{device}"]}`, false},
	{"GET", "/api/v1/homes/{home}/name-warnings", access.ReadHome, "", false},
	{"GET", "/api/v1/homes/{home}/members", access.ReadHome, "", false},
	{"PUT", "/api/v1/homes/{home}/members/{resident}", access.ManageHome, `{"role":"adult"}`, false},
	{"DELETE", "/api/v1/homes/{home}/members/{resident}", access.ReadHome, "", false},
	{"POST", "/api/v1/homes/{home}/transfer", access.ManageHome, `{"resident":"{resident}"}`, false},
	{"GET", "/api/v1/homes/{home}/invitations", access.ManageHome, "", false},
	{"POST", "/api/v1/homes/{home}/invitations", access.ManageHome, `{"role":"child"}`, false},
	{"DELETE", "/api/v1/homes/{home}/invitations/{invitation}", access.ManageHome, "", false},
}

// sixDigits are those that were sent to a contact last, and not seen before.
func (w *world) sixDigits(contact string, before ...string) string {
	w.t.Helper()
	form := regexp.MustCompile(`(?:code is|验证码是) ([0-9]{6})`)
	var code string
	w.eventually("a code comes to "+contact, func() bool {
		files, _ := filepath.Glob(filepath.Join(w.mail, "*"))
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil || !bytes.Contains(b, []byte(contact)) {
				continue
			}
			if found := form.FindSubmatch(b); found != nil && !slices.Contains(before, string(found[1])) {
				code = string(found[1])
			}
		}
		return code != ""
	})
	return code
}

// settle signs somebody up as a resident.
func (w *world) settle(name string) (session, id string) {
	w.t.Helper()
	contact := name + "@home.example"
	w.want(w.call("", "POST", "/api/v1/resident/codes", fmt.Sprintf(`{"contact":%q}`, contact)), 204)
	session = w.cookie("POST", "/api/v1/resident/session", fmt.Sprintf(`{"contact":%q,"code":%q,"name":%q}`, contact, w.sixDigits(contact), name))
	return session, w.want(w.call(session, "GET", "/api/v1/resident", ""), 200).id()
}

// invited makes a resident a member of a home.
func (w *world) invited(householder, home, session string, role access.Role) {
	w.t.Helper()
	code := w.want(w.call(householder, "POST", "/api/v1/homes/"+home+"/invitations", fmt.Sprintf(`{"role":%q}`, role)), 201).text("code")
	w.want(w.call(session, "POST", "/api/v1/resident/memberships", fmt.Sprintf(`{"code":%q}`, code)), 201)
}

// TestResidentsAccess holds each route against residents in every role, in a home of theirs, in a maker's, and in none.
func TestResidentsAccess(t *testing.T) {
	w := newWorld(t)
	w.people()
	w.staff()
	m := w.manufacture()
	first, _ := w.settle("first")
	home := w.want(w.call(first, "POST", "/api/v1/resident/homes", `{"names":{"en":"Nest"}}`), 201).id()
	residents := map[access.Role]string{access.Householder: first}
	for _, role := range []access.Role{access.Adult, access.Child, access.Guest} {
		session, _ := w.settle(string(role))
		w.invited(first, home, session, role)
		residents[role] = session
	}
	own := maps.Clone(m.ids(w))
	own["home"] = home
	for role, session := range residents {
		for _, e := range matrix {
			inHome := regexp.MustCompile(`^/api/v1/homes/\{home\}`).MatchString(e.path)
			want := http.StatusForbidden
			switch {
			case e.act == resides, e.path == "/api/v1/icons/{icon}", inHome && slices.Contains(access.Allowed(role), e.act):
				want = http.StatusUnprocessableEntity // carried out, but for what is wrong on purpose
			}
			if a := w.harmless(session, e, own); a.status != want {
				t.Errorf("%s as %s: %d %s, want %d", a.name, role, a.status, a.body, want)
			}
			if !inHome {
				continue
			}
			for of, ids := range map[string]map[string]string{"a maker": m.ids(w), "nobody": none()} {
				if a := w.harmless(session, e, ids); a.status != http.StatusNotFound {
					t.Errorf("%s of %s as %s: %d %s, want 404", a.name, of, role, a.status, a.body)
				}
			}
		}
	}
	for _, maker := range []string{w.owner, w.stranger} { // and the other way round
		for _, e := range matrix {
			if e.act == access.ReadHome && !e.shared {
				if a := w.harmless(maker, e, own); a.status != http.StatusNotFound {
					t.Errorf("%s of residents as a maker: %d %s, want 404", a.name, a.status, a.body)
				}
			}
		}
	}
}
