package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/google/uuid"
)

// pages is a list that comes page by page.
type pages struct {
	client
	Limit  int    `help:"How many at most. Default: a page." placeholder:"N"`
	Cursor string `help:"Go on behind a page: what it named." placeholder:"CURSOR"`
	All    bool   `help:"Every page."`
	Format string `help:"table, json, csv or jsonl; csv and jsonl are always the whole list. Default: ${default}." enum:"table,json,csv,jsonl" default:"table"`
}

// sorted is a list that can be sorted and counted, too.
type sorted struct {
	pages
	Sort  string `help:"What it is sorted by, with - before it for descending; a refusal names what is served." placeholder:"FIELD"`
	Since string `help:"Lower end of what it is sorted by, included." placeholder:"VALUE"`
	Until string `help:"Upper end, excluded." placeholder:"VALUE"`
	Total bool   `help:"Count them too."`
}

// A part is a page as the API gives it.
type part struct {
	Items []json.RawMessage `json:"items"`
	Next  string            `json:"next_cursor,omitempty"`
	Total *struct {
		Count int  `json:"count"`
		Exact bool `json:"exact"`
	} `json:"total,omitempty"`
}

// mostRows is how many rows a page has at most.
const mostRows = 500

// list prints a list: as a table of the columns, as JSON, or as the file that the server makes of it.
func (s *sorted) list(ctx context.Context, path, columns string, filters ...string) error {
	return s.pages.list(ctx, path, columns, append(filters, "sort", s.Sort, "since", s.Since, "until", s.Until, "total", yes(s.Total))...)
}

func (p *pages) list(ctx context.Context, path, columns string, filters ...string) error {
	if p.Limit < 0 {
		return fmt.Errorf("--limit %d: want 1 or more", p.Limit)
	}
	if err := checkIDs(filters); err != nil {
		return err
	}
	if p.Format == "csv" || p.Format == "jsonl" {
		if p.Limit != 0 {
			return fmt.Errorf("--limit: %s is the whole list", p.Format)
		}
		return p.copy(ctx, query(path, append(filters, "cursor", p.Cursor, "format", p.Format)...), os.Stdout)
	}
	found, err := p.gather(ctx, path, filters)
	if err != nil {
		return err
	}
	if p.Format == "json" {
		return found.json()
	}
	if len(found.Items) == 0 {
		defer note("%s", nothing(filters))
	}
	return found.table(columns)
}

// idsOnly are the filters whose values are ids of the platform.
var idsOnly = []string{"product", "order", "organisation", "device", "laboratory", "user"}

// checkIDs refuses filters that no object can have.
func checkIDs(filters []string) error {
	for i := 0; i+1 < len(filters); i += 2 {
		name, value := filters[i], filters[i+1]
		if value == "" || !slices.Contains(idsOnly, name) || name == "organisation" && value == "platform" {
			continue
		}
		if _, err := uuid.Parse(value); err != nil || len(value) != len(uuid.UUID{}.String()) {
			return usageError{errorText(say(fmt.Sprintf("--%s %s: want an id, as %s", name, value, anID), fmt.Sprintf("--%s %s：应为 id，如 %s", name, value, anID)))}
		}
	}
	return nil
}

const anID = "019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6071"

// nothing says of an empty list what was looked for.
func nothing(filters []string) string {
	var given []string
	for i := 0; i+1 < len(filters); i += 2 {
		if filters[i+1] != "" && filters[i] != "sort" && filters[i] != "total" {
			given = append(given, filters[i]+"="+plain(filters[i+1]))
		}
	}
	if len(given) == 0 {
		return say("There is nothing here yet.", "这里还没有内容。")
	}
	return say("There is nothing for "+strings.Join(given, ", ")+".", "没有符合条件的内容："+strings.Join(given, "，")+"。")
}

// gather asks page by page until there are as many as are wanted.
func (p *pages) gather(ctx context.Context, path string, filters []string) (*part, error) {
	found := &part{Items: []json.RawMessage{}}
	for cursor, seen := p.Cursor, map[string]bool{}; ; cursor = found.Next {
		if seen[cursor] {
			return nil, errors.New("the server goes round in circles: it names a page twice")
		}
		seen[cursor] = true
		limit := ""
		if p.Limit > 0 {
			limit = strconv.Itoa(min(p.Limit-len(found.Items), mostRows))
		}
		var page part
		if err := p.call(ctx, "GET", query(path, append(filters, "cursor", cursor, "limit", limit)...), nil, &page); err != nil {
			return nil, err
		}
		found.Items, found.Next = append(found.Items, page.Items...), page.Next
		if found.Total == nil {
			found.Total = page.Total
		}
		if page.Next == "" || p.Limit > 0 && len(found.Items) >= p.Limit || p.Limit == 0 && !p.All {
			return found, nil
		}
	}
}

func (p *part) json() error {
	b, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("printing the list: %w", err)
	}
	return printJSON(b)
}

// table prints one line an item. What is last in columns may be of any width: names are wider on the screen than in runes.
func (p *part) table(columns string) error {
	names := strings.Split(columns, " ")
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.ToUpper(strings.Join(names, "\t")))
	for _, item := range p.Items {
		row := make([]string, len(names))
		for i, name := range names {
			row[i] = plain(cell(item, name))
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing the list: %w", err)
	}
	switch {
	case p.Total != nil && p.Total.Exact:
		fmt.Fprintf(os.Stderr, say("%d in all\n", "共 %d 条\n"), p.Total.Count)
	case p.Total != nil:
		fmt.Fprintf(os.Stderr, say("%d or more in all\n", "至少 %d 条\n"), p.Total.Count)
	}
	if p.Next != "" {
		fmt.Fprintf(os.Stderr, say("more: --cursor %s, or --all\n", "还有更多：--cursor %s，或 --all\n"), p.Next)
	}
	return nil
}

// cell is the value at a column's path: organisation.id.
func cell(item json.RawMessage, column string) string {
	for name := range strings.SplitSeq(column, ".") {
		var object map[string]json.RawMessage
		if json.Unmarshal(item, &object) != nil {
			return ""
		}
		item = object[name]
	}
	var (
		text  string
		texts []string
		names map[string]string
		coded []struct{ Code, What string } // what is missing, and such
	)
	switch {
	case len(item) == 0 || string(item) == "null":
		return ""
	case json.Unmarshal(item, &text) == nil:
		return text
	case json.Unmarshal(item, &texts) == nil:
		return strings.Join(texts, ",")
	case json.Unmarshal(item, &coded) == nil && len(coded) > 0 && coded[0].Code+coded[0].What != "":
		texts = nil // half of the attempt above
		for _, c := range coded {
			texts = append(texts, cmp.Or(c.Code, c.What))
		}
		return strings.Join(texts, ",")
	case json.Unmarshal(item, &names) == nil:
		return named(names)
	}
	return string(item)
}

// named is a name in the language of the terminal, or in the one there is.
func named(names map[string]string) string {
	first, second := names["en"], names["zh-CN"]
	if tongue() == chinese {
		first, second = second, first
	}
	if first != "" {
		return first
	}
	return second
}

// plain takes out what a terminal would obey: the text may be of anybody.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, s)
}
