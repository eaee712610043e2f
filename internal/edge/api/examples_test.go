package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"lampworks/internal/edge/api"
)

// updateExamples writes what TestEveryOperationOnce asked and was answered into the document; run those of OpenAPI with
// -update after it.
var updateExamples = flag.Bool("update-examples", false, "rewrite examples.json from what TestEveryOperationOnce asks")

const examplesFile = "examples.json"

type example struct {
	Request  json.RawMessage `json:"request,omitempty"`
	Response json.RawMessage `json:"response,omitempty"`
}

// recorder keeps the fullest good answer of each route.
type recorder struct {
	t      *testing.T
	doc    *document
	mu     sync.Mutex
	began  time.Time
	known  map[string]string // what stands for an id or an address that was seen
	kept   map[string]example
	passed map[string]bool // routes that were asked with success, whatever they answer
}

func newRecorder(t *testing.T) *recorder {
	return &recorder{t: t, doc: readDocument(t), began: time.Now(), known: make(map[string]string), kept: make(map[string]example), passed: make(map[string]bool)}
}

// note keeps a request that went well and its answer.
func (r *recorder) note(method, path, body string, a answer) {
	name := method + " " + r.doc.route(method, path)
	passed := a.status < http.StatusMultipleChoices
	if !r.doc.has(name) || !passed && !slices.Contains(notWalked, name) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.passed[name] = passed
	request, response := r.doc.forms(name)
	var e example
	if request != "" && body != "" {
		e.Request = r.plain([]byte(body))
	}
	if passed && response != "" && strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		r.doc.holds(r.t, name+" answer", response, a.body)
		e.Response = r.plain(a.body)
	}
	if old, ok := r.kept[name]; !ok || len(e.Response) > len(old.Response) {
		r.kept[name] = e
	}
}

// plain is JSON without what is secret or different at each run, its lists cut; the order of members stays.
func (r *recorder) plain(b []byte) json.RawMessage {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var out bytes.Buffer
	if err := r.value(dec, &out, ""); err != nil {
		r.t.Errorf("reading %.200s: %v", b, err)
	}
	return out.Bytes()
}

const fewItems = 3 // items of a list that an example shows

// value copies the next value of dec, which is a member called key.
func (r *recorder) value(dec *json.Decoder, out *bytes.Buffer, key string) error {
	t, err := dec.Token()
	if err != nil {
		return err
	}
	switch t := t.(type) {
	case json.Delim:
		out.WriteRune(rune(t))
		for n := 0; dec.More(); n++ {
			var item bytes.Buffer
			name := key
			if t == '{' {
				member, err := dec.Token()
				if err != nil {
					return err
				}
				name, _ = member.(string)
				item.Write(quoted(name))
				item.WriteByte(':')
			}
			if err := r.value(dec, &item, name); err != nil {
				return err
			}
			if t == '[' && n >= fewItems {
				continue
			}
			if n > 0 {
				out.WriteByte(',')
			}
			out.Write(item.Bytes())
		}
		end, err := dec.Token()
		if d, ok := end.(json.Delim); ok {
			out.WriteRune(rune(d))
		}
		return err
	case string:
		out.Write(quoted(r.text(key, t)))
	default:
		out.Write(quoted(t))
	}
	return nil
}

// quoted is a value as JSON, readable: < and & stay.
func quoted(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // into memory
	return bytes.TrimSpace(b.Bytes())
}

var (
	uuidForm  = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	timeForm  = regexp.MustCompile(`^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`)
	placeForm = regexp.MustCompile(`127\.0\.0\.1(:\d+)?`)
	macForm   = regexp.MustCompile(`\b[0-9a-f]{12}\b`)
	hexForm   = regexp.MustCompile(`^[0-9a-f]{24,}$`)
	longForm  = regexp.MustCompile(`^[A-Za-z0-9+/_=-]{40,}$`)
	codeForm  = regexp.MustCompile(`^[a-z_.]+$`) // a code that names something, and opens nothing
)

// secretKeys are the members that hold secrets, and what stands for those. None of it opens anything.
var secretKeys = map[string]string{
	"password": "correct horse battery staple", "old_password": "correct horse battery staple", "new_password": "a lamp in every window",
	"token": "lw_example_not-a-token", "secret": "EXAMPLENOTASECRET", "code": "000000", "recovery_codes": "example-code", "uri": "otpauth://totp/Lampworks:anna?secret=EXAMPLENOTASECRET",
}

