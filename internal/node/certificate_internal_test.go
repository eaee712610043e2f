package node

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pairs is a directory with the files that a node is given, which a test replaces.
type pairs struct {
	Config
	made int64
	said bytes.Buffer
}

func newPairs(t *testing.T) *pairs {
	dir := t.TempDir()
	p := &pairs{Config: Config{TLSCert: filepath.Join(dir, "cert.pem"), TLSKey: filepath.Join(dir, "key.pem")}}
	p.write(t, time.Hour)
	return p
}

// pem makes a certificate that is good for so long, and its key.
func (p *pairs) pem(t *testing.T, good time.Duration) (cert, key []byte) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p.made++
	c := &x509.Certificate{
		SerialNumber: big.NewInt(p.made), Subject: pkix.Name{CommonName: "lamps.example"}, DNSNames: []string{"lamps.example"},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(good), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, secret.Public(), secret)
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: hidden})
}

// write replaces both files.
func (p *pairs) write(t *testing.T, good time.Duration) {
	t.Helper()
	cert, key := p.pem(t, good)
	put(t, p.TLSCert, cert)
	put(t, p.TLSKey, key)
}

func put(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (p *pairs) open(t *testing.T) *certificates {
	t.Helper()
	s, err := openCertificates(t.Context(), &p.Config, slog.New(slog.NewTextHandler(&p.said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestReplacedCertificate replaces the files step by step, and looks which certificate is in use and what was said.
func TestReplacedCertificate(t *testing.T) {
	p := newPairs(t)
	s := p.open(t)
	for _, tt := range []struct {
		name   string
		change func()
		serial int64
		says   string // once; empty: nothing
	}{
		{"nothing", func() {}, 1, ""},
		{"another pair", func() { p.write(t, time.Hour) }, 2, `level=INFO msg="certificate in use"`},
		{"the certificate of another key", func() { cert, _ := p.pem(t, time.Hour); put(t, p.TLSCert, cert) }, 2, "private key does not match"},
		{"nothing more", func() {}, 2, ""},
		{"no certificate", func() { put(t, p.TLSCert, []byte("hello")) }, 2, "failed to find any PEM data"},
		{"no file", func() { os.Remove(p.TLSKey) }, 2, p.TLSKey + ": no such file"},
		{"no file still", func() {}, 2, ""},
		{"one that has ended", func() { p.write(t, -time.Hour) }, 2, "it ended "},
		{"a good one", func() { p.write(t, 30*24*time.Hour) }, 5, "serial=5 not_after="},
		{"one that ends soon", func() { p.write(t, 24*time.Hour) }, 6, `level=WARN msg="the certificate in use ends soon, or has ended"`},
		{"the day goes on", func() {}, 6, ""},
	} {
		p.said.Reset()
		tt.change()
		if p.made < 5 {
			s.warned = time.Now() // those before end within the hour
		}
		s.look(t.Context(), time.Now())
		if got := s.inUse.Load().leaf.SerialNumber.Int64(); got != tt.serial {
			t.Errorf("%s: certificate %d is in use, want %d", tt.name, got, tt.serial)
		}
		if said := p.said.String(); strings.Count(said, tt.says) != 1 && tt.says != "" || tt.says == "" && said != "" {
			t.Errorf("%s: it said\n%s\nwant once %q", tt.name, said, tt.says)
		}
	}
}

func TestBadCertificateAtStart(t *testing.T) {
	p := newPairs(t)
	_, key := p.pem(t, time.Hour)
	put(t, p.TLSKey, key)
	if _, err := openCertificates(t.Context(), &p.Config, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), p.TLSKey) {
		t.Errorf("a pair that does not fit: %v, want it to be named", err)
	}
	p.write(t, time.Hour)
	p.TLSClientCA = p.TLSKey
	if _, err := openCertificates(t.Context(), &p.Config, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "holds no certificate") {
		t.Errorf("an authority without a certificate: %v", err)
	}
}

// TestCertificateTimer: without being asked the files are looked at twice a minute.
func TestCertificateTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPairs(t)
		s := p.open(t)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx, nil) }()
		p.write(t, time.Hour)
		time.Sleep(certificateEvery + time.Second)
		if got := s.inUse.Load().leaf.SerialNumber.Int64(); got != 2 {
			t.Errorf("after %s certificate %d is in use", certificateEvery, got)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestSessionsOutliveTheirCertificate replaces the certificate under a connection: it goes on, the next one is shown the
// new one, and a ticket of the old one still shortens the handshake.
func TestSessionsOutliveTheirCertificate(t *testing.T) {
	p := newPairs(t)
	s := p.open(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", s.forDevices())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				_, _ = io.Copy(nc, nc)
			}()
		}
	}()
	cache := tls.NewLRUClientSessionCache(1)
	dial := func(cache tls.ClientSessionCache) *tls.Conn {
		nc, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true, ServerName: "lamps.example", ClientSessionCache: cache})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { nc.Close() })
		return nc
	}
	echo := func(nc net.Conn) {
		t.Helper()
		if _, err := nc.Write([]byte("lamp")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(nc, make([]byte, 4)); err != nil {
			t.Fatal(err)
		}
	}
	old := dial(cache)
	echo(old)
	p.write(t, time.Hour)
	s.look(t.Context(), time.Now())
	echo(old)
	for _, tt := range []struct {
		cache  tls.ClientSessionCache
		resume bool
		serial int64
	}{{nil, false, 2}, {cache, true, 1}} {
		nc := dial(tt.cache)
		echo(nc)
		if st := nc.ConnectionState(); st.DidResume != tt.resume || st.PeerCertificates[0].SerialNumber.Int64() != tt.serial {
			t.Errorf("resumed %v with certificate %d, want %v with %d", st.DidResume, st.PeerCertificates[0].SerialNumber, tt.resume, tt.serial)
		}
	}
}
