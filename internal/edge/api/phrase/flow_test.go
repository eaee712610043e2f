package phrase

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// A flow knows, for every variable, field, parameter and result of the module, what expressions end up in it. It looks at
// no order and at no condition: what may be somewhere is there.
type flow struct {
	set     *token.FileSet
	into    map[types.Object][]flowing    // values of variables, fields, parameters
	results map[types.Object][][]ast.Expr // of functions: by return statement
	within  map[types.Object]*source      // where a function is declared

	strangers map[string]bool // constructors that nobody has said anything of
}

// flowing is one value that gets somewhere.
type flowing struct {
	expr   ast.Expr
	at     *source
	result int  // of a call that gives several; -1: the value itself
	member bool // it is an element of expr: of a range, or put into what is a list
	more   bool // by +=
}

func newFlow(set *token.FileSet, all []*source) *flow {
	f := &flow{set: set, into: make(map[types.Object][]flowing), results: make(map[types.Object][][]ast.Expr), within: make(map[types.Object]*source), strangers: make(map[string]bool)}
	for _, s := range all {
		for _, file := range s.files {
			for _, d := range file.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
					f.function(s, s.info.Defs[fn.Name], fn.Type, fn.Body)
				}
			}
			ast.Inspect(file, func(n ast.Node) bool { f.note(s, n); return true })
		}
	}
	return f
}

// function notes what fn returns; what closures in it return is theirs.
func (f *flow) function(s *source, fn types.Object, kind *ast.FuncType, body *ast.BlockStmt) {
	f.within[fn] = s
	var named []ast.Expr
	if kind.Results != nil {
		for _, r := range kind.Results.List {
			for _, name := range r.Names {
				named = append(named, name)
			}
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			if len(n.Results) > 0 {
				f.results[fn] = append(f.results[fn], n.Results)
			} else if named != nil {
				f.results[fn] = append(f.results[fn], named)
			}
		}
		return true
	})
}

func (f *flow) put(o types.Object, v flowing) {
	if o != nil {
		f.into[origin(o)] = append(f.into[origin(o)], v)
	}
}

// origin is a field, variable or function as it is declared, whatever its type arguments.
func origin(o types.Object) types.Object {
	switch o := o.(type) {
	case *types.Var:
		return o.Origin()
	case *types.Func:
		return o.Origin()
	}
	return o
}

func (f *flow) note(s *source, n ast.Node) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		for i, l := range n.Lhs {
			v := flowing{expr: n.Rhs[min(i, len(n.Rhs)-1)], at: s, result: -1, more: n.Tok == token.ADD_ASSIGN}
			if len(n.Rhs) < len(n.Lhs) {
				v.result = i
			}
			if lit, ok := v.expr.(*ast.FuncLit); ok && i < len(n.Rhs) {
				f.function(s, s.target(l), lit.Type, lit.Body)
			}
			f.assign(s, l, v)
		}
	case *ast.ValueSpec:
		for i, name := range n.Names {
			if len(n.Values) == 0 {
				continue
			}
			v := flowing{expr: n.Values[min(i, len(n.Values)-1)], at: s, result: -1}
			if len(n.Values) < len(n.Names) {
				v.result = i
			}
			f.put(s.info.Defs[name], v)
		}
	case *ast.RangeStmt:
		if n.Value != nil {
			f.assign(s, n.Value, flowing{expr: n.X, at: s, result: -1, member: true})
		}
	case *ast.CompositeLit:
		f.literal(s, n)
	case *ast.CallExpr:
		f.call(s, n)
	}
}

// target is the variable or field that an expression on the left names; of an element, the list or map it is in.
func (s *source) target(l ast.Expr) types.Object {
	switch l := l.(type) {
	case *ast.Ident:
		if o := s.info.Defs[l]; o != nil {
			return o
		}
		return s.info.Uses[l]
	case *ast.SelectorExpr:
		return s.info.Uses[l.Sel]
	}
	return nil
}

