package blob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/blob/blobtest"
	"lampworks/internal/infra/blob/dir"
)

// filesIn lists what stands in a directory of blobs.
func filesIn(t *testing.T, path string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(path, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// A spool gives back what was written, as often as it is asked; what is much lies in a file that tells nothing, and goes.
func TestSpool(t *testing.T) {
	const line = "the quick canary sings over the lazy dog\n"
	for name, lines := range map[string]int{"nothing": 0, "little": 10, "just fits": 1 << 20 / len(line), "one too many": 1<<20/len(line) + 1, "much": 200_000} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			files, err := dir.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			s := blob.New(files, blobtest.Key).Spool(t.Context())
			for range lines {
				if _, err := io.WriteString(s, line); err != nil {
					t.Fatal(err)
				}
			}
			want := bytes.Repeat([]byte(line), lines)
			for range 2 {
				r, err := s.Open(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(r)
				if err := errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes come back of %d, %v", len(got), len(want), err)
				}
			}
			there := filesIn(t, path)
			if len(there) > 1 || (len(there) == 1) != (len(want) > 1<<20) {
				t.Errorf("%d bytes stand in %q", len(want), there)
			}
			for _, name := range there {
				if b, err := os.ReadFile(name); err != nil || bytes.Contains(b, []byte("canary")) || len(b) > len(want)/2 {
					t.Errorf("%d bytes of a file tell something, or are not packed: %v", len(b), err)
				}
			}
			if _, err := io.WriteString(s, line); err == nil {
				t.Error("it is written on after it was read")
			}
			if err := s.Close(); err != nil || len(filesIn(t, path)) != 0 {
				t.Errorf("after it was closed there are %q, %v", filesIn(t, path), err)
			}
		})
	}
}

// noRoom is a disk on which no file can be made.
type noRoom struct{ blob.Files }

var errFull = errors.New("the disk is full")

func (noRoom) Create(context.Context, string) (blob.File, error) { return nil, errFull }

// A spool that was never read, and one whose disk is full, leave nothing.
func TestSpoolLeavesNothing(t *testing.T) {
	path := t.TempDir()
	files, err := dir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	s := blob.New(files, blobtest.Key).Spool(t.Context())
	for i := range 100_000 {
		if _, err := fmt.Fprintln(s, i, "is written and not read"); err != nil {
			t.Fatal(err)
		}
	}
	if len(filesIn(t, path)) != 1 {
		t.Errorf("there are %q", filesIn(t, path))
	}
	if err := s.Close(); err != nil || len(filesIn(t, path)) != 0 {
		t.Errorf("after it was closed there are %q, %v", filesIn(t, path), err)
	}
	full := blob.New(noRoom{files}, blobtest.Key).Spool(t.Context())
	_, err = full.Write(make([]byte, 2<<20))
	if !errors.Is(err, errFull) {
		t.Errorf("on a full disk: %v", err)
	}
	if err := full.Close(); err != nil || len(filesIn(t, path)) != 0 {
		t.Errorf("after it was closed there are %q, %v", filesIn(t, path), err)
	}
}
