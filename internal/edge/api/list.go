package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/listing"
)

// page is a part of a list.
type page[T any] struct {
	Items      []T    `json:"items" nullable:"false"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Ask for the next page with cursor=…; absent after the last."`
	Total      *total `json:"total,omitempty" doc:"Where it was asked for."`
}

// total is how many items a list has.
type total struct {
	Count int  `json:"count"`
	Exact bool `json:"exact" doc:"false: there are at least so many."`
}

// PageInput is how a client asks for a part of a list. It is exported because huma looks into exported parts only.
type PageInput struct {
	Cursor string `query:"cursor" maxLength:"2048" doc:"next_cursor of the page before."`
	Limit  int    `query:"limit" minimum:"0" maximum:"500" doc:"How many items at most; 0 is the list's own default, and a list may give fewer."`
	Format string `query:"format" enum:"json,csv,jsonl" doc:"csv or jsonl: the whole list from the cursor on, as a file."`
}

func (p *PageInput) pages() *PageInput { return p }

// ListInput is how a client asks for a part of a list that can be sorted and counted.
type ListInput struct {
	PageInput
	Sort  string `query:"sort" maxLength:"64" doc:"What the list is sorted by, with - before it for descending. A combination with filters that is not served is refused, and the refusal names those that are."`
	Since string `query:"since" maxLength:"64" doc:"Lower end of what is sorted by, included; of times, one as 2026-01-31T08:00:00Z."`
	Until string `query:"until" maxLength:"64" doc:"Upper end of what is sorted by, excluded; of times, one as 2026-01-31T08:00:00Z."`
	Total bool   `query:"total" doc:"Count the items too: exact up to 10,000."`
}

// ask is the question to a listing.
func (in *ListInput) ask(filters map[string]string) listing.Ask {
	return listing.Ask{Filters: filters, Sort: in.Sort, Since: in.Since, Until: in.Until, Cursor: in.Cursor, Limit: in.Limit, Total: in.Total}
}

// lists is the input of a list: it embeds PageInput.
type lists[I any] interface {
	*I
	pages() *PageInput
}

// list declares a GET of a list, page by page as JSON, or as a whole as CSV or JSON lines.
func list[I any, P lists[I], V any](a *API, path string, act access.Act, own owner, summary string, do func(context.Context, access.Actor, *I) (page[V], error)) {
	op := a.operation(http.MethodGet, path, act, own, summary)
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[page[V]](), true, "")
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	op.Responses["200"] = &huma.Response{
		Description: "A page, or the whole list as a file.",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}, csvType: text, linesType: text},
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		who, _ := access.Of(ctx)
		pages := P(in).pages()
		file := pages.Format == "csv" || pages.Format == "jsonl"
		if file {
			pages.Limit = exportPage
		}
		first, err := do(ctx, who, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		if !file {
			return &huma.StreamResponse{Body: func(hc huma.Context) {
				hc.SetHeader("Content-Type", "application/json")
				_ = json.NewEncoder(hc.BodyWriter()).Encode(first) // who does not read it has gone
			}}, nil
		}
		next := rechecked(func(ctx context.Context) (err error) {
			who, err = a.still(ctx, who, act)
			return err
		}, func(ctx context.Context, cursor string) (page[V], error) {
			pages.Cursor = cursor
			return do(ctx, who, in)
		})
		return &huma.StreamResponse{Body: func(hc huma.Context) { export(a, hc, pages.Format, op.Tags[0], first, next) }}, nil
	})
}

// pageOf is a page of a list whose cursor is a part of its last item.
func pageOf[S, T any](items []S, more bool, cursor func(*S) string, form func(*S) T) page[T] {
	p := pageTo(items, "", form)
	if more && len(items) > 0 {
		p.NextCursor = cursor(&items[len(items)-1])
	}
	return p
}

// pageTo is a page of a list that makes its cursors itself.
func pageTo[S, T any](items []S, next string, form func(*S) T) page[T] {
	p := page[T]{Items: make([]T, 0, len(items)), NextCursor: next}
	for i := range items {
		p.Items = append(p.Items, form(&items[i]))
	}
	return p
}

// pageWithin is a page of a list that is short by a rule: its room gives it whole. Without a limit it comes whole, up to
// what a page may have. key names an item; where items come and go, it grows or falls from each to the next.
func pageWithin[S, T any](all []S, in *PageInput, key func(*S) string, form func(*S) T) (page[T], error) {
	begin, err := after(all, in.Cursor, key)
	if err != nil {
		return page[T]{}, err
	}
	end := len(all)
	if limit := cmp.Or(in.Limit, listing.MaxLimit); end-begin > limit {
		end = begin + limit
	}
	p := pageTo(all[begin:end], "", form)
	if end < len(all) {
		p.NextCursor = base64.RawURLEncoding.EncodeToString([]byte(key(&all[end-1])))
	}
	return p, nil
}

// after is where the list goes on behind the item that a cursor names, or behind where it was.
func after[S any](all []S, cursor string, key func(*S) string) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(b) == 0 {
		return 0, badCursor(cursor)
	}
	keys, gone := make([]string, len(all)), string(b)
	for i := range all {
		keys[i] = key(&all[i])
	}
	falls := func(a, b string) int { return strings.Compare(b, a) }
	switch i := slices.Index(keys, gone); {
	case i >= 0:
		return i + 1, nil
	case slices.IsSorted(keys):
		i, _ = slices.BinarySearch(keys, gone)
		return i, nil
	case slices.IsSortedFunc(keys, falls):
		i, _ = slices.BinarySearchFunc(keys, gone, falls)
		return i, nil
	}
	return 0, badCursor(cursor) // of another list: this one does not change
}

// pageFrom is a page of a listing.
func pageFrom[S, T any](l listing.Page[S], form func(*S) T) page[T] {
	p := pageTo(l.Items, l.Next, form)
	if l.Total != nil {
		p.Total = &total{l.Total.Count, l.Total.Exact}
	}
	return p
}
