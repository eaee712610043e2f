package takeout

import (
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLife(t *testing.T) {
	if err := moves.Check(Collecting); err != nil {
		t.Error(err)
	}
}

func TestListIsIndexed(t *testing.T) { listingtest.Prove(t, storetest.Open(t), exports()) }

// TestGuideShowsTheTable holds the diagram of the guide to the table.
func TestGuideShowsTheTable(t *testing.T) {
	for _, page := range []string{"../../../docs/en/enforcement.md", "../../../docs/zh-CN/enforcement.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "```mermaid\n"+moves.Mermaid()+"```") {
			t.Errorf("%s does not show the life of an export:\n%s", page, moves.Mermaid())
		}
	}
}
