package api_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"lampworks/speech"
)

// mike is the other end of a microphone.
type mike struct {
	t    *testing.T
	conn *websocket.Conn
}

// news is what it is told.
type news struct {
	Type, Text, Ended string
	Answer            struct{ Outcome, Reply, Text string }
	Problem           struct{ Code, Detail string }
}

func (w *world) mike(token, at string, headers ...string) (*mike, *http.Response, error) {
	w.t.Helper()
	h := http.Header{"Authorization": {"Bearer " + token}}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	conn, res, err := websocket.Dial(w.t.Context(), w.url+at, &websocket.DialOptions{HTTPHeader: h})
	if err != nil {
		return nil, res, err
	}
	w.t.Cleanup(func() { _ = conn.CloseNow() })
	return &mike{w.t, conn}, res, nil
}

func (m *mike) sound(pcm []byte) {
	m.t.Helper()
	const piece = 640 // 20 ms
	for len(pcm) > 0 {
		n := min(piece, len(pcm))
		if m.conn.Write(m.t.Context(), websocket.MessageBinary, pcm[:n]) != nil {
			return // it has heard enough
		}
		pcm = pcm[n:]
	}
}

func (m *mike) says(text string) {
	m.t.Helper()
	if err := m.conn.Write(m.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		m.t.Fatal(err)
	}
}

// hears gives all that it is told until the connection ends, and in short.
func (m *mike) hears() (all []news, short string) {
	m.t.Helper()
	for {
		_, b, err := m.conn.Read(m.t.Context())
		if err != nil {
			if websocket.CloseStatus(err) != websocket.StatusNormalClosure {
				m.t.Error(err)
			}
			return all, strings.TrimSpace(short)
		}
		var n news
		if err := json.Unmarshal(b, &n); err != nil {
			m.t.Fatalf("%s: %v", b, err)
		}
		all = append(all, n)
		short += strings.TrimSpace(n.Type+" "+n.Ended) + ", "
	}
}

// spoken is a clip of speech with silence around it.
func spoken(t *testing.T, after time.Duration) []byte {
	t.Helper()
	b, err := os.ReadFile("../../../speech/testdata/audio/zh-CN-00.wav")
	if err != nil {
		t.Fatal(err)
	}
	f, sound, err := speech.ReadWAV(b)
	if err != nil {
		t.Fatal(err)
	}
	quiet := func(d time.Duration) []byte { return make([]byte, f.Bytes(d)) }
	return append(append(quiet(500*time.Millisecond), sound...), quiet(after)...)
}

