package verify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// every is how often the clock looks, if nothing wakes it.
const every = time.Minute

// batch is how many things the clock does of a sort before it looks at the others.
const batch = 100

// Run warns, ends what has come to its end, hands consequences on and deletes what is to be deleted, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		if err := s.Tick(ctx); err != nil && ctx.Err() == nil {
			s.c.Logger.LogAttrs(ctx, slog.LevelWarn, "verifications could not be moved on, they will be", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		case <-s.wake:
		}
	}
}

// Tick does everything that is due. What fails does not keep the rest from being done.
func (s *Service) Tick(ctx context.Context) error {
	return errors.Join(s.each(ctx, dueCasesSQL, ms(s.now()), s.tickCase), s.tickGrants(ctx), s.handOn(ctx), s.clean(ctx))
}

const dueCasesSQL = "SELECT organisation FROM verify_case WHERE next_at > 0 AND next_at <= ? ORDER BY next_at LIMIT 100"

// each does something for every id that a query gives, until none are left or nothing goes on.
func (s *Service) each(ctx context.Context, query string, arg any, do func(context.Context, string) error) error {
	for ctx.Err() == nil {
		ids, err := s.ids(ctx, query, arg)
		if err != nil {
			return err
		}
		var errs []error
		for _, id := range ids {
			if err := do(ctx, id); err != nil {
				errs = append(errs, err)
			}
		}
		if len(errs) > 0 || len(ids) < batch {
			return errors.Join(errs...)
		}
	}
	return ctx.Err()
}

func (s *Service) ids(ctx context.Context, query string, args ...any) (ids []string, err error) {
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("looking for what is due: %w", err)
	}
	return ids, nil
}

// tickCase does what is due for one verification: its end, the end of what was asked for, or a warning.
func (s *Service) tickCase(ctx context.Context, organisation string) error {
	who := access.Clock("verify", "")
	return s.c.Store.Write(ctx, func(tx *store.Tx) error {
		c, err := s.load(ctx, tx, who, organisation)
		if err != nil {
			return err
		}
		var name, note string
		now := s.now()
		switch at := c.next(); {
		case at.IsZero() || at.After(now):
			return nil // somebody was faster
		case c.overdue(now):
			name, note = string(Lapse), lapseNote(c)
			err = s.lapse(ctx, tx, c)
		case !c.ExpiresAt.IsZero() && !c.ExpiresAt.After(now):
			name, note = string(Expire), "a paper has expired on "+dateText(c.ExpiresAt.Add(-day))
			err = s.expire(ctx, tx, who, c)
		default:
			name = "warn"
			note, err = s.warn(ctx, tx, c)
		}
		if err != nil {
			return err
		}
		if err := s.save(ctx, tx, c); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "verification."+name, organisation, note)
	})
}

func lapseNote(c *Case) string { return "what was asked for did not come, then " + c.Ask.Consequence }

// overtake does what the clock would do, where an act comes before it to a case whose date has passed: no act slips through
// between.
func (s *Service) overtake(ctx context.Context, tx *store.Tx, c *Case) error {
	if !c.overdue(s.now()) {
		return nil
	}
	note := lapseNote(c)
	if err := s.lapse(ctx, tx, c); err != nil {
		return err
	}
	return audit.Record(ctx, tx, access.Clock("verify", ""), "verification."+string(Lapse), c.Organisation, note)
}

// lapse lets the consequence follow of what was asked for. What has expired by another way meanwhile is as far down as it can be.
func (s *Service) lapse(ctx context.Context, tx *store.Tx, c *Case) error {
	ask := c.Ask
	if c.State.asked() {
		if err := c.move(Lapse, access.Clock("verify", "")); err != nil {
			return err
		}
	}
	c.Ask, c.DueAt = nil, time.Time{}
	if ask.Consequence == EndsAgreement {
		if err := s.consequence(ctx, tx, c, EndsAgreement, ask.Text); err != nil {
			return err
		}
	}
	return s.tell(ctx, tx, c.Organisation, "verification.expired", map[string]string{"reason": ask.Text, "consequence": ask.Consequence})
}

func (s *Service) expire(ctx context.Context, tx *store.Tx, who access.Actor, c *Case) error {
	until := dateText(c.ExpiresAt.Add(-day))
	if err := c.move(Expire, who); err != nil {
		return err
	}
	return s.tell(ctx, tx, c.Organisation, "verification.expired", map[string]string{"until": until})
}

// warn tells that the verification will end; after a pause, once for all the warnings that have passed.
func (s *Service) warn(ctx context.Context, tx *store.Tx, c *Case) (string, error) {
	c.warned = lastWarning(c.ExpiresAt, s.now())
	return fmt.Sprintf("ends within %d days", c.warned), s.tell(ctx, tx, c.Organisation, "verification.expiring", map[string]string{"until": dateText(c.ExpiresAt.Add(-day))})
}

// lastWarning is the warning that is due now: the shortest of those whose time has come.
func lastWarning(end, now time.Time) (days int) {
	for _, d := range warnings() {
		if !end.Add(-time.Duration(d) * day).After(now) {
			days = d
		}
	}
	return days
}

