package api_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

func TestLimits(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	ids := m.ids(w)
	padded := func(body string, size int) string { return body + strings.Repeat(" ", size-len(body)) }
	name := func(n int) string { return strings.Repeat("x", n) }
	const large, small = 1 << 20, 16 << 10
	for _, tt := range []struct {
		name, method, path, body string
		want                     int
	}{
		{"body below", "POST", "/api/v1/homes", padded(`{"names":{"en":"a"}}`, large-1), 201},
		{"body at", "POST", "/api/v1/homes", padded(`{"names":{"en":"b"}}`, large), 201},
		{"body above", "POST", "/api/v1/homes", padded(`{"names":{"en":"c"}}`, large+1), 413},
		{"body far above", "POST", "/api/v1/homes", padded(`{"names":{"en":"c"}}`, 3*large), 413},
		{"sign-in at", "POST", "/api/v1/session", padded(`{"login":"nobody"}`, small), 401},
		{"sign-in above", "POST", "/api/v1/session", padded(`{"login":"nobody"}`, small+1), 413},
		{"speech at", "POST", "/api/v1/speech", padded(`{"text":"a","lang":"en"}`, small), 503},
		{"speech above", "POST", "/api/v1/speech", padded(`{"text":"a","lang":"en"}`, small+1), 413},
		{"page at", "GET", "/api/v1/devices?limit=500", "", 200},
		{"page above", "GET", "/api/v1/devices?limit=501", "", 422},
		{"page below nothing", "GET", "/api/v1/devices?limit=-1", "", 422},
		{"audit at", "GET", "/api/v1/audit?limit=200", "", 200},
		{"audit above", "GET", "/api/v1/audit?limit=201", "", 422},
		{"history at", "GET", "/api/v1/devices/{device}/history?property=powerstate&limit=500", "", 200},
		{"history above", "GET", "/api/v1/devices/{device}/history?property=powerstate&limit=501", "", 422},
		{"cursor at", "GET", "/api/v1/homes?cursor=" + name(2048), "", 200},
		{"cursor above", "GET", "/api/v1/homes?cursor=" + name(2049), "", 422},
		{"id at", "GET", "/api/v1/homes/" + name(64), "", 404},
		{"id above", "GET", "/api/v1/homes/" + name(65), "", 422},
		{"order below", "POST", "/api/v1/products/{product}/orders", `{"quantity":0,"purpose":"debug"}`, 422},
		{"order at", "POST", "/api/v1/products/{product}/orders", `{"quantity":1,"purpose":"debug"}`, 201},
		{"order above", "POST", "/api/v1/products/{product}/orders", `{"quantity":1000001,"purpose":"debug"}`, 422},
		{"wait at", "POST", "/api/v1/devices/{device}/commands", `{"kind":"property_set","params":{"powerstate":0},"deadline_ms":1,"wait_ms":20000}`, 201},
		{"wait above", "POST", "/api/v1/devices/{device}/commands", `{"kind":"property_set","params":{"powerstate":0},"wait_ms":20001}`, 422},
		{"deadline at", "POST", "/api/v1/devices/{device}/commands", `{"kind":"property_set","params":{"powerstate":0},"deadline_ms":604800000}`, 201},
		{"deadline above", "POST", "/api/v1/devices/{device}/commands", `{"kind":"property_set","params":{"powerstate":0},"deadline_ms":604800001}`, 422},
		{"token at", "POST", "/api/v1/tokens", `{"name":"` + name(100) + `"}`, 201},
		{"token above", "POST", "/api/v1/tokens", `{"name":"` + name(101) + `"}`, 422},
		{"note at", "DELETE", "/api/v1/orders/{order}?note=" + name(500), "", 409},
		{"note above", "DELETE", "/api/v1/orders/{order}?note=" + name(501), "", 422},
	} {
		if a := w.call(w.owner, tt.method, fill(tt.path, ids), tt.body); a.status != tt.want {
			t.Errorf("%s: %d %.300s, want %d", tt.name, a.status, a.body, tt.want)
		}
	}
}

// TestUnannouncedBody sends more than allowed without saying how much.
func TestUnannouncedBody(t *testing.T) {
	w := newWorld(t)
	w.people()
	body := io.MultiReader(strings.NewReader(`{"names":{"en":"x"}}`), strings.NewReader(strings.Repeat(" ", 1<<20)))
	req := must(http.NewRequestWithContext(t.Context(), "POST", w.url+"/api/v1/homes", body))(t)
	req.Header.Set("Authorization", "Bearer "+w.owner)
	res := must(http.DefaultClient.Do(req))(t)
	defer res.Body.Close()
	if res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a body that is too large: %d, want 413", res.StatusCode)
	}
}

