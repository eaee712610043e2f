package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/access"
)

// entry is what the matrix knows of a route: who may, and a request for an object of organisation a. {x} in path and body
// is the id of the object of that kind.
type entry struct {
	method, path string
	act          access.Act // empty: everybody who is signed in
	body         string
	shared       bool // its path names nothing that belongs to an organisation
}

const signedIn access.Act = ""

// nobody lists the routes that nobody needs to be signed in for.
var nobody = []string{
	"GET /api/v1/setup", "POST /api/v1/setup", "POST /api/v1/session", "DELETE /api/v1/session",
	"GET /api/v1/device-files/{link}", "GET /api/v1/sign-up", "POST /api/v1/sign-up", "POST /api/v1/sign-up/codes", "POST /api/v1/password-reset", "POST /api/v1/password-reset/codes",
	"POST /api/v1/resident/codes", "POST /api/v1/resident/session",
	"PUT /api/v1/invitations/refusal",
}

// harmless lists the routes for everybody who is signed in that a token may ask whatever its scopes are.
var harmless = []string{
	"GET /api/v1/session", "GET /api/v1/outstanding-agreements", "GET /api/v1/organisation-kinds", "GET /api/v1/verification/catalogue", "GET /api/v1/icons/{icon}",
	"GET /api/v1/agreements", "GET /api/v1/agreements/{agreement}/versions", "GET /api/v1/agreements/{agreement}/versions/{version}",
}

