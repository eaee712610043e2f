package voice

import (
	"testing"
	"time"

	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store/storetest"
)

// TestEveryListIsIndexed asks the database how it reads each list.
func TestEveryListIsIndexed(t *testing.T) {
	listingtest.Prove(t, storetest.Open(t), sentences())
	listingtest.Prove(t, storetest.Open(t), inbox())
}

// TestLengthsAreClassed: a length is at most what its class says, and that is at most a fifth more.
func TestLengthsAreClassed(t *testing.T) {
	for us := int64(1); us < 1<<40; us = us*9/8 + 1 {
		took, said := time.Duration(us)*time.Microsecond, lengthOf(classOf(us))
		if said < took-time.Nanosecond*time.Duration(us)/1000 || said > took*12/10 {
			t.Errorf("%v is told as %v", took, said)
		}
	}
}
