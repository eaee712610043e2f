package outbox

import (
	"context"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
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

// Dead gives a page of the messages that were given up in the last 30 days, after an id, and whether more follow. The
// operator only.
func (o *Outbox) Dead(ctx context.Context, who access.Actor, after string, limit int) (all []Dead, more bool, err error) {
	if err := who.Check(access.OperatePlatform); err != nil {
		return nil, false, err
	}
	if limit < 1 || limit > 500 {
		limit = 100
	}
	err = o.store.Read(ctx, func(v *store.View) error {
		all = nil
		rows, err := v.Query(ctx, deadSQL, after, limit+1)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d Dead
			var made, ended int64
			if err := rows.Scan(&d.ID, &d.Kind, &d.Organisation, &made, &ended, &d.Tries, &d.Error); err != nil {
				return err
			}
			d.MadeAt, d.EndedAt = time.UnixMilli(made).UTC(), time.UnixMilli(ended).UTC()
			all = append(all, d)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, false, fmt.Errorf("listing dead messages: %w", err)
	}
	if len(all) > limit {
		return all[:limit], true, nil
	}
	return all, false, nil
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
