package issuance

import (
	"context"
	"fmt"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/quota"
)

// Erase removes what the room knows of an organisation, a product or a batch (an order), some limit rows a call; more says
// that there is more. What was issued stays as bare numbers: ranges and addresses without an owner, so that nobody gets them
// again.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	where := ofKind(kind)
	if where == "" {
		return false, nil
	}
	ids, err := texts(ctx, tx, "SELECT id FROM issuance_order WHERE "+where+" ORDER BY id LIMIT 1", id)
	if err != nil {
		return false, err
	}
	if len(ids) == 1 {
		return true, s.eraseOrder(ctx, tx, ids[0], limit)
	}
	if err := freeLists(ctx, tx); err != nil {
		return false, err
	}
	if kind != "organisation" {
		return false, nil
	}
	for limit, count := range Counts() {
		if limit != quota.MACLists && limit != quota.ListedMACs {
			continue
		}
		n, err := count(ctx, tx, id)
		if err != nil {
			return false, err
		}
		if err := quota.Give(ctx, tx, quota.Organisation(id), limit, n); err != nil {
			return false, err
		}
	}
	for _, query := range []string{
		"DELETE FROM issuance_upload WHERE list IN (SELECT number FROM mac_list WHERE organisation = ?)",
		"UPDATE mac_list SET organisation = '', name = '', created_by = '', report = '', reason = '', batch = '' WHERE organisation = ?",
	} {
		if _, err := tx.Exec(ctx, query, id); err != nil {
			return false, fmt.Errorf("erasing the lists of %s: %w", id, err)
		}
	}
	return false, nil
}

// Holds counts what the room still knows of a subject.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (n int64, err error) {
	where := ofKind(kind)
	if where == "" {
		return 0, nil
	}
	queries := []string{"SELECT COUNT(*) FROM issuance_order WHERE " + where}
	if kind == "organisation" {
		queries = append(queries, "SELECT COUNT(*) FROM mac_list WHERE organisation = ?", "SELECT COUNT(*) FROM issuance_download WHERE organisation = ?")
	}
	for _, query := range queries {
		var k int64
		if err := q.QueryRow(ctx, query, id).Scan(&k); err != nil {
			return 0, fmt.Errorf("counting what is known of %s %s: %w", kind, id, err)
		}
		n += k
	}
	return n, nil
}

// ofKind is the condition by which the orders of a subject are found; what was erased is nobody's.
func ofKind(kind string) string {
	switch kind {
	case "organisation":
		return "organisation = ?"
	case "product":
		return "product = ? AND organisation <> ''"
	case "batch":
		return "id = ? AND organisation <> ''"
	}
	return ""
}

// freeLists lets others take from the lists of orders that were erased before they ended.
func freeLists(ctx context.Context, tx *store.Tx) error {
	_, err := tx.Exec(ctx, "UPDATE mac_list SET batch = '' WHERE batch <> '' AND batch IN (SELECT id FROM issuance_order WHERE organisation = '')")
	if err != nil {
		return fmt.Errorf("freeing the lists of erased orders: %w", err)
	}
	return nil
}

// endErased ends an order that is about to be erased as a cancelled one ends: addresses and limits that it has not used up are
// given back, and its job stops. It is done once; an order that has ended is left as it is.
func (s *Service) endErased(ctx context.Context, tx *store.Tx, o *Order) error {
	if o.State.Ended() {
		return nil
	}
	if err := s.end(ctx, tx, o, StateCancelled, "it was deleted"); err != nil {
		return err
	}
	if err := s.stop(ctx, tx, o); err != nil && !fault.Is(err, fault.Missing) {
		return err
	}
	return nil
}

// eraseOrder removes a part of what is known of an order, and its owner last.
func (s *Service) eraseOrder(ctx context.Context, tx *store.Tx, order string, limit int) error {
	o, err := load(ctx, tx, access.System("issuance", ""), order)
	if err != nil {
		return err
	}
	if err := s.endErased(ctx, tx, &o); err != nil {
		return err
	}
	res, err := tx.Exec(ctx, "DELETE FROM issuance_secret WHERE batch = ? AND mac IN (SELECT mac FROM issuance_secret WHERE batch = ? ORDER BY mac LIMIT ?)", order, order, limit)
	if err != nil {
		return fmt.Errorf("erasing order %s: %w", order, err)
	}
	if n, err := res.RowsAffected(); err != nil || n >= int64(limit) {
		return err
	}
	for _, query := range []string{
		"DELETE FROM issuance_generation WHERE batch = ?",
		"DELETE FROM issuance_window WHERE batch = ?",
		"DELETE FROM issuance_window_name WHERE batch = ?",
		"DELETE FROM issuance_registered WHERE batch = ?",
		"DELETE FROM issuance_download WHERE batch = ?",
		`UPDATE issuance_order SET organisation = '', product = '', note = '', factory_name = '', factory_address = '', factory_contact = '',
			reason = '', requested_by = '', decided_by = ''
		WHERE id = ?`,
	} {
		if _, err := tx.Exec(ctx, query, order); err != nil {
			return fmt.Errorf("erasing order %s: %w", order, err)
		}
	}
	if o.State != StateIssued {
		return nil
	}
	return quota.Give(ctx, tx, o.subject(), o.limit(), int64(o.Quantity)) // it counts for nobody any more
}

// texts reads one column.
func texts(ctx context.Context, q store.Querier, query string, args ...any) (all []string, err error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("reading what is to be erased: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, fmt.Errorf("reading what is to be erased: %w", err)
		}
		all = append(all, text)
	}
	return all, rows.Err()
}
