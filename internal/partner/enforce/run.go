package enforce

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

// lookEvery is how late an event, or the state that a row shows, may be. What a measure refuses is never late.
const lookEvery = time.Second

// Run writes down that measures started and ended, hands events on, and sees to deletions, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		if err := s.Tick(ctx); err != nil && ctx.Err() == nil {
			s.c.Logger.LogAttrs(ctx, slog.LevelWarn, "measures could not be moved on, they will be", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		case <-s.wake:
		}
	}
}

// Tick does what Run does once a second. Tests call it instead of Run.
func (s *Service) Tick(ctx context.Context) error {
	if by := s.jumps.Look(s.c.Now()); by != 0 && s.c.Logger != nil {
		s.c.Logger.LogAttrs(ctx, slog.LevelError, "the clock jumped: nothing is deleted for its age for a day; set the clock right", slog.Duration("by", by))
	}
	return errors.Join(
		s.clock(ctx, "state = 'scheduled' AND starts_at <= ?", Start),
		s.clock(ctx, "ends_at > 0 AND ends_at <= ?", End),
		s.followOrders(ctx),
		s.resume(ctx),
		s.handOn(ctx),
	)
}

// clock moves measures whose time has come.
func (s *Service) clock(ctx context.Context, due string, act Act) error {
	who := access.Clock("enforcement", "")
	return s.each(ctx, due, s.c.Now(), func(m *Measure) error {
		err := s.c.Store.Write(store.Urgent(ctx), func(tx *store.Tx) error {
			if m.State == Scheduled { // also where it was over before anybody looked
				if err := s.start(ctx, tx, who, m); err != nil || m.State == Scheduled {
					return err
				}
			}
			if act == Start {
				return nil
			}
			return s.close(ctx, tx, who, m, End, "")
		})
		if err != nil && !fault.Is(err, fault.Outdated) { // somebody was faster
			return fmt.Errorf("%sing measure %s: %w", act, m.ID, err)
		}
		return nil
	})
}

// each calls fn for the measures that are not closed and due at now, by their start, so many at once. One that fails keeps
// none of the others back.
func (s *Service) each(ctx context.Context, due string, now time.Time, fn func(*Measure) error) error {
	const atOnce = 100
	var errs []error
	for last := (Measure{Starts: time.UnixMilli(0)}); ; {
		ms, err := s.due(ctx, due, now, &last, atOnce)
		if err != nil {
			return errors.Join(append(errs, fmt.Errorf("finding measures of which %s: %w", due, err))...)
		}
		for i := range ms {
			last = ms[i]
			if err := fn(&ms[i]); err != nil {
				errs = append(errs, err)
			}
		}
		if len(ms) < atOnce || ctx.Err() != nil {
			return errors.Join(errs...)
		}
	}
}

func (s *Service) due(ctx context.Context, due string, now time.Time, after *Measure, limit int) (ms []Measure, err error) {
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, "SELECT "+measureColumns+" FROM enforce_measure WHERE closed_at = 0 AND "+due+`
			AND starts_at >= ? AND (starts_at > ? OR id > ?)
			ORDER BY starts_at, id
			LIMIT ?`, now.UnixMilli(), after.Starts.UnixMilli(), after.Starts.UnixMilli(), after.ID, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			m, err := scanMeasure(rows)
			if err != nil {
				return err
			}
			ms = append(ms, m)
		}
		return rows.Err()
	})
	return ms, err
}

