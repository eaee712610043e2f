package api_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/certify"
)

// matrixOfCertify is what the matrix knows of the life of products and of certifications.
var matrixOfCertify = []entry{
	{"PUT", "/api/v1/products/{product}/state", access.MoveProduct, `{"act":"develop"}`, false},
	{"GET", "/api/v1/products/{product}/steps", access.ReadProduct, "", false},
	{"PUT", "/api/v1/products/{product}/icon", access.WriteProduct, "", false},
	{"GET", "/api/v1/icons/{icon}", signedIn, "", true},
	{"GET", "/api/v1/catalogue", access.ReadProduct, "", true},
	{"GET", "/api/v1/homes/{home}/devices/{device}/label", access.ReadHome, "", false},
	{"GET", "/api/v1/paper-kinds", access.ReadProduct, "", true},
	{"GET", "/api/v1/products/{product}/papers", access.ReadProduct, "", false},
	{"POST", "/api/v1/products/{product}/papers?kind=ccc&number=1&issuer=x&valid_from=2026-01-01", access.WriteProduct, "", false},
	{"GET", "/api/v1/papers", access.ReadProduct, "", true},
	{"GET", "/api/v1/papers/{paper}", access.ReadProduct, "", false},
	{"GET", "/api/v1/papers/{paper}/file", access.ReadProduct, "", false},
	{"PUT", "/api/v1/papers/{paper}/review", access.ReviewProduct, `{"result":"approve"}`, true},
	{"DELETE", "/api/v1/papers/{paper}", access.WriteProduct, "", false},

	{"POST", "/api/v1/products/{product}/certifications", access.ApplyCertification, `{"covers":{"protocols":["mqtt"]}}`, false},
	{"GET", "/api/v1/certifications", access.ReadCertification, "", true},
	{"GET", "/api/v1/certifications/{case}", access.ReadCertification, "", false},
	{"PUT", "/api/v1/certifications/{case}/laboratory", access.RecordCertification, `{}`, true},
	{"PUT", "/api/v1/certifications/{case}/result", access.RecordCertification, `{"result":"fail","report":"R","note":"x"}`, true},
	{"DELETE", "/api/v1/certifications/{case}", access.ApplyCertification, "", false},
	{"POST", "/api/v1/certifications/{case}/evidence", access.RecordCertification, "", true},
	{"GET", "/api/v1/certifications/{case}/evidence", access.ReadCertification, "", false},
	{"GET", "/api/v1/certifications/{case}/evidence/{evidence}", access.ReadCertification, "", false},
	{"GET", "/api/v1/certificates", access.ReadCertification, "", true},
	{"GET", "/api/v1/certificates/{certificate}", access.ReadCertification, "", false},
	{"DELETE", "/api/v1/certificates/{certificate}?reason=x", access.RecordCertification, "", true},
	{"GET", "/api/v1/laboratories", access.ReadCertification, "", true},
	{"POST", "/api/v1/laboratories", access.AppointLaboratory, `{"names":{"en":"x"},"valid_from":"2026-01-01T00:00:00Z","valid_until":"2027-01-01T00:00:00Z"}`, true},
	{"GET", "/api/v1/laboratories/{laboratory}", access.ReadCertification, "", true},
	{"PUT", "/api/v1/laboratories/{laboratory}", access.AppointLaboratory, `{"names":{"en":"x"},"valid_from":"2026-01-01T00:00:00Z","valid_until":"2027-01-01T00:00:00Z"}`, true},
	{"DELETE", "/api/v1/laboratories/{laboratory}?reason=x", access.AppointLaboratory, "", true},
}

// certified is what belongs to the certification of a product.
type certified struct{ paper, kase, evidence, certificate string }

func (c certified) into(ids map[string]string) map[string]string {
	maps.Copy(ids, map[string]string{"paper": c.paper, "case": c.kase, "evidence": c.evidence, "certificate": c.certificate, "icon": "0197-none", "laboratory": "0197-none"})
	return ids
}

var noCertified = certified{"0197-none", "0197-none", "0197-none", "0197-none"}

