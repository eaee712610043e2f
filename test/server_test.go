package test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait of these tests.
const patience = 20 * time.Second

// eventually waits until ok, which says what it saw when it does not hold.
func eventually(t testing.TB, what string, ok func() (held bool, saw any)) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		held, saw := ok()
		if held {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s, got %v", patience, what, saw)
		}
		time.Sleep(5 * time.Millisecond) // between two looks, not for something to happen
	}
}

// A server is one process of the program.
type server struct {
	dir   string // where everything of it is; the data is in dir/data
	log   *lines
	cmd   *exec.Cmd
	ended chan struct{}
	state error // of the process; after ended

	http, mqtt, token string
	https, mqtts      string // if it was told to
	wyoming           string // the same
	spares            []triple
	given             atomic.Int64
}

// triple is a line of the file of spare devices.
type triple struct {
	ProductKey   string `json:"product_key"`
	DeviceName   string `json:"device_name"`
	DeviceSecret string `json:"device_secret"`
}

// start runs a verb of the program on dir and returns when it serves.
func start(dir, verb string, args ...string) (*server, error) {
	ready := filepath.Join(dir, "ready.json")
	if err := os.Remove(ready); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	args = append([]string{
		verb, "--data", filepath.Join(dir, "data"), "--ready-file", ready, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--log-level", "debug",
	}, args...)
	s := &server{dir: dir, log: &lines{}, cmd: exec.Command(program, args...), ended: make(chan struct{})}
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.state = s.cmd.Wait()
		close(s.ended)
	}()
	deadline := time.After(patience)
	for {
		if b, err := os.ReadFile(ready); err == nil {
			return s, s.read(b)
		}
		select {
		case <-s.ended:
			return nil, fmt.Errorf("%s ended before it served: %w\n%s", verb, s.state, s.log)
		case <-deadline:
			s.kill()
			return nil, fmt.Errorf("%s does not serve after %s\n%s", verb, patience, s.log)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (s *server) read(ready []byte) error {
	var r struct {
		HTTP        string `json:"http"`
		MQTT        string `json:"mqtt"`
		HTTPS       string `json:"https"`
		MQTTS       string `json:"mqtts"`
		Wyoming     string `json:"wyoming"`
		Token       string `json:"token"`
		DevicesFile string `json:"devices_file"`
	}
	if err := json.Unmarshal(ready, &r); err != nil {
		return err
	}
	s.http, s.mqtt, s.token = r.HTTP, r.MQTT, r.Token
	s.https, s.mqtts, s.wyoming = r.HTTPS, r.MQTTS, r.Wyoming
	if r.DevicesFile == "" {
		return nil
	}
	f, err := os.Open(r.DevicesFile)
	if err != nil {
		return err
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		var tr triple
		if err := json.Unmarshal(in.Bytes(), &tr); err != nil {
			return err
		}
		s.spares = append(s.spares, tr)
	}
	return nil
}

// spare is a triple that nobody else uses.
func (s *server) spare(t testing.TB) triple {
	t.Helper()
	n := int(s.given.Add(1))
	if n > len(s.spares) {
		t.Fatalf("the demo made %d triples only", len(s.spares))
	}
	return s.spares[n-1]
}

// stop asks the program to end and reports when it did not end well.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return nil //nolint:nilerr // it has ended
	}
	select {
	case <-s.ended:
		return s.state
	case <-time.After(patience):
		s.kill()
		return fmt.Errorf("still runs %s after SIGTERM", patience)
	}
}

// kill ends the program as a power cut would.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
}

// resident is the memory of the process in bytes.
func (s *server) resident(t testing.TB) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Skipf("the memory of a process cannot be read here: %v", err)
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Skip("the memory of a process cannot be read here: no VmRSS")
	return 0
}

// own is a server of the test's own, which ends with it.
func own(t testing.TB, verb string, args ...string) *server {
	t.Helper()
	s, err := start(t.TempDir(), verb, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, s) })
	return s
}

func end(t testing.TB, s *server) {
	if err := s.stop(); err != nil {
		t.Errorf("ending the server: %v", err)
	}
	if t.Failed() {
		t.Logf("the server said:\n%s", s.log.tail(60))
	}
}

// lines is what a process says.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lines) tail(n int) string {
	all := strings.SplitAfter(l.String(), "\n")
	return strings.Join(all[max(0, len(all)-n):], "")
}

// line waits for a line of the log that holds all parts.
func (l *lines) line(t testing.TB, parts ...string) string {
	t.Helper()
	var found string
	eventually(t, fmt.Sprintf("a line of the log with %q", parts), func() (bool, any) {
	next:
		for line := range strings.Lines(l.String()) {
			for _, p := range parts {
				if !strings.Contains(line, p) {
					continue next
				}
			}
			found = line
			return true, nil
		}
		return false, l.tail(5)
	})
	return found
}
