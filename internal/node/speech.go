package node

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strings"

	"lampworks/speech"
	"lampworks/speech/openai"
	"lampworks/speech/wyoming"
)

// engine is a server for speech, as a flag names it: wyoming://host:port?model=NAME, or
// openai+https://host/v1?model=NAME&voice=NAME.
type engine struct {
	openai bool
	at     string // host:port, or the URL of the interface
	model  string
	voice  string
}

// readEngine reads the value of a flag. It is not repeated in errors: somebody may have put a key into it.
func readEngine(flag, text string) (engine, error) {
	wrong := fmt.Errorf("--%s: want wyoming://HOST:PORT, or openai+https://HOST/v1?model=NAME, where model and voice may be named behind ?", flag)
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Fragment != "" || u.User != nil {
		return engine{}, wrong
	}
	asked, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return engine{}, wrong
	}
	for name, values := range asked {
		if name != "model" && name != "voice" || len(values) != 1 {
			return engine{}, wrong
		}
	}
	e := engine{model: asked.Get("model"), voice: asked.Get("voice")}
	kind, scheme, found := strings.Cut(u.Scheme, "+")
	switch {
	case kind == "wyoming" && !found && strings.Trim(u.Path, "/") == "":
		if _, port, err := net.SplitHostPort(u.Host); err != nil || port == "" {
			return engine{}, wrong
		}
		e.at = u.Host
		if e.voice != "" { // what the protocol calls a voice is the model of one
			e.model = e.voice
		}
	case kind == "openai" && found && (scheme == "http" || scheme == "https"):
		e.openai, e.at = true, scheme+"://"+u.Host+u.Path
	default:
		return engine{}, wrong
	}
	return e, nil
}

// openVoice builds what speaks: eSpeak NG, unless a server was named.
func (c *Config) openVoice() (speech.Synthesizer, error) {
	if c.TTS == "" {
		if c.TTSKey != "" {
			return nil, errors.New("--tts-key needs --tts")
		}
		return speech.NewESpeak(speech.ESpeakConfig{}), nil
	}
	e, key, err := openEngine("tts", c.TTS, c.TTSKey)
	switch {
	case err != nil:
		return nil, err
	case !e.openai:
		return wyoming.NewVoice(wyoming.Config{Address: e.at, Model: e.model}), nil
	}
	v, err := openai.NewVoice(openai.Config{URL: e.at, Key: key, Model: e.model, Voice: e.voice})
	if err != nil {
		return nil, fmt.Errorf("--tts: %w", err)
	}
	return v, nil
}

// openRecogniser builds what hears; nil if no server was named.
func (c *Config) openRecogniser() (speech.Recognizer, error) {
	if c.ASR == "" {
		if c.ASRKey != "" {
			return nil, errors.New("--asr-key needs --asr")
		}
		return nil, nil //nolint:nilnil // there is none, and that is no error
	}
	e, key, err := openEngine("asr", c.ASR, c.ASRKey)
	switch {
	case err != nil:
		return nil, err
	case !e.openai:
		return wyoming.NewRecogniser(wyoming.Config{Address: e.at, Model: e.model}), nil
	}
	r, err := openai.NewRecogniser(openai.Config{URL: e.at, Key: key, Model: e.model})
	if err != nil {
		return nil, fmt.Errorf("--asr: %w", err)
	}
	return r, nil
}

// openEngine reads a flag, and the key that belongs to it.
func openEngine(flag, text, keyFile string) (e engine, key openai.Key, err error) {
	if e, err = readEngine(flag, text); err != nil || keyFile == "" {
		return e, key, err
	}
	if !e.openai {
		return e, key, fmt.Errorf("--%s-key: servers of Wyoming take no key", flag)
	}
	secret, err := readSecret(keyFile)
	if err != nil {
		return e, key, fmt.Errorf("--%s-key: %w", flag, err)
	}
	return e, openai.NewKey(secret), nil
}

// maxSecret is far more than a token or key has, bytes.
const maxSecret = 1 << 10

// readSecret reads a token or key, one word, from a file that only its owner can read.
func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading a secret: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("reading a secret: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("reading a secret: %s is no file of its owner alone (%v), chmod 600 it: %w", path, info.Mode(), fs.ErrPermission)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("reading a secret: %w", err)
	}
	secret := strings.TrimSpace(string(b))
	if len(b) > maxSecret || secret == "" || strings.ContainsAny(secret, " \t\r\n") {
		return "", fmt.Errorf("reading a secret: %s does not hold one word, of at most %d bytes", path, maxSecret)
	}
	return secret, nil
}
