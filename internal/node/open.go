package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// lockDirectory makes sure that one process at a time works on the data. The lock ends with the process, however it ends.
func lockDirectory(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of the data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("another process serves from %s; stop it, or name another --data", dir)
		}
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// listen opens every address that is configured, so that a port in use is told at start.
func (n *Node) listen(ctx context.Context) error {
	if n.c.HTTPS != "" || n.c.MQTTS != "" {
		var err error
		if n.certs, err = openCertificates(ctx, &n.c, n.log); err != nil {
			return err
		}
	}
	for _, want := range []struct{ kind, addr string }{{"http", n.c.HTTP}, {"mqtt", n.c.MQTT}, {"https", n.c.HTTPS}, {"mqtts", n.c.MQTTS}, {"wyoming", n.c.Wyoming}} {
		if want.addr == "" {
			continue
		}
		var lc net.ListenConfig
		l, err := lc.Listen(ctx, "tcp", want.addr)
		if err != nil {
			return fmt.Errorf("listening for %s on %s: %w", want.kind, want.addr, err)
		}
		if want.kind == "https" {
			l = n.Gateway.Handshakes(l, n.certs.forPeople())
		}
		n.listeners = append(n.listeners, listener{l, want.kind})
	}
	return nil
}

// WriteReady writes v as JSON to path, whole or not at all: readable for its owner only, because a demo's tells secrets.
func WriteReady(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding the ready file: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".ready-*")
	if err != nil {
		return fmt.Errorf("making the ready file: %w", err)
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(append(b, '\n')); err != nil {
		return errors.Join(fmt.Errorf("writing the ready file: %w", err), f.Close())
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("writing the ready file: %w", err)
	}
	return os.Rename(f.Name(), path)
}

// sweepBlobs removes files that no room names. Every room that names some is asked.
func (n *Node) sweepBlobs(ctx context.Context) error {
	return n.Blobs.Run(ctx, n.log, n.Verify.Named, n.Agreements.Named, n.Products.Named, n.Certify.Named, n.Takeout.Named)
}
