package test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"lampworks/speech"
	"lampworks/speech/wyoming"
)

// needWyoming returns a Python that has Home Assistant's own library of the protocol, in the version that is pinned.
func needWyoming(t *testing.T) string {
	t.Helper()
	if err := exec.CommandContext(t.Context(), "python3", "-c", "import ensurepip, venv").Run(); err != nil {
		t.Skip("skip: no python3 with venv; install the package python3-venv to test with Home Assistant's Wyoming library")
	}
	const dir = "wyoming/.venv"
	python := filepath.Join(dir, "bin", "python")
	wanted, err := os.ReadFile("wyoming/requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	if has, err := os.ReadFile(filepath.Join(dir, "installed")); err == nil && string(has) == string(wanted) {
		return python
	}
	for _, step := range [][]string{
		{"python3", "-m", "venv", "--clear", dir},
		{python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--requirement", "wyoming/requirements.txt"},
	} {
		if out, err := exec.CommandContext(t.Context(), step[0], step[1:]...).CombinedOutput(); err != nil {
			t.Skipf("skip: Home Assistant's Wyoming library cannot be installed: %v\n%s", err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "installed"), wanted, 0o600); err != nil {
		t.Fatal(err)
	}
	return python
}

// asker is Home Assistant's library as a client.
type asker struct {
	in  io.Writer
	out *bufio.Scanner
}

func startAsker(t *testing.T, python, addr string) *asker {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "wyoming/client.py", host, port)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the client ended: %v", err)
		}
	})
	return &asker{in, bufio.NewScanner(out)}
}

