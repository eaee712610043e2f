package api_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"lampworks/triple"
)

// unpack reads a zip and holds it against its manifest.
func unpack(t *testing.T, b []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for _, f := range z.File {
		r := must(f.Open())(t)
		files[f.Name] = string(must(io.ReadAll(r))(t))
		_ = r.Close()
	}
	var m struct {
		Files []struct {
			Name, SHA256 string
			Rows         int
		}
	}
	if err := json.Unmarshal([]byte(files["manifest.json"]), &m); err != nil {
		t.Fatal(err)
	}
	for _, f := range m.Files {
		sum := sha256.Sum256([]byte(files[f.Name]))
		if hex.EncodeToString(sum[:]) != f.SHA256 {
			t.Errorf("%s is not what the manifest says", f.Name)
		}
		if strings.HasSuffix(f.Name, ".jsonl") && strings.Count(files[f.Name], "\n") != f.Rows {
			t.Errorf("%s has %d rows, the manifest says %d", f.Name, strings.Count(files[f.Name], "\n"), f.Rows)
		}
	}
	if len(m.Files) != len(files)-1 {
		t.Errorf("the manifest names %d files of %d", len(m.Files), len(files))
	}
	return files
}

// export orders an export and waits until it is ready.
func (w *world) export(organisation, session string) string {
	w.t.Helper()
	path := "/api/v1/organisations/" + organisation + "/exports"
	path += "/" + w.want(w.call(session, "POST", path, `{"reason":"we leave"}`), 201).id()
	w.eventually("the export is ready", func() bool {
		a := w.want(w.call(session, "GET", path, ""), 200)
		if a.text("state") == "failed" {
			w.t.Fatalf("the export failed: %s", a.body)
		}
		return a.text("state") == "ready"
	})
	return path
}

// exportedAs names the list that a file of an export equals.
func (w *world) exportedAs(m maker) map[string]string {
	org := "organisations/" + w.a + "/"
	return map[string]string{
		"members": org + "members", "invitations": org + "invitations", "acceptances": "acceptances", "waivers": "waivers", "products": "products",
		"papers": "papers", "certifications": "certifications", "certificates": "certificates", "orders": "orders", "downloads": "downloads",
		"mac-lists": "mac-lists", "burn-logs": "burn-logs", "devices": "devices", "service-applications": "service-applications",
		"service-overrides": "service-overrides", "limit-overrides": "limits/overrides", "limit-notices": "limits/notices",
		"measures": "enforcement/measures", "appeals": "enforcement/appeals", "notices": "inbox",
		"evidence": "certifications/" + m.certified.kase + "/evidence",
	}
}

