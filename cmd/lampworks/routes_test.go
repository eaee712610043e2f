package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var update = flag.Bool("update", false, "write routes.json anew")

// TestRoutesHaveTheirVerb learns which verb asks each route, and with which of its arguments, and holds routes.json to it.
// Of several verbs it is the one that asks least besides, and of those the first in the help.
func TestRoutesHaveTheirVerb(t *testing.T) {
	routesFile, err := filepath.Abs("routes.json")
	if err != nil {
		t.Fatal(err)
	}
	book := make(map[string]string)
	others := make(map[string]int) // how many routes the verb in book asks besides
	keep := func(all map[string]string) {
		for op, verb := range all {
			if book[op] == "" || len(all) < others[op] {
				book[op], others[op] = verb, len(all)
			}
		}
	}
	var of *kong.Node
	all := make(map[string]string) // what the verb of asks
	for _, s := range everyVerb(t) {
		if s.leaf != of {
			keep(all)
			of, all = s.leaf, make(map[string]string)
		}
		for op, path := range s.asked {
			if all[op] == "" {
				all[op] = asVerb(s.leaf, op, path, s.of)
			}
		}
	}
	keep(all)
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(book); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(routesFile, want.Bytes(), 0o644); err != nil { //nolint:gosec // it is source
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(want.Bytes(), verbsOfRoutes) {
		t.Error("routes.json is not what the verbs ask: go test ./cmd/lampworks -run RoutesHaveTheirVerb -update")
	}
}

// asVerb is a verb with the places of a route in the places of the arguments that they come from.
func asVerb(leaf *kong.Node, op, path string, of map[string]string) string {
	verb := strings.TrimPrefix(leaf.FullPath(), "lampworks ")
	_, template, _ := strings.Cut(op, " ")
	got := strings.Split(path, "/")
	places := make(map[string]string) // argument to place
	for i, part := range strings.Split(template, "/") {
		if given := of[got[i]]; strings.HasPrefix(part, "{") && given != "" {
			places[given] = part
		}
	}
	for _, p := range leaf.Positional {
		place := places[written(p)]
		if place == "" {
			break // what stands behind it is not known to be there
		}
		verb += " " + place
	}
	for _, f := range leaf.Flags {
		if place := places[written(f.Value)]; place != "" {
			verb += " --" + f.Name + "=" + place
		}
	}
	return verb
}

func TestAdviceNamesVerbs(t *testing.T) {
	for _, tt := range []struct{ said, want string }{
		{"PUT /api/v1/products/{product}/icon", "lampworks product icon set"},
		{"read it at GET /api/v1/enforcement/measures/" + anID + ".", "read it with lampworks enforce show " + anID + "."},
		{"申诉请用 POST /api/v1/enforcement/measures/" + anID + "/appeals；", "申诉请用 lampworks enforce appeal " + anID + "；"},
		{"GET /api/v1/verification/catalogue lists them", "lampworks verify catalogue lists them"},
		{"DELETE /api/v1/papers/{paper}", "lampworks paper remove"},
		{"POST /api/v1/downloads/" + anID + "/revocation takes it", "lampworks order revoke --download=" + anID + " takes it"},
		{"GET /api/v1/jobs/x and GET /api/v1/orders/y", "lampworks job show x and lampworks order show y"},
		{"GET /api/v1/nothing", "GET /api/v1/nothing"},
		{"GET /api/v1/device-files/{link}", "GET /api/v1/device-files/{link}"},
		{"look at GET /api/v1/nothing", "look at GET /api/v1/nothing"},
	} {
		if got := inVerbs(tt.said); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.said, got, tt.want)
		}
	}
}

// TestAdviceIsSaidOnce: flaws that are mended alike, and the refusal itself, say so once.
func TestAdviceIsSaidOnce(t *testing.T) {
	var r refusal
	if err := json.Unmarshal([]byte(`{"title":"No","detail":"no","fix":"use GET /api/v1/services","problems":[
		{"where":"/a","rule":"bad","fix":"use GET /api/v1/services"},{"where":"/b","rule":"bad","fix":"use GET /api/v1/services"}]}`), &r); err != nil {
		t.Fatal(err)
	}
	r.what = "GET /api/v1/services"
	if got, want := r.Error(), "GET /api/v1/services: No: no\n  /a: bad: use lampworks service list\n  /b: bad"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