// TestRestOfABodyIsNoRequest hides a request behind the part of a body that is read.
func TestRestOfABodyIsNoRequest(t *testing.T) {
	w := newWorld(t)
	w.people()
	conn := must(net.Dial("tcp", strings.TrimPrefix(w.url, "http://")))(t)
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	body := strings.Repeat(" ", 1<<20+1) + "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + strings.Repeat(" ", 1<<20)
	go func() {
		_, _ = fmt.Fprintf(conn, "POST /api/v1/homes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			w.owner, len(body), body)
	}()
	answers, err := io.ReadAll(conn) // it may end with a reset: the server does not read the rest
	if n := strings.Count(string(answers), "HTTP/1.1 "); n != 1 || !strings.HasPrefix(string(answers), "HTTP/1.1 413 ") || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d answers, then %v: %.300s", n, err, answers)
	}
}

// TestPages walks lists item by item and compares with the whole.
func TestPages(t *testing.T) {
	w := newWorld(t)
	w.people()
	w.staff()
	m := w.manufacture()
	for i := range 3 {
		w.want(w.call(w.owner, "POST", "/api/v1/homes", fmt.Sprintf(`{"names":{"en":"home %d"}}`, i)), 201)
		w.want(w.call(w.owner, "POST", "/api/v1/products", `{"category":"kettle","names":{"en":"kettle"}}`), 201)
		w.want(w.call(w.owner, "POST", "/api/v1/products/"+m.product+"/orders", `{"quantity":1,"purpose":"debug"}`), 201)
		w.want(w.call(w.owner, "POST", "/api/v1/devices/"+m.device+"/commands", fmt.Sprintf(`{"kind":"property_set","params":{"brightness":%d},"deadline_ms":600000}`, i+1)), 201)
		w.want(w.call(w.owner, "POST", "/api/v1/tokens", `{"name":"another"}`), 201)
		draft := strings.Replace(w.document(m.product), `"properties":[`, fmt.Sprintf(`"properties":[{"identifier":"extra%d","name":"x","accessMode":"r","dataType":{"type":"text","specs":{"length":"8"}}},`, i), 1)
		w.want(w.call(w.owner, "PUT", "/api/v1/products/"+m.product+"/draft", `{"document":`+draft+`}`), 200)
		w.want(w.call(w.owner, "POST", "/api/v1/products/"+m.product+"/versions", `{"note":"again"}`), 201)
	}
	w.eventually("all orders are issued", func() bool {
		return len(w.call(w.owner, "GET", "/api/v1/orders?state=issued", "").get("items").([]any)) == 4
	})
	for _, tt := range []struct {
		who, path, key string
		least          int
	}{
		{w.owner, "/api/v1/homes", "id", 4},
		{w.owner, "/api/v1/products", "id", 4},
		{w.owner, "/api/v1/orders", "id", 4},
		{w.owner, "/api/v1/devices", "id", 6},
		{w.owner, "/api/v1/devices/" + m.device + "/commands", "id", 4},
		{w.owner, "/api/v1/products/" + m.product + "/versions", "number", 4},
		{w.owner, "/api/v1/jobs", "id", 4},
		{w.owner, "/api/v1/audit", "id", 10},
		{w.owner, "/api/v1/tokens", "id", 4},
		{w.owner, "/api/v1/organisations/" + w.a + "/members", "user", 6},
		{w.operator, "/api/v1/users", "id", 8},
		{w.operator, "/api/v1/organisations", "id", 2},
		{w.owner, "/api/v1/memberships", "organisation", 1},
	} {
		whole := keys(w.want(w.call(tt.who, "GET", tt.path+"?limit=200", ""), 200), tt.key)
		var walked []string
		for cursor := ""; len(walked) <= len(whole); {
			a := w.want(w.call(tt.who, "GET", tt.path+"?limit=1&cursor="+cursor, ""), 200)
			walked = append(walked, keys(a, tt.key)...)
			cursor = a.text("next_cursor")
			if cursor == "" {
				break
			}
		}
		if fmt.Sprint(walked) != fmt.Sprint(whole) || len(whole) < tt.least {
			t.Errorf("%s\n by one %v\n at once %v, want at least %d", tt.path, walked, whole, tt.least)
		}
	}
}

func keys(a answer, key string) []string {
	var out []string
	for _, item := range a.get("items").([]any) {
		out = append(out, fmt.Sprint(item.(map[string]any)[key]))
	}
	return out
}
