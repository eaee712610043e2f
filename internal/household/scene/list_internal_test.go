package scene

import (
	"testing"

	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store/storetest"
)

// TestEveryListIsIndexed asks the database how it reads each list.
func TestEveryListIsIndexed(t *testing.T) {
	listingtest.Prove(t, storetest.Open(t), runs())
}
