// Package blobtest holds what every adapter of package blob has to pass, and gives tests of rooms a real store.
//
// It owns nothing and promises that an adapter which passes keeps whole files, or none.
package blobtest

import (
	"context"
	"fmt"
	"io"
	"testing"

	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/blob/dir"
	"lampworks/internal/infra/fault"
)

// Open gives an empty store of blobs in a directory of the test.
func Open(t testing.TB) *blob.Blobs {
	t.Helper()
	files, err := dir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return blob.New(files, Key)
}

// Key derives nothing: it tells organisations and blobs apart, for tests.
func Key(_ context.Context, organisation, id string) (key [32]byte, err error) {
	copy(key[:], organisation+"/"+id)
	return key, nil
}

func id(n int) string { return fmt.Sprintf("0197f3a0-7b1e-7c3a-9f42-%012x", n) }

// Run holds an adapter to the contract.
func Run(t *testing.T, open func(t *testing.T) blob.Files) {
	ctx := t.Context()
	write := func(t *testing.T, f blob.Files, id, text string) blob.File {
		t.Helper()
		w, err := f.Create(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		return w
	}
	read := func(f blob.Files, id string) (string, error) {
		r, err := f.Open(ctx, id)
		if err != nil {
			return "", err
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		return string(b), err
	}
	t.Run("a file is there once it is committed", func(t *testing.T) {
		f := open(t)
		w := write(t, f, id(1), "whole")
		if _, err := read(f, id(1)); !fault.Is(err, fault.Missing) {
			t.Errorf("before the commit: %v", err)
		}
		if page, err := f.List(ctx, "", 10); len(page) != 0 || err != nil {
			t.Errorf("before the commit it lists %v, %v", page, err)
		}
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		if err := w.Abort(); err != nil {
			t.Errorf("aborting what was committed: %v", err)
		}
		if got, err := read(f, id(1)); got != "whole" || err != nil {
			t.Errorf("after the commit: %q, %v", got, err)
		}
	})
	t.Run("an aborted file never was", func(t *testing.T) {
		f := open(t)
		if err := write(t, f, id(1), "half").Abort(); err != nil {
			t.Fatal(err)
		}
		if _, err := read(f, id(1)); !fault.Is(err, fault.Missing) {
			t.Errorf("it reads: %v", err)
		}
		if err := write(t, f, id(1), "again").Commit(); err != nil {
			t.Errorf("the id is not free: %v", err)
		}
	})
	t.Run("a file is never replaced", func(t *testing.T) {
		f := open(t)
		if err := write(t, f, id(1), "first").Commit(); err != nil {
			t.Fatal(err)
		}
		w, err := f.Create(ctx, id(1))
		if err == nil {
			err = w.Commit()
		}
		if got, _ := read(f, id(1)); got != "first" || err == nil {
			t.Errorf("it holds %q, the second ended %v", got, err)
		}
	})
	t.Run("files are listed in order and page by page", func(t *testing.T) {
		f := open(t)
		for _, n := range []int{0x30, 0x101, 0x2, 0x200, 0x1ff} {
			if err := write(t, f, id(n), "x").Commit(); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Remove(ctx, id(0x30)); err != nil {
			t.Fatal(err)
		}
		if err := f.Remove(ctx, id(0x30)); err != nil {
			t.Errorf("removing twice: %v", err)
		}
		var got []string
		for after := ""; ; {
			page, err := f.List(ctx, after, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				got = append(got, e.ID)
			}
			after = got[len(got)-1]
		}
		if want := []string{id(0x2), id(0x101), id(0x1ff), id(0x200)}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("listed\n got %v\nwant %v", got, want)
		}
	})
}
