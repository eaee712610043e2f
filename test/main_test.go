package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// program is the binary under test.
var program string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "lampworks-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if program = os.Getenv("LAMPWORKS_BIN"); program == "" {
		program = filepath.Join(dir, "lampworks")
		build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", program, "lampworks/cmd/lampworks")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
			return 1
		}
	}
	defer stopShared()
	return m.Run()
}

// The demo that tests share which do no harm to it.
var common struct {
	once sync.Once
	s    *server
	dir  string
	err  error
}

// shared is a running demo with triples for everybody.
func shared(t testing.TB) *server {
	t.Helper()
	common.once.Do(func() {
		if common.dir, common.err = os.MkdirTemp("", "lampworks-demo-"); common.err == nil {
			common.s, common.err = start(common.dir, "demo", "--no-open", "--spare-devices", "100")
		}
	})
	if common.err != nil {
		t.Fatal(common.err)
	}
	return common.s
}

func stopShared() {
	if common.s != nil {
		if err := common.s.stop(); err != nil {
			fmt.Fprintf(os.Stderr, "the shared demo: %v\n%s", err, common.s.log.String())
		}
	}
	if common.dir != "" {
		os.RemoveAll(common.dir)
	}
}
