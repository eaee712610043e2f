// Package openai hears and speaks through servers with OpenAI's interface for audio: /audio/transcriptions and
// /audio/speech, which many local servers have, too.
//
// It owns nothing, and promises:
//   - the key is sent to the server that was named, and is in nothing that can be printed, not even in what the server says of it;
//   - no redirection is followed: neither key nor sound goes anywhere else;
//   - an answer is read up to a limit, and waited for up to a deadline;
//   - neither sound nor words are in an error.
package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"lampworks/speech"
)

// Limits and deadlines.
const (
	MaxText  = 64 << 10 // bytes of an answer with a text, or of an error
	MaxSound = 16 << 20 // bytes of an answer with sound

	connectWithin = 2 * time.Second
	shakeWithin   = 5 * time.Second
	textWithin    = 10 * time.Second // from the end of the sound to the text
	spokenWithin  = 15 * time.Second // from the text to the end of its sound
)

// A Key opens the server's door. Whatever prints it prints no key.
type Key struct{ reveal func() string } // a function has no text, however deep a printer looks

// NewKey keeps a key. The empty one is no key.
func NewKey(text string) Key {
	if text == "" {
		return Key{}
	}
	return Key{func() string { return text }}
}

// String implements fmt.Stringer.
func (k Key) String() string {
	if k.reveal == nil {
		return "(no key)"
	}
	return "(key)"
}

// MarshalText implements encoding.TextMarshaler.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

func (k Key) text() string {
	if k.reveal == nil {
		return ""
	}
	return k.reveal()
}

// Config says which server is asked, and for what.
type Config struct {
	URL   string // the part before /audio/…: "https://api.openai.com/v1"
	Key   Key
	Model string // "whisper-1", "tts-1" or what the server has
	Voice string // of a voice; default "alloy"
}

// A server is one that is asked.
type server struct {
	Config
	at     string // host, for errors
	what   string // "the recogniser" or "the voice"
	client *http.Client
	waits  waits
}

type waits struct{ text, spoken time.Duration }

func patience() waits { return waits{textWithin, spokenWithin} }

// newServer checks the configuration. Nothing is connected to.
func newServer(c Config, what string, w waits) (*server, error) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, fmt.Errorf("the address of %s is no http:// or https:// URL", what)
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, fmt.Errorf("the address of %s has more than host and path; a key is given by itself", what)
	case c.Key.text() != "" && u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("%s at %s would be sent its key unencrypted; use https://", what, u.Host)
	case strings.ContainsAny(c.Key.text(), " \t\r\n"):
		return nil, fmt.Errorf("the key of %s has spaces or lines in it", what)
	case c.Model == "":
		return nil, fmt.Errorf("%s needs the name of a model, such as whisper-1 or tts-1", what)
	}
	c.URL = strings.TrimSuffix(c.URL, "/")
	dialer := &net.Dialer{Timeout: connectWithin}
	return &server{Config: c, at: u.Host, what: what, waits: w, client: &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: shakeWithin, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Close ends the connections that wait for the next request.
func (s *server) Close() { s.client.CloseIdleConnections() }

// ask posts a body and reads the answer, at most that many bytes. ctx bounds all of it.
func (s *server) ask(ctx context.Context, path, kind string, body io.Reader, most int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+path, body)
	if err != nil {
		return nil, fmt.Errorf("asking %s at %s: %w", s.what, s.at, err)
	}
	r.Header.Set("Content-Type", kind)
	if key := s.Key.text(); key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, s.why(ctx, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, s.refused(answer)
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	switch {
	case err != nil:
		return nil, s.why(ctx, err)
	case int64(len(b)) > most:
		return nil, s.garbled(fmt.Sprintf("more than %d bytes", most))
	}
	return b, nil
}

// why says what an error of the connection means. The text of net/http has the URL, which is of no use here.
func (s *server) why(ctx context.Context, err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	var dial *net.OpError
	var late net.Error
	switch {
	case errors.Is(context.Cause(ctx), errLate):
		return fmt.Errorf("%s at %s: %w", s.what, s.at, speech.ErrSilent)
	case ctx.Err() != nil:
		return fmt.Errorf("waiting for %s at %s: %w", s.what, s.at, ctx.Err())
	case errors.As(err, &dial) && dial.Op == "dial":
		return fmt.Errorf("%w: connecting to %s at %s: %w; start it, or correct its address", speech.ErrUnavailable, s.what, s.at, err)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &late) && late.Timeout():
		return fmt.Errorf("%s at %s: %w", s.what, s.at, speech.ErrSilent)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s at %s: %w: it broke off within its answer", s.what, s.at, speech.ErrFailed)
	}
	return fmt.Errorf("%s at %s: %w: %s", s.what, s.at, speech.ErrFailed, s.brief(err.Error()))
}

// errLate is why a request of ours is ended by ourselves.
var errLate = errors.New("too late")

// within bounds a request by a deadline that can be told from the caller's.
func within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, errLate)
}

// refused says what a status other than 200 means, with the server's own words where it has some.
func (s *server) refused(answer *http.Response) error {
	var said struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	b, _ := io.ReadAll(io.LimitReader(answer.Body, MaxText))
	text := ""
	if json.Unmarshal(b, &said) == nil && said.Error.Message != "" {
		text = fmt.Sprintf(": it says %q", s.brief(said.Error.Message))
	}
	switch code := answer.StatusCode; code {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%s at %s: %w: it does not take the key (%d)%s", s.what, s.at, speech.ErrFailed, code, text)
	case http.StatusNotFound:
		return fmt.Errorf("%s at %s: %w: it knows no such path or model (%d)%s", s.what, s.at, speech.ErrFailed, code, text)
	default:
		return fmt.Errorf("%s at %s: %w with status %d%s", s.what, s.at, speech.ErrFailed, code, text)
	}
}

func (s *server) garbled(what string) error {
	return fmt.Errorf("%s at %s: %w: %s", s.what, s.at, speech.ErrGarbled, what)
}

// brief is a text of the server, without the key that it may have repeated.
func (s *server) brief(text string) string {
	if key := s.Key.text(); key != "" {
		text = strings.ReplaceAll(text, key, s.Key.String())
	}
	const most = 200
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return strings.ToValidUTF8(text, "?")
}
