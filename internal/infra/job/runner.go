package job

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// Bounds of a runner.
const (
	parallel    = 4                // jobs that run at once
	maxAttempts = 20               // starts of one job, then it has failed
	lookEvery   = 10 * time.Second // a wake-up may be lost
	firstRetry  = time.Second
	lastRetry   = 5 * time.Minute
	longestWait = time.Minute // after writes that failed: the database is away, or the disk full
	maxError    = 1000        // bytes of an error that are kept
)

// ErrCancelled is what a handler sees, and returns, when somebody cancelled its job.
var ErrCancelled = errors.New("the job was cancelled")

// A Handler does the jobs of one kind. It ends soon after ctx does. An error that is
// a fault of the code unavailable lets the job try again later; every other ends it.
// A job that was cancelled while it waited is called, too, with a context that has ended for
// [ErrCancelled], so that what it worked on ends with it.
type Handler func(ctx context.Context, t *Task) error

// A Record writes, in the transaction in which somebody asks a job to stop, that they did: the audit.
type Record func(ctx context.Context, tx *store.Tx, who access.Actor, id string) error

// handling is what is known of a kind.
type handling struct {
	cancel access.Act // who may do this may stop one
	do     Handler
}

// A Runner does jobs, at most four at once.
type Runner struct {
	store *store.Store
	log   *slog.Logger
	now   func() time.Time
	audit Record        // nil: nothing is recorded
	wake  chan struct{} // has room for one: there may be something to do

	mu       sync.Mutex // guards what follows
	handlers map[string]handling
	running  map[string]context.CancelCauseFunc
	changed  chan struct{} // closed when a job has ended; nil: nobody waits
}

// New gives a runner without handlers. Run it after all are added.
func New(s *store.Store, log *slog.Logger) *Runner {
	return &Runner{
		store: s, log: log, now: time.Now, wake: make(chan struct{}, 1),
		handlers: make(map[string]handling), running: make(map[string]context.CancelCauseFunc),
	}
}

// Recorded has cancelling recorded. It is called before Run, by who builds the runner.
func (r *Runner) Recorded(by Record) *Runner {
	r.audit = by
	return r
}

// Handle names the handler of a kind, and the act that whoever stops such a job may do: the one that began it. Rooms call it
// where they are built; a kind has one.
func (r *Runner) Handle(kind string, cancel access.Act, h Handler) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.handlers[kind].do != nil {
		panic("job: two handlers for " + kind)
	}
	r.handlers[kind] = handling{cancel, h}
}

func (r *Runner) handling(kind string) handling {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.handlers[kind]
}

