package test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestRequirementsAreProven holds the page that lists what the platform must do against the program: each row names routes
// that exist, the functions that guard them, and tests that exist.
func TestRequirementsAreProven(t *testing.T) {
	routes := declaredRoutes(t)
	functions := declaredFunctions(t)
	wanted := []string{"A5", "A8", "A10", "A11", "B1", "B2", "B3", "B4", "B5", "B6", "C1", "C2", "C3", "C4", "C6", "C7", "C8", "D1", "D6", "D10"}
	for _, language := range []string{"en", "zh-CN"} {
		page, err := os.ReadFile("../docs/" + language + "/requirements.md")
		if err != nil {
			t.Fatal(err)
		}
		rows := requirementRows(string(page))
		for _, id := range wanted {
			if len(rows[id]) == 0 {
				t.Errorf("%s: %s is not in the table", language, id)
			}
		}
		for id, cells := range rows {
			for i, what := range []string{"route", "guard", "test"} {
				names := inTicks(cells[i])
				if len(names) == 0 {
					t.Errorf("%s: %s names no %s", language, id, what)
				}
				for _, name := range names {
					known := functions[name]
					if what == "route" {
						known = routes[name]
					}
					if !known {
						t.Errorf("%s: %s names the %s %s, which there is not", language, id, what, name)
					}
				}
			}
		}
	}
}

var row = regexp.MustCompile(`(?m)^\| ([A-D]\d+) \|[^|]*\|([^|]*)\|([^|]*)\|([^|]*)\|$`)

// requirementRows gives the last three cells of each row, by its id.
func requirementRows(page string) map[string][]string {
	rows := make(map[string][]string)
	for _, m := range row.FindAllStringSubmatch(page, -1) {
		rows[m[1]] = m[2:]
	}
	return rows
}

var ticks = regexp.MustCompile("`([^`]+)`")

func inTicks(cell string) (names []string) {
	for _, m := range ticks.FindAllStringSubmatch(cell, -1) {
		names = append(names, m[1])
	}
	return names
}

// declaredRoutes lists "METHOD /path" below /api/v1.
func declaredRoutes(t *testing.T) map[string]bool {
	t.Helper()
	b, err := os.ReadFile("../internal/edge/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	routes := make(map[string]bool)
	for path, item := range doc.Paths {
		for method := range item {
			routes[strings.ToUpper(method)+" "+strings.TrimPrefix(path, "/api/v1")] = true
		}
	}
	return routes
}

// declaredFunctions lists "room.Function", "room.Service.Method" as "room.Method", and tests alike.
func declaredFunctions(t *testing.T) map[string]bool {
	t.Helper()
	functions := make(map[string]bool)
	set := token.NewFileSet()
	for _, root := range []string{"../internal", "../cmd", "../test", "../triple", "../tsl", "../alink", "../mqtt"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
				return err
			}
			f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			room := strings.TrimSuffix(f.Name.Name, "_test")
			for _, decl := range f.Decls {
				if fn, ok := decl.(*ast.FuncDecl); ok {
					functions[room+"."+fn.Name.Name] = true
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return functions
}
