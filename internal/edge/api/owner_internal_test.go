package api

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"

	"lampworks/internal/infra/access"
)

func TestARouteWithoutOwnerDoesNotRegister(t *testing.T) {
	a := build(Config{}, http.NewServeMux())
	for _, own := range []owner{{}, ofHome} {
		func() {
			defer func() {
				if got, want := fmt.Sprint(recover()), "the route GET /api/v1/lamps/{lamp} does not say whose its object is"; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}()
			a.operation("GET", "/api/v1/lamps/{lamp}", access.ReadHome, own, "A lamp")
		}()
	}
}

func TestEveryCodeHasATitleInBothLanguages(t *testing.T) {
	want := slices.Sorted(slices.Values(codes()))
	for language, texts := range titles {
		if got := slices.Sorted(maps.Keys(texts)); !slices.Equal(got, want) {
			t.Errorf("%s has titles for %v, want %v", language, got, want)
		}
	}
}
