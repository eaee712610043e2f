package test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"lampworks/speech"
	"lampworks/speech/wyoming"
)

var updateEvening = flag.Bool("update-evening", false, "write what the evening came to into testdata/evening.txt")

// evening is a household that speaks with the demo's home.
type evening struct {
	*server
	home   string
	rooms  map[string]string // Chinese name → id
	named  map[string]string // and back
	device map[string]string // "room name" → id
	heard  chan string       // what the recogniser is to hear next
}

// TestEvening plays an evening in the demo's home, by text and by sound, with follow-ups, questions, timers, scenes and devices
// that fail. Every act and every reply is held; testdata/evening.txt has them, and what is said is read from there.
func TestEvening(t *testing.T) {
	e := newEvening(t)
	before, err := os.ReadFile("testdata/evening.txt")
	if err != nil {
		t.Fatal(err)
	}
	var after strings.Builder
	turns := 0
	for line := range strings.Lines(string(before)) {
		said, _, isTurn := strings.Cut(line, " => ")
		switch {
		case strings.HasPrefix(line, "! "):
			e.fault(t, strings.Fields(line)[1:])
			after.WriteString(line)
		case !isTurn || strings.HasPrefix(line, "#"):
			after.WriteString(line)
		default:
			turns++
			got := said + " => " + e.turn(t, said) + "\n"
			if got != line && !*updateEvening {
				t.Errorf("\n got %swant %s", got, line)
			}
			after.WriteString(got)
		}
	}
	if turns < 60 {
		t.Errorf("the evening has %d turns, want 60", turns)
	}
	if *updateEvening {
		if err := os.WriteFile("testdata/evening.txt", []byte(after.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func newEvening(t *testing.T) *evening {
	e := &evening{rooms: make(map[string]string), named: make(map[string]string), device: make(map[string]string), heard: make(chan string, 1)}
	e.server = own(t, "demo", "--no-open", "--asr", "wyoming://"+e.recogniser(t))
	e.home = e.server.home(t)
	var h struct {
		Rooms []struct {
			ID    string
			Names map[string]string
		}
		Devices []struct {
			ID, Room string
			Names    map[string]string
		}
	}
	e.call(t, "GET", "/api/v1/homes/"+e.home, nil, &h)
	for _, r := range h.Rooms {
		e.rooms[r.Names["zh-CN"]], e.named[r.ID] = r.ID, r.Names["zh-CN"]
	}
	for _, d := range h.Devices {
		e.device[e.named[d.Room]+d.Names["zh-CN"]] = d.ID
	}
	set := func(device, params string) map[string]any {
		return map[string]any{"kind": "set", "device": e.device[device], "params": json.RawMessage(params)}
	}
	e.call(t, "POST", "/api/v1/homes/"+e.home+"/scenes", map[string]any{
		"names": map[string]string{"zh-CN": "观影模式", "en": "film night"}, "phrases": map[string][]string{"zh-CN": {"看电影了"}},
		"actions": []any{set("客厅灯", `{"powerstate":0}`), set("客厅窗帘", `{"position":0}`)},
	}, nil)
	return e
}

// recogniser is a server of Wyoming that hears what the test has in mind, whatever the sound.
func (e *evening) recogniser(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			e.hear(c)
		}
	}()
	return l.Addr().String()
}

func (e *evening) hear(c net.Conn) {
	defer c.Close()
	events := wyoming.NewReader(c, 1<<20)
	for {
		ev, err := events.Read()
		if err != nil {
			return
		}
		var answer []byte
		switch ev.Type {
		case wyoming.Describe:
			answer, err = wyoming.Append(nil, wyoming.Info, json.RawMessage(`{"asr":[{"name":"mind","attribution":{"name":"test","url":"https://example.com"},"installed":true,"models":[{"name":"mind","attribution":{"name":"test","url":"https://example.com"},"installed":true,"languages":["zh","en"]}]}]}`), nil)
		case wyoming.AudioStop:
			answer, err = wyoming.Append(nil, wyoming.Transcript, map[string]string{"text": <-e.heard}, nil)
		}
		if err != nil {
			return
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

// turn says one line of the evening: "客厅 sound: 打开灯", "- text: 关灯". It gives outcome, reply and acts.
func (e *evening) turn(t *testing.T, line string) string {
	t.Helper()
	where, text, _ := strings.Cut(line, ": ")
	room, how, _ := strings.Cut(where, " ")
	lang := "zh-CN"
	if !regexp.MustCompile(`\p{Han}`).MatchString(text) {
		lang = "en"
	}
	var a answer
	if how == "sound" {
		e.heard <- text
		a = e.sound(t, room, lang)
	} else {
		e.call(t, "POST", "/api/v1/homes/"+e.home+"/sentences", map[string]string{"text": text, "room": e.rooms[room], "speaker": "evening"}, &a)
	}
	return strings.TrimSpace(a.Outcome+" "+a.Reason) + " | " + times.ReplaceAllString(a.Reply, "…") + " | " + e.acts(&a)
}

// times are what differs from run to run.
var times = regexp.MustCompile(`[\p{Nd}]+(小时|分钟|分|秒)([\p{Nd}]+(分钟|分|秒))*|\d+ (hour|minute|second)s?( and \d+ (minute|second)s?)*`)

func (e *evening) acts(a *answer) string {
	var all []string
	for _, act := range a.Actions {
		said := strings.TrimSpace(act.Op + " " + act.Prop + act.Service)
		if act.Value != nil {
			said += fmt.Sprint("=", act.Value)
		}
		for _, target := range act.Targets {
			said += " " + e.named[target.Room] + "·" + target.Name + ":" + strings.TrimSpace(target.Outcome+" "+target.Reason)
		}
		all = append(all, said)
	}
	return strings.Join(all, "; ")
}

// sound says it by a second of silence, in which the recogniser hears what it is to hear.
func (e *evening) sound(t *testing.T, room, lang string) answer {
	t.Helper()
	format := speech.Format{Rate: 16000, Channels: 1}
	q := url.Values{"speaker": {"evening"}, "lang": {lang}}
	if id := e.rooms[room]; id != "" {
		q.Set("room", id)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", e.http+"/api/v1/homes/"+e.home+"/recordings?"+q.Encode(), bytes.NewReader(format.WAV(make([]byte, format.Bytes(1e9)))))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+e.token)
	r.Header.Set("Content-Type", "audio/wav")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var out struct {
		Heard  string `json:"heard"`
		Answer answer `json:"answer"`
	}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || res.StatusCode >= 300 {
		t.Fatalf("a recording is answered with %s, %v", res.Status, err)
	}
	return out.Answer
}

// fault has a device of the demo misbehave: "! 客厅灯 silent".
func (e *evening) fault(t *testing.T, words []string) {
	t.Helper()
	e.call(t, "PUT", "/api/v1/virtual-devices/"+e.device[words[0]]+"/fault", map[string]string{"fault": words[1]}, nil)
}
