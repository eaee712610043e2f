package outbound

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"lampworks/internal/infra/outbox"
)

const dialWithin = 10 * time.Second

// SMS is how a provider of text messages is called. {phone} and {text} are put into URL and body, escaped as their place
// needs it.
type SMS struct {
	URL     string   // https://sms.example/send?to={phone}
	Method  string   // POST if empty
	Headers []string // "Authorization: Bearer …"
	Body    string   // JSON: {"to":"{phone}","content":"{text}"}; empty for none
}

type texter struct {
	c      SMS
	host   string
	header http.Header
	client *http.Client
}

// newSMS checks the settings. Its errors do not repeat URL, headers or body: they may hold keys.
func newSMS(c SMS, allowLoopback bool) (*texter, error) {
	u, err := url.Parse(fill(c.URL, "0", "x", url.QueryEscape))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("--sms-url: want https://host/path, with {phone} and {text} where they belong")
	}
	if u.Scheme == "http" && !(allowLoopback && local(u.Hostname())) {
		return nil, errors.New("--sms-url: want https; plain http is for a server on this machine, with --allow-loopback-targets")
	}
	if c.Body != "" && !json.Valid([]byte(fill(c.Body, "0", "x", jsonEscape))) {
		return nil, errors.New(`--sms-body: want JSON such as {"to":"{phone}","content":"{text}"}`)
	}
	if !strings.Contains(c.URL+c.Body, "{phone}") || !strings.Contains(c.URL+c.Body, "{text}") {
		return nil, errors.New("--sms-url and --sms-body: {phone} and {text} must stand in one of them")
	}
	if c.Method == "" {
		c.Method = http.MethodPost
	}
	s := &texter{c: c, host: u.Hostname(), header: http.Header{"Content-Type": {"application/json"}}}
	for _, h := range c.Headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return nil, errors.New(`--sms-header: want "Name: value"`)
		}
		s.header.Set(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	dialer := &net.Dialer{Timeout: dialWithin, Control: control(allowLoopback)}
	s.client = &http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: dialWithin},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s, nil
}

// control refuses loopback addresses, whatever name led to them.
func control(allowLoopback bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return err
		}
		if ip := net.ParseIP(host); !allowLoopback && (ip == nil || ip.IsLoopback() || ip.IsUnspecified()) {
			return errors.New("it is an address of this machine; --allow-loopback-targets lets it pass, for development")
		}
		return nil
	}
}

// Send implements outbox.Sender.
func (s *texter) Send(ctx context.Context, m outbox.Message) error {
	var body io.Reader
	if s.c.Body != "" {
		body = strings.NewReader(fill(s.c.Body, m.To, m.Body, jsonEscape))
	}
	req, err := http.NewRequestWithContext(ctx, s.c.Method, fill(s.c.URL, m.To, m.Body, url.QueryEscape), body)
	if err != nil {
		return errors.New("the settings of the text message provider make no request")
	}
	req.Header = s.header.Clone()
	res, err := s.client.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok { // its text has the whole URL
			err = u.Err
		}
		return fmt.Errorf("asking the text message provider %s: %w", s.host, err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	switch {
	case res.StatusCode < 300:
		return nil
	case res.StatusCode == http.StatusBadRequest || res.StatusCode == http.StatusUnprocessableEntity:
		return fmt.Errorf("%w: the text message provider %s answers %d", outbox.ErrRefused, s.host, res.StatusCode)
	}
	return fmt.Errorf("the text message provider %s answers %d", s.host, res.StatusCode)
}

// fill puts number and text into a template, escaped.
func fill(template, phone, text string, escape func(string) string) string {
	return strings.NewReplacer("{phone}", escape(phone), "{text}", escape(text)).Replace(template)
}

// jsonEscape is a text as it stands between the quotes of a JSON string.
func jsonEscape(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return "" // not reached: every string encodes
	}
	return string(b[1 : len(b)-1])
}
