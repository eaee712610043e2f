package enforce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/store"
)

const (
	eraseRows  = 500  // rows of one transaction, about
	listRows   = 2000 // ids of one transaction
	fileRows   = 500  // devices of one call to what keeps files
	maxRounds  = 5    // how often all is gone through again because the proof found something
	retryAfter = time.Minute
)

// resume queues deletions again that are due and have no job: its job failed, or was cancelled by somebody.
func (s *Service) resume(ctx context.Context) error {
	if s.c.Jobs == nil || !s.jumps.Steady() {
		return nil
	}
	now := s.c.Now()
	var due []Deletion
	err := s.c.Store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, "SELECT "+deletionColumns+" FROM enforce_deletion WHERE ended_at = 0 AND hold_until <= ? AND "+notAppealed+" LIMIT 100", now.UnixMilli())
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			d, err := scanDeletion(rows)
			if err != nil {
				return err
			}
			due = append(due, d)
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("finding deletions that are due: %w", err)
	}
	who := access.System("enforcement", "")
	var errs []error
	for _, d := range due {
		err := s.c.Store.Write(ctx, func(tx *store.Tx) error {
			j, err := job.Load(ctx, tx, who, d.Job)
			if err != nil && !fault.Is(err, fault.Missing) || err == nil && (!j.State.Ended() || now.Sub(j.Ended) < retryAfter) {
				return err
			}
			next, err := s.c.Jobs.Submit(ctx, tx, who, job.Spec{Kind: deletionJob, Object: d.ID, Input: deletionInput{d.ID}})
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, "UPDATE enforce_deletion SET job = ? WHERE id = ? AND job = ?", next.ID, d.ID, d.Job)
			return err
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("queueing deletion %s again: %w", d.ID, err))
		}
	}
	return errors.Join(errs...)
}

// notAppealed leaves the deletions out whose measure somebody still has to decide about.
const notAppealed = "NOT EXISTS (SELECT 1 FROM enforce_appeal a WHERE a.measure = enforce_deletion.measure AND a.state = 'open')"

// delete is the job of a deletion. Every step is a transaction that also says how far it is, so that after a crash it
// goes on where it was; what is gone through again deletes nothing twice.
func (s *Service) delete(ctx context.Context, t *job.Task) error {
	var in deletionInput
	if err := t.Input(&in); err != nil {
		return err
	}
	d, err := s.begin(ctx, in.Deletion)
	if err != nil || d.State != Erasing {
		return err // called back, or done by the job before
	}
	if err := s.list(ctx, &d); err != nil {
		return err
	}
	for round := range maxRounds {
		if err := s.erase(ctx, t, &d); err != nil {
			return err
		}
		proof, err := s.prove(ctx, &d)
		if err != nil {
			return err
		}
		if len(proof.Found) == 0 {
			return s.finish(ctx, t, &d, proof)
		}
		if round == maxRounds-1 {
			return fmt.Errorf("%s is still named in %s", d.Subject, proof.Found[0])
		}
		if err := s.again(ctx, &d, proof.late); err != nil { // something was written while it was deleted
			return err
		}
	}
	return nil
}

// begin makes the deletion irreversible, if its time has come.
func (s *Service) begin(ctx context.Context, id string) (d Deletion, err error) {
	who := access.Clock("enforcement", "")
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if d, err = s.loadDeletion(ctx, tx, who, id); err != nil {
			return err
		}
		switch {
		case d.State != Announced:
			return nil
		case s.c.Now().Before(d.HoldUntil):
			return fault.Unavailable("the hold of deletion "+d.ID+" is not over", nil)
		case !s.jumps.Steady():
			return fault.Unavailable("the clock jumped: deletion "+d.ID+" waits until it has not for a day", nil)
		}
		if err := s.endAppeals(ctx, tx, &d); err != nil {
			return err
		}
		if err := s.move(ctx, tx, who, &d, Begin); err != nil {
			return err
		}
		if d.Measure == "" { // from now on its devices and people stay outside
			now := moment(s.c.Now().UnixMilli())
			m := Measure{
				ID: newID(), Subject: d.Subject, Organisation: d.Organisation, Kind: Terminate, State: InForce, Cause: "on_request",
				Reason: "the organisation leaves", By: who.User, Created: now, Starts: now, AppealUntil: now,
			}
			if err := s.impose(ctx, tx, who, m); err != nil {
				return err
			}
		}
		if err := s.event(ctx, tx, d.ID, d.Organisation, string(Erasing), ""); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "deletion.begin", d.ID, d.Subject.String())
	})
	return d, err
}

