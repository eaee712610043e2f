package config

import (
	"context"
	"fmt"

	"lampworks/internal/infra/store"
)

// Erase deletes the configurations of a product, or of all products of an organisation; more says that another call is needed.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	if kind != "product" && kind != "organisation" {
		return false, nil
	}
	for _, of := range []struct{ table, key string }{{"config_push", "seq"}, {"config_version", "id"}} {
		r, err := tx.Exec(ctx, "DELETE FROM "+of.table+" WHERE "+of.key+" IN (SELECT "+of.key+" FROM "+of.table+" WHERE "+kind+" = ? LIMIT ?)", id, limit)
		if err != nil {
			return false, fmt.Errorf("erasing from %s: %w", of.table, err)
		}
		n, err := r.RowsAffected()
		if err != nil {
			return false, err
		}
		more = more || n >= int64(limit)
	}
	return more, nil
}

// Holds counts the rows about a product, or the products of an organisation.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (n int64, err error) {
	if kind != "product" && kind != "organisation" {
		return 0, nil
	}
	err = q.QueryRow(ctx, "SELECT (SELECT COUNT(*) FROM config_version WHERE "+kind+" = ?) + (SELECT COUNT(*) FROM config_push WHERE "+kind+" = ?)", id, id).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting configurations of %s %s: %w", kind, id, err)
	}
	return n, nil
}
