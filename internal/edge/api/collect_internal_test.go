package api

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
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/takeout"
)

// exported collects parts as an export does, and gives its files and where blobs are.
func exported(t *testing.T, folder string, part takeout.Collection) (files map[string]string, state takeout.State) {
	t.Helper()
	s := storetest.Open(t)
	at, err := dir.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	jobs := job.New(s, slog.New(slog.DiscardHandler))
	exports := takeout.New(takeout.Config{Store: s, Blobs: blob.New(at, blobtest.Key), Jobs: jobs})
	exports.Over(part)
	const organisation = "0198f3c2-0000-7000-8000-00000000000a"
	who := access.Actor{
		Kind: access.KindUser, ID: "anna", User: "anna", Organisation: organisation, Roles: []access.Role{access.Owner}, Session: "s", Strong: true, Proved: time.Now(),
	}
	e, err := exports.Order(t.Context(), who, organisation, "we leave")
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- jobs.Run(running) }()
	_, _ = jobs.Wait(running, access.System("test", ""), e.Job)
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if e, err = exports.Load(t.Context(), who, organisation, e.ID); err != nil || e.State != takeout.Ready {
		return nil, e.State
	}
	_, r, err := exports.Fetch(t.Context(), who, organisation, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	files = make(map[string]string)
	for _, f := range z.File {
		c, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	return files, e.State
}

// A reading is a row that says how often its list was read.
type reading struct {
	ID   string `json:"id"`
	Read int    `json:"read"`
	Note string `json:"note"`
}

// Each list is read once: what was written of it as JSON lines, as CSV and row by row is the same, however long it is, and lies
// nowhere in the clear meanwhile.
func TestListsAreCollectedOnce(t *testing.T) {
	const canary = "canary-4711"
	for name, n := range map[string]int{"none": 0, "few": 3, "many": 20_000} {
		t.Run(name, func(t *testing.T) {
			folder, asked := t.TempDir(), 0
			var seen []string
			files, _ := exported(t, folder, func(ctx context.Context, _ access.Actor, out *takeout.Archive) error {
				list := func(_ context.Context, cursor string) (page[reading], error) {
					asked++
					begin := len(cursor)
					p := page[reading]{}
					for i := begin; i < min(begin+5_000, n); i++ {
						p.Items = append(p.Items, reading{fmt.Sprint(i), asked, canary + strings.Repeat(" =1+1", 20)})
					}
					if begin+5_000 < n {
						p.NextCursor = strings.Repeat("x", begin+5_000)
					}
					return p, nil
				}
				return collectThen(ctx, out, "readings", list, func(all rows) error {
					inTheClear(t, folder, canary)
					for range 2 { // as often as is wanted
						seen = nil
						err := again(ctx, all, func(r reading) error {
							seen = append(seen, fmt.Sprintf("%s,%d,%s", r.ID, r.Read, r.Note))
							return nil
						})
						if err != nil {
							return err
						}
					}
					return nil
				})
			})
			if want := max(1, n/5_000); asked != want {
				t.Errorf("%d pages were asked for, want %d", asked, want)
			}
			lines := strings.Split(strings.TrimSuffix(files["readings.csv"], "\n"), "\n")
			if lines[0] != "id,read,note" || fmt.Sprint(lines[1:]) != fmt.Sprint(seen) || len(seen) != n {
				t.Errorf("%d rows as CSV, %d again, want the same %d", len(lines)-1, len(seen), n)
			}
			if got := strings.Count(files["readings.jsonl"], canary); got != n {
				t.Errorf("%d JSON lines, want %d", got, n)
			}
			if left, err := filepath.Glob(filepath.Join(folder, "*", "*")); err != nil || len(left) != 1 {
				t.Errorf("%d files are left, want that of the export: %v", len(left), err)
			}
		})
	}
}

// inTheClear looks for a text in every file of a folder.
func inTheClear(t *testing.T, folder, text string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if b, err := os.ReadFile(name); err != nil || bytes.Contains(b, []byte(text)) {
			t.Errorf("%s has %q in the clear: %v", name, text, err)
		}
	}
}

// What is taken away while it is collected is left out; another failure ends it, and nothing stays.
func TestWhatIsGoneIsLeftOut(t *testing.T) {
	collecting := func(folder string, failure error) (map[string]string, takeout.State) {
		return exported(t, folder, func(ctx context.Context, _ access.Actor, out *takeout.Archive) error {
			list := func(context.Context, string) (page[identified], error) {
				return page[identified]{Items: []identified{{"a"}, {"gone"}, {"c"}}}, nil
			}
			return collectThen(ctx, out, "things", list, func(things rows) error {
				return collectEach(ctx, out, "parts", things, func(id string) pages[identified] {
					return func(context.Context, string) (page[identified], error) {
						if id == "gone" {
							return page[identified]{}, failure
						}
						return page[identified]{Items: []identified{{"of " + id}}}, nil
					}
				}, func(_ string, part identified) identified { return part })
			})
		})
	}
	files, _ := collecting(t.TempDir(), fault.NotFound("thing", "gone"))
	if got, want := files["parts.csv"], "id\nof a\nof c\n"; got != want {
		t.Errorf("parts are %q, want %q", got, want)
	}
	folder := t.TempDir()
	if _, state := collecting(folder, errors.New("the ground shakes")); state != takeout.Failed {
		t.Errorf("it is %s", state)
	}
	if left, err := filepath.Glob(filepath.Join(folder, "*", "*")); err != nil || len(left) != 0 {
		t.Errorf("%q are left, %v", left, err)
	}
}
