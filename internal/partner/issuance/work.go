package issuance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/store"
	"lampworks/triple"
)

const (
	jobKind = "issuance.issue"

	// chunk is how many triples one transaction registers: few enough that other writers wait for some 10 ms only.
	chunk = 500

	// patience is how many starts of the job an order is worth when what it needs is unavailable. It ends before the job gives up.
	patience = 12
)

// issue is the job of an order. It goes on where the last transaction ended, so that it can be stopped or killed at any time.
func (s *Service) issue(ctx context.Context, t *job.Task) error {
	system := access.System("issuance", t.Job.Organisation)
	err := s.register(ctx, t, system)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, job.ErrCancelled), errors.Is(context.Cause(ctx), job.ErrCancelled):
		// Through the order it has ended already; if somebody cancelled the job itself, the order ends here.
		err := s.give(context.WithoutCancel(ctx), system, t.Job.Object, StateCancelled, "its job was cancelled")
		return errors.Join(job.ErrCancelled, err)
	case ctx.Err() != nil:
		return err // the program stops; the next start goes on
	case fault.Passes(err) && t.Job.Attempts < patience:
		return err // the job tries again
	}
	return errors.Join(err, s.give(ctx, system, t.Job.Object, StateFailed, sentence(err)))
}

// give ends the order of a job without issuing it, unless it has ended.
func (s *Service) give(ctx context.Context, system access.Actor, id string, to State, reason string) error {
	return s.store.Write(ctx, func(tx *store.Tx) error {
		o, err := load(ctx, tx, system, id)
		if err != nil || o.State.Ended() {
			return err
		}
		act := Fail
		if to == StateCancelled {
			act = Cancel
		}
		if to, err = moves.Next(o.State, act, system); err != nil {
			return err
		}
		if err := s.end(ctx, tx, &o, to, reason); err != nil {
			return err
		}
		return audit.Record(ctx, tx, system, "order."+string(act), id, reason)
	})
}

// sentence is what people may read of an error.
func sentence(err error) string {
	if f := fault.Of(err); f != nil {
		return f.Sentence()
	}
	return "its triples could not be registered; the log of the program says more"
}

// register hands the triples of an order to the hook, chunk by chunk, and then makes the order issued.
func (s *Service) register(ctx context.Context, t *job.Task, system access.Actor) error {
	var o Order
	var from source
	marks := s.keys.HighWaters()
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		if o, err = load(ctx, v, system, t.Job.Object); err != nil {
			return err
		}
		if from, err = sourceOf(ctx, v, &o); err != nil || o.State != StateIssuing {
			return err
		}
		return current(ctx, v, marks, from.ranges)
	})
	if err != nil || o.State != StateIssuing {
		return err
	}
	rows := make([]Row, 0, chunk)
	for o.Done < o.Quantity {
		if rows, err = s.fill(ctx, rows[:0], &o, &from); err != nil {
			return err
		}
		if err := s.registerRows(ctx, t, &o, rows); err != nil {
			return err
		}
	}
	if err := s.mark(ctx, &o, from.ranges); err != nil {
		return err
	}
	return s.finish(ctx, system, &o)
}

func (s *Service) registerRows(ctx context.Context, t *job.Task, o *Order, rows []Row) error {
	done := o.Done + len(rows)
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, countSQL, done, o.ID, o.Done)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(job.ErrCancelled, err) // the order has ended meanwhile
		}
		if err := s.c.Issued(ctx, tx, *o, rows); err != nil {
			return err
		}
		return t.Progress(ctx, tx, int64(done), int64(o.Quantity))
	})
	if err != nil {
		return fmt.Errorf("registering triples %d to %d of order %s: %w", o.Done, done-1, o.ID, err)
	}
	o.Done = done
	return nil
}

// finish is the one transaction that makes all triples of an order usable.
func (s *Service) finish(ctx context.Context, system access.Actor, o *Order) error {
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		now, err := load(ctx, tx, system, o.ID)
		if err != nil {
			return err
		}
		if now.State.Ended() {
			return job.ErrCancelled // somebody was faster
		}
		to, err := moves.Next(now.State, Finish, system)
		if err != nil {
			return err
		}
		if err := s.move(ctx, tx, &now, to, ""); err != nil {
			return err
		}
		if now.list != 0 {
			if err := releaseList(ctx, tx, &now); err != nil {
				return err
			}
		}
		if err := s.openGeneration(ctx, tx, o.ID, o.Generation, ""); err != nil {
			return err
		}
		return audit.Record(ctx, tx, system, "order.issue", o.ID, fmt.Sprintf("%d triples", o.Quantity))
	})
	if err != nil {
		return fmt.Errorf("issuing order %s: %w", o.ID, err)
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "order issued", slog.String("order", o.ID), slog.Int("triples", o.Quantity))
	return nil
}

// fill appends the next rows of an order, a chunk at most.
func (s *Service) fill(ctx context.Context, rows []Row, o *Order, from *source) ([]Row, error) {
	var runs []run
	err := s.store.Read(ctx, func(v *store.View) (err error) {
		runs, err = from.runs(ctx, v, o.Done, min(chunk, o.Quantity-o.Done))
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, r := range runs {
		for mac := r.first; mac <= r.last; mac++ {
			rows = append(rows, Row{MAC: triple.MACOf(mac), Generation: o.Generation})
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("order %s has no addresses from row %d on", o.ID, o.Done)
	}
	return rows, nil
}
