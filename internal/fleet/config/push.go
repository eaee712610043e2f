package config

import (
	"context"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/enforce"
)

// Push offers the version in force of a product's configuration to its devices that are online. The number must be its own, so
// that nobody pushes what they did not look at.
func (s *Service) Push(ctx context.Context, who access.Actor, productID string, number int) (p Push, err error) {
	p = Push{Product: productID, Number: number, CreatedAt: s.now().Truncate(time.Millisecond).UTC(), CreatedBy: who.User}
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		organisation, err := s.mayChange(ctx, tx, who, productID, enforce.Control)
		if err != nil {
			return err
		}
		current, err := load(ctx, tx, "configuration", fmt.Sprint(number), "product = ? ORDER BY number DESC LIMIT 1", productID)
		if err != nil {
			return err
		}
		if current.Number != number {
			f := fault.Conflict(fmt.Sprintf("version %d", number), fmt.Sprintf("version %d of the configuration is not the one in force, which is %d", number, current.Number))
			f.Fix = fmt.Sprintf("push version %d, or upload the older one again", current.Number)
			return f
		}
		err = tx.QueryRow(ctx, `
			INSERT INTO config_push (organisation, product, number, created_at, created_by, sent, confirmed) VALUES (?, ?, ?, ?, ?, 0, 0)
			RETURNING seq`, organisation, productID, number, p.CreatedAt.UnixMilli(), p.CreatedBy).Scan(&p.Seq)
		if err != nil {
			return fmt.Errorf("noting a push to product %s: %w", productID, err)
		}
		if _, err := tx.Exec(ctx, "DELETE FROM config_push WHERE product = ? AND seq < (SELECT seq FROM config_push WHERE product = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)", productID, productID, maxPushes); err != nil {
			return fmt.Errorf("forgetting old pushes to product %s: %w", productID, err)
		}
		tx.AfterCommit(func() { s.bus.Publish(PushSubject+productID, nil) })
		return audit.Record(ctx, tx, who, "config.push", productID, fmt.Sprintf("version %d", number))
	})
	return p, err
}

const (
	maxPushes = 1000             // of a product that are kept
	pushTime  = 10 * time.Minute // after which a push is over: who comes later asks
)

// Pushes lists the pushes made after seq that are not over, oldest first, and the newest seq there is; for the gateway, so that
// a lost event delays a push and never prevents it.
func (s *Service) Pushes(ctx context.Context, after int64) (list []Push, newest int64, err error) {
	newest = after
	err = s.store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, "SELECT seq, product, number, created_at, created_by, sent, confirmed FROM config_push WHERE seq > ? ORDER BY seq LIMIT 1000", after)
		if err != nil {
			return fmt.Errorf("reading pushes: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			p, err := scanPush(rows)
			if err != nil {
				return fmt.Errorf("reading a push: %w", err)
			}
			if newest = p.Seq; s.now().Sub(p.CreatedAt) < pushTime {
				list = append(list, p)
			}
		}
		return rows.Err()
	})
	return list, newest, err
}

// NewestPush is the newest seq that [Service.Pushes] knows.
func (s *Service) NewestPush(ctx context.Context) (seq int64, err error) {
	err = s.store.Read(ctx, func(v *store.View) error {
		return v.QueryRow(ctx, "SELECT COALESCE(MAX(seq), 0) FROM config_push").Scan(&seq)
	})
	if err != nil {
		return 0, fmt.Errorf("reading the newest push: %w", err)
	}
	return seq, nil
}

// Took adds to the figures of a push. They are for people to look at: what was counted when the program was killed is lost.
func (s *Service) Took(ctx context.Context, seq, sent, confirmed int64) error {
	return s.store.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE config_push SET sent = sent + ?, confirmed = confirmed + ? WHERE seq = ?", sent, confirmed, seq); err != nil {
			return fmt.Errorf("counting who took push %d: %w", seq, err)
		}
		return nil
	})
}

func scanPush(row listing.Scanner) (p Push, err error) {
	var at int64
	err = row.Scan(&p.Seq, &p.Product, &p.Number, &at, &p.CreatedBy, &p.Sent, &p.Confirmed)
	p.CreatedAt = time.UnixMilli(at).UTC()
	return p, err
}

const byProduct = "product"

func versionList() *listing.List[Version] {
	return &listing.List[Version]{
		Object: "configuration", Columns: versionColumns, From: "config_version", Key: "number", Newest: true,
		Fields: []listing.Field{{Name: byProduct}},
		Ways:   []listing.Way{{Filters: []string{byProduct}}},
		Scan:   func(row listing.Scanner) (Version, error) { return scanVersion(row) },
	}
}

func pushList() *listing.List[Push] {
	return &listing.List[Push]{
		Object: "push", Columns: "seq, product, number, created_at, created_by, sent, confirmed", From: "config_push", Key: "seq", Newest: true,
		Fields: []listing.Field{{Name: byProduct}},
		Ways:   []listing.Way{{Filters: []string{byProduct}}},
		Scan:   scanPush,
	}
}

// Versions returns a page of the versions of a product of who's, newest first, without their documents.
func (s *Service) Versions(ctx context.Context, who access.Actor, productID string, ask listing.Ask) (listing.Page[Version], error) {
	return ofProduct(ctx, s, who, productID, versionList(), ask)
}

// History returns a page of the pushes of a product of who's, newest first.
func (s *Service) History(ctx context.Context, who access.Actor, productID string, ask listing.Ask) (listing.Page[Push], error) {
	return ofProduct(ctx, s, who, productID, pushList(), ask)
}

func ofProduct[T any](ctx context.Context, s *Service, who access.Actor, productID string, list *listing.List[T], ask listing.Ask) (page listing.Page[T], err error) {
	ask.Filters = map[string]string{byProduct: productID}
	err = s.store.Read(ctx, func(v *store.View) error {
		if _, err := s.products.Revision(ctx, v, who, productID); err != nil {
			return err
		}
		page, err = list.Read(ctx, v, ask)
		return err
	})
	return page, err
}
