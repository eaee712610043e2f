package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

const (
	certificateEvery = 30 * time.Second    // how often the files are looked at, besides at SIGHUP
	certificateSoon  = 14 * 24 * time.Hour // from so long before its end a certificate is warned of, once a day
)

// certificates are what the TLS listeners show, and whose clients' they take. They are read again when their files change:
// connections that are there stay, new ones get the new. What cannot be used changes nothing.
type certificates struct {
	cert, key, clientCA string // PEM files; clientCA may be empty
	log                 *slog.Logger
	inUse               atomic.Pointer[inUse]

	seen   []byte    // digest of the files that were looked at last, or why they could not be; of Run's goroutine
	warned time.Time // of the end of what is in use
}

type inUse struct {
	leaf            *x509.Certificate
	devices, people *tls.Config
}

// openCertificates reads the files for the first time: then what cannot be used is an error.
func openCertificates(ctx context.Context, c *Config, log *slog.Logger) (*certificates, error) {
	s := &certificates{cert: c.TLSCert, key: c.TLSKey, clientCA: c.TLSClientCA, log: log}
	files, digest, err := s.read()
	if err != nil {
		return nil, fmt.Errorf("--tls-cert %s, --tls-key %s: reading the certificate: %w", c.TLSCert, c.TLSKey, err)
	}
	s.seen = digest
	next, err := s.make(files)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert %s, --tls-key %s: reading the certificate: %w", c.TLSCert, c.TLSKey, err)
	}
	s.take(ctx, next)
	return s, nil
}

// pems are the contents of the files.
type pems struct{ cert, key, clientCA []byte }

func (s *certificates) read() (p pems, digest []byte, err error) {
	sum := sha256.New()
	for _, f := range []struct {
		path string
		to   *[]byte
	}{{s.cert, &p.cert}, {s.key, &p.key}, {s.clientCA, &p.clientCA}} {
		if f.path == "" {
			continue
		}
		if *f.to, err = os.ReadFile(f.path); err != nil {
			return p, []byte(err.Error()), err
		}
		fmt.Fprintf(sum, "%d\n", len(*f.to))
		sum.Write(*f.to)
	}
	return p, sum.Sum(nil), nil
}

// make makes what listeners work with of the files' contents.
func (s *certificates) make(p pems) (*inUse, error) {
	pair, err := tls.X509KeyPair(p.cert, p.key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", s.cert, s.key, err)
	}
	base := tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	next := &inUse{leaf: pair.Leaf, devices: base.Clone(), people: base.Clone()}
	next.people.NextProtos = []string{"http/1.1"}
	if s.clientCA == "" {
		return next, nil
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(p.clientCA) {
		return nil, fmt.Errorf("%s: holds no certificate in PEM", s.clientCA)
	}
	next.devices.ClientCAs, next.devices.ClientAuth = roots, tls.VerifyClientCertIfGiven
	return next, nil
}

// take puts next in force and says what is served until when.
func (s *certificates) take(ctx context.Context, next *inUse) {
	s.inUse.Store(next)
	s.warned = time.Time{}
	s.log.LogAttrs(ctx, slog.LevelInfo, "certificate in use", s.attrs(next.leaf)...)
}

func (s *certificates) attrs(leaf *x509.Certificate) []slog.Attr {
	return []slog.Attr{
		slog.String("file", s.cert), slog.String("subject", leaf.Subject.String()), slog.Any("names", names(leaf)),
		slog.String("serial", leaf.SerialNumber.Text(16)), slog.Time("not_after", leaf.NotAfter),
	}
}

func names(leaf *x509.Certificate) []string {
	all := append([]string(nil), leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		all = append(all, ip.String())
	}
	return all
}

// forDevices and forPeople follow what is in use. Session tickets outlive a change of it.
func (s *certificates) forDevices() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return s.inUse.Load().devices, nil }}
}

func (s *certificates) forPeople() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return s.inUse.Load().people, nil }}
}

// Run looks at the files on a timer and when asked to, until ctx ends.
func (s *certificates) Run(ctx context.Context, asked <-chan os.Signal) error {
	t := time.NewTicker(certificateEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-asked:
			s.seen = nil // so that the outcome is told again
		case <-t.C:
		}
		s.look(ctx, time.Now())
	}
}

// look takes the files if they changed and can be used.
func (s *certificates) look(ctx context.Context, now time.Time) {
	files, digest, err := s.read()
	if changed := !bytes.Equal(digest, s.seen); changed {
		s.seen = digest
		var next *inUse
		if err == nil {
			next, err = s.make(files)
		}
		if err == nil {
			err = inTime(next.leaf, s.inUse.Load().leaf, now)
		}
		if err != nil {
			s.log.LogAttrs(ctx, slog.LevelError, "the new certificate cannot be used, the one before stays", append(s.attrs(s.inUse.Load().leaf), slog.Any("error", err))...)
		} else {
			s.take(ctx, next)
		}
	}
	if leaf := s.inUse.Load().leaf; leaf.NotAfter.Sub(now) < certificateSoon && now.Sub(s.warned) >= 24*time.Hour {
		s.warned = now
		s.log.LogAttrs(ctx, slog.LevelWarn, "the certificate in use ends soon, or has ended", s.attrs(leaf)...)
	}
}

// inTime refuses a certificate that is not in its time, while the one before it is.
func inTime(next, before *x509.Certificate, now time.Time) error {
	good := func(c *x509.Certificate) bool { return !now.Before(c.NotBefore) && !now.After(c.NotAfter) }
	if good(next) || !good(before) {
		return nil
	}
	if now.After(next.NotAfter) {
		return errors.New("it ended " + next.NotAfter.UTC().Format(time.RFC3339))
	}
	return errors.New("it begins " + next.NotBefore.UTC().Format(time.RFC3339))
}