// text is what stands for a text.
func (r *recorder) text(key, s string) string {
	if shown, secret := secretKeys[key]; secret && s != "" && !uuidForm.MatchString(s) && !(key != "password" && codeForm.MatchString(s)) {
		return shown
	}
	switch {
	case timeForm.MatchString(s):
		return r.time(s)
	case hexForm.MatchString(s):
		return strings.Repeat("0123456789abcdef", len(s)/16+1)[:len(s)]
	case longForm.MatchString(s) && !uuidForm.MatchString(s):
		return strings.Repeat("EXAMPLE0", len(s)/8+1)[:len(s)]
	}
	s = uuidForm.ReplaceAllStringFunc(s, func(id string) string { return r.stands(id, "0197f3a0-7b1e-7c3a-9f42-%012d") })
	s = macForm.ReplaceAllStringFunc(s, func(mac string) string {
		if strings.HasPrefix(mac, "0000000") { // the end of an id
			return mac
		}
		return r.stands(mac, "acde48%06x")
	})
	return placeForm.ReplaceAllString(s, "192.0.2.7")
}

// stands is one text for each that was seen, numbered in their order.
func (r *recorder) stands(seen, form string) string {
	if r.known[seen] == "" {
		r.known[seen] = fmt.Sprintf(form, len(r.known)+1)
	}
	return r.known[seen]
}

// time tells times as if the test had begun at eight o'clock one morning; whole hours are what somebody asked for.
func (r *recorder) time(s string) string {
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || at.Equal(at.Truncate(time.Hour)) {
		return s
	}
	began := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	return began.Add(at.Sub(r.began).Round(time.Minute)).Format("2006-01-02T15:04:05.000Z")
}

// write leaves the examples in the file. One that still holds, and shows every member that the new one has, stays: a new
// recording changes what needs it.
func (r *recorder) write() error {
	all := readExamples()
	for name, e := range r.kept {
		old, request, response := all[name], "", ""
		request, response = r.doc.forms(name)
		if request == "" && response == "" {
			continue
		}
		if r.better(e.Request, old.Request, request) || r.better(e.Response, old.Response, response) {
			all[name] = e
		}
	}
	maps.DeleteFunc(all, func(name string, _ example) bool { return !r.doc.has(name) })
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(examplesFile, append(b, '\n'), 0o644)
}

// better is whether an example must take the place of an old one, under the schema at.
func (r *recorder) better(e, old json.RawMessage, at string) bool {
	if at == "" {
		return false
	}
	if len(old) == 0 || r.doc.check(at, old) != nil {
		return len(e) > 0
	}
	shape := members(old)
	return slices.ContainsFunc(slices.Collect(maps.Keys(members(e))), func(path string) bool { return !shape[path] })
}

// members are the paths of a value, without numbers of list items.
func members(b json.RawMessage) map[string]bool {
	out := make(map[string]bool)
	var walk func(path string, v any)
	walk = func(path string, v any) {
		out[path] = true
		switch v := v.(type) {
		case map[string]any:
			for name, sub := range v {
				walk(path+"/"+name, sub)
			}
		case []any:
			for _, sub := range v {
				walk(path+"/*", sub)
			}
		}
	}
	var v any
	if json.Unmarshal(b, &v) == nil {
		walk("", v)
	}
	return out
}

func readExamples() map[string]example {
	all := make(map[string]example)
	if b, err := os.ReadFile(examplesFile); err == nil {
		_ = json.Unmarshal(b, &all) // a broken file is written anew
	}
	return all
}

// document is the OpenAPI document, to hold values against.
type document struct {
	spec
	routes   []*regexp.Regexp // of paths: literal ones stand before those with places
	paths    []string
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
}

func readDocument(t testing.TB) *document {
	t.Helper()
	b := must(api.Document())(t)
	d := &document{compiler: jsonschema.NewCompiler(), schemas: make(map[string]*jsonschema.Schema)}
	if err := json.Unmarshal(b, &d.spec); err != nil {
		t.Fatal(err)
	}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	if err := d.compiler.AddResource("openapi.json", must(jsonschema.UnmarshalJSON(bytes.NewReader(b)))(t)); err != nil {
		t.Fatal(err)
	}
	d.paths = slices.SortedFunc(maps.Keys(d.Paths), func(a, b string) int { return strings.Count(a, "{") - strings.Count(b, "{") })
	for _, p := range d.paths {
		d.routes = append(d.routes, regexp.MustCompile("^"+inPath.ReplaceAllString(p, "[^/]+")+"$"))
	}
	return d
}

