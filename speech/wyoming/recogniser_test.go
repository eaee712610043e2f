package wyoming

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"lampworks/speech"
)

// hasty are waits for tests of peers that hang.
func hasty() waits {
	return waits{connect: 2 * time.Second, info: 50 * time.Millisecond, text: 50 * time.Millisecond, sound: 50 * time.Millisecond, spoken: 300 * time.Millisecond, write: 100 * time.Millisecond}
}

// noise is some sound: n samples, 16 kHz mono.
func noise(n int) []byte {
	var b []byte
	for i := range n {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(i*7919)))
	}
	return b
}

// listen plays sound to a recogniser.
func listen(ctx context.Context, r speech.Recognizer, ask speech.Ask, sound []byte) (speech.Heard, error) {
	h, err := r.Listen(ctx, ask)
	if err != nil {
		return speech.Heard{}, err
	}
	defer h.Close()
	for len(sound) > 0 {
		n := min(1000, len(sound))
		if _, err := h.Write(sound[:n]); err != nil {
			return speech.Heard{}, err
		}
		sound = sound[n:]
	}
	return h.Finish()
}

func TestRecogniserSendsWhatTheProtocolWants(t *testing.T) {
	i := slices.IndexFunc(known(t).Sessions, func(s session) bool { return s.Role == "asr client" && s.Peer[0] == Transcript })
	want := known(t).Sessions[i].Sends
	got := make(chan []Event, 1)
	p := startPeer(t, after(offering("en", "zh"), func(l *line) {
		got <- l.hear(AudioStop)
		l.say(Transcript, fields{"text": "打开客厅的灯", "language": "zh"}, nil)
	}))
	sound := noise(5000)
	heard, err := listen(t.Context(), NewRecogniser(Config{Address: p.addr}), speech.Ask{Lang: speech.Chinese}, sound)
	if err != nil || heard.Text != "打开客厅的灯" || heard.Lang != "zh" {
		t.Fatalf("heard %+v (%v)", heard, err)
	}
	events := <-got
	if !slices.Equal(kinds(events), want) {
		t.Errorf("sent %v, want %v", kinds(events), want)
	}
	if d := events[0].Data.plain(t); d["name"] != "hears" || d["language"] != "zh" {
		t.Errorf("transcribe asks for %v", d)
	}
	var all []byte
	for _, e := range events[1:] {
		if e.Type == AudioChunk {
			all = append(all, e.Payload...)
			if n := len(e.Payload) / 2; n > 2048 {
				t.Errorf("a piece of %d samples", n)
			}
		}
		if d := e.Data.plain(t); e.Type != AudioStop && (d["rate"] != 16000.0 || d["width"] != 2.0 || d["channels"] != 1.0) {
			t.Errorf("%s says %v", e.Type, d)
		}
	}
	if !bytes.Equal(all, sound) {
		t.Errorf("%d bytes of sound arrived, not the %d sent", len(all), len(sound))
	}
}

func TestRecogniserConvertsWhatItHears(t *testing.T) {
	size := make(chan int, 1)
	p := startPeer(t, after(offering("zh"), func(l *line) {
		n := 0
		for _, e := range l.hear(AudioStop) {
			n += len(e.Payload)
		}
		size <- n
		l.say(Transcript, fields{"text": ""}, nil)
	}))
	f := speech.Format{Rate: 48000, Channels: 2}
	if _, err := listen(t.Context(), NewRecogniser(Config{Address: p.addr}), speech.Ask{Format: f}, make([]byte, f.Bytes(time.Second))); err != nil {
		t.Fatal(err)
	}
	if n := <-size; n != 32000 {
		t.Errorf("a second of 48 kHz stereo arrived as %d bytes", n)
	}
	var bad *speech.SoundError
	if _, err := NewRecogniser(Config{Address: p.addr}).Listen(t.Context(), speech.Ask{Format: speech.Format{Rate: 96000, Channels: 1}}); !errors.As(err, &bad) {
		t.Errorf("96 kHz: %v", err)
	}
}

