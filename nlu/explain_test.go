package nlu

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExplain: the stages of a sentence are told, and the reading is the one that Read gives.
func TestExplain(t *testing.T) {
	x := equipped(t)
	for _, tt := range []struct{ in, words, clauses string }{
		{"把客厅的灯打开", "把[ba] 客厅[kind of room living_room|room living room] 的[of] 灯[kind of device light|device lamp] 打开[verb on]", "verb on; object: lamp or light in living room"},
		{"十分钟后打开窗帘，然后烧水", "", "verb on; object: curtain; in 600 s | verb start; object: kettle; in 600 s"},
		{"别开灯", "", "verb on; object: lamp or light; negated"},
		{"窗帘开到百分之三十", "", "verb set; object: curtain; to: 30 %"},
		{"除了客厅的灯，全部关掉", "", "verb off; object: all; but not: lamp or light in living room"},
		{"呱呱", "呱呱[]", ""},
	} {
		e := x.Explain(nil, tt.in)
		var words, clauses []string
		for _, w := range e.Words {
			words = append(words, w.Text+"["+strings.Join(w.Kinds, "|")+"]")
		}
		for _, c := range e.Clauses {
			clauses = append(clauses, strings.Join(c, "; "))
		}
		if got := strings.Join(words, " "); tt.words != "" && got != tt.words {
			t.Errorf("%s: words\n got %s\nwant %s", tt.in, got, tt.words)
		}
		if got := strings.Join(clauses, " | "); got != tt.clauses {
			t.Errorf("%s: clauses\n got %s\nwant %s", tt.in, got, tt.clauses)
		}
		r := x.Read(nil, tt.in)
		if said(&r) != said(&e.Reading) {
			t.Errorf("%s: explained as %s, read as %s", tt.in, said(&e.Reading), said(&r))
		}
		if b, err := json.Marshal(e); err != nil || !strings.Contains(string(b), `"reading":{"lang"`) {
			t.Errorf("%s: %s %v", tt.in, b, err)
		}
	}
	if e := x.Explain(nil, strings.Repeat("灯", MaxRunes+1)); e.Reading.Reason.Code != TooLong {
		t.Errorf("a sentence without end: %s", said(&e.Reading))
	}
}

// TestExplainSets explains every sentence of the sets: none makes it panic, and every word has a kind or is not understood.
func TestExplainSets(t *testing.T) {
	home := readTestHome(t, "testdata/genie-home.json")
	x, err := Compile(*home)
	if err != nil {
		t.Fatal(err)
	}
	sets, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(sets) == 0 {
		t.Fatalf("no sets: %v", err)
	}
	for _, set := range sets {
		b, err := os.ReadFile(set)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			var l struct{ Utterance string }
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatalf("%s: %v", set, err)
			}
			for _, w := range x.Explain(&Context{}, l.Utterance).Words {
				for _, k := range w.Kinds {
					if k == "word" || strings.HasSuffix(k, " ") {
						t.Errorf("%s: %q is %q", l.Utterance, w.Text, k)
					}
				}
			}
		}
	}
}
