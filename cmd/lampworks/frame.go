package main

import (
	"image"
	"image/color"
)

// framed is an image with a white margin.
type framed struct {
	image.Image
	margin int // pixels, on each side
}

// Bounds implements image.Image.
func (f framed) Bounds() image.Rectangle { return f.Image.Bounds().Inset(-f.margin) }

// At implements image.Image.
func (f framed) At(x, y int) color.Color {
	if !(image.Point{x, y}).In(f.Image.Bounds()) {
		return color.White
	}
	return f.Image.At(x, y)
}

// ColorModel implements image.Image.
func (f framed) ColorModel() color.Model { return color.GrayModel }
