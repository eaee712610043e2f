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
		{"certify apply", "/covers/protocols/0", "--protocol (1)"},
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

// TestRefusalSaysWhatToDo: the fix is told, once, and with the flag in the place of the pointer.
func TestRefusalSaysWhatToDo(t *testing.T) {
	for _, c := range []struct {
		verb string
		r    refusal
		want string
	}{
		{
			"fleet state",
			refusal{Where: "/note", Detail: `/note is "", want 1 to 500 characters`, Fix: "say why at /note"},
			`--reason is "", want 1 to 500 characters` + "\nWhat to do: say why at --reason",
		},
		{"fleet command", refusal{Where: "/deadline_ms", Detail: "/deadline_ms is 9, want 10", Fix: "wait longer"}, "--within is 9, want 10\nWhat to do: wait longer"},
		{"fleet command", refusal{Where: "/params", Detail: "/params/on is 9; send 1", Fix: "send 1"}, "/params/on is 9; send 1"},
		{"fleet command", refusal{Detail: "x", Fix: "ask the API", remedy: "Run lampworks prove"}, "x\nRun lampworks prove"},
	} {
		c.r.what, c.r.Title = "POST /x", "invalid"
		if got := inFlags(&c.r, leafOf(t, c.verb)).Error(); got != "POST /x: invalid: "+c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
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
