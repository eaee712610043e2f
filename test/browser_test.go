package test

import (
	"errors"
	"os"
	"os/exec"
	"testing"
)

// TestBrowser drives the console in a real Chromium against a demo.
func TestBrowser(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("skip: no node; install the package nodejs to test the console in a browser")
	}
	if _, err := os.Stat("../web/node_modules/playwright-core/package.json"); err != nil {
		t.Skip("skip: the console's tools are not installed; run make web")
	}
	t.Parallel()
	s := own(t, "demo", "--no-open")
	bench := exec.Command("node", "e2e/bench.mjs")
	bench.Dir = "../web"
	bench.Env = append(os.Environ(), "BASE_URL="+s.http, "TOKEN="+s.token)
	out, err := bench.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == 3:
		t.Skipf("%s", out)
	case err != nil:
		t.Errorf("the bench in Chromium: %v\n%s", err, out)
	}
}
