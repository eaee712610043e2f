package quota

import (
	"testing"

	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store/storetest"
)

func TestListsAreIndexed(t *testing.T) {
	s := storetest.Open(t)
	listingtest.Prove(t, s, overrideList())
	listingtest.Prove(t, s, notices())
}

// TestRegistry holds the registry to what programs outside rely on.
func TestRegistry(t *testing.T) {
	names := map[string]bool{}
	for _, l := range Limits() {
		spec := l.Spec()
		if spec.Name == "" || names[spec.Name] || spec.Title["zh-CN"] == "" || spec.Title["en"] == "" || spec.Unit == "" || spec.Of == "" {
			t.Errorf("limit %d is %+v", l, spec)
		}
		if spec.Default <= 0 || spec.Default > spec.Max {
			t.Errorf("%s has the default %d and the maximum %d", l, spec.Default, spec.Max)
		}
		if got, err := ParseLimit(spec.Name); err != nil || got != l {
			t.Errorf("ParseLimit(%s) = %v, %v", spec.Name, got, err)
		}
		names[spec.Name] = true
	}
}
