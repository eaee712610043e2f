package test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lampworks/speech"
	"lampworks/speech/wyoming"
)

const sphinx = "pocketsphinx_continuous"

// grammarRules are what is said to homes in English, in general; the home's own names are added.
const grammarRules = `
public <said> = [please] <act> [and <act>];
<act> = <power> | <value> | <cover> | <lock> | <state> | <timer>;
<power> = (turn on | turn off | switch on | switch off | start | stop | kill) <things> | (turn | switch) <things> (on | off) | <things> (on | off);
<value> = (set | put | dim | change | raise | lower) <things> [brightness | temperature] (to | at | by | on) (<number> [percent | degrees] | level <digit> | <mode>)
	| (turn | make) <things> (up | down | brighter | warmer | cooler) [a bit | a little];
<mode> = heat | cool | auto | sleep mode;
<cover> = (open | close) <things>;
<lock> = (lock | unlock) <things>;
<state> = (activate | start) <scene> | <scene>;
<timer> = (set | start) a <number> (minute | hour | second) timer;
<when> = at <number> [a m | p m] | in <number> (minutes | hours);
<things> = [all] [the] [<room>] <name>;
<number> = <tens> [<digit>] | <digit> | ten | eleven | twelve | thirteen | fourteen | fifteen | sixteen | seventeen | eighteen | nineteen | a hundred;
<tens> = twenty | thirty | forty | fifty | sixty | seventy | eighty | ninety;
<digit> = one | two | three | four | five | six | seven | eight | nine;
`

// homeGrammar is the grammar of a home: what is said to any, and its own names as far as the dictionary has their words.
func homeGrammar(t *testing.T, home, dictionary string) string {
	t.Helper()
	type named struct {
		Name    map[string]string   `json:"name"`
		Aliases map[string][]string `json:"aliases"`
		Type    string              `json:"type"`
	}
	var h struct{ Rooms, Devices, Scenes []named }
	b, err := os.ReadFile(home)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &h); err != nil {
		t.Fatal(err)
	}
	words, err := os.ReadFile(dictionary)
	if err != nil {
		t.Fatal(err)
	}
	known := func(name string) bool {
		for w := range strings.FieldsSeq(name) {
			if !bytes.Contains(words, []byte("\n"+w+" ")) {
				return false
			}
		}
		return name != ""
	}
	names := func(of []named, more ...string) string {
		for _, n := range of {
			more = append(append(more, n.Name["en"], strings.ReplaceAll(n.Type, "_", " ")), n.Aliases["en"]...)
		}
		for i, n := range more {
			more[i] = strings.ToLower(n)
		}
		slices.Sort(more)
		return strings.Join(slices.DeleteFunc(slices.Compact(more), func(n string) bool { return !known(n) }), " | ")
	}
	return fmt.Sprintf("#JSGF V1.0;\ngrammar home;\n%s<room> = %s;\n<scene> = %s;\n<name> = %s;\n", strings.Replace(grammarRules, "[please] <act>", "[please] [<when>] <act>", 1),
		names(h.Rooms), names(h.Scenes), names(h.Devices, "light", "lights", "lamps", "curtains", "blinds", "door", "fans"))
}

// startSphinx is a recogniser behind the real wire: a small server of Wyoming that runs PocketSphinx for each hearing.
func startSphinx(t *testing.T, grammar string) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(patience))
				if err := serveSphinx(t, conn, grammar); err != nil {
					t.Errorf("the recogniser: %v", err)
				}
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		all.Wait()
	})
	return listener.Addr().String()
}

// serveSphinx answers one connection.
func serveSphinx(t *testing.T, conn net.Conn, grammar string) error {
	model := map[string]any{"name": "en-us", "installed": true, "languages": []string{"en"}, "attribution": map[string]string{"name": "CMU", "url": "https://example.com"}}
	program := map[string]any{"name": "pocketsphinx", "installed": true, "models": []any{model}, "attribution": model["attribution"]}
	say := func(kind string, data any) error {
		b, err := wyoming.Append(nil, kind, data, nil)
		if err == nil {
			_, err = conn.Write(b)
		}
		return err
	}
	var sound []byte
	for in := wyoming.NewReader(conn, wyoming.MaxServerPayload); ; {
		e, err := in.Read()
		if err != nil {
			return nil //nolint:nilerr // the other side has gone
		}
		switch e.Type {
		case wyoming.Describe:
			return say(wyoming.Info, map[string]any{"asr": []any{program}})
		case wyoming.AudioChunk:
			sound = append(sound, e.Payload...)
		case wyoming.AudioStop:
			text, err := runSphinx(t.Context(), filepath.Join(t.TempDir(), "said.wav"), grammar, sound)
			if err != nil {
				return err
			}
			return say(wyoming.Transcript, map[string]string{"text": text, "language": "en"})
		}
	}
}

func runSphinx(ctx context.Context, file, grammar string, sound []byte) (string, error) {
	if err := os.WriteFile(file, speech.Format{Rate: speech.Rate, Channels: 1}.WAV(sound), 0o600); err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, sphinx, "-infile", file, "-jsgf", grammar, "-logfn", os.DevNull).Output()
	return strings.TrimSpace(string(out)), err
}

// sphinxGrammar is the file of a grammar for the home of nlu/testdata; without PocketSphinx the test is skipped.
func sphinxGrammar(t *testing.T) (name string) {
	t.Helper()
	const dictionary = "/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict"
	if _, err := exec.LookPath(sphinx); err != nil {
		t.Skip("skip: no PocketSphinx; install the packages pocketsphinx and pocketsphinx-en-us to test with a real recogniser")
	}
	if _, err := os.Stat(dictionary); err != nil {
		t.Skip("skip: no model for PocketSphinx; install the package pocketsphinx-en-us to test with a real recogniser")
	}
	name = filepath.Join(t.TempDir(), "home.gram")
	if err := os.WriteFile(name, []byte(homeGrammar(t, "../nlu/testdata/genie-home.json", dictionary)), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestRealRecogniser has PocketSphinx hear English clips through the real wire, with the grammar of a home. They are
// synthetic speech, and say little about people.
func TestRealRecogniser(t *testing.T) {
	grammar := sphinxGrammar(t)
	dir := "../speech/testdata/audio/en"
	if more := os.Getenv("LAMPWORKS_AUDIO"); more != "" {
		dir = more
	}
	table := recognise(t, wyoming.NewRecogniser(wyoming.Config{Address: startSphinx(t, grammar)}), dir, speech.English)
	t.Logf("heard by PocketSphinx:\n%s", tell(table))
	for kind, n := range table {
		if n.failed > 0 {
			t.Errorf("%s: %d clips were not answered", kind, n.failed)
		}
	}
	if n := table["en, synthetic"]; n == nil || 2*n.meaning < n.meant {
		t.Errorf("fewer than half of the sentences mean the same: %+v", n)
	}
}
