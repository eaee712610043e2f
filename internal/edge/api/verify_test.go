package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestVerification plays an organisation's way to its verification, with one rejection, through the API alone.
func TestVerification(t *testing.T) {
	w := newWorld(t)
	w.people()
	at := "/api/v1/organisations/" + w.a + "/verification"
	as := func(token, method, path, body string, status int) answer {
		t.Helper()
		return w.want(w.call(token, method, at+path, body), status)
	}
	if got := as(w.owner, "GET", "", "", 200); got.text("state") != "unverified" || got.get("level") != 0.0 {
		t.Fatalf("it begins as %s", got.body)
	}
	form := `{"form":"organisation","values":{"legal_name":"灯火","unified_social_credit_code":"91330100799655058B","organisation_type":"enterprise",
		"founded_on":"2010-05-01","registered_address":"杭州市西湖区灯火路","legal_representative":"欧阳金丝雀","contact_name":"欧阳金丝雀","contact_phone":"13800138000","brands":"灯火"}}`
	as(w.owner, "PUT", "/form", form, 200)
	if got := as(w.owner, "POST", "/submissions", "", 409); !strings.Contains(got.text("detail"), "paper.business_licence") {
		t.Errorf("what is missing is not named: %s", got.body)
	}
	pdf := func(query string) answer {
		t.Helper()
		return w.want(w.call(w.owner, "POST", at+"/papers?"+query, "%PDF-1.7\n", "Content-Type", "application/pdf"), 201)
	}
	licence := pdf("slot=business_licence&number=1&name=a.pdf").id()
	pdf("slot=authorisation_letter&valid_from=2020-01-01&valid_until=2099-12-31")
	pdf("slot=trademark&number=7")
	as(w.owner, "POST", "/submissions", "", 201)
	if got := w.want(w.call(w.operator, "GET", "/api/v1/verifications?state=pending&sort=submitted_at&total=true", ""), 200); got.text("items/0/organisation") != w.a || got.get("total/count") != 1.0 {
		t.Errorf("the queue is %s", got.body)
	}
	as(w.operator, "PUT", "/claim", `{}`, 200)
	as(w.operator, "POST", "/decision", `{"submission":1,"decision":"reject","reasons":[{"where":"paper.trademark","code":"unreadable"}]}`, 200)
	as(w.operator, "POST", "/decision", `{"submission":1,"decision":"approve"}`, 409)
	if got := as(w.owner, "GET", "/submissions/1", "", 200); got.text("reasons/0/code") != "unreadable" || strings.Contains(string(got.body), "13800138000") || strings.Contains(string(got.body), "欧阳") {
		t.Errorf("the submission is %s", got.body)
	}
	as(w.owner, "POST", "/submissions", "", 201)
	stale := w.want(w.call(w.operator, "POST", at+"/decision", `{"submission":2,"decision":"approve"}`, "If-Match", `"1"`), 412)
	if stale.text("code") != "stale" {
		t.Errorf("an old version: %s", stale.body)
	}
	as(w.operator, "POST", "/decision", `{"submission":2,"decision":"approve"}`, 200)
	if got := as(w.owner, "GET", "", "", 200); got.text("state") != "verified" || got.get("level") != 2.0 {
		t.Errorf("it is %s", got.body)
	}
	if got := as(w.operator, "POST", "/submissions/2/reveal", `{"reason":"to compare"}`, 200); got.text("values/contact_phone") != "13800138000" {
		t.Errorf("revealed is %s", got.body)
	}
	paper := as(w.operator, "GET", "/papers/"+licence, "", 200)
	if h := paper.header; string(paper.body) != "%PDF-1.7\n" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" ||
		h.Get("Content-Disposition") != `attachment; filename="business_licence-`+licence+`.pdf"` || h.Get("Content-Type") != "application/pdf" {
		t.Errorf("a paper comes as %v %q", h, paper.body)
	}
	w.want(w.call(w.operator, http.MethodHead, at+"/papers/"+licence, ""), 405)
	waiver := as(w.operator, "POST", "/waivers", `{"condition":"qualification.radio","reason":"certified module","wording":"豁免书","ends_at":"2027-06-01T00:00:00Z"}`, 201)
	if got := w.want(w.call(w.owner, "GET", "/api/v1/waivers?format=csv", ""), 200); !strings.Contains(string(got.body), "qualification.radio") {
		t.Errorf("the organisation's waivers: %s", got.body)
	}
	as(w.operator, "DELETE", "/waivers/"+waiver.id()+"?reason=over", "", 200)
	as(w.operator, "PUT", "/demand", `{"act":"ask_supplement","text":"again","papers":["trademark"],"due":"2027-06-01T00:00:00Z","consequence":"level_drops"}`, 200)
	as(w.operator, "POST", "/demand/clear", `{"reason":"seen"}`, 200)
	as(w.operator, "POST", "/revocation", `{"reason":"forged"}`, 200)
	if got := as(w.owner, "GET", "", "", 200); got.text("state") != "revoked" || got.get("level") != 0.0 {
		t.Errorf("it ends as %s", got.body)
	}
	as(w.operator, "POST", "/reinstatement", `{"reason":"x"}`, 403)
	w.want(w.call(w.operator, "GET", "/api/v1/verifications/figures", ""), 200)
}

// TestPaperLimits sends papers at the limit of their slot, one byte above, and far above what any route takes.
func TestPaperLimits(t *testing.T) {
	w := newWorld(t)
	w.people()
	for _, tt := range []struct{ size, want int }{{10 << 20, 201}, {10<<20 + 1, 413}, {20<<20 + 1, 413}, {21 << 20, 413}} {
		body := "%PDF-1.7\n" + strings.Repeat(" ", tt.size-9)
		path := fmt.Sprintf("/api/v1/organisations/%s/verification/papers?slot=other", w.a)
		if got := w.call(w.owner, "POST", path, body, "Content-Type", "application/pdf"); got.status != tt.want {
			t.Errorf("%d bytes: %d %s, want %d", tt.size, got.status, got.body, tt.want)
		}
	}
	svg := w.call(w.owner, "POST", "/api/v1/organisations/"+w.a+"/verification/papers?slot=other", "<svg onload='x'/>", "Content-Type", "image/svg+xml")
	if svg.status != 422 || !strings.Contains(svg.text("detail"), "image/svg+xml") {
		t.Errorf("SVG: %d %s", svg.status, svg.body)
	}
}
