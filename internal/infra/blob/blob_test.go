package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/blob/blobtest"
	"lampworks/internal/infra/blob/dir"
)

func picture(t testing.TB, width, height int, write func(io.Writer, image.Image) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asJPEG(w io.Writer, m image.Image) error { return jpeg.Encode(w, m, nil) }

// webpOne is a lossless WebP of one pixel.
var webpOne = []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00")

var papers = blob.Rule{Where: "/paper", Types: []blob.Type{blob.PDF, blob.PNG, blob.JPEG, blob.WebP}, MaxBytes: 1 << 20}

func TestPutAndOpen(t *testing.T) {
	b := blobtest.Open(t)
	for _, tt := range []struct {
		name          string
		content       []byte
		kind          blob.Type
		width, height int
	}{
		{"pdf", append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("paper "), 100_000)...), blob.PDF, 0, 0},
		{"png", picture(t, 3, 5, png.Encode), blob.PNG, 3, 5},
		{"jpeg", picture(t, 7, 2, asJPEG), blob.JPEG, 7, 2},
		{"webp", webpOne, blob.WebP, 1, 1},
	} {
		got, err := b.Put(t.Context(), "o", iotest.OneByteReader(bytes.NewReader(tt.content)), papers)
		want := blob.Blob{ID: got.ID, Type: tt.kind, Size: int64(len(tt.content)), Width: tt.width, Height: tt.height, SHA256: sha256.Sum256(tt.content)}
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v\nwant %+v", tt.name, got, err, want)
			continue
		}
		r, err := b.Open(t.Context(), "o", got.ID)
		if err != nil {
			t.Fatal(err)
		}
		back, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(back, tt.content) || r.Close() != nil {
			t.Errorf("%s comes back as %d bytes, %v", tt.name, len(back), err)
		}
	}
}

