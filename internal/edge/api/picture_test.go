package api_test

import (
	"bytes"
	"image"
	"image/png"
	"testing"
)

// square is a PNG of side pixels.
func square(t *testing.T, side int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, side, side))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