// What an export holds is what the lists show to the owner, nothing of others, and no secret.
func TestExportHoldsWhatTheListsShow(t *testing.T) {
	w := newWorld(t)
	w.people()
	w.staff()
	m := w.manufacture()
	w.cases(m)
	token := w.want(w.call(w.owner, "POST", "/api/v1/tokens", `{"name":"canary"}`), 201).text("token")
	other := w.want(w.call(w.stranger, "POST", "/api/v1/products", `{"category":"light","names":{"en":"Canary of Boris"}}`), 201).id()
	w.eventually("the first export has ended", func() bool {
		return w.want(w.call(w.owner, "GET", "/api/v1/organisations/"+w.a+"/exports?state=collecting", ""), 200).text("items/0/id") == ""
	})
	w.eventually("devices and shadows have settled", func() bool {
		return w.want(w.call(w.owner, "GET", "/api/v1/burn-logs?limit=1", ""), 200).text("items/0/state") == "done"
	})
	path := w.export(w.a, w.owner)
	file := w.want(w.call(w.owner, "GET", path+"/file", ""), 200)
	if got := file.header.Get("Content-Disposition") + file.header.Get("X-Content-Type-Options"); !strings.HasPrefix(got, "attachment; ") || !strings.HasSuffix(got, "nosniff") {
		t.Errorf("the file comes as %s", got)
	}
	files := unpack(t, file.body)
	for name, list := range w.exportedAs(m) {
		for _, format := range []string{"jsonl", "csv"} {
			want := string(w.want(w.call(w.owner, "GET", "/api/v1/"+list+"?format="+format, ""), 200).body)
			got := files[name+"."+format]
			if name == "evidence" { // it names the certification besides
				got, want = fmt.Sprint(strings.Count(got, "\n")), fmt.Sprint(strings.Count(want, "\n"))
			}
			if got != want {
				t.Errorf("%s.%s is not the list:\n got %s\nwant %s", name, format, got, want)
			}
			if format == "jsonl" && got == "" && !slices.Contains([]string{"acceptances", "invitations", "waivers", "limit-notices", "service-overrides", "papers"}, name) {
				t.Errorf("%s is empty: the test proves nothing", name)
			}
		}
	}
	model := w.want(w.call(w.owner, "GET", "/api/v1/products/"+m.product+"/versions/1", ""), 200)
	if got := files["thing-models/"+m.product+"/1.json"]; !sameJSON(got, string(model.body)) {
		t.Errorf("the thing model is %s", got)
	}
	if got := files["verification/papers/other-"+m.paper+".pdf"]; got != "%PDF-1.7\n" {
		t.Errorf("the paper is %q", got)
	}
	for name, text := range files {
		for what, canary := range map[string]string{"another's product": other, "another's id": w.b, "another's name": "Canary of Boris", "a password": password, "a session": w.owner, "a token": token, "a recovery code": w.codes["anna"][0]} {
			if strings.Contains(text, canary) {
				t.Errorf("%s has %s", name, what)
			}
		}
	}
	for _, secret := range w.secrets(m) {
		for name, text := range files {
			if strings.Contains(text, secret) {
				t.Errorf("%s has a secret of a device", name)
			}
		}
	}
	entries := w.want(w.call(w.owner, "GET", "/api/v1/audit?act=organisation.export_fetch", ""), 200)
	if got := entries.get("items").([]any); len(got) != 1 || !strings.HasSuffix(path, entries.text("items/0/object")) {
		t.Errorf("taking the file left %s", entries.body)
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && fmt.Sprint(x) == fmt.Sprint(y)
}

// secrets are those of the devices of an order, from its workbook.
func (w *world) secrets(m maker) []string {
	w.t.Helper()
	file := w.want(w.call(w.owner, "GET", "/api/v1/downloads/"+m.download+"/file", ""), 200)
	var secrets []string
	_, err := triple.ReadWorkbook(bytes.NewReader(file.body), int64(len(file.body)), func(x triple.Triple) error {
		secrets = append(secrets, x.Secret.Reveal())
		return nil
	})
	if err != nil || len(secrets) == 0 {
		w.t.Fatalf("there is no secret to look for: %v", err)
	}
	return secrets
}

// Declining and suspension leave the export open, to an owner who shows the second factor.
func TestExportWhileTheGateIsClosed(t *testing.T) {
	w := newWorld(t)
	w.people()
	token := w.want(w.call(w.owner, "POST", "/api/v1/tokens", `{"name":"robot"}`), 201).text("token")
	g := w.want(w.call(w.operator, "POST", "/api/v1/agreements", `{"precedence":1,"names":{"zh-CN":"主协议","en":"Master agreement"},
		"prevails":{"zh-CN":"以本协议为准。","en":"It prevails."},"subject":"organisation"}`), 201).id()
	v := w.want(w.call(w.operator, "PUT", "/api/v1/agreements/"+g+"/draft", `{"texts":{"zh-CN":{"body":"# 主协议"},"en":{"body":"# Master"}}}`), 200)
	w.want(w.call(w.operator, "PUT", "/api/v1/agreements/"+g+"/versions/1/state", fmt.Sprintf(`{"state":"published","digest":%q}`, v.text("digest"))), 200)
	hash := w.want(w.call(w.owner, "GET", "/api/v1/outstanding-agreements", ""), 200).text("now/0/hashes/en")
	path := w.want(w.call(w.owner, "POST", "/api/v1/agreements/"+g+"/refusals", fmt.Sprintf(`{"version":1,"lang":"en","hash":%q}`, hash)), 201).text("export")
	if !strings.HasPrefix(path, "/api/v1/organisations/"+w.a+"/exports/") {
		t.Fatalf("declining points to %q", path)
	}
	w.want(w.call(w.operator, "POST", "/api/v1/enforcement/measures", fmt.Sprintf(`{"subject":{"kind":"organisation","id":%q},"kind":"terminate","cause":"abnormal_use","reason":"x"}`, w.a)), 201)
	w.want(w.call(w.owner, "GET", "/api/v1/products", ""), 403)
	w.eventually("the export is ready", func() bool {
		return w.want(w.call(w.owner, "GET", path, ""), 200).text("state") == "ready"
	})
	if a := w.want(w.call(token, "GET", path+"/file", ""), 403); a.text("code") != "second_factor" {
		t.Errorf("a token is refused by %s", a.body)
	}
	files := unpack(t, w.want(w.call(w.owner, "GET", path+"/file", ""), 200).body)
	if !strings.Contains(files["acceptances.jsonl"], `"decision":"declined"`) || !strings.Contains(files["agreements/"+g+"/1.json"], "Master") {
		t.Errorf("what was declined is not in it: %s", files["acceptances.jsonl"])
	}
	if a := w.want(w.call(w.owner, "DELETE", path, ""), 200); a.text("state") != "discarded" {
		t.Errorf("discarding gives %s", a.body)
	}
	w.want(w.call(w.owner, "GET", path+"/file", ""), 410)
}