// matrix is every other route, written down apart from the declarations it is held against.
var matrix = slices.Concat(limitRoutes, enforcementRoutes, takeoutMatrix, agreementMatrix, noticeMatrix, serviceMatrix, []entry{
	{"GET", "/api/v1/session", signedIn, "", true},
	{"PUT", "/api/v1/session/organisation", signedIn, `{"organisation":"{organisation}"}`, false},
	{"PUT", "/api/v1/session/password", signedIn, `{"old_password":"wrong","new_password":"quite another passphrase"}`, true},
	{"GET", "/api/v1/sessions", signedIn, "", true},
	{"DELETE", "/api/v1/sessions/{session}", signedIn, "", false},
	{"GET", "/api/v1/memberships", signedIn, "", true},
	{"GET", "/api/v1/organisation-kinds", signedIn, "", true},

	{"GET", "/api/v1/users", access.ManageUsers, "", true},
	{"GET", "/api/v1/users/{user}", access.ManageUsers, "", true},
	{"POST", "/api/v1/users", access.ManageUsers, `{"login":"somebody","password":"quite another passphrase"}`, true},
	{"PUT", "/api/v1/users/{user}/state", access.ManageUsers, `{"state":"disabled"}`, true},
	{"GET", "/api/v1/organisations", access.ManageOrganisations, "", true},
	{"POST", "/api/v1/organisations", access.ManageOrganisations, `{"names":{"en":"x"},"kinds":["chip_maker"]}`, true},
	{"GET", "/api/v1/organisations/{organisation}", access.ReadOrganisation, "", false},
	{"PUT", "/api/v1/organisations/{organisation}", access.WriteOrganisation, `{"names":{"en":"x"},"kinds":["chip_maker"]}`, false},
	{"GET", "/api/v1/organisations/{organisation}/members", access.ReadMembers, "", false},
	{"POST", "/api/v1/organisations/{organisation}/members", access.ManageOrganisations, `{"login":"boris","role":"owner"}`, true},
	{"GET", "/api/v1/organisations/{organisation}/members/{user}", access.ReadMembers, "", false},
	{"PATCH", "/api/v1/organisations/{organisation}/members/{user}", access.ManageMembers, `{"role":"query"}`, false},
	{"DELETE", "/api/v1/organisations/{organisation}/members/{user}", access.ManageMembers, "", false},
	{"GET", "/api/v1/tokens", access.ManageTokens, "", true},
	{"POST", "/api/v1/tokens", access.ManageTokens, `{"name":"x"}`, true},
	{"GET", "/api/v1/tokens/{token}", access.ManageTokens, "", false},
	{"DELETE", "/api/v1/tokens/{token}", access.ManageTokens, "", false},
	{"GET", "/api/v1/audit", access.ReadAudit, "", true},
	{"GET", "/api/v1/audit/key", access.ReadAudit, "", true},
	{"GET", "/api/v1/audit/export", access.ExportAudit, "", true},
	{"GET", "/api/v1/jobs", access.ReadJob, "", true},
	{"GET", "/api/v1/jobs/{job}", access.ReadJob, "", false},
	{"DELETE", "/api/v1/jobs/{job}", access.ManageJob, "", false},

	{"GET", "/api/v1/categories", access.ReadProduct, "", true},
	{"GET", "/api/v1/protocols", access.ReadProduct, "", true},
	{"GET", "/api/v1/categories/{category}", access.ReadProduct, "", true},
	{"GET", "/api/v1/products", access.ReadProduct, "", true},
	{"POST", "/api/v1/products", access.WriteProduct, `{"category":"light","names":{"en":"x"}}`, true},
	{"GET", "/api/v1/products/{product}", access.ReadProduct, "", false},
	{"PATCH", "/api/v1/products/{product}", access.WriteProduct, `{"names":{"en":"x"}}`, false},
	{"GET", "/api/v1/products/{product}/draft", access.ReadProduct, "", false},
	{"PUT", "/api/v1/products/{product}/draft", access.WriteProduct, `{"document":{}}`, false},
	{"DELETE", "/api/v1/products/{product}/draft", access.WriteProduct, "", false},
	{"GET", "/api/v1/products/{product}/versions", access.ReadProduct, "", false},
	{"POST", "/api/v1/products/{product}/versions", access.PublishModel, `{}`, false},
	{"GET", "/api/v1/products/{product}/versions/{version}", access.ReadProduct, "", false},
	{"GET", "/api/v1/products/{product}/voice", access.ReadProduct, "", false},
	{"PUT", "/api/v1/products/{product}/voice", access.WriteProduct, `{"document":{}}`, false},
	{"POST", "/api/v1/products/{product}/voice/trial", access.ReadProduct, `{}`, false},
	{"GET", "/api/v1/products/{product}/voice/versions", access.ReadProduct, "", false},
	{"POST", "/api/v1/products/{product}/voice/versions", access.PublishModel, `{}`, false},
	{"GET", "/api/v1/products/{product}/voice/versions/{version}", access.ReadProduct, "", false},
	{"GET", "/api/v1/products/{product}/configurations", access.ReadProduct, "", false},
	{"POST", "/api/v1/products/{product}/configurations", access.WriteProduct, `{"document":{}}`, false},
	{"GET", "/api/v1/products/{product}/configurations/{version}", access.ReadProduct, "", false},
	{"POST", "/api/v1/products/{product}/configurations/{version}/pushes", access.ControlDevice, `{}`, false},
	{"GET", "/api/v1/products/{product}/configuration-pushes", access.ReadProduct, "", false},
	{"POST", "/api/v1/products/{product}/orders", access.IssueTriples, `{"quantity":1,"purpose":"mass"}`, false},
	{"GET", "/api/v1/orders", access.ReadOrder, "", true},
	{"GET", "/api/v1/orders/{order}", access.ReadOrder, "", false},
	{"DELETE", "/api/v1/orders/{order}", access.IssueTriples, "", false},

	{"GET", "/api/v1/devices", access.ReadDevice, "", true},
	{"GET", "/api/v1/devices/{device}", access.ReadDevice, "", false},
	{"PUT", "/api/v1/devices/{device}/state", access.WriteDevice, `{"state":"disabled"}`, false},
	{"GET", "/api/v1/devices/{device}/session", access.ReadDevice, "", false},
	{"GET", "/api/v1/devices/{device}/shadow", access.ReadDevice, "", false},
	{"GET", "/api/v1/devices/{device}/history?property=powerstate", access.ReadDevice, "", false},
	{"GET", "/api/v1/devices/{device}/commands", access.ReadDevice, "", false},
	{"GET", "/api/v1/devices/{device}/tags", access.ReadDevice, "", false},
	{"GET", "/api/v1/devices/{device}/firmware", access.ReadDevice, "", false},
	{"GET", "/api/v1/devices/{device}/log", access.ReadDevice, "", false},
	{"GET", "/api/v1/devices/{device}/timeline", access.ReadDevice, "", false},
	{"GET", "/api/v1/devices/{device}/timeline/live", access.ReadDevice, "", false},
	{"POST", "/api/v1/devices/{device}/commands", access.ControlDevice, `{"kind":"property_set","params":{"powerstate":1}}`, false},
	{"POST", "/api/v1/devices/{device}/services/{service}", access.ControlDevice, `{}`, false},
	{"GET", "/api/v1/devices/{device}/children", access.ReadDevice, "", false},
	{"PUT", "/api/v1/devices/{device}/children/{child}", access.WriteDevice, "", false},
	{"DELETE", "/api/v1/devices/{device}/children/{child}", access.WriteDevice, "", false},
	{"POST", "/api/v1/devices/{device}/permit-join", access.ControlDevice, `{"seconds":60}`, false},
	{"POST", "/api/v1/devices/{device}/messages", access.ControlDevice, `{"topic":"get","text":"x"}`, false},
	{"GET", "/api/v1/commands/{command}", access.ReadDevice, "", false},
	{"DELETE", "/api/v1/commands/{command}", access.ControlDevice, "", false},
	{"PUT", "/api/v1/virtual-devices/{device}/fault", access.RunVirtualDevice, `{"fault":"silent"}`, false},

	{"GET", "/api/v1/homes", access.ReadHome, "", true},
	{"POST", "/api/v1/homes", access.WriteHome, `{"names":{"en":"x"}}`, true},
	{"GET", "/api/v1/homes/{home}", access.ReadHome, "", false},
	{"PATCH", "/api/v1/homes/{home}", access.WriteHome, `{"names":{"en":"x"}}`, false},
	{"PUT", "/api/v1/homes/{home}/place", access.WriteHome, `{"time_zone":"UTC"}`, false},
	{"DELETE", "/api/v1/homes/{home}", access.WriteHome, "", false},
	{"POST", "/api/v1/homes/{home}/rooms", access.WriteHome, `{"names":{"en":"x"}}`, false},
	{"PUT", "/api/v1/homes/{home}/rooms/{room}", access.WriteHome, `{"names":{"en":"x"}}`, false},
	{"DELETE", "/api/v1/homes/{home}/rooms/{room}", access.WriteHome, "", false},
	{"POST", "/api/v1/homes/{home}/devices", access.WriteHome, `{"device":"{device}","names":{"en":"x"}}`, false},
	{"PUT", "/api/v1/homes/{home}/devices/{device}", access.WriteHome, `{"names":{"en":"x"}}`, false},
	{"DELETE", "/api/v1/homes/{home}/devices/{device}", access.WriteHome, "", false},
	{"GET", "/api/v1/homes/{home}/live", access.ReadHome, "", false},
	{"POST", "/api/v1/homes/{home}/sentences", access.Speak, `{"text":"打开客厅的灯"}`, false},
	{"POST", "/api/v1/homes/{home}/recordings", access.Speak, "", false},
	{"GET", "/api/v1/homes/{home}/microphone", access.Speak, "", false},
	{"POST", "/api/v1/speech", access.Speak, `{"text":"你好","lang":"zh-CN"}`, true},
},
	householdMatrix,
	residenceMatrix,
	accountMatrix,
	matrixOfIssuance,
	matrixOfFactory,
	matrixOfCertify,
	verificationMatrix,
)

