package takeout

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	_ "embed" // the text for whoever opens the file
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"time"

	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/fault"
)

// Format names the form of the file in its manifest.
const Format = "lampworks export 1"

//go:embed README.txt
var readme string

// A Manifest is the last file of an archive: what is in it.
type Manifest struct {
	Format       string    `json:"format"`
	Export       string    `json:"export"`
	Organisation string    `json:"organisation"`
	OrderedAt    time.Time `json:"ordered_at"`
	CollectedAt  time.Time `json:"collected_at"`
	Files        []Entry   `json:"files"`
}

// An Entry is one file of an archive.
type Entry struct {
	Name   string `json:"name"`
	Rows   int64  `json:"rows"` // 0 of a file that is no list
	Bytes  int64  `json:"size_bytes"`
	SHA256 string `json:"sha256"`
}

// An Archive is a zip file that is being written, one file after the other. One goroutine uses it.
type Archive struct {
	zip     *zip.Writer
	at      time.Time
	names   map[string]bool
	entries []Entry
	open    *File
	rows    int64 // of all files
	tick    func(ctx context.Context, rows int64) error
	spool   func(ctx context.Context) *blob.Spool
}

// tickRows is after how many rows the job says how far it is, and hears whether it was cancelled.
const tickRows = 2000

func newArchive(w io.Writer, at time.Time, tick func(ctx context.Context, rows int64) error, spool func(ctx context.Context) *blob.Spool) *Archive {
	return &Archive{zip: zip.NewWriter(w), at: at, names: make(map[string]bool), tick: tick, spool: spool}
}

// Spool keeps, outside of memory, what goes into more than one file, or is needed once it is written. It is to be closed.
func (a *Archive) Spool(ctx context.Context) *blob.Spool { return a.spool(ctx) }

// A File is the file of an archive that is written now. Beginning the next ends it.
type File struct {
	Entry
	archive *Archive
	w       io.Writer
	sum     hash.Hash
}

// File begins a file. Its name is a path with slashes, and there once.
func (a *Archive) File(ctx context.Context, name string) (*File, error) {
	if a.names[name] {
		return nil, fmt.Errorf("the archive has %s twice", name)
	}
	if err := a.end(ctx); err != nil {
		return nil, err
	}
	a.names[name] = true
	w, err := a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: a.at})
	if err != nil {
		return nil, fmt.Errorf("beginning %s: %w", name, err)
	}
	a.open = &File{Entry{Name: name}, a, w, sha256.New()}
	return a.open, nil
}

// Copy writes a file that is kept elsewhere, and closes it.
func (a *Archive) Copy(ctx context.Context, name string, content io.ReadCloser) error {
	defer content.Close()
	f, err := a.File(ctx, name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, content); err != nil {
		return fmt.Errorf("copying %s: %w", name, err)
	}
	return nil
}

// JSON writes a file that is one value.
func (a *Archive) JSON(ctx context.Context, name string, v any) error {
	f, err := a.File(ctx, name)
	if err != nil {
		return err
	}
	e := json.NewEncoder(f)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// Write implements io.Writer.
func (f *File) Write(p []byte) (int, error) {
	if f.archive.open != f {
		return 0, fmt.Errorf("%s has ended", f.Name)
	}
	n, err := f.w.Write(p)
	_, _ = f.sum.Write(p[:n]) // never fails
	f.Bytes += int64(n)
	return n, err
}

// Row says that a row was written.
func (f *File) Row(ctx context.Context) error {
	f.Rows++
	f.archive.rows++
	if f.archive.rows%tickRows != 0 {
		return nil
	}
	return f.archive.tick(ctx, f.archive.rows)
}

// end finishes the file that is open.
func (a *Archive) end(ctx context.Context) error {
	if a.open == nil {
		return ctx.Err()
	}
	a.open.SHA256 = hex.EncodeToString(a.open.sum.Sum(nil))
	a.entries = append(a.entries, a.open.Entry)
	a.open = nil
	return a.tick(ctx, a.rows)
}

// close writes the manifest and ends the archive.
func (a *Archive) close(ctx context.Context, e *Export, now time.Time) error {
	if err := a.end(ctx); err != nil {
		return err
	}
	files := a.entries
	if err := a.JSON(ctx, "manifest.json", Manifest{Format, e.ID, e.Organisation, e.Created, now, files}); err != nil {
		return err
	}
	if err := a.end(ctx); err != nil {
		return err
	}
	if err := a.zip.Close(); err != nil {
		return fmt.Errorf("ending the archive: %w", err)
	}
	return nil
}

// tooLarge says what a file that is larger than allowed needs, in words of this room.
func tooLarge(err error, limit int64) error {
	if fault.Is(err, fault.TooBig) {
		return &fault.Fault{Code: fault.TooBig, What: fmt.Sprintf("the export is larger than %d bytes, which is the most of one file", limit), Where: "export", Fix: "ask the operator for the data in parts"}
	}
	return err
}
