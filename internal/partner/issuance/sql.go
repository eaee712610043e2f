package issuance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const (
	orderColumns = `o.id, o.organisation, o.product, o.quantity, o.purpose, o.note, o.factory_name, o.factory_address, o.factory_contact,
		o.planned_at, o.list, o.list_from, COALESCE(l.id, ''), o.state, o.reason, o.done, o.generation, o.job, o.requested_by, o.decided_by,
		o.decided_at, o.created_at, o.ended_at, o.downloaded_at`

	orderFrom = `issuance_order o LEFT JOIN mac_list l ON l.number = o.list`

	insertSQL = `
		INSERT INTO issuance_order (id, organisation, product, quantity, purpose, note, factory_name, factory_address, factory_contact,
			planned_at, list, list_from, state, reason, done, generation, job, requested_by, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0, ?, '', ?, ?)`

	countOpenSQL = `
		SELECT COUNT(*)
		FROM issuance_order
		WHERE organisation = ? AND ended_at IS NULL`

	countOpenTriplesSQL = `
		SELECT COALESCE(SUM(quantity), 0)
		FROM issuance_order
		WHERE organisation = ? AND ended_at IS NULL AND purpose = 'mass' AND id <> ?`

	// What a product has, and will have, for debugging.
	countDebugSQL = `
		SELECT COALESCE(SUM(quantity), 0)
		FROM issuance_order
		WHERE product = ? AND purpose = 'debug' AND state IN ('requested', 'issuing', 'issued')`

	// What an organisation has, and will have, for mass production.
	countMassSQL = `
		SELECT COALESCE(SUM(quantity), 0)
		FROM issuance_order
		WHERE organisation = ? AND purpose = 'mass' AND state IN ('requested', 'issuing', 'issued')`

	memberSQL = `
		SELECT 1
		FROM member
		WHERE organisation = ? AND user_id = ?`

	loadSQL = `
		SELECT ` + orderColumns + `
		FROM ` + orderFrom + `
		WHERE o.id = ?`

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
	_, err := tx.Exec(ctx, insertSQL, o.ID, o.Organisation, o.Product, o.Quantity, o.Purpose, o.Note, o.Factory.Name, o.Factory.Address,
		o.Factory.Contact, instant(o.PlannedAt), o.list, o.listFrom, o.State, o.Generation, o.RequestedBy, o.CreatedAt.UnixMilli())
	if err != nil {
		return fmt.Errorf("adding order %s: %w", o.ID, err)
	}
	return nil
}

// instant is a time as a column has it, NULL for zero.
func instant(t time.Time) sql.NullInt64 {
	if t.IsZero() {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: true}
}

// load returns an order that who sees, as q does.
func load(ctx context.Context, q store.Querier, who access.Actor, id string) (Order, error) {
	query, args := loadSQL, []any{id}
	if !who.Everywhere() {
		query, args = query+" AND o.organisation = ?", append(args, who.Organisation)
	}
	o, err := scan(q.QueryRow(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) || err == nil && o.Organisation == "" { // what was erased is a number without an owner
		return Order{}, fault.NotFound("order", id)
	}
	if err != nil {
		return Order{}, fmt.Errorf("reading order %s: %w", id, err)
	}
	return o, nil
}

type scanner interface{ Scan(dest ...any) error }

func scan(row scanner) (Order, error) {
	var o Order
	var created int64
	var planned, decided, ended, downloaded sql.NullInt64
	err := row.Scan(&o.ID, &o.Organisation, &o.Product, &o.Quantity, &o.Purpose, &o.Note, &o.Factory.Name, &o.Factory.Address, &o.Factory.Contact,
		&planned, &o.list, &o.listFrom, &o.List, &o.State, &o.Reason, &o.Done, &o.Generation, &o.Job, &o.RequestedBy, &o.DecidedBy,
		&decided, &created, &ended, &downloaded)
	o.PlannedAt, o.DecidedAt = at(planned.Int64), at(decided.Int64)
	o.CreatedAt, o.EndedAt, o.DownloadedAt = at(created), at(ended.Int64), at(downloaded.Int64)
	return o, err
}
