package speech

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script writes a program that stands in for eSpeak NG.
func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "espeak-ng")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestESpeakSpeaks(t *testing.T) {
	if _, err := exec.LookPath("espeak-ng"); err != nil {
		t.Skip("espeak-ng is not installed: install the package espeak-ng to run this test")
	}
	e := NewESpeak(ESpeakConfig{})
	for _, tt := range []struct {
		text, lang string
		least      time.Duration
	}{
		{"好的，客厅的灯已调到百分之五十。", Chinese, time.Second},
		{"请检查Wi-Fi", Chinese, 500 * time.Millisecond},
		{"Done.", English, 100 * time.Millisecond},
		{"客厅的灯 is at 50 %.", English, time.Second},
	} {
		wav, err := e.Speak(t.Context(), tt.text, tt.lang)
		if err != nil {
			t.Errorf("Speak(%s): %v", tt.text, err)
			continue
		}
		if got := int(binary.LittleEndian.Uint32(wav[4:])) + 8; got != len(wav) {
			t.Errorf("%s: the header says %d bytes of %d", tt.text, got, len(wav))
		}
		p, err := parseWAV(wav)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if got := time.Duration(len(p.data)/2) * time.Second / time.Duration(p.rate); got < tt.least || got > 10*time.Second {
			t.Errorf("%s lasts %v, want at least %v", tt.text, got, tt.least)
		}
	}
}

func TestWithoutESpeak(t *testing.T) {
	e := NewESpeak(ESpeakConfig{Path: filepath.Join(t.TempDir(), "espeak-ng")})
	_, err := e.Speak(t.Context(), "好的", Chinese)
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "apt-get install espeak-ng") {
		t.Errorf("got %v, want ErrUnavailable that names the package", err)
	}
}

func TestHangingESpeakIsStopped(t *testing.T) {
	e := NewESpeak(ESpeakConfig{Path: script(t, "exec sleep 60"), Deadline: 200 * time.Millisecond})
	start := time.Now()
	_, err := e.Speak(t.Context(), "好的", Chinese)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

// A child of the child that keeps the pipe open must not keep the caller.
func TestHangingGrandchild(t *testing.T) {
	e := NewESpeak(ESpeakConfig{Path: script(t, "sleep 2"), Deadline: 100 * time.Millisecond})
	start := time.Now()
	if _, err := e.Speak(t.Context(), "好的", Chinese); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	if took := time.Since(start); took > 1500*time.Millisecond {
		t.Errorf("took %v", took)
	}
}

func TestCancelledWhileWaiting(t *testing.T) {
	e := NewESpeak(ESpeakConfig{Path: script(t, "exec sleep 60"), Parallel: 1, Deadline: time.Minute})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	for range 2 { // one runs, one waits for it
		go func() {
			_, err := e.Speak(ctx, "好的", Chinese)
			done <- err
		}()
	}
	cancel()
	for range 2 {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want cancelled", err)
		}
	}
}

func TestBadESpeak(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		{"echo 'voice not found' >&2; exit 1", "running eSpeak NG: exit status 1: voice not found"},
		{"echo hello", "reading what eSpeak NG wrote (6 bytes): not a WAV file of 16 bit PCM"},
		{"exit 0", "reading what eSpeak NG wrote (0 bytes): not a WAV file of 16 bit PCM"},
		{"exec cat /dev/zero", "running eSpeak NG: more than 16777216 bytes of sound"},
	} {
		_, err := NewESpeak(ESpeakConfig{Path: script(t, tt.body)}).Speak(t.Context(), "好的", Chinese)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s\n got %v\nwant %s", tt.body, err, tt.want)
		}
	}
}

func TestChildKnowsLittle(t *testing.T) {
	t.Setenv("LAMPWORKS_TOKEN", "lw_secret")
	_, err := NewESpeak(ESpeakConfig{Path: script(t, `echo "$* token=$LAMPWORKS_TOKEN" >&2; exit 1`)}).Speak(t.Context(), "-f/etc/passwd 好的", Chinese)
	const want = "running eSpeak NG: exit status 1: -v en -b 1 --stdin --stdout -z token="
	if err == nil || err.Error() != want {
		t.Errorf("\n got %v\nwant %s", err, want)
	}
}

