package issuance

import (
	"context"
	"fmt"
	"io"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/product"
	"lampworks/triple"
)

// Download writes the workbook of an issued order of who's organisation to w, in constant memory, and returns how many
// triples it holds. What refuses it does so before the first byte.
//
// A workbook is handed out once: after one that was written to its end the next is a conflict, because two downloads may not
// share a secret. One that broke off may be repeated, and is an audit entry of its own.
func (s *Service) Download(ctx context.Context, who access.Actor, order string, w io.Writer) (rows int, err error) {
	if err := who.Check(access.DownloadTriples); err != nil {
		return 0, err
	}
	if !s.begin(order) {
		return 0, fault.Conflict("order", "the workbook of this order is being downloaded at this moment")
	}
	defer s.finished(order)
	b, err := s.prepare(ctx, who, order)
	if err != nil {
		return 0, err
	}
	rows, err = b.write(ctx, w)
	if err != nil {
		return rows, fmt.Errorf("writing the workbook of order %s: %w", order, err)
	}
	// The bytes have left: that they did is written down even if the caller has gone meanwhile.
	err = s.store.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, downloadedSQL, s.now().UnixMilli(), order)
		return err
	})
	if err != nil {
		return rows, fmt.Errorf("noting that order %s was downloaded: %w", order, err)
	}
	return rows, nil
}

// begin keeps a second download of an order out while one is being written.
func (s *Service) begin(order string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writing[order] {
		return false
	}
	s.writing[order] = true
	return true
}

func (s *Service) finished(order string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.writing, order)
}

// A book is what a workbook is written from.
type book struct {
	order   Order
	product product.Product
	ranges  []macRange
	key     keyring.Key32
}

// prepare records the download and gathers what it needs.
func (s *Service) prepare(ctx context.Context, who access.Actor, order string) (*book, error) {
	b := &book{}
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		b.order, err = load(ctx, v, who, order)
		return err
	})
	if err != nil {
		return nil, err
	}
	if b.product, err = s.products.Load(ctx, who, b.order.Product); err != nil {
		return nil, fmt.Errorf("loading product %s: %w", b.order.Product, err)
	}
	return b, s.store.Write(ctx, func(tx *store.Tx) error {
		var err error
		if b.order, err = load(ctx, tx, who, order); err != nil {
			return err
		}
		if b.order.State != StateIssued {
			var open []string
			for _, act := range b.order.Open(who) {
				open = append(open, string(act))
			}
			return fault.Closed("download", string(b.order.State), open)
		}
		if !b.order.DownloadedAt.IsZero() {
			return fault.Conflict("order", "the workbook of this order was downloaded at "+b.order.DownloadedAt.Format(time.RFC3339)+", and its secrets are not handed out twice")
		}
		if b.ranges, err = rangesOf(ctx, tx, order); err != nil {
			return err
		}
		if b.key, err = s.keys.ProductKey(ctx, tx, b.order.Product); err != nil {
			return fmt.Errorf("opening the key of product %s: %w", b.order.Product, err)
		}
		return audit.Record(ctx, tx, who, "order.download", order, fmt.Sprintf("%d triples, generation %d", b.order.Quantity, b.order.Generation))
	})
}

func (b *book) write(ctx context.Context, w io.Writer) (rows int, err error) {
	out, err := triple.NewWorkbook(w, triple.Cover{
		ProductName: b.name(), ProductKey: b.product.ProductKey, Product: b.order.Product, Order: b.order.ID,
		Generation: b.order.Generation, Quantity: b.order.Quantity, Issued: b.order.EndedAt,
	})
	if err != nil {
		return 0, err
	}
	secrets := triple.NewDeriver(b.key.Reveal(), b.order.Product)
	for _, r := range b.ranges {
		for n := r.first; n <= r.last; n++ {
			if rows%4096 == 0 && ctx.Err() != nil {
				return rows, ctx.Err()
			}
			mac := triple.MACOf(n)
			t := triple.Triple{ProductID: b.product.ProductID, MAC: mac, Secret: secrets.Secret(mac, b.order.Generation)}
			if err := out.Row(t); err != nil {
				return rows, err
			}
			rows++
		}
	}
	return rows, out.Close()
}

// name is the product's in Chinese, the language of most factories, or else in English.
func (b *book) name() string {
	if name := b.product.Names["zh-CN"]; name != "" {
		return name
	}
	return b.product.Names["en"]
}