// start notes that a measure is in force now. One that somebody else has moved meanwhile stays as it is.
func (s *Service) start(ctx context.Context, tx *store.Tx, who access.Actor, m *Measure) error {
	to, err := moves.Next(m.State, Start, who)
	if err != nil {
		return err
	}
	r, err := tx.Exec(ctx, "UPDATE enforce_measure SET state = ? WHERE id = ? AND state = ?", to, m.ID, m.State)
	if err != nil {
		return fmt.Errorf("starting measure %s: %w", m.ID, err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return err
	}
	m.State = to
	if err := s.changed(ctx, tx, m); err != nil {
		return err
	}
	if err := s.event(ctx, tx, m.ID, m.Organisation, "started", ""); err != nil {
		return err
	}
	return audit.Record(ctx, tx, who, "enforcement."+string(Start), m.ID, m.Subject.String())
}

// ordered is what was ordered to be deleted by a day that has passed. While its deletion is announced for another reason,
// which can be called back, it waits.
const ordered = `kind = 'order_deletion' AND state = 'in_force' AND due_at <= ? AND NOT EXISTS (
	SELECT 1 FROM enforce_deletion d
	WHERE d.ended_at = 0 AND d.state = 'announced' AND d.subject_kind = enforce_measure.subject_kind AND d.subject = enforce_measure.subject)`

// followOrders announces the deletion of what was ordered to be deleted by a day that has passed, unless it is gone or
// somebody still has to decide about the order.
func (s *Service) followOrders(ctx context.Context) error {
	now := s.c.Now()
	return s.each(ctx, ordered, now, func(m *Measure) error {
		if err := s.followOrder(ctx, m, now); err != nil && !fault.Is(err, fault.Outdated) {
			return fmt.Errorf("following order %s up: %w", m.ID, err)
		}
		return nil
	})
}

func (s *Service) followOrder(ctx context.Context, m *Measure, now time.Time) error {
	who := access.Clock("enforcement", "")
	_, err := s.c.Owner(ctx, m.Subject)
	gone := fault.Is(err, fault.Missing)
	if err != nil && !gone {
		return err
	}
	return s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if !gone {
			if gone, err = deleted(ctx, tx, m.Subject, m.Organisation); err != nil {
				return err
			}
		}
		if gone {
			return s.close(ctx, tx, who, m, End, "fulfilled: what was to be deleted is deleted")
		}
		if waits, err := appealed(ctx, tx, m.ID); err != nil || waits {
			return err
		}
		next := *m
		if err := s.close(ctx, tx, who, m, End, "the day has passed"); err != nil {
			return err
		}
		next.ID, next.Kind, next.State, next.Starts, next.Created, next.Ends = newID(), DeleteData, InForce, moment(now.UnixMilli()), moment(now.UnixMilli()), time.Time{}
		next.Reason = "not deleted by " + fault.Stamp(m.Due) + " as ordered: " + m.Reason
		next.Due, next.AppealUntil = moment(now.Add(s.c.Hold).UnixMilli()), moment(now.Add(s.c.AppealTime).UnixMilli())
		return s.impose(ctx, tx, who, next)
	})
}

// deleted says whether a subject, or all of its organisation, is being deleted for good, or is.
func deleted(ctx context.Context, q store.Querier, of Subject, organisation string) (bool, error) {
	var n int
	err := q.QueryRow(ctx, `
		SELECT COUNT(*) FROM enforce_deletion
		WHERE state IN ('erasing', 'done') AND (subject_kind = ? AND subject = ? OR subject_kind = 'organisation' AND subject = ?)`,
		of.Kind, of.ID, organisation).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("looking for a deletion of %s: %w", of, err)
	}
	return n > 0, nil
}

// errNobody says that there is nobody any more to tell.
var errNobody = errors.New("the organisation is deleted")

// somebody is errNobody once the deletion of an organisation has begun: a message to it would outlive the proof.
func somebody(ctx context.Context, q store.Querier, organisation string) error {
	gone, err := deleted(ctx, q, Subject{Kind: KindOrganisation, ID: organisation}, organisation)
	if err == nil && gone {
		return errNobody
	}
	return err
}

// handOn gives events to whoever tells organisations, oldest first. What cannot be handed on stays.
func (s *Service) handOn(ctx context.Context) error {
	if s.c.Tell == nil {
		return nil
	}
	var open []Event
	err := s.c.Store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, "SELECT "+eventColumns+" FROM enforce_event WHERE told_at = 0 ORDER BY id LIMIT 100")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			e, err := scanEvent(rows)
			if err != nil {
				return err
			}
			open = append(open, e)
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("reading open events: %w", err)
	}
	for _, e := range open {
		err := s.c.Tell(store.Before(ctx, func(ctx context.Context, tx *store.Tx) error { return somebody(ctx, tx, e.Organisation) }), e)
		if err != nil && !errors.Is(err, errNobody) {
			s.c.Logger.LogAttrs(ctx, slog.LevelWarn, "an event of a measure was not handed on, it will be", slog.String("event", e.ID), slog.Any("error", err))
			return nil
		}
		err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE enforce_event SET told_at = ? WHERE id = ?", s.c.Now().UnixMilli(), e.ID)
			return err
		})
		if err != nil {
			return fmt.Errorf("noting that event %s was told: %w", e.ID, err)
		}
	}
	return nil
}
