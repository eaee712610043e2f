package device

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/store"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/issuance"
)

const identifySQL = `
	SELECT ` + issuance.HeldColumns + `, ` + enforce.OpenSQL + `, d.id, d.organisation, d.batch, d.state, COALESCE(p.reason, '')
	FROM device d
	JOIN issuance_order o ON o.id = d.batch
	` + issuance.HeldJoin + `
	LEFT JOIN device_presence p ON p.device = d.id
	WHERE d.product = ? AND d.name = ? AND o.state = 'issued'`

const columns = `d.id, d.organisation, d.product, d.name, d.batch, d.generation, d.state, d.created_at, d.activated_at,
	d.reset_at, COALESCE(p.online, 0), p.seen_at, COALESCE(p.reason, ''), COALESCE(p.address, ''),
	COALESCE((SELECT t.gateway FROM device_child t WHERE t.child = d.id), '')`

const from = `
	FROM device d
	JOIN issuance_order o ON o.id = d.batch
	LEFT JOIN device_presence p ON p.device = d.id
	WHERE o.state = 'issued'`

const loadSQL = `SELECT ` + columns + from + ` AND d.id = ?`

func insert(ctx context.Context, tx *store.Tx, order issuance.Order, rows []issuance.Row, now time.Time) error {
	var drawn error
	values := make([]any, 8)
	err := tx.Insert(ctx, "INSERT INTO device (id, organisation, product, name, batch, generation, state, created_at)", func(yield func([]any) bool) {
		for _, r := range rows {
			id, err := uuid.NewV7()
			if err != nil {
				drawn = fmt.Errorf("drawing a device id: %w", err)
				return
			}
			values = append(values[:0], id.String(), order.Organisation, order.Product, r.MAC.String(), order.ID, r.Generation, string(Enabled), now.UnixMilli())
			if !yield(values) {
				return
			}
		}
	})
	if err = errors.Join(drawn, err); err != nil {
		return fmt.Errorf("registering %d devices of order %s: %w", len(rows), order.ID, err)
	}
	return nil
}

type scanner interface{ Scan(dest ...any) error }

func scan(row scanner) (Device, error) {
	var d Device
	var created int64
	var activated, reset, seen sql.NullInt64
	err := row.Scan(&d.ID, &d.Organisation, &d.Product, &d.Name, &d.Order, &d.Generation, &d.State, &created, &activated, &reset,
		&d.Online, &seen, &d.Reason, &d.Address, &d.Gateway)
	d.CreatedAt = time.UnixMilli(created).UTC()
	if activated.Valid {
		d.ActivatedAt = time.UnixMilli(activated.Int64).UTC()
	}
	if reset.Valid {
		d.ResetAt = time.UnixMilli(reset.Int64).UTC()
	}
	if seen.Valid {
		d.SeenAt = time.UnixMilli(seen.Int64).UTC()
	}
	return d, err
}
