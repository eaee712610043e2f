package issuance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/triple"
)

// orderOf finds the order that has an address; empty if none has. It asks two indexes.
func orderOf(ctx context.Context, q store.Querier, mac triple.MAC) (order string, err error) {
	n := mac.Uint64()
	var first uint64
	err = q.QueryRow(ctx, "SELECT batch, first FROM issuance_range WHERE last >= ? ORDER BY last LIMIT 1", n).Scan(&order, &first)
	switch {
	case err == nil && first <= n:
		return order, nil
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return "", fmt.Errorf("looking for the order of %s: %w", mac, err)
	}
	err = q.QueryRow(ctx, `
		SELECT o.id
		FROM (SELECT list, first, start FROM issuance_mac WHERE last >= ? ORDER BY last LIMIT 1) m
		JOIN issuance_order o ON o.list = m.list AND o.list <> 0
		WHERE m.first <= ? AND o.list_from <= m.start + ? - m.first AND o.list_from + o.quantity > m.start + ? - m.first
		ORDER BY CASE WHEN o.state IN ('requested', 'issuing', 'issued') THEN 0 ELSE 1 END, o.id DESC
		LIMIT 1`, n, n, n, n).Scan(&order)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("looking for the order of %s: %w", mac, err)
	}
	return order, nil
}

// OrderOf finds the order of who's organisation that has an address; empty if none has.
func (s *Service) OrderOf(ctx context.Context, q store.Querier, who access.Actor, mac triple.MAC) (string, error) {
	order, err := orderOf(ctx, q, mac)
	if err != nil || order == "" {
		return "", err
	}
	o, err := load(ctx, q, who, order)
	if fault.Is(err, fault.Missing) {
		return "", nil
	}
	return o.ID, err
}