func (e entry) name() string {
	path, _, _ := strings.Cut(e.path, "?")
	return e.method + " " + path
}

// fill puts ids into the places of a path or body.
func fill(s string, ids map[string]string) string {
	for kind, id := range ids {
		s = strings.ReplaceAll(s, "{"+kind+"}", id)
	}
	return s
}

// none names an object of every kind that nobody has.
func none() map[string]string {
	ids := map[string]string{"version": "1", "number": "1", "service": "identify"}
	for _, kind := range []string{
		"session", "organisation", "user", "token", "invitation", "job", "category", "product", "order", "device", "child", "command", "home", "room", "scene", "run", "timer", "automation", "sentence", "announced", "download", "list", "log",
		"agreement", "consent", "notice", "announcement", "bar", "switch", "plan", "application", "override",
		"paper", "waiver", "resident", "claim", "speaker",
		"limit_override", "measure", "appeal", "deletion", "export",
	} {
		ids[kind] = "0197-none"
	}
	return noCertified.into(ids)
}

func (m maker) ids(w *world) map[string]string {
	ids := map[string]string{
		"session": m.session, "organisation": w.a, "user": m.member, "token": m.token, "job": m.job, "category": "light", "product": m.product,
		"version": "1", "number": "1", "service": "identify", "paper": m.paper, "waiver": "0197-none", "announced": "0197-none", "order": m.order, "device": m.device, "child": m.device, "command": m.command, "home": m.home, "room": m.room, "scene": m.scene, "run": m.run, "timer": m.timer, "automation": m.automation, "download": m.download, "list": m.list, "log": m.log,
	}
	maps.Copy(ids, m.agreed)
	maps.Copy(ids, w.cases(m))
	return m.certified.into(ids)
}

