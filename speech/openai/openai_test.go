package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/speech"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "sk-very-secret"

// serve is a server that answers as the test says.
func serve(t *testing.T, do http.HandlerFunc) Config {
	t.Helper()
	s := httptest.NewServer(do)
	t.Cleanup(s.Close)
	return Config{URL: s.URL + "/v1/", Key: NewKey(secret), Model: "m"}
}

func recogniser(t *testing.T, c Config, w waits) *Recogniser {
	t.Helper()
	s, err := newServer(c, "the recogniser", w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return &Recogniser{s}
}

func voice(t *testing.T, c Config, w waits) *Voice {
	t.Helper()
	c.Voice = "alloy"
	s, err := newServer(c, "the voice", w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return &Voice{s}
}

func listen(ctx context.Context, r speech.Recognizer, ask speech.Ask, sound []byte) (speech.Heard, error) {
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

func TestRecogniserAsks(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		file, _, err := r.FormFile("file")
		if err != nil {
			t.Error(err)
			return
		}
		b, _ := io.ReadAll(file)
		f, sound, err := speech.ReadWAV(b)
		got := fmt.Sprint(r.URL.Path, " ", r.Header.Get("Authorization"), " ", f, " ", len(sound), " ", err)
		if want := fmt.Sprint("/v1/audio/transcriptions Bearer ", secret, " ", speech.Format{Rate: 16000, Channels: 1}, " ", 32000, " ", nil); got != want {
			t.Errorf("asked %s\nwant %s", got, want)
		}
		for name, want := range map[string]string{"model": "m", "language": "zh", "prompt": "客厅, 台灯", "response_format": "json"} {
			if r.FormValue(name) != want {
				t.Errorf("%s is %q, want %q", name, r.FormValue(name), want)
			}
		}
		fmt.Fprint(w, `{"text":" 打开客厅的灯。 ","usage":{"type":"duration"}}`)
	})
	f := speech.Format{Rate: 48000, Channels: 2}
	heard, err := listen(t.Context(), recogniser(t, c, patience()), speech.Ask{Lang: speech.Chinese, Format: f, Words: []string{"客厅", "", "台灯", strings.Repeat("x", 1000)}}, make([]byte, f.Bytes(time.Second)))
	if err != nil || heard.Text != "打开客厅的灯。" {
		t.Errorf("heard %+v (%v)", heard, err)
	}
}

func TestVoiceAsks(t *testing.T) {
	mono := speech.Format{Rate: 24000, Channels: 1}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var asked map[string]string
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		if got := fmt.Sprint(r.URL.Path, asked); got != "/v1/audio/speechmap[input:好的。 model:m response_format:wav voice:alloy]" {
			t.Errorf("asked %s", got)
		}
		wav := mono.WAV([]byte{1, 2, 3, 4})
		copy(wav[4:], "\xff\xff\xff\xff") // lengths that a stream cannot know
		copy(wav[40:], "\xff\xff\xff\xff")
		w.Write(wav)
	})
	wav, err := voice(t, c, patience()).Speak(t.Context(), "好的。", speech.Chinese)
	if err != nil || !bytes.Equal(wav, mono.WAV([]byte{1, 2, 3, 4})) {
		t.Errorf("spoke %v (%v)", wav, err)
	}
}

func TestFaultsAreTold(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}
	status := func(code int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.WriteHeader(code)
			io.WriteString(w, text)
		}
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirection was followed") }))
	t.Cleanup(elsewhere.Close)
	for _, tt := range []struct {
		name string
		do   http.HandlerFunc
		want error
		text string
	}{
		{"hangs", hang, speech.ErrSilent, ""},
		{"drips for ever", func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for r.Context().Err() == nil {
				io.WriteString(w, " ")
				w.(http.Flusher).Flush()
				<-tick.C
			}
		}, speech.ErrSilent, ""},
		{"dies within its answer", func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, `{"te`)
		}, speech.ErrFailed, "broke off"},
		{"dies at once", func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			panic(http.ErrAbortHandler)
		}, speech.ErrFailed, "broke off"},
		{"refuses the key", status(401, `{"error":{"message":"Incorrect API key provided: `+secret+`"}}`), speech.ErrFailed, `does not take the key (401): it says "Incorrect API key provided: (key)"`},
		{"has no such model", status(404, `{"error":{"message":"no model m"}}`), speech.ErrFailed, "no model m"},
		{"has too much to do", status(429, "slow down"), speech.ErrFailed, "status 429"},
		{"is broken", status(500, strings.Repeat("x", 1<<20)), speech.ErrFailed, "status 500"},
		{"sends elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, speech.ErrFailed, "status 307"},
		{"answers garbage", status(200, "<html>"), speech.ErrGarbled, ""},
		{"answers something else", status(200, `{"result":"x"}`), speech.ErrGarbled, ""},
		{"answers nothing", status(200, ""), speech.ErrGarbled, ""},
		{"never stops", func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			piece := bytes.Repeat([]byte(" "), 1<<20)
			for range 20 {
				if _, err := w.Write(piece); err != nil {
					return
				}
			}
		}, speech.ErrGarbled, "more than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := serve(t, tt.do)
			w := patience()
			if tt.want == speech.ErrSilent {
				w = waits{100 * time.Millisecond, 100 * time.Millisecond}
			}
			_, heard := listen(t.Context(), recogniser(t, c, w), speech.Ask{}, make([]byte, 3200))
			_, spoke := voice(t, c, w).Speak(t.Context(), "Unmistakable.", speech.English)
			for _, err := range []error{heard, spoke} {
				if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "Unmistakable") {
					t.Errorf("error %v", err)
				}
			}
		})
	}
}

