package tsl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compiledSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("model.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("model.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// beyondSchema are the rules between values, or within texts that hold numbers, which a schema cannot say.
var beyondSchema = []string{
	"given twice", "at least min", "up to 2^53", "holds", "a positive", "an integer from 1 to", "of 32 bits", "not a value of the type",
}

// agree compares the two readings of one document.
func agree(t *testing.T, s *jsonschema.Schema, doc []byte) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil || !utf8.Valid(doc) {
		return // not JSON: no schema is asked
	}
	schemaErr := s.Validate(value)
	_, parseErr := Parse(doc)
	if parseErr == nil {
		if schemaErr != nil {
			t.Errorf("Parse takes what the schema refuses: %.300s\n%v", doc, schemaErr)
		}
		return
	}
	var problems Problems
	if !errors.As(parseErr, &problems) {
		t.Fatal(parseErr)
	}
	beyond := true
	for _, p := range problems {
		if !slices.ContainsFunc(beyondSchema, func(rule string) bool { return strings.Contains(p.String(), rule) }) {
			beyond = false
		}
	}
	if schemaErr == nil && !beyond {
		t.Errorf("the schema takes what Parse refuses: %.300s\n%v", doc, parseErr)
	}
}

// Parse and the schema give one verdict on every document of the tables, and on every document that comes of a good
// one when a single value is taken out or replaced, or a member added.
func TestSchemaAndParseAgree(t *testing.T) {
	s := compiledSchema(t)
	for _, tt := range badDocuments {
		agree(t, s, []byte(tt.in))
	}
	count := 0
	docs := goodDocuments(t)
	for _, name := range slices.Sorted(maps.Keys(docs)) {
		doc := docs[name]
		agree(t, s, doc)
		var root any
		if err := json.Unmarshal(doc, &root); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		mutate(&root, func() {
			if count++; count%11 != 0 { // a part of them meets every place; all of them take ten seconds
				return
			}
			b, err := json.Marshal(root)
			if err != nil {
				t.Fatal(err)
			}
			agree(t, s, b)
		})
	}
	if count < 10_000 {
		t.Errorf("only %d mutations were made", count)
	}
}

// replacements are what every value of a document is replaced by in turn.
var replacements = []any{
	nil, true, "", "x", "0", "-7", "1.5", "rw", "a b", "int", "array", "enum", "struct", "post", "get", json.Number("0"), json.Number("3"), json.Number("1.5"),
	[]any{},
	[]any{"a"},
	map[string]any{},
	map[string]any{"0": "x", "1": "y"},
	strings.Repeat("长", 129),
}

// mutate calls try with the tree under v changed in each way, and puts it back after each.
func mutate(v *any, try func()) {
	old := *v
	for _, r := range replacements {
		*v = r
		try()
	}
	*v = old
	switch old := old.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(old)) {
			value := old[key]
			delete(old, key)
			try()
			mutate(&value, func() { old[key] = value; try() })
			old[key] = value
		}
		for _, key := range []string{"extra", "2", "01", "specs", "unit"} {
			if _, there := old[key]; !there {
				old[key] = "x"
				try()
				delete(old, key)
			}
		}
	case []any:
		for i := range old {
			mutate(&old[i], try)
		}
	}
}

// The limits stand at the same place in both.
func TestSchemaLimits(t *testing.T) {
	s := compiledSchema(t)
	property := func(i int) string {
		return fmt.Sprintf(`{"identifier":"p%d","name":"p","accessMode":"r","dataType":{"type":"int"}}`, i)
	}
	for _, n := range []int{300, 301} {
		var all []string
		for i := range n {
			all = append(all, property(i))
		}
		agree(t, s, []byte(`{"properties":[`+strings.Join(all, ",")+`]}`))
	}
	for _, n := range []int{50, 51} {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`{"identifier":"f%d","dataType":{"type":"int"}}`, i))
		}
		agree(t, s, []byte(one(`{"type":"struct","specs":[`+strings.Join(all, ",")+`]}`)))
	}
	for _, n := range []int{100, 101} {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`"%d":"v"`, i))
		}
		agree(t, s, []byte(one(`{"type":"enum","specs":{`+strings.Join(all, ",")+`}}`)))
	}
	for _, in := range []string{
		one(`{"type":"text","specs":{"length":10240}}`), one(`{"type":"text","specs":{"length":10241}}`),
		one(`{"type":"array","specs":{"size":512,"item":{"type":"int"}}}`), one(`{"type":"array","specs":{"size":513,"item":{"type":"int"}}}`),
		strings.Replace(one(`{"type":"int"}`), `"p"`, `"`+strings.Repeat("p", 50)+`"`, 1), strings.Replace(one(`{"type":"int"}`), `"p"`, `"`+strings.Repeat("p", 51)+`"`, 1),
	} {
		agree(t, s, []byte(in))
	}
}
