package enforce

import (
	"os"
	"strings"
	"testing"

	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store/storetest"
)

func TestLives(t *testing.T) {
	for name, err := range map[string]error{
		"a measure": moves.Check(Scheduled), "an appeal": appealMoves.Check(AppealOpen), "a deletion": deletionMoves.Check(Announced),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestListsAreIndexed(t *testing.T) {
	s := storetest.Open(t)
	listingtest.Prove(t, s, measures())
	listingtest.Prove(t, s, events())
	listingtest.Prove(t, s, appeals())
	listingtest.Prove(t, s, deletions())
}

// TestGuideShowsTheTables holds the diagrams of the guide to the tables they are of.
func TestGuideShowsTheTables(t *testing.T) {
	for _, page := range []string{"../../../docs/en/enforcement.md", "../../../docs/zh-CN/enforcement.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for name, diagram := range map[string]string{"measures": moves.Mermaid(), "appeals": appealMoves.Mermaid(), "deletions": deletionMoves.Mermaid()} {
			if !strings.Contains(string(text), "```mermaid\n"+diagram+"```") {
				t.Errorf("%s does not show the life of %s:\n%s", page, name, diagram)
			}
		}
		for _, e := range Effects() {
			if !strings.Contains(string(text), "| `"+string(e.Kind)+"`") {
				t.Errorf("%s does not speak of %s", page, e.Kind)
			}
		}
	}
}

// TestNothingCostsNothing: who is under no measure is let by without a look at the table.
func TestNothingCostsNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		if !(Standing{}).Allows(Connect) {
			t.Error("refused under no measure")
		}
	}); n > 0 {
		t.Errorf("%.0f allocations", n)
	}
}
