package device

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/store"
	"lampworks/internal/partner/issuance"
)

const identifySQL = `
	SELECT d.id, d.organisation, d.batch, d.state
	FROM device d
	JOIN issuance_order o ON o.id = d.batch
	WHERE d.product = ? AND d.name = ? AND o.state = 'issued'`

const columns = `d.id, d.organisation, d.product, d.name, d.batch, d.generation, d.state, d.created_at, d.activated_at,
	COALESCE(p.online, 0), p.seen_at, COALESCE(p.reason, ''), COALESCE(p.address, '')`

const from = `
	FROM device d
	JOIN issuance_order o ON o.id = d.batch
	LEFT JOIN device_presence p ON p.device = d.id
	WHERE o.state = 'issued'`

const loadSQL = `SELECT ` + columns + from + ` AND d.id = ?`

// rowsAtOnce is how many devices one INSERT statement carries; more gains nothing and costs memory to parse.
const rowsAtOnce = 100

func insert(ctx context.Context, tx *store.Tx, order issuance.Order, rows []issuance.Row, now time.Time) error {
	const head = `INSERT INTO device (id, organisation, product, name, batch, generation, state, created_at) VALUES `
	const row = `(?, ?, ?, ?, ?, ?, 'enabled', ?)`
	whole := head + strings.Repeat(row+", ", rowsAtOnce-1) + row
	args := make([]any, 0, rowsAtOnce*7)
	for len(rows) > 0 {
		n := min(len(rows), rowsAtOnce)
		args = args[:0]
		for _, r := range rows[:n] {
			id, err := uuid.NewV7()
			if err != nil {
				return fmt.Errorf("drawing a device id: %w", err)
			}
			args = append(args, id.String(), order.Organisation, order.Product, r.MAC.String(), order.ID, r.Generation, now.UnixMilli())
		}
		statement := whole
		if n < rowsAtOnce {
			statement = head + strings.Repeat(row+", ", n-1) + row
		}
		if _, err := tx.Exec(ctx, statement, args...); err != nil {
			return fmt.Errorf("registering %d devices of order %s: %w", n, order.ID, err)
		}
		rows = rows[n:]
	}
	return nil
}

type scanner interface{ Scan(dest ...any) error }

func scan(row scanner) (Device, error) {
	var d Device
	var created int64
	var activated, seen sql.NullInt64
	err := row.Scan(&d.ID, &d.Organisation, &d.Product, &d.Name, &d.Order, &d.Generation, &d.State, &created, &activated,
		&d.Online, &seen, &d.Reason, &d.Address)
	d.CreatedAt = time.UnixMilli(created).UTC()
	if activated.Valid {
		d.ActivatedAt = time.UnixMilli(activated.Int64).UTC()
	}
	if seen.Valid {
		d.SeenAt = time.UnixMilli(seen.Int64).UTC()
	}
	return d, err
}
