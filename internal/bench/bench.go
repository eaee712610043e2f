// Package bench measures a running Lampworks from outside: it starts a server process of its own, loads it over loopback,
// and prints one JSON object a figure. It owns nothing and promises to end what it started.
package bench

import (
	"context"
	"errors"
	"io"
)

// Options are what is measured and how.
type Options struct {
	What    string
	N       int
	Seconds int
	Rate    int
	Out     string
	Program string // this binary
	Stdout  io.Writer
	Stderr  io.Writer
}

// Run measures.
func Run(context.Context, Options) error { return errors.New("not yet") }
