package lampworks_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

// TestNoInitAndNoGlobalThatChanges looks for init functions, for package-level variables that hold a lock or an atomic
// value, and for statements that assign to a package-level variable, an element or a field of one: of the package itself
// or of one that it imports. What a method does to its receiver it does not see.
func TestNoInitAndNoGlobalThatChanges(t *testing.T) {
	all := files(t, 0)
	globals := make(map[string]map[string]bool) // by package
	for _, f := range all {
		if f.test {
			continue
		}
		if globals[f.pkg] == nil {
			globals[f.pkg] = make(map[string]bool)
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function", f.path)
			}
		}
		for _, spec := range globalSpecs(f.ast) {
			if sel, ok := spec.Type.(*ast.SelectorExpr); ok {
				if from, ok := sel.X.(*ast.Ident); ok && (from.Name == "atomic" || from.Name == "sync" && sel.Sel.Name != "Pool") {
					t.Errorf("%s: the package-level variable %s is a %s.%s", f.path, spec.Names[0], from, sel.Sel)
				}
			}
			for _, name := range spec.Names {
				globals[f.pkg][name.Name] = name.Name != "_"
			}
		}
	}
	for _, f := range all {
		if f.test {
			continue
		}
		for _, changed := range changes(f.ast, globals[f.pkg]) {
			t.Errorf("%s changes the package-level variable %s", f.path, changed)
		}
	}
}

// globalSpecs are the package-level variables of a file.
func globalSpecs(f *ast.File) []*ast.ValueSpec {
	var out []*ast.ValueSpec
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, s := range g.Specs {
			out = append(out, s.(*ast.ValueSpec))
		}
	}
	return out
}

// changes are the names of package-level variables that statements of a file assign to. globals are those of its package.
func changes(f *ast.File, globals map[string]bool) []string {
	imports := make(map[string]bool)
	for _, spec := range f.Imports {
		name := path.Base(strings.Trim(spec.Path.Value, `"`))
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name] = true
	}
	var out []string
	target := func(e ast.Expr) {
		if name := globalOf(e, f, globals, imports); name != "" {
			out = append(out, name)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, e := range n.Lhs {
				if n.Tok != token.DEFINE {
					target(e)
				}
			}
		case *ast.IncDecStmt:
			target(n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				target(n.Key)
				target(n.Value)
			}
		case *ast.CallExpr:
			if fn, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 0 && (fn.Name == "delete" || fn.Name == "clear" || fn.Name == "copy") {
				target(n.Args[0])
			}
		}
		return true
	})
	return out
}

// globalOf is the package-level variable that an expression is, or is a part of.
func globalOf(e ast.Expr, f *ast.File, globals, imports map[string]bool) string {
	switch e := e.(type) {
	case *ast.Ident:
		if e.Obj == nil { // declared in no scope of this file
			if globals[e.Name] {
				return e.Name
			}
			return ""
		}
		for _, spec := range globalSpecs(f) {
			if e.Obj.Decl == spec {
				return e.Name
			}
		}
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok && x.Obj == nil && imports[x.Name] {
			return x.Name + "." + e.Sel.Name
		}
		return globalOf(e.X, f, globals, imports)
	case *ast.IndexExpr:
		return globalOf(e.X, f, globals, imports)
	case *ast.SliceExpr:
		return globalOf(e.X, f, globals, imports)
	case *ast.StarExpr:
		return globalOf(e.X, f, globals, imports)
	case *ast.ParenExpr:
		return globalOf(e.X, f, globals, imports)
	}
	return ""
}

// TestChangesAreSeen holds the look for changing globals to a file that has all kinds.
func TestChangesAreSeen(t *testing.T) {
	const source = `package p

import "net/http"

var a, b, c, d, e, g, h, i, k int

func f(local []int) {
	a = 1
	b[0]++
	c.x.y += 2
	delete(d, 1)
	*e = 3
	elsewhere[1] = 4
	http.DefaultClient = nil
	(g), local[0] = 1, 2
	for h = range local {
	}
	i := 5
	i = 6
	_, other := i, 7
	other = k
	copy(k[1:], local)
}
`
	parsed, err := parser.ParseFile(token.NewFileSet(), "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := changes(parsed, map[string]bool{"elsewhere": true})
	if want := []string{"a", "b", "c", "d", "e", "elsewhere", "http.DefaultClient", "g", "h", "k"}; !slices.Equal(got, want) {
		t.Errorf("changes = %q, want %q", got, want)
	}
}
