package nlu

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
)

func testHome(t testing.TB) *Home {
	t.Helper()
	return readTestHome(t, "testdata/genie-home.json")
}

func readTestHome(t testing.TB, path string) *Home {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, err := ReadHome(f)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func testIndex(t testing.TB) *Index {
	t.Helper()
	x, err := Compile(*testHome(t))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestScore guards what is reached on the evaluation sets, a little below, and that no set of ours acts wrongly.
func TestScore(t *testing.T) {
	for _, tt := range []struct {
		set    string
		format string
		right  int // at least
		wrong  int // wrong actions, at most
	}{
		{"genie-zh-CN", "genie", 101, 0},
		{"genie-en", "genie", 27, 0},
		{"blind", "genie", 148, 0},
		{"genie-noise-zh-CN", "genie", 115, 2},
		{"ha-zh-CN", "ha", 303, 6},
		{"ha-en", "ha", 410, 8},
		{"ha-zh-TW", "ha", 259, 11},
		{"ha-zh-HK", "ha", 135, 4},
	} {
		t.Run(tt.set, func(t *testing.T) {
			right, wrong, lines := score(t, tt.set, tt.format)
			t.Logf("%d of %d right, %d wrong actions", right, lines, wrong)
			if right < tt.right || wrong > tt.wrong {
				t.Errorf("%d right and %d wrong actions, want at least %d and at most %d", right, wrong, tt.right, tt.wrong)
			}
		})
	}
}

// score reads a set and counts.
func score(t *testing.T, set, format string) (right, wrong, lines int) {
	t.Helper()
	gold, err := os.ReadFile("testdata/" + set + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	home := testHome(t)
	if format == "ha" {
		home = nil
	}
	var out bytes.Buffer
	if err := Lines(t.Context(), home, format, "", bytes.NewReader(gold), &out); err != nil {
		t.Fatal(err)
	}
	g, p := bufio.NewScanner(bytes.NewReader(gold)), bufio.NewScanner(&out)
	g.Buffer(nil, maxLine)
	p.Buffer(nil, maxLine)
	for g.Scan() && p.Scan() {
		lines++
		ok, bad := scoreLine(t, g.Bytes(), p.Bytes(), format)
		if ok {
			right++
		} else {
			t.Logf("%s\n got %s", g.Bytes(), p.Bytes())
		}
		if bad {
			wrong++
		}
	}
	return right, wrong, lines
}

func scoreLine(t *testing.T, gold, pred []byte, format string) (ok, bad bool) {
	t.Helper()
	var g struct {
		Expect struct {
			Outcome string             `json:"outcome"`
			Actions []map[string]any   `json:"actions"`
			Also    [][]map[string]any `json:"also_accepted"`
			Intent  string             `json:"intent"`
			Slots   map[string]any     `json:"slots"`
		} `json:"expect"`
	}
	var p struct {
		Outcome string           `json:"outcome"`
		Actions []map[string]any `json:"actions"`
		Intent  string           `json:"intent"`
		Slots   map[string]any   `json:"slots"`
	}
	if err := json.Unmarshal(gold, &g); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(pred, &p); err != nil {
		t.Fatal(err)
	}
	if format == "ha" {
		return scoreIntent(g.Expect.Intent, g.Expect.Slots, p.Intent, p.Slots)
	}
	got := canon(p.Actions)
	accepted := false
	for _, want := range append([][]map[string]any{g.Expect.Actions}, g.Expect.Also...) {
		accepted = accepted || slices.Equal(got, canon(want)) && (len(want) > 0 || len(got) == 0)
	}
	bad = len(got) > 0 && !accepted
	if g.Expect.Outcome == "act" {
		return p.Outcome == "act" && accepted, bad
	}
	alike := p.Outcome == g.Expect.Outcome || p.Outcome != "act" && p.Outcome != "clarify" && g.Expect.Outcome != "clarify"
	return alike && len(got) == 0 || p.Outcome == "act" && len(got) > 0 && accepted, bad
}

// canon is one text a device and everything else, so that grouping and order do not matter.
func canon(actions []map[string]any) []string {
	var out []string
	for _, a := range actions {
		var rest []string
		for k, v := range a {
			if k != "targets" && v != nil {
				rest = append(rest, k+"="+norm(v))
			}
		}
		sort.Strings(rest)
		targets, _ := a["targets"].([]any)
		if len(targets) == 0 {
			targets = []any{""}
		}
		for _, d := range targets {
			out = append(out, fmt.Sprint(d, " ", strings.Join(rest, " ")))
		}
	}
	sort.Strings(out)
	return out
}

func norm(v any) string {
	if s, ok := v.(string); ok {
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return fmt.Sprint(f)
		}
		return strings.ToLower(strings.TrimSpace(s))
	}
	return fmt.Sprint(v)
}

func scoreIntent(intent string, slots map[string]any, got string, gotSlots map[string]any) (ok, bad bool) {
	if got != intent {
		return false, got != ""
	}
	for k, v := range slots {
		want, isList := v.([]any)
		if !isList {
			want = []any{v}
		}
		if !slices.ContainsFunc(want, func(w any) bool { return gotSlots[k] != nil && norm(w) == norm(gotSlots[k]) }) {
			return false, true
		}
	}
	for k := range gotSlots {
		if _, wanted := slots[k]; !wanted && k != "domain" && k != "area" && k != "preferred_area_id" {
			return false, true
		}
	}
	return true, false
}
