package test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// burn uploads what the line did: two are missing, one is foreign, one came twice.
func (w *way) burn(t *testing.T) {
	var log strings.Builder
	log.WriteString("product_id,mac,result,time,station\n")
	for _, row := range w.rows[:18] {
		fmt.Fprintf(&log, "%s,%s,ok,2026-11-27T08:00:00Z,S1\n", row.ProductID, row.MAC)
	}
	fmt.Fprintf(&log, "%s,%s,ok,2026-11-27T08:01:00Z,S2\n", w.rows[0].ProductID, w.rows[0].MAC)
	fmt.Fprintf(&log, "%s,%s,ok,2026-11-27T08:00:00Z,S1\n", w.debugDevice.ProductID, w.debugDevice.MAC)
	log.WriteString("banana\n")
	id := w.maker.does(t, "POST", "/orders/"+w.massOrder+"/burn-logs?name=line", []byte(log.String()), "Content-Type", "text/csv").id(t)
	eventually(t, "the burn log checked", func() (bool, any) {
		got := w.maker.does(t, "GET", "/burn-logs/"+id, nil)
		return got.text(t, "state") == "done", string(got.body)
	})
	got := w.maker.does(t, "GET", "/burn-logs/"+id, nil)
	if want := "18 1 1 1"; fmt.Sprint(got.at(t, "burned"), got.at(t, "foreign"), got.at(t, "doubled"), got.at(t, "wrong")) != want {
		t.Errorf("the burn log has %s, want burned, foreign, doubled and wrong %s", got.body, want)
	}
	if got := w.maker.does(t, "GET", "/orders/"+w.massOrder+"/burn-status", nil); got.at(t, "missing") != 2.0 {
		t.Errorf("the order is %s, want two missing", got.body)
	}
	w.model(t)
}

// model publishes the next version of the thing model. One that breaks what devices in the field do is refused until the
// maker says that they know how many.
func (w *way) model(t *testing.T) {
	t.Helper()
	at := "/products/" + w.terminal
	document, _ := w.maker.does(t, "GET", at+"/versions/1", nil).at(t, "document").(map[string]any)
	properties, _ := document["properties"].([]any)
	document["properties"] = properties[:len(properties)-1]
	w.maker.does(t, "PUT", at+"/draft", map[string]any{"document": document})
	w.maker.refused(t, 409, "conflict", "POST", at+"/versions", map[string]any{"note": "one property less"})
	if got := w.maker.does(t, "POST", at+"/versions", map[string]any{"note": "one property less", "accept_breaking": 2}); got.at(t, "breaking") != true {
		t.Errorf("the version is %s", got.body)
	}
}

// leak finds out where a row came from that somebody found, and takes the secrets out of force: the live device ends.
func (w *way) leak(t *testing.T) {
	row := w.rows[5]
	found := fmt.Sprintf("%s,%s,%s\n", row.ProductID, row.MAC, row.Secret.Reveal())
	got := w.maker.does(t, "POST", "/leak-reports", []byte(found), "Content-Type", "text/plain")
	if got.text(t, "findings/0/outcome") != "traced" || got.text(t, "findings/0/download/id") != w.massDownload {
		t.Fatalf("the leak is traced to %s, want download %s", got.body, w.massDownload)
	}
	if strings.Contains(string(got.body), row.Secret.Reveal()) {
		t.Error("the report shows the secret")
	}
	device := dial(t, w.s.mqtt, credentials(t, w.device(row), plain))
	w.online(t, row, true)
	w.maker.does(t, "POST", "/downloads/"+w.massDownload+"/revocation", map[string]string{"reason": "a row was found in a forum"})
	closed(t, device)
	refusedWith(t, w.s.mqtt, credentials(t, w.device(row), plain), 4)
}

// suspend ends what the organisation may do, its live device included, until an appeal is granted by somebody else.
func (w *way) suspend(t *testing.T) {
	measure := w.admin.does(t, "POST", "/enforcement/measures", map[string]any{
		"subject": map[string]string{"kind": "organisation", "id": w.organisation}, "kind": "suspend", "cause": "unsafe_product", "reason": "The lamps overheat.",
	}).id(t)
	closed(t, w.live)
	w.maker.does(t, "GET", "/products", nil)
	w.maker.refused(t, 403, "suspended", "POST", "/products/"+w.terminal+"/orders", map[string]any{"quantity": 1, "purpose": "debug"})
	appeal := w.maker.does(t, "POST", "/enforcement/measures/"+measure+"/appeals", map[string]string{"statement": "They do not; see the report."}).id(t)
	decision := map[string]string{"act": "lift", "reason": "The report is right."}
	w.maker.refused(t, 403, "forbidden", "PUT", "/enforcement/appeals/"+appeal+"/decision", decision)
	if r := w.admin.ask(t, "PUT", "/enforcement/appeals/"+appeal+"/decision", decision); r.status < 400 {
		t.Fatalf("who imposed a measure decided about the appeal: %s", r.body)
	}
	w.second.does(t, "PUT", "/enforcement/appeals/"+appeal+"/decision", decision)
	order := map[string]any{"quantity": 1, "purpose": "debug"}
	eventually(t, "the measure lifted", func() (bool, any) {
		r := w.maker.ask(t, "POST", "/products/"+w.terminal+"/orders", order)
		return r.status == 201, string(r.body)
	})
	w.live = dial(t, w.s.mqtt, credentials(t, w.device(w.debugDevice), plain))
}

