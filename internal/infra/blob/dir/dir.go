// Package dir keeps blobs as files of one directory.
//
// It owns that directory and promises what package blob asks of an adapter: a file is written under another name, synced
// and renamed, so that one that is there is whole, and durable together with its name. What a killed program left half
// written goes at the next start.
package dir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/fault"
)

// partial ends the name of a file that is being written.
const partial = ".partial"

// Files is the directory. It is safe for concurrent use; one process at a time opens it.
type Files struct{ path string }

// Open makes the directory if there is none, and removes what was never finished.
func Open(path string) (*Files, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of blobs: %w", err)
	}
	left, err := filepath.Glob(filepath.Join(path, "*", "*"+partial))
	if err != nil {
		return nil, fmt.Errorf("looking for unfinished blobs: %w", err)
	}
	for _, name := range left {
		if err := os.Remove(name); err != nil {
			return nil, fmt.Errorf("removing an unfinished blob: %w", err)
		}
	}
	return &Files{path}, nil
}

// folder spreads files over 256 directories, by the end of the id, where UUIDs are random.
func (f *Files) folder(id string) string { return filepath.Join(f.path, id[len(id)-2:]) }

func (f *Files) file(id string) string { return filepath.Join(f.folder(id), id) }

// Create implements blob.Files.
func (f *Files) Create(_ context.Context, id string) (blob.File, error) {
	if err := os.Mkdir(f.folder(id), 0o700); err == nil {
		if err := syncDir(f.path); err != nil {
			return nil, explain(err)
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return nil, explain(err)
	}
	out, err := os.OpenFile(f.file(id)+partial, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, explain(err)
	}
	return &writing{File: out, name: f.file(id)}, nil
}

type writing struct {
	*os.File
	name string
	done bool
}

// Write implements io.Writer.
func (w *writing) Write(p []byte) (int, error) {
	n, err := w.File.Write(p)
	return n, explain(err)
}

// Commit implements blob.File.
func (w *writing) Commit() error {
	if err := errors.Join(w.Sync(), w.Close()); err != nil {
		return errors.Join(explain(err), w.Abort())
	}
	// A link, not a rename: a blob that is there is never replaced.
	if err := os.Link(w.Name(), w.name); err != nil {
		return errors.Join(explain(err), w.Abort())
	}
	w.done = true
	return explain(errors.Join(os.Remove(w.Name()), syncDir(filepath.Dir(w.name))))
}

// Abort implements blob.File.
func (w *writing) Abort() error {
	if w.done {
		return nil
	}
	w.done = true
	_ = w.Close() // it may be closed
	return os.Remove(w.Name())
}

// Open implements blob.Files.
func (f *Files) Open(_ context.Context, id string) (io.ReadCloser, error) {
	in, err := os.Open(f.file(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.NotFound("blob", id)
	}
	return in, err
}

// Remove implements blob.Files.
func (f *Files) Remove(_ context.Context, id string) error {
	err := os.Remove(f.file(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// List implements blob.Files.
func (f *Files) List(_ context.Context, after string, limit int) ([]blob.Entry, error) {
	names, err := filepath.Glob(filepath.Join(f.path, "??", "*"))
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(names))
	for _, name := range names {
		if id := filepath.Base(name); id > after && !strings.HasSuffix(id, partial) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	ids = ids[:min(limit, len(ids))]
	page := make([]blob.Entry, 0, len(ids))
	for _, id := range ids {
		info, err := os.Stat(f.file(id))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		page = append(page, blob.Entry{ID: id, Size: info.Size(), At: info.ModTime()})
	}
	return page, nil
}

// explain says what a full disk means.
func explain(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fault.Unavailable("the disk is full; nothing was kept", err)
	}
	return err
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