func TestEveryRouteIsInTheMatrix(t *testing.T) {
	s, _ := readSpec(t)
	known := slices.Clone(nobody)
	for _, e := range matrix {
		known = append(known, e.name())
	}
	for path, item := range s.Paths {
		for method := range item {
			name := strings.ToUpper(method) + " " + path
			i := slices.Index(known, name)
			if i < 0 {
				t.Errorf("%s is not in the matrix: say who may, and what a stranger gets", name)
				continue
			}
			known = slices.Delete(known, i, i+1)
		}
	}
	for _, name := range known {
		t.Errorf("%s is in the matrix and is no route", name)
	}
}

func TestAccess(t *testing.T) {
	w := newWorld(t)
	w.people()
	w.staff()
	m := w.manufacture()

	t.Run("nobody is refused before anything is decoded", func(t *testing.T) {
		for _, e := range matrix {
			for _, body := range []string{fill(e.body, m.ids(w)), `{"this is": not JSON`} {
				for _, token := range []string{"", "lws_made-up", "lw_made_up"} {
					a := w.call(token, e.method, fill(e.path, m.ids(w)), body)
					if a.status != http.StatusUnauthorized || a.text("code") != "unauthenticated" || a.header.Get("WWW-Authenticate") == "" {
						t.Errorf("%s as %q: %d %s, want 401", a.name, token, a.status, a.body)
					}
				}
			}
		}
	})
	t.Run("a role does what the table says, with what is its own, and nothing else", func(t *testing.T) {
		for _, who := range w.everybody() {
			for _, e := range matrix {
				for of, ids := range map[string]map[string]string{"a": m.ids(w), "none": none()} {
					a := w.harmless(who.session, e, ids)
					if want := who.gets(e, of); !slices.Contains(want, a.status) {
						t.Errorf("%s of %s as %s: %d %s, want %v", a.name, of, who.name, a.status, a.body, want)
					}
				}
			}
		}
	})
	t.Run("nobody of the operator's people does anything before the second factor", func(t *testing.T) {
		id := w.user("newcomer")
		w.want(w.call(w.operator, "PUT", "/api/v1/users/"+id+"/role", `{"role":"admin"}`), 204)
		session := w.signIn("newcomer")
		for _, e := range matrix {
			if a := w.harmless(session, e, m.ids(w)); e.act != signedIn && a.status != http.StatusForbidden {
				t.Errorf("%s: %d %s, want 403", a.name, a.status, a.body)
			}
		}
	})
	t.Run("a stranger finds nothing", func(t *testing.T) {
		before := w.trace()
		for _, e := range matrix {
			if e.shared {
				continue
			}
			if e.act == access.ManageHome { // of residents only
				continue
			}
			a := w.call(w.stranger, e.method, fill(e.path, m.ids(w)), fill(e.body, m.ids(w)))
			if a.status != http.StatusNotFound || a.text("code") != "not_found" {
				t.Errorf("%s as the owner of another organisation: %d %s, want 404", a.name, a.status, a.body)
			}
			if b := w.call(w.stranger, e.method, fill(e.path, none()), fill(e.body, none())); b.status != a.status {
				t.Errorf("%s: %d for an object of others, %d for one that is not there", a.name, a.status, b.status)
			}
		}
		for _, list := range []string{"products", "orders", "devices", "homes", "jobs", "tokens"} {
			if n := len(w.want(w.call(w.stranger, "GET", "/api/v1/"+list, ""), 200).get("items").([]any)); n != 0 {
				t.Errorf("a stranger sees %d %s", n, list)
			}
		}
		if after := w.trace(); after != before {
			t.Errorf("strangers have changed something: the newest audit entry is %s, was %s", after, before)
		}
	})
	t.Run("an object of others is not found within one's own either", func(t *testing.T) {
		home := w.want(w.call(w.stranger, "POST", "/api/v1/homes", `{"names":{"en":"b"}}`), 201).id()
		w.want(w.call(w.stranger, "POST", "/api/v1/homes/"+home+"/devices", `{"device":"`+m.device+`","names":{"en":"lamp"}}`), 404)
	})
	t.Run("a token does no more than its scopes, nor than who made it", func(t *testing.T) {
		for _, tt := range []struct {
			role    access.Role
			session string
			scopes  []access.Act
		}{
			{access.Owner, w.owner, []access.Act{access.ReadDevice}},
			{access.Owner, w.owner, []access.Act{access.WriteProduct, access.ReadOrder, access.WriteBurnLog}},
			{access.Engineer, w.roles["engineer"], []access.Act{access.ReadProduct, access.IssueTriples, access.LeaveOrganisation}},
			{access.Admin, w.operator, []access.Act{access.ReadProduct, access.ManageUsers, access.Speak}},
		} {
			in := must(json.Marshal(map[string]any{"name": "narrow", "scopes": tt.scopes}))(t)
			token := w.want(w.call(tt.session, "POST", "/api/v1/tokens", string(in)), 201).text("token")
			for _, e := range matrix {
				a := w.harmless(token, e, m.ids(w))
				may := slices.Contains(harmless, e.name()) || slices.Contains(tt.scopes, e.act) && slices.Contains(access.Allowed(tt.role), e.act)
				if refused := a.status == http.StatusForbidden; refused == may || a.status == http.StatusUnauthorized {
					t.Errorf("%s with %v: %d %s, may: %t", a.name, tt.scopes, a.status, a.body, may)
				}
			}
		}
	})
}

