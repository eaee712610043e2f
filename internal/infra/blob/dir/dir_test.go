package dir_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/blob/blobtest"
	"lampworks/internal/infra/blob/dir"
)

func open(t *testing.T) blob.Files {
	t.Helper()
	f, err := dir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestContract(t *testing.T) { blobtest.Run(t, open) }

// TestAKilledProgramLeavesNothing opens a directory in which a file was never finished.
func TestAKilledProgramLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "blobs")
	f, err := dir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := f.Create(t.Context(), "0197f3a0-7b1e-7c3a-9f42-000000000001")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "half of it"); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Open(path); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(path, "*", "*"))
	if len(left) != 0 || err != nil {
		t.Errorf("left is %v, %v", left, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory is %v, %v", info.Mode(), err)
	}
}