func TestPartialsAreToldAndTheTextCounts(t *testing.T) {
	p := startPeer(t, after(offering("en"), func(l *line) {
		l.hear(AudioStart)
		l.say(TranscriptStart, fields{"language": "en"}, nil)
		l.say(TranscriptChunk, fields{"text": "turn on"}, nil)
		l.say(TranscriptChunk, fields{"text": " the ramp"}, nil)
		l.say("x-unknown", nil, nil)
		l.hear(AudioStop)
		l.say(Transcript, fields{"text": "turn on the lamp"}, nil)
		l.say(TranscriptStop, nil, nil)
	}))
	var partial []string
	ask := speech.Ask{Lang: speech.English, Partial: func(s string) { partial = append(partial, s) }}
	heard, err := listen(t.Context(), NewRecogniser(Config{Address: p.addr}), ask, noise(3000))
	if err != nil || heard.Text != "turn on the lamp" {
		t.Errorf("heard %+v (%v)", heard, err)
	}
	if want := []string{"turn on", "turn on the ramp"}; !slices.Equal(partial, want) {
		t.Errorf("was told %q, want %q", partial, want)
	}
}

// A server that finds the end of speech by itself may answer before it was told.
func TestAnswerBeforeTheEnd(t *testing.T) {
	p := startPeer(t, after(offering("en"), func(l *line) {
		l.hear(AudioChunk)
		l.say(Transcript, fields{"text": "stop"}, nil)
		l.hang()
	}))
	heard, err := listen(t.Context(), NewRecogniser(Config{Address: p.addr}), speech.Ask{Lang: "en"}, noise(200_000))
	if err != nil || heard.Text != "stop" {
		t.Errorf("heard %+v (%v)", heard, err)
	}
}

func TestNothingWrittenIsNothingHeard(t *testing.T) {
	p := startPeer(t, after(offering("en"), func(l *line) { l.hang() }))
	if heard, err := listen(t.Context(), NewRecogniser(Config{Address: p.addr}), speech.Ask{}, nil); err != nil || heard.Text != "" {
		t.Errorf("heard %+v (%v)", heard, err)
	}
}

// faults are what a server does wrong once the sound is there, and what is said of it.
var faults = []struct {
	name string
	play func(l *line)
	want error
	text string
}{
	{"says why", func(l *line) { l.hear(AudioStop); l.say(Error, fields{"text": "no model", "code": "asr-failed"}, nil) }, speech.ErrFailed, `it says "no model"`},
	{"breaks off", func(l *line) { l.hear(AudioStop) }, speech.ErrFailed, "broke off"},
	{"breaks off in the middle", func(l *line) { l.hear(AudioChunk) }, speech.ErrFailed, ""},
	{"dies within an event", func(l *line) {
		l.hear(AudioStop)
		l.Write([]byte(`{"type":"transcript","data_length":50}` + "\n{\"te"))
	}, speech.ErrFailed, "broke off"},
	{"hangs", func(l *line) { l.hear(AudioStop); l.hang() }, speech.ErrSilent, "in time"},
	{"answers garbage", func(l *line) { l.hear(AudioStop); l.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); l.hang() }, speech.ErrGarbled, "not an event"},
	{"announces a flood", func(l *line) {
		l.hear(AudioStop)
		l.Write([]byte(`{"type":"transcript","data_length":99999999}` + "\n"))
		l.hang()
	}, speech.ErrGarbled, "99999999 bytes of data"},
	{"answers a number", func(l *line) { l.hear(AudioStop); l.say(Transcript, fields{"text": 7}, nil); l.hang() }, speech.ErrGarbled, `"text"`},
	{"answers a book", func(l *line) {
		l.hear(AudioStop)
		l.say(Transcript, fields{"text": strings.Repeat("灯", speech.MaxHeard)}, nil)
		l.hang()
	}, speech.ErrGarbled, "too long"},
	{"says events for ever", func(l *line) {
		l.hear(AudioStop)
		b, _ := Append(nil, "x", nil, nil)
		for range 100 {
			if _, err := l.Write(bytes.Repeat(b, 500)); err != nil {
				return
			}
		}
	}, speech.ErrGarbled, "without a text"},
}

func TestFaultsOfRecognisersAreTold(t *testing.T) {
	for _, tt := range faults {
		t.Run(tt.name, func(t *testing.T) {
			p := startPeer(t, after(offering("en"), tt.play))
			w := hasty()
			if tt.want != speech.ErrSilent {
				w = patience()
			}
			heard, err := listen(t.Context(), newRecogniser(Config{Address: p.addr}, w), speech.Ask{Lang: "en"}, noise(6000))
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) || !strings.Contains(err.Error(), p.addr) {
				t.Errorf("heard %+v, error %v", heard, err)
			}
		})
	}
}

