package enforce

import (
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
