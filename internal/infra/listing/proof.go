package listing

import "slices"

// A Statement is a query with arguments of the right number and kind.
type Statement struct {
	Text    string
	Args    []any
	Indexed int // how many of its conditions an index has to serve
}

// Statements gives the queries of a first and a later page of every way in both directions, for a proof of their plans.
func (l *List[T]) Statements() []Statement {
	var out []Statement
	for i := range l.Ways {
		w := &l.Ways[i]
		for _, rest := range [][]string{nil, w.Rest} {
			for _, down := range []bool{false, true} {
				for _, after := range []*mark{nil, {Value: "", Key: ""}} {
					p := &plan{limit: 10, key: l.key(), sort: l.key(), down: down, after: after, fixed: term{l.Where, l.Args}}
					if w.Sort != "" {
						p.sort = l.field(w.Sort).column()
					}
					for _, name := range slices.Concat(w.Filters, rest) {
						p.terms = append(p.terms, l.field(name).example())
					}
					text, args := l.statement(p)
					out = append(out, Statement{text, args, len(w.Filters)})
				}
			}
		}
	}
	return out
}

// example is the condition of a filter with some value.
func (f *Field) example() term {
	plain := Field{Name: f.Name, Column: f.Column, Prefix: f.Prefix, Part: f.Part}
	t, _ := plain.term("x") // without Parse nothing is refused
	return t
}
