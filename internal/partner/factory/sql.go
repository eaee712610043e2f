package factory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/triple"
)

const logColumns = `l.id, l.batch, l.product, l.organisation, l.name, l.hash, l.state, l.reason, l.lines, l.burned, l.failed, l.repeated,
	l.doubled, l.strange, l.wrong, l.job, l.created_by, l.created_at, l.ended_at`

var logs = listing.List[Log]{
	Object:  "burn log",
	Columns: logColumns,
	From:    "factory_log l",
	Key:     "l.id",
	Newest:  true,
	Fields:  []listing.Field{{Name: "organisation", Column: "l.organisation"}, {Name: "order", Column: "l.batch"}},
	Ways: []listing.Way{
		{Filters: []string{"order"}, Rest: []string{"organisation"}, Bound: "an order is of one organisation"},
		{Filters: []string{"organisation"}},
		{},
	},
	Scan: func(row listing.Scanner) (Log, error) { return scanLog(row) },
}

var burns = listing.List[Burn]{
	Object:  "burned address",
	Columns: "b.mac, b.result, b.at, b.station, b.log, b.line",
	From:    "factory_burn b",
	Key:     "b.mac",
	Fields:  []listing.Field{{Name: "order", Column: "b.batch"}, {Name: "result", Column: "b.result"}},
	Ways:    []listing.Way{{Filters: []string{"order"}, Rest: []string{"result"}, Bound: "an order has at most 1,000,000 addresses"}},
	Scan: func(row listing.Scanner) (b Burn, err error) {
		var mac uint64
		var when int64
		err = row.Scan(&mac, &b.Result, &when, &b.Station, &b.Log, &b.Line)
		b.MAC, b.At = triple.MACOf(mac), at(when)
		return b, err
	},
}

var flaws = listing.List[Flaw]{
	Object:  "row",
	Columns: "f.line, f.kind, f.got, f.rule",
	From:    "factory_flaw f",
	Key:     "f.line",
	Fields:  []listing.Field{{Name: "log", Column: "f.log"}},
	Ways:    []listing.Way{{Filters: []string{"log"}}},
	Scan: func(row listing.Scanner) (f Flaw, err error) {
		err = row.Scan(&f.Line, &f.Kind, &f.Got, &f.Rule)
		return f, err
	},
}

