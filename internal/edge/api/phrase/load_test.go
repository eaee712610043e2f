package phrase

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// root is the folder of the module, seen from this package.
const root = "../../../.."

// A source is one package of the module, parsed and typed.
type source struct {
	files []*ast.File
	types *types.Package
	info  *types.Info
}

// listed is what the go command says of a package.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	Module                  *struct{ Main bool }
}

func (p *listed) ours() bool { return p.Module != nil && p.Module.Main }

func list(t *testing.T, args ...string) []listed {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Dir,Export,GoFiles,Module"}, args...)...)
	command.Dir, command.Stderr = root, os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// load reads every package of the module that the program which answers is made of, in the order of their imports. Of other
// modules it takes what the compiler has exported.
func load(t *testing.T) (*token.FileSet, []*source) {
	t.Helper()
	all := list(t, "-deps", "./internal/node")
	var foreign []string
	for i := range all {
		if !all[i].ours() {
			foreign = append(foreign, all[i].ImportPath)
		}
	}
	exports := make(map[string]string)
	for _, p := range list(t, append([]string{"-export"}, foreign...)...) {
		exports[p.ImportPath] = p.Export
	}
	set := token.NewFileSet()
	ours := make(map[string]*types.Package)
	others := importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	conf := types.Config{Importer: importing(func(path string) (*types.Package, error) {
		if p := ours[path]; p != nil {
			return p, nil
		}
		return others.Import(path)
	})}
	var out []*source
	for i := range all {
		if p := &all[i]; p.ours() {
			s := parse(t, set, p)
			var err error
			if s.types, err = conf.Check(p.ImportPath, set, s.files, s.info); err != nil {
				t.Fatal(err)
			}
			ours[p.ImportPath] = s.types
			out = append(out, s)
		}
	}
	return set, out
}

func parse(t *testing.T, set *token.FileSet, p *listed) *source {
	t.Helper()
	s := &source{info: &types.Info{Types: make(map[ast.Expr]types.TypeAndValue), Defs: make(map[*ast.Ident]types.Object), Uses: make(map[*ast.Ident]types.Object)}}
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		s.files = append(s.files, f)
	}
	return s
}

type importing func(string) (*types.Package, error)

func (f importing) Import(path string) (*types.Package, error) { return f(path) }
