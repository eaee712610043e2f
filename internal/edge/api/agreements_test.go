package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// What is in force stops people and their tokens at every other route, until it is accepted.
func TestNobodyPassesWithoutAccepting(t *testing.T) {
	w := newWorld(t)
	w.people()
	token := w.want(w.call(w.owner, "POST", "/api/v1/tokens", `{"name":"robot"}`), 201).text("token")
	g := w.want(w.call(w.operator, "POST", "/api/v1/agreements", `{"precedence":1,"names":{"zh-CN":"主协议","en":"Master agreement"},
		"prevails":{"zh-CN":"以本协议为准。","en":"It prevails."},"subject":"organisation"}`), 201).id()
	path := "/api/v1/agreements/" + g
	v := w.want(w.call(w.operator, "PUT", path+"/draft", `{"texts":{"zh-CN":{"body":"# 主协议"},"en":{"body":"# Master"}}}`), 200)
	w.want(w.call(w.owner, "GET", path+"/versions/1", ""), 404) // a draft
	w.want(w.call(w.owner, "GET", "/api/v1/products", ""), 200)
	w.want(w.call(w.operator, "PUT", path+"/versions/1/state", fmt.Sprintf(`{"state":"published","digest":%q}`, v.text("digest"))), 200)
	for _, who := range []string{w.owner, token} {
		a := w.want(w.call(who, "GET", "/api/v1/products", ""), 403)
		if got := a.text("code") + " " + a.text("open/0"); got != "agreement "+g {
			t.Errorf("the refusal is %s", a.body)
		}
	}
	w.want(w.call(w.operator, "GET", "/api/v1/users", ""), 200)
	d := w.want(w.call(w.owner, "GET", "/api/v1/outstanding-agreements", ""), 200)
	hash := d.text("now/0/hashes/en")
	if hash == "" || hash != v.text("texts/en/hash") {
		t.Errorf("outstanding is %s", d.body)
	}
	answer := fmt.Sprintf(`{"version":1,"lang":"en","hash":%q}`, hash)
	w.want(w.call(w.owner, "POST", path+"/refusals", answer), 201)
	w.want(w.call(w.owner, "GET", "/api/v1/products", ""), 403)
	w.want(w.call(w.owner, "POST", path+"/acceptances", answer), 201)
	for _, who := range []string{w.owner, token} {
		w.want(w.call(who, "GET", "/api/v1/products", ""), 200)
	}
	evidence := w.want(w.call(w.owner, "GET", "/api/v1/acceptances?format=csv", ""), 200)
	if lines := strings.Split(strings.TrimSpace(string(evidence.body)), "\n"); len(lines) != 3 {
		t.Errorf("the evidence is %s", evidence.body)
	}
}

// A service that is switched off refuses its acts and names why; what was announced reaches the inbox.
func TestServiceSwitchedOff(t *testing.T) {
	w := newWorld(t)
	w.people()
	home := w.want(w.call(w.owner, "POST", "/api/v1/homes", `{"names":{"en":"home"}}`), 201).id()
	w.want(w.call(w.operator, "POST", "/api/v1/service-switches", `{"service":"home","on":false,"reason":"it ends"}`), 422)
	w.want(w.call(w.operator, "POST", "/api/v1/service-switches", `{"service":"home","on":false,"emergency":true,"reason":"it burns"}`), 201)
	a := w.want(w.call(w.owner, "PATCH", "/api/v1/homes/"+home, `{"names":{"en":"x"}}`), 403)
	if got, want := a.text("open/0"), "switched_off"; got != want {
		t.Errorf("got %s, want %s: %s", got, want, a.body)
	}
	w.want(w.call(w.owner, "GET", "/api/v1/homes/"+home, ""), 200)
	n := w.want(w.call(w.operator, "POST", "/api/v1/announcements", `{"severity":"warning","audience":{"everybody":true},"texts":{
		"zh-CN":{"title":"家庭服务","body":"已停用。"},"en":{"title":"Homes","body":"They are off."}}}`), 201).id()
	w.want(w.call(w.operator, "PUT", "/api/v1/announcements/"+n+"/state", `{"state":"published"}`), 200)
	if got := w.want(w.call(w.owner, "GET", "/api/v1/inbox/unread", ""), 200).get("count"); got != 1.0 {
		t.Errorf("%v are unread, want 1", got)
	}
	w.want(w.call(w.owner, "PUT", "/api/v1/inbox/"+n+"/receipt", ""), 204)
	if got := w.want(w.call(w.operator, "GET", "/api/v1/announcements/"+n+"/receipts", ""), 200).get("items").([]any); len(got) != 1 {
		t.Errorf("%d receipts, want 1", len(got))
	}
}

