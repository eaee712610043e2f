package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// noVerb are the routes that no verb asks, each with its reason. Beside them stand homes and speech, which are a household's.
var noVerb = map[string]string{
	"GET /api/v1/device-files/{link}": "devices fetch it, by a link they are given",
	"POST /api/v1/session#token":      "a session by a token is for browsers; verbs take the token itself",
}

// household is what is no maker's and no operator's: the console and lampworks say speak for it.
func household(path string) bool {
	return strings.HasPrefix(path, "/api/v1/homes") || path == "/api/v1/speech"
}

// TestVerbs runs every verb that asks a server, without and with each of its flags, against a server that answers
// anything. What the verbs ask is held against the OpenAPI document: path, parameters, and the members of bodies. What no
// verb asks stands in noVerb.
func TestVerbs(t *testing.T) {
	doc := readAPI(t)
	rec := &recorder{doc: doc, seen: make(map[string]bool)}
	srv := httptest.NewServer(rec)
	t.Cleanup(srv.Close)
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	silence(t)
	parser := newParser(t)
	verbs := 0
	for _, leaf := range parser.Model.Leaves(false) {
		if !remote(leaf) {
			continue
		}
		verbs++
		for _, args := range commandLines(t, leaf) {
			rec.begin()
			if slices.ContainsFunc(args, func(a string) bool { return strings.HasSuffix(a, ".json") }) || exclusive(leaf) {
				parser = newParser(t) // kong remembers files, and flags that exclude each other
			}
			var code exitError
			if err := runVerb(parser, append(args, "--server", srv.URL)); err != nil && !errors.As(err, &code) {
				t.Errorf("lampworks %q: %v", args, err)
			}
			for _, flaw := range rec.flaws() {
				t.Errorf("lampworks %q: %s", args, flaw)
			}
		}
	}
	if verbs < 150 {
		t.Errorf("found %d verbs that ask a server, want 150 and more", verbs)
	}
	for _, op := range doc.operations() {
		_, path, _ := strings.Cut(op, " ")
		reason := noVerb[op]
		switch {
		case rec.seen[op] && reason != "":
			t.Errorf("%s has a verb, and stands in noVerb", op)
		case !rec.seen[op] && reason == "" && !household(path):
			t.Errorf("%s has no verb, and no reason in noVerb", op)
		case rec.seen[op]:
			for _, part := range doc.parts(op) {
				if !rec.seen[op+part] && noVerb[op+part] == "" {
					t.Errorf("%s: no flag gives %s", op, part)
				}
			}
		}
	}
	for op := range noVerb {
		if op, _, _ := strings.Cut(strings.ReplaceAll(op, "@", "#"), "#"); !slices.Contains(doc.operations(), op) {
			t.Errorf("noVerb names %s, which is no route", op)
		}
	}
}

