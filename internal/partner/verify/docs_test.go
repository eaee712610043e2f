package verify

import (
	"os"
	"strings"
	"testing"
)

// TestDiagramInTheDocs holds the pages to the table of states.
func TestDiagramInTheDocs(t *testing.T) {
	for _, lang := range []string{"en", "zh-CN"} {
		page, err := os.ReadFile("../../../docs/" + lang + "/verification.md")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), "```mermaid\n"+Diagram()+"```") {
			t.Errorf("docs/%s/verification.md does not have the states as they are:\n%s", lang, Diagram())
		}
	}
}
