package main

import (
	"errors"
	"strings"

	"github.com/alecthomas/kong"
)

// inFlags names flags and arguments of the verb where the server names places of the request, as far as the verb has them
// under that name: /deadline is --deadline, and /query/valid_from is --from.
func inFlags(err error, verb *kong.Node) error {
	var r *refusal
	if verb == nil || !errors.As(err, &r) {
		return err
	}
	name := func(text, where string) string {
		if given := flagOf(where, verb); given != "" {
			return strings.ReplaceAll(text, where+" ", given+" ")
		}
		return text
	}
	r.Detail = name(r.Detail, r.Where)
	for i := range r.Flaws {
		f := &r.Flaws[i]
		r.Detail = name(r.Detail, f.Where)
		if given := flagOf(f.Where, verb); given != "" {
			f.Where = given
		}
	}
	return err
}

// flagOf is how a verb takes what stands at a JSON pointer; empty if it does not take it by that name.
func flagOf(where string, verb *kong.Node) string {
	pointer, whole := strings.CutPrefix(where, "/")
	if !whole {
		return ""
	}
	pointer = strings.TrimPrefix(pointer, "query/")
	member, rest, _ := strings.Cut(pointer, "/")
	names := []string{member, strings.TrimSuffix(member, "s"), strings.TrimPrefix(member, "valid_")}
	for _, name := range names {
		name = strings.ReplaceAll(name, "_", "-")
		for _, f := range verb.Flags {
			if f.Name == name {
				return "--" + name + entry(rest)
			}
		}
		for _, p := range verb.Positional {
			if p.Name == name {
				return "<" + name + ">" + entry(rest)
			}
		}
	}
	return ""
}

// entry says which of several values of a flag is meant.
func entry(rest string) string {
	if rest == "" {
		return ""
	}
	return " (" + rest + ")"
}
