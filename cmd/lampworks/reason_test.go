package main

import (
	"slices"
	"testing"
)

// TestWhyHasOneName looks for flags that say why something is done: they are --reason, and --note is another name for it. A note
// of its own goes with something else.
func TestWhyHasOneName(t *testing.T) {
	own := []string{"lampworks order request", "lampworks product config upload", "lampworks product publish", "lampworks product voice publish", "lampworks verify decide"}
	var found []string
	for _, leaf := range newParser(t).Model.Leaves(false) {
		for _, f := range leaf.Flags {
			if f.Name == "note" {
				found = append(found, leaf.FullPath())
			}
		}
	}
	slices.Sort(found)
	if !slices.Equal(found, own) {
		t.Errorf("--note is a flag of %q, want %q", found, own)
	}
	for _, args := range [][]string{
		{"certify", "fail", "CASE", "--report", "R", "--note", "it broke"},
		{"certify", "fail", "CASE", "--report", "R", "--reason", "it broke"},
		{"notice", "withdraw", "NOTICE", "--note", "it broke"},
	} {
		if _, err := newParser(t).Parse(args); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
}