// certificates makes a paper and a certificate of a product of organisation a.
func (w *world) certificates(product string) (c certified) {
	w.t.Helper()
	ctx := w.t.Context()
	query := "?kind=srrc&number=SRRC-1&issuer=MIIT&valid_from=2026-01-01&valid_until=2125-12-31"
	c.paper = w.want(w.call(w.owner, "POST", "/api/v1/products/"+product+"/papers"+query, "%PDF-1.7 paper", "Content-Type", "application/octet-stream"), 201).id()
	maker := access.Actor{Kind: access.KindUser, ID: "m", User: "m", Organisation: w.a, Roles: []access.Role{access.Engineer}}
	carl := access.Actor{Kind: access.KindUser, ID: "c", User: "c", Roles: []access.Role{access.Certifier}, Strong: true}
	var kase certify.Case
	err := w.store.Write(ctx, func(tx *store.Tx) (err error) {
		kase, err = w.certify.OpenIn(ctx, tx, maker, certify.Opening{Product: product, Kind: "terminal", Category: "light", Covers: certify.Covers{Protocols: []string{"mqtt"}}})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	must(w.certify.Assign(ctx, carl, kase.ID, ""))(w.t)
	c.kase, c.evidence = kase.ID, must(w.certify.AddEvidence(ctx, carl, kase.ID, strings.NewReader("%PDF-1.7 evidence")))(w.t).ID
	now := time.Now()
	must(w.certify.Record(ctx, carl, kase.ID, certify.Result{Passed: true, Report: "R-1", ValidFrom: now.Add(-time.Hour), ValidUntil: now.Add(time.Hour)}))(w.t)
	c.certificate = w.want(w.call(w.owner, "GET", "/api/v1/certificates?product="+product, ""), 200).text("items/0/id")
	return c
}

// TestFiles: an icon may be kept by the browser for ever, papers and evidence by nobody, and none is run as a page.
func TestFiles(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	product := "/api/v1/products/" + m.product
	w.want(w.call(w.owner, "PUT", product+"/icon", `<svg xmlns="http://www.w3.org/2000/svg"/>`, "Content-Type", "application/octet-stream"), 422)
	p := w.want(w.call(w.owner, "PUT", product+"/icon", string(square(t, 128)), "Content-Type", "application/octet-stream", "If-Match", `"1"`), 200)
	w.want(w.call(w.owner, "PUT", product+"/icon", string(square(t, 128)), "Content-Type", "application/octet-stream", "If-Match", `"1"`), 412)
	icon := w.want(w.call(w.stranger, "GET", "/api/v1/icons/"+p.text("icon"), ""), 200)
	paper := w.want(w.call(w.owner, "GET", "/api/v1/papers/"+m.certified.paper+"/file", ""), 200)
	for _, tt := range []struct {
		a                  answer
		kind, cache, given string
	}{
		{icon, "image/png", "private, max-age=31536000, immutable", ""},
		{paper, "application/pdf", "no-store", `attachment; filename="file.pdf"`},
		{w.want(w.call(w.owner, "GET", "/api/v1/certifications/"+m.certified.kase+"/evidence/"+m.certified.evidence, ""), 200), "application/pdf", "no-store", `attachment; filename="file.pdf"`},
	} {
		h := tt.a.header
		if h.Get("Content-Type") != tt.kind || h.Get("Cache-Control") != tt.cache || h.Get("Content-Disposition") != tt.given || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s has the headers %v", tt.a.name, h)
		}
	}
	if string(paper.body) != "%PDF-1.7 paper" {
		t.Errorf("the paper reads %q", paper.body)
	}
	label := w.want(w.call(w.owner, "GET", "/api/v1/homes/"+m.home+"/devices/"+m.device+"/label", ""), 200)
	if label.text("product") != m.product || label.text("papers/0/number") != "SRRC-1" {
		t.Errorf("the label is %s", label.body)
	}
	w.want(w.call(w.owner, "GET", "/api/v1/homes/"+m.home+"/devices/0197-none/label", ""), 404)
}

// TestWaits: a move that waits names everything it waits for, and where to do it.
func TestWaits(t *testing.T) {
	w := newWorld(t)
	w.people()
	product := "/api/v1/products/" + w.want(w.call(w.owner, "POST", "/api/v1/products", `{"category":"light","names":{"en":"Spark"}}`), 201).id()
	for _, act := range []string{"develop", "debug"} {
		w.want(w.call(w.owner, "PUT", product+"/state", `{"act":"`+act+`"}`), 200)
	}
	a := w.want(w.call(w.owner, "PUT", product+"/state", `{"act":"certify"}`), 409)
	if got, want := a.text("detail"), "certify waits: one thing is missing: what it is built on"; got != want || a.text("problems/0/where") != "built_on" {
		t.Errorf("the refusal is %s", a.body)
	}
	steps := w.want(w.call(w.owner, "GET", product+"/steps", ""), 200)
	if steps.text("items/2/act") != "certify" || steps.get("items/2/next") != true || steps.text("items/2/missing/0/code") != "built_on" || len(steps.get("items/3/missing").([]any)) != 6 {
		t.Errorf("the steps are %s", steps.body)
	}
	steps = w.want(w.call(w.owner, "GET", product+"/steps", "", "Accept-Language", "zh-CN"), 200)
	if got := steps.text("items/2/missing/0/what"); got != "所依托的产品" {
		t.Errorf("in Chinese a step waits for %s", got)
	}
	w.want(w.call(w.owner, "POST", "/api/v1/products", `{"kind":"chip","names":{"en":"Core"}}`), 403)
	w.want(w.call(w.owner, "PUT", product+"/state", `{"act":"redesign"}`, "If-Match", `"1"`), 412)
}
