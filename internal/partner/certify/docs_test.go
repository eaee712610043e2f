package certify

import (
	"os"
	"strings"
	"testing"
)

// The diagrams of the documents are those of the tables.
func TestDiagramsInTheDocs(t *testing.T) {
	for _, lang := range []string{"en", "zh-CN"} {
		page, err := os.ReadFile("../../../docs/" + lang + "/certification.md")
		if err != nil {
			t.Fatal(err)
		}
		for name, diagram := range Diagrams() {
			if !strings.Contains(string(page), "```mermaid\n"+diagram+"```\n") {
				t.Errorf("docs/%s/certification.md has not the life of a %s as it is:\n%s", lang, name, diagram)
			}
		}
	}
}