func (f *flow) assign(s *source, l ast.Expr, v flowing) {
	if ix, ok := l.(*ast.IndexExpr); ok {
		// m[k] = v puts an element into m
		f.put(s.target(ix.X), flowing{expr: &ast.CompositeLit{Elts: []ast.Expr{v.expr}}, at: v.at, result: -1})
		return
	}
	f.put(s.target(l), v)
}

func (f *flow) literal(s *source, lit *ast.CompositeLit) {
	tv, ok := s.info.Types[lit]
	if !ok {
		return
	}
	t := tv.Type.Underlying()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem().Underlying()
	}
	st, ok := t.(*types.Struct)
	if !ok {
		return
	}
	for i, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			f.put(s.info.Uses[kv.Key.(*ast.Ident)], flowing{expr: kv.Value, at: s, result: -1})
		} else {
			f.put(st.Field(i), flowing{expr: e, at: s, result: -1})
		}
	}
}

// callee is the function, method or variable that is called.
func (s *source) callee(call *ast.CallExpr) types.Object {
	fun := ast.Unparen(call.Fun)
	switch ix := fun.(type) {
	case *ast.IndexExpr:
		fun = ix.X
	case *ast.IndexListExpr:
		fun = ix.X
	}
	switch fun := fun.(type) {
	case *ast.Ident:
		return s.info.Uses[fun]
	case *ast.SelectorExpr:
		return s.info.Uses[fun.Sel]
	}
	return nil
}

func (f *flow) call(s *source, call *ast.CallExpr) {
	o := s.callee(call)
	if o == nil || !strings.HasPrefix(pathOf(o), "lampworks") || pathOf(o) == faults {
		return
	}
	sig, ok := origin(o).Type().Underlying().(*types.Signature)
	if !ok {
		return
	}
	for i, arg := range call.Args {
		v := flowing{expr: arg, at: s, result: -1}
		if n := sig.Params().Len(); sig.Variadic() && i >= n-1 {
			if call.Ellipsis == token.NoPos {
				v.expr = &ast.CompositeLit{Elts: []ast.Expr{arg}}
			}
			f.put(sig.Params().At(n-1), v)
		} else if len(call.Args) < n {
			return // f(g())
		} else {
			f.put(sig.Params().At(i), v)
		}
	}
}

// A template is a text with holes: what stands in a hole is known at run time only.
type template []part

type part struct {
	text  string     // or, of a hole, the expression, for who reads a failure
	hole  bool       // text is not known here
	bare  bool       // a hole with a number, a time or a value of somebody's: no words
	relay bool       // a hole with what somebody else said, who is looked at, too
	may   []template // what may stand in the hole, as far as it is known
}