// A caller is somebody whom the matrix is asked for.
type caller struct {
	name, session string
	role          access.Role // empty: of no organisation
	organisation  string      // "a" or "b"; empty: of the platform, or of none
}

// gets is the status of a harmless request for an object of organisation a, or for none.
func (c caller) gets(e entry, of string) []int {
	if e.act == resides {
		return []int{http.StatusForbidden}
	}
	everywhere := slices.Contains(access.PlatformRoles(), c.role)
	switch {
	case e.act != signedIn && !slices.Contains(access.Allowed(c.role), e.act):
		return []int{http.StatusForbidden}
	case of == "none": // what an organisation has is looked for before anything is decoded, other things after it
		return []int{http.StatusNotFound, http.StatusUnprocessableEntity}
	case e.owned() && !everywhere && c.organisation != of:
		return []int{http.StatusNotFound}
	}
	return []int{http.StatusUnprocessableEntity} // carried out, but for what is wrong on purpose
}

// owned is whether the path names something of an organisation. What is a person's own, the room looks for.
func (e entry) owned() bool {
	persons := e.act == signedIn && !strings.HasPrefix(e.path, "/api/v1/memberships/") || e.act == access.ManageTokens
	return !e.shared && strings.Contains(e.path, "{") && !persons
}

// everybody is one of each role there is: of both organisations, of the platform, and somebody who is of none.
func (w *world) everybody() []caller {
	w.t.Helper()
	all := []caller{{"admin", w.operator, access.Admin, ""}, {"owner of b", w.stranger, access.Owner, "b"}}
	for role, session := range w.roles {
		all = append(all, caller{role + " of a", session, access.Role(role), "a"})
	}
	for role, session := range w.members(w.b, "b-") {
		all = append(all, caller{role + " of b", session, access.Role(role), "b"})
	}
	year := time.Now().Year()
	laboratory := w.want(w.call(w.operator, "POST", "/api/v1/laboratories", fmt.Sprintf(`{"names":{"en":"Lab"},"valid_from":"%d-01-01T00:00:00Z","valid_until":"%d-01-01T00:00:00Z"}`, year, year+2)), 201).id()
	for _, role := range access.PlatformRoles() {
		if role == access.Admin {
			continue
		}
		in := fmt.Sprintf(`{"role":%q}`, role)
		if role == access.Laboratory {
			in = fmt.Sprintf(`{"role":%q,"laboratory":%q}`, role, laboratory)
		}
		login := "platform-" + string(role)
		w.want(w.call(w.operator, "PUT", "/api/v1/users/"+w.user(login)+"/role", in), 204)
		session := w.signIn(login)
		w.enrol(login, session)
		all = append(all, caller{string(role), session, role, ""})
	}
	w.user("alone")
	all = append(all, caller{"a person without an organisation", w.signIn("alone"), "", ""})
	for _, role := range access.Roles() {
		if !slices.ContainsFunc(all, func(c caller) bool { return c.role == role }) {
			w.t.Errorf("nobody is a %s", role)
		}
	}
	return all
}

// harmless asks for what an entry says, with a parameter that no route knows: whoever may, is refused for that.
func (w *world) harmless(session string, e entry, ids map[string]string) answer {
	w.t.Helper()
	path, query, _ := strings.Cut(fill(e.path, ids), "?")
	if query != "" {
		query += "&"
	}
	return w.call(session, e.method, path+"?"+strings.ReplaceAll(query, "unknown=1&", "")+"unknown=1", fill(e.body, ids))
}

// trace is the newest audit entry of organisation a.
func (w *world) trace() string {
	return w.want(w.call(w.owner, "GET", "/api/v1/audit?limit=1", ""), 200).text("items/0/id")
}
