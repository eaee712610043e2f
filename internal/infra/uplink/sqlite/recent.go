package sqlite

import (
	"slices"
	"sort"

	"lampworks/internal/infra/uplink"
)

// recent is the newest committed blocks, without a gap, kept in memory for
// consumers that keep up.
type recent struct {
	blocks []*block
	size   int
}

// add appends a committed block and drops the oldest beyond limit bytes.
func (r *recent) add(b *block, limit int) {
	r.blocks = append(r.blocks, b)
	r.size += b.size()
	drop := 0
	for r.size > limit && drop < len(r.blocks) {
		r.size -= r.blocks[drop].size()
		drop++
	}
	r.blocks = slices.Delete(r.blocks, 0, drop)
}

// forget drops blocks whose records are all trimmed.
func (r *recent) forget(last uplink.Position) {
	drop := 0
	for drop < len(r.blocks) && r.blocks[drop].last() <= last {
		r.size -= r.blocks[drop].size()
		drop++
	}
	r.blocks = slices.Delete(r.blocks, 0, drop)
}

// read gives up to limit records after the position if the first of them is here.
func (r *recent) read(after uplink.Position, limit int) ([]uplink.Record, bool) {
	i := sort.Search(len(r.blocks), func(i int) bool { return r.blocks[i].last() > after })
	if i == len(r.blocks) || r.blocks[i].first > after+1 {
		return nil, false
	}
	skip := int(after + 1 - r.blocks[i].first)
	got := r.blocks[i].records[skip:]
	if len(got) >= limit || i == len(r.blocks)-1 {
		n := min(limit, len(got))
		return got[:n:n], true // shared: the records are not changed any more
	}
	out := slices.Clip(slices.Clone(got))
	for _, b := range r.blocks[i+1:] {
		n := min(limit-len(out), len(b.records))
		out = append(out, b.records[:n]...)
		if len(out) == limit {
			break
		}
	}
	return out, true
}
