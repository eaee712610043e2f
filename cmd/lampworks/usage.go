package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"

	"github.com/alecthomas/kong"
)

// usageError is a command line that cannot be meant, found out before anything was asked.
type usageError struct{ error }

// Unwrap gives what is wrong.
func (u usageError) Unwrap() error { return u.error }

// emptyArgument refuses arguments that were given and are empty: as an id, that would name something else.
func emptyArgument(k *kong.Context) error {
	for _, p := range k.Path {
		v := p.Positional
		if v == nil || v.Target.Kind() != reflect.String || v.Target.String() != "" {
			continue
		}
		return usageError{errorText(say(written(v)+" is empty", written(v)+" 为空"))}
	}
	return nil
}

// unanswered says in words that nothing answers at the server's address, or that it took too long.
func unanswered(base string, err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return fmt.Errorf("nothing answers at %s: is the server running? Check --server or LAMPWORKS_SERVER: %w", base, err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s took the question and did not answer in %s: is it a Lampworks server? Check --server or LAMPWORKS_SERVER: %w", base, patience, err)
	}
	return fmt.Errorf("asking the server: %w", err)
}