// Run does jobs until ctx ends. When it returns no handler runs any more, and what
// was not finished is queued for the next start.
func (r *Runner) Run(ctx context.Context) error {
	err := r.store.Write(store.Urgent(ctx), func(tx *store.Tx) error { // a program starts on a full disk too
		_, err := tx.Exec(ctx, requeueAll)
		return err
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil // it was told to end before it began
		}
		return fmt.Errorf("queueing interrupted jobs: %w", err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	places := make(chan struct{}, parallel)
	var doubt Job // may have been started, in a transaction whose end is not known
	var failing time.Duration
	for {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		j, ok, err := r.claim(ctx, doubt)
		if ok {
			doubt, failing = Job{}, 0
			wg.Go(func() {
				defer func() { <-places }()
				r.do(ctx, j)
			})
			continue
		}
		<-places
		if err != nil {
			doubt, failing = j, grow(failing)
			pause(ctx, failing)
			continue
		}
		doubt, failing = Job{}, 0
		if !r.rest(ctx) {
			return nil
		}
	}
}

// grow is the next wait while writes fail: a second, doubling up to a minute.
func grow(wait time.Duration) time.Duration { return min(max(2*wait, firstRetry), longestWait) }

// pause waits, or for the end of ctx.
func pause(ctx context.Context, wait time.Duration) {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// look makes the runner look for work now.
func (r *Runner) look() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// rest waits for a wake-up, for the next job that is due, or for a while. False: ctx has ended.
func (r *Runner) rest(ctx context.Context) bool {
	wait := lookEvery
	_ = r.store.Read(ctx, func(v *store.View) error { // an error shows in claim
		var due sql.NullInt64
		err := v.QueryRow(ctx, nextDue).Scan(&due)
		if err == nil && due.Valid {
			wait = min(wait, max(milli(due.Int64).Sub(r.now()), time.Millisecond))
		}
		return err
	})
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-r.wake:
	case <-t.C:
	case <-ctx.Done():
		return false
	}
	return true
}

// claim starts the oldest job that is due. What may have been started before, and does not run, is queued again first. With
// an error, the job it gives may have been started.
func (r *Runner) claim(ctx context.Context, doubt Job) (j Job, ok bool, err error) {
	ctx = store.Urgent(ctx) // on a full disk too: what runs may be what frees it
	if doubt.ID != "" {
		err = r.store.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, requeueJob, r.now().UnixMilli(), doubt.ID, doubt.Attempts+1)
			return err
		})
		j = doubt
	}
	for waiting := err == nil; waiting; {
		err = r.store.Read(ctx, func(v *store.View) error {
			// No retry waits longer than this, and no job is of a time to come: what does or is was noted by a clock that ran ahead.
			now := r.now()
			ahead := now.Add(2 * lastRetry).UnixMilli()
			j, err = scan(v.QueryRow(ctx, selectJob+nextJob, now.UnixMilli(), ahead, ahead))
			return err
		})
		if err != nil {
			break
		}
		err = r.store.Write(ctx, func(tx *store.Tx) error {
			res, err := tx.Exec(ctx, startJob, r.now().UnixMilli(), j.ID)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			waiting = n == 0 // somebody cancelled it meanwhile: take another
			return err
		})
		if err != nil {
			break
		}
	}
	if errors.Is(err, sql.ErrNoRows) {
		return Job{}, false, nil
	}
	if err != nil {
		if ctx.Err() == nil {
			r.log.LogAttrs(ctx, slog.LevelError, "jobs cannot be started", slog.Any("error", err))
		}
		return j, false, err
	}
	j.State = Running
	j.Attempts++
	return j, true, nil
}

// do runs the handler of a job and writes down how it ended.
func (r *Runner) do(ctx context.Context, j Job) {
	taskCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.mu.Lock()
	handler := r.handlers[j.Kind].do
	r.running[j.ID] = cancel
	r.mu.Unlock()
	t := &Task{Job: j, runner: r}
	if j.Cancelling {
		cancel(ErrCancelled)
	}
	err := r.attempt(taskCtx, handler, t)
	r.mu.Lock()
	delete(r.running, j.ID)
	r.mu.Unlock()
	if (err != nil || j.Cancelling) && errors.Is(context.Cause(taskCtx), ErrCancelled) {
		err = ErrCancelled
	}
	r.end(ctx, t, err)
	r.mu.Lock()
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
	r.mu.Unlock()
	r.look() // it may wait again, sooner than the runner meant to look
}

// attempt runs the handler, if there is reason to.
func (r *Runner) attempt(ctx context.Context, handler Handler, t *Task) error {
	switch {
	case handler == nil:
		return said("this program has no handler for the kind")
	case t.Job.Attempts > maxAttempts:
		return said(fmt.Sprintf("given up after %d starts", maxAttempts))
	}
	return r.call(ctx, handler, t)
}

// call runs the handler and makes an error of its panic.
func (r *Runner) call(ctx context.Context, h Handler, t *Task) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.LogAttrs(ctx, slog.LevelError, "job panicked", slog.String("job", t.Job.ID),
				slog.String("kind", t.Job.Kind), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			err = said(programError)
		}
	}()
	return h(ctx, t)
}

