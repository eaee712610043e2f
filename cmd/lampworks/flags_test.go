package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// leafOf finds a verb.
func leafOf(t *testing.T, name string) *kong.Node {
	t.Helper()
	for _, leaf := range newParser(t).Model.Leaves(false) {
		if leaf.FullPath() == "lampworks "+name {
			return leaf
		}
	}
	t.Fatalf("there is no verb %s", name)
	return nil
}

// TestRefusalNamesFlags: where the verb has a flag for what is wrong, that is named, and nothing is made up where it has none.
func TestRefusalNamesFlags(t *testing.T) {
	for _, c := range []struct{ verb, where, want string }{
		{"paper add", "/query/valid_from", "--from"},
		{"verify upload", "/query/slot", "<slot>"},
		{"product new", "/names/en", "--name (en)"},
		{"certify apply", "/covers/protocols/0", ""},
		{"paper add", "/nonsense", ""},
		{"paper add", "product 01a2", ""},
	} {
		if got := flagOf(c.where, leafOf(t, c.verb)); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.verb, c.where, got, c.want)
		}
	}
	r := &refusal{what: "POST /x", Title: "invalid", Where: "/query/valid_from", Detail: "/query/valid_from is x, want a day"}
	if got := inFlags(r, leafOf(t, "paper add")).Error(); got != "POST /x: invalid: --from is x, want a day" {
		t.Errorf("the refusal says %q", got)
	}
}

// TestBrokenDocument: where a JSON file breaks off is told by line and place.
func TestBrokenDocument(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.json")
	for _, c := range []struct{ text, want string }{
		{"{\n  \"a\": 1,\n  \"b\" 2\n}", "line 3, byte 7"},
		{"{\"a\":", "line 1, byte 5"},
		{"", "is empty"},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := document(file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
}
