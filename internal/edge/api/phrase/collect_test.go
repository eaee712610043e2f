package phrase

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// constructors of package fault: as what their arguments are shown.
var constructors = map[string][]string{
	"Invalid": {"name", "got", "rule", "fix"}, "Unauthenticated": {"what"}, "Forbidden": {"name", "rule"}, "NeedsFactor": {"what", "fix"},
	"NotFound": {"name", ""}, "Conflict": {"", "what"}, "Closed": {"name", "name", ""}, "InState": {"", "what", ""}, "Stale": {"name", ""}, "Limit": {"name", "got", "rule", ""},
	"TooLarge": {"name", "", ""}, "Unlisted": {"name", "got", "", ""}, "Unsupported": {"name", "got", "rule"}, "Unavailable": {"what", ""}, "Unconfirmed": {"what", ""}, "Expired": {"name", ""},
	"Time": {"name", "got"}, "Date": {"name", "got"},
}

// shown are the fields that a caller reads.
var shown = map[string]map[string]string{
	faults + ".Fault":                                {"What": "what", "Rule": "rule", "Fix": "fix", "Got": "", "Where": ""},
	"lampworks/internal/edge/api.Problem":            {"Detail": "what", "Rule": "rule", "Fix": "fix"},
	"lampworks/internal/edge/api.Flaw":               {"Where": "", "Rule": "rule", "Fix": "fix", "Got": "got"},
	"lampworks/internal/partner/entitlement.Missing": {"Text": "rule", "Fix": "fix"},
	"lampworks/internal/partner/factory.Flaw":        {"Rule": "rule", "Got": "", "Line": "", "Kind": ""},
	"lampworks/internal/partner/product.Lack":        {"What": "rule", "Fix": "fix"},
	"lampworks/speech.TextError":                     {"Got": "got", "Rule": "rule", "Fix": "fix"},
	"lampworks/tsl.Violation":                        {"Where": "", "Got": "got", "Rule": "rule", "Fix": "fix"},
	"lampworks/tsl.Problem":                          {"Path": "", "Got": "got", "Rule": "rule", "Fix": "fix"},
}

// composers are the methods that make one sentence of the parts of what is shown.
var composers = []string{faults + ".Fault.Sentence", "lampworks/internal/edge/api.Flaw.sentence", "lampworks/tsl.Violation.Error", "lampworks/tsl.Problem.String"}

// A saying is a text that is shown to callers.
type saying struct {
	at   token.Position
	role string
	template
}

// sayings finds every text that is shown.
func (f *flow) sayings(all []*source) []saying {
	var out []saying
	add := func(s *source, role string, e ast.Expr) {
		if role == "" || s.relays(e) {
			return
		}
		for _, t := range f.texts(s, e) {
			out = append(out, saying{f.set.Position(e.Pos()), role, t})
		}
	}
	for _, s := range all {
		for _, file := range s.files {
			f.sentences(s, file, add)
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					f.constructed(s, n, add)
				case *ast.AssignStmt:
					for i, l := range n.Lhs {
						if sel, ok := l.(*ast.SelectorExpr); ok && len(n.Lhs) == len(n.Rhs) {
							add(s, shown[named(s.info.Types[sel.X].Type)][sel.Sel.Name], n.Rhs[i])
						}
					}
				case *ast.CompositeLit:
					f.life(s, n, &out)
					if fields := shown[named(s.info.Types[n].Type)]; fields != nil {
						f.literals(s, n, fields, add)
					}
				}
				return true
			})
		}
	}
	return out
}

// sentences finds what the composers make.
func (f *flow) sentences(s *source, file *ast.File, add func(*source, string, ast.Expr)) {
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv == nil || !slices.Contains(composers, named(s.info.Types[fn.Recv.List[0].Type].Type)+"."+fn.Name.Name) {
			continue
		}
		for _, given := range f.results[s.info.Defs[fn.Name]] {
			add(s, "what", given[0])
		}
	}
}

// life finds the states and acts of a table of moves: each may be named in a refusal.
func (f *flow) life(s *source, lit *ast.CompositeLit, out *[]saying) {
	n, ok := s.info.Types[lit].Type.(*types.Named)
	if !ok || named(n) != "lampworks/internal/infra/lifecycle.Table" {
		return
	}
	for i := range n.TypeArgs().Len() {
		for _, t := range constants(types.NewVar(lit.Pos(), nil, "", n.TypeArgs().At(i))) {
			*out = append(*out, saying{f.set.Position(lit.Pos()), "name", t})
		}
	}
}

func (f *flow) constructed(s *source, call *ast.CallExpr, add func(*source, string, ast.Expr)) {
	switch o := s.callee(call); {
	case o == nil:
	case pathOf(o) == faults:
		roles, known := constructors[o.Name()]
		if makes := named(s.info.Types[call].Type) == faults+".Fault"; makes && !known && o.Name() != "Of" {
			f.strangers["fault."+o.Name()] = true
		}
		for i, role := range roles {
			add(s, role, call.Args[i])
		}
	case pathOf(o) == "lampworks/internal/edge/api" && o.Name() == "newProblem":
		add(s, "what", call.Args[2])
	}
}

func (f *flow) literals(s *source, lit *ast.CompositeLit, fields map[string]string, add func(*source, string, ast.Expr)) {
	t := s.info.Types[lit].Type.Underlying()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem().Underlying()
	}
	for i, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			add(s, fields[kv.Key.(*ast.Ident).Name], kv.Value)
		} else {
			add(s, fields[t.(*types.Struct).Field(i).Name()], e)
		}
	}
}

// named is the path and name of a type, or of what a pointer leads to.
func named(t types.Type) string {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := t.(*types.Named); ok {
		return pathOf(n.Obj()) + "." + n.Obj().Name()
	}
	return ""
}
