package issuance

import (
	"context"
	"fmt"

	"lampworks/internal/infra/store"
)

// A run is addresses that follow each other; both ends belong to it.
type run struct{ first, last uint64 }

// A source is where the addresses of an order come from, row by row.
type source struct {
	ranges []macRange // of pools: few
	list   int64      // of a list: read as needed
	from   int        // its row that the order begins with
}

func sourceOf(ctx context.Context, q store.Querier, o *Order) (source, error) {
	if o.list != 0 {
		return source{list: o.list, from: o.listFrom}, nil
	}
	ranges, err := rangesOf(ctx, q, o.ID)
	return source{ranges: ranges}, err
}

// runs gives the addresses of n rows of the order from row on.
func (s *source) runs(ctx context.Context, q store.Querier, row, n int) ([]run, error) {
	if s.list != 0 {
		return s.listed(ctx, q, s.from+row, n)
	}
	var out []run
	skip, left := uint64(row), uint64(n)
	for _, r := range s.ranges {
		size := r.last - r.first + 1
		if skip >= size {
			skip -= size
			continue
		}
		if left == 0 {
			break
		}
		first := r.first + skip
		last := min(r.last, first+left-1)
		out = append(out, run{first, last})
		left -= last - first + 1
		skip = 0
	}
	return out, nil
}

// listed reads rows of a list: the run that row lies in, and those behind it.
func (s *source) listed(ctx context.Context, q store.Querier, row, n int) (out []run, err error) {
	rows, err := q.Query(ctx, listedSQL, s.list, s.list, row, row+n)
	if err != nil {
		return nil, fmt.Errorf("reading list %d: %w", s.list, err)
	}
	defer rows.Close()
	for rows.Next() {
		var r run
		var start int
		if err := rows.Scan(&start, &r.first, &r.last); err != nil {
			return nil, fmt.Errorf("reading list %d: %w", s.list, err)
		}
		if start < row {
			r.first += uint64(row - start)
			start = row
		}
		if over := start + int(r.last-r.first) + 1 - (row + n); over > 0 {
			r.last -= uint64(over)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

const listedSQL = `
	SELECT start, first, last
	FROM issuance_mac
	WHERE list = ? AND start >= (SELECT MAX(start) FROM issuance_mac WHERE list = ? AND start <= ?) AND start < ?
	ORDER BY start`