// tickGrants warns that qualifications will end, and tells when they have.
func (s *Service) tickGrants(ctx context.Context) error {
	return s.each(ctx, "SELECT organisation FROM verify_grant WHERE next_at > 0 AND next_at <= ? GROUP BY organisation LIMIT 100", ms(s.now()), func(ctx context.Context, organisation string) error {
		return s.c.Store.Write(ctx, func(tx *store.Tx) error { return s.tickGrantsOf(ctx, tx, organisation) })
	})
}

type dueGrant struct {
	qualification string
	until         time.Time
}

func (s *Service) tickGrantsOf(ctx context.Context, tx *store.Tx, organisation string) error {
	now := s.now()
	due, err := dueGrants(ctx, tx, organisation, now)
	if err != nil {
		return err
	}
	for _, g := range due {
		kind, warned, next := "verification.qualification_expiring", lastWarning(g.until, now), int64(0)
		if !g.until.After(now) {
			kind = "verification.qualification_expired"
		} else {
			warning := nextWarning(g.until, warned)
			next = ms(earliest(g.until, warning))
		}
		_, err := tx.Exec(ctx, "UPDATE verify_grant SET warned = ?, next_at = ? WHERE organisation = ? AND qualification = ?", warned, next, organisation, g.qualification)
		if err != nil {
			return fmt.Errorf("warning organisation %s about %s: %w", organisation, g.qualification, err)
		}
		data := map[string]string{"qualification": g.qualification, "until": dateText(g.until.Add(-day))}
		if err := s.tell(ctx, tx, organisation, kind, data); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, access.Clock("verify", ""), kind, organisation, g.qualification); err != nil {
			return err
		}
	}
	return nil
}

func dueGrants(ctx context.Context, q store.Querier, organisation string, now time.Time) (out []dueGrant, err error) {
	rows, err := q.Query(ctx, `
		SELECT qualification, valid_until
		FROM verify_grant
		WHERE organisation = ? AND next_at > 0 AND next_at <= ?
		ORDER BY qualification`, organisation, ms(now))
	if err != nil {
		return nil, fmt.Errorf("reading the qualifications of organisation %s: %w", organisation, err)
	}
	defer rows.Close()
	for rows.Next() {
		var g dueGrant
		var until int64
		if err := rows.Scan(&g.qualification, &until); err != nil {
			return nil, err
		}
		g.until = moment(until)
		out = append(out, g)
	}
	return out, rows.Err()
}

// consequence writes down what the operator's measures have to do.
func (s *Service) consequence(ctx context.Context, tx *store.Tx, c *Case, kind, reason string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO verify_consequence (id, organisation, kind, reason, submission, at, done_at)
		VALUES (?, ?, ?, ?, ?, ?, 0)`, newID(), c.Organisation, kind, reason, c.Submission, ms(s.now()))
	if err != nil {
		return fmt.Errorf("writing down a consequence for organisation %s: %w", c.Organisation, err)
	}
	return nil
}

// takeBack ends what false papers brought: what was not carried out never is, and what was, the operator's measures are told.
func (s *Service) takeBack(ctx context.Context, tx *store.Tx, c *Case, reason string) error {
	_, err := tx.Exec(ctx, "UPDATE verify_consequence SET done_at = ? WHERE organisation = ? AND kind = ? AND done_at = 0", ms(s.now()), c.Organisation, FalsePapers)
	if err != nil {
		return fmt.Errorf("taking consequences for organisation %s back: %w", c.Organisation, err)
	}
	return s.consequence(ctx, tx, c, TruePapers, reason)
}

// handOn hands consequences to the operator's measures, each once: it is marked in the transaction that carries it out.
func (s *Service) handOn(ctx context.Context) error {
	if s.c.Enforce == nil {
		return nil
	}
	return s.each(ctx, "SELECT id FROM verify_consequence WHERE done_at = ? ORDER BY id LIMIT 100", 0, func(ctx context.Context, id string) error {
		c := Consequence{ID: id}
		err := s.c.Store.Read(ctx, func(v *store.View) error {
			return v.QueryRow(ctx, "SELECT organisation, kind, reason, submission FROM verify_consequence WHERE id = ?", id).
				Scan(&c.Organisation, &c.Kind, &c.Reason, &c.Submission)
		})
		if err != nil {
			return fmt.Errorf("reading consequence %s: %w", id, err)
		}
		marked := store.Alongside(ctx, func(ctx context.Context, tx *store.Tx) error {
			r, err := tx.Exec(ctx, "UPDATE verify_consequence SET done_at = ? WHERE id = ? AND done_at = 0", ms(s.now()), id)
			if err != nil {
				return err
			}
			if n, err := r.RowsAffected(); err != nil || n == 0 {
				return errors.Join(err, fault.Stale("consequence", id))
			}
			return nil
		})
		if err := s.c.Enforce(marked, c); err != nil {
			return fmt.Errorf("handing on consequence %s for organisation %s: %w", id, c.Organisation, err)
		}
		return nil
	})
}

// clean deletes the bytes of papers that are no more.
func (s *Service) clean(ctx context.Context) error {
	return s.each(ctx, "SELECT blob FROM verify_waste WHERE blob > ? ORDER BY blob LIMIT 100", "", func(ctx context.Context, id string) error {
		if err := s.c.Blobs.Remove(ctx, id); err != nil {
			return err
		}
		return s.c.Store.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, "DELETE FROM verify_waste WHERE blob = ?", id)
			return err
		})
	})
}
