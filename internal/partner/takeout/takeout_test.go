package takeout_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/blob/blobtest"
	"lampworks/internal/infra/blob/dir"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/takeout"
)

const organisation = "0198f3c2-0000-7000-8000-00000000000a"

// owner is an owner who showed the second factor just now.
func owner(of string) access.Actor {
	return access.Actor{
		Kind: access.KindUser, ID: "anna", User: "anna", Organisation: of, Roles: []access.Role{access.Owner}, Session: "s", Strong: true, Proved: time.Now(),
	}
}

// stand is the room with a runner of jobs that a test starts and stops.
type stand struct {
	*takeout.Service
	t     *testing.T
	store *store.Store
	jobs  *job.Runner
	dir   string
	at    time.Time
}

func newStand(t *testing.T, limit int64, parts ...takeout.Collection) *stand {
	t.Helper()
	s := &stand{t: t, store: storetest.Open(t), dir: t.TempDir(), at: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	files, err := dir.Open(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	s.jobs = job.New(s.store, slog.New(slog.DiscardHandler))
	s.Service = takeout.New(takeout.Config{
		Store: s.store, Blobs: blob.New(files, blobtest.Key), Jobs: s.jobs, MaxBytes: limit, Now: func() time.Time { return s.at },
	})
	s.Over(parts...)
	return s
}

// lines is a collection of n rows that calls at before each.
func lines(name string, n int, at func(ctx context.Context, row int) error) takeout.Collection {
	return func(ctx context.Context, who access.Actor, out *takeout.Archive) error {
		f, err := out.File(ctx, name)
		if err != nil {
			return err
		}
		for i := range n {
			if at != nil {
				if err := at(ctx, i); err != nil {
					return err
				}
			}
			if _, err := fmt.Fprintf(f, "{\"row\":%d,\"of\":%q}\n", i, who.Organisation); err != nil {
				return err
			}
			if err := f.Row(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

func (s *stand) order() takeout.Export {
	s.t.Helper()
	e, err := s.Order(s.t.Context(), owner(organisation), organisation, "we leave")
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

// work runs jobs until the one of e has ended, or ctx ends.
func (s *stand) work(ctx context.Context, e takeout.Export) takeout.Export {
	s.t.Helper()
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.jobs.Run(running) }()
	_, _ = s.jobs.Wait(running, access.System("test", ""), e.Job)
	stop()
	if err := <-ended; err != nil {
		s.t.Fatal(err)
	}
	return s.load(e)
}

func (s *stand) load(e takeout.Export) takeout.Export {
	s.t.Helper()
	e, err := s.Load(s.t.Context(), owner(organisation), organisation, e.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

// kept counts the files on the disk.
func (s *stand) kept() (n int) {
	s.t.Helper()
	err := filepath.WalkDir(s.dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *stand) fetch(e takeout.Export) map[string]string {
	s.t.Helper()
	_, r, err := s.Fetch(s.t.Context(), owner(organisation), organisation, e.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		s.t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		s.t.Fatal(err)
	}
	files := make(map[string]string)
	for _, f := range z.File {
		c, err := f.Open()
		if err != nil {
			s.t.Fatal(err)
		}
		text, err := io.ReadAll(c)
		if err != nil {
			s.t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	return files
}

// Nothing is there until all of it is: an export that is cut off at any row has no file, and begins again.
func TestCutOffLeavesNothing(t *testing.T) {
	const rows = 5000
	for _, at := range []int{0, 1, 2500, rows - 1} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			ctx, kill := context.WithCancel(t.Context())
			defer kill()
			s := newStand(t, 0, lines("first.jsonl", 10, nil), lines("rows.jsonl", rows, func(_ context.Context, row int) error {
				if row == at {
					kill()
				}
				return nil
			}))
			e := s.work(ctx, s.order())
			if at < rows-1 && (e.State != takeout.Collecting || s.kept() != 0) {
				t.Fatalf("it is %s after the cut, with %d files", e.State, s.kept())
			}
			if e.State == takeout.Collecting {
				if _, _, err := s.Fetch(t.Context(), owner(organisation), organisation, e.ID); !fault.Is(err, fault.Clash) {
					t.Errorf("half of it is given out: %v", err)
				}
				e = s.work(t.Context(), e)
			}
			if e.State != takeout.Ready || e.Rows != rows+10 || e.Files != 4 || s.kept() != 1 {
				t.Fatalf("it is %+v, with %d files", e, s.kept())
			}
			files := s.fetch(e)
			if got := strings.Count(files["rows.jsonl"], organisation); got != rows || !strings.Contains(files["README.txt"], "数据导出") {
				t.Errorf("%d rows of the organisation, want %d", got, rows)
			}
		})
	}
}

// What fails says why, and leaves nothing; so does a panic, and what is too large.
func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		name  string
		limit int64
		at    func(ctx context.Context, row int) error
		want  string
	}{
		{"a fault", 0, func(context.Context, int) error { return fault.NotFound("list", "x") }, `there is no list "x"`},
		{"an error", 0, func(context.Context, int) error { return errors.New("pg: password=secret") }, "an error of the program, see its log"},
		{"a panic", 0, func(context.Context, int) error { panic("boom") }, "an error of the program, see its log"},
		{"too large", 100, nil, "the export is larger than 100 bytes, which is the most of one file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStand(t, tt.limit, lines("rows.jsonl", 50, tt.at))
			e := s.work(t.Context(), s.order())
			if err := s.Tick(t.Context()); err != nil { // of a panic the job alone knows
				t.Fatal(err)
			}
			if e = s.load(e); e.State != takeout.Failed || e.Failure != tt.want || s.kept() != 0 {
				t.Errorf("it is %s: %q, with %d files, want %q", e.State, e.Failure, s.kept(), tt.want)
			}
			s.order() // another may be ordered
		})
	}
}

// Cancelling an export, or its job, ends it and leaves nothing.
func TestCancel(t *testing.T) {
	for name, cancel := range map[string]func(s *stand, e takeout.Export) error{
		"the export": func(s *stand, e takeout.Export) error {
			_, err := s.Discard(s.t.Context(), owner(organisation), organisation, e.ID)
			return err
		},
		"its job": func(s *stand, e takeout.Export) error {
			_, err := s.jobs.Cancel(s.t.Context(), owner(organisation), e.Job)
			return err
		},
		"everything": func(s *stand, _ takeout.Export) error {
			return s.store.Write(s.t.Context(), func(tx *store.Tx) error {
				if _, err := s.jobs.Erase(s.t.Context(), tx, "organisation", organisation, 100); err != nil {
					return err
				}
				_, err := s.Erase(s.t.Context(), tx, "organisation", organisation, 100)
				return err
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var s *stand
			var e takeout.Export
			s = newStand(t, 0, lines("rows.jsonl", 5000, func(_ context.Context, row int) error {
				if row != 100 {
					return nil
				}
				return cancel(s, e)
			}))
			e = s.order()
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- s.jobs.Run(ctx) }()
			_, _ = s.jobs.Wait(ctx, access.System("test", ""), e.Job)
			stop()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			now, err := s.Load(t.Context(), owner(organisation), organisation, e.ID)
			if name == "everything" && fault.Is(err, fault.Missing) {
				now.State, err = takeout.Cancelled, nil
			}
			if err != nil || now.State != takeout.Cancelled || s.kept() != 0 {
				t.Errorf("it is %s, %v, with %d files", now.State, err, s.kept())
			}
		})
	}
}

// One at a time, five a day, a week long.
func TestLimits(t *testing.T) {
	s := newStand(t, 0, lines("rows.jsonl", 3, nil))
	ctx := t.Context()
	e := s.order()
	_, err := s.Order(ctx, owner(organisation), organisation, "")
	if want := "an export is being collected: " + e.ID; err == nil || err.Error() != want {
		t.Errorf("a second one:\n got %v\nwant %s", err, want)
	}
	for range takeout.MaxADay - 1 {
		s.work(ctx, e)
		s.at = s.at.Add(time.Hour)
		e = s.order()
	}
	s.work(ctx, e)
	_, err = s.Order(ctx, owner(organisation), organisation, "")
	if f := fault.Of(err); f == nil || f.Code != fault.OverLimit || f.RetryAfter != 20*time.Hour {
		t.Errorf("a sixth one: %v", err)
	}
	s.at = s.at.Add(20 * time.Hour)
	s.work(ctx, s.order())
	if n := s.kept(); n != 6 {
		t.Errorf("%d files are kept, want 6", n)
	}
	s.at = s.at.Add(takeout.Keep - time.Hour)
	if err := s.Tick(ctx); err != nil {
		t.Fatal(err)
	}
	if n := s.kept(); n != 1 {
		t.Errorf("%d files are kept, want the newest", n)
	}
	s.at = s.at.Add(time.Hour)
	page, err := s.List(ctx, owner(organisation), organisation, listing.Ask{})
	if err != nil || len(page.Items) != 6 {
		t.Fatalf("%d are listed, %v", len(page.Items), err)
	}
	if _, _, err := s.Fetch(ctx, owner(organisation), organisation, page.Items[0].ID); !fault.Is(err, fault.Lapsed) {
		t.Errorf("what nobody removed yet is given out: %v", err)
	}
}

// Nobody but an owner who proved themselves just now comes to the file, and nobody to another organisation's.
func TestWhoMay(t *testing.T) {
	s := newStand(t, 0, lines("rows.jsonl", 3, nil))
	e := s.work(t.Context(), s.order())
	engineer, stale, token := owner(organisation), owner(organisation), owner(organisation)
	engineer.Roles = []access.Role{access.Engineer}
	stale.Proved = time.Now().Add(-access.Fresh - time.Minute)
	token.Kind, token.Session = access.KindToken, ""
	for _, tt := range []struct {
		name string
		who  access.Actor
		want fault.Code
	}{
		{"an engineer", engineer, fault.NotAllowed},
		{"an owner without a proof", stale, fault.SecondFactor},
		{"a token", token, fault.SecondFactor},
		{"a stranger", owner("0198f3c2-0000-7000-8000-00000000000b"), fault.Missing},
		{"nobody", access.Actor{}, fault.NoActor},
	} {
		if _, _, err := s.Fetch(t.Context(), tt.who, organisation, e.ID); !fault.Is(err, tt.want) {
			t.Errorf("%s fetches: %v", tt.name, err)
		}
		if _, err := s.Order(t.Context(), tt.who, organisation, ""); !fault.Is(err, tt.want) {
			t.Errorf("%s orders: %v", tt.name, err)
		}
	}
	if _, err := s.Load(t.Context(), owner("0198f3c2-0000-7000-8000-00000000000b"), "0198f3c2-0000-7000-8000-00000000000b", e.ID); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger loads it by their own organisation: %v", err)
	}
}

// Declining begins one, and not another while one is there; erasing takes rows and files.
func TestCollectAndErase(t *testing.T) {
	s := newStand(t, 0, lines("rows.jsonl", 3, nil))
	ctx := t.Context()
	decline := func() (path string) {
		t.Helper()
		err := s.store.Write(ctx, func(tx *store.Tx) (err error) {
			path, err = s.Collect(ctx, tx, organisation, "anna")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := decline()
	page, err := s.List(ctx, owner(organisation), organisation, listing.Ask{})
	if err != nil || len(page.Items) != 1 || path != takeout.Path(organisation)+"/"+page.Items[0].ID {
		t.Fatalf("declining gives %s and %+v, %v", path, page.Items, err)
	}
	if again := decline(); again != path {
		t.Errorf("declining again gives %s", again)
	}
	s.work(ctx, page.Items[0])
	if again := decline(); again != path || s.kept() != 1 {
		t.Errorf("declining once more gives %s, with %d files", again, s.kept())
	}
	known, err := s.Named(ctx, []string{s.load(page.Items[0]).File, "other"})
	if err != nil || len(known) != 1 {
		t.Errorf("named are %v, %v", known, err)
	}
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		more, err := s.Erase(ctx, tx, "organisation", organisation, 100)
		if more {
			t.Error("there is more")
		}
		return err
	})
	if err != nil || s.kept() != 0 {
		t.Errorf("erasing leaves %d files, %v", s.kept(), err)
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		n, err := s.Holds(ctx, v, "organisation", organisation)
		if n != 0 {
			t.Errorf("it still holds %d", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestClockJumps makes exports by a clock that runs ahead and then is put right: their files do not stay for as much longer,
// and they count against nobody. One that is a day off is kept.
func TestClockJumps(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ahead time.Duration
		kept  int
		more  bool
	}{
		{"none", 0, takeout.MaxADay, false},
		{"a day", 24 * time.Hour, takeout.MaxADay, false},
		{"a year", 365 * 24 * time.Hour, 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStand(t, 0, lines("rows.jsonl", 3, nil))
			ctx := t.Context()
			s.at = s.at.Add(tt.ahead)
			for range takeout.MaxADay {
				s.work(ctx, s.order())
			}
			s.at = s.at.Add(-tt.ahead)
			if err := s.Tick(ctx); err != nil {
				t.Fatal(err)
			}
			if got := s.kept(); got != tt.kept {
				t.Errorf("%d files are kept, want %d", got, tt.kept)
			}
			_, err := s.Order(ctx, owner(organisation), organisation, "")
			if f := fault.Of(err); (err == nil) != tt.more || err != nil && (f.RetryAfter <= 0 || f.RetryAfter > 48*time.Hour) {
				t.Errorf("one more: %v, want it taken %t", err, tt.more)
			}
		})
	}
}
