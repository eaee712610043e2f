package listing_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

type lamp struct {
	id, organisation, state string
	size                    int64
}

func lamps() *listing.List[lamp] {
	return &listing.List[lamp]{
		Object: "lamp", Columns: "id, organisation, state, size", From: "lamp", Newest: true,
		Fields: []listing.Field{
			{Name: "organisation"},
			{Name: "state"},
			{Name: "size", Parse: func(s string) (any, error) { return strconv.ParseInt(s, 10, 64) }},
			{Name: "beginning", Column: "id", Prefix: true},
		},
		Ways: []listing.Way{
			{Filters: []string{"organisation"}},
			{Filters: []string{"organisation"}, Sort: "size", Rest: []string{"state"}, Bound: "they are few"},
			{Filters: []string{"organisation", "state"}},
			{Filters: []string{"organisation", "beginning"}},
		},
		Scan: func(row listing.Scanner) (l lamp, err error) {
			err = row.Scan(&l.id, &l.organisation, &l.state, &l.size)
			return l, err
		},
	}
}

// open makes a table that no migration knows, for this test alone.
func open(t *testing.T, rows []lamp) *store.Store {
	t.Helper()
	s := storetest.Open(t)
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		for _, statement := range []string{
			"CREATE TABLE lamp (id TEXT NOT NULL PRIMARY KEY, organisation TEXT NOT NULL, state TEXT NOT NULL, size BIGINT NOT NULL)",
			"CREATE INDEX lamp_organisation ON lamp (organisation, id)",
			"CREATE INDEX lamp_size ON lamp (organisation, size, id)",
			"CREATE INDEX lamp_state ON lamp (organisation, state, id)",
		} {
			if _, err := tx.Exec(t.Context(), statement); err != nil {
				return err
			}
		}
		for _, r := range rows {
			if _, err := tx.Exec(t.Context(), "INSERT INTO lamp (id, organisation, state, size) VALUES (?, ?, ?, ?)", r.id, r.organisation, r.state, r.size); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func read(ctx context.Context, s *store.Store, l *listing.List[lamp], ask listing.Ask) (page listing.Page[lamp], err error) {
	err = s.Read(ctx, func(v *store.View) error {
		page, err = l.Read(ctx, v, ask)
		return err
	})
	return page, err
}

func ids(lamps []lamp) (out []string) {
	for _, l := range lamps {
		out = append(out, l.id)
	}
	return out
}

func some(n int) (out []lamp) {
	for i := range n {
		out = append(out, lamp{fmt.Sprintf("l%05d", i), []string{"a", "b"}[i%2], []string{"on", "off", "broken"}[i%3], int64(i % 7)})
	}
	return out
}

func TestPagesShowEveryRowOnce(t *testing.T) {
	rows := some(200)
	s := open(t, rows)
	l := lamps()
	rapid.Check(t, func(r *rapid.T) {
		ask := listing.Ask{
			Filters: map[string]string{"organisation": rapid.SampledFrom([]string{"a", "b", "nobody"}).Draw(r, "organisation")},
			Sort:    rapid.SampledFrom([]string{"", "id", "-id", "size", "-size"}).Draw(r, "sort"),
			Limit:   rapid.IntRange(1, 60).Draw(r, "limit"),
		}
		if rapid.Bool().Draw(r, "by state") {
			ask.Filters["state"] = "on"
		}
		want := expected(rows, ask)
		var got []string
		for {
			page, err := read(t.Context(), s, l, ask)
			if err != nil {
				r.Fatal(err)
			}
			got = append(got, ids(page.Items)...)
			if page.Next == "" {
				break
			}
			ask.Cursor = page.Next
		}
		if !slices.Equal(got, want) {
			r.Fatalf("%+v\n got %v\nwant %v", ask, got, want)
		}
	})
}

// expected is the whole list as a loop over the rows has it.
func expected(rows []lamp, ask listing.Ask) []string {
	var out []lamp
	for _, l := range rows {
		if l.organisation == ask.Filters["organisation"] && (ask.Filters["state"] == "" || l.state == ask.Filters["state"]) {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(x, y lamp) int {
		if (ask.Sort == "size" || ask.Sort == "-size") && x.size != y.size {
			return int(x.size - y.size)
		}
		if x.id < y.id {
			return -1
		}
		return 1
	})
	if ask.Sort == "" || ask.Sort[0] == '-' {
		slices.Reverse(out)
	}
	return ids(out)
}

func TestRefusals(t *testing.T) {
	s := open(t, some(30))
	l := lamps()
	mine := map[string]string{"organisation": "a"}
	first, err := read(t.Context(), s, l, listing.Ask{Filters: mine, Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	const bad = ", want the next_cursor of a page of the same list, filters and sort"
	for _, tt := range []struct {
		name string
		ask  listing.Ask
		want string
	}{
		{"no filter", listing.Ask{}, "a list of lamps is not served in this combination: no filter"},
		{"no such sort", listing.Ask{Filters: mine, Sort: "colour"}, "a list of lamps is not served in this combination: filter by organisation, sort by colour"},
		{"no index", listing.Ask{Filters: map[string]string{"organisation": "a", "beginning": "l", "state": "on"}}, "a list of lamps is not served in this combination: filter by beginning, organisation, state"},
		{"limit", listing.Ask{Filters: mine, Limit: 501}, "/limit is 501, want an integer from 1 to 500"},
		{"no cursor", listing.Ask{Filters: mine, Cursor: "banana"}, "/cursor is banana" + bad},
		{"other filters", listing.Ask{Filters: map[string]string{"organisation": "b"}, Cursor: first.Next}, "/cursor is " + first.Next + bad},
		{"other sort", listing.Ask{Filters: mine, Sort: "size", Cursor: first.Next}, "/cursor is " + first.Next + bad},
		{"range without sort", listing.Ask{Filters: mine, Since: "1"}, "query is since or until without a sort, supported is a range of what the list is sorted by"},
	} {
		_, err := read(t.Context(), s, l, tt.ask)
		if got := fmt.Sprint(err); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
		if fix := fault.Of(err).Fix; strings.Contains(tt.name, "sort") && tt.ask.Cursor == "" && fix != "sort by size" {
			t.Errorf("%s: the advice is %q", tt.name, fix)
		}
	}
}

func TestFilters(t *testing.T) {
	s := open(t, some(30))
	for _, tt := range []struct {
		name string
		ask  listing.Ask
		want string
	}{
		{"beginning", listing.Ask{Filters: map[string]string{"organisation": "a", "beginning": "l0002"}, Sort: "id"}, "[l00020 l00022 l00024 l00026 l00028]"},
		{"beginning is no pattern", listing.Ask{Filters: map[string]string{"organisation": "a", "beginning": "l%"}}, "[]"},
		{"range", listing.Ask{Filters: map[string]string{"organisation": "a"}, Sort: "size", Since: "5", Until: "6"}, "[l00012 l00026]"},
	} {
		page, err := read(t.Context(), s, lamps(), tt.ask)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(ids(page.Items)); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestTotalIsExactToTenThousand(t *testing.T) {
	rows := make([]lamp, 10_001)
	for i := range rows {
		rows[i] = lamp{fmt.Sprintf("l%05d", i), "a", "on", 1}
	}
	for _, n := range []int{0, 10_000, 10_001} {
		s := open(t, rows[:n])
		page, err := read(t.Context(), s, lamps(), listing.Ask{Filters: map[string]string{"organisation": "a"}, Limit: 1, Total: true})
		if err != nil {
			t.Fatal(err)
		}
		want := listing.Total{Count: min(n, 10_000), Exact: n <= 10_000}
		if *page.Total != want {
			t.Errorf("%d rows: total %+v, want %+v", n, *page.Total, want)
		}
	}
}

func TestEveryWayIsIndexed(t *testing.T) {
	listingtest.Prove(t, open(t, nil), lamps())
}

func TestNames(t *testing.T) {
	filters, sorts := lamps().Names()
	if got, want := fmt.Sprint(filters, sorts), "[beginning organisation state] [size]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