// String is the template as the catalogue has it.
func (t template) String() string {
	var b strings.Builder
	for _, p := range t {
		if p.hole {
			b.WriteString(hole)
		} else {
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// opaque says whether nothing of a text is known.
func (t template) opaque() bool { return len(t) == 1 && t[0].hole }

// token says whether a text is known and one word or name.
func (t template) token() bool { return !t.opaque() && !strings.Contains(t.String(), " ") }

func text(s string) template { return template{{text: s}} }

func holed(what string, may ...template) []template {
	return []template{{{text: what, hole: true, may: may}}}
}

func bare(e ast.Expr) []template {
	return []template{{{text: types.ExprString(e), hole: true, bare: true}}}
}

// faults is the package that is looked at where it is called, argument by argument: what its parameters hold is not followed.
const faults = "lampworks/internal/infra/fault"

// most is how many texts one expression may stand for before it becomes a hole in what it is part of.
const most = 16

// A reader finds what texts an expression may be.
type reader struct {
	*flow
	busy map[any]bool
}

func (f *flow) texts(s *source, e ast.Expr) []template {
	all := fold((&reader{f, make(map[any]bool)}).eval(s, e))
	if len(all) == 0 {
		return holed(types.ExprString(e))
	}
	return all
}

func (r *reader) eval(s *source, e ast.Expr) []template {
	if tv, ok := s.info.Types[e]; ok {
		switch {
		case tv.Value != nil && tv.Value.Kind() == constant.String:
			return []template{text(constant.StringVal(tv.Value))}
		case !wordy(tv.Type):
			return bare(e)
		case types.Identical(tv.Type, types.Universe.Lookup("error").Type()):
			return holed(types.ExprString(e)) // of whatever kind
		}
	}
	if s.relays(e) {
		return []template{{{text: types.ExprString(e), hole: true, relay: true}}}
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return r.eval(s, e.X)
	case *ast.BinaryExpr:
		return join(r.eval(s, e.X), r.eval(s, e.Y))
	case *ast.CallExpr:
		return r.called(s, e, 0)
	case *ast.Ident, *ast.SelectorExpr:
		return r.object(s.target(e), e)
	case *ast.IndexExpr:
		if all := r.elements(s, e.X); !slices.ContainsFunc(all, template.opaque) { // a table; what is put in as it came is none
			return all
		}
	}
	return holed(types.ExprString(e))
}

// relays says whether e hands on what a refusal says: a field that is shown, or the whole of it as a sentence.
func (s *source) relays(e ast.Expr) bool {
	if call, ok := e.(*ast.CallExpr); ok {
		sel, ok := call.Fun.(*ast.SelectorExpr)
		return ok && shown[named(s.info.Types[sel.X].Type)] != nil && stringy(s.info.Types[e].Type)
	}
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	_, is := shown[named(s.info.Types[sel.X].Type)][sel.Sel.Name]
	return is
}

func stringy(t types.Type) bool {
	b, ok := t.(*types.Basic)
	return ok && b.Kind() == types.String
}

// wordy says whether a value of the type may have words in it.
func wordy(t types.Type) bool {
	if tuple, ok := t.(*types.Tuple); ok && tuple.Len() > 0 {
		t = tuple.At(0).Type()
	}
	b, ok := t.Underlying().(*types.Basic)
	return !ok || b.Info()&(types.IsNumeric|types.IsBoolean) == 0 || method(t, "String")
}

func method(t types.Type, name string) bool {
	o, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
	return o != nil && strings.HasPrefix(pathOf(o), "lampworks")
}

func pathOf(o types.Object) string {
	if o.Pkg() == nil {
		return ""
	}
	return o.Pkg().Path()
}

// enter keeps what leads back to itself from going on for ever.
func (r *reader) enter(key any, e ast.Expr, then func() []template) []template {
	switch {
	case r.busy[key]:
		return nil // it is part of itself, and adds nothing
	case len(r.busy) > 24:
		return holed(types.ExprString(e))
	}
	r.busy[key] = true
	defer delete(r.busy, key)
	return fold(then())
}

// object gives what was put into a variable, field or parameter.
func (r *reader) object(o types.Object, e ast.Expr) []template {
	values := r.into[origin(o)]
	if len(values) == 0 {
		return holed(types.ExprString(e), constants(o)...)
	}
	found := r.all(o, values, e)
	if may := constants(o); may != nil && slices.ContainsFunc(found, template.opaque) {
		return append(found, holed(types.ExprString(e), may...)...)
	}
	return found
}

// constants are the values that the type of a variable has, if it is a string with a name.
func constants(o types.Object) []template {
	n, ok := o.Type().(*types.Named)
	if !ok || !strings.HasPrefix(pathOf(n.Obj()), "lampworks") || !stringy(n.Underlying()) {
		return nil
	}
	var out []template
	scope := n.Obj().Pkg().Scope()
	for _, name := range scope.Names() {
		if c, ok := scope.Lookup(name).(*types.Const); ok && types.Identical(c.Type(), n) {
			out = append(out, text(constant.StringVal(c.Val())))
		}
	}
	return out
}

// all gives what all values are that were put somewhere.
func (r *reader) all(o types.Object, values []flowing, e ast.Expr) []template {
	return r.enter(origin(o), e, func() []template {
		var out, more []template
		for _, v := range values {
			switch got := r.value(v); {
			case v.more:
				more = append(more, got...)
			default:
				out = append(out, got...)
			}
		}
		if more != nil {
			out = append(out, join(out, more)...)
		}
		return out
	})
}

func (r *reader) value(v flowing) []template {
	if v.member {
		return r.elements(v.at, v.expr)
	}
	if call, ok := ast.Unparen(v.expr).(*ast.CallExpr); ok && v.result > 0 {
		return r.called(v.at, call, v.result)
	}
	return r.eval(v.at, v.expr)
}

// called gives what result number n of a call may be.
func (r *reader) called(s *source, call *ast.CallExpr, n int) []template {
	if s.info.Types[call.Fun].IsType() {
		return r.eval(s, call.Args[0])
	}
	o := s.callee(call)
	if o == nil {
		return holed(types.ExprString(call))
	}
	if named(o.Type()) == "lampworks/internal/edge/api.saying" { // a translation
		return []template{{{text: types.ExprString(call), hole: true, relay: true}}}
	}
	if known := r.library(s, call, o); known != nil {
		return known
	}
	if len(r.results[origin(o)]) == 0 {
		return holed(types.ExprString(call))
	}
	return r.enter(origin(o), call, func() []template {
		var out []template
		at := r.within[origin(o)]
		for _, given := range r.results[origin(o)] {
			if n < len(given) {
				out = append(out, r.eval(at, given[n])...)
			} else if inner, ok := ast.Unparen(given[0]).(*ast.CallExpr); ok {
				out = append(out, r.called(at, inner, n)...)
			}
		}
		return out
	})
}

// library gives what functions of other modules make of words; nil of one that it does not know.
func (r *reader) library(s *source, call *ast.CallExpr, o types.Object) []template {
	switch path := pathOf(o); path + "." + o.Name() {
	case "fmt.Sprintf", "fmt.Errorf":
		return r.formatted(s, call)
	case "fmt.Sprint", "errors.New", "strings.TrimSpace":
		return r.eval(s, call.Args[0])
	case "strconv.Quote":
		return quoted(call.Args[0])
	case "strings.Join":
		return holed(types.ExprString(call), r.elements(s, call.Args[0])...)
	case "strings.ReplaceAll": // "at most $1"
		var out []template
		for _, t := range r.eval(s, call.Args[0]) {
			before, after, found := strings.Cut(t.String(), "$1")
			if !found {
				out = append(out, t)
				continue
			}
			out = append(out, join([]template{text(before)}, bare(call.Args[2]), []template{text(after)})...)
		}
		return out
	case "cmp.Or":
		var out []template
		for _, a := range call.Args {
			out = append(out, r.eval(s, a)...)
		}
		return out
	case faults + ".Cut":
		return bare(call)
	default:
		if path == "lampworks/internal/edge/api/phrase" {
			return []template{{{text: types.ExprString(call), hole: true, relay: true}}}
		}
		if path == "strconv" || path == "time" {
			return bare(call)
		}
	}
	return nil
}

func quoted(e ast.Expr) []template {
	return join([]template{text(`"`)}, bare(e), []template{text(`"`)})
}

// elements gives what the elements of a list or map may be.
func (r *reader) elements(s *source, e ast.Expr) []template {
	var out []template
	switch e := ast.Unparen(e).(type) {
	case *ast.CompositeLit:
		for _, x := range e.Elts {
			if kv, ok := x.(*ast.KeyValueExpr); ok {
				x = kv.Value
			}
			if inner, ok := x.(*ast.CompositeLit); ok {
				if _, fields := s.info.Types[inner].Type.Underlying().(*types.Struct); !fields {
					out = append(out, r.elements(s, inner)...)
				}
			} else {
				out = append(out, r.eval(s, x)...)
			}
		}
		return out
	case *ast.IndexExpr:
		return r.elements(s, e.X)
	case *ast.SliceExpr:
		return r.elements(s, e.X)
	case *ast.Ident, *ast.SelectorExpr:
		o := origin(s.target(e))
		return r.enter([2]any{o, "elements"}, e, func() []template {
			for _, v := range r.into[o] {
				if call, ok := ast.Unparen(v.expr).(*ast.CallExpr); ok {
					out = append(out, r.listed(v.at, call, max(v.result, 0))...)
				} else {
					out = append(out, r.elements(v.at, v.expr)...)
				}
			}
			return out
		})
	case *ast.CallExpr:
		return r.listed(s, e, 0)
	}
	return nil
}

// listed gives what the elements of a list may be that is result number n of a call.
func (r *reader) listed(s *source, call *ast.CallExpr, n int) []template {
	var out []template
	switch o := s.callee(call); {
	case o == nil:
	case o.Name() == "append":
		out = r.elements(s, call.Args[0])
		for i, a := range call.Args[1:] {
			if call.Ellipsis != token.NoPos && i == len(call.Args)-2 {
				out = append(out, r.elements(s, a)...)
			} else {
				out = append(out, r.eval(s, a)...)
			}
		}
	case r.results[origin(o)] != nil:
		return r.enter([2]any{origin(o), "elements"}, call, func() []template {
			for _, given := range r.results[origin(o)] {
				if n < len(given) {
					out = append(out, r.elements(r.within[origin(o)], given[n])...)
				}
			}
			return out
		})
	}
	return out
}

// formatted is a call of a function that takes a format.
func (r *reader) formatted(s *source, call *ast.CallExpr) []template {
	tv := s.info.Types[call.Args[0]]
	if tv.Value == nil {
		return holed(types.ExprString(call))
	}
	format, args := constant.StringVal(tv.Value), call.Args[1:]
	out := []template{nil}
	for {
		before, after, found := strings.Cut(format, "%")
		out = join(out, []template{text(before)})
		if !found {
			return out
		}
		verb := strings.TrimLeft(after, "+-# 0123456789.")
		format = verb[1:]
		switch verb[0] {
		case '%':
			out = join(out, []template{text("%")})
			continue
		case 's', 'v', 'w':
			out = join(out, r.eval(s, args[0]))
		case 'q':
			out = join(out, quoted(args[0]))
		default:
			out = join(out, bare(args[0]))
		}
		args = args[1:]
	}
}

// join puts texts one after the other, each with each. Of names, or of what is not known, one hole is made.
func join(lists ...[]template) []template {
	out := []template{nil}
	for _, l := range lists {
		if l = fold(l); len(l) == 0 {
			l = holed("nothing known")
		} else if len(l) > 1 && (len(out)*len(l) > most || slices.ContainsFunc(l, template.opaque) || !slices.ContainsFunc(l, func(t template) bool { return !t.token() })) {
			l = holed("one of several", l...)
		}
		var next []template
		for _, a := range out {
			for _, b := range l {
				next = append(next, append(slices.Clone(a), b...))
			}
		}
		out = next
	}
	return out
}

// fold takes out what is there twice, and puts what is not known into one.
func fold(all []template) []template {
	seen := make(map[string]bool)
	var out []template
	var unknown template
	for _, t := range all {
		switch k := t.String(); {
		case t.opaque() && unknown == nil:
			unknown = template{t[0]}
		case t.opaque():
			if unknown[0].bare || unknown[0].relay {
				unknown[0].text = t[0].text
			}
			unknown[0].may = append(slices.Clip(unknown[0].may), t[0].may...)
			unknown[0].bare = (unknown[0].bare || unknown[0].relay) && (t[0].bare || t[0].relay)
			unknown[0].relay = unknown[0].bare && unknown[0].relay
		case !seen[k]:
			seen[k] = true
			out = append(out, t)
		}
	}
	if unknown != nil {
		out = append(out, unknown)
	}
	return out
}
