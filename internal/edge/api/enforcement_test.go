package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestRequestsBeyondTheirRate wants every answer to say what is left, and one beyond to be refused with the time to wait.
func TestRequestsBeyondTheirRate(t *testing.T) {
	w := newWorld(t)
	w.people()
	first := w.want(w.call(w.owner, "GET", "/api/v1/homes", ""), 200)
	if got, want := first.header.Get("RateLimit-Policy"), `"requests_per_second";q=1000;w=1, "requests_per_day";q=20000000;w=86400`; got != want {
		t.Errorf("RateLimit-Policy is\n got %s\nwant %s", got, want)
	}
	if got := first.header.Get("RateLimit"); !strings.HasPrefix(got, `"requests_per_second";r=`) || !strings.Contains(got, `;t=1, "requests_per_day";r=`) {
		t.Errorf("RateLimit is %s", got)
	}
	set := func(purpose string, value int) string {
		return w.want(w.call(w.operator, "POST", "/api/v1/limits/overrides", fmt.Sprintf(
			`{"subject":{"kind":"organisation","id":%q},"limit":"requests_per_day","purpose":%q,"value":%d,"reason":"abnormal use"}`, w.a, purpose, value)), 201).id()
	}
	set("throttle", 200)
	for i := range 201 {
		a := w.call(w.owner, "GET", "/api/v1/homes", "")
		if a.status == http.StatusOK {
			continue
		}
		if i < 180 || a.status != http.StatusTooManyRequests || a.text("code") != "limit" || a.header.Get("Retry-After") == "" || !strings.Contains(a.header.Get("RateLimit"), `"requests_per_day";r=0`) {
			t.Errorf("request %d: %d %s %v", i, a.status, a.body, a.header)
		}
		break
	}
	w.want(w.call(w.stranger, "GET", "/api/v1/homes", ""), 200)
	cut := set("cut_off", 0)
	if a := w.call(w.owner, "GET", "/api/v1/homes", ""); a.status != http.StatusTooManyRequests || !strings.Contains(a.text("fix"), "cut it off") {
		t.Errorf("cut off: %d %s", a.status, a.body)
	}
	w.want(w.call(w.operator, "DELETE", "/api/v1/limits/overrides/"+cut+"?reason=mended", ""), 200)
	set("set", 5000)
	w.want(w.call(w.owner, "GET", "/api/v1/homes", ""), 200)
}

// TestSuspendedOrganisation walks from a suspension to its end by an appeal: people may read, export and appeal, nothing else.
func TestSuspendedOrganisation(t *testing.T) {
	w := newWorld(t)
	w.people()
	measure := w.want(w.call(w.operator, "POST", "/api/v1/enforcement/measures", fmt.Sprintf(
		`{"subject":{"kind":"organisation","id":%q},"kind":"suspend","cause":"data_misuse","reason":"see the report","evidence":["report"]}`, w.a)), 201).id()
	a := w.call(w.owner, "POST", "/api/v1/homes", `{"names":{"en":"x"}}`)
	if a.status != http.StatusForbidden || a.text("code") != "suspended" || a.text("rule") != "suspend "+measure || !strings.Contains(a.text("fix"), "/appeals") {
		t.Errorf("a suspended organisation writes: %d %s", a.status, a.body)
	}
	w.want(w.call(w.owner, "GET", "/api/v1/homes", ""), 200)
	w.want(w.call(w.stranger, "POST", "/api/v1/homes", `{"names":{"en":"x"}}`), 201)
	if a := w.want(w.call(w.owner, "GET", "/api/v1/enforcement/measures/"+measure, ""), 200); a.text("imposed_by") != "" {
		t.Errorf("the organisation learns who imposed it: %s", a.body)
	}
	appeal := w.want(w.call(w.owner, "POST", "/api/v1/enforcement/measures/"+measure+"/appeals", `{"statement":"it was not us"}`), 201).id()
	decide := func(token string, status int) {
		w.want(w.call(token, "PUT", "/api/v1/enforcement/appeals/"+appeal+"/decision", `{"act":"lift","reason":"it was not them"}`), status)
	}
	decide(w.operator, 403) // imposed it
	decide(w.owner, 403)
	w.want(w.call(w.operator, "POST", "/api/v1/enforcement/measures/"+measure+"/lift", `{"reason":"it was not them"}`), 200)
	w.want(w.call(w.owner, "POST", "/api/v1/homes", `{"names":{"en":"x"}}`), 201)
}

// TestSuspendedTakesNoFile makes a download, and is suspended before its file is taken: at the gate for the organisation, in
// the room for the product. Afterwards it is given.
func TestSuspendedTakesNoFile(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	file := "/api/v1/downloads/" + m.download + "/file"
	for kind, id := range map[string]string{"organisation": w.a, "product": m.product} {
		measure := w.want(w.call(w.operator, "POST", "/api/v1/enforcement/measures", fmt.Sprintf(
			`{"subject":{"kind":%q,"id":%q},"kind":"suspend","cause":"secret_leak","reason":"see the report"}`, kind, id)), 201).id()
		if a := w.call(w.owner, "GET", file, ""); a.status != http.StatusForbidden || a.text("code") != "suspended" || a.text("rule") != "suspend "+measure {
			t.Errorf("under a suspension of the %s a file is answered %d %s", kind, a.status, a.body)
		}
		w.want(w.call(w.owner, "GET", "/api/v1/downloads/"+m.download, ""), 200)
		w.want(w.call(w.operator, "POST", "/api/v1/enforcement/measures/"+measure+"/lift", `{"reason":"it was not them"}`), 200)
	}
	w.want(w.call(w.owner, "GET", file, ""), 200)
}
