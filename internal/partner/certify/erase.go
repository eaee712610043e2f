package certify

import (
	"context"
	"fmt"
	"strings"

	"lampworks/internal/infra/store"
	"lampworks/internal/partner/quota"
)

// places are the tables that hold something of a subject: which column names it, and the key of a row.
func places(kind string) []struct{ table, column, key string } {
	switch kind {
	case "organisation":
		return []struct{ table, column, key string }{
			{"certification_evidence", "organisation", "id"},
			{"certificate", "organisation", "id"},
			{"certification", "organisation", "id"},
			{"certify_standing", "organisation", "product"},
		}
	case "product":
		return []struct{ table, column, key string }{
			{"certification_evidence", "certification IN (SELECT id FROM certification WHERE product = ?)", "id"},
			{"certificate", "product", "id"},
			{"certification", "product", "id"},
			{"certify_standing", "product", "product"},
		}
	}
	return nil
}

func condition(column string) string {
	if strings.Contains(column, "?") {
		return column
	}
	return column + " = ?"
}

// Erase deletes about limit rows of an organisation or a product, and says whether more are left. The files go with the
// next sweep. What was built on a product is told at once, as when its certificate is revoked.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	n, err := s.withdraw(ctx, tx, kind, id, limit)
	if limit -= n; err != nil || limit <= 0 {
		return true, err
	}
	if n, err = eraseEvidence(ctx, tx, kind, id, limit); err != nil {
		return false, fmt.Errorf("erasing the evidence of %s %s: %w", kind, id, err)
	}
	if limit -= n; limit <= 0 {
		return true, nil
	}
	for _, p := range places(kind) {
		res, err := tx.Exec(ctx, "DELETE FROM "+p.table+" WHERE "+p.key+" IN (SELECT "+p.key+" FROM "+p.table+" WHERE "+condition(p.column)+" LIMIT ?)", id, limit)
		if err != nil {
			return false, fmt.Errorf("erasing %s %s from %s: %w", kind, id, p.table, err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return false, err
		}
		if limit -= int(n); limit <= 0 {
			return true, nil
		}
	}
	return false, nil
}

// eraseEvidence deletes files that results rest on, and gives back what they had taken of the storage.
func eraseEvidence(ctx context.Context, tx *store.Tx, kind, id string, limit int) (deleted int, err error) {
	for _, p := range places(kind) {
		if p.table != "certification_evidence" {
			continue
		}
		ids, err := texts(ctx, tx, "SELECT id FROM certification_evidence WHERE "+condition(p.column)+" ORDER BY id LIMIT ?", id, limit)
		if err != nil {
			return 0, err
		}
		for _, file := range ids {
			var organisation string
			var size int64
			err := tx.QueryRow(ctx, "DELETE FROM certification_evidence WHERE id = ? RETURNING organisation, size", file).Scan(&organisation, &size)
			if err != nil {
				return deleted, err
			}
			if err := quota.Give(ctx, tx, quota.Organisation(organisation), quota.Storage, size); err != nil {
				return deleted, err
			}
			deleted++
		}
	}
	return deleted, nil
}

// withdraw deletes the certificates of products that are certified, and tells what rests on them.
func (s *Service) withdraw(ctx context.Context, tx *store.Tx, kind, id string, limit int) (deleted int, err error) {
	if kind != "organisation" && kind != "product" {
		return 0, nil
	}
	certified, err := texts(ctx, tx, "SELECT product FROM certify_standing WHERE in_force = 1 AND "+kind+" = ? LIMIT ?", id, limit)
	if err != nil {
		return 0, fmt.Errorf("finding what is certified of %s %s: %w", kind, id, err)
	}
	for _, product := range certified {
		for _, statement := range []string{"DELETE FROM certificate WHERE product = ?", "DELETE FROM certify_standing WHERE product = ?"} {
			if _, err := tx.Exec(ctx, statement, product); err != nil {
				return deleted, fmt.Errorf("erasing the certificates of product %s: %w", product, err)
			}
			deleted++
		}
		if s.Changed == nil {
			continue
		}
		if err := s.Changed(ctx, tx, product, false, "its certificate is gone"); err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// Holds counts the rows that Erase has still to delete.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (int64, error) {
	var all int64
	for _, p := range places(kind) {
		var n int64
		if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM "+p.table+" WHERE "+condition(p.column), id).Scan(&n); err != nil {
			return 0, fmt.Errorf("counting what %s holds of %s %s: %w", p.table, kind, id, err)
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
	err = s.Store.Read(ctx, func(v *store.View) error {
		known, err = texts(ctx, v, "SELECT id FROM certification_evidence WHERE id IN (?"+strings.Repeat(", ?", len(ids)-1)+")", args...)
		return err
	})
	return known, err
}
