package issuance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const (
	orderColumns = `id, organisation, product, quantity, purpose, note, state, reason, done, generation, job, requested_by,
		created_at, ended_at, downloaded_at`

	insertSQL = `
		INSERT INTO issuance_order (id, organisation, product, quantity, purpose, note, state, reason, done, generation, job, requested_by, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, '', 0, ?, '', ?, ?)`

	countOpenSQL = `
		SELECT COUNT(*)
		FROM issuance_order
		WHERE organisation = ? AND ended_at IS NULL`

	loadSQL = `
		SELECT ` + orderColumns + `
		FROM issuance_order
		WHERE id = ? AND organisation = ?`

	listSQL = `
		SELECT ` + orderColumns + `
		FROM issuance_order
		WHERE organisation = ?
			AND (? = '' OR id < ?)
			AND (? = '' OR product = ?)
			AND (? = '' OR state = ?)
		ORDER BY id DESC
		LIMIT ?`

	moveSQL = `
		UPDATE issuance_order
		SET state = ?, reason = ?, ended_at = ?
		WHERE id = ? AND state = ?`

	// Counts rows as registered, if the order still issues and nobody else counted them.
	countSQL = `
		UPDATE issuance_order
		SET done = ?
		WHERE id = ? AND state = 'issuing' AND done = ?`

	downloadedSQL = `
		UPDATE issuance_order
		SET downloaded_at = ?
		WHERE id = ? AND downloaded_at IS NULL`

	rangesSQL = `
		SELECT seq, pool, first, last
		FROM issuance_range
		WHERE batch = ?
		ORDER BY seq`

	insertRangeSQL = `
		INSERT INTO issuance_range (batch, seq, pool, first, last)
		VALUES (?, ?, ?, ?, ?)`

	poolColumns = `id, name, origin, first, last, next, created_at`

	insertPoolSQL = `
		INSERT INTO mac_pool (id, name, origin, first, last, next, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?)`

	poolsSQL = `
		SELECT ` + poolColumns + `
		FROM mac_pool
		ORDER BY created_at, id`

	poolSQL = `
		SELECT ` + poolColumns + `
		FROM mac_pool
		WHERE id = ?`

	// The highest address of a pool that an order has.
	highestSQL = `
		SELECT last
		FROM issuance_range
		WHERE pool = ?
		ORDER BY last DESC
		LIMIT 1`
)

// An order that was registered whole and ends at an address: what wrote a mark.
const wholeSQL = `
	SELECT 1
	FROM issuance_range r
	JOIN issuance_order o ON o.id = r.batch
	WHERE r.pool = ? AND r.last = ? AND o.done = o.quantity`

func insert(ctx context.Context, tx *store.Tx, o *Order) error {
	_, err := tx.Exec(ctx, insertSQL, o.ID, o.Organisation, o.Product, o.Quantity, o.Purpose, o.Note, o.State, o.Generation, o.RequestedBy, o.CreatedAt.UnixMilli())
	if err != nil {
		return fmt.Errorf("adding order %s: %w", o.ID, err)
	}
	return nil
}

// load returns an order of who's organisation as q sees it.
func load(ctx context.Context, q store.Querier, who access.Actor, id string) (Order, error) {
	o, err := scan(q.QueryRow(ctx, loadSQL, id, who.Organisation))
	if errors.Is(err, sql.ErrNoRows) {
		return Order{}, fault.NotFound("order", id)
	}
	if err != nil {
		return Order{}, fmt.Errorf("reading order %s: %w", id, err)
	}
	return o, nil
}

func list(ctx context.Context, q store.Querier, organisation string, f Filter) ([]Order, error) {
	rows, err := q.Query(ctx, listSQL, organisation, f.After, f.After, f.Product, f.Product, f.State, f.State, f.Limit+1)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	page := []Order{}
	for rows.Next() {
		o, err := scan(rows)
		if err != nil {
			return nil, err
		}
		page = append(page, o)
	}
	return page, rows.Err()
}

type scanner interface{ Scan(dest ...any) error }

func scan(row scanner) (Order, error) {
	var o Order
	var created int64
	var ended, downloaded sql.NullInt64
	err := row.Scan(&o.ID, &o.Organisation, &o.Product, &o.Quantity, &o.Purpose, &o.Note, &o.State, &o.Reason, &o.Done, &o.Generation,
		&o.Job, &o.RequestedBy, &created, &ended, &downloaded)
	o.CreatedAt, o.EndedAt, o.DownloadedAt = at(created), at(ended.Int64), at(downloaded.Int64)
	return o, err
}
