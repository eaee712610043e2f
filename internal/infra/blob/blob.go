// Package blob keeps files that rooms name: papers, icons, evidence.
//
// It owns no table; a room names a blob by its id in a row of its own. It promises:
//   - when Put returns, the content is on disk, sealed: a copy of the files opens nothing;
//   - a blob is what it says: its type is read from its bytes, never from a name or a header, and what is not allowed, too
//     large or too many pixels is refused and leaves nothing;
//   - a blob that was cut, reordered or changed does not open as if it were whole;
//   - a blob that no row names goes within two days, three after the clock jumped: a program that was killed between file and row leaves no litter;
//   - a full disk refuses a blob and leaves nothing of it;
//   - what is spooled lies sealed by a key that only memory has, and goes when its spool is closed.
//
// Where the bytes are, only the adapter below knows (blob/dir).
package blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"regexp"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/watch"
)

// Files is an adapter: a place for whole files that are never changed. All methods may be called by any goroutine.
type Files interface {
	// Create begins a file. It is there, whole and durable, once its Commit returns nil, and never if it was aborted.
	Create(ctx context.Context, id string) (File, error)
	// Open reads a file; a missing one is an error that is [fault.Missing].
	Open(ctx context.Context, id string) (io.ReadCloser, error)
	// Remove takes a file away; one that is not there is removed already.
	Remove(ctx context.Context, id string) error
	// List gives files in the order of their ids, from the one behind after on.
	List(ctx context.Context, after string, limit int) ([]Entry, error)
}

// A File is one that is being written.
type File interface {
	io.Writer
	Commit() error
	Abort() error // after Commit it does nothing
}

// An Entry is a file as the adapter lists it.
type Entry struct {
	ID   string
	Size int64 // as stored
	At   time.Time
}

// A Key gives the key that a blob of an organisation (empty: the platform's own) is sealed with.
type Key func(ctx context.Context, organisation, id string) ([32]byte, error)

// Blobs seals what it keeps. It is safe for concurrent use.
type Blobs struct {
	files Files
	key   Key
	now   func() time.Time
	clock watch.Clock
}

// New gives a store of blobs over an adapter.
func New(files Files, key Key) *Blobs { return &Blobs{files: files, key: key, now: time.Now} }

// A Rule is what a blob may be.
type Rule struct {
	Where    string // what the content is called in a refusal: "/paper"
	Types    []Type
	MaxBytes int64
	MinSide  int // pixels of an image; 0: any
	MaxSide  int // pixels of an image; 0: 10,000
	Square   bool
}

// A Blob is what a room writes down of one.
type Blob struct {
	ID     string // UUIDv7
	Type   Type
	Size   int64 // of the content
	Width  int   // pixels; 0: not an image
	Height int
	SHA256 [sha256.Size]byte // of the content
}

// Put keeps the content of r for an organisation (empty: the platform's own) if the rule allows it.
func (b *Blobs) Put(ctx context.Context, organisation string, r io.Reader, rule Rule) (Blob, error) {
	head := newPeek(r)
	out, err := rule.look(head)
	if err != nil {
		return Blob{}, err
	}
	out.ID = uuid.Must(uuid.NewV7()).String()
	key, err := b.key(ctx, organisation, out.ID)
	if err != nil {
		return Blob{}, fmt.Errorf("opening the key of a blob: %w", err)
	}
	f, err := b.files.Create(ctx, out.ID)
	if err != nil {
		return Blob{}, fmt.Errorf("making a blob: %w", err)
	}
	if err := out.write(ctx, f, key, head, rule); err != nil {
		return Blob{}, errors.Join(err, f.Abort())
	}
	if err := f.Commit(); err != nil {
		return Blob{}, fmt.Errorf("keeping a blob: %w", err)
	}
	return out, nil
}

// write seals the content into f, counting and hashing it.
func (b *Blob) write(ctx context.Context, f io.Writer, key [32]byte, content io.Reader, rule Rule) error {
	w, err := age.Encrypt(f, box{key})
	if err != nil {
		return fmt.Errorf("sealing a blob: %w", err)
	}
	sum := sha256.New()
	b.Size, err = copyAll(ctx, w, sum, io.LimitReader(content, rule.MaxBytes+1))
	if err != nil {
		return err
	}
	if b.Size > rule.MaxBytes {
		return fault.TooLarge(rule.Where, b.Size, rule.MaxBytes)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("sealing a blob: %w", err)
	}
	sum.Sum(b.SHA256[:0])
	return nil
}

// copyAll tells a reader that broke off from a writer that failed.
func copyAll(ctx context.Context, w io.Writer, sum hash.Hash, r io.Reader) (n int64, err error) {
	buf := make([]byte, 64<<10)
	for {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		k, err := r.Read(buf)
		_, _ = sum.Write(buf[:k]) // never fails
		if _, err := w.Write(buf[:k]); err != nil {
			return n, fmt.Errorf("writing a blob: %w", err)
		}
		n += int64(k)
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, fmt.Errorf("reading what is to be kept: %w", err)
		}
	}
}

// Open reads the content of a blob. What was tampered with is an error of Read, before its end.
func (b *Blobs) Open(ctx context.Context, organisation, id string) (io.ReadCloser, error) {
	if !idForm.MatchString(id) {
		return nil, fault.NotFound("blob", id)
	}
	key, err := b.key(ctx, organisation, id)
	if err != nil {
		return nil, fmt.Errorf("opening the key of blob %s: %w", id, err)
	}
	f, err := b.files.Open(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("opening blob %s: %w", id, err)
	}
	r, err := age.Decrypt(f, box{key})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("unsealing blob %s: %w", id, err), f.Close())
	}
	return opened{r, f}, nil
}

type opened struct {
	io.Reader
	io.Closer
}

// Remove takes a blob away. Rooms call it after the commit that took its name away; what they miss, Sweep finds.
func (b *Blobs) Remove(ctx context.Context, id string) error {
	if !idForm.MatchString(id) {
		return nil
	}
	if err := b.files.Remove(ctx, id); err != nil {
		return fmt.Errorf("removing blob %s: %w", id, err)
	}
	return nil
}

var idForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