// A server that takes no sound any more holds nobody up.
func TestServerThatDoesNotRead(t *testing.T) {
	done := make(chan struct{})
	p := startPeer(t, after(offering("en"), func(*line) { <-done }))
	defer close(done)
	f := speech.Format{Rate: 16000, Channels: 1}
	_, err := listen(t.Context(), newRecogniser(Config{Address: p.addr}, hasty()), speech.Ask{}, make([]byte, f.Bytes(speech.MaxHearing)))
	for i := 0; err == nil && i < 20; i++ { // the system's buffers may hold a hearing or two
		_, err = listen(t.Context(), newRecogniser(Config{Address: p.addr}, hasty()), speech.Ask{}, make([]byte, f.Bytes(speech.MaxHearing)))
	}
	if !errors.Is(err, speech.ErrSilent) {
		t.Errorf("got %v", err)
	}
}

func TestTheContextEndsAHearing(t *testing.T) {
	p := startPeer(t, after(offering("en"), func(l *line) { l.hang() }))
	ctx, cancel := context.WithCancel(t.Context())
	h, err := NewRecogniser(Config{Address: p.addr}).Listen(ctx, speech.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	h.Write(noise(5000))
	cancel()
	if _, err := h.Finish(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := NewRecogniser(Config{Address: p.addr}).Listen(ctx, speech.Ask{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a new one: %v", err)
	}
}

func TestCloseEndsAHearing(t *testing.T) {
	p := startPeer(t, after(offering("en"), func(l *line) { l.hang() }))
	h, err := NewRecogniser(Config{Address: p.addr}).Listen(t.Context(), speech.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	h.Write(noise(100))
	h.Close()
	h.Close()
	if _, err := h.Write(noise(5000)); err == nil {
		t.Error("a hearing that was given up takes sound")
	}
}

func TestWhatAServerOffersIsChecked(t *testing.T) {
	for _, tt := range []struct {
		name string
		play func(l *line)
		want error
		text string
	}{
		{"other languages", func(l *line) { l.hear(Describe); l.say(Info, offering("fr"), nil) }, speech.ErrUnavailable, "nothing installed for zh-CN"},
		{"nothing", func(l *line) { l.hear(Describe); l.say(Info, fields{"tts": []fields{}}, nil) }, speech.ErrUnavailable, "nothing installed"},
		{"no list", func(l *line) { l.hear(Describe); l.say(Info, fields{"asr": 7}, nil) }, speech.ErrGarbled, "no list"},
		{"silence", func(l *line) { l.hang() }, speech.ErrSilent, ""},
		{"an end", func(l *line) {}, speech.ErrFailed, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startPeer(t, func(_ int, l *line) { tt.play(l) })
			w := patience()
			if tt.want == speech.ErrSilent {
				w = hasty()
			}
			_, err := newRecogniser(Config{Address: p.addr}, w).Listen(t.Context(), speech.Ask{Lang: speech.Chinese})
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v", err)
			}
			if tt.want == speech.ErrSilent && p.connections() != infoTries {
				t.Errorf("asked %d times, want %d", p.connections(), infoTries)
			}
		})
	}
	if _, err := NewRecogniser(Config{Address: "127.0.0.1:1"}).Listen(t.Context(), speech.Ask{}); !errors.Is(err, speech.ErrUnavailable) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestLanguagesAreMatched(t *testing.T) {
	for _, tt := range []struct {
		have, want string
		match      bool
	}{
		{"zh", "zh-CN", true},
		{"zh-CN", "zh-CN", true},
		{"zh_TW", "zh-CN", true},
		{"cmn", "zh-CN", true},
		{"yue", "zh-CN", false},
		{"en-US", "en", true},
		{"EN_gb", "en", true},
		{"de", "en", false},
		{"", "en", false},
	} {
		if speaks([]string{tt.have}, tt.want) != tt.match {
			t.Errorf("%q for %q is not %v", tt.have, tt.want, tt.match)
		}
	}
}

// Who a server is, is asked once a minute and not at each sentence.
func TestTheOfferIsRemembered(t *testing.T) {
	p := startPeer(t, after(offering("en"), func(l *line) {
		if l.hear(AudioStop) != nil {
			l.say(Transcript, fields{"text": "x"}, nil)
		}
	}))
	r := NewRecogniser(Config{Address: p.addr})
	for range 3 {
		if _, err := listen(t.Context(), r, speech.Ask{Lang: "en"}, noise(100)); err != nil {
			t.Fatal(err)
		}
	}
	if n := p.connections(); n != 4 {
		t.Errorf("%d connections, want one to ask and three to listen", n)
	}
}