// route is the declared path that a requested one belongs to.
func (d *document) route(method, path string) string {
	path, _, _ = strings.Cut(path, "?")
	for i, re := range d.routes {
		if re.MatchString(path) && d.has(method+" "+d.paths[i]) {
			return d.paths[i]
		}
	}
	return ""
}

func (d *document) has(name string) bool {
	method, path, _ := strings.Cut(name, " ")
	_, ok := d.Paths[path][strings.ToLower(method)]
	return ok
}

// forms are the places of the schemas of a route's request and answer; empty where they are no JSON.
func (d *document) forms(name string) (request, response string) {
	method, path, _ := strings.Cut(name, " ")
	op := d.Paths[path][strings.ToLower(method)]
	at := "openapi.json#/paths/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(path) + "/" + strings.ToLower(method)
	if op.RequestBody != nil && op.RequestBody.Content["application/json"].Schema != nil {
		request = at + "/requestBody/content/application~1json/schema"
	}
	for status, r := range op.Responses {
		if status != "default" && r.Content["application/json"].Schema != nil {
			response = at + "/responses/" + status + "/content/application~1json/schema"
		}
	}
	return request, response
}

// check holds a value against the schema at a place of the document.
func (d *document) check(at string, value []byte) error {
	schema := d.schemas[at]
	if schema == nil {
		var err error
		if schema, err = d.compiler.Compile(at); err != nil {
			return err
		}
		d.schemas[at] = schema
	}
	v, err := jsonschema.UnmarshalJSON(io.LimitReader(bytes.NewReader(value), 1<<20))
	if err != nil {
		return err
	}
	return schema.Validate(v)
}

func (d *document) holds(t testing.TB, name, at string, value []byte) {
	t.Helper()
	if err := d.check(at, value); err != nil {
		t.Errorf("%s is not what its schema says: %v\n%.500s", name, err, value)
	}
}

// TestExamples holds every example against the schema of its route, and every route that takes or gives JSON against the
// examples. Streams and files have none: their bodies are not JSON.
func TestExamples(t *testing.T) {
	d := readDocument(t)
	all := readExamples()
	for path, item := range d.Paths {
		for method := range item {
			name := strings.ToUpper(method) + " " + path
			request, response := d.forms(name)
			for _, part := range []struct {
				what, at string
				value    json.RawMessage
			}{{"request", request, all[name].Request}, {"answer", response, all[name].Response}} {
				switch {
				case part.at == "":
				case len(part.value) == 0:
					t.Errorf("%s has no example of its %s: ask it in TestEveryOperationOnce, and run that with -update-examples", name, part.what)
				default:
					d.holds(t, "the example of the "+part.what+" of "+name, part.at, part.value)
				}
			}
			delete(all, name)
		}
	}
	for name := range all {
		t.Errorf("there is an example of %s, which is no route", name)
	}
}

// TestProblemExamples holds the shared examples of refusals against their schema, and looks that each operation has those
// that everybody meets.
func TestProblemExamples(t *testing.T) {
	d := readDocument(t)
	_, raw := readSpec(t)
	components := raw["components"].(map[string]any)
	for name, e := range components["examples"].(map[string]any) {
		b, err := json.Marshal(e.(map[string]any)["value"])
		if err != nil {
			t.Fatal(err)
		}
		d.holds(t, "the example "+name, "openapi.json#/components/schemas/Problem", b)
		if !bytes.Contains(b, []byte(`"code":"`+name+`"`)) {
			t.Errorf("the example %s is %s", name, b)
		}
	}
	for _, tt := range []struct{ name, want string }{
		{"POST /api/v1/session", "conflict invalid limit too_large unavailable"},
		{"GET /api/v1/memberships", "invalid limit unauthenticated unavailable"},
		{"GET /api/v1/products/{product}", "agreement forbidden invalid limit not_found second_factor unauthenticated unavailable"},
		{"PATCH /api/v1/products/{product}", "agreement conflict forbidden invalid limit not_found second_factor stale suspended too_large unauthenticated unavailable"},
	} {
		method, path, _ := strings.Cut(tt.name, " ")
		at := strings.TrimPrefix(d.Paths[path][strings.ToLower(method)].Responses["default"].Ref, "#/components/responses/")
		shared, _ := components["responses"].(map[string]any)[at].(map[string]any)
		kinds := shared["content"].(map[string]any)["application/problem+json"].(map[string]any)["examples"].(map[string]any)
		if got := strings.Join(slices.Sorted(maps.Keys(kinds)), " "); got != tt.want {
			t.Errorf("%s may meet\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}
