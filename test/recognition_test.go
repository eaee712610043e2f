package test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"lampworks/nlu"
	"lampworks/speech"
	"lampworks/speech/wyoming"
)

// A spokenClip is a line of a manifest of clips.
type spokenClip struct {
	File      string `json:"file"`
	Lang      string `json:"lang"`
	Text      string `json:"text"`
	Synthetic bool   `json:"synthetic"` // by a voice; of those each is a sentence for the home of nlu/testdata
}

// A recognised is what came of the clips of one kind.
type recognised struct {
	clips, failed  int
	units, errors  int // words of English, characters of Chinese
	meant, meaning int // sentences for a home, and those heard so that they mean the same
	took           []time.Duration
}

// recognise plays clips of some languages to a recogniser.
func recognise(t *testing.T, r speech.Recognizer, dir string, languages ...string) map[string]*recognised {
	t.Helper()
	manifest, err := os.Open(filepath.Join(dir, "manifest.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer manifest.Close()
	table := make(map[string]*recognised)
	for lines := bufio.NewScanner(manifest); lines.Scan(); {
		var c spokenClip
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(languages, c.Lang) {
			continue
		}
		kind := c.Lang + ", people"
		if c.Synthetic {
			kind = c.Lang + ", synthetic"
		}
		if table[kind] == nil {
			table[kind] = &recognised{}
		}
		table[kind].add(t, r, c, filepath.Join(dir, c.File))
	}
	return table
}

func (n *recognised) add(t *testing.T, r speech.Recognizer, c spokenClip, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	format, sound, err := speech.ReadWAV(b)
	if err != nil {
		t.Fatal(err)
	}
	n.clips++
	began := time.Now()
	heard, err := hear(t.Context(), r, speech.Ask{Lang: c.Lang, Format: format}, sound)
	n.took = append(n.took, time.Since(began))
	if err != nil {
		t.Logf("%s: %v", c.File, err)
		n.failed++
	}
	t.Logf("%s: %q was heard as %q", c.File, c.Text, heard.Text)
	said := units(c.Text, c.Lang)
	n.units += len(said)
	n.errors += distance(said, units(heard.Text, c.Lang))
	if c.Synthetic {
		n.meant++
		if meaningOf(t, c.Lang, c.Text) == meaningOf(t, c.Lang, heard.Text) {
			n.meaning++
		}
	}
}

func hear(ctx context.Context, r speech.Recognizer, ask speech.Ask, sound []byte) (speech.Heard, error) {
	h, err := r.Listen(ctx, ask)
	if err != nil {
		return speech.Heard{}, err
	}
	defer h.Close()
	if _, err := h.Write(sound); err != nil {
		return speech.Heard{}, err
	}
	return h.Finish()
}

// units are what errors are counted in, without punctuation and case.
func units(text, lang string) []string {
	text = strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '\'' {
			return r
		}
		return ' '
	}, text))
	if lang == speech.English {
		return strings.Fields(text)
	}
	return strings.Split(strings.ReplaceAll(text, " ", ""), "")
}

// distance is how many units must be put in, left out or exchanged.
func distance(a, b []string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		before := row[0]
		row[0] = i + 1
		for j := range b {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// meaningOf is what a sentence would do in the home of nlu/testdata.
func meaningOf(t *testing.T, lang, text string) string {
	t.Helper()
	f, err := os.Open("../nlu/testdata/genie-home.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	home, err := nlu.ReadHome(f)
	if err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(map[string]string{"id": "x", "lang": lang, "utterance": text})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := nlu.Lines(t.Context(), home, "genie", lang, bytes.NewReader(line), &out); err != nil {
		t.Fatal(err)
	}
	var reading struct {
		Outcome string          `json:"outcome"`
		Actions json.RawMessage `json:"actions"`
	}
	if err := json.Unmarshal(out.Bytes(), &reading); err != nil {
		t.Fatal(err)
	}
	return reading.Outcome + " " + string(reading.Actions)
}

func tell(table map[string]*recognised) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-18s %6s %7s %7s %9s %10s\n", "", "clips", "failed", "errors", "meaning", "median")
	for _, kind := range slices.Sorted(maps.Keys(table)) {
		n := table[kind]
		slices.Sort(n.took)
		meaning := "-"
		if n.meant > 0 {
			meaning = fmt.Sprintf("%d/%d", n.meaning, n.meant)
		}
		fmt.Fprintf(&b, "%-18s %6d %7d %6.1f%% %9s %10s\n", kind, n.clips, n.failed, 100*float64(n.errors)/float64(n.units), meaning, n.took[len(n.took)/2].Round(time.Millisecond))
	}
	return b.String()
}

// TestRecognitionByAServer tells how well a server of Wyoming that somebody has hears clips of both languages: errors are
// of words in English and of characters in Chinese. LAMPWORKS_AUDIO is a folder with more clips and their manifest.jsonl.
func TestRecognitionByAServer(t *testing.T) {
	at := os.Getenv("LAMPWORKS_ASR")
	if at == "" {
		t.Skip("skip: LAMPWORKS_ASR=HOST:PORT names no recogniser to play clips to")
	}
	dir := os.Getenv("LAMPWORKS_AUDIO")
	if dir == "" {
		dir = "../speech/testdata/audio"
	}
	table := recognise(t, wyoming.NewRecogniser(wyoming.Config{Address: at}), dir, speech.Chinese, speech.English)
	t.Logf("heard by %s:\n%s", at, tell(table))
	failed := 0
	for _, n := range table {
		failed += n.failed
	}
	if failed > 0 {
		t.Errorf("%d clips were not answered", failed)
	}
}

// parrot hears what it was given, in turn.
type parrot struct{ says []string }

func (p *parrot) Listen(context.Context, speech.Ask) (speech.Hearing, error) { return p, nil }
func (p *parrot) Write(pcm []byte) (int, error)                              { return len(pcm), nil }
func (p *parrot) Close() error                                               { return nil }

func (p *parrot) Finish() (speech.Heard, error) {
	said := p.says[0]
	p.says = p.says[1:]
	if said == "" {
		return speech.Heard{}, errors.New("silent")
	}
	return speech.Heard{Text: said}, nil
}

func TestRecognitionIsScored(t *testing.T) {
	table := recognise(t, &parrot{[]string{
		"广州市房地产中间协会。", "", "把这里的灯都关了", "Turn on the kitchen ramp!",
	}}, "../speech/testdata/audio", speech.Chinese, speech.English)
	got := make(map[string]string)
	for kind, n := range table {
		got[kind] = fmt.Sprint(n.clips, n.failed, n.units, n.errors, n.meant, n.meaning)
	}
	want := map[string]string{"zh-CN, people": "1 0 12 3 0 0", "en, people": "1 1 30 30 0 0", "zh-CN, synthetic": "1 0 8 0 1 1"}
	for kind, line := range want {
		if got[kind] != line {
			t.Errorf("%s: %s, want %s", kind, got[kind], line)
		}
	}
	if n := table["en, synthetic"]; n.meaning != 0 || n.errors == 0 {
		t.Errorf("another sentence means the same: %+v", n)
	}
	for _, kind := range []string{"zh-CN, people", "en, synthetic"} {
		if !strings.Contains(tell(table), kind) {
			t.Errorf("the table lacks %s:\n%s", kind, tell(table))
		}
	}
}