// endAppeals refuses to begin while an appeal against the measure of the deletion is open, and ends the time for others:
// nothing that they could bring about is left.
func (s *Service) endAppeals(ctx context.Context, tx *store.Tx, d *Deletion) error {
	if d.Measure == "" {
		return nil
	}
	switch open, err := appealed(ctx, tx, d.Measure); {
	case err != nil:
		return err
	case open:
		return fault.Unavailable("an appeal against measure "+d.Measure+" is open: deletion "+d.ID+" waits until it is decided", nil)
	}
	now := s.c.Now().UnixMilli()
	if _, err := tx.Exec(ctx, "UPDATE enforce_measure SET appeal_until = ? WHERE id = ? AND appeal_until > ?", now, d.Measure, now); err != nil {
		return fmt.Errorf("ending the time to appeal against measure %s: %w", d.Measure, err)
	}
	return nil
}

// list writes down the ids of everything that will disappear, so that the proof can look for them.
func (s *Service) list(ctx context.Context, d *Deletion) error {
	for d.Listed != "" {
		step, after, _ := strings.Cut(d.Listed, ":")
		i, _ := strconv.Atoi(step) // empty: 0
		for i < len(s.rooms) && s.rooms[i].Lists == nil {
			i, after = i+1, ""
		}
		err := s.c.Store.Write(ctx, func(tx *store.Tx) error {
			next := ""
			if i < len(s.rooms) {
				r := s.rooms[i]
				found, err := r.Lists(ctx, tx, d.Subject.Kind, d.Subject.ID, after, listRows)
				if err != nil {
					return fmt.Errorf("listing what %s has of %s: %w", r.Name, d.Subject, err)
				}
				if err := keep(ctx, tx, d.ID, r.Name, found); err != nil {
					return err
				}
				next = strconv.Itoa(i+1) + ":"
				if len(found) > 0 {
					next = strconv.Itoa(i) + ":" + found[len(found)-1]
				}
			} else if err := keep(ctx, tx, d.ID, d.Subject.Kind, []string{d.Subject.ID}); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "UPDATE enforce_deletion SET listed = ? WHERE id = ?", next, d.ID); err != nil {
				return err
			}
			tx.AfterCommit(func() { d.Listed = next })
			return nil
		})
		if err != nil {
			return fmt.Errorf("listing what deletion %s deletes: %w", d.ID, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func keep(ctx context.Context, tx *store.Tx, deletion, kind string, found []string) error {
	const atOnce = 100
	for len(found) > 0 {
		n := min(len(found), atOnce)
		args := make([]any, 0, 3*n)
		for _, id := range found[:n] {
			args = append(args, deletion, kind, id)
		}
		_, err := tx.Exec(ctx, "INSERT INTO enforce_erased (deletion, kind, id) VALUES "+
			strings.TrimSuffix(strings.Repeat("(?, ?, ?), ", n), ", ")+" ON CONFLICT (deletion, kind, id) DO NOTHING", args...)
		if err != nil {
			return err
		}
		found = found[n:]
	}
	return nil
}

// erase goes through the rooms, from the stage where it was.
func (s *Service) erase(ctx context.Context, t *job.Task, d *Deletion) error {
	for d.Stage < len(s.rooms) {
		r := s.rooms[d.Stage]
		if r.Outside != nil {
			if err := s.eachDevice(ctx, d, r.Outside.EraseDevices); err != nil {
				return fmt.Errorf("deleting the files of %s: %w", r.Name, err)
			}
		}
		err := s.c.Store.Write(ctx, func(tx *store.Tx) error {
			more := false
			if r.Erase != nil {
				var err error
				if more, err = r.Erase(ctx, tx, d.Subject.Kind, d.Subject.ID, eraseRows); err != nil {
					return fmt.Errorf("deleting what %s has of %s: %w", r.Name, d.Subject, err)
				}
			}
			stage := d.Stage
			if !more {
				stage++
			}
			if _, err := tx.Exec(ctx, "UPDATE enforce_deletion SET stage = ?, rows_erased = rows_erased + 1 WHERE id = ?", stage, d.ID); err != nil {
				return err
			}
			tx.AfterCommit(func() { d.Stage = stage })
			if err := t.Progress(ctx, tx, int64(stage), int64(len(s.rooms))); !errors.Is(err, job.ErrCancelled) {
				return err // who cancels the job cannot stop what cannot be undone: it is queued again
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// again deletes what was found of devices, products and batches that are gone already, as a late report of one, and begins
// the rooms anew.
func (s *Service) again(ctx context.Context, d *Deletion, late []string) error {
	for _, id := range late {
		err := s.c.Store.Write(ctx, func(tx *store.Tx) error {
			for _, r := range s.rooms {
				if r.Erase == nil {
					continue
				}
				for _, kind := range []string{KindDevice, KindProduct, KindBatch} {
					if _, err := r.Erase(ctx, tx, kind, id, eraseRows); err != nil {
						return fmt.Errorf("deleting what %s has of %s %s: %w", r.Name, kind, id, err)
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	d.Stage = 0
	return s.c.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE enforce_deletion SET stage = 0 WHERE id = ?", d.ID)
		return err
	})
}

// deviceRoom is the room whose ids are those of devices.
const deviceRoom = "device"

// eachDevice hands the ids of the deletion's devices to fn, some at once.
func (s *Service) eachDevice(ctx context.Context, d *Deletion, fn func(context.Context, []string) error) error {
	for _, kind := range []string{deviceRoom} {
		after := ""
		for {
			var found []string
			err := s.c.Store.Read(ctx, func(v *store.View) error {
				rows, err := v.Query(ctx, "SELECT id FROM enforce_erased WHERE deletion = ? AND kind = ? AND id > ? ORDER BY id LIMIT ?", d.ID, kind, after, fileRows)
				if err != nil {
					return err
				}
				defer rows.Close()
				for rows.Next() {
					var id string
					if err := rows.Scan(&id); err != nil {
						return err
					}
					found = append(found, id)
				}
				return rows.Err()
			})
			if err != nil || len(found) == 0 {
				return err
			}
			if err := fn(ctx, found); err != nil {
				return err
			}
			after = found[len(found)-1]
		}
	}
	return nil
}

// deletionResult is what a job says of a deletion: whose it was stands in the proof only.
type deletionResult struct {
	Deletion string `json:"deletion"`
	Digest   string `json:"digest"`
}

// finish keeps the proof, forgets the ids and ends the deletion.
func (s *Service) finish(ctx context.Context, t *job.Task, d *Deletion, proof Proof) error {
	who := access.Clock("enforcement", "")
	text, err := json.Marshal(proof)
	if err != nil {
		return err
	}
	for more := true; more; { // before the last step: after it nobody would
		err := s.c.Store.Write(ctx, func(tx *store.Tx) error {
			r, err := tx.Exec(ctx, "DELETE FROM enforce_erased WHERE deletion = ? AND id IN (SELECT id FROM enforce_erased WHERE deletion = ? AND id <> ? LIMIT 5000)", d.ID, d.ID, d.Subject.ID)
			if err != nil {
				return err
			}
			n, err := r.RowsAffected()
			more = n > 0
			return err
		})
		if err != nil {
			return fmt.Errorf("forgetting the ids of deletion %s: %w", d.ID, err)
		}
	}
	if err := t.SetResult(deletionResult{d.ID, proof.Digest}); err != nil {
		return err
	}
	return s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM enforce_erased WHERE deletion = ?", d.ID); err != nil {
			return err
		}
		if err := s.move(ctx, tx, who, d, Prove); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE enforce_deletion SET proof = ? WHERE id = ?", string(text), d.ID); err != nil {
			return err
		}
		if err := s.event(ctx, tx, d.ID, d.Organisation, string(Done), ""); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "deletion.done", d.ID, "proof "+proof.Digest)
	})
}
