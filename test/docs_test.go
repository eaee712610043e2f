package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFirstDevice runs the script of the guide against an empty server, as it stands.
func TestFirstDevice(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: apt-get install %s", tool, tool)
		}
	}
	s := own(t, "serve")
	address, err := os.ReadFile(filepath.Join(s.dir, "data", "first-operator"))
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(strings.TrimSpace(string(address)), "#")
	walk := exec.CommandContext(t.Context(), "../docs/first-device.sh", s.http, s.mqtt, code)
	walk.Env = append(os.Environ(), "LAMPWORKS="+program)
	if out, err := walk.CombinedOutput(); err != nil || !strings.Contains(string(out), "好的，客厅的灯开了。") {
		t.Errorf("the walk ended %v:\n%s", err, out)
	}
}

// TestGuidesMatch: both languages have the same pages with the same headings.
func TestGuidesMatch(t *testing.T) {
	heading := regexp.MustCompile(`(?m)^#+ `)
	pages, err := filepath.Glob("../docs/en/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no guides: %v", err)
	}
	for _, page := range pages {
		en, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		zh, err := os.ReadFile("../docs/zh-CN/" + filepath.Base(page))
		if err != nil {
			t.Errorf("%s has no Chinese page: %v", page, err)
			continue
		}
		if a, b := heading.FindAllString(string(en), -1), heading.FindAllString(string(zh), -1); strings.Join(a, "") != strings.Join(b, "") {
			t.Errorf("%s has headings %q, its Chinese page %q", page, a, b)
		}
	}
}
