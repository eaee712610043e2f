package listing

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"lampworks/internal/infra/fault"
)

// A plan is an ask that an index serves.
type plan struct {
	terms []term
	sort  string // column
	key   string // column
	down  bool
	limit int
	print string // of filters and sort: a cursor is good for the same only
	after *mark
	fixed term // of the list, always holds
}

// A term is one condition.
type term struct {
	sql  string
	args []any
}

// A mark is where a row stands in a list.
type mark struct {
	Value any
	Key   any
}

// plan finds the way of an ask, or says why there is none.
func (l *List[T]) plan(ask Ask) (*plan, error) {
	p := &plan{limit: ask.Limit, key: l.key(), down: l.Newest, fixed: term{l.Where, l.Args}}
	if p.limit == 0 {
		p.limit = DefaultLimit
	}
	if p.limit < 1 || p.limit > MaxLimit {
		return nil, fault.Invalid("/limit", strconv.Itoa(ask.Limit), fmt.Sprintf("an integer from 1 to %d", MaxLimit),
			fmt.Sprintf("ask for at most %d and follow the cursor", MaxLimit))
	}
	sort := ask.Sort
	if sort != "" {
		sort, p.down = strings.CutPrefix(sort, "-")
	}
	if sort == "id" {
		sort = ""
	}
	filters := given(ask.Filters)
	way, err := l.way(filters, sort)
	if err != nil {
		return nil, err
	}
	p.sort = p.key
	if way.Sort != "" {
		p.sort = l.field(way.Sort).column()
	}
	for _, name := range slices.Concat(way.Filters, slices.DeleteFunc(filters, func(f string) bool { return slices.Contains(way.Filters, f) })) {
		t, err := l.field(name).term(ask.Filters[name])
		if err != nil {
			return nil, err
		}
		p.terms = append(p.terms, t)
	}
	if err := l.between(p, way, ask); err != nil {
		return nil, err
	}
	p.print = fingerprint(l.Object, ask)
	if ask.Cursor != "" {
		if p.after, err = p.read(ask.Cursor); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func given(filters map[string]string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(filters)), func(name string) bool { return filters[name] == "" })
}

// term is the condition of a filter.
func (f *Field) term(value string) (term, error) {
	if f.Part {
		part := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(value))
		return term{f.column() + ` LIKE ? ESCAPE '\'`, []any{"%" + part + "%"}}, nil
	}
	v, err := f.value(value)
	if err != nil {
		return term{}, err
	}
	if !f.Prefix {
		return term{f.column() + " = ?", []any{v}}, nil
	}
	// A range, so that the index serves it whatever the collation of LIKE is.
	return term{f.column() + " >= ? AND " + f.column() + " < ?", []any{value, value + "\U0010FFFF"}}, nil
}

func (f *Field) value(text string) (any, error) {
	if f.Parse == nil {
		return text, nil
	}
	return f.Parse(text)
}

// between adds the ends of what is sorted by.
func (l *List[T]) between(p *plan, way *Way, ask Ask) error {
	if ask.Since == "" && ask.Until == "" {
		return nil
	}
	if way.Sort == "" {
		f := fault.Unsupported("query", "since or until without a sort", "a range of what the list is sorted by")
		if _, sorts := l.Names(); len(sorts) > 0 {
			f.Fix = "sort by " + strings.Join(sorts, " or ")
		}
		return f
	}
	f := l.field(way.Sort)
	for _, end := range []struct{ op, text string }{{" >= ?", ask.Since}, {" < ?", ask.Until}} {
		if end.text == "" {
			continue
		}
		v, err := f.value(end.text)
		if err != nil {
			return err
		}
		p.terms = append(p.terms, term{f.column() + end.op, []any{v}})
	}
	return nil
}

// statement is the query of a page: one row more than its limit.
func (l *List[T]) statement(p *plan) (string, []any) {
	where, args := p.where(true)
	order := " ORDER BY " + p.sort + p.direction()
	if p.sort != p.key {
		order += ", " + p.key + p.direction()
	}
	return "SELECT " + l.Columns + ", " + p.sort + ", " + p.key + " FROM " + l.From + where + order + " LIMIT " + strconv.Itoa(p.limit+1), args
}

func (p *plan) direction() string {
	if p.down {
		return " DESC"
	}
	return ""
}

// where is the condition, with the cursor's or without.
func (p *plan) where(cursor bool) (string, []any) {
	var parts []string
	var args []any
	if p.fixed.sql != "" {
		parts, args = append(parts, "("+p.fixed.sql+")"), append(args, p.fixed.args...)
	}
	for _, t := range p.terms {
		parts = append(parts, t.sql)
		args = append(args, t.args...)
	}
	if cursor && p.after != nil {
		op := " > "
		if p.down {
			op = " < "
		}
		if p.sort == p.key {
			parts = append(parts, p.key+op+"?")
			args = append(args, p.after.Key)
		} else {
			parts = append(parts, "("+p.sort+", "+p.key+")"+op+"(?, ?)")
			args = append(args, p.after.Value, p.after.Key)
		}
	}
	if len(parts) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(parts, " AND "), args
}

// fingerprint tells one list, its filters and its sort from others.
func fingerprint(object string, ask Ask) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q", object, ask.Sort, ask.Since, ask.Until)
	for _, name := range given(ask.Filters) {
		fmt.Fprintf(h, " %q=%q", name, ask.Filters[name])
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:6])
}

// cursor is where the next page begins: print, value and key.
func (p *plan) cursor(at mark) string {
	b, err := json.Marshal([]any{p.print, plainly(at.Value), plainly(at.Key)})
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// plainly is a value of the database as JSON has it.
func plainly(v any) any {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return v
}

func (p *plan) read(cursor string) (*mark, error) {
	bad := fault.Invalid("/cursor", cursor, "the next_cursor of a page of the same list, filters and sort", "begin without a cursor")
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(cursor) > 2048 {
		return nil, bad
	}
	var parts []any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if d.Decode(&parts) != nil || len(parts) != 3 || parts[0] != p.print {
		return nil, bad
	}
	var at mark
	var ok1, ok2 bool
	at.Value, ok1 = bound(parts[1])
	at.Key, ok2 = bound(parts[2])
	if !ok1 || !ok2 {
		return nil, bad
	}
	return &at, nil
}

// bound is a JSON value as an argument of a statement: a text or an integer.
func bound(v any) (any, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		n, err := v.Int64()
		return n, err == nil
	}
	return nil, false
}
