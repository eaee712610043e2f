package outbox

import (
	"context"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// A Dead message is one that was given up. It does not say whose it was: operators see that something is wrong, and where.
type Dead struct {
	ID           string
	Kind         string
	Organisation string
	MadeAt       time.Time
	EndedAt      time.Time
	Tries        int
	Error        string
}

// Dead gives a page of the messages that were given up in the last 30 days, in the order they were made. Filters: kind,
// organisation. Sorts: made_at, ended_at. The operator only.
func (o *Outbox) Dead(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[Dead], err error) {
	if err := who.Check(access.OperatePlatform); err != nil {
		return page, err
	}
	err = o.store.Read(ctx, func(v *store.View) error {
		page, err = dead().Read(ctx, v, ask)
		return err
	})
	return page, err
}

func dead() *listing.List[Dead] {
	l := &listing.List[Dead]{
		Object: "dead message", Columns: "id, kind, organisation, made_at, ended_at, tries, error", From: "outbox_message", Where: "state = 'dead'",
		Fields: []listing.Field{
			{Name: "kind"}, {Name: "organisation"}, {Name: "made_at", Column: "id", Parse: listing.MadeAt}, {Name: "ended_at", Parse: listing.Millis},
		},
		Scan: func(row listing.Scanner) (d Dead, err error) {
			var made, ended int64
			err = row.Scan(&d.ID, &d.Kind, &d.Organisation, &made, &ended, &d.Tries, &d.Error)
			d.MadeAt, d.EndedAt = time.UnixMilli(made).UTC(), time.UnixMilli(ended).UTC()
			return d, err
		},
	}
	for _, filters := range [][]string{nil, {"kind"}, {"organisation"}, {"organisation", "kind"}} {
		for _, sort := range []string{"", "made_at", "ended_at"} {
			l.Ways = append(l.Ways, listing.Way{Filters: filters, Sort: sort})
		}
	}
	return l
}

// Erase forgets the messages on the account of a subject, at most about limit of them.
func (o *Outbox) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	if kind != "organisation" {
		return false, nil
	}
	res, err := tx.Exec(ctx, "DELETE FROM outbox_message WHERE id IN (SELECT id FROM outbox_message WHERE organisation = ? LIMIT ?)", id, limit)
	if err != nil {
		return false, fmt.Errorf("erasing the messages of organisation %s: %w", id, err)
	}
	n, err := res.RowsAffected()
	return n >= int64(limit), err
}

// Holds counts what is left of a subject.
func (o *Outbox) Holds(ctx context.Context, q store.Querier, kind, id string) (n int64, err error) {
	if kind != "organisation" {
		return 0, nil
	}
	err = q.QueryRow(ctx, "SELECT COUNT(*) FROM outbox_message WHERE organisation = ?", id).Scan(&n)
	return n, err
}
