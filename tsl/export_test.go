package tsl

import (
	"bytes"
	"os"
	"slices"
	"testing"
)

// TestExport: what a device gets is a document of the same model, without hints.
func TestExport(t *testing.T) {
	doc, err := os.ReadFile("testdata/everything.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(doc, []byte(`"lampworks"`)) {
		t.Fatal("the document has no hints to leave out")
	}
	m := everything(t)
	before, err := encode(m.Document())
	if err != nil {
		t.Fatal(err)
	}
	for _, defaults := range []bool{true, false} {
		out, err := m.Export("pk", "dn", defaults)
		if err != nil || bytes.Contains(out, []byte(`"lampworks"`)) {
			t.Fatalf("with defaults %t: %s, %v", defaults, out, err)
		}
		d, err := Parse(out)
		if err != nil || d.Profile.ProductKey != "pk" || d.Profile.DeviceName != "dn" {
			t.Fatalf("with defaults %t: profile %+v, %v", defaults, d.Profile, err)
		}
		if changes := Diff(m.Document(), d); slices.ContainsFunc(changes, func(c Change) bool { return c.Breaking }) {
			t.Errorf("with defaults %t it differs: %+v", defaults, changes)
		}
		if !defaults {
			for _, s := range d.Services {
				if s.Identifier == "set" || s.Identifier == "get" {
					t.Errorf("the default service %s is there", s.Identifier)
				}
			}
		}
	}
	if after, err := encode(m.Document()); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the document of the model has changed, %v", err)
	}
}
