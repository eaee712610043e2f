package issuance

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/triple"
)

// search looks for secrets that came without an address among all triples of an order or a product.
func (t *tracer) search(ctx context.Context, q store.Querier, in Search, clues []clue, findings []Finding) error {
	print := newPrinter()
	open := make(map[[sha256.Size]byte]*Finding) // by a keyed hash: the time of a lookup says nothing of a secret
	for i := range findings {
		if findings[i].Outcome == LeakSearch {
			for _, secret := range clues[i].secrets {
				open[print(secret)] = &findings[i]
			}
		}
	}
	if len(open) == 0 || in.Order == "" && in.Product == "" {
		return nil
	}
	if !t.s.searching.TryLock() {
		f := fault.Unavailable("another report is being searched for secrets that came without an address", nil)
		f.RetryAfter, f.Fix = busySearch, "send it again in a moment, or send the rows with their addresses"
		return f
	}
	defer t.s.searching.Unlock()
	orders, err := t.orders(ctx, q, in)
	if err != nil {
		return err
	}
	left := maxDerive
	for _, o := range orders {
		all, err := generations(ctx, q, o.ID)
		if err != nil {
			return err
		}
		if left -= o.Quantity * len(all); left < 0 {
			f := fault.Limit("secrets to derive", "more", fmt.Sprint(maxDerive), 0)
			f.Fix = "name the order instead of the product"
			return f
		}
		if err := t.derive(ctx, q, &o, all, func(mac triple.MAC, g *generation, secret triple.Secret) error {
			f := open[print(secret)]
			if f == nil {
				return nil
			}
			f.MAC, f.Order, f.Product = mac, o.ID, o.Product
			return t.traced(ctx, q, f, g)
		}); err != nil {
			return err
		}
	}
	for _, f := range open {
		if f.Outcome == LeakSearch {
			f.Outcome = LeakUnknown
		}
	}
	return nil
}

// newPrinter gives a hash whose key is forgotten with it.
func newPrinter() func(triple.Secret) [sha256.Size]byte {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails: the program ends first
	mac := hmac.New(sha256.New, key)
	return func(secret triple.Secret) (sum [sha256.Size]byte) {
		mac.Reset()
		_, _ = io.WriteString(mac, secret.Reveal())
		mac.Sum(sum[:0])
		return sum
	}
}

// orders are the issued orders that a search goes through.
func (t *tracer) orders(ctx context.Context, q store.Querier, in Search) ([]Order, error) {
	if in.Order != "" {
		o, err := load(ctx, q, t.who, in.Order)
		return []Order{o}, err
	}
	ids, err := texts(ctx, q, "SELECT id FROM issuance_order WHERE product = ? AND state = 'issued' ORDER BY id LIMIT 1000", in.Product)
	if err != nil {
		return nil, err
	}
	var all []Order
	for _, id := range ids {
		o, err := load(ctx, q, t.who, id)
		if err != nil && !fault.Is(err, fault.Missing) {
			return nil, err
		}
		if err == nil {
			all = append(all, o)
		}
	}
	if len(all) == 0 {
		return nil, fault.NotFound("product", in.Product)
	}
	return all, nil
}

// derive derives every secret of an order.
func (t *tracer) derive(ctx context.Context, q store.Querier, o *Order, all []generation, each func(triple.MAC, *generation, triple.Secret) error) error {
	d, err := t.deriver(ctx, q, o.Product)
	if err != nil {
		return err
	}
	from, err := sourceOf(ctx, q, o)
	if err != nil {
		return err
	}
	for row := 0; row < o.Quantity; row += chunk {
		runs, err := from.runs(ctx, q, row, min(chunk, o.Quantity-row))
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		for _, r := range runs {
			for n := r.first; n <= r.last; n++ {
				mac := triple.MACOf(n)
				for i := range all {
					if err := each(mac, &all[i], d.Secret(mac, all[i].generation)); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// generation is a row of issuance_generation.
type generation struct {
	generation uint32
	download   string
	revoked    bool
}

func generations(ctx context.Context, q store.Querier, order string) (all []generation, err error) {
	rows, err := q.Query(ctx, "SELECT generation, download, revoked_at FROM issuance_generation WHERE batch = ? ORDER BY generation", order)
	if err != nil {
		return nil, fmt.Errorf("reading the generations of order %s: %w", order, err)
	}
	defer rows.Close()
	for rows.Next() {
		var g generation
		var revoked sql.NullInt64
		if err := rows.Scan(&g.generation, &g.download, &revoked); err != nil {
			return nil, fmt.Errorf("reading the generations of order %s: %w", order, err)
		}
		g.revoked = revoked.Valid
		all = append(all, g)
	}
	return all, rows.Err()
}
