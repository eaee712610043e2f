package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"lampworks/internal/edge/api"
)

var update = flag.Bool("update", false, "rewrite golden files")

const committed = "openapi.json"

// TestOpenAPIIsCommitted holds the file that the console's types are made from against the declarations.
func TestOpenAPIIsCommitted(t *testing.T) {
	doc, err := api.Document()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(committed, doc, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, doc) {
		t.Errorf("%s is stale; run go test ./internal/edge/api -run OpenAPI -update", committed)
	}
}

// spec is what the tests read of the document.
type spec struct {
	OpenAPI string
	Paths   map[string]map[string]operation
	Tags    []struct{ Name string }
}

type operation struct {
	OperationID string
	Summary     string
	Description string
	Tags        []string
	Security    []map[string][]string
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   map[string]any
	}
	RequestBody *struct {
		Required bool
		Content  map[string]struct{ Schema map[string]any }
	}
	Responses map[string]struct {
		Ref         string `json:"$ref"`
		Description string
		Content     map[string]struct{ Schema map[string]any }
	}
}

func readSpec(t testing.TB) (spec, map[string]any) {
	t.Helper()
	doc, err := api.Document()
	if err != nil {
		t.Fatal(err)
	}
	var s spec
	var raw map[string]any
	if err := json.Unmarshal(doc, &s); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(doc, &raw); err != nil {
		t.Fatal(err)
	}
	return s, raw
}

var inPath = regexp.MustCompile(`\{(\w+)\}`)

func TestOpenAPIIsComplete(t *testing.T) {
	s, _ := readSpec(t)
	if !strings.HasPrefix(s.OpenAPI, "3.1.") {
		t.Errorf("it is OpenAPI %s, want 3.1", s.OpenAPI)
	}
	ids := make(map[string]bool)
	for path, item := range s.Paths {
		for method, op := range item {
			name := strings.ToUpper(method) + " " + path
			if op.Summary == "" || op.OperationID == "" || len(op.Tags) != 1 || ids[op.OperationID] {
				t.Errorf("%s: summary %q, id %q, tags %v", name, op.Summary, op.OperationID, op.Tags)
			}
			ids[op.OperationID] = true
			var want, got []string
			for _, m := range inPath.FindAllStringSubmatch(path, -1) {
				want = append(want, m[1])
			}
			for _, p := range op.Parameters {
				if p.In == "path" {
					got = append(got, p.Name)
				}
				if len(p.Schema) == 0 {
					t.Errorf("%s: parameter %s has no schema", name, p.Name)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s declares the path parameters %v", name, got)
			}
			problem := op.Responses["default"].Ref
			if !strings.HasPrefix(problem, "#/components/responses/Problem") || len(op.Responses) != 2 && op.Responses["206"].Description == "" {
				t.Errorf("%s: problems are %v, %d answers", name, problem, len(op.Responses))
			}
			if op.Description == "" || len(op.Security) == 0 {
				t.Errorf("%s does not say what it needs", name)
			}
		}
	}
}

// TestOpenAPIHasNoLooseEnds follows every $ref, and looks for schemas that nothing points to.
func TestOpenAPIHasNoLooseEnds(t *testing.T) {
	_, raw := readSpec(t)
	components := raw["components"].(map[string]any)
	used := make(map[string]bool)
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				kind, name, _ := strings.Cut(strings.TrimPrefix(ref, "#/components/"), "/")
				if _, ok := components[kind].(map[string]any)[name]; !ok {
					t.Errorf("%s leads nowhere", ref)
				}
				used[kind+" "+name] = true
			}
			for _, sub := range v {
				walk(sub)
			}
		case []any:
			for _, sub := range v {
				walk(sub)
			}
		}
	}
	walk(raw)
	for _, kind := range []string{"schemas", "responses", "examples"} {
		for name := range components[kind].(map[string]any) {
			if !used[kind+" "+name] {
				t.Errorf("%s of the %s is used nowhere", name, kind)
			}
		}
	}
}

func TestOpenAPITypes(t *testing.T) {
	_, raw := readSpec(t)
	for _, tt := range []struct{ at, want string }{
		{"components/schemas/NewProductInputBody/properties/document", `{"description":"Its thing model, TSL; the category's if not given."}`},
		{"components/schemas/CommandView/properties/params", `{}`},
		{"components/schemas/SignInBody/properties/password", `{"format":"password","maxLength":2048,"type":"string","writeOnly":true}`},
		{"components/schemas/PageDeviceView/properties/items/type", `"array"`},
		{"components/schemas/DeviceView/properties/seen_at/format", `"date-time"`},
		{"components/schemas/SentenceInputBody/additionalProperties", `false`},
	} {
		var v any = raw
		for _, step := range strings.Split(tt.at, "/") {
			m, _ := v.(map[string]any)
			v = m[step]
		}
		if got, _ := json.Marshal(v); string(got) != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.at, got, tt.want)
		}
	}
}