// obey has one device deleted by the operator, and a whole product by its maker, who was ordered to.
func (w *way) obey(t *testing.T) {
	device := w.maker.does(t, "GET", "/devices?name="+w.spareDevice.MAC.String(), nil).text(t, "items/0/id")
	w.admin.does(t, "POST", "/enforcement/measures", map[string]any{
		"subject": map[string]string{"kind": "device", "id": device}, "kind": "delete_data", "cause": "unsafe_product", "reason": "It burned.",
	})
	w.erased(t, "device", device)
	product := w.maker.does(t, "POST", "/products", map[string]any{"category": "light", "names": map[string]string{"zh-CN": "旧灯", "en": "Old lamp"}}).id(t)
	w.issued(t, w.maker.does(t, "POST", "/products/"+product+"/orders", map[string]any{"quantity": 2, "purpose": "debug"}).id(t))
	order := w.admin.does(t, "POST", "/enforcement/measures", map[string]any{
		"subject": map[string]string{"kind": "product", "id": product}, "kind": "order_deletion", "cause": "data_misuse", "reason": "It listens.",
		"due": time.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339),
	}).id(t)
	eventually(t, "the maker told", func() (bool, any) {
		inbox := string(w.maker.does(t, "GET", "/inbox", nil).body)
		return strings.Contains(inbox, order), inbox
	})
	w.maker.refused(t, 422, "invalid", "POST", "/enforcement/measures/"+order+"/fulfilment", map[string]string{"confirm": "yes"})
	w.maker.does(t, "POST", "/enforcement/measures/"+order+"/fulfilment", map[string]string{"confirm": product})
	w.erased(t, "product", product)
	w.maker.refused(t, 404, "not_found", "GET", "/products/"+product, nil)
}

// erased waits until the deletion of a subject is done and proven.
func (w *way) erased(t *testing.T, kind, id string) {
	t.Helper()
	eventually(t, "the deletion of "+kind+" "+id, func() (bool, any) {
		if strings.Contains(w.s.log.tail(5), "still named") {
			t.Fatalf("the deletion is not proven: %s", w.s.log.tail(5))
		}
		all := w.maker.does(t, "GET", "/enforcement/deletions?state=done", nil)
		return strings.Contains(string(all.body), id), string(all.body)
	})
}

// leave ends the organisation: first by its own will, called back, then by the operator's deletion, which is proven.
func (w *way) leave(t *testing.T) {
	at := "/organisations/" + w.organisation + "/leave"
	w.maker.refused(t, 422, "invalid", "POST", at, map[string]string{"confirm": "yes"})
	left := w.maker.does(t, "POST", at, map[string]string{"confirm": w.organisation, "reason": "we close"}).id(t)
	w.maker.does(t, "DELETE", at+"?deletion="+left+"&reason=no", nil)
	w.admin.does(t, "POST", "/enforcement/measures", map[string]any{
		"subject": map[string]string{"kind": "organisation", "id": w.organisation}, "kind": "delete_data", "cause": "unsafe_product", "reason": "At the maker's wish.",
	})
	var deletion reply
	eventually(t, "the deletion done", func() (bool, any) {
		all := w.admin.does(t, "GET", "/enforcement/deletions?organisation="+w.organisation+"&state=done", nil)
		id := ""
		for i := range all.at(t, "items").([]any) { // beside those of a device and a product
			if at := fmt.Sprintf("items/%d/", i); all.text(t, at+"subject/kind") == "organisation" {
				id = all.text(t, at+"id")
			}
		}
		if strings.Contains(w.s.log.tail(5), "still named") {
			t.Fatalf("the deletion is not proven: %s", w.s.log.tail(5))
		}
		if id == "" {
			return false, string(w.admin.does(t, "GET", "/enforcement/deletions?organisation="+w.organisation, nil).body)
		}
		deletion = w.admin.does(t, "GET", "/enforcement/deletions/"+id, nil)
		return true, nil
	})
	if deletion.at(t, "proof") == nil {
		t.Errorf("the deletion has no proof: %s", deletion.body)
	}
	closed(t, w.live)
	refusedWith(t, w.s.mqtt, credentials(t, w.device(w.debugDevice), plain), 4)
	if r := w.maker.ask(t, "GET", "/products", nil); r.status < 400 {
		t.Errorf("the maker still acts: %d %s", r.status, r.body)
	}
	if got := w.admin.does(t, "GET", "/devices?total=true", nil); got.at(t, "total/count") != 0.0 {
		t.Errorf("devices are left: %s", got.body)
	}
}
