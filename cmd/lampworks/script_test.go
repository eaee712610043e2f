package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"lampworks/internal/partner/account"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lampworks": main})
}

// TestScripts tells the stories in testdata, each in a directory of its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			for _, v := range e.Vars {
				if strings.HasPrefix(v, "LAMPWORKS_") {
					return fmt.Errorf("the environment has %s", v)
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"appears": appears, "code": code, "field": field, "picture": picture, "proof": proof, "terminate": terminate},
	})
}

// appears waits for a file that a program in the background makes.
func appears(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: appears FILE")
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		_, err := os.Stat(ts.MkAbs(args[0]))
		if err == nil {
			return
		}
		if !errors.Is(err, fs.ErrNotExist) || time.Now().After(deadline) {
			ts.Fatalf("waiting for %s: %v", args[0], err)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// terminate sends SIGTERM to the process whose number is in a file.
func terminate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: terminate FILE")
	}
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(syscall.Kill(pid, syscall.SIGTERM))
}

// code runs the program and wants it to exit with a code.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code NUMBER PROGRAM ARG…")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		var exit interface{ ExitCode() int }
		if !errors.As(err, &exit) {
			ts.Fatalf("running %s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("%s exited %d, want %s", args[1], got, args[0])
	}
}

// field sets a variable to a string of a JSON file: field NAME FILE KEY. FILE may be stdout.
func field(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: field NAME FILE KEY")
	}
	_, rest, ok := strings.Cut(ts.ReadFile(args[1]), `"`+args[2]+`":`)
	rest, quoted := strings.CutPrefix(strings.TrimSpace(rest), `"`)
	value, _, closed := strings.Cut(rest, `"`)
	if !ok || !quoted || !closed {
		ts.Fatalf("%s has no %q", args[1], args[2])
	}
	ts.Setenv(args[0], value)
}

// picture writes a square PNG: picture FILE SIDE.
func picture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: picture FILE SIDE")
	}
	side, err := strconv.Atoi(args[1])
	ts.Check(err)
	var b bytes.Buffer
	ts.Check(png.Encode(&b, image.NewGray(image.Rect(0, 0, side, side))))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o600))
}

// proof sets a variable to a code of a second factor: proof NAME SECRET STEP. A code is good once: who needs two takes that
// of now (0) and then that of the next step (1). Both are still good if the clock goes on to it before they are shown.
func proof(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: proof NAME SECRET STEP")
	}
	step, err := strconv.Atoi(args[2])
	ts.Check(err)
	c, err := account.TOTP(args[1], time.Now().Add(time.Duration(step)*30*time.Second))
	ts.Check(err)
	ts.Setenv(args[0], c.Reveal())
}