func insertLog(ctx context.Context, tx *store.Tx, l *Log) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO factory_log (id, batch, product, organisation, name, hash, state, reason, lines, burned, failed, repeated, doubled, strange, wrong,
			job, created_by, created_at)
		VALUES (?, ?, ?, ?, ?, '', ?, '', 0, 0, 0, 0, 0, 0, 0, '', ?, ?)`,
		l.ID, l.Order, l.Product, l.Organisation, l.Name, l.State, l.CreatedBy, l.CreatedAt.UnixMilli())
	if err != nil {
		return fmt.Errorf("adding a burn log of order %s: %w", l.Order, err)
	}
	return nil
}

func load(ctx context.Context, q store.Querier, who access.Actor, id string) (Log, error) {
	query, args := "SELECT "+logColumns+" FROM factory_log l WHERE l.id = ?", []any{id}
	if !who.Everywhere() {
		query, args = query+" AND l.organisation = ?", append(args, who.Organisation)
	}
	l, err := scanLog(q.QueryRow(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return Log{}, fault.NotFound("burn log", id)
	}
	if err != nil {
		return Log{}, fmt.Errorf("reading burn log %s: %w", id, err)
	}
	return l, nil
}

type scanner interface{ Scan(dest ...any) error }

func scanLog(row scanner) (Log, error) {
	var l Log
	var created int64
	var ended sql.NullInt64
	err := row.Scan(&l.ID, &l.Order, &l.Product, &l.Organisation, &l.Name, &l.hash, &l.State, &l.Reason, &l.Lines, &l.Burned, &l.Failed, &l.Repeated,
		&l.Doubled, &l.Foreign, &l.Wrong, &l.Job, &l.CreatedBy, &created, &ended)
	l.CreatedAt, l.EndedAt = at(created), at(ended.Int64)
	return l, err
}

// between lists the addresses of an order from first to last that something is known of.
func between(ctx context.Context, q store.Querier, order string, first, last uint64) (map[uint64]bool, error) {
	rows, err := q.Query(ctx, "SELECT mac FROM factory_burn WHERE batch = ? AND mac BETWEEN ? AND ?", order, first, last)
	if err != nil {
		return nil, fmt.Errorf("reading what was burned of order %s: %w", order, err)
	}
	defer rows.Close()
	known := make(map[uint64]bool)
	for rows.Next() {
		var mac uint64
		if err := rows.Scan(&mac); err != nil {
			return nil, fmt.Errorf("reading what was burned of order %s: %w", order, err)
		}
		known[mac] = true
	}
	return known, rows.Err()
}

// find reads what is known of an address.
func find(ctx context.Context, q store.Querier, order string, mac triple.MAC) (b Burn, known bool, err error) {
	var when int64
	err = q.QueryRow(ctx, "SELECT result, at, station, log, line FROM factory_burn WHERE batch = ? AND mac = ?", order, mac.Uint64()).
		Scan(&b.Result, &when, &b.Station, &b.Log, &b.Line)
	if errors.Is(err, sql.ErrNoRows) {
		return b, false, nil
	}
	if err != nil {
		return b, false, fmt.Errorf("reading what was burned of %s: %w", mac, err)
	}
	b.MAC, b.At = mac, at(when)
	return b, true, nil
}

func put(ctx context.Context, tx *store.Tx, order string, b *Burn) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO factory_burn (batch, mac, result, at, station, log, line)
		VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (batch, mac) DO UPDATE SET result = excluded.result, at = excluded.at, station = excluded.station, log = excluded.log, line = excluded.line`,
		order, b.MAC.Uint64(), b.Result, b.At.UnixMilli(), b.Station, b.Log, b.Line)
	if err != nil {
		return fmt.Errorf("writing what was burned of %s: %w", b.MAC, err)
	}
	return nil
}

// Erase removes what the room knows of an organisation, a product or a batch (an order), some limit rows a call; more says
// that there is more.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	column := columnOf(kind)
	if column == "" {
		return false, nil
	}
	var log, batch string
	err = tx.QueryRow(ctx, "SELECT id, batch FROM factory_log WHERE "+column+" = ? ORDER BY id LIMIT 1", id).Scan(&log, &batch)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for burn logs of %s %s: %w", kind, id, err)
	}
	for _, part := range []struct{ query, of string }{
		{"DELETE FROM factory_burn WHERE batch = ? AND mac IN (SELECT mac FROM factory_burn WHERE batch = ? ORDER BY mac LIMIT ?)", batch},
		{"DELETE FROM factory_flaw WHERE log = ? AND line IN (SELECT line FROM factory_flaw WHERE log = ? ORDER BY line LIMIT ?)", log},
	} {
		res, err := tx.Exec(ctx, part.query, part.of, part.of, limit)
		if err != nil {
			return false, fmt.Errorf("erasing burn log %s: %w", log, err)
		}
		if n, err := res.RowsAffected(); err != nil || n >= int64(limit) {
			return true, err
		}
	}
	return true, drop(ctx, tx, log)
}

// Holds counts the logs that the room still has of a subject; their rows go before they do.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (n int64, err error) {
	column := columnOf(kind)
	if column == "" {
		return 0, nil
	}
	if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM factory_log WHERE "+column+" = ?", id).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting the burn logs of %s %s: %w", kind, id, err)
	}
	return n, nil
}

func columnOf(kind string) string {
	switch kind {
	case "organisation", "product", "batch":
		return kind
	}
	return ""
}
