package config

import (
	"testing"

	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store/storetest"
)

func TestEveryListIsIndexed(t *testing.T) {
	s := storetest.Open(t)
	t.Run("versions", func(t *testing.T) { listingtest.Prove(t, s, versionList()) })
	t.Run("pushes", func(t *testing.T) { listingtest.Prove(t, s, pushList()) })
}
