package nlu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tally counts one category of a file.
type tally struct{ right, lines int }

// TestScoreTable prints how well the evaluation sets are read, by file and category, as a Markdown table. It judges
// nothing, TestScore does; it takes the sets of LAMPWORKS_NLU_DATA when that is set, and leaves the readings in
// LAMPWORKS_NLU_READINGS when that is, so that they can be scored by other means.
func TestScoreTable(t *testing.T) {
	if os.Getenv("LAMPWORKS_NLU_TABLE") != "1" {
		t.Skip("the table of scores is printed by make nlu-score (LAMPWORKS_NLU_TABLE=1)")
	}
	dir := os.Getenv("LAMPWORKS_NLU_DATA")
	if dir == "" {
		dir = "testdata"
	}
	sets, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(sets) == 0 {
		t.Fatalf("no sets in %s: %v", dir, err)
	}
	if blind := filepath.Join("testdata", "blind.jsonl"); dir != "testdata" {
		sets = append(sets, blind) // the set of this tree alone
	}
	fmt.Println("| file | home | category | right/lines | | wrong actions | p50 µs | p99 µs | max µs |")
	fmt.Println("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, set := range sets {
		name := strings.TrimSuffix(filepath.Base(set), ".jsonl")
		switch format, rest, _ := strings.Cut(name, "-"); format {
		case "genie", "blind":
			scoreTable(t, set, "genie", filepath.Join(dir, "genie-home.json"))
		case "ha":
			scoreTable(t, set, "ha", "")
			scoreTable(t, set, "ha", filepath.Join(dir, "ha-home-"+rest+".json"))
		}
	}
}

// scoreTable prints the rows of one file. Without a home, each line's own context is the home.
func scoreTable(t *testing.T, set, format, homePath string) {
	t.Helper()
	gold, err := os.ReadFile(set)
	if err != nil {
		t.Fatal(err)
	}
	var home *Home
	of := "own context"
	if homePath != "" {
		of = filepath.Base(homePath)
		home = readTestHome(t, homePath)
	}
	var out bytes.Buffer
	if err := Lines(t.Context(), home, format, "", bytes.NewReader(gold), &out); err != nil {
		t.Fatalf("%s: %v", set, err)
	}
	name := strings.TrimSuffix(filepath.Base(set), ".jsonl")
	if to := os.Getenv("LAMPWORKS_NLU_READINGS"); to != "" {
		to = filepath.Join(to, name+" "+strings.TrimSuffix(of, ".json")+".jsonl")
		if err := os.WriteFile(to, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := make(map[string][]byte) // readings by the id of their line
	var took []int64
	for b := range bytes.Lines(out.Bytes()) {
		var r lineReading
		decodeLine(t, b, &r)
		got[r.ID] = b
		took = append(took, r.LatencyUS)
	}
	slices.Sort(took)
	at := func(share float64) int64 { return took[min(len(took)-1, int(share*float64(len(took))))] }
	by := make(map[string]tally)
	wrong := 0
	for b := range bytes.Lines(gold) {
		if len(bytes.TrimSpace(b)) == 0 {
			continue
		}
		category, ok, bad := scoreRow(t, b, got, format)
		if bad {
			wrong++
		}
		for _, key := range []string{category, ""} {
			c := by[key]
			c.lines++
			if ok {
				c.right++
			}
			by[key] = c
		}
	}
	for _, key := range slices.Sorted(maps.Keys(by)) {
		c := by[key]
		figures, label := "| | | |", key
		if key == "" {
			label = "**all**"
			figures = fmt.Sprintf("%d | %d | %d | %d |", wrong, at(0.50), at(0.99), at(1))
		}
		fmt.Printf("| %s | %s | %s | %d/%d | %.1f %% | %s\n", name, of, label, c.right, c.lines, 100*float64(c.right)/float64(c.lines), figures)
	}
}

// scoreRow judges the reading of one line; a reading that is missing is wrong.
func scoreRow(t *testing.T, gold []byte, got map[string][]byte, format string) (category string, ok, bad bool) {
	t.Helper()
	var g struct {
		ID       string `json:"id"`
		Category string `json:"category"`
		Expect   struct {
			Intent string `json:"intent"`
		} `json:"expect"`
	}
	decodeLine(t, gold, &g)
	if category = g.Category; category == "" {
		category = g.Expect.Intent
	}
	reading, read := got[g.ID]
	if !read {
		return category, false, false
	}
	ok, bad = scoreLine(t, gold, reading, format)
	return category, ok, bad
}

func decodeLine(t *testing.T, b []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
}
