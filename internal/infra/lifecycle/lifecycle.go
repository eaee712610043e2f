// Package lifecycle holds the states of a thing as one table of moves.
//
// It owns no row and promises: what the table does not list is refused, the
// refusal names the acts that are open now, and the diagram in the docs, the
// open acts of the API and the walk of the tests are read from the same table.
package lifecycle

import (
	"fmt"
	"slices"
	"strings"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
)

// A Move is one row: in state From, Act leads to To, for those who May.
type Move[S, A ~string] struct {
	From S
	Act  A
	To   S
	May  func(access.Actor) bool // nil: everybody whom the room lets come this far
}

// A Table is the whole life of a thing. Two rows may share From and Act if they
// are open to different actors; the first that fits decides.
type Table[S, A ~string] []Move[S, A]

// Next gives the state that act leads to from state for who. Otherwise its
// [fault.Fault] names the acts that are open: forbidden if somebody else may, a
// conflict if nobody may in this state.
func (t Table[S, A]) Next(state S, act A, who access.Actor) (S, error) {
	others := false
	for _, m := range t {
		if m.From != state || m.Act != act {
			continue
		}
		if m.May == nil || m.May(who) {
			return m.To, nil
		}
		others = true
	}
	closed := fault.Closed(string(act), string(state), t.Open(state, who))
	if others {
		f := fault.Forbidden(string(act), "another role")
		f.Open = closed.Open
		return state, f
	}
	return state, closed
}

// Open lists the acts that who may do in state, in the order of the table, each once.
func (t Table[S, A]) Open(state S, who access.Actor) []A {
	var open []A
	for _, m := range t {
		if m.From == state && (m.May == nil || m.May(who)) && !slices.Contains(open, m.Act) {
			open = append(open, m.Act)
		}
	}
	return open
}

// States lists every state of the table in the order in which it is first named.
func (t Table[S, A]) States() []S {
	var all []S
	for _, m := range t {
		for _, s := range []S{m.From, m.To} {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all
}

// Ends lists the states that no move leaves.
func (t Table[S, A]) Ends() []S {
	return slices.DeleteFunc(t.States(), func(s S) bool {
		return slices.ContainsFunc(t, func(m Move[S, A]) bool { return m.From == s && m.To != s })
	})
}

// Mermaid draws the table as a Mermaid state diagram, in the order of the table.
func (t Table[S, A]) Mermaid() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	if len(t) > 0 {
		fmt.Fprintf(&b, "    [*] --> %s\n", t[0].From)
	}
	for _, m := range t {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", m.From, m.To, m.Act)
	}
	for _, s := range t.Ends() {
		fmt.Fprintf(&b, "    %s --> [*]\n", s)
	}
	return b.String()
}

// Dot draws the table for Graphviz.
func (t Table[S, A]) Dot() string {
	var b strings.Builder
	b.WriteString("digraph {\n")
	for _, s := range t.Ends() {
		fmt.Fprintf(&b, "\t%q [peripheries=2];\n", string(s))
	}
	for _, m := range t {
		fmt.Fprintf(&b, "\t%q -> %q [label=%q];\n", string(m.From), string(m.To), string(m.Act))
	}
	b.WriteString("}\n")
	return b.String()
}

// Check finds what is wrong with the table itself, for a test of the room that
// declares it: a row given twice, a state that start cannot reach, a state from
// which no end can be reached. A table without ends needs none.
func (t Table[S, A]) Check(start S) error {
	for i, m := range t {
		for _, o := range t[:i] {
			if m.From == o.From && m.Act == o.Act && (o.May == nil || m.To == o.To && m.May == nil) {
				return fmt.Errorf("the move %s from %s is given twice", m.Act, m.From)
			}
		}
	}
	reached := t.closure([]S{start}, func(m Move[S, A]) (S, S) { return m.From, m.To })
	for _, s := range t.States() {
		if !slices.Contains(reached, s) {
			return fmt.Errorf("state %s cannot be reached from %s", s, start)
		}
	}
	ends := t.Ends()
	ending := t.closure(ends, func(m Move[S, A]) (S, S) { return m.To, m.From })
	for _, s := range t.States() {
		if len(ends) > 0 && !slices.Contains(ending, s) {
			return fmt.Errorf("state %s can never end", s)
		}
	}
	return nil
}

// closure is every state that the edges of the table lead to from the given ones.
func (t Table[S, A]) closure(from []S, edge func(Move[S, A]) (S, S)) []S {
	seen := slices.Clone(from)
	for i := 0; i < len(seen); i++ {
		for _, m := range t {
			if a, b := edge(m); a == seen[i] && !slices.Contains(seen, b) {
				seen = append(seen, b)
			}
		}
	}
	return seen
}

// Walk visits paths from start that together use every move which can be
// reached, each path as short as can be and ending with the move it is for. A
// test carries each path out on a fresh thing.
func (t Table[S, A]) Walk(start S, visit func(path []Move[S, A])) {
	paths := map[S][]Move[S, A]{start: {}}
	queue := []S{start}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for _, m := range t {
			if m.From != s {
				continue
			}
			path := append(slices.Clone(paths[s]), m)
			visit(path)
			if _, ok := paths[m.To]; !ok {
				paths[m.To] = path
				queue = append(queue, m.To)
			}
		}
	}
}