func TestAnswersAreLookedAt(t *testing.T) {
	book := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]string{"text": strings.Repeat("灯", speech.MaxHeard)})
	})
	if _, err := listen(t.Context(), recogniser(t, book, patience()), speech.Ask{}, make([]byte, 320)); !errors.Is(err, speech.ErrGarbled) {
		t.Errorf("a book was heard: %v", err)
	}
	for _, f := range []speech.Format{{Rate: 96000, Channels: 1}, {Rate: 16000, Channels: 6}} {
		odd := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(f.WAV(make([]byte, 24))) })
		if _, err := voice(t, odd, patience()).Speak(t.Context(), "x", speech.English); !errors.Is(err, speech.ErrGarbled) {
			t.Errorf("%v was spoken: %v", f, err)
		}
	}
	mute := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Write(speech.Format{Rate: 16000, Channels: 1}.WAV(nil))
	})
	if _, err := voice(t, mute, patience()).Speak(t.Context(), "x", speech.English); !errors.Is(err, speech.ErrGarbled) {
		t.Errorf("silence was spoken: %v", err)
	}
}

func TestTheCallerEndsIt(t *testing.T) {
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := listen(ctx, recogniser(t, c, patience()), speech.Ask{}, make([]byte, 320)); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, speech.ErrSilent) {
		t.Errorf("heard: %v", err)
	}
	if _, err := voice(t, c, patience()).Speak(ctx, "x", speech.English); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("spoke: %v", err)
	}
	h, err := recogniser(t, c, patience()).Listen(t.Context(), speech.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	h.Write(make([]byte, 320))
	ended := make(chan error)
	go func() { _, err := h.Finish(); ended <- err }()
	h.Close()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	if _, err := h.Write(make([]byte, 320)); err == nil {
		t.Error("a hearing that was given up takes sound")
	}
}

func TestNobodyThere(t *testing.T) {
	c := Config{URL: "http://127.0.0.1:1", Model: "m"}
	if _, err := listen(t.Context(), recogniser(t, c, patience()), speech.Ask{}, make([]byte, 320)); !errors.Is(err, speech.ErrUnavailable) {
		t.Errorf("heard: %v", err)
	}
	if heard, err := listen(t.Context(), recogniser(t, c, patience()), speech.Ask{}, nil); err != nil || heard.Text != "" {
		t.Errorf("nothing was heard as %+v, %v", heard, err)
	}
}

func TestConfigurationsAreChecked(t *testing.T) {
	for _, tt := range []struct {
		c    Config
		want string
	}{
		{Config{URL: "ftp://x", Model: "m"}, "no http:// or https:// URL"},
		{Config{URL: "https://", Model: "m"}, "no http:// or https:// URL"},
		{Config{URL: "https://u:" + secret + "@x/v1", Model: "m"}, "more than host and path"},
		{Config{URL: "https://x/v1?key=" + secret, Model: "m"}, "more than host and path"},
		{Config{URL: "http://192.0.2.1/v1", Model: "m", Key: NewKey(secret)}, "unencrypted"},
		{Config{URL: "https://x/v1", Model: "m", Key: NewKey(secret + "\nX: y")}, "spaces or lines"},
		{Config{URL: "https://x/v1"}, "name of a model"},
		{Config{URL: "http://192.0.2.1/v1", Model: "m"}, ""},
		{Config{URL: "http://localhost:8000/v1", Model: "m", Key: NewKey(secret)}, ""},
	} {
		_, err := NewRecogniser(tt.c)
		_, also := NewVoice(tt.c)
		if (err == nil) != (tt.want == "") || (also == nil) != (tt.want == "") {
			t.Errorf("%s: %v, %v, want %q", tt.c.URL, err, also, tt.want)
			continue
		}
		if err != nil && (!strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), secret)) {
			t.Errorf("%s: %v, want %q", tt.c.URL, err, tt.want)
		}
	}
}

func TestKeysAreNotPrinted(t *testing.T) {
	type inside struct{ deep Config }
	c := Config{URL: "https://x/v1", Key: NewKey(secret), Model: "m"}
	r, err := NewRecogniser(c)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		string(asJSON), fmt.Sprint(c.Key), fmt.Sprintf("%v %+v %#v %s %q %x", c, c, c, c, c, c.Key), fmt.Sprintf("%+v %#v", inside{c}, &inside{c}), fmt.Sprintf("%+v %#v", r, r.server),
	} {
		if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
			t.Errorf("the key is in %s", text)
		}
	}
}
