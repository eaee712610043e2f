package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"lampworks/internal/infra/fault"
)

const (
	// reservePieces is how many pieces a reserve is used up in. It is not given back at once: the Log and the history,
	// which share the disk, would take it all.
	reservePieces = 64
	reservePause  = time.Second // between looks whether there is room again
)

// errFull is what a write hears while the disk is full.
const errFull = "the disk of the database is full"

// A reserve is room on the disk that is kept for urgent writes: a file of that many bytes beside the database. While the
// disk is full a piece of it is given back whenever an urgent write needs one, and other writes are refused before they
// begin. Once there is room it is made whole again. The zero reserve keeps nothing.
type reserve struct {
	path string
	size int64
	log  *slog.Logger

	mu     sync.Mutex // guards what is below
	full   bool
	looked time.Time // last, whether there is room
}

// newReserve makes the reserve of the database at path. A disk that has no room for it is warned of.
func newReserve(path string, size int64, log *slog.Logger) *reserve {
	r := &reserve{path: path + ".reserve", size: size, log: log}
	if size <= 0 {
		return r
	}
	if err := r.fill(); err != nil {
		log.LogAttrs(context.Background(), slog.LevelWarn, "there is no reserve for urgent writes on a full disk", slog.Any("error", err))
	}
	return r
}

// fill makes the file whole, if then as much again is left for others.
func (r *reserve) fill() error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(r.path), &fs); err != nil {
		return fmt.Errorf("asking how much room is left: %w", err)
	}
	f, err := os.OpenFile(r.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	has, err := f.Stat()
	if err != nil {
		return err
	}
	missing := r.size - has.Size()
	if missing <= 0 {
		return nil
	}
	if left := int64(fs.Bavail) * fs.Bsize; left < missing+r.size/2 {
		return fmt.Errorf("%d bytes are left, want %d", left, missing+r.size/2)
	}
	if err := allocate(f, has.Size(), missing); err != nil {
		return errors.Join(fmt.Errorf("allocating %d bytes: %w", missing, err), f.Truncate(has.Size()))
	}
	return nil
}

// allocate takes room on the disk; where the file system cannot do so by itself the room is written.
func allocate(f *os.File, from, n int64) error {
	err := syscall.Fallocate(int(f.Fd()), 0, from, n) // a descriptor is small
	if !errors.Is(err, syscall.EOPNOTSUPP) && !errors.Is(err, syscall.ENOSYS) {
		return err
	}
	zeros := make([]byte, 1<<16)
	for end := from + n; from < end; from += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), end-from)], from); err != nil {
			return err
		}
	}
	return f.Sync()
}

// admit refuses a write that is not urgent while the disk is full, and looks now and then whether it still is.
func (r *reserve) admit(urgent bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.full {
		return nil
	}
	if time.Since(r.looked) > reservePause {
		r.looked = time.Now()
		if err := r.fill(); err == nil {
			r.full = false
			r.log.LogAttrs(context.Background(), slog.LevelInfo, "the disk has room again; all writes are taken")
			return nil
		}
	}
	if urgent {
		return nil
	}
	return fault.Unavailable(errFull, nil)
}

// met notes that a write found the disk full. For one that is urgent it gives back a piece of the reserve; true: try again.
func (r *reserve) met(urgent bool) bool {
	if r.size <= 0 {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.full {
		r.full, r.looked = true, time.Now()
		r.log.LogAttrs(context.Background(), slog.LevelError, "the disk is full; only what is urgent (logins, ends of sessions, revocations, cuts) is written, from the reserve")
	}
	if !urgent {
		return false
	}
	has, err := os.Stat(r.path)
	if err != nil || has.Size() == 0 {
		return false
	}
	return os.Truncate(r.path, max(has.Size()-r.size/reservePieces, 0)) == nil
}
