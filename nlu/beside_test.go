package nlu

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestBeside prints the scores of another reader beside ours, as a Markdown table. It judges nothing. The other's readings
// are in LAMPWORKS_NLU_BESIDE, one file a set and home, in the form of ours; bench/hassil writes such.
func TestBeside(t *testing.T) {
	dir := os.Getenv("LAMPWORKS_NLU_BESIDE")
	if dir == "" {
		t.Skip("the comparison is printed by make bench-hassil (LAMPWORKS_NLU_BESIDE)")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no readings in %s: %v", dir, err)
	}
	fmt.Println("| set | home | right, ours | right, theirs | wrong actions, ours | theirs | understood at all by theirs | p50 µs, ours | theirs | p99 µs, ours | theirs |")
	fmt.Println("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, file := range files {
		theirs, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		set, of, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".jsonl"), " ")
		gold, ours, format := besideOurs(t, set, of)
		a, b := sum(t, gold, ours, format), sum(t, gold, theirs, format)
		fmt.Printf("| %s | %s | %d/%d | %d/%d | %d | %d | %d | %d | %d | %d | %d |\n", set, of, a.right, a.lines, b.right, b.lines, a.wrong, b.wrong, b.read, a.p50, b.p50, a.p99, b.p99)
	}
}

// besideOurs reads a set as the other reader did: with each line's own home, or with one.
func besideOurs(t *testing.T, set, of string) (gold, readings []byte, format string) {
	t.Helper()
	gold, err := os.ReadFile(filepath.Join("testdata", set+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	format = "genie"
	if strings.HasPrefix(set, "ha-") {
		format = "ha"
	}
	var home *Home
	if of != "own context" {
		home = readTestHome(t, filepath.Join("testdata", of+".json"))
	}
	var out bytes.Buffer
	for range 2 { // the first time warms up
		out.Reset()
		if err := Lines(t.Context(), home, format, "", bytes.NewReader(gold), &out); err != nil {
			t.Fatal(err)
		}
	}
	return gold, out.Bytes(), format
}

// A total is how a set was read.
type total struct {
	right, lines, wrong, read int
	p50, p99                  int64
}

func sum(t *testing.T, gold, readings []byte, format string) total {
	t.Helper()
	var all total
	got := make(map[string][]byte)
	var took []int64
	for b := range bytes.Lines(readings) {
		var r struct {
			ID        string `json:"id"`
			Intent    string `json:"intent"`
			LatencyUS int64  `json:"latency_us"`
		}
		decodeLine(t, b, &r)
		got[r.ID] = b
		took = append(took, r.LatencyUS)
		if r.Intent != "" {
			all.read++
		}
	}
	for b := range bytes.Lines(gold) {
		_, ok, bad := scoreRow(t, b, got, format)
		all.lines++
		all.right += b2i(ok)
		all.wrong += b2i(bad)
	}
	slices.Sort(took)
	all.p50, all.p99 = took[len(took)/2], took[len(took)*99/100]
	return all
}
