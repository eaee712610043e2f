package blob

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"github.com/google/uuid"
)

// spooled is how much of a spool stays in memory, bytes.
const spooled = 1 << 20

// A Spool holds what is written into it, to be read again from the beginning, as often as is wanted: a little of it in memory, and
// more in a file, packed and sealed by a key that nothing else has. It names no blob and is gone when it is closed; a program
// that was killed before leaves a file that nobody can open, which is swept. One goroutine uses it.
type Spool struct {
	ctx   context.Context //nolint:containedctx // of whoever writes and closes
	files Files
	small bytes.Buffer // all there is, while there is no file
	id    string       // of the file; empty: none
	key   [32]byte
	file  File
	seal  io.WriteCloser
	pack  *flate.Writer
	ended bool
}

// Spool begins a spool. It is to be closed.
func (b *Blobs) Spool(ctx context.Context) *Spool { return &Spool{ctx: ctx, files: b.files} }

// Write implements io.Writer, until the first Open.
func (s *Spool) Write(p []byte) (int, error) {
	if s.ended {
		return 0, errors.New("the spool is read already")
	}
	if s.id == "" && s.small.Len()+len(p) <= spooled {
		return s.small.Write(p)
	}
	if s.id == "" {
		if err := s.spill(); err != nil {
			return 0, err
		}
	}
	n, err := s.pack.Write(p)
	if err != nil {
		return n, fmt.Errorf("writing a spool: %w", err)
	}
	return n, nil
}

// spill goes on in a file.
func (s *Spool) spill() error {
	_, _ = rand.Read(s.key[:]) // never fails
	id := uuid.Must(uuid.NewV7()).String()
	var err error
	if s.file, err = s.files.Create(s.ctx, id); err != nil {
		return fmt.Errorf("making a spool: %w", err)
	}
	s.id = id
	if s.seal, err = age.Encrypt(s.file, box{s.key}); err != nil {
		return fmt.Errorf("sealing a spool: %w", err)
	}
	if s.pack, err = flate.NewWriter(s.seal, flate.BestSpeed); err != nil {
		return fmt.Errorf("packing a spool: %w", err)
	}
	_, err = s.pack.Write(s.small.Bytes())
	s.small = bytes.Buffer{}
	return err
}

// Open reads what was written, from the beginning.
func (s *Spool) Open(ctx context.Context) (io.ReadCloser, error) {
	if !s.ended {
		s.ended = true
		if s.id != "" {
			if err := errors.Join(s.pack.Close(), s.seal.Close()); err != nil {
				return nil, fmt.Errorf("ending a spool: %w", err)
			}
			if err := s.file.Commit(); err != nil {
				return nil, fmt.Errorf("ending a spool: %w", err)
			}
		}
	}
	if s.id == "" {
		return io.NopCloser(bytes.NewReader(s.small.Bytes())), nil
	}
	f, err := s.files.Open(ctx, s.id)
	if err != nil {
		return nil, fmt.Errorf("opening a spool: %w", err)
	}
	r, err := age.Decrypt(f, box{s.key})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("unsealing a spool: %w", err), f.Close())
	}
	return opened{flate.NewReader(r), f}, nil
}

// Close lets go of what was written.
func (s *Spool) Close() error {
	s.ended, s.small = true, bytes.Buffer{}
	if s.id == "" {
		return nil
	}
	return errors.Join(s.file.Abort(), s.files.Remove(context.WithoutCancel(s.ctx), s.id))
}
