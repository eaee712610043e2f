package device

import (
	"testing"

	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store/storetest"
)

func TestEveryListIsIndexed(t *testing.T) {
	s := storetest.Open(t)
	for name, l := range map[string]*listing.List[Device]{"id": idList(), "name": nameList(), "presence": presenceList(), "tagged": taggedList()} {
		t.Run(name, func(t *testing.T) { listingtest.Prove(t, s, l) })
	}
	t.Run("tags", func(t *testing.T) { listingtest.Prove(t, s, tagsList()) })
	t.Run("firmware", func(t *testing.T) { listingtest.Prove(t, s, firmwareList()) })
	t.Run("children", func(t *testing.T) { listingtest.Prove(t, s, childList()) })
	t.Run("lines", func(t *testing.T) { listingtest.Prove(t, s, lineList()) })
}
