// Package listing reads lists page by page: filtered, sorted, with a cursor and a total.
//
// It owns no table and promises:
//   - a page costs what its rows cost, however long the list is: a combination of filters and sort that no index serves is
//     refused, and the refusal names those that are served; listingtest proves each against the database;
//   - following the cursor shows every row that was there all the time exactly once, whatever is added or removed meanwhile;
//   - a cursor is good for the list, the filters and the sort it was given for, and refused with any other;
//   - a total is exact up to 10,000; above it says "at least".
//
// A room declares one [List] a table and keeps the scoping to itself: the organisation is a filter like any other, which the
// room sets and no caller can leave out.
package listing

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// Limits of a page and of a total.
const (
	MaxLimit     = 500
	DefaultLimit = 100
	MaxTotal     = 10_000 // beyond, a total is "at least"
)

// A Field is a column that a list may be filtered or sorted by, under the name that callers know it by.
type Field struct {
	Name   string                    // "state"
	Column string                    // SQL expression, "p.state"; empty: Name
	Prefix bool                      // a filter gives the beginning of the text, not the whole
	Part   bool                      // a filter gives any part of a text that is kept in lower case; in Rest only
	Parse  func(string) (any, error) // what a caller's text is to the database; nil: the text itself
}

// A Way is a combination that an index serves: rows are found by Filters, which the index begins with, and come in the
// order of Sort and then of the list's Key, which it ends with.
type Way struct {
	Filters []string // exactly these; each is equality, but the last may be a Prefix, if it is what is sorted by
	Rest    []string // filters that may come besides: they are looked at row by row, where what Filters leave is bounded
	Sort    string   // empty: by Key
	Bound   string   // why the rows that Rest looks at are few: "an organisation has at most 1,000 products"
}

// A List is how one table is listed. It is built once and safe for concurrent use.
type List[T any] struct {
	Object  string // what an item is called in refusals, "product"
	Columns string // SQL, what Scan expects
	From    string // SQL, "product p JOIN …"
	Where   string // SQL that always holds; may be empty
	Args    []any  // of Where
	Key     string // unique column by which ties are ordered; id if empty. Its name for callers is "id"
	Newest  bool   // without a sort the highest Key comes first
	Fields  []Field
	Ways    []Way
	Scan    func(Scanner) (T, error)
}

// Scanner is a row.
type Scanner interface{ Scan(dest ...any) error }

// An Ask is what somebody wants to see.
type Ask struct {
	Filters map[string]string // by name; an empty value does not filter
	Sort    string            // name of a field, with "-" before it for descending; empty: the list's own order
	Since   string            // lower end of what is sorted by, included; empty: none
	Until   string            // upper end of what is sorted by, excluded; empty: none
	Cursor  string            // where the page before ended
	Limit   int               // 1..500; 0 is 100
	Total   bool              // count them all
}

// A Page is a part of a list.
type Page[T any] struct {
	Items []T
	Next  string // cursor of the next page; empty after the last
	Total *Total // if asked for
}

// A Total is how many items the whole list has.
type Total struct {
	Count int
	Exact bool // false: there are at least so many
}

// Read gives the page that is asked for, as q sees it.
func (l *List[T]) Read(ctx context.Context, q store.Querier, ask Ask) (Page[T], error) {
	p, err := l.plan(ask)
	if err != nil {
		return Page[T]{}, err
	}
	page, err := l.rows(ctx, q, p)
	if err != nil {
		return Page[T]{}, fmt.Errorf("listing %ss: %w", l.Object, err)
	}
	if ask.Total {
		if page.Total, err = l.total(ctx, q, p); err != nil {
			return Page[T]{}, fmt.Errorf("counting %ss: %w", l.Object, err)
		}
	}
	return page, nil
}

func (l *List[T]) rows(ctx context.Context, q store.Querier, p *plan) (Page[T], error) {
	query, args := l.statement(p)
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return Page[T]{}, err
	}
	defer rows.Close()
	page := Page[T]{Items: []T{}}
	var at mark
	for rows.Next() {
		if len(page.Items) == p.limit {
			page.Next = p.cursor(at)
			break
		}
		item, err := l.Scan(&marked{rows, &at})
		if err != nil {
			return Page[T]{}, err
		}
		page.Items = append(page.Items, item)
	}
	return page, rows.Err()
}

// marked scans a row and, behind the columns of the room, where it stands in the list.
type marked struct {
	rows *sql.Rows
	at   *mark
}

// Scan implements Scanner.
func (m *marked) Scan(dest ...any) error {
	return m.rows.Scan(append(dest, &m.at.Value, &m.at.Key)...)
}

func (l *List[T]) total(ctx context.Context, q store.Querier, p *plan) (*Total, error) {
	where, args := p.where(false)
	query := "SELECT COUNT(*) FROM (SELECT 1 FROM " + l.From + where + " LIMIT " + strconv.Itoa(MaxTotal+1) + ") AS counted"
	var n int
	if err := q.QueryRow(ctx, query, args...).Scan(&n); err != nil {
		return nil, err
	}
	return &Total{Count: min(n, MaxTotal), Exact: n <= MaxTotal}, nil
}

func (l *List[T]) key() string {
	if l.Key == "" {
		return "id"
	}
	return l.Key
}

func (l *List[T]) field(name string) *Field {
	for i := range l.Fields {
		if l.Fields[i].Name == name {
			return &l.Fields[i]
		}
	}
	return nil
}

func (f *Field) column() string {
	if f.Column == "" {
		return f.Name
	}
	return f.Column
}

// way finds the combination that serves filters and sort.
func (l *List[T]) way(filters []string, sort string) (*Way, error) {
	for i := range l.Ways {
		w := &l.Ways[i]
		if w.Sort == sort && !slices.ContainsFunc(w.Filters, func(f string) bool { return !slices.Contains(filters, f) }) &&
			!slices.ContainsFunc(filters, func(f string) bool { return !slices.Contains(w.Filters, f) && !slices.Contains(w.Rest, f) }) {
			return w, nil
		}
	}
	return nil, l.noWay(filters, sort)
}

func (l *List[T]) noWay(filters []string, sort string) error {
	got := "filter by " + strings.Join(filters, ", ")
	if len(filters) == 0 {
		got = "no filter"
	}
	if sort != "" {
		got += ", sort by " + sort
	}
	var served []string
	for _, w := range l.Ways {
		text := strings.Join(w.Filters, " + ")
		if len(w.Rest) > 0 {
			text += " (+ " + strings.Join(w.Rest, ", ") + ")"
		}
		if w.Sort != "" {
			text += " by " + w.Sort
		}
		served = append(served, strings.TrimSpace(text))
	}
	f := &fault.Fault{
		Code: fault.NotSupported, What: "a list of " + l.Object + "s is not served in this combination: " + got,
		Where: "query", Got: got, Rule: "one of: " + strings.Join(served, "; "), Fix: "leave out a filter, or sort by something else",
	}
	if _, sorts := l.Names(); sort != "" && len(sorts) > 0 && !slices.Contains(sorts, sort) {
		f.Fix = "sort by " + strings.Join(sorts, " or ")
	}
	return f
}

// Names lists what callers may filter and sort by, for documents.
func (l *List[T]) Names() (filters, sorts []string) {
	f, s := map[string]bool{}, map[string]bool{}
	for _, w := range l.Ways {
		for _, name := range slices.Concat(w.Filters, w.Rest) {
			f[name] = true
		}
		if w.Sort != "" {
			s[w.Sort] = true
		}
	}
	return slices.Sorted(maps.Keys(f)), slices.Sorted(maps.Keys(s))
}