func TestRefusals(t *testing.T) {
	path := t.TempDir()
	files, err := dir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	b := blob.New(files, blobtest.Key)
	icon := blob.Rule{Where: "/icon", Types: []blob.Type{blob.PNG}, MaxBytes: 1000, MinSide: 8, MaxSide: 64, Square: true}
	const types = ", want a file of the type image/png"
	for _, tt := range []struct {
		name    string
		content io.Reader
		want    string
	}{
		{"nothing", strings.NewReader(""), "/icon is empty" + types},
		{"text", strings.NewReader("hello"), "/icon is of another type" + types},
		{"svg", strings.NewReader(`<?xml version="1.0"?><SVG onload="x()"/>`), "/icon is image/svg+xml" + types},
		{"office", strings.NewReader("PK\x03\x04..."), "/icon is a zip or office file" + types},
		{"another type", bytes.NewReader(picture(t, 8, 8, asJPEG)), "/icon is image/jpeg" + types},
		{"a head alone", strings.NewReader("\x89PNG\r\n\x1a\n"), "/icon is a broken image/png" + types},
		{"small", bytes.NewReader(picture(t, 7, 7, png.Encode)), "/icon is 7 × 7 pixels, want sides of 8 to 64 pixels"},
		{"large", bytes.NewReader(picture(t, 65, 65, png.Encode)), "/icon is 65 × 65 pixels, want sides of 8 to 64 pixels"},
		{"oblong", bytes.NewReader(picture(t, 8, 9, png.Encode)), "/icon is 8 × 9 pixels, want a square"},
		{"long", io.MultiReader(bytes.NewReader(picture(t, 8, 8, png.Encode)), strings.NewReader(strings.Repeat("x", 1000))), "/icon has 1001 bytes, the most is 1000"},
		{"broken off", io.MultiReader(bytes.NewReader(picture(t, 8, 8, png.Encode)), iotest.ErrReader(errors.New("gone"))), "reading what is to be kept: gone"},
	} {
		if _, err := b.Put(t.Context(), "o", tt.content, icon); fmt.Sprint(err) != tt.want {
			t.Errorf("%s:\n got %v\nwant %s", tt.name, err, tt.want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(path, "*", "*")); len(left) != 0 {
		t.Errorf("refusals left %v", left)
	}
	for _, id := range []string{"", "../../etc/passwd", "0197f3a0-7b1e-7c3a-9f42-00000000000g"} {
		if _, err := b.Open(t.Context(), "o", id); err == nil {
			t.Errorf("%q opens", id)
		}
	}
}

// TestTampering changes every part of the stored file: none opens as if it were whole.
func TestTampering(t *testing.T) {
	path := t.TempDir()
	files, err := dir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	b := blob.New(files, blobtest.Key)
	content := append([]byte("%PDF-"), bytes.Repeat([]byte{7}, 200_000)...)
	put, err := b.Put(t.Context(), "o", bytes.NewReader(content), papers)
	if err != nil {
		t.Fatal(err)
	}
	name, err := filepath.Glob(filepath.Join(path, "*", put.ID))
	if err != nil || len(name) != 1 {
		t.Fatal(name, err)
	}
	stored, err := os.ReadFile(name[0])
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(stored, []byte("%PDF-")) {
		t.Error("it is not sealed")
	}
	read := func(organisation string, stored []byte) error {
		if err := os.WriteFile(name[0], stored, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := b.Open(t.Context(), organisation, put.ID)
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = io.Copy(io.Discard, r)
		return err
	}
	if err := read("o", stored); err != nil {
		t.Fatal(err)
	}
	if read("p", stored) == nil {
		t.Error("it opens for another organisation")
	}
	const chunk = 64<<10 + 16
	for _, cut := range []int{0, 10, len(stored) / 2, len(stored) - 1, len(stored) - 200_005%(64<<10) - 16} {
		if read("o", stored[:cut]) == nil {
			t.Errorf("it opens though cut at %d of %d", cut, len(stored))
		}
	}
	for at := 0; at < len(stored); at += 1 + len(stored)/97 {
		changed := bytes.Clone(stored)
		changed[at] ^= 0x20
		if read("o", changed) == nil {
			t.Errorf("it opens though byte %d was changed", at)
		}
	}
	swapped := bytes.Clone(stored)
	head := len(stored) - (200_005/(64<<10))*chunk - 200_005%(64<<10) - 16
	copy(swapped[head:], stored[head+chunk:head+2*chunk])
	copy(swapped[head+chunk:], stored[head:head+chunk])
	if read("o", swapped) == nil {
		t.Error("it opens though two chunks were swapped")
	}
}

// TestSweep removes what no row names once it is a day old.
func TestSweep(t *testing.T) {
	path := t.TempDir()
	files, err := dir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	b := blob.New(files, blobtest.Key)
	var ids []string
	for range 4 {
		put, err := b.Put(t.Context(), "o", strings.NewReader("%PDF-"), papers)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, put.ID)
	}
	old := time.Now().Add(-25 * time.Hour)
	for _, id := range ids[:3] {
		name, _ := filepath.Glob(filepath.Join(path, "*", id))
		if err := os.Chtimes(name[0], old, old); err != nil {
			t.Fatal(err)
		}
	}
	one := func(named string) blob.Named {
		return func(context.Context, []string) ([]string, error) { return []string{named}, nil }
	}
	jumped := blob.New(files, blobtest.Key)
	jumped.Jump()
	if n, err := jumped.Sweep(t.Context(), one(ids[0])); n != 0 || err != nil {
		t.Errorf("after the clock jumped it swept %d, %v, want none", n, err)
	}
	if n, err := b.Sweep(t.Context(), one(ids[0]), one(ids[1])); n != 1 || err != nil {
		t.Errorf("swept %d, %v, want 1", n, err)
	}
	for i, id := range ids {
		_, err := b.Open(t.Context(), "o", id)
		if gone := err != nil; gone != (i == 2) {
			t.Errorf("blob %d: %v", i, err)
		}
	}
	failing := func(context.Context, []string) ([]string, error) { return nil, errors.New("the room is closed") }
	if n, err := b.Sweep(t.Context(), failing); n != 0 || err == nil {
		t.Errorf("a room that cannot say what it names: %d removed, %v", n, err)
	}
}

func FuzzLook(f *testing.F) {
	f.Add([]byte("%PDF-1.7"))
	f.Add(webpOne)
	f.Add(picture(f, 2, 2, png.Encode))
	f.Add(picture(f, 2, 2, asJPEG))
	f.Fuzz(func(t *testing.T, content []byte) {
		b := blob.New(none{}, blobtest.Key)
		got, err := b.Put(context.Background(), "", bytes.NewReader(content), papers)
		if err == nil && (got.Type != blob.Sniff(content) || got.Size != int64(len(content)) || max(got.Width, got.Height) > 10_000) {
			t.Errorf("%q was kept as %+v", content, got)
		}
	})
}

// none takes everything and keeps nothing.
type none struct{ blob.Files }

func (none) Create(context.Context, string) (blob.File, error) { return nowhere{io.Discard}, nil }

type nowhere struct{ io.Writer }

func (nowhere) Commit() error { return nil }
func (nowhere) Abort() error  { return nil }
