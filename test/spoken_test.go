package test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"lampworks/speech"
)

// spokenStages are what lies between the end of the speech and what the home says, in order. The first is endpointing: the silence that must
// follow; the second the recogniser's; the others are those of a sentence.
var spokenStages = []string{"silence", "recognise", "understand", "resolve", "send", "confirm", "answer", "in all"}

// TestSpokenCommand speaks to the demo's home as a person does, piece by piece as time goes by, and PocketSphinx hears it. With
// LAMPWORKS_SPEECH=ROUNDS it says all clips so often and tells how long each stage took.
func TestSpokenCommand(t *testing.T) {
	rounds, err := strconv.Atoi(os.Getenv("LAMPWORKS_SPEECH"))
	clips := spokenClips(t)
	if err != nil || rounds < 1 {
		rounds, clips = 1, clips[:1]
	}
	s := own(t, "demo", "--no-open", "--asr", "wyoming://"+startSphinx(t, sphinxGrammar(t)))
	home := s.home(t)
	took := make(map[string][]time.Duration)
	acted := 0
	for range rounds {
		for _, c := range clips {
			for _, before := range []string{"turn on all the lights", "open all the curtains"} { // so that there is something to do
				s.say(t, "before", before)
			}
			a := s.speak(t, home, c)
			if a.Outcome != "act" {
				t.Logf("%s: heard as %q: %s", c.Text, a.Text, a.Reply)
				continue
			}
			acted++
			for name, d := range a.took {
				took[name] = append(took[name], d)
			}
		}
	}
	if acted*2 < rounds*len(clips) {
		t.Errorf("%d of %d sentences did something", acted, rounds*len(clips))
	}
	var table strings.Builder
	fmt.Fprintf(&table, "%-12s %6s %9s %9s %9s\n", "stage", "times", "least", "median", "most")
	for _, name := range spokenStages {
		ds := took[name]
		if len(ds) == 0 {
			t.Errorf("no sentence has the stage %s", name)
			continue
		}
		slices.Sort(ds)
		fmt.Fprintf(&table, "%-12s %6d %9s %9s %9s\n", name, len(ds), round(ds[0]), round(ds[len(ds)/2]), round(ds[len(ds)-1]))
	}
	t.Logf("from the end of the speech, %d of %d sentences did something:\n%s", acted, rounds*len(clips), table.String())
}

func round(d time.Duration) time.Duration {
	if d > 10*time.Millisecond {
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}

// spokenClips are sentences in English that the demo's home can do something with.
func spokenClips(t *testing.T) (all []spokenClip) {
	t.Helper()
	const dir = "../speech/testdata/audio/en"
	manifest, err := os.Open(filepath.Join(dir, "manifest.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer manifest.Close()
	for lines := bufio.NewScanner(manifest); lines.Scan(); {
		var c spokenClip
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(c.Text, "light") || strings.Contains(c.Text, "curtain") {
			c.File = filepath.Join(dir, c.File)
			all = append(all, c)
		}
	}
	return all
}

// spokenAnswer is what came of a clip, and how long each stage took.
type spokenAnswer struct {
	answer
	took map[string]time.Duration
}

// speak says a clip to a home through its microphone, in pieces of 20 ms as time goes by, and silence behind it until there is an answer.
func (s *server) speak(t *testing.T, home string, c spokenClip) spokenAnswer {
	t.Helper()
	b, err := os.ReadFile(c.File)
	if err != nil {
		t.Fatal(err)
	}
	format, sound, err := speech.ReadWAV(b)
	if err != nil || format.Channels != 1 {
		t.Fatalf("%s: %+v, %v", c.File, format, err)
	}
	sound = sound[:spokenUntil(sound)]
	q := url.Values{"lang": {speech.English}, "rate": {strconv.Itoa(format.Rate)}, "speaker": {"spoken"}}
	conn, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(s.http, "http")+"/api/v1/homes/"+home+"/microphone?"+q.Encode(), //nolint:bodyclose // the library closes it
		&websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + s.token}}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	ended, over := make(chan time.Time, 1), make(chan struct{})
	go func() {
		piece := format.Rate / 50 * 2
		for next := time.Now(); ; next = next.Add(20 * time.Millisecond) {
			select {
			case <-over:
				return
			case <-time.After(time.Until(next)):
			}
			p := make([]byte, piece)
			n := copy(p, sound)
			if sound = sound[n:]; n > 0 && len(sound) == 0 {
				ended <- time.Now()
			}
			if conn.Write(t.Context(), websocket.MessageBinary, p) != nil {
				return
			}
		}
	}()
	defer close(over)
	return spokenReply(t, conn, ended)
}

// spokenReply reads what a microphone is told until there is an answer.
func spokenReply(t *testing.T, conn *websocket.Conn, ended <-chan time.Time) (a spokenAnswer) {
	t.Helper()
	a.took = make(map[string]time.Duration)
	var heardAt time.Time
	for {
		_, b, err := conn.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var news struct {
			Type    string `json:"type"`
			HeardUS int64  `json:"heard_us"`
			Answer  struct {
				answer
				Stages []struct {
					Name     string `json:"name"`
					LengthUS int64  `json:"length_us"`
				} `json:"stages"`
			} `json:"answer"`
		}
		if err := json.Unmarshal(b, &news); err != nil {
			t.Fatal(err)
		}
		switch news.Type {
		case "heard":
			heardAt = time.Now()
			a.took["recognise"] = time.Duration(news.HeardUS) * time.Microsecond
		case "answer":
			end := <-ended
			a.answer = news.Answer.answer
			a.took["in all"] = time.Since(end)
			a.took["silence"] = heardAt.Sub(end) - a.took["recognise"]
			for _, stage := range news.Answer.Stages {
				a.took[stage.Name] = time.Duration(stage.LengthUS) * time.Microsecond
			}
			return a
		case "nothing", "problem":
			t.Logf("nothing was heard: %s", b)
			return a
		}
	}
}

// spokenUntil is where the speech in a clip ends: behind the last sample that is louder than a hundredth of full scale.
func spokenUntil(sound []byte) int {
	for i := len(sound) - 2; i >= 0; i -= 2 {
		if v := int16(uint16(sound[i]) | uint16(sound[i+1])<<8); v > 327 || v < -327 { //nolint:gosec // samples are signed
			return i + 2
		}
	}
	return len(sound)
}
