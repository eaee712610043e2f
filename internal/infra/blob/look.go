package blob

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"slices"
	"strings"

	"golang.org/x/image/webp"

	"lampworks/internal/infra/fault"
)

// A Type is a media type that a blob may have.
type Type string

// The types that are told from their bytes. SVG is none: it can hold scripts.
const (
	PDF  Type = "application/pdf"
	PNG  Type = "image/png"
	JPEG Type = "image/jpeg"
	WebP Type = "image/webp"
	ZIP  Type = "application/zip"
)

// Extension is the end of a file name for the type.
func (t Type) Extension() string {
	switch t {
	case PDF:
		return ".pdf"
	case PNG:
		return ".png"
	case JPEG:
		return ".jpg"
	case WebP:
		return ".webp"
	case ZIP:
		return ".zip"
	}
	return ".bin"
}

const (
	headSize = 256 << 10 // bytes looked at: the size of an image stands before its pixels, behind what cameras add
	maxSide  = 10_000    // pixels
)

// newPeek is r whose beginning can be looked at.
func newPeek(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, headSize) }

// look says what the content is, or why it may not be that.
func (r Rule) look(content *bufio.Reader) (Blob, error) {
	head, err := content.Peek(headSize)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return Blob{}, fmt.Errorf("reading what is to be kept: %w", err)
	}
	if len(head) == 0 {
		return Blob{}, fault.Invalid(r.Where, "", r.allowed(), "send the bytes of the file")
	}
	b := Blob{Type: Sniff(head)}
	if !slices.Contains(r.Types, b.Type) {
		return Blob{}, fault.Invalid(r.Where, describe(head, b.Type), r.allowed(), "convert it")
	}
	if b.Type == PDF || b.Type == ZIP {
		return b, nil
	}
	c, err := dimensions(b.Type, head)
	if err != nil {
		return Blob{}, fault.Invalid(r.Where, "a broken "+string(b.Type), r.allowed(), "open and save it with an image program")
	}
	b.Width, b.Height = c.Width, c.Height
	return b, r.measure(c)
}

func (r Rule) measure(c image.Config) error {
	most := r.MaxSide
	if most == 0 {
		most = maxSide
	}
	got := fmt.Sprintf("%d × %d pixels", c.Width, c.Height)
	switch {
	case min(c.Width, c.Height) < max(r.MinSide, 1) || max(c.Width, c.Height) > most:
		return fault.Invalid(r.Where, got, fmt.Sprintf("sides of %d to %d pixels", max(r.MinSide, 1), most), "scale it")
	case r.Square && c.Width != c.Height:
		return fault.Invalid(r.Where, got, "a square", "cut it")
	}
	return nil
}

func (r Rule) allowed() string {
	var names []string
	for _, t := range r.Types {
		names = append(names, string(t))
	}
	return "a file of the type " + strings.Join(names, " or ")
}

// Sniff tells the type of a file from its first bytes; empty for others.
func Sniff(head []byte) Type {
	switch {
	case bytes.HasPrefix(head, []byte("%PDF-")):
		return PDF
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		return PNG
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		return JPEG
	case len(head) >= 12 && bytes.HasPrefix(head, []byte("RIFF")) && bytes.Equal(head[8:12], []byte("WEBP")):
		return WebP
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return ZIP
	}
	return ""
}

// describe names what somebody sent instead, without repeating it.
func describe(head []byte, t Type) string {
	text := bytes.ToLower(head[:min(len(head), 1024)])
	switch {
	case t == ZIP:
		return "a zip or office file"
	case t != "":
		return string(t)
	case bytes.Contains(text, []byte("<svg")):
		return "image/svg+xml"
	}
	return "of another type"
}

func dimensions(t Type, head []byte) (image.Config, error) {
	r := bytes.NewReader(head)
	switch t {
	case PNG:
		return png.DecodeConfig(r)
	case JPEG:
		return jpeg.DecodeConfig(r)
	default:
		return webp.DecodeConfig(r)
	}
}
