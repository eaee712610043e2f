// Package lampworks_test holds the rules that the whole tree keeps: who may import whom, what a package must say of
// itself, and which room writes which table.
package lampworks_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// lattice is who may import whom, read top down as the floors of a house. A line may use all lines below it; within a
// line, what stands left of "<" may use what stands right of it, and what a comma parts does not know each other.
// A new line or arrow here is a change of the design: the commit says why.
const lattice = `
cmd
bench
demo
node
gateway, speaker, console, api, link < oauth
voice < scene, pairing < home < resident
stats, ota, config, subscription, timeline < history, command < shadow, session, foreign < device, virtual
market, factory < issuance < product < certify < entitlement < verify < agreement, notice < account < quota, enforce, takeout
job, lifecycle, audit < outbox, once, outbound, access, listing < store, keyring, uplink, bus, lease, blob < fault, watch
web
nlu, skill, alink, mesh, gatt, speech, llm, mqtt < tsl, triple
`

// exceptions are imports that the lattice's text would refuse, each with its reason.
var exceptions = map[string]string{
	"once → access":     "a key belongs to its actor",
	"outbox → access":   "operators see what was given up",
	"outbox → listing":  "and find it as in every list",
	"outbound → outbox": "a sender is what the outbox declares",
	"keyring → store":   "wrapped keys are rows",
}

// outside are rooms that import nothing but what is listed, of this module: a virtual device knows of the platform what a
// real one knows.
var outside = map[string][]string{
	"virtual": {"mqtt", "alink", "tsl", "triple"},
}

// adapters stand below the room whose interface they implement. Only node picks among them.
var adapters = []string{
	"internal/infra/store/sqlite", "internal/infra/store/postgres", "internal/infra/uplink/sqlite", "internal/infra/bus/inproc", "internal/fleet/history/dayfile",
	"internal/infra/blob/dir",
}

// hooks are the places where something above must happen in a transaction below. There are no others.
var hooks = []string{
	"internal/fleet/device.Reset",
	"internal/household/home.Changed",
	"internal/household/home.Left",
	"internal/household/resident.Forget",
	"internal/infra/job.Record",
	"internal/infra/outbox.Limit",
	"internal/partner/account.Changed",
	"internal/partner/account.Forget",
	"internal/partner/agreement.Announce",
	"internal/partner/agreement.Export",
	"internal/partner/agreement.Send",
	"internal/partner/certify.Changed",
	"internal/partner/enforce.Erase",
	"internal/partner/notice.Copy",
	"internal/partner/issuance.Issued",
	"internal/partner/issuance.Revoked",
	"internal/partner/product.Published",
}

type place struct{ line, group int }

// floors reads the lattice.
func floors(t *testing.T) map[string]place {
	t.Helper()
	at := make(map[string]place)
	for i, line := range strings.Split(strings.TrimSpace(lattice), "\n") {
		for j, group := range strings.Split(line, "<") {
			for _, room := range strings.Split(group, ",") {
				room = strings.TrimSpace(room)
				if _, twice := at[room]; twice {
					t.Fatalf("the lattice names %s twice", room)
				}
				at[room] = place{i, j}
			}
		}
	}
	return at
}

// roomOf is the room a package belongs to: the first element of its path below the street, or of the module.
func roomOf(pkg string) string {
	parts := strings.Split(pkg, "/")
	if parts[0] != "internal" {
		return parts[0]
	}
	switch parts[1] {
	case "node", "demo", "bench":
		return parts[1]
	}
	if len(parts) < 3 {
		return parts[1]
	}
	return parts[2]
}

func mayImport(at map[string]place, from, to string) bool {
	if from == to {
		return true
	}
	a, okA := at[from]
	b, okB := at[to]
	if !okA || !okB {
		return false
	}
	if a.line != b.line {
		return a.line < b.line
	}
	return a.group < b.group
}

// file is one parsed Go file.
type file struct {
	path string // from the root, with slashes
	pkg  string // its folder
	test bool
	ast  *ast.File
}

func files(t *testing.T, mode parser.Mode) []file {
	t.Helper()
	var out []file
	set := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		parsed, err := parser.ParseFile(set, name, nil, mode)
		if err != nil {
			return err
		}
		out = append(out, file{name, path.Dir(name), strings.HasSuffix(name, "_test.go"), parsed})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestHashesAreCheapInTestsOnly: a password of a program that runs is never hashed for nothing.
func TestHashesAreCheapInTestsOnly(t *testing.T) {
	for _, f := range files(t, 0) {
		if f.test || f.pkg == "internal/partner/account" {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && id.Name == "CheapHashes" {
				t.Errorf("%s sets CheapHashes", f.path)
			}
			return true
		})
	}
}

