package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ada = access.Actor{Kind: access.KindUser, ID: "ada", Login: "ada", Organisation: "org", Roles: []access.Role{access.Engineer}}

func newRunner(s *store.Store) *Runner { return New(s, slog.New(slog.DiscardHandler)) }

// run runs r until the test ends, or stop is called.
func run(t *testing.T, r *Runner) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Run gives %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func submit(t *testing.T, s *store.Store, r *Runner, spec Spec) Job {
	t.Helper()
	var j Job
	err := s.Write(t.Context(), func(tx *store.Tx) (err error) {
		j, err = r.Submit(t.Context(), tx, ada, spec)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func wait(t *testing.T, r *Runner, id string) Job {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	j, err := r.Wait(ctx, ada, id)
	if err != nil {
		t.Fatalf("waiting for job %s in state %s: %v", id, j.State, err)
	}
	return j
}

func TestJobEnds(t *testing.T) {
	s := storetest.Open(t)
	r := newRunner(s)
	for kind, h := range map[string]Handler{
		"good": func(ctx context.Context, tk *Task) error {
			var in struct{ N int64 }
			if err := tk.Input(&in); err != nil {
				return err
			}
			for i := range in.N {
				if err := s.Write(ctx, func(tx *store.Tx) error { return tk.Progress(ctx, tx, i+1, in.N) }); err != nil {
					return err
				}
			}
			if tk.Job.Done != in.N || tk.Job.Total != in.N {
				t.Errorf("the task says %d of %d", tk.Job.Done, tk.Job.Total)
			}
			return tk.SetResult(map[string]int64{"made": in.N})
		},
		"bad":    func(context.Context, *Task) error { return errors.New("the disk has a hole") },
		"refuse": func(context.Context, *Task) error { return fault.Invalid("row 7", "x", "a MAC", "") },
		"panic":  func(context.Context, *Task) error { panic("secret detail") },
		"cancel": func(context.Context, *Task) error { return ErrCancelled },
		"long":   func(context.Context, *Task) error { return said(strings.Repeat("灯", 1000)) },
	} {
		r.Handle(kind, access.ManageJob, h)
	}
	run(t, r)
	for _, tt := range []struct {
		kind   string
		state  State
		result string
		err    string
	}{
		{"good", Done, `{"made":5}`, ""},
		{"bad", Failed, "", "an error of the program, see its log"},
		{"refuse", Failed, "", "row 7 is x, want a MAC"},
		{"panic", Failed, "", "an error of the program, see its log"},
		{"cancel", Cancelled, "", ""},
		{"long", Failed, "", strings.Repeat("灯", 333) + "…"},
	} {
		j := wait(t, r, submit(t, s, r, Spec{Kind: tt.kind, Object: "order 1", Input: map[string]int{"N": 5}}).ID)
		if j.State != tt.state || string(j.Result) != tt.result || j.Error != tt.err {
			t.Errorf("%s ends as %s, result %s, error %q; want %s, %s, %q", tt.kind, j.State, j.Result, j.Error, tt.state, tt.result, tt.err)
		}
		if j.Ended.IsZero() || j.Started.IsZero() || j.Attempts != 1 || j.Who.Login != "ada" || j.Organisation != "org" || j.Object != "order 1" {
			t.Errorf("%s: the row is %+v", tt.kind, j)
		}
		if tt.kind == "good" && (j.Done != 5 || j.Total != 5) {
			t.Errorf("the progress is %d of %d", j.Done, j.Total)
		}
	}
}

func TestJobExistsExactlyIfItsActDoes(t *testing.T) {
	s := storetest.Open(t)
	r := newRunner(s)
	var ran atomic.Int32
	r.Handle("x", access.ManageJob, func(context.Context, *Task) error { ran.Add(1); return nil })
	run(t, r)
	_ = s.Write(t.Context(), func(tx *store.Tx) error {
		if _, err := r.Submit(t.Context(), tx, ada, Spec{Kind: "x"}); err != nil {
			t.Error(err)
		}
		return errors.New("refused")
	})
	wait(t, r, submit(t, s, r, Spec{Kind: "x"}).ID)
	if ran.Load() != 1 {
		t.Errorf("%d jobs ran", ran.Load())
	}
}

func TestInterruptedJobContinuesFromItsProgress(t *testing.T) {
	s := storetest.Open(t)
	var mu sync.Mutex
	var rows []int64
	started := make(chan struct{}, 10)
	handler := func(pauseAt int64) Handler {
		return func(ctx context.Context, tk *Task) error {
			for i := tk.Job.Done; i < 10; i++ {
				if i == pauseAt {
					started <- struct{}{}
					<-ctx.Done()
					return ctx.Err()
				}
				err := s.Write(ctx, func(tx *store.Tx) error {
					tx.AfterCommit(func() { mu.Lock(); rows = append(rows, i); mu.Unlock() })
					return tk.Progress(ctx, tx, i+1, 10)
				})
				if err != nil {
					return err
				}
			}
			return nil
		}
	}
	r := newRunner(s)
	r.Handle("x", access.ManageJob, handler(4))
	stop := run(t, r)
	j := submit(t, s, r, Spec{Kind: "x"})
	<-started
	stop()

	r = newRunner(s)
	r.Handle("x", access.ManageJob, handler(7))
	stop = run(t, r)
	<-started
	stop()
	// As after kill -9: the row says that it runs.
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE job SET state = 'running'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	r = newRunner(s)
	r.Handle("x", access.ManageJob, handler(-1))
	run(t, r)
	j = wait(t, r, j.ID)
	if j.State != Done || j.Attempts != 3 || fmt.Sprint(rows) != "[0 1 2 3 4 5 6 7 8 9]" {
		t.Errorf("it ends as %s after %d starts, rows %v", j.State, j.Attempts, rows)
	}
}

func TestNoHandlerRunsWhenRunHasReturned(t *testing.T) {
	s := storetest.Open(t)
	r := newRunner(s)
	started := make(chan struct{})
	var ended atomic.Bool
	r.Handle("x", access.ManageJob, func(ctx context.Context, _ *Task) error {
		close(started)
		<-ctx.Done()
		time.Sleep(20 * time.Millisecond)
		ended.Store(true)
		return ctx.Err()
	})
	stop := run(t, r)
	j := submit(t, s, r, Spec{Kind: "x"})
	<-started
	stop()
	if !ended.Load() {
		t.Error("Run has returned before the handler")
	}
	err := s.Read(t.Context(), func(v *store.View) (err error) {
		j, err = Load(t.Context(), v, ada, j.ID)
		return err
	})
	if err != nil || j.State != Queued {
		t.Errorf("the job is %s, %v", j.State, err)
	}
}

func TestCancel(t *testing.T) {
	s := storetest.Open(t)
	r := newRunner(s)
	running := make(chan struct{})
	var kept atomic.Int32
	r.Handle("watches ctx", access.ManageJob, func(ctx context.Context, _ *Task) error {
		close(running)
		<-ctx.Done()
		return ctx.Err()
	})
	goOn := make(chan struct{})
	r.Handle("only writes", access.ManageJob, func(ctx context.Context, tk *Task) error {
		running <- struct{}{}
		<-goOn
		return s.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
			tx.AfterCommit(func() { kept.Add(1) })
			return tk.Progress(ctx, tx, 1, 1)
		})
	})
	waits := submit(t, s, r, Spec{Kind: "watches ctx", Due: time.Now().Add(time.Hour)})
	if j, err := r.Cancel(t.Context(), ada, waits.ID); err != nil || !j.Cancelling {
		t.Errorf("cancelling a waiting job gives %+v, %v", j, err)
	}
	run(t, r)
	<-running
	if j := wait(t, r, waits.ID); j.State != Cancelled {
		t.Errorf("a job that waited ends as %s", j.State)
	}
	running = make(chan struct{})
	a := submit(t, s, r, Spec{Kind: "watches ctx"})
	<-running
	if _, err := r.Cancel(t.Context(), ada, a.ID); err != nil {
		t.Error(err)
	}
	if j := wait(t, r, a.ID); j.State != Cancelled || !j.Cancelling {
		t.Errorf("it ends as %+v", j)
	}
	running = make(chan struct{})
	b := submit(t, s, r, Spec{Kind: "only writes"})
	<-running
	if _, err := r.Cancel(t.Context(), ada, b.ID); err != nil {
		t.Error(err)
	}
	close(goOn)
	if j := wait(t, r, b.ID); j.State != Cancelled || kept.Load() != 0 || j.Done != 0 {
		t.Errorf("after the cancelling it ends as %s, %d writes were kept", j.State, kept.Load())
	}
	_, err := r.Cancel(t.Context(), ada, b.ID)
	if err == nil || err.Error() != "cancel is not open in state cancelled" {
		t.Errorf("cancelling twice gives %v", err)
	}
}

func TestForeignJobIsNotFound(t *testing.T) {
	s := storetest.Open(t)
	r := newRunner(s)
	r.Handle("x", access.ManageJob, func(context.Context, *Task) error { return nil })
	j := submit(t, s, r, Spec{Kind: "x"})
	bob := access.Actor{Kind: access.KindUser, ID: "bob", Organisation: "other"}
	want := `there is no job "` + j.ID + `"`
	if _, err := r.Cancel(t.Context(), bob, j.ID); err == nil || err.Error() != want {
		t.Errorf("cancelling gives %v", err)
	}
	if _, err := r.Wait(t.Context(), bob, j.ID); err == nil || err.Error() != want {
		t.Errorf("waiting gives %v", err)
	}
	err := s.Read(t.Context(), func(v *store.View) error {
		if got, _, err := List(t.Context(), v, bob, Filter{}); len(got) != 0 || err != nil {
			t.Errorf("a stranger lists %v, %v", got, err)
		}
		_, err := Load(t.Context(), v, access.System("x", ""), j.ID)
		return err
	})
	if err != nil {
		t.Errorf("the platform gets %v", err)
	}
}

func TestUnavailableIsTriedAgain(t *testing.T) {
	s := storetest.Open(t)
	r := newRunner(s)
	var now atomic.Int64
	now.Store(time.Now().UnixMilli())
	r.now = func() time.Time { return time.UnixMilli(now.Load()) }
	var tries atomic.Int32
	r.Handle("x", access.ManageJob, func(context.Context, *Task) error {
		if tries.Add(1) < 3 {
			now.Add(lastRetry.Milliseconds())
			return fault.Unavailable("the other side is away", nil)
		}
		return nil
	})
	j := submit(t, s, r, Spec{Kind: "x"})
	stop := run(t, r)
	for tries.Load() < 3 {
		time.Sleep(time.Millisecond)
		now.Add(1000)
		r.look()
	}
	if j := wait(t, r, j.ID); j.State != Done || j.Attempts != 3 {
		t.Errorf("it ends as %s after %d starts", j.State, j.Attempts)
	}
	stop()
}

func TestJobThatKillsTheProgramIsGivenUp(t *testing.T) {
	s := storetest.Open(t)
	r := newRunner(s)
	var ran atomic.Int32
	r.Handle("x", access.ManageJob, func(context.Context, *Task) error { ran.Add(1); return nil })
	j := submit(t, s, r, Spec{Kind: "x"})
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE job SET attempts = ?, state = 'running'`, maxAttempts)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, r)
	if j := wait(t, r, j.ID); j.State != Failed || j.Error != "given up after 20 starts" || ran.Load() != 0 {
		t.Errorf("it ends as %s, %q", j.State, j.Error)
	}
}

func TestAtMostFourRunAtOnce(t *testing.T) {
	s := storetest.Open(t)
	r := newRunner(s)
	var running, most atomic.Int32
	r.Handle("x", access.ManageJob, func(context.Context, *Task) error {
		n := running.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
		running.Add(-1)
		return nil
	})
	var jobs []Job
	for range 20 {
		jobs = append(jobs, submit(t, s, r, Spec{Kind: "x"}))
	}
	run(t, r)
	for _, j := range jobs {
		wait(t, r, j.ID)
	}
	if m := most.Load(); m < 2 || m > parallel {
		t.Errorf("%d ran at once", m)
	}
}

func TestSubmitAndListRefuseBadInput(t *testing.T) {
	s := storetest.Open(t)
	r := newRunner(s)
	r.Handle("x", access.ManageJob, func(context.Context, *Task) error { return nil })
	for _, tt := range []struct {
		spec Spec
		want string
	}{
		{Spec{Kind: "y"}, "kind is y, supported is a kind of job that has a handler"},
		{Spec{Kind: "x", Input: strings.Repeat("a", MaxInput)}, "the input of the job has 262146 bytes, the most is 262144"},
		{Spec{Kind: "x", Input: func() {}}, "marshalling the input of a x job: json: unsupported type: func()"},
	} {
		err := s.Write(t.Context(), func(tx *store.Tx) error {
			_, err := r.Submit(t.Context(), tx, ada, tt.spec)
			return err
		})
		if err == nil || err.Error() != tt.want {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
	for range 5 {
		submit(t, s, r, Spec{Kind: "x"})
	}
	err := s.Read(t.Context(), func(v *store.View) error {
		seen := map[string]bool{}
		f := Filter{Limit: 2}
		for {
			jobs, next, err := List(t.Context(), v, ada, f)
			if err != nil {
				return err
			}
			for _, j := range jobs {
				seen[j.ID] = true
			}
			if f.Cursor = next; next == "" {
				break
			}
		}
		if len(seen) != 5 {
			t.Errorf("%d jobs are listed", len(seen))
		}
		for _, f := range []Filter{{Limit: 201}, {Cursor: "x"}} {
			if _, _, err := List(t.Context(), v, ada, f); !fault.Is(err, fault.Malformed) {
				t.Errorf("%+v gives %v", f, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// breakWrites makes the database refuse to bring a job into a state.
func breakWrites(t *testing.T, s *store.Store, when string) (mend func()) {
	t.Helper()
	storetest.SQLiteOnly(t, "the trigger that refuses is SQLite's")
	exec := func(statement string) {
		t.Helper()
		err := s.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), statement)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TRIGGER broken BEFORE UPDATE ON job WHEN NEW.state = '" + when + "' BEGIN SELECT RAISE(ABORT, 'the disk has a hole'); END")
	return func() { exec("DROP TRIGGER broken") }
}

// TestEndIsWrittenWhenTheDatabaseTakesIt: a job whose end could not be written ends without a restart, and runs once.
func TestEndIsWrittenWhenTheDatabaseTakesIt(t *testing.T) {
	s := storetest.Open(t)
	mend := breakWrites(t, s, "done")
	failed := make(warnings, 100)
	r := New(s, slog.New(failed))
	var ran atomic.Int32
	r.Handle("x", access.ManageJob, func(context.Context, *Task) error { ran.Add(1); return nil })
	j := submit(t, s, r, Spec{Kind: "x"})
	run(t, r)
	<-failed
	mend()
	if j = wait(t, r, j.ID); j.State != Done || j.Attempts != 1 || ran.Load() != 1 {
		t.Errorf("it ends as %s after %d starts, the handler ran %d times", j.State, j.Attempts, ran.Load())
	}
}

// TestStartsThatFailAreNotAFlood: on a database that takes no start, the runner waits a second, then longer.
func TestStartsThatFailAreNotAFlood(t *testing.T) {
	s := storetest.Open(t)
	mend := breakWrites(t, s, "running")
	failed := make(warnings, 10_000)
	r := New(s, slog.New(failed))
	r.Handle("x", access.ManageJob, func(context.Context, *Task) error { return nil })
	j := submit(t, s, r, Spec{Kind: "x"})
	begun := time.Now()
	run(t, r)
	<-failed
	<-failed
	if took := time.Since(begun); took < firstRetry {
		t.Errorf("a second try after %s", took)
	}
	mend()
	if j = wait(t, r, j.ID); j.State != Done || j.Attempts != 1 {
		t.Errorf("it ends as %s after %d starts", j.State, j.Attempts)
	}
	for wait, want := range map[time.Duration]time.Duration{0: time.Second, time.Second: 2 * time.Second, 50 * time.Second: time.Minute, time.Minute: time.Minute} {
		if got := grow(wait); got != want {
			t.Errorf("after %s comes %s, want %s", wait, got, want)
		}
	}
}

// warnings hears of each record of a log.
type warnings chan struct{}

func (w warnings) Enabled(context.Context, slog.Level) bool { return true }
func (w warnings) Handle(context.Context, slog.Record) error {
	w <- struct{}{}
	return nil
}
func (w warnings) WithAttrs([]slog.Attr) slog.Handler { return w }
func (w warnings) WithGroup(string) slog.Handler      { return w }

// TestCancelAsksForTheActOfTheKind: an engineer does not stop what only an owner begins, and who stops is on record.
func TestCancelAsksForTheActOfTheKind(t *testing.T) {
	s := storetest.Open(t)
	var recorded []string
	r := newRunner(s).Recorded(func(_ context.Context, _ *store.Tx, who access.Actor, id string) error {
		recorded = append(recorded, who.ID+" "+id)
		return nil
	})
	r.Handle("export", access.LeaveOrganisation, func(context.Context, *Task) error { return nil })
	j := submit(t, s, r, Spec{Kind: "export"})
	_, err := r.Cancel(t.Context(), ada, j.ID)
	if want := "organisation.leave is not allowed: it needs role owner"; err == nil || err.Error() != want {
		t.Errorf("an engineer gets %v, want %s", err, want)
	}
	owner := ada
	owner.ID, owner.Roles = "olga", []access.Role{access.Owner}
	if _, err := r.Cancel(t.Context(), owner, j.ID); err != nil {
		t.Error(err)
	}
	if got, want := fmt.Sprint(recorded), "[olga "+j.ID+"]"; got != want {
		t.Errorf("recorded is %s, want %s", got, want)
	}
}

// TestOperatorSeesAllJobs: the operator's people see the jobs of all organisations, a part of the program for one its own.
func TestOperatorSeesAllJobs(t *testing.T) {
	s := storetest.Open(t)
	r := newRunner(s)
	r.Handle("x", access.ManageJob, func(context.Context, *Task) error { return nil })
	j := submit(t, s, r, Spec{Kind: "x"})
	err := s.Read(t.Context(), func(v *store.View) error {
		for name, tt := range map[string]struct {
			who  access.Actor
			want int
		}{
			"admin":                {access.Actor{Kind: access.KindUser, Roles: []access.Role{access.Admin}, Strong: true}, 1},
			"platform":             {access.System("x", ""), 1},
			"platform for another": {access.System("x", "other"), 0},
			"member of the same":   {ada, 1},
			"somebody without one": {access.Actor{Kind: access.KindUser}, 0},
		} {
			all, _, err := List(t.Context(), v, tt.who, Filter{})
			_, loading := Load(t.Context(), v, tt.who, j.ID)
			if err != nil || len(all) != tt.want || (loading == nil) != (tt.want == 1) {
				t.Errorf("%s lists %d, %v, and loads %v; want %d", name, len(all), err, loading, tt.want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestClockJumps queues by a clock that runs ahead and then is put right: neither a job nor its retry waits until the clock
// has caught up, and one that is to wait does.
func TestClockJumps(t *testing.T) {
	const year = 365 * 24 * time.Hour
	s := storetest.Open(t)
	r := newRunner(s)
	var ahead atomic.Int64
	ahead.Store(int64(year))
	r.now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	var tries atomic.Int32
	r.Handle("retried", access.ManageJob, func(context.Context, *Task) error {
		if tries.Add(1) == 1 {
			ahead.Store(0)
			return fault.Unavailable("the other side is away", nil)
		}
		return nil
	})
	r.Handle("queued", access.ManageJob, func(context.Context, *Task) error { return nil })
	retried := submit(t, s, r, Spec{Kind: "retried"})
	run(t, r)
	for tries.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	ahead.Store(int64(year))
	queued := submit(t, s, r, Spec{Kind: "queued", Due: r.now().Add(time.Hour)})
	ahead.Store(0)
	later := submit(t, s, r, Spec{Kind: "queued", Due: r.now().Add(30 * 24 * time.Hour)})
	r.look()
	for _, id := range []string{retried.ID, queued.ID} {
		if j := wait(t, r, id); j.State != Done {
			t.Errorf("a job of a clock that ran ahead ends as %s", j.State)
		}
	}
	err := s.Read(t.Context(), func(v *store.View) error {
		j, err := Load(t.Context(), v, access.System("x", ""), later.ID)
		if j.State != Queued {
			t.Errorf("the job that is to wait for a month is %s", j.State)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
