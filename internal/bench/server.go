package bench

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a Lampworks process that a measurement started.
type server struct {
	cmd      *exec.Cmd
	dir      string
	keep     bool // the directory belongs to somebody else
	http     string
	mqtt     string
	mqtts    string            // empty: it serves no TLS
	https    string            // the same
	leaf     *x509.Certificate // of both
	token    string            // of who asks
	operator string            // token of the operator
	web      *http.Client
	took     time.Duration // from exec to ready

	transport string // of devices

	exited chan struct{} // closed when the process has ended
	err    error         // how, once exited is closed
}

const (
	login    = "bench"
	password = "measured, not guessed"
	secret   = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" // of its second factor
)

// serve starts a server on dir (empty: a new one) and signs in.
func (b *bench) serve(ctx context.Context, dir string, flags ...string) (*server, error) {
	s := &server{dir: dir, keep: dir != "", exited: make(chan struct{})}
	if dir == "" {
		var err error
		if s.dir, err = os.MkdirTemp("", "lampworks-bench-"); err != nil {
			return nil, fmt.Errorf("making a directory: %w", err)
		}
	}
	if err := s.start(ctx, b, flags); err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

// start starts the process and waits until it serves; on an error it has ended.
func (s *server) start(ctx context.Context, b *bench, flags []string) error {
	boot := filepath.Join(s.dir, "operator.json")
	if err := os.WriteFile(boot, []byte(`{"login":"`+login+`","password":"`+password+`","totp_secret":"`+secret+`"}`), 0o600); err != nil {
		return fmt.Errorf("writing the operator: %w", err)
	}
	ready := filepath.Join(s.dir, "ready.json")
	_ = os.Remove(ready)
	if s.transport = b.Transport; s.transport == TLS || s.transport == WSS {
		more, err := s.secure()
		if err != nil {
			return err
		}
		flags = append(flags, more...)
	}
	args := append([]string{"serve", "--data", filepath.Join(s.dir, "data"), "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--ready-file", ready, "--bootstrap", boot, "--log-level", "warn"}, flags...)
	began := time.Now()
	if err := s.run(b.Stderr, b.Program, args...); err != nil {
		return err
	}
	if err := s.await(ctx, ready); err != nil {
		return errors.Join(err, s.end(syscall.SIGTERM))
	}
	s.took = time.Since(began)
	s.web = &http.Client{Timeout: 10 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	return nil
}

// run starts a program as the server's process.
func (s *server) run(stderr io.Writer, program string, args ...string) error {
	s.cmd = exec.Command(program, args...) // it is ended by stop
	s.cmd.Stderr = stderr
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("starting the server: %w", err)
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.exited)
	}()
	return nil
}

// await polls for the ready file.
func (s *server) await(ctx context.Context, path string) error {
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(time.Millisecond) {
		b, err := os.ReadFile(path)
		if err != nil {
			select {
			case <-s.exited:
				return errors.New("the server ended before it was ready")
			default:
				continue
			}
		}
		var a struct{ HTTP, MQTT, HTTPS, MQTTS string }
		if err := json.Unmarshal(b, &a); err != nil {
			return fmt.Errorf("reading the ready file: %w", err)
		}
		s.http, s.mqtt, s.https, s.mqtts = a.HTTP, a.MQTT, a.HTTPS, a.MQTTS
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.New("the server did not get ready within 30 s")
}

// stop ends the server and removes its directory, unless it is somebody else's.
func (s *server) stop() error {
	return errors.Join(s.end(syscall.SIGTERM), s.remove())
}

// remove removes the directory, unless it is somebody else's.
func (s *server) remove() error {
	if s.keep {
		return nil
	}
	return os.RemoveAll(s.dir)
}

// end signals the process and waits for it.
func (s *server) end(sig syscall.Signal) error {
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ending the server: %w", err)
	}
	<-s.exited
	var exit *exec.ExitError
	if sig == syscall.SIGKILL && errors.As(s.err, &exit) {
		return nil
	}
	return s.err
}

// memory reads a line of /proc/PID/status, as VmRSS or VmHWM, in bytes.
func (s *server) memory(line string) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for _, l := range strings.Split(string(b), "\n") {
		if rest, ok := strings.CutPrefix(l, line+":"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// cpu is the processor time the server has used.
func (s *server) cpu() time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, _ := strconv.ParseInt(f[11], 10, 64)
	system, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond // clock ticks of 1/100 s, as on every Linux for Go
}

// call asks the API; in and out may be nil.
func (s *server) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encoding a request: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.http+path, body)
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	res, err := s.web.Do(req)
	if err != nil {
		return fmt.Errorf("calling %s: %w", path, err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 2000))
		return fmt.Errorf("%s %s: %s: %s", method, path, res.Status, text)
	}
	if w, ok := out.(io.Writer); ok {
		_, err = io.Copy(w, res.Body)
	} else if out != nil {
		err = json.NewDecoder(res.Body).Decode(out)
	}
	if err != nil {
		return fmt.Errorf("reading the answer of %s: %w", path, err)
	}
	return nil
}