// TestMicrophone: the end of a sentence is found in its sound, sooner where it is a whole command already; it can be ended and
// given up, and is carried out once.
func TestMicrophone(t *testing.T) {
	w := newWorld(t)
	w.people()
	at := "/api/v1/homes/" + w.manufacture().home + "/microphone?lang=zh-CN&speaker=hall"
	open := func(more string) *mike {
		t.Helper()
		m, _, err := w.mike(w.owner, at+more)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	w.ears.text = "今天天气真不错啊"
	m := open("")
	m.sound(spoken(t, 2*time.Second))
	all, short := m.hears()
	if short != "listening, speaking, heard silence, answer," || all[2].Text != w.ears.text || all[3].Answer.Text != w.ears.text || all[3].Answer.Reply == "" {
		t.Errorf("told %s: %+v", short, all)
	}
	if ask := w.ears.ask; ask.Lang != speech.Chinese || len(ask.Words) == 0 {
		t.Errorf("the recogniser was asked %+v", ask)
	}
	slow := w.ears.bytes

	w.ears.partial = "打开灯"
	m = open("")
	m.sound(spoken(t, 2*time.Second))
	if _, short := m.hears(); !strings.HasSuffix(short, "heard silence, answer,") || !strings.Contains(short, "partial") {
		t.Errorf("of a whole command told %s", short)
	}
	if saved := slow - w.ears.bytes; saved < 6000 { // of the 300 ms, 9,600 bytes
		t.Errorf("a whole command ended %d bytes sooner", saved)
	}
	w.ears.partial = ""

	begun := spoken(t, 0)[:32000] // a second
	m = open("")
	m.sound(begun)
	m.says(`{"type":"end"}`)
	if _, short := m.hears(); !strings.HasSuffix(short, "heard asked, answer,") {
		t.Errorf("at its end told %s", short)
	}
	m = open("")
	m.sound(begun)
	m.says(`{"type":"cancel"}`)
	if _, short := m.hears(); !strings.HasSuffix(short, "nothing cancelled,") {
		t.Errorf("given up, told %s", short)
	}
	m = open("&rate=8000")
	m.sound(make([]byte, 8000*2*11))
	if _, short := m.hears(); short != "listening, nothing nobody," {
		t.Errorf("of silence told %s", short)
	}
	if log := w.logs.String(); strings.Contains(log, "天气") {
		t.Error("what was said is in the log")
	}
}

// TestMicrophoneOfOpus: packets are heard as their sound.
func TestMicrophoneOfOpus(t *testing.T) {
	w := newWorld(t)
	w.people()
	at := "/api/v1/homes/" + w.manufacture().home + "/microphone?codec=opus"
	b, err := os.ReadFile("../../../speech/opus/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Decode []struct{ Packets []string } `json:"opus_decode"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	m, _, err := w.mike(w.owner, at)
	if err != nil {
		t.Fatal(err)
	}
	w.ears.text = "今天天气真不错啊"
	send := func(packet []byte) {
		if err := m.conn.Write(t.Context(), websocket.MessageBinary, packet); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range v.Decode[0].Packets {
		b, err := hex.DecodeString(p)
		if err != nil {
			t.Fatal(err)
		}
		send(b)
	}
	m.says(`{"type":"end"}`)
	if _, short := m.hears(); !strings.HasSuffix(short, "heard asked, answer,") || w.ears.bytes != 2*7680 { // eight packets of 60 ms
		t.Errorf("told %s of %d bytes", short, w.ears.bytes)
	}
	if m, _, err = w.mike(w.owner, at); err != nil {
		t.Fatal(err)
	}
	send([]byte{0x5b})
	if all, _ := m.hears(); len(all) == 0 || all[len(all)-1].Problem.Code != "invalid" {
		t.Errorf("of no packet told %+v", all)
	}
}

// TestMicrophoneRefuses what cannot be heard, before the connection is a WebSocket where it is known by then.
func TestMicrophoneRefuses(t *testing.T) {
	w := newWorld(t)
	w.people()
	at := "/api/v1/homes/" + w.manufacture().home + "/microphone"
	if a := w.call(w.owner, "GET", at, ""); a.status != 422 || a.text("where") != "/header/Upgrade" {
		t.Errorf("without a WebSocket: %d %s", a.status, a.body)
	}
	for name, tt := range map[string]struct {
		token, at, origin string
		status            int
	}{
		"nobody": {"", at, "", 401}, "another's home": {w.stranger, at, "", 404}, "a page of another site": {w.owner, at, "https://evil.example", 403}, "a codec": {w.owner, at + "?codec=mp3", "", 422},
	} {
		_, res, err := w.mike(tt.token, tt.at, "Origin", tt.origin)
		if err == nil || res == nil || res.StatusCode != tt.status {
			t.Errorf("%s: %v, %v", name, res, err)
		}
	}
	last := func(do func(m *mike)) news {
		t.Helper()
		m, _, err := w.mike(w.owner, at)
		if err != nil {
			t.Fatal(err)
		}
		do(m)
		all, _ := m.hears()
		if len(all) == 0 {
			t.Fatal("told nothing")
		}
		return all[len(all)-1]
	}
	if n := last(func(m *mike) { m.says("hello") }); n.Type != "problem" || n.Problem.Code != "invalid" {
		t.Errorf("of a text told %+v", n)
	}
	w.ears.err = fmt.Errorf("the recogniser at asr.lan:1: %w", speech.ErrFailed)
	if n := last(func(m *mike) { m.says(`{"type":"end"}`) }); n.Problem.Code != "unavailable" || strings.Contains(n.Problem.Detail, "asr.lan") {
		t.Errorf("of a recogniser that fails told %+v", n)
	}
	w.ears.err, w.ears.text = nil, ""
	if n := last(func(m *mike) { m.says(`{"type":"end"}`) }); n.Type != "nothing" || n.Ended != "asked" {
		t.Errorf("of nothing told %+v", n)
	}
	for range 2 {
		if _, _, err := w.mike(w.owner, at); err != nil {
			t.Fatal(err)
		}
	}
	if _, res, err := w.mike(w.owner, at); err == nil || res == nil || res.StatusCode != 503 {
		t.Errorf("a third at once: %v, %v", res, err)
	}
}
