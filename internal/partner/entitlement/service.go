package entitlement

import (
	"bytes"
	_ "embed" // services.json
	"encoding/json"
	"fmt"
	"slices"
	"strings"
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
	Acts  []access.Act  `json:"acts"`  // that belong to it; each act belongs to one service at most
	Steps []Step        `json:"steps"` // on a product's way that ask for it, beside acts
}

// A Step is where the program asks for a service because of the product that somebody acts upon: see [Service.Require].
type Step string

// The steps.
const (
	Order     Step = "order"      // triples of the product are ordered, or approved
	MassOrder Step = "mass_order" // those for a factory
	Publish   Step = "publish"    // the product is published, or goes into mass production
)

// Enforced says whether anything of the program asks for the service. What nothing asks for keeps nobody out.
func (n *Named) Enforced() bool { return len(n.Acts)+len(n.Steps) > 0 }

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

// Enforced refuses the service called name, found at where, if nothing asks for it: what is decided about it would change nothing.
func Enforced(where, name string) error {
	n, err := find(where, name)
	if err != nil || n.Enforced() {
		return err
	}
	all, err := services()
	if err != nil {
		return err
	}
	var enforced []string
	for i := range all {
		if all[i].Enforced() {
			enforced = append(enforced, all[i].Name)
		}
	}
	f := fault.Unsupported(where, name, "one of "+strings.Join(enforced, ", "))
	f.What = "nothing is enforced for the service " + name + " yet, so that this would change nothing; enforced are " + strings.Join(enforced, ", ")
	f.Fix = "choose another; GET /api/v1/services says of each whether it is enforced"
	return f
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