func (a *asker) ask(t *testing.T, what map[string]any) map[string]any {
	t.Helper()
	line, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(a.in, "%s\n", line)
	if !a.out.Scan() {
		t.Fatalf("%s: no answer (%v)", line, a.out.Err())
	}
	var got map[string]any
	if err := json.Unmarshal(a.out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestWyomingClientOfHomeAssistant speaks to the demo's home with Home Assistant's library, as its conversation agent does.
func TestWyomingClientOfHomeAssistant(t *testing.T) {
	python := needWyoming(t)
	s := own(t, "demo", "--no-open", "--wyoming", "127.0.0.1:0")
	a := startAsker(t, python, s.wyoming)
	about := map[string]any{"programs": 1.0, "others": 0.0, "installed": true, "home": true, "by": "Lampworks", "languages": []any{"zh", "zh-CN", "zh-TW", "en"}}
	if got := a.ask(t, map[string]any{"do": "describe"}); !reflect.DeepEqual(got, about) {
		t.Errorf("it says of itself %v", got)
	}
	if got := a.ask(t, map[string]any{"do": "ping", "text": "y"}); got["pong"] != "y" {
		t.Errorf("ping: %v", got)
	}
	talk := func(id, language, text string) map[string]any {
		return a.ask(t, map[string]any{"do": "say", "text": text, "language": language, "context": map[string]any{"conversation_id": id, "satellite_id": "s1"}})
	}
	for _, tt := range []struct{ id, language, text, what, reply string }{
		{"c1", "zh", "打开客厅的灯", "Handled", "好的，客厅的灯开了。"},
		{"c1", "zh-CN", "关掉它", "Handled", "好的，客厅的灯关了。"},
		{"c2", "zh-TW", "打開客廳的燈", "Handled", "好的，客厅的灯开了。"},
		{"c3", "en", "turn off the living room light", "Handled", "The living room lamp is off."},
		{"c4", "zh", "打开窗帘", "Handled", "客厅还是卧室的窗帘？"},
		{"c4", "zh", "卧室的", "Handled", "好的，卧室的窗帘"},
		{"c5", "zh", "把月亮关掉", "NotHandled", ""},
		{"c6", "xx", "打开灯", "NotHandled", ""},
		{"c7", "zh", strings.Repeat("开", 1000), "Error", ""},
	} {
		got := talk(tt.id, tt.language, tt.text)
		if text, _ := got["text"].(string); got["what"] != tt.what || text == "" || !strings.HasPrefix(text, tt.reply) {
			t.Errorf("%.30s: %v, want %s %s", tt.text, got, tt.what, tt.reply)
		}
	}
	got := a.ask(t, map[string]any{"do": "recognize", "text": "把客厅的灯调到百分之三十"})
	if e, _ := got["entities"].(map[string]any); got["intent"] != "lampworks.set" || e["property"] != "brightness" || e["value"] != 30.0 || e["name"] != "灯" {
		t.Errorf("it means %v", got)
	}
	if got := a.ask(t, map[string]any{"do": "recognize", "text": "今天天气真不错啊"}); got["what"] != "NotRecognized" {
		t.Errorf("talk means %v", got)
	}
}

// TestWyomingListenerIsGuarded: what is said counts for nothing when the token is gone, and no listener opens to a network
// or without somebody in whose name is spoken.
func TestWyomingListenerIsGuarded(t *testing.T) {
	s := own(t, "demo", "--no-open", "--wyoming", "127.0.0.1:0")
	say := func() wyoming.Event {
		conn, err := net.Dial("tcp", s.wyoming)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		b, err := wyoming.Append(nil, wyoming.Transcript, map[string]string{"text": "打开客厅的灯"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		conn.Write(b)
		e, err := wyoming.NewReader(conn, 1<<20).Read()
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	if e := say(); e.Type != wyoming.Handled {
		t.Fatalf("the demo answers %s %s", e.Type, e.Data)
	}
	token := filepath.Join(s.dir, "data", "wyoming-token")
	for name, spoil := range map[string]func() error{
		"wrong":          func() error { return os.WriteFile(token, []byte("lwt_wrong"), 0o600) },
		"open to others": func() error { return os.Chmod(token, 0o644) },
		"gone":           func() error { return os.Remove(token) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if e := say(); e.Type != wyoming.Error || strings.Contains(string(e.Data["text"]), token) {
			t.Errorf("the token is %s: %s %s", name, e.Type, e.Data)
		}
		if err := errors.Join(os.RemoveAll(token), os.WriteFile(token, []byte(s.token), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	open := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(open, []byte("lwt_x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--wyoming", "0.0.0.0:0"}, "or say --wyoming-open"},
		{[]string{"--wyoming", ":10600"}, "or say --wyoming-open"},
		{[]string{"--wyoming", "nonsense"}, "want host:port"},
		{[]string{"--wyoming", "127.0.0.1:0"}, "needs --wyoming-token"},
		{[]string{"--wyoming", "127.0.0.1:0", "--wyoming-token", open}, "chmod 600"},
		{[]string{"--wyoming-home", "x"}, "need --wyoming"},
	} {
		out, err := exec.CommandContext(t.Context(), program, append([]string{"serve", "--data", t.TempDir()}, tt.flags...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), tt.want) {
			t.Errorf("%v: %v, %s", tt.flags, err, out)
		}
	}
	out, err := exec.CommandContext(t.Context(), program, "demo", "--no-open", "--wyoming", "0.0.0.0:0", "--wyoming-open").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "the demo listens on loopback only") {
		t.Errorf("the demo opened itself: %v, %s", err, out)
	}
}

// startEngines runs a recogniser and a voice made with Home Assistant's library. The recogniser hears the text that is
// given, or else tells of the sound.
func startEngines(t *testing.T, hears string) (addr string) {
	t.Helper()
	cmd := exec.Command(needWyoming(t), "wyoming/server.py", hears)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return "127.0.0.1:" + strings.TrimSpace(port)
}

// TestSoundGoesThroughThePlatform says a recording to the demo's home, whose recogniser and voice are servers of Wyoming.
func TestSoundGoesThroughThePlatform(t *testing.T) {
	at := "wyoming://" + startEngines(t, "打开客厅的灯")
	s := own(t, "demo", "--no-open", "--asr", at, "--tts", at)
	file := filepath.Join(t.TempDir(), "lamp.wav")
	format := speech.Format{Rate: 16000, Channels: 1}
	if err := os.WriteFile(file, format.WAV(make([]byte, format.Bytes(1e9))), 0o600); err != nil {
		t.Fatal(err)
	}
	say := exec.CommandContext(t.Context(), program, "say", "--server", s.http, "--token", s.token, "--sound", file, "--lang", "zh-CN")
	if out, err := say.CombinedOutput(); err != nil || !strings.Contains(string(out), "好的，客厅的灯开了。") {
		t.Errorf("%v, %s", err, out)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.http+"/api/v1/speech", strings.NewReader(`{"text":"好的。","lang":"zh-CN"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	wav, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if f, sound, err := speech.ReadWAV(wav); err != nil || f.Rate != 22050 || len(sound) != 600 {
		t.Errorf("spoke %d: %d bytes at %v (%v)", answer.StatusCode, len(sound), f, err)
	}
}

// TestWyomingServerOfHomeAssistant hears and speaks through a server made with Home Assistant's library.
func TestWyomingServerOfHomeAssistant(t *testing.T) {
	at := wyoming.Config{Address: startEngines(t, "")}
	var partial []string
	format := speech.Format{Rate: 48000, Channels: 2}
	h, err := wyoming.NewRecogniser(at).Listen(t.Context(), speech.Ask{Lang: speech.Chinese, Format: format, Partial: func(s string) { partial = append(partial, s) }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Write(make([]byte, format.Bytes(3e9))); err != nil {
		t.Fatal(err)
	}
	heard, err := h.Finish()
	if err != nil || heard.Text != "48000 samples at 16000 for counts in zh" || heard.Lang != "zh" || !reflect.DeepEqual(partial, []string{"I hear"}) {
		t.Errorf("heard %+v, before that %q (%v)", heard, partial, err)
	}
	wav, err := wyoming.NewVoice(at).Speak(t.Context(), "好的。", speech.Chinese)
	if err != nil {
		t.Fatal(err)
	}
	if f, sound, err := speech.ReadWAV(wav); err != nil || f.Rate != 22050 || len(sound) != 600 {
		t.Errorf("spoke %d bytes at %v (%v)", len(sound), f, err)
	}
	if _, err := wyoming.NewVoice(at).Speak(t.Context(), "fail", speech.English); !errors.Is(err, speech.ErrFailed) || !strings.Contains(err.Error(), "no such voice") {
		t.Errorf("a voice that fails: %v", err)
	}
}
