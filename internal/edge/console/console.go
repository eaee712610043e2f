// Package console serves the web console and says what a browser may do with it (控制台).
//
// It owns no data. It promises the strictest policy the console works under: own scripts and styles only, no inline code,
// no framing, trusted types; assets with a hash in their name are kept for ever by browsers, the page itself never.
package console

import (
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// policy is the Content-Security-Policy of every answer.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; media-src 'self' blob:; " +
	"font-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// file is one file, ready to be sent.
type file struct {
	kind    string
	bodies  map[string][]byte // by Content-Encoding; "" is the file as it is
	forever bool
}

// encodings are the endings of compressed twins that the build leaves beside a file, best first.
var encodings = []struct{ ending, name string }{{".br", "br"}, {".gz", "gzip"}}

// New reads the built console from tree and returns its handler. A path that is no file is the page itself, which knows
// its own addresses. Without index.html the answer says how to build it.
func New(tree fs.FS) (http.Handler, error) {
	files := make(map[string]*file)
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		b, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		encoding := ""
		for _, e := range encodings {
			if plain, ok := strings.CutSuffix(name, e.ending); ok {
				name, encoding = plain, e.name
			}
		}
		f := files["/"+name]
		if f == nil {
			f = &file{kind: mime.TypeByExtension(path.Ext(name)), bodies: make(map[string][]byte), forever: strings.HasPrefix(name, "assets/")}
			files["/"+name] = f
		}
		f.bodies[encoding] = b
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the console: %w", err)
	}
	return &handler{files}, nil
}

type handler struct{ files map[string]*file }

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "the console is only read", http.StatusMethodNotAllowed)
		return
	}
	f := h.files[path.Clean(r.URL.Path)]
	if f == nil {
		if strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/assets/") {
			http.NotFound(w, r)
			return
		}
		f = h.files["/index.html"]
	}
	if f == nil {
		http.Error(w, "This program was built without its console. Run `make build`.", http.StatusNotFound)
		return
	}
	h.send(w, r, f)
}

func (h *handler) send(w http.ResponseWriter, r *http.Request, f *file) {
	head := w.Header()
	head.Set("Content-Type", f.kind)
	head.Set("Vary", "Accept-Encoding")
	if f.forever {
		head.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		head.Set("Cache-Control", "no-cache")
	}
	b := f.bodies[""]
	accepted := r.Header.Get("Accept-Encoding")
	for _, e := range encodings {
		if z := f.bodies[e.name]; z != nil && strings.Contains(accepted, e.name) {
			head.Set("Content-Encoding", e.name)
			b = z
			break
		}
	}
	head.Set("Content-Length", fmt.Sprint(len(b)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(b)
	}
}
