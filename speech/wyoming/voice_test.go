package wyoming

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"lampworks/speech"
)

var mono22 = fields{"rate": 22050, "width": 2, "channels": 1}

func TestVoiceSpeaks(t *testing.T) {
	i := slices.IndexFunc(known(t).Sessions, func(s session) bool { return s.Role == "tts client" })
	want := known(t).Sessions[i].Sends
	got := make(chan []Event, 1)
	p := startPeer(t, after(offering("zh-CN"), func(l *line) {
		got <- l.hear(Synthesize)
		l.say(AudioStart, mono22, nil)
		l.say("x-unknown", nil, nil)
		l.say(AudioChunk, mono22, []byte{1, 2, 3, 4})
		l.say(AudioChunk, mono22, []byte{5, 6})
		l.say(AudioStop, nil, nil)
	}))
	wav, err := NewVoice(Config{Address: p.addr}).Speak(t.Context(), "好的，26℃。", speech.Chinese)
	if err != nil {
		t.Fatal(err)
	}
	f, sound, err := speech.ReadWAV(wav)
	if err != nil || f.Rate != 22050 || f.Channels != 1 || !bytes.Equal(sound, []byte{1, 2, 3, 4, 5, 6}) {
		t.Errorf("spoke %v %v (%v)", f, sound, err)
	}
	events := <-got
	d := events[0].Data.plain(t)
	voice, _ := d["voice"].(map[string]any)
	if !slices.Equal(kinds(events), want) || d["text"] != "好的，二十六摄氏度。" || voice["name"] != "speaks" {
		t.Errorf("sent %v %v", kinds(events), d)
	}
}

func TestFaultsOfVoicesAreTold(t *testing.T) {
	begin := func(l *line) { l.hear(Synthesize); l.say(AudioStart, mono22, nil) }
	for _, tt := range []struct {
		name string
		play func(l *line)
		want error
		text string
	}{
		{"hangs", func(l *line) { l.hang() }, speech.ErrSilent, ""},
		{"hangs in the middle", func(l *line) { begin(l); l.say(AudioChunk, mono22, []byte{1, 2}); l.hang() }, speech.ErrSilent, ""},
		{"dies in the middle", func(l *line) { begin(l); l.say(AudioChunk, mono22, []byte{1, 2}) }, speech.ErrFailed, "broke off"},
		{"says why", func(l *line) { l.hear(Synthesize); l.say(Error, fields{"text": "no voice"}, nil) }, speech.ErrFailed, "no voice"},
		{"says nothing", func(l *line) { begin(l); l.say(AudioStop, nil, nil); l.hang() }, speech.ErrGarbled, "no sound"},
		{"does not begin", func(l *line) { l.hear(Synthesize); l.say(AudioChunk, mono22, []byte{1, 2}); l.hang() }, speech.ErrGarbled, "before its beginning"},
		{"begins twice", func(l *line) { begin(l); l.say(AudioStart, mono22, nil); l.hang() }, speech.ErrGarbled, "begins twice"},
		{"lies of its format", func(l *line) {
			l.hear(Synthesize)
			l.say(AudioStart, fields{"rate": 1, "width": 2, "channels": 1}, nil)
			l.hang()
		}, speech.ErrGarbled, "sound of 1 Hz"},
		{"speaks in 8 bits", func(l *line) {
			l.hear(Synthesize)
			l.say(AudioStart, fields{"rate": 16000, "width": 1, "channels": 1}, nil)
			l.hang()
		}, speech.ErrGarbled, "1 bytes a sample"},
		{"names no format", func(l *line) { l.hear(Synthesize); l.say(AudioStart, fields{"rate": "fast"}, nil); l.hang() }, speech.ErrGarbled, `"rate"`},
		{"changes its format", func(l *line) {
			begin(l)
			l.say(AudioChunk, fields{"rate": 16000, "width": 2, "channels": 1}, []byte{1, 2})
			l.hang()
		}, speech.ErrGarbled, "changes its format"},
		{"ends within a sample", func(l *line) { begin(l); l.say(AudioChunk, mono22, []byte{1}); l.say(AudioStop, nil, nil); l.hang() }, speech.ErrGarbled, "within a sample"},
		{"never stops", func(l *line) {
			begin(l)
			b, _ := Append(nil, AudioChunk, mono22, make([]byte, 1<<20))
			for {
				if _, err := l.Write(b); err != nil {
					return
				}
			}
		}, speech.ErrGarbled, "bytes of sound"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startPeer(t, after(offering("en"), tt.play))
			w := patience()
			if tt.want == speech.ErrSilent {
				w = hasty()
			}
			_, err := newVoice(Config{Address: p.addr}, w).Speak(t.Context(), "Done.", speech.English)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "Done.") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestVoiceRefusesWhatCannotBeSpoken(t *testing.T) {
	v := NewVoice(Config{Address: "127.0.0.1:1", Model: "x"})
	var bad *speech.TextError
	for _, text := range []string{"", " ", "\xff", strings.Repeat("灯", speech.MaxRunes+1)} {
		if _, err := v.Speak(t.Context(), text, speech.Chinese); !errors.As(err, &bad) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	if _, err := v.Speak(t.Context(), "灯", speech.Chinese); !errors.Is(err, speech.ErrUnavailable) {
		t.Errorf("nobody there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Speak(ctx, "灯", speech.Chinese); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A voice that always says a little more is stopped, too: all of a text has its time.
func TestVoiceThatDrips(t *testing.T) {
	p := startPeer(t, after(offering("en"), func(l *line) {
		l.hear(Synthesize)
		l.say(AudioStart, mono22, nil)
		b, _ := Append(nil, AudioChunk, mono22, []byte{0, 0})
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if _, err := l.Write(b); err != nil {
				return
			}
		}
	}))
	w := patience()
	w.spoken = 200 * time.Millisecond
	if _, err := newVoice(Config{Address: p.addr}, w).Speak(t.Context(), "Done.", speech.English); !errors.Is(err, speech.ErrSilent) {
		t.Errorf("error %v", err)
	}
}
