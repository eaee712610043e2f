package console_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"lampworks/internal/edge/console"
)

func built(t *testing.T, tree fstest.MapFS) http.Handler {
	t.Helper()
	h, err := console.New(tree)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var tree = fstest.MapFS{
	".keep":                 {Data: []byte("not served")},
	"index.html":            {Data: []byte("<!doctype html>page")},
	"index.html.br":         {Data: []byte("page in brotli")},
	"assets/app-1a2b.js":    {Data: []byte("script")},
	"assets/app-1a2b.js.gz": {Data: []byte("script in gzip")},
}

// TestWhatABrowserGets: the page for every address of its own, the best encoding that is accepted, and how long to keep it.
func TestWhatABrowserGets(t *testing.T) {
	h := built(t, tree)
	for _, tt := range []struct {
		method, path, accepts   string
		status                  int
		body, encoding, caching string
	}{
		{"GET", "/", "gzip, br", 200, "page in brotli", "br", "no-cache"},
		{"GET", "/", "", 200, "<!doctype html>page", "", "no-cache"},
		{"GET", "/bench?home=1", "", 200, "<!doctype html>page", "", "no-cache"},
		{"HEAD", "/", "", 200, "", "", "no-cache"},
		{"GET", "/assets/app-1a2b.js", "br, gzip", 200, "script in gzip", "gzip", "public, max-age=31536000, immutable"},
		{"GET", "/assets/gone.js", "", 404, "404 page not found\n", "", ""},
		{"GET", "/api/v1/nothing", "", 404, "404 page not found\n", "", ""},
		{"GET", "/.keep", "", 200, "<!doctype html>page", "", "no-cache"},
		{"POST", "/", "", 405, "the console is only read\n", "", ""},
	} {
		r := httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, nil)
		r.Header.Set("Accept-Encoding", tt.accepts)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		head := w.Header()
		if w.Code != tt.status || w.Body.String() != tt.body || head.Get("Content-Encoding") != tt.encoding || head.Get("Cache-Control") != tt.caching {
			t.Errorf("%s %s accepting %q: %d %q, encoding %q, caching %q\nwant %d %q, %q, %q", tt.method, tt.path, tt.accepts,
				w.Code, w.Body, head.Get("Content-Encoding"), head.Get("Cache-Control"), tt.status, tt.body, tt.encoding, tt.caching)
		}
	}
}

// TestEveryAnswerCarriesThePolicy, also those that refuse.
func TestEveryAnswerCarriesThePolicy(t *testing.T) {
	h := built(t, tree)
	for _, path := range []string{"/", "/assets/app-1a2b.js", "/assets/gone.js"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		policy := w.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy is %q, want %s in it", path, policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: policy %q, X-Content-Type-Options %q", path, policy, w.Header().Get("X-Content-Type-Options"))
		}
	}
}

// TestABinaryWithoutItsConsoleSaysSo where `go build` ran before `make web`.
func TestABinaryWithoutItsConsoleSaysSo(t *testing.T) {
	w := httptest.NewRecorder()
	built(t, fstest.MapFS{".keep": {}}).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
	if want := "This program was built without its console. Run `make build`.\n"; w.Code != 404 || w.Body.String() != want {
		t.Errorf("%d %q, want 404 %q", w.Code, w.Body, want)
	}
}
