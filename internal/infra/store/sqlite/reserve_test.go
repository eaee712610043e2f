package sqlite

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

func TestFullDiskStillTakesWhatIsUrgent(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=6m"); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	path := filepath.Join(dir, "db")
	const size = 1 << 20
	s := open(t, path, Options{Reserve: size, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	defer s.Close()
	if info, err := os.Stat(path + ".reserve"); err != nil || info.Size() != size {
		t.Fatalf("the reserve: %v, %v", info, err)
	}
	if err := s.Write(t.Context(), exec1(`CREATE TABLE x (b BLOB)`)); err != nil {
		t.Fatal(err)
	}
	add := func(ctx context.Context) error {
		return s.Write(ctx, exec1(`INSERT INTO x (b) VALUES (zeroblob(1000))`))
	}
	kept := 0
	for ; kept < 10_000; kept++ {
		if err := s.Write(t.Context(), exec1(`INSERT INTO x (b) VALUES (zeroblob(20000))`)); err != nil {
			break
		}
	}
	eat(t, filepath.Join(dir, "log")) // what shares the disk takes the rest, and goes on taking
	for i := range 20 {
		err := add(t.Context())
		if f := fault.Of(err); f == nil || f.Code != fault.Down || f.Sentence() != errFull {
			t.Errorf("write %d on a full disk gives %v", i, err)
		}
		if err := add(store.Urgent(t.Context())); err != nil {
			t.Fatalf("urgent write %d on a full disk gives %v", i, err)
		}
		kept++
	}
	if n := count(t, s, "x"); n != kept {
		t.Errorf("%d rows, want %d", n, kept)
	}
	if info, err := os.Stat(path + ".reserve"); err != nil || info.Size() >= size {
		t.Errorf("the reserve was not used: %v, %v", info.Size(), err)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=32m"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return add(t.Context()) == nil })
	if info, err := os.Stat(path + ".reserve"); err != nil || info.Size() != size {
		t.Errorf("the reserve is not whole again: %v, %v", info.Size(), err)
	}
}

// eat fills what is left of a disk.
func eat(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for chunk := make([]byte, 1<<16); len(chunk) > 0; {
		if _, err := f.Write(chunk); err != nil {
			chunk = chunk[:len(chunk)/2]
		}
	}
}

func TestNoReserveIsNoHarm(t *testing.T) {
	s := open(t, t.TempDir()+"/db", Options{})
	defer s.Close()
	if err := s.Write(store.Urgent(t.Context()), exec1(`CREATE TABLE x (n INTEGER)`)); err != nil {
		t.Error(err)
	}
}
