// Package job runs work that takes longer than a request.
//
// It owns the table job and promises:
//   - a job exists exactly if the transaction that submitted it was committed;
//   - it survives a restart: what ran is queued again and continues from its progress;
//   - it ends: done, failed or cancelled, and says why;
//   - what a cancelled job did in a transaction after the cancelling is rolled back.
//
// A handler may run again after a crash, so it writes its rows and its progress in one transaction.
package job

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// A State is where a job stands.
type State string

// The states. The last three are ends.
const (
	Queued    State = "queued"
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Ended says whether the state is an end.
func (s State) Ended() bool { return s == Done || s == Failed || s == Cancelled }

// Limits.
const (
	MaxInput = 256 << 10 // bytes of JSON
	MaxPage  = 200
)

// A Job is one piece of work as its row says.
type Job struct {
	ID           string
	Organisation string
	Kind         string
	Object       string // what it works on
	State        State
	Input        json.RawMessage
	Done, Total  int64           // progress in units of the kind; Total 0: not known
	Result       json.RawMessage // of a job that is done
	Error        string          // of a job that failed, one sentence
	Cancelling   bool            // somebody asked it to stop
	Attempts     int             // how often it was started
	Who          access.Actor    // who submitted it, without roles
	Created      time.Time
	Due          time.Time // it does not start before
	Started      time.Time // zero: not yet
	Ended        time.Time // zero: not yet
}

// A Spec is a job to be submitted.
type Spec struct {
	Kind   string
	Object string
	Input  any       // marshalled to JSON
	Total  int64     // 0: not known
	Due    time.Time // zero: now
}

// Submit queues a job in the transaction of the act that wants it. The job's
// organisation is who's. The kind must have a handler.
func (r *Runner) Submit(ctx context.Context, tx *store.Tx, who access.Actor, spec Spec) (Job, error) {
	if r.handling(spec.Kind).do == nil {
		return Job{}, fault.Unsupported("kind", spec.Kind, "a kind of job that has a handler")
	}
	input, err := json.Marshal(spec.Input)
	if err != nil {
		return Job{}, fmt.Errorf("marshalling the input of a %s job: %w", spec.Kind, err)
	}
	if len(input) > MaxInput {
		return Job{}, fault.TooLarge("the input of the job", int64(len(input)), MaxInput)
	}
	now := r.now()
	j := Job{
		ID: uuid.Must(uuid.NewV7()).String(), Organisation: who.Organisation, Kind: spec.Kind, Object: spec.Object,
		State: Queued, Input: input, Total: spec.Total, Who: who, Created: milli(now.UnixMilli()), Due: milli(now.UnixMilli()),
	}
	if spec.Due.After(now) {
		j.Due = milli(spec.Due.UnixMilli())
	}
	_, err = tx.Exec(ctx, insertJob, j.ID, j.Organisation, j.Kind, j.Object, j.State, []byte(j.Input), j.Total,
		who.Kind, who.ID, who.User, who.Login, who.From, j.Created.UnixMilli(), j.Due.UnixMilli())
	if err != nil {
		return Job{}, fmt.Errorf("queueing a %s job: %w", spec.Kind, err)
	}
	tx.AfterCommit(r.look)
	return j, nil
}

// Load gives a job of who's organisation. The platform itself and the operator's people see all.
func Load(ctx context.Context, q store.Querier, who access.Actor, id string) (Job, error) {
	where, args := seen(who)
	j, err := scan(q.QueryRow(ctx, selectJob+where+` AND id = ?`, append(args, id)...))
	if errors.Is(err, sql.ErrNoRows) {
		return Job{}, fault.NotFound("job", id)
	}
	if err != nil {
		return Job{}, fmt.Errorf("loading job %s: %w", id, err)
	}
	return j, nil
}

// seen is the condition for the jobs that exist for who.
func seen(who access.Actor) (where string, args []any) {
	if who.Everywhere() {
		return `WHERE seq > 0`, nil
	}
	return `WHERE organisation = ?`, []any{who.Organisation}
}

// A Filter limits a list. Empty fields do not limit.
type Filter struct {
	Kind   string
	Object string
	Cursor string // where the page before ended
	Limit  int    // 1..MaxPage; 0 is 50
}

// List gives the jobs that [Load] would, newest first, and the cursor of the next page, empty after the last.
func List(ctx context.Context, q store.Querier, who access.Actor, f Filter) ([]Job, string, error) {
	if f.Limit == 0 {
		f.Limit = 50
	}
	if f.Limit < 1 || f.Limit > MaxPage {
		return nil, "", fault.Invalid("limit", strconv.Itoa(f.Limit), fmt.Sprintf("1 to %d", MaxPage), "")
	}
	before := int64(1<<63 - 1)
	if f.Cursor != "" {
		var err error
		if before, err = strconv.ParseInt(f.Cursor, 10, 64); err != nil {
			return nil, "", fault.Invalid("cursor", f.Cursor, "the next_cursor of a list", "begin without a cursor")
		}
	}
	where, args := seen(who)
	rows, err := q.Query(ctx, selectJob+where+listJobs, append(args, before, f.Kind, f.Kind, f.Object, f.Object, f.Limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("listing jobs: %w", err)
	}
	defer rows.Close()
	var jobs []Job
	var last int64
	for rows.Next() {
		if len(jobs) == f.Limit {
			return jobs, strconv.FormatInt(last, 10), nil
		}
		j, err := scanSeq(rows, &last)
		if err != nil {
			return nil, "", fmt.Errorf("reading a job: %w", err)
		}
		jobs = append(jobs, j)
	}
	if err := rows.Err(); err != nil {
		return nil, "", fmt.Errorf("listing jobs: %w", err)
	}
	return jobs, "", nil
}

// Cancel asks a job of who's organisation to stop, if who may do what such a job does. It is cancelled as soon as its handler
// has noticed: one that waits is started at once for that, see [Handler]. A job that has ended is a conflict.
func (r *Runner) Cancel(ctx context.Context, who access.Actor, id string) (j Job, err error) {
	err = r.store.Write(ctx, func(tx *store.Tx) error {
		if j, err = Load(ctx, tx, who, id); err != nil {
			return err
		}
		if err := who.Check(r.handling(j.Kind).cancel); err != nil {
			return err
		}
		if j, err = r.CancelIn(ctx, tx, who, id); err != nil || r.audit == nil {
			return err
		}
		return r.audit(ctx, tx, who, id)
	})
	return j, err
}

// CancelIn stops a job within the transaction of an act, which answers for who may, and records it.
func (r *Runner) CancelIn(ctx context.Context, tx *store.Tx, who access.Actor, id string) (Job, error) {
	j, err := Load(ctx, tx, who, id)
	switch {
	case err != nil:
		return Job{}, err
	case j.State.Ended():
		return Job{}, fault.Closed[string]("cancel", string(j.State), nil)
	case j.State == Queued:
		j.Due = milli(min(j.Due.UnixMilli(), r.now().UnixMilli()))
	}
	_, err = tx.Exec(ctx, `UPDATE job SET cancel = 1, due_at = ? WHERE id = ?`, j.Due.UnixMilli(), id)
	if err != nil {
		return Job{}, fmt.Errorf("cancelling job %s: %w", id, err)
	}
	j.Cancelling = true
	tx.AfterCommit(func() { r.stop(id); r.look() })
	return j, nil
}

// Wait gives the job once it has ended, or as it is when ctx ends, with the error of ctx.
func (r *Runner) Wait(ctx context.Context, who access.Actor, id string) (Job, error) {
	for {
		changed := r.change()
		var j Job
		err := r.store.Read(context.WithoutCancel(ctx), func(v *store.View) (err error) {
			j, err = Load(ctx, v, who, id)
			return err
		})
		if err != nil || j.State.Ended() {
			return j, err
		}
		fallback := time.NewTimer(lookEvery)
		select {
		case <-changed:
		case <-fallback.C:
		case <-ctx.Done():
		}
		fallback.Stop()
		if err := ctx.Err(); err != nil {
			return j, err
		}
	}
}

func milli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
