package api_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"

	"lampworks/triple"
)

func TestWorkbook(t *testing.T) {
	w := newWorld(t)
	w.people()
	w.staff()
	m := w.manufacture()
	path := "/api/v1/orders/" + m.order + "/workbook"
	a := w.want(w.call(w.roles["factory"], "GET", path, ""), 200)
	if got := a.header.Get("Content-Disposition"); got != `attachment; filename="lampworks-`+m.order+`.xlsx"` {
		t.Errorf("Content-Disposition is %s", got)
	}
	if got := a.header.Get("Content-Type"); got != "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" {
		t.Errorf("Content-Type is %s", got)
	}
	var triples []triple.Triple
	cover, err := triple.ReadWorkbook(bytes.NewReader(a.body), int64(len(a.body)), func(x triple.Triple) error {
		triples = append(triples, x)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if cover.Order != m.order || cover.Product != m.product || len(triples) != 3 || triples[0].MAC.String() != m.deviceName {
		t.Errorf("the workbook has the cover %+v and %d triples from %s", cover, len(triples), triples[0])
	}
	o := w.want(w.call(w.owner, "GET", "/api/v1/orders/"+m.order, ""), 200)
	if o.text("downloaded_at") == "" || o.get("issued") != 3.0 || o.text("state") != "issued" {
		t.Errorf("the order is %s", o.body)
	}
	if again := w.call(w.owner, "GET", path, ""); again.status != 409 || again.header.Get("Content-Type") != "application/problem+json" || again.header.Get("Content-Disposition") != "" {
		t.Errorf("a second download: %d %v %.100s", again.status, again.header, again.body)
	}
	for _, x := range triples {
		if secret := x.Secret.Reveal(); bytes.Contains([]byte(w.logs.String()), []byte(secret)) {
			t.Error("a secret is in the log")
		}
	}
}

// TestWorkbookBrokenOff leaves in the middle of a workbook, which is then not used up; and cancels an order.
func TestWorkbookBrokenOff(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	order := func(n int) string {
		return w.want(w.call(w.owner, "POST", "/api/v1/products/"+m.product+"/orders", fmt.Sprintf(`{"quantity":%d,"purpose":"mass","note":"many"}`, n)), 201).id()
	}
	cancelled := order(1_000_000)
	if a := w.want(w.call(w.owner, "DELETE", "/api/v1/orders/"+cancelled+"?note=mistaken", ""), 200); a.text("state") != "cancelled" || a.text("reason") != "mistaken" {
		t.Errorf("the order is %s", a.body)
	}
	w.want(w.call(w.owner, "GET", "/api/v1/orders/"+cancelled+"/workbook", ""), 409)

	id := order(100_000)
	w.eventually("the order is issued", func() bool { return w.call(w.owner, "GET", "/api/v1/orders/"+id, "").text("state") == "issued" })
	req := must(http.NewRequestWithContext(t.Context(), "GET", w.url+"/api/v1/orders/"+id+"/workbook", nil))(t)
	req.Header.Set("Authorization", "Bearer "+w.owner)
	res := must(http.DefaultClient.Do(req))(t)
	if _, err := io.CopyN(io.Discard, res.Body, 1000); err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	var a answer
	w.eventually("the workbook is free again", func() bool {
		a = w.call(w.owner, "GET", "/api/v1/orders/"+id+"/workbook", "")
		return a.status == 200
	})
	n := 0
	if _, err := triple.ReadWorkbook(bytes.NewReader(a.body), int64(len(a.body)), func(triple.Triple) error { n++; return nil }); err != nil || n != 100_000 {
		t.Errorf("the repeated download has %d triples: %v", n, err)
	}
}