// end writes down how a job ended, or queues it again. While the database does not take it, it tries again, until ctx ends:
// the next start of the program queues the job then.
func (r *Runner) end(ctx context.Context, t *Task, cause error) {
	statement, args := r.ending(ctx, t, cause)
	var wait time.Duration
	for {
		over := ctx.Err() != nil
		write := store.Urgent(context.WithoutCancel(ctx))
		err := r.store.Write(write, func(tx *store.Tx) error {
			_, err := tx.Exec(write, statement, args...)
			return err
		})
		if err == nil {
			return
		}
		r.log.LogAttrs(ctx, slog.LevelError, "the end of a job was not written", slog.String("job", t.Job.ID),
			slog.String("kind", t.Job.Kind), slog.Bool("runs_again", over), slog.Any("error", err))
		if over {
			return
		}
		wait = grow(wait)
		pause(ctx, wait)
	}
}

// ending is what is to be written of a job whose handler has returned.
func (r *Runner) ending(ctx context.Context, t *Task, cause error) (statement string, args []any) {
	now, j := r.now(), &t.Job
	ended := func(s State, result []byte, sentence string) (string, []any) {
		return endJob, []any{s, result, sentence, now.UnixMilli(), j.ID, j.Attempts}
	}
	switch {
	case cause == nil:
		return ended(Done, t.result, "")
	case errors.Is(cause, ErrCancelled):
		return ended(Cancelled, nil, "")
	case ctx.Err() != nil:
		return requeueJob, []any{now.UnixMilli(), j.ID, j.Attempts}
	case fault.Passes(cause) && j.Attempts < maxAttempts:
		due := now.Add(min(firstRetry<<min(j.Attempts-1, 10), lastRetry))
		r.log.LogAttrs(ctx, slog.LevelWarn, "job waits to try again", slog.String("job", j.ID),
			slog.String("kind", j.Kind), slog.Time("due", due), slog.Any("error", cause))
		return requeueJob, []any{due.UnixMilli(), j.ID, j.Attempts}
	}
	r.log.LogAttrs(ctx, slog.LevelError, "job failed", slog.String("job", j.ID), slog.String("kind", j.Kind), slog.Any("error", cause))
	return ended(Failed, nil, sentence(cause))
}

const programError = "an error of the program, see its log"

// said is an error whose text is for people.
type said string

func (s said) Error() string { return string(s) }

// sentence is what people may read of an error: a fault was made for them, other errors tell of the inside.
func sentence(err error) string {
	s := programError
	if f := fault.Of(err); f != nil {
		s = f.Sentence()
	} else if own, ok := errors.AsType[said](err); ok {
		s = string(own)
	}
	if len(s) > maxError {
		s = strings.ToValidUTF8(s[:maxError], "") + "…"
	}
	return s
}

// stop ends the context of a job that runs here.
func (r *Runner) stop(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cancel := r.running[id]; cancel != nil {
		cancel(ErrCancelled)
	}
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// change gives a channel that is closed when some job has ended.
func (r *Runner) change() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.changed
}

// A Task is a job that runs. One goroutine uses it at a time.
type Task struct {
	Job    Job // as it was when it was started; Done and Total follow Progress
	runner *Runner
	result []byte
}

// Input reads what the job was submitted with.
func (t *Task) Input(into any) error {
	if err := json.Unmarshal(t.Job.Input, into); err != nil {
		return fmt.Errorf("reading the input of job %s: %w", t.Job.ID, err)
	}
	return nil
}

// Progress writes how far the job is, in the transaction of what it did. After a
// restart Job.Done has the last committed value. If the job was cancelled it gives
// [ErrCancelled], which the handler returns, so that the transaction is rolled back.
func (t *Task) Progress(ctx context.Context, tx *store.Tx, done, total int64) error {
	r, err := tx.Exec(ctx, setProgress, done, total, t.Job.ID)
	if err != nil {
		return fmt.Errorf("writing the progress of job %s: %w", t.Job.ID, err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(ErrCancelled, err)
	}
	tx.AfterCommit(func() { t.Job.Done, t.Job.Total = done, total })
	return nil
}

// SetResult keeps v, marshalled to JSON, as the result if the job ends well.
func (t *Task) SetResult(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("marshalling the result of job %s: %w", t.Job.ID, err)
	}
	t.result = b
	return nil
}
