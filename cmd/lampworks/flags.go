package main

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// inFlags names flags and arguments of the verb where the server names places of the request, as far as the verb has them:
// /planned_at is --planned, and /query/valid_from is --from.
func inFlags(err error, verb *kong.Node) error {
	var r *refusal
	if verb == nil || !errors.As(err, &r) {
		return err
	}
	places := []string{r.Where}
	for i := range r.Flaws {
		f := &r.Flaws[i]
		places = append(places, f.Where)
		if given := flagOf(f.Where, verb); given != "" {
			f.Where = given
		}
	}
	for _, where := range places {
		if given := flagOf(where, verb); given != "" {
			r.Detail, r.Fix = renamed(r.Detail, where, given), renamed(r.Fix, where, given)
		}
	}
	for _, v := range valuesOf(verb) { // rules name other members without a slash: after valid_from
		if sends := v.Tag.Get("sends"); strings.Contains(sends, "_") && !strings.ContainsAny(sends, "/ ") {
			r.Detail, r.Fix = member(r.Detail, sends, written(v)), member(r.Fix, sends, written(v))
			for i := range r.Flaws {
				r.Flaws[i].Rule, r.Flaws[i].Fix = member(r.Flaws[i].Rule, sends, written(v)), member(r.Flaws[i].Fix, sends, written(v))
			}
		}
	}
	return err
}

// renamed is text with given in the places of where; a longer pointer that begins with where is another place.
func renamed(text, where, given string) string {
	return regexp.MustCompile(regexp.QuoteMeta(where)+`([^\w/-]|$)`).ReplaceAllString(text, strings.ReplaceAll(given, "$", "$$")+"$1")
}

// member is text with given in the places of the member name, where it stands alone.
func member(text, name, given string) string {
	return regexp.MustCompile(`(^|[^\w/-])`+regexp.QuoteMeta(name)+`([^\w/-]|$)`).ReplaceAllString(text, "${1}"+strings.ReplaceAll(given, "$", "$$")+"${2}")
}

// flagOf is how a verb takes what stands at a JSON pointer; empty if it does not take it. A flag or argument takes what its
// tag sends names, what it is called itself, in the singular or plural, and what it was called before.
func flagOf(where string, verb *kong.Node) string {
	pointer, whole := strings.CutPrefix(where, "/")
	if !whole {
		return ""
	}
	pointer = strings.TrimPrefix(pointer, "query/")
	for _, v := range valuesOf(verb) {
		for _, sends := range strings.Split(v.Tag.Get("sends"), " ") {
			if rest, ok := strings.CutPrefix(pointer+"/", sends+"/"); ok && sends != "" {
				return written(v) + entry(strings.TrimSuffix(rest, "/"))
			}
		}
	}
	member, rest, _ := strings.Cut(pointer, "/")
	name := strings.ReplaceAll(member, "_", "-")
	for _, v := range valuesOf(verb) {
		if v.Name == name || v.Name == strings.TrimSuffix(name, "s") || slices.Contains(v.Tag.Aliases, name) {
			return written(v) + entry(rest)
		}
	}
	return ""
}

// valuesOf are the flags and arguments of a verb.
func valuesOf(verb *kong.Node) (all []*kong.Value) {
	for _, f := range verb.Flags {
		all = append(all, f.Value)
	}
	return append(all, verb.Positional...)
}

// written is a flag or argument as a person writes it.
func written(v *kong.Value) string {
	if v.Flag != nil {
		return "--" + v.Name
	}
	return "<" + v.Name + ">"
}

// entry says which of several values of a flag is meant.
func entry(rest string) string {
	if rest == "" {
		return ""
	}
	first, behind, _ := strings.Cut(rest, "/")
	if n, err := strconv.Atoi(first); err == nil { // people count from one
		rest = strings.TrimSuffix(strconv.Itoa(n+1)+"/"+behind, "/")
	}
	return " (" + rest + ")"
}
