package virtual

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"strconv"
)

// A Line is how a device reaches a gateway: TCP, TLS, WebSocket or secure WebSocket.
type Line struct {
	host, path  string
	secure, web bool
	config      tls.Config
}

// ParseLine reads mqtt://, mqtts://, ws:// or wss://HOST:PORT; without a scheme it is mqtt://. A WebSocket may name a path, which
// is /mqtt otherwise. Over TLS the certificate is held against roots, nil being those of the system.
func ParseLine(server string, roots *x509.CertPool) (*Line, error) {
	u, err := url.Parse(server)
	if _, _, plain := net.SplitHostPort(server); plain == nil {
		u, err = &url.URL{Scheme: "mqtt", Host: server}, nil
	}
	if err != nil {
		return nil, errLine
	}
	l := &Line{host: u.Host, path: u.Path, config: tls.Config{RootCAs: roots}} //nolint:gosec // the least version is Go's own: 1.2
	switch u.Scheme {
	case "mqtt":
	case "mqtts":
		l.secure = true
	case "ws":
		l.web = true
	case "wss":
		l.secure, l.web = true, true
		l.config.NextProtos = []string{"http/1.1"}
	default:
		return nil, errLine
	}
	host, port, err := net.SplitHostPort(u.Host)
	if n, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil || n == 0 || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errLine
	}
	switch {
	case l.web && (l.path == "" || l.path == "/"):
		l.path = "/mqtt"
	case !l.web && l.path != "":
		return nil, errLine
	}
	l.config.ServerName = host
	return l, nil
}

var errLine = errors.New("want HOST:PORT of the server's --mqtt, as 127.0.0.1:1883, mqtts://HOST:PORT of its --mqtts, or ws:// or wss://HOST:PORT of its --http or --https")

// Dial connects to what the line names, whatever address is given; ctx bounds that.
func (l *Line) Dial(ctx context.Context, network, _ string) (net.Conn, error) {
	var nc net.Conn
	var err error
	if l.secure {
		nc, err = (&tls.Dialer{Config: &l.config}).DialContext(ctx, network, l.host)
	} else {
		nc, err = new(net.Dialer).DialContext(ctx, network, l.host)
	}
	if err != nil || !l.web {
		return nc, err
	}
	return upgrade(ctx, nc, l.host, l.path)
}