func TestLimits(t *testing.T) {
	e := NewESpeak(ESpeakConfig{Path: "/nonexistent"})
	for _, tt := range []struct{ text, lang, want string }{
		{strings.Repeat("灯", 501), Chinese, "text is 501 characters long, want at most 500: send it in parts"},
		{"", Chinese, "text is empty, want something that can be said: send words or numbers"},
		{" \n", Chinese, "text is empty, want something that can be said: send words or numbers"},
		{"。。。", Chinese, "text is empty, want something that can be said: send words or numbers"},
		{"\xff", Chinese, "text is not UTF-8, want UTF-8: encode it as UTF-8"},
		{"hallo", "de", `lang is "de", want "zh-CN" or "en": choose one of the two`},
	} {
		_, err := e.Speak(t.Context(), tt.text, tt.lang)
		if bad, ok := errors.AsType[*TextError](err); !ok || bad.Error() != tt.want {
			t.Errorf("Speak(%.20q, %s)\n got %v\nwant %s", tt.text, tt.lang, err, tt.want)
		}
	}
	if _, err := e.Speak(t.Context(), strings.Repeat("灯", 500), Chinese); !errors.Is(err, ErrUnavailable) {
		t.Errorf("500 characters: got %v, want ErrUnavailable only", err)
	}
}

func TestParseWAV(t *testing.T) {
	good := pcm{channels: 1, bits: 16, rate: 22050, data: []byte{1, 2, 3, 4}}
	b := good.wav()
	unknown := append([]byte(nil), b...)
	binary.LittleEndian.PutUint32(unknown[40:], 0x7ffff000)
	for _, tt := range []struct {
		name string
		in   []byte
		want int // bytes of sound, -1 refused
	}{
		{"whole", b, 4},
		{"length unknown", unknown, 4},
		{"half a sample", b[:len(b)-1], 2},
		{"no sound", b[:44], 0},
		{"header cut", b[:40], -1},
		{"empty", nil, -1},
		{"text", []byte("RIFF....WAVEhello world"), -1},
		{"huge chunk", append(append([]byte(nil), b[:12]...), "LIST\xff\xff\xff\xff...."...), -1},
	} {
		got := -1
		if p, err := parseWAV(tt.in); err == nil {
			got = len(p.data)
		}
		if got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

// counter says a text as its own bytes, and counts.
type counter struct{ calls atomic.Int64 }

func (c *counter) Speak(_ context.Context, text, _ string) ([]byte, error) {
	c.calls.Add(1)
	if text == "bad" {
		return nil, ErrUnavailable
	}
	return []byte(text), nil
}

func TestCache(t *testing.T) {
	var under counter
	c := NewCache(&under, 16)
	say := func(text, lang string) {
		t.Helper()
		if wav, err := c.Speak(t.Context(), text, lang); err != nil || string(wav) != text {
			t.Fatalf("Speak(%s) = %q, %v", text, wav, err)
		}
	}
	for _, tt := range []struct {
		text, lang string
		calls      int64
		size       int
	}{
		{"aaaa", English, 1, 4},
		{"aaaa", English, 1, 4},
		{"aaaa", Chinese, 2, 8}, // another language is another sound
		{"bbbb", English, 3, 12},
		{"cccc", English, 4, 16},
		{"aaaa", English, 4, 16}, // used again: now the newest
		{"dddd", English, 5, 16}, // pushes out the Chinese aaaa
		{"aaaa", English, 5, 16},
		{"aaaa", Chinese, 6, 16},
		{"long one", English, 7, 16}, // more than a quarter: not kept
		{"long one", English, 8, 16},
	} {
		say(tt.text, tt.lang)
		if got := under.calls.Load(); got != tt.calls || c.Size() != tt.size {
			t.Errorf("after %s/%s: %d calls, %d bytes, want %d, %d", tt.text, tt.lang, got, c.Size(), tt.calls, tt.size)
		}
	}
	for range 2 { // errors are not kept
		if _, err := c.Speak(t.Context(), "bad", English); !errors.Is(err, ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	}
	if got := under.calls.Load(); got != 10 {
		t.Errorf("%d calls, want 10", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Speak(ctx, "aaaa", Chinese); err != nil {
		t.Errorf("a kept sound needs no engine: %v", err)
	}
}

func BenchmarkESpeak(b *testing.B) {
	e := NewESpeak(ESpeakConfig{})
	if err := e.Available(); err != nil {
		b.Skip(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Speak(b.Context(), "好的，客厅的灯已调到百分之五十。", Chinese); err != nil {
			b.Fatal(err)
		}
	}
}
