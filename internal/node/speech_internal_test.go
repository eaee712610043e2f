package node

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"lampworks/speech"
	"lampworks/speech/openai"
	"lampworks/speech/wyoming"
)

func secretFile(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSecretsAreReadFromFilesOfTheirOwner(t *testing.T) {
	if s, err := readSecret(secretFile(t, "lwt_hidden\n", 0o600)); s != "lwt_hidden" || err != nil {
		t.Errorf("read %q, %v", s, err)
	}
	for _, tt := range []struct{ path, want string }{
		{secretFile(t, "lwt_hidden", 0o644), "chmod 600"},
		{secretFile(t, "lwt_hidden", 0o640), "chmod 600"},
		{secretFile(t, "\n", 0o600), "one word"},
		{secretFile(t, "lwt_hidden and more", 0o600), "one word"},
		{secretFile(t, strings.Repeat("x", maxSecret+1), 0o600), "one word"},
		{t.TempDir(), "chmod 600"},
		{filepath.Join(t.TempDir(), "none"), "no such file"},
	} {
		if _, err := readSecret(tt.path); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v, want %q", tt.path, err, tt.want)
		}
	}
}

func TestEnginesAreReadFromFlags(t *testing.T) {
	for _, tt := range []struct {
		text string
		want engine
	}{
		{"wyoming://127.0.0.1:10300", engine{at: "127.0.0.1:10300"}},
		{"wyoming://asr.lan:10300/?model=small", engine{at: "asr.lan:10300", model: "small"}},
		{"wyoming://[::1]:10200?voice=amy", engine{at: "[::1]:10200", model: "amy", voice: "amy"}},
		{"openai+https://api.openai.com/v1?model=tts-1&voice=nova", engine{openai: true, at: "https://api.openai.com/v1", model: "tts-1", voice: "nova"}},
		{"openai+http://127.0.0.1:8000/v1?model=m", engine{openai: true, at: "http://127.0.0.1:8000/v1", model: "m"}},
	} {
		if got, err := readEngine("tts", tt.text); got != tt.want || err != nil {
			t.Errorf("%s: %+v, %v", tt.text, got, err)
		}
	}
	for _, text := range []string{
		"127.0.0.1:10300", "wyoming://", "wyoming://host", "wyoming://host:", "wyoming://host:1/path", "wyoming+http://host:1", "openai://host/v1", "openai+ftp://host/v1",
		"openai+https:///v1", "http://host/v1", "openai+https://u:hidden@host/v1", "openai+https://host/v1?key=hidden", "openai+https://host/v1?model=a&model=b", "openai+https://host/v1#x", "%zz", "x",
	} {
		if e, err := readEngine("tts", text); err == nil || !strings.HasPrefix(err.Error(), "--tts: want ") || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %+v, %v", text, e, err)
		}
	}
}

func TestEnginesAreChosen(t *testing.T) {
	key := secretFile(t, "sk-hidden", 0o600)
	for _, tt := range []struct {
		c    Config
		want any
		text string
	}{
		{Config{}, &speech.ESpeak{}, ""},
		{Config{TTS: "wyoming://127.0.0.1:1"}, &wyoming.Voice{}, ""},
		{Config{TTS: "openai+https://host/v1?model=m", TTSKey: key}, &openai.Voice{}, ""},
		{Config{TTS: "openai+http://127.0.0.1:1/v1?model=m", TTSKey: key}, &openai.Voice{}, ""},
		{Config{TTS: "openai+http://192.0.2.1/v1?model=m", TTSKey: key}, nil, "--tts: the voice at 192.0.2.1 would be sent its key unencrypted"},
		{Config{TTS: "openai+https://host/v1"}, nil, "--tts: the voice needs the name of a model"},
		{Config{TTS: "wyoming://127.0.0.1:1", TTSKey: key}, nil, "--tts-key: servers of Wyoming take no key"},
		{Config{TTS: "openai+https://host/v1?model=m", TTSKey: key + "x"}, nil, "--tts-key: reading a secret"},
		{Config{TTSKey: key}, nil, "--tts-key needs --tts"},
	} {
		v, err := tt.c.openVoice()
		c := Config{ASR: tt.c.TTS, ASRKey: tt.c.TTSKey}
		r, also := c.openRecogniser()
		if (err == nil) != (also == nil) {
			t.Errorf("%s: the voice says %v, the recogniser %v", tt.c.TTS, err, also)
		}
		switch {
		case tt.want == nil && (err == nil || !strings.HasPrefix(err.Error(), tt.text) || strings.Contains(fmt.Sprint(err, also), "hidden")):
			t.Errorf("%s: %v", tt.c.TTS, err)
		case tt.want != nil && (err != nil || reflect.TypeOf(v) != reflect.TypeOf(tt.want)):
			t.Errorf("%s: %T, %v", tt.c.TTS, v, err)
		}
		if (r == nil) != (tt.c.TTS == "" || also != nil) {
			t.Errorf("%s: %T hears", tt.c.TTS, r)
		}
	}
}
