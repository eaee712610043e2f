package main

import (
	"strings"
	"testing"
)

func TestTimesOnTheCommandLine(t *testing.T) {
	for _, tt := range []struct{ from, want string }{
		{"2026-01-31T08:00:00Z", ""},
		{"2026-01-31T08:00:00+08:00", ""},
		{"2026-01-31", `--from: want a time as 2026-01-31T08:00:00Z, got "2026-01-31"`},
		{"tomorrow", `--from: want a time as 2026-01-31T08:00:00Z, got "tomorrow"`},
	} {
		_, err := newParser(t).Parse([]string{"certify", "pass", "CASE", "--report", "R", "--until", "2027-01-01T00:00:00Z", "--from", tt.from})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("--from %s\n got %v\nwant %s", tt.from, err, tt.want)
		}
	}
}
