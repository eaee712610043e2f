package main

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/google/uuid"
)

// creates is the method POST of a route that makes something. It carries a key of its own, so that the server does it once
// however often it is sent, and answers each time as the first.
const (
	creates = "POST" + once
	once    = " once"
)

const (
	mostTries = 3
	tryPause  = 500 * time.Millisecond // before the second; it doubles
)

// lostAnswer is that a request went out and no answer came: what was asked for may be done.
type lostAnswer struct{ error }

// Unwrap gives what happened.
func (l lostAnswer) Unwrap() error { return l.error }

// inDoubt is a lost answer that was asked for again in vain.
type inDoubt struct{ error }

// Error says what happened, and what to do.
func (d inDoubt) Error() string {
	return d.error.Error() + "\nThe answer was lost, and what was asked for may be done: look before you ask again."
}

// Unwrap gives what happened.
func (d inDoubt) Unwrap() error { return d.error }

// lostUnlessDialling marks that the answer was lost, unless nothing has gone out at all.
func lostUnlessDialling(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return err
	}
	return lostAnswer{err}
}

// repeated runs try. What creates is tried again, under the same key, when its answer was lost, or while the server is still
// at it.
func repeated(ctx context.Context, method string, try func(method, key string) error) error {
	method, keyed := strings.CutSuffix(method, once)
	if !keyed {
		return try(method, "")
	}
	key := uuid.NewString()
	for n := 1; ; n++ {
		err := try(method, key)
		_, lost := errors.AsType[lostAnswer](err)
		r, refused := errors.AsType[*refusal](err)
		if busy := refused && r.busy && n > 1; !lost && !busy || n == mostTries {
			if lost {
				return inDoubt{err}
			}
			return err
		}
		select {
		case <-time.After(tryPause << (n - 1)):
		case <-ctx.Done():
			return err
		}
	}
}