func TestWhoMayImportWhom(t *testing.T) {
	at := floors(t)
	used := make(map[string]bool) // exceptions
	for _, f := range files(t, parser.ImportsOnly) {
		if f.test || f.pkg == "." || strings.HasPrefix(f.pkg, "test") {
			continue
		}
		from := roomOf(f.pkg)
		if _, ok := at[from]; !ok {
			t.Errorf("%s: room %s is not in the lattice", f.path, from)
			continue
		}
		for _, spec := range f.ast.Imports {
			to, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), "lampworks/")
			if !ours {
				continue
			}
			switch room := roomOf(to); {
			case strings.HasSuffix(to, "test") && !strings.HasSuffix(f.pkg, "test"):
				t.Errorf("%s imports %s, which is for tests only", f.path, to)
			case slices.Contains(adapters, to) && !slices.Contains([]string{"node"}, from) && roomOf(to) != from && !strings.HasSuffix(f.pkg, "test"):
				t.Errorf("%s imports the adapter %s; node alone picks adapters", f.path, to)
			case outside[from] != nil && from != room && !slices.Contains(outside[from], room):
				t.Errorf("%s: %s stands outside and may not import %s", f.path, from, room)
			case !mayImport(at, from, room) && exceptions[from+" → "+room] != "":
				used[from+" → "+room] = true
			case !mayImport(at, from, room):
				t.Errorf("%s: %s may not import %s", f.path, from, room)
			}
		}
	}
	for e := range exceptions {
		if !used[e] {
			t.Errorf("the exception %s is needed no more", e)
		}
	}
}

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	said := make(map[string]bool)
	seen := make(map[string]bool)
	for _, f := range files(t, parser.PackageClauseOnly|parser.ParseComments) {
		if f.test {
			continue
		}
		seen[f.pkg] = true
		if f.ast.Doc != nil && len(f.ast.Doc.Text()) > 60 {
			said[f.pkg] = true
		}
	}
	bad := regexp.MustCompile(`^(util|utils|common|helper|helpers|types|models|core|base|misc|manager)$`)
	for pkg := range seen {
		if !said[pkg] {
			t.Errorf("%s has no package comment that says what it owns and promises", pkg)
		}
		if bad.MatchString(path.Base(pkg)) {
			t.Errorf("%s has a name without a subject", pkg)
		}
	}
}

// TestTablesHaveOneWriter reads the owner of a table from the name of the migration that makes it, and looks for
// statements that write it elsewhere.
func TestTablesHaveOneWriter(t *testing.T) {
	const dir = "internal/infra/store/migrations/sqlite"
	names, err := filepath.Glob(dir + "/*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("no migrations in %s: %v", dir, err)
	}
	create := regexp.MustCompile(`(?i)CREATE TABLE (?:IF NOT EXISTS )?(\w+)`)
	owner := make(map[string]string)
	for _, name := range names {
		parts := strings.SplitN(filepath.Base(name), "_", 3)
		if len(parts) < 3 {
			t.Errorf("%s: want NNNN_room_what.sql", name)
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range create.FindAllStringSubmatch(string(text), -1) {
			owner[m[1]] = parts[1]
		}
	}
	write := regexp.MustCompile(`(?i)(?:INSERT (?:OR \w+ )?INTO|UPDATE|DELETE FROM|REPLACE INTO)\s+(\w+)`)
	for _, f := range files(t, 0) {
		if f.test {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			for _, m := range write.FindAllStringSubmatch(lit.Value, -1) {
				if room, ok := owner[m[1]]; ok && room != roomOf(f.pkg) {
					t.Errorf("%s writes the table %s, which is %s's", f.path, m[1], room)
				}
			}
			return true
		})
	}
}

// TestHooks finds function types that take a transaction: each is a hook and stands in the list.
func TestHooks(t *testing.T) {
	found := make(map[string]bool)
	for _, f := range files(t, 0) {
		if f.test || roomOf(f.pkg) == "store" {
			continue
		}
		for _, d := range f.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			for _, s := range g.Specs {
				spec := s.(*ast.TypeSpec)
				fn, ok := spec.Type.(*ast.FuncType)
				if !ok || !takesTx(fn) {
					continue
				}
				name := f.pkg + "." + spec.Name.Name
				found[name] = true
				if !slices.Contains(hooks, name) {
					t.Errorf("%s is a hook that is not in the list", name)
				}
			}
		}
	}
	for _, name := range hooks {
		if !found[name] {
			t.Errorf("the list has the hook %s, which there is no more", name)
		}
	}
}

func takesTx(fn *ast.FuncType) bool {
	for _, p := range fn.Params.List {
		star, ok := p.Type.(*ast.StarExpr)
		if !ok {
			continue
		}
		if sel, ok := star.X.(*ast.SelectorExpr); ok && sel.Sel.Name == "Tx" {
			return true
		}
	}
	return false
}

// TestSizes prints how long functions and files are: half of the functions under 15 lines and nine of ten under 45, half
// of the files under 190 and nine of ten under 500, is how good servers read. It fails far outside of that only.
func TestSizes(t *testing.T) {
	set := token.NewFileSet()
	var fns, lens []int
	for _, f := range files(t, parser.PackageClauseOnly) {
		if f.test {
			continue
		}
		parsed, err := parser.ParseFile(set, f.path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		lens = append(lens, set.Position(parsed.End()).Line)
		for _, d := range parsed.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				fns = append(fns, set.Position(fn.End()).Line-set.Position(fn.Pos()).Line+1)
			}
		}
	}
	slices.Sort(fns)
	slices.Sort(lens)
	at := func(s []int, p int) int { return s[min(len(s)-1, len(s)*p/100)] }
	t.Logf("%d functions: half under %d lines, nine of ten under %d (want 15, 45)", len(fns), at(fns, 50), at(fns, 90))
	t.Logf("%d files: half under %d lines, nine of ten under %d (want 190, 500)", len(lens), at(lens, 50), at(lens, 90))
	if at(fns, 50) > 20 || at(fns, 90) > 60 || at(lens, 90) > 600 {
		t.Error("functions or files have grown too long")
	}
}
