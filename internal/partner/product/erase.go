package product

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"lampworks/internal/infra/store"
	"lampworks/internal/partner/quota"
)

// Erase deletes about limit rows of a product, or of all products of an organisation, and says whether more are left. The
// ProductID stays as a bare number, so that it is never given again. What others built on the product loses its reference
// and is flagged. Files go with the next sweep.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	for limit > 0 {
		product := id
		switch kind {
		case "product":
		case "organisation":
			err := tx.QueryRow(ctx, "SELECT id FROM product WHERE organisation = ? ORDER BY id LIMIT 1", id).Scan(&product)
			if errors.Is(err, store.ErrNoRows) {
				return false, nil
			}
			if err != nil {
				return false, fmt.Errorf("finding a product of organisation %s: %w", id, err)
			}
		default:
			return false, nil
		}
		n, err := s.eraseProduct(ctx, tx, product, limit)
		if err != nil {
			return false, fmt.Errorf("erasing product %s: %w", product, err)
		}
		if limit -= n; limit > 0 && kind == "product" {
			return false, nil
		}
	}
	return true, nil
}

// eraseProduct deletes at most about limit rows of a product, itself at last.
func (s *Service) eraseProduct(ctx context.Context, tx *store.Tx, id string, limit int) (deleted int, err error) {
	remove := func(query string, args ...any) error {
		res, err := tx.Exec(ctx, query, args...)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		deleted += int(n)
		return err
	}
	if err := s.orphan(ctx, tx, id); err != nil {
		return 0, err
	}
	if deleted, err = erasePapers(ctx, tx, id, limit); err != nil || deleted >= limit {
		return deleted, err
	}
	err = remove("DELETE FROM product_model WHERE product = ? AND version IN (SELECT version FROM product_model WHERE product = ? LIMIT ?)", id, id, limit-deleted)
	if err != nil || deleted >= limit {
		return deleted, err
	}
	err = remove("DELETE FROM product_voice WHERE product = ? AND version IN (SELECT version FROM product_voice WHERE product = ? LIMIT ?)", id, id, limit-deleted)
	if err != nil || deleted >= limit {
		return deleted, err
	}
	for _, draft := range []string{"DELETE FROM product_draft WHERE product = ?", "DELETE FROM product_voice_draft WHERE product = ?"} {
		if err := remove(draft, id); err != nil {
			return deleted, err
		}
	}
	if _, err := tx.Exec(ctx, "INSERT INTO product_erased (product_id) SELECT product_id FROM product WHERE id = ? ON CONFLICT (product_id) DO NOTHING", id); err != nil {
		return deleted, err
	}
	tx.AfterCommit(func() { s.known.forget(id) })
	n, err := eraseRow(ctx, tx, id)
	return deleted + n, err
}

// eraseRow deletes a product itself, and gives back its place among the products and what its icon had taken.
func eraseRow(ctx context.Context, tx *store.Tx, id string) (deleted int, err error) {
	var organisation string
	var icon int64
	err = tx.QueryRow(ctx, "DELETE FROM product WHERE id = ? RETURNING organisation, icon_size", id).Scan(&organisation, &icon)
	if errors.Is(err, store.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	of := quota.Organisation(organisation)
	return 1, errors.Join(quota.Give(ctx, tx, of, quota.Products, 1), quota.Give(ctx, tx, of, quota.Storage, icon))
}

// erasePapers deletes papers of a product, and gives back what their files had taken.
func erasePapers(ctx context.Context, tx *store.Tx, product string, limit int) (deleted int, err error) {
	have, err := papersOf(ctx, tx, product)
	if err != nil {
		return 0, err
	}
	for _, d := range have[:min(len(have), limit)] {
		if _, err := tx.Exec(ctx, "DELETE FROM product_paper WHERE id = ?", d.ID); err != nil {
			return deleted, err
		}
		if err := quota.Give(ctx, tx, quota.Organisation(d.Organisation), quota.Storage, d.Size); err != nil {
			return deleted, err
		}
		deleted++
	}
	return deleted, nil
}

// orphan takes a product that goes out of what is built on it.
func (s *Service) orphan(ctx context.Context, tx *store.Tx, id string) error {
	on, err := dependents(ctx, tx, id)
	if err != nil {
		return err
	}
	for _, other := range on {
		p, err := find(ctx, tx, other)
		if err != nil {
			return err
		}
		was := p
		if p.BuiltOn == id {
			p.BuiltOn = ""
		}
		if p.Solution == id {
			p.Solution = ""
		}
		p.Flagged, p.Flag, p.FlaggedAt = true, gone, at(s.now().UnixMilli())
		if err := s.flagged(ctx, tx, &was, &p, "a product that is gone"); err != nil {
			return err
		}
		if err := s.flagOn(ctx, tx, other); err != nil {
			return err
		}
	}
	return nil
}

// Holds counts the rows that Erase has still to delete.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (int64, error) {
	var queries []string
	switch kind {
	case "product":
		queries = []string{
			"SELECT COUNT(*) FROM product WHERE id = ?", "SELECT COUNT(*) FROM product_draft WHERE product = ?",
			"SELECT COUNT(*) FROM product_model WHERE product = ?", "SELECT COUNT(*) FROM product_paper WHERE product = ?",
		}
	case "organisation":
		const mine = " WHERE product IN (SELECT id FROM product WHERE organisation = ?)"
		queries = []string{
			"SELECT COUNT(*) FROM product WHERE organisation = ?", "SELECT COUNT(*) FROM product_draft" + mine,
			"SELECT COUNT(*) FROM product_model" + mine, "SELECT COUNT(*) FROM product_paper WHERE organisation = ?",
		}
	}
	var all int64
	for _, query := range queries {
		var n int64
		if err := q.QueryRow(ctx, query, id).Scan(&n); err != nil {
			return 0, fmt.Errorf("counting what is held of %s %s: %w", kind, id, err)
		}
		all += n
	}
	return all, nil
}

// Named gives those of the ids that are blobs of this room, for the sweep.
func (s *Service) Named(ctx context.Context, ids []string) (known []string, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	in := " IN (?" + strings.Repeat(", ?", len(ids)-1) + ")"
	err = s.store.Read(ctx, func(v *store.View) error {
		for _, query := range []string{"SELECT file FROM product_paper WHERE file" + in, "SELECT icon FROM product WHERE icon <> '' AND icon" + in} {
			found, err := texts(ctx, v, query, args...)
			if err != nil {
				return fmt.Errorf("looking for blobs: %w", err)
			}
			known = append(known, found...)
		}
		return nil
	})
	return known, err
}