func newParser(t *testing.T) *kong.Kong {
	t.Helper()
	parser, err := newProgram(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return parser
}

// remote says whether a verb asks a server as a client of the API, for a maker or the operator.
func remote(leaf *kong.Node) bool {
	name := leaf.FullPath()
	return name != "lampworks device" && name != "lampworks say" &&
		slices.ContainsFunc(leaf.Flags, func(f *kong.Flag) bool { return f.Name == "server" })
}

// exclusive says whether a verb has flags that exclude each other.
func exclusive(leaf *kong.Node) bool {
	return slices.ContainsFunc(leaf.Flags, func(f *kong.Flag) bool { return len(f.Xor) > 0 })
}

func runVerb(parser *kong.Kong, args []string) error {
	k, err := parser.Parse(args)
	if err != nil {
		return err
	}
	return k.Run()
}

// silence takes what verbs print, and gives them lines to read.
func silence(t *testing.T) {
	t.Helper()
	void, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := os.Create(filepath.Join(t.TempDir(), "lines"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lines.WriteString(strings.Repeat("{}\n", 1000)); err != nil {
		t.Fatal(err)
	}
	if _, err := lines.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	in, out, errs := os.Stdin, os.Stdout, os.Stderr
	os.Stdin, os.Stdout, os.Stderr = lines, void, void
	t.Cleanup(func() {
		os.Stdin, os.Stdout, os.Stderr = in, out, errs
		void.Close()
		lines.Close()
	})
}

// commandLines are the ways a verb is run: with what it must have, with all its arguments, and with each flag besides.
func commandLines(t *testing.T, leaf *kong.Node) (lines [][]string) {
	t.Helper()
	var names, least, full []string
	for n := leaf; n.Parent != nil; n = n.Parent {
		names = append([]string{n.Name}, names...)
	}
	for _, p := range leaf.Positional {
		v := example(t, p)
		if full = append(full, v); p.Required {
			least = append(least, v)
		}
	}
	var must []string
	token := []string{}
	var flags [][]string
	either := make(map[string]bool) // groups of flags that exclude each other
	var or [][]string
	for _, f := range leaf.Flags {
		if f.Name == "format" && slices.ContainsFunc(leaf.Flags, func(f *kong.Flag) bool { return f.Name == "out" }) {
			flags = append(flags, []string{"--format=csv"}) // of the audit
			continue
		}
		given := []string{"--" + f.Name + "=" + example(t, f.Value)}
		if f.IsBool() {
			given = given[:1]
			given[0] = "--" + f.Name
		}
		switch {
		case f.Name == "token":
			token = given
		case f.Name == "server" || f.Name == "help":
		case len(f.Xor) > 0:
			if either[f.Xor[0]] {
				or = append(or, given)
			} else {
				must = append(must, given...)
			}
			either[f.Xor[0]] = true
		case f.Required:
			must = append(must, given...)
		default:
			flags = append(flags, given)
			for _, other := range strings.Split(f.Enum, ",") {
				if f.Enum != "" {
					flags = append(flags, []string{"--" + f.Name + "=" + other})
				}
			}
		}
	}
	base := slices.Concat(names, must, token)
	for _, other := range or {
		lines = append(lines, slices.Concat(names, token, full, other))
	}
	switch leaf.FullPath() { // one or the other, or one with another
	case "lampworks order revoke":
		return [][]string{slices.Concat(base, full), slices.Concat(base, []string{"--download=x"})}
	case "lampworks notice publish":
		return [][]string{slices.Concat(base, full), slices.Concat(base, []string{"--of=x", "--when=2027-01-31T00:00:00Z"})}
	case "lampworks order download":
		return [][]string{slices.Concat(base, full, []string{"--reason=x", "--age=age1x"})}
	case "lampworks limit usage":
		for _, of := range []string{"organisation:x", "product:x", "device:x"} {
			for _, given := range flags {
				lines = append(lines, slices.Concat(base, []string{of}, given))
			}
		}
		return lines
	case "lampworks verify form":
		lines = append(lines, slices.Concat(base, full, slices.Concat(flags...)))
	case "lampworks order request":
		base = append(base, "--factory=x")
	case "lampworks agreement accept", "lampworks agreement decline":
		base = append(base, "--hash=x")
	case "lampworks agreement publish":
		base = append(base, "--digest=x")
	}
	lines = append(lines, slices.Concat(base, full))
	if len(full) > len(least) {
		lines = append(lines, slices.Concat(base, least))
	}
	for _, given := range flags {
		lines = append(lines, slices.Concat(base, full, given))
		if len(full) > len(least) {
			lines = append(lines, slices.Concat(base, least, given))
		}
	}
	return lines
}

// example is a value that a flag or argument takes.
func example(t *testing.T, v *kong.Value) string {
	t.Helper()
	switch {
	case v.Enum != "":
		first, _, _ := strings.Cut(v.Enum, ",")
		return first
	case v.Tag.Type == "existingfile" || v.Name == "file" || v.Name == "model" || v.Name == "care":
		name := filepath.Join(t.TempDir(), "file.json")
		if err := os.WriteFile(name, []byte(fileText), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	case v.Name == "fill":
		name := filepath.Join(t.TempDir(), "form.json")
		if err := os.WriteFile(name, []byte(`{"form":"person","values":{"name":"x"}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	case v.Flag != nil && v.Target.Kind() == reflect.String && slices.Contains(idsOnly, v.Name):
		return anID
	case v.Name == "params":
		return "{}"
	case v.Name == "window":
		return "10m"
	case v.Name == "location":
		return "31.2304,121.4737"
	case v.Name == "out":
		return filepath.Join(t.TempDir(), "out")
	case v.Name == "online":
		return "true"
	case v.Name == "of" || v.Name == "for" || v.Name == "on":
		return "organisation:x"
	}
	switch v.Target.Interface().(type) {
	case time.Time:
		return "2027-01-31T00:00:00Z"
	case time.Duration:
		return "10s"
	case map[string]string, map[string]int64:
		return "en=1"
	}
	switch v.Target.Kind() {
	case reflect.Int, reflect.Int64, reflect.Pointer:
		return "1"
	}
	return "x"
}

// recorder is a server that answers anything, and says what does not fit the document.
type recorder struct {
	doc *apiDoc

	mu    sync.Mutex      // guards what follows
	seen  map[string]bool // METHOD /path, and the same with ?parameter, #member or @header
	wrong []string
}

func (r *recorder) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong = nil
}

func (r *recorder) flaws() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.wrong)
}

// ServeHTTP implements http.Handler.
func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	sent, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	op, operation := r.doc.find(req.Method, req.URL.Path)
	if operation == nil {
		r.wrong = append(r.wrong, fmt.Sprintf("%s %s is no route", req.Method, req.URL.Path))
	} else {
		r.seen[op] = true
		for name := range req.URL.Query() {
			r.seen[op+"?"+name] = true
		}
		if req.Header.Get("If-Match") == `"1"` {
			r.seen[op+"@If-Match"] = true
		}
		var members map[string]any
		if json.Unmarshal(sent, &members) == nil && string(sent) == fileText {
			members = operation.members(r.doc)
		}
		for name := range members {
			r.seen[op+"#"+name] = true
		}
		for _, flaw := range operation.flaws(req, sent, r.doc) {
			r.wrong = append(r.wrong, op+": "+flaw)
		}
	}
	r.mu.Unlock()
	if req.Header.Get("Accept") == "text/event-stream" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: "x"})
	state := "done"
	if strings.HasPrefix(req.URL.Path, "/api/v1/mac-lists") {
		state = "ready"
	}
	io.WriteString(w, `{"id":"x","job":"x","state":"`+state+`","needed":true,"open":true,"items":[],"token":"x","count":0,"actor":{"login":"x"}}`)
}

// apiDoc is what the test needs of the OpenAPI document.
type apiDoc struct {
	Paths      map[string]map[string]json.RawMessage `json:"paths"`
	Components struct {
		Schemas map[string]apiSchema `json:"schemas"`
	} `json:"components"`
}

type apiOperation struct {
	Parameters []struct {
		Name     string `json:"name"`
		In       string `json:"in"`
		Required bool   `json:"required"`
	} `json:"parameters"`
	RequestBody *struct {
		Content map[string]struct {
			Schema apiSchema `json:"schema"`
		} `json:"content"`
	} `json:"requestBody"`
}

type apiSchema struct {
	Ref        string               `json:"$ref"`
	Required   []string             `json:"required"`
	Properties map[string]apiSchema `json:"properties"`
}

func readAPI(t *testing.T) *apiDoc {
	t.Helper()
	b, err := os.ReadFile("../../internal/edge/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc apiDoc
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	return &doc
}

// operations lists all routes as METHOD /path.
func (d *apiDoc) operations() (all []string) {
	for path, methods := range d.Paths {
		for method := range methods {
			if slices.Contains([]string{"get", "post", "put", "patch", "delete"}, method) {
				all = append(all, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(all)
	return all
}

// find finds the route of a request; one that is named whole comes before one with places.
func (d *apiDoc) find(method, path string) (string, *apiOperation) {
	best, places := "", 100
	for template, methods := range d.Paths {
		if n := strings.Count(template, "{"); n < places && fits(template, path) && methods[strings.ToLower(method)] != nil {
			best, places = template, n
		}
	}
	if best == "" {
		return "", nil
	}
	var op apiOperation
	if err := json.Unmarshal(d.Paths[best][strings.ToLower(method)], &op); err != nil {
		return "", nil
	}
	return method + " " + best, &op
}

func fits(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if place := strings.HasPrefix(want[i], "{"); place && got[i] == "" || !place && want[i] != got[i] {
			return false
		}
	}
	return true
}

// members are what the JSON body of a route has.
func (o *apiOperation) members(doc *apiDoc) map[string]any {
	out := make(map[string]any)
	if o.RequestBody != nil {
		for name := range doc.schema(o.RequestBody.Content["application/json"].Schema).Properties {
			out[name] = true
		}
	}
	delete(out, "$schema")
	return out
}

// schema is what a schema refers to, or itself.
func (d *apiDoc) schema(s apiSchema) apiSchema {
	if s.Ref == "" {
		return s
	}
	return d.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]]
}

// parts lists the parameters of a route as ?name, the members of its body as #name, and @If-Match.
func (d *apiDoc) parts(op string) (out []string) {
	method, path, _ := strings.Cut(op, " ")
	var o apiOperation
	if json.Unmarshal(d.Paths[path][strings.ToLower(method)], &o) != nil {
		return []string{"anything"}
	}
	for _, p := range o.Parameters {
		switch {
		case p.In == "query":
			out = append(out, "?"+p.Name)
		case p.Name == "If-Match":
			out = append(out, "@"+p.Name)
		}
	}
	for name := range o.members(d) {
		out = append(out, "#"+name)
	}
	slices.Sort(out)
	return out
}

// flaws lists what a request has that the route does not know, and lacks that it needs.
func (o *apiOperation) flaws(req *http.Request, sent []byte, doc *apiDoc) (out []string) {
	known := make(map[string]bool)
	keyed := false
	for _, p := range o.Parameters {
		keyed = keyed || p.Name == "Idempotency-Key"
		if p.In != "query" {
			continue
		}
		if known[p.Name] = true; p.Required && !req.URL.Query().Has(p.Name) {
			out = append(out, "the parameter "+p.Name+" is missing")
		}
	}
	for name := range req.URL.Query() {
		if !known[name] {
			out = append(out, "there is no parameter "+name)
		}
	}
	if key := req.Header.Get("Idempotency-Key"); keyed != (key != "") {
		out = append(out, fmt.Sprintf("its Idempotency-Key is %q, and it takes one: %t", key, keyed))
	}
	if o.RequestBody == nil {
		if len(sent) > 0 {
			out = append(out, "it has no body")
		}
		return out
	}
	content, ok := o.RequestBody.Content["application/json"]
	if !ok || string(sent) == fileText {
		return out
	}
	return append(out, content.Schema.flaws("", sent, doc)...)
}

// fileText is what stands in the files that verbs are given: what is sent as it is, is the maker's own.
const fileText = `{"file":true}`

func (s apiSchema) flaws(where string, sent []byte, doc *apiDoc) (out []string) {
	s = doc.schema(s)
	if len(s.Properties) == 0 || string(sent) == fileText {
		return nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(sent, &object); err != nil {
		return []string{where + " is no object: " + string(sent)}
	}
	for _, name := range s.Required {
		if object[name] == nil {
			out = append(out, where+"/"+name+" is missing")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		sub, ok := s.Properties[name]
		if !ok {
			out = append(out, "there is no "+where+"/"+name)
			continue
		}
		out = append(out, sub.flaws(where+"/"+name, object[name], doc)...)
	}
	return out
}
