package bench

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lampworks/internal/fleet/virtual"
)

// The transports of devices.
const (
	TCP = "tcp"
	TLS = "tls"
	WS  = "ws"
	WSS = "wss"
)

// secure makes a certificate for a server in its directory, and returns the flags with which it serves over TLS.
func (s *server) secure() ([]string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	is := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "lampworks bench"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, is, is, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding the key: %w", err)
	}
	if s.leaf, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}
	flags := []string{"--mqtts", "127.0.0.1:0", "--https", "127.0.0.1:0"}
	for _, f := range []struct {
		flag, kind string
		der        []byte
	}{{"--tls-cert", "CERTIFICATE", der}, {"--tls-key", "PRIVATE KEY", secret}} {
		path := filepath.Join(s.dir, f.flag[2:]+".pem")
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.der}), 0o600); err != nil {
			return nil, fmt.Errorf("writing a certificate: %w", err)
		}
		flags = append(flags, f.flag, path)
	}
	return flags, nil
}

// dial connects as the transport wants it. Over TLS with a whole handshake each time: a device whose power was cut has no
// ticket.
func (s *server) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	at := s.mqtt
	switch s.transport {
	case TLS:
		at = "mqtts://" + s.mqtts
	case WS:
		at = "ws" + strings.TrimPrefix(s.http, "http")
	case WSS:
		at = "wss" + strings.TrimPrefix(s.https, "https")
	}
	var roots *x509.CertPool
	if s.leaf != nil {
		roots = x509.NewCertPool()
		roots.AddCert(s.leaf)
	}
	line, err := virtual.ParseLine(at, roots)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", at, err)
	}
	return line.Dial(ctx, network, addr)
}
