package takeout

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/store"
)

const exportJob = "takeout.collect"

type exportInput struct {
	Export       string `json:"export"`
	Organisation string `json:"organisation"`
}

// A Result is what the job of an export says when it is done.
type Result struct {
	Export string `json:"export"`
	Files  int64  `json:"files"`
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"size_bytes"`
	SHA256 string `json:"sha256"`
}

// collect is the job of an export. It is done anew after a crash: what was written before has no name, and goes.
func (s *Service) collect(ctx context.Context, t *job.Task) error {
	var in exportInput
	if err := t.Input(&in); err != nil {
		return err
	}
	var e Export
	err := s.c.Store.Read(context.WithoutCancel(ctx), func(v *store.View) (err error) {
		e, err = load(ctx, v, in.Organisation, in.Export)
		return err
	})
	if fault.Is(err, fault.Missing) { // erased
		return job.ErrCancelled
	}
	if err != nil || e.State != Collecting {
		return err
	}
	err = ctx.Err()
	if err == nil {
		err = s.fill(ctx, t, &e)
	}
	return s.settle(ctx, &e, err)
}

// settle writes down how collecting ended, unless it goes on later.
func (s *Service) settle(ctx context.Context, e *Export, cause error) error {
	cancelled := errors.Is(context.Cause(ctx), job.ErrCancelled) || errors.Is(cause, job.ErrCancelled)
	switch {
	case cause == nil:
		return nil
	case cancelled:
		cause = job.ErrCancelled
	case ctx.Err() != nil || fault.Passes(cause): // the program stops, or tries again
		return cause
	}
	err := s.c.Store.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		now, err := load(ctx, tx, e.Organisation, e.ID)
		if err != nil || now.State != Collecting {
			return err
		}
		if cancelled {
			return s.move(ctx, tx, clockActor(), &now, Cancel)
		}
		now.Failure = "an error of the program, see its log"
		if f := fault.Of(cause); f != nil {
			now.Failure = f.Sentence()
		}
		return s.move(ctx, tx, clockActor(), &now, Fail)
	})
	if fault.Is(err, fault.Missing) {
		err = nil
	}
	return errors.Join(cause, err)
}

func clockActor() access.Actor { return access.Clock("takeout", "") }

// fill collects the file and makes the export ready.
func (s *Service) fill(ctx context.Context, t *job.Task, e *Export) error {
	files, rows, b, err := s.put(ctx, t, e)
	if err != nil {
		return err
	}
	e.File, e.Bytes, e.Files, e.Rows, e.SHA256 = b.ID, b.Size, files, rows, hex.EncodeToString(b.SHA256[:])
	e.Expires = moment(s.c.Now().Add(Keep).UnixMilli())
	if err := t.SetResult(Result{e.ID, e.Files, e.Rows, e.Bytes, e.SHA256}); err != nil {
		return err
	}
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		ready := *e
		if err := t.Progress(ctx, tx, rows, rows); err != nil {
			return err
		}
		return s.move(ctx, tx, clockActor(), &ready, Finish)
	})
	if err != nil {
		s.remove(context.WithoutCancel(ctx), b.ID)
		if fault.Is(err, fault.Outdated) { // somebody ended it meanwhile
			return job.ErrCancelled
		}
	}
	return err
}

// put streams the archive into a blob: what is collected is never held.
func (s *Service) put(ctx context.Context, t *job.Task, e *Export) (files, rows int64, b blob.Blob, err error) {
	r, w := io.Pipe()
	var kept error
	var wg sync.WaitGroup
	defer wg.Wait()
	defer w.CloseWithError(errBrokeOff) // of a panic: what was written is no file
	wg.Go(func() {
		b, kept = s.c.Blobs.Put(ctx, e.Organisation, r, blob.Rule{Where: "export", Types: []blob.Type{blob.ZIP}, MaxBytes: s.c.MaxBytes})
		r.CloseWithError(io.ErrClosedPipe) // whoever still writes stops
	})
	files, rows, wrote := s.write(ctx, t, e, w)
	w.CloseWithError(wrote) // nil: the end
	wg.Wait()
	if wrote != nil && !errors.Is(wrote, io.ErrClosedPipe) {
		return 0, 0, b, wrote
	}
	return files, rows, b, tooLarge(kept, s.c.MaxBytes)
}

var errBrokeOff = errors.New("collecting broke off")

// write writes the archive: the text for whoever opens it, what there is, and the manifest.
func (s *Service) write(ctx context.Context, t *job.Task, e *Export, w io.Writer) (files, rows int64, err error) {
	out := newArchive(w, e.Created, func(ctx context.Context, rows int64) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return s.c.Store.Write(ctx, func(tx *store.Tx) error { return t.Progress(ctx, tx, rows, 0) })
	}, s.c.Blobs.Spool)
	f, err := out.File(ctx, "README.txt")
	if err != nil {
		return 0, 0, err
	}
	if _, err := io.WriteString(f, readme); err != nil {
		return 0, 0, err
	}
	for _, part := range s.parts {
		if err := part(ctx, seer(e), out); err != nil {
			return 0, 0, fmt.Errorf("collecting export %s: %w", e.ID, err)
		}
	}
	if err := out.close(ctx, e, moment(s.c.Now().UnixMilli())); err != nil {
		return 0, 0, err
	}
	return int64(len(out.entries)), out.rows, nil
}

// seer sees what an owner of the organisation sees, and may show no secret: it has no session and no proof.
func seer(e *Export) access.Actor {
	return access.Actor{Kind: access.KindUser, ID: e.By, User: e.By, Organisation: e.Organisation, Roles: []access.Role{access.Owner}}
}

// lookEvery is how late a file may go whose time is over.
const lookEvery = time.Minute

// Run removes files whose time is over, and ends exports whose job has, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := s.Tick(ctx); err != nil && ctx.Err() == nil {
			s.c.Logger.LogAttrs(ctx, slog.LevelWarn, "exports not looked after", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Tick does what Run does once a minute. Tests call it instead of Run.
func (s *Service) Tick(ctx context.Context) error {
	var over, open []Export
	err := s.c.Store.Read(ctx, func(v *store.View) (err error) {
		now := s.c.Now()
		if over, err = some(ctx, v, "state = 'ready' AND (expires_at <= ? OR expires_at > ?) ORDER BY expires_at LIMIT 500", now.UnixMilli(), now.Add(2*Keep).UnixMilli()); err != nil {
			return err
		}
		open, err = some(ctx, v, "state = 'collecting' ORDER BY organisation LIMIT 500")
		return err
	})
	if err != nil {
		return err
	}
	for _, e := range over {
		if err := s.tick(ctx, func(tx *store.Tx) error { return s.move(ctx, tx, clockActor(), &e, Lapse) }); err != nil {
			return err
		}
	}
	for _, e := range open {
		if err := s.tick(ctx, func(tx *store.Tx) error { return s.abandoned(ctx, tx, &e) }); err != nil {
			return err
		}
	}
	return nil
}

// tick moves one export, unless somebody was faster: that keeps none of the others back.
func (s *Service) tick(ctx context.Context, move func(*store.Tx) error) error {
	err := s.c.Store.Write(ctx, move)
	if fault.Is(err, fault.Outdated) {
		return nil
	}
	return err
}

// abandoned ends an export whose job ended without saying so: it was given up, or is gone.
func (s *Service) abandoned(ctx context.Context, tx *store.Tx, e *Export) error {
	j, err := job.Load(ctx, tx, access.System("takeout", ""), e.Job)
	switch {
	case err != nil && !fault.Is(err, fault.Missing):
		return err
	case err == nil && !j.State.Ended():
		return nil
	case err == nil && j.State == job.Cancelled:
		return s.move(ctx, tx, clockActor(), e, Cancel)
	}
	e.Failure = j.Error
	if e.Failure == "" {
		e.Failure = "its job is gone"
	}
	return s.move(ctx, tx, clockActor(), e, Fail)
}

// remove takes a file away. One that stays for now has no name, and is swept.
func (s *Service) remove(ctx context.Context, file string) {
	if file == "" {
		return
	}
	if err := s.c.Blobs.Remove(context.WithoutCancel(ctx), file); err != nil {
		s.c.Logger.LogAttrs(ctx, slog.LevelWarn, "file of an export not removed, it will be swept", slog.String("blob", file), slog.Any("error", err))
	}
}
