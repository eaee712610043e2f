package api_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"lampworks/triple"
)

func TestDownload(t *testing.T) {
	w := newWorld(t)
	w.people()
	w.staff()
	m := w.manufacture()
	d := w.want(w.call(w.roles["factory"], "POST", "/api/v1/orders/"+m.order+"/downloads", `{"reason":"the line starts"}`), 201)
	if d.get("quantity") != 3.0 || d.get("generation") != 2.0 || d.get("open") != true || d.get("left_out") != 0.0 {
		t.Errorf("the download is %s", d.body)
	}
	path := "/api/v1/downloads/" + d.id() + "/file"
	w.want(w.call(w.owner, "GET", path, ""), 403) // another session
	a := w.want(w.call(w.roles["factory"], "GET", path, "", "Range", "bytes=0-99"), 206)
	size := a.header.Get("Content-Range")
	part := w.want(w.call(w.roles["factory"], "GET", path, "", "Range", "bytes=100-", "If-Range", a.header.Get("ETag")), 206)
	if got := part.header.Get("Content-Disposition"); got != `attachment; filename="lampworks-`+m.order+`.xlsx"` {
		t.Errorf("Content-Disposition is %s", got)
	}
	if got := part.header.Get("Content-Type"); got != "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" {
		t.Errorf("Content-Type is %s", got)
	}
	book := append(a.body, part.body...)
	if want := fmt.Sprintf("bytes 0-99/%d", len(book)); size != want || part.header.Get("Content-Range") != fmt.Sprintf("bytes 100-%d/%d", len(book)-1, len(book)) {
		t.Errorf("Content-Range is %s and %s, want %s", size, part.header.Get("Content-Range"), want)
	}
	var triples []triple.Triple
	cover, err := triple.ReadWorkbook(bytes.NewReader(book), int64(len(book)), func(x triple.Triple) error {
		triples = append(triples, x)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if cover.Order != m.order || cover.Product != m.product || cover.Download != d.id() || len(triples) != 3 || triples[0].MAC.String() != m.deviceName {
		t.Errorf("the workbook has the cover %+v and %d triples from %s", cover, len(triples), triples[0])
	}
	o := w.want(w.call(w.owner, "GET", "/api/v1/orders/"+m.order, ""), 200)
	if o.text("downloaded_at") == "" || o.get("issued") != 3.0 || o.text("state") != "issued" {
		t.Errorf("the order is %s", o.body)
	}
	if again := w.call(w.roles["factory"], "GET", path, ""); again.status != 409 || again.header.Get("Content-Type") != "application/problem+json" || again.header.Get("Content-Disposition") != "" {
		t.Errorf("a second time: %d %v %.100s", again.status, again.header, again.body)
	}
	for _, x := range triples {
		if secret := x.Secret.Reveal(); bytes.Contains([]byte(w.logs.String()), []byte(secret)) {
			t.Error("a secret is in the log")
		}
	}
	w.traced(&m, d.id(), triples[1])
}

// traced reports a row as a leak, and revokes the download that it came from.
func (w *world) traced(m *maker, download string, x triple.Triple) {
	w.t.Helper()
	leak := w.want(w.call(w.owner, "POST", "/api/v1/leak-reports", "found on a bus: "+x.Reveal()+"\n", "Content-Type", "text/plain"), 201)
	if leak.text("findings/0/outcome") != "traced" || leak.text("findings/0/download/id") != download || leak.text("findings/0/secret") != "in_force" {
		w.t.Errorf("the leak is %s", leak.body)
	}
	w.want(w.call(w.owner, "POST", "/api/v1/downloads/"+download+"/revocation", `{"reason":"found on a bus"}`), 204)
	leak = w.want(w.call(w.owner, "POST", "/api/v1/leak-reports?order="+m.order, x.Secret.Reveal(), "Content-Type", "text/plain"), 201)
	if leak.text("findings/0/mac") != x.MAC.String() || leak.text("findings/0/secret") != "revoked" {
		w.t.Errorf("the leak is %s", leak.body)
	}
	w.want(w.call(w.owner, "POST", "/api/v1/leak-reports", "", "Content-Type", "text/plain"), 422)
	if other := w.want(w.call(w.stranger, "POST", "/api/v1/leak-reports", x.Reveal(), "Content-Type", "text/plain"), 201); other.text("findings/0/outcome") != "unknown" {
		w.t.Errorf("a stranger learns %s", other.body)
	}
}

func TestRanges(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	path := "/api/v1/downloads/" + m.download + "/file"
	for _, tt := range []struct {
		value string
		want  int
	}{
		{"bytes=99999999-", 416},
		{"bytes=5-9", 206},
		{"bytes=0-0", 206},
		{"bytes=9223372036854775807-", 416},
		{"bytes=9223372036854775808-", 200},
	} {
		a := w.call(w.owner, "GET", path, "", "Range", tt.value)
		if a.status != tt.want {
			t.Errorf("%s: %d %.200s, want %d", tt.value, a.status, a.body, tt.want)
		}
	}
	for _, value := range []string{"bytes=-5", "bytes=1-2,4-5", "lines=1-", "bytes=5-4", "bytes=x-"} {
		d := w.want(w.call(w.owner, "POST", "/api/v1/orders/"+m.order+"/downloads", `{"reason":"ranges"}`), 201).id()
		if a := w.call(w.owner, "GET", "/api/v1/downloads/"+d+"/file", "", "Range", value); a.status != 200 {
			t.Errorf("%s: %d, want the whole", value, a.status)
		}
	}
}

// TestDownloadBrokenOff leaves in the middle of a file and goes on with it; and cancels an order.
func TestDownloadBrokenOff(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	order := func(n int) string {
		id := w.want(w.call(w.owner, "POST", "/api/v1/products/"+m.product+"/orders", fmt.Sprintf(`{"quantity":%d,"purpose":"mass","note":"many","factory":{"name":"Works"}}`, n)), 201).id()
		w.want(w.call(w.operator, "POST", "/api/v1/orders/"+id+"/decision", `{"act":"approve"}`), 200)
		return id
	}
	cancelled := order(1_000_000)
	if a := w.want(w.call(w.owner, "DELETE", "/api/v1/orders/"+cancelled+"?note=mistaken", ""), 200); a.text("state") != "cancelled" || a.text("reason") != "mistaken" {
		t.Errorf("the order is %s", a.body)
	}
	w.want(w.call(w.owner, "POST", "/api/v1/orders/"+cancelled+"/downloads", `{"reason":"x"}`), 409)

	id := order(100_000)
	w.eventually("the order is issued", func() bool { return w.call(w.owner, "GET", "/api/v1/orders/"+id, "").text("state") == "issued" })
	path := "/api/v1/downloads/" + w.want(w.call(w.owner, "POST", "/api/v1/orders/"+id+"/downloads", `{"reason":"x"}`), 201).id() + "/file"
	req := must(http.NewRequestWithContext(t.Context(), "GET", w.url+path, nil))(t)
	req.Header.Set("Authorization", "Bearer "+w.owner)
	res := must(http.DefaultClient.Do(req))(t)
	head := make([]byte, 1000)
	if _, err := io.ReadFull(res.Body, head); err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	var a answer
	w.eventually("the file is free again", func() bool {
		a = w.call(w.owner, "GET", path, "", "Range", "bytes=1000-", "If-Range", res.Header.Get("ETag"))
		return a.status == 206
	})
	n := 0
	book := append(head, a.body...)
	if _, err := triple.ReadWorkbook(bytes.NewReader(book), int64(len(book)), func(triple.Triple) error { n++; return nil }); err != nil || n != 100_000 {
		t.Errorf("the file has %d triples: %v", n, err)
	}
	if entries := w.want(w.call(w.owner, "GET", "/api/v1/audit?act=order.download&object="+id, ""), 200); len(entries.get("items").([]any)) != 1 {
		t.Errorf("the download left %s", entries.body)
	}
}

func TestReview(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	const body = `{"quantity":5,"purpose":"mass","factory":{"name":"Works"},"planned_at":"2030-01-02T03:04:05Z"}`
	id := w.want(w.call(w.owner, "POST", "/api/v1/products/"+m.product+"/orders", body), 201).id()
	queue := w.want(w.call(w.operator, "GET", "/api/v1/orders?state=requested", ""), 200)
	if queue.text("items/0/id") != id || queue.text("items/0/planned_at") != "2030-01-02T03:04:05.000Z" || queue.text("items/0/factory/name") != "Works" {
		t.Errorf("the queue is %s", queue.body)
	}
	decision := "/api/v1/orders/" + id + "/decision"
	w.want(w.call(w.operator, "POST", decision, `{"act":"reject"}`), 422)
	w.want(w.call(w.owner, "POST", decision, `{"act":"approve"}`), 403)
	o := w.want(w.call(w.operator, "POST", decision, `{"act":"reject","reason":"not now"}`), 200)
	if o.text("state") != "rejected" || o.text("reason") != "not now" || o.text("decided_by") == "" {
		t.Errorf("the order is %s", o.body)
	}
	if late := w.want(w.call(w.operator, "POST", decision, `{"act":"approve"}`), 409); late.text("code") != "conflict" {
		t.Errorf("a second decision: %s", late.body)
	}
}

func TestMACList(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	add := func(file string) answer {
		id := w.want(w.call(w.owner, "POST", "/api/v1/mac-lists?name=first", file, "Content-Type", "text/csv"), 201).id()
		var l answer
		w.eventually("the list is read", func() bool {
			l = w.want(w.call(w.owner, "GET", "/api/v1/mac-lists/"+id, ""), 200)
			return l.text("state") != "checking"
		})
		return l
	}
	bad := add("mac,label\n78:da:07:00:00:01,a\n78:da:07:00:00:01,b\n01:00:00:00:00:00,c\nnonsense,d\n")
	if bad.text("state") != "refused" || bad.get("bad") != 3.0 || bad.get("report/0/line") != 3.0 {
		t.Errorf("a bad list is %s", bad.body)
	}
	good := add("78da07000001\n78da07000003\n78da07000002\n")
	if good.text("state") != "ready" || good.get("left") != 3.0 {
		t.Fatalf("the list is %s", good.body)
	}
	id := w.want(w.call(w.owner, "POST", "/api/v1/products/"+m.product+"/orders", `{"quantity":2,"purpose":"debug","mac_list":"`+good.id()+`"}`), 201).id()
	w.eventually("the order is issued", func() bool { return w.call(w.owner, "GET", "/api/v1/orders/"+id, "").text("state") == "issued" })
	devices := w.want(w.call(w.owner, "GET", "/api/v1/devices?order="+id, ""), 200)
	if devices.text("items/0/device_name") != "78da07000001" || devices.text("items/1/device_name") != "78da07000002" {
		t.Errorf("the devices are %s", devices.body)
	}
	w.want(w.call(w.owner, "POST", "/api/v1/mac-lists?name=long", strings.Repeat("x", 70_000_000), "Content-Type", "text/csv"), 413)
}
