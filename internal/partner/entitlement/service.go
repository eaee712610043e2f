package entitlement

import (
	"bytes"
	_ "embed" // services.json
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/account"
)

// A Named is a service of the platform. It is data of this package; its name is stable.
type Named struct {
	Name  string        `json:"name"` // "voice"
	Names account.Names `json:"names"`
	About account.Names `json:"about"`
	Acts  []access.Act  `json:"acts"` // that belong to it; each act belongs to one service at most
}

//go:embed services.json
var servicesFile []byte

var services = sync.OnceValues(func() ([]Named, error) {
	d := json.NewDecoder(bytes.NewReader(servicesFile))
	d.DisallowUnknownFields()
	var all []Named
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("reading the services: %w", err)
	}
	return all, nil
})

// Services lists every service there is.
func Services() ([]Named, error) { return services() }

// find is the service called name.
func find(where, name string) (Named, error) {
	all, err := services()
	if err != nil {
		return Named{}, err
	}
	names := make([]string, len(all))
	for i := range all {
		if all[i].Name == name {
			return all[i], nil
		}
		names[i] = all[i].Name
	}
	return Named{}, fault.Unlisted(where, name, names, "GET /api/v1/services")
}

// serviceOf is the name of the service that an act belongs to, empty for none.
func serviceOf(act access.Act) string {
	all, err := services()
	if err != nil {
		return ""
	}
	for i := range all {
		if slices.Contains(all[i].Acts, act) {
			return all[i].Name
		}
	}
	return ""
}
