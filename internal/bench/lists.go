package bench

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// inLists is how many devices of the lists are online, and how many had a session.
const inLists = 5_000

// lists measures pages of the list of devices, with every filter and sort that it serves: the first page and those that
// follow it, of 100 devices each. Some thousand devices of a second product are online, and as many were.
func (b *bench) lists(ctx context.Context) (err error) {
	s, err := b.serve(ctx, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	n := b.n(1_000_000)
	live, err := s.light(ctx, min(2*inLists, n/2))
	if err != nil {
		return err
	}
	clients, _, err := s.connect(ctx, live, live.triples, nil)
	defer func() { drop(clients) }()
	if err != nil {
		return err
	}
	half := len(clients) / 2
	drop(clients[:half])
	clients = clients[half:]
	m := new(maker)
	if err := s.call(ctx, "POST", "/api/v1/products", map[string]any{"category": "light", "names": map[string]string{"en": "bench lists"}}, m); err != nil {
		return err
	}
	if err := s.order(ctx, m, n-len(live.triples)); err != nil {
		return err
	}
	var first struct{ Items []listed }
	if err := s.call(ctx, "GET", "/api/v1/devices?limit=1", nil, &first); err != nil {
		return err
	}
	beginning := first.Items[0].DeviceName[:8]
	for _, query := range []string{
		"", "sort=-id", "product=" + m.ID, "product=" + m.ID + "&sort=-id", "order=" + m.order, "order=" + m.order + "&product=" + m.ID,
		"sort=name", "sort=-name", "product=" + m.ID + "&sort=name", "name=" + beginning, "product=" + m.ID + "&name=" + beginning,
		"online=true", "online=false", "product=" + live.ID + "&online=true", "product=" + m.ID + "&online=false", "total=true", "product=" + m.ID + "&total=true",
	} {
		if err := b.pages(ctx, s, query, n); err != nil {
			return err
		}
	}
	return nil
}

// pages measures up to 200 pages of one query, each behind the one before.
func (b *bench) pages(ctx context.Context, s *server, query string, n int) error {
	const pages = 200
	var took []time.Duration
	cursor, rows := "", 0
	for range pages {
		var page struct {
			Items []listed
			Next  string `json:"next_cursor"`
		}
		began := time.Now()
		if err := s.call(ctx, "GET", "/api/v1/devices?limit=100&"+query+"&cursor="+url.QueryEscape(cursor), nil, &page); err != nil {
			return err
		}
		took = append(took, time.Since(began))
		rows += len(page.Items)
		cursor = page.Next // empty after the last: then from the beginning again
	}
	p50, p99 := spread(took)
	return b.print(Figure{Name: "lists", Value: p99, Unit: "us", P50: p50, P99: p99, N: n, Note: fmt.Sprintf("?%s, %d rows in %d pages", query, rows, pages)})
}
