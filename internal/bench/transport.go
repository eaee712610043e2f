package bench

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
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
func (s *server) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	var secure tls.Dialer
	if s.leaf != nil {
		roots := x509.NewCertPool()
		roots.AddCert(s.leaf)
		secure.Config = &tls.Config{RootCAs: roots, NextProtos: []string{"http/1.1"}}
	}
	switch s.transport {
	case TLS:
		return secure.DialContext(ctx, network, s.mqtts)
	case WS, WSS:
		addr, dial := strings.TrimPrefix(s.http, "http://"), new(net.Dialer).DialContext
		if s.transport == WSS {
			addr, dial = strings.TrimPrefix(s.https, "https://"), secure.DialContext
		}
		nc, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return upgrade(ctx, nc)
	}
	return new(net.Dialer).DialContext(ctx, network, s.mqtt)
}

// socket is a WebSocket connection as a device has it: a frame a write.
type socket struct {
	net.Conn
	r    *bufio.Reader
	left int // bytes of the frame that is read
}

// upgrade opens the WebSocket; ctx bounds it.
func upgrade(ctx context.Context, nc net.Conn) (net.Conn, error) {
	stop := context.AfterFunc(ctx, func() { _ = nc.Close() })
	defer stop()
	_, err := io.WriteString(nc, "GET /mqtt HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n")
	s := &socket{Conn: nc, r: bufio.NewReaderSize(nc, 512)}
	if err == nil {
		var res *http.Response
		if res, err = http.ReadResponse(s.r, nil); err == nil && res.StatusCode != http.StatusSwitchingProtocols {
			err = errors.New(res.Status)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening a WebSocket: %w", err), nc.Close())
	}
	return s, nil
}

// Write implements io.Writer. The mask is zero: the server takes it off as any other.
func (s *socket) Write(b []byte) (int, error) {
	out := []byte{0x82, 0x80 | byte(len(b))}
	if len(b) > 125 {
		out = binary.BigEndian.AppendUint16([]byte{0x82, 0xfe}, uint16(len(b))) // a client's buffer is 64 kB at most here
	}
	if _, err := s.Conn.Write(append(append(out, 0, 0, 0, 0), b...)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Read implements io.Reader.
func (s *socket) Read(b []byte) (int, error) {
	for s.left == 0 {
		var head [4]byte
		if _, err := io.ReadFull(s.r, head[:2]); err != nil {
			return 0, err
		}
		if s.left = int(head[1]); s.left == 126 {
			if _, err := io.ReadFull(s.r, head[2:]); err != nil {
				return 0, err
			}
			s.left = int(binary.BigEndian.Uint16(head[2:]))
		}
		if head[0] != 0x82 {
			return 0, io.EOF // the server closes; nothing else comes unasked
		}
	}
	n, err := s.r.Read(b[:min(len(b), s.left)])
	s.left -= n
	return n, err
}
