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

func TestDurationsOnTheCommandLine(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"fleet command D {} --within 1ms --wait 1s", ""},
		{"fleet command D {} --within 0s", `--within: want a duration as 500ms, 90s or 1h, 1ms or more, got "0s"`},
		{"fleet command D {} --within=-1s", `--within: want a duration as 500ms, 90s or 1h, 1ms or more, got "-1s"`},
		{"fleet command D {} --wait banana", `--wait: want a duration as 500ms, 90s or 1h, 1ms or more, got "banana"`},
		{"fleet call D ring --wait 0s", "--wait: want a duration"},
		{"fleet permit D --window 0s", ""},
		{"fleet permit D --window=-1m", `--window: want a duration as 500ms, 90s or 1h, got "-1m"`},
		{"fleet call D ring --wait 60s", "--wait: 60s, want at most 20s"},
		{"fleet permit D --window 11m", "--window: 11m, want at most 10m"},
		{"job wait J --within 0s", "--within: want a duration"},
	} {
		_, err := newParser(t).Parse(strings.Fields(tt.args))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s\n got %v\nwant %s", tt.args, err, tt.want)
		}
	}
}
