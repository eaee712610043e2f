package lampworks_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLinks follows the links from the two READMEs to every page: none leads nowhere, and no page of docs is left out.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+\.md)(?:#[^)]*)?\)`)
	reached := map[string]bool{"README.md": true, "README.zh-CN.md": true}
	for queue := []string{"README.md", "README.zh-CN.md"}; len(queue) > 0; queue = queue[1:] {
		page, err := os.ReadFile(queue[0])
		if err != nil {
			t.Errorf("a link leads to %s: %v", queue[0], err)
			continue
		}
		for _, m := range link.FindAllStringSubmatch(string(page), -1) {
			to := filepath.Join(filepath.Dir(queue[0]), m[1])
			if !strings.Contains(m[1], "://") && !reached[to] {
				reached[to] = true
				queue = append(queue, to)
			}
		}
	}
	pages, err := filepath.Glob("docs/*/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range pages {
		if !reached[page] {
			t.Errorf("no link leads from a README to %s", page)
		}
	}
}