// A minor's guardian signs a paper, a reviewer sees it and the masked contact, and confirms what they saw.
func TestGuardianOnPaper(t *testing.T) {
	w := newWorld(t)
	w.people()
	w.staff()
	w.want(w.call(w.owner, "PUT", "/api/v1/capacity", `{"needs_guardian":true,"adult_in":"banana"}`), 422)
	month := time.Now().AddDate(0, 2, 0).Format("2006-01")
	w.want(w.call(w.owner, "PUT", "/api/v1/capacity", fmt.Sprintf(`{"needs_guardian":true,"adult_in":%q}`, month)), 204)
	w.want(w.call(w.owner, "GET", "/api/v1/products", ""), 403)
	if d := w.want(w.call(w.owner, "GET", "/api/v1/outstanding-agreements", ""), 200); d.text("adult_in") != month || d.get("guardian") != true {
		t.Errorf("outstanding is %s", d.body)
	}
	at := "/api/v1/guardian-consents/" + w.want(w.call(w.owner, "POST", "/api/v1/guardian-consents", `{"name":"Mary","relation":"mother","contact":"mary@example.com","lang":"en"}`), 201).id()
	signed := w.want(w.call(w.owner, "POST", at+"/papers?kind=consent", paper, "Content-Type", "application/pdf"), 201).id()
	w.want(w.call(w.owner, "POST", at+"/papers?kind=relation", "<svg></svg>", "Content-Type", "application/octet-stream"), 422)
	w.want(w.call(w.owner, "POST", at+"/papers?kind=relation", paper+strings.Repeat("x", 10<<20), "Content-Type", "application/pdf"), 413)
	w.want(w.call(w.stranger, "GET", at+"/papers/"+signed, ""), 404)
	w.want(w.call(w.operator, "PUT", at+"/state", fmt.Sprintf(`{"act":"confirm","papers":[%q]}`, signed)), 409)
	shown := w.want(w.call(w.owner, "POST", at+"/papers?kind=relation", paper, "Content-Type", "application/pdf"), 201).id()
	for _, who := range []string{w.owner, w.operator} {
		file := w.want(w.call(who, "GET", at+"/papers/"+signed, ""), 200)
		if h := file.header; string(file.body) != paper || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" ||
			h.Get("Content-Disposition") != `attachment; filename="consent-`+signed+`.pdf"` || h.Get("Content-Type") != "application/pdf" {
			t.Errorf("a paper comes as %v %q", h, file.body)
		}
	}
	queue := w.want(w.call(w.operator, "GET", "/api/v1/guardian-consents?ready=true", ""), 200)
	if queue.text("items/0/contact") != "m***@example.com" || queue.text("items/0/papers/1/id") != shown {
		t.Errorf("a reviewer sees %s", queue.body)
	}
	for format, want := range map[string]string{"csv": "m***@example.com", "jsonl": "m***@example.com"} {
		if file := w.want(w.call(w.operator, "GET", "/api/v1/guardian-consents?format="+format, ""), 200); !strings.Contains(string(file.body), want) || strings.Contains(string(file.body), "mary@") {
			t.Errorf("as %s a reviewer sees %s", format, file.body)
		}
	}
	if got := w.want(w.call(w.operator, "POST", at+"/reveal", `{"reason":"to call her"}`), 200).text("contact"); got != "mary@example.com" {
		t.Errorf("revealed is %s", got)
	}
	w.want(w.call(w.operator, "PUT", at+"/state", fmt.Sprintf(`{"act":"confirm","papers":[%q]}`, signed)), 409)
	w.want(w.call(w.operator, "PUT", at+"/state", fmt.Sprintf(`{"act":"confirm","papers":[%q,%q]}`, signed, shown)), 200)
	w.want(w.call(w.owner, "GET", "/api/v1/products", ""), 200)
}
