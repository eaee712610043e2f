package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lampworks/speech"
)

// ear is the recogniser of a test: it hears what it is told to.
type ear struct {
	mu      sync.Mutex
	text    string
	partial string // told with each piece, if it is not empty
	err     error
	ask     speech.Ask
	bytes   int
	held    chan struct{} // hearings wait for it, if there is one
	began   chan struct{}
}

func (e *ear) Listen(_ context.Context, ask speech.Ask) (speech.Hearing, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ask, e.bytes = ask, 0
	return &hearing{e}, nil
}

type hearing struct{ *ear }

func (h *hearing) Write(pcm []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bytes += len(pcm)
	if h.partial != "" && h.ask.Partial != nil {
		h.ask.Partial(h.partial)
	}
	return len(pcm), nil
}

func (h *hearing) Finish() (speech.Heard, error) {
	if h.held != nil {
		h.began <- struct{}{}
		<-h.held
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return speech.Heard{Text: h.text}, h.err
}

func (h *hearing) Close() error { return nil }

// recorded is a file of silence.
func recorded(d time.Duration) []byte {
	f := speech.Format{Rate: speech.Rate, Channels: 1}
	return f.WAV(make([]byte, f.Bytes(d)))
}

func TestRecordingsAreHeardAndCarriedOut(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	at := "/api/v1/homes/" + m.home + "/recordings"
	post := func(path string, body []byte, headers ...string) answer {
		return w.call(w.owner, "POST", path, string(body), append([]string{"Content-Type", "audio/wav"}, headers...)...)
	}
	w.ears.text = "今天天气真不错啊"
	a := w.want(post(at+"?lang=zh-CN&speaker=hall", recorded(time.Second)), 200)
	if a.text("heard") != w.ears.text || a.text("answer/text") != w.ears.text || a.text("answer/reply") == "" || a.text("answer/lang") != "zh-CN" {
		t.Errorf("answered %s", a.body)
	}
	if ask := w.ears.ask; ask.Lang != speech.Chinese || ask.Format != (speech.Format{Rate: 16000, Channels: 1}) || w.ears.bytes != 32000 || len(ask.Words) == 0 {
		t.Errorf("the recogniser got %d bytes and was asked %+v", w.ears.bytes, ask)
	}
	w.ears.text = ""
	if a := w.want(post(at, recorded(time.Second)), 200); a.text("heard") != "" || strings.Contains(string(a.body), "answer") {
		t.Errorf("silence is answered %s", a.body)
	}
	stereo := speech.Format{Rate: 48000, Channels: 2}
	for _, tt := range []struct {
		name   string
		body   []byte
		status int
		code   string
	}{
		{"nothing", nil, 422, "invalid"},
		{"no sound", []byte("RIFF"), 422, "invalid"},
		{"too many samples", speech.Format{Rate: 96000, Channels: 1}.WAV(make([]byte, 64)), 422, "invalid"},
		{"60 s", recorded(60 * time.Second), 200, ""},
		{"more than 60 s", recorded(60*time.Second + 20*time.Millisecond), 422, "invalid"},
		{"4 MiB", stereo.WAV(make([]byte, 4<<20-44)), 200, ""},
		{"more than 4 MiB", stereo.WAV(make([]byte, 4<<20-40)), 413, "too_large"},
	} {
		if a := post(at, tt.body); a.status != tt.status || tt.code != "" && a.text("code") != tt.code {
			t.Errorf("%s: %d %s", tt.name, a.status, a.body)
		}
	}
	if a := post(at, nil, "Accept-Language", "zh-CN"); a.text("detail") != "/body 是别的东西，应为 16 位 PCM 的 WAV 文件，每秒 8,000 至 48,000 个采样，一或两个声道" {
		t.Errorf("in Chinese: %s", a.body)
	}
	if log := w.logs.String(); strings.Contains(log, "天气") {
		t.Error("what was said is in the log")
	}
}

func TestRecogniserThatFails(t *testing.T) {
	w := newWorld(t)
	w.people()
	at := "/api/v1/homes/" + w.manufacture().home + "/recordings"
	for _, err := range []error{speech.ErrUnavailable, speech.ErrSilent, speech.ErrGarbled, speech.ErrFailed, context.DeadlineExceeded, errors.New("something else")} {
		w.ears.err = fmt.Errorf("the recogniser at asr.lan:1: %w", err)
		a := w.want(w.call(w.owner, "POST", at, string(recorded(time.Second)), "Content-Type", "audio/wav"), 503)
		if a.text("code") != "unavailable" || a.text("detail") != "nothing here hears" || strings.Contains(string(a.body), "asr.lan") {
			t.Errorf("%v: %s", err, a.body)
		}
	}
	if log := w.logs.String(); !strings.Contains(log, "asr.lan") {
		t.Error("the log does not say which recogniser fails")
	}
}

// Two recordings of one organisation are heard at once; a third is refused, and may come again.
func TestRecordingsAtOnce(t *testing.T) {
	w := newWorld(t)
	w.people()
	at := "/api/v1/homes/" + w.manufacture().home + "/recordings"
	post := func() answer {
		return w.call(w.owner, "POST", at, string(recorded(time.Second)), "Content-Type", "audio/wav")
	}
	w.ears.held, w.ears.began = make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	statuses := make(chan int, 8)
	for range 2 {
		all.Go(func() { statuses <- post().status })
	}
	for range 2 {
		<-w.ears.began
	}
	if a := post(); a.status != 503 || a.text("detail") != "as much is being heard as can be" {
		t.Errorf("the third: %d %s", a.status, a.body)
	}
	close(w.ears.held)
	all.Wait()
	close(statuses)
	for s := range statuses {
		if s != 200 {
			t.Errorf("one of two: %d", s)
		}
	}
	go func() { <-w.ears.began }()
	if a := post(); a.status != 200 {
		t.Errorf("afterwards: %d %s", a.status, a.body)
	}
}

// TestNoSoundIsKept: of a recording nothing is on the disk afterwards, neither in a file of the data nor beside them, and
// nothing in the log.
func TestNoSoundIsKept(t *testing.T) {
	all := t.TempDir()
	t.Setenv("TMPDIR", all)
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	sound := recorded(20 * time.Second)
	mark := []byte("the sound of a voice, as it was recorded")
	for at := 44; at+len(mark) < len(sound); at += 4096 {
		copy(sound[at:], mark)
	}
	w.ears.text = "打开客厅的灯"
	a := w.want(w.call(w.owner, "POST", "/api/v1/homes/"+m.home+"/recordings?lang=zh-CN", string(sound), "Content-Type", "audio/wav"), 200)
	w.want(w.call(w.owner, "GET", "/api/v1/homes/"+m.home+"/sentences", ""), 200)
	files, found := 0, false
	err := filepath.WalkDir(filepath.Dir(all), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		if bytes.Contains(b, mark) {
			t.Errorf("%s has the sound", path)
		}
		found = found || bytes.Contains(b, []byte(a.text("answer/id")))
		return err
	})
	if err != nil || files < 2 || !found && os.Getenv("LAMPWORKS_TEST_STORE") == "" {
		t.Errorf("%d files were looked at, the sentence was among them: %t; %v", files, found, err)
	}
	if bytes.Contains([]byte(w.logs.String()), mark) {
		t.Error("the log has the sound")
	}
}
