package product

import (
	"bytes"
	"context"
	_ "embed" // protocols.json
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// A Protocol is a way in which devices reach the platform. It is data of this package; its name is stable.
type Protocol struct {
	Name    string `json:"name"` // "ble_mesh"
	Names   Names  `json:"names"`
	About   Names  `json:"about"`
	Service string `json:"service"` // of the platform that its devices need; empty: none, they get no triples here
}

//go:embed protocols.json
var protocolsFile []byte

var protocols = sync.OnceValues(func() ([]Protocol, error) {
	d := json.NewDecoder(bytes.NewReader(protocolsFile))
	d.DisallowUnknownFields()
	var all []Protocol
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("reading the protocols: %w", err)
	}
	return all, nil
})

// Protocols lists every protocol there is.
func Protocols() ([]Protocol, error) { return protocols() }

// own is the protocol of a product that says nothing else: the platform's own.
const own = "mqtt"

// checkProtocols refuses what the catalogue does not have, or is given twice.
func checkProtocols(where string, words []string) error {
	all, err := protocols()
	if err != nil {
		return err
	}
	var known []string
	for _, p := range all {
		known = append(known, p.Name)
	}
	for i, w := range words {
		at := fmt.Sprintf("%s/%d", where, i)
		if !slices.Contains(known, w) {
			return fault.Unlisted(at, w, known, "GET /api/v1/protocols")
		}
		if slices.Contains(words[:i], w) {
			return fault.Invalid(at, w, "each protocol once", "leave the second out")
		}
	}
	return nil
}

// speaks lists the protocols of a product: those it names, or else those of what it is built on.
func speaks(ctx context.Context, q store.Querier, p *Product) ([]string, error) {
	if len(p.Protocols) > 0 {
		return p.Protocols, nil
	}
	return below(ctx, q, p)
}

// tested refuses a certification of protocols that the product does not speak.
func (p *Product) tested(ctx context.Context, q store.Querier, words []string) error {
	spoken, err := speaks(ctx, q, p)
	if err != nil {
		return err
	}
	if len(spoken) == 0 {
		spoken = []string{own}
	}
	for i, w := range words {
		if !slices.Contains(spoken, w) {
			f := fault.Unlisted(fmt.Sprintf("/covers/protocols/%d", i), w, spoken, "")
			f.Fix = "leave it out, or name it among the protocols of the product"
			return f
		}
	}
	return nil
}

// below lists the protocols of what a product is built on.
func below(ctx context.Context, q store.Querier, p *Product) (all []string, err error) {
	for _, ref := range []string{p.BuiltOn, p.Solution} {
		if ref == "" {
			continue
		}
		base, err := find(ctx, q, ref)
		if err != nil {
			return nil, err
		}
		more, err := speaks(ctx, q, &base)
		if err != nil {
			return nil, err
		}
		for _, w := range more {
			if !slices.Contains(all, w) {
				all = append(all, w)
			}
		}
	}
	return all, nil
}

// fits refuses protocols that what the product is built on was not tuned for.
func (p *Product) fits(ctx context.Context, q store.Querier) error {
	if len(p.Protocols) == 0 || p.BuiltOn == "" && p.Solution == "" {
		return nil
	}
	tuned, err := below(ctx, q, p)
	if err != nil || len(tuned) == 0 {
		return err
	}
	for i, w := range p.Protocols {
		if !slices.Contains(tuned, w) {
			f := fault.Unlisted(fmt.Sprintf("/protocols/%d", i), w, tuned, "")
			f.Fix = "leave it out, or build on something that was tuned for it"
			return f
		}
	}
	return nil
}

// Services lists the services of the platform that devices of a product need to reach it, each once. The rooms above ask it in
// the transaction of their act.
func (s *Service) Services(ctx context.Context, q store.Querier, id string) ([]string, error) {
	p, err := find(ctx, q, id)
	if err != nil {
		return nil, err
	}
	return services(ctx, q, &p)
}

func services(ctx context.Context, q store.Querier, p *Product) (all []string, err error) {
	words, err := speaks(ctx, q, p)
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		words = []string{own}
	}
	for _, w := range words {
		name, err := serviceOf(w)
		if err != nil {
			return nil, err
		}
		if name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all, nil
}

// serviceOf is the service of a protocol. A word from before there was a catalogue may be none of it: that of the platform's own.
func serviceOf(word string) (string, error) {
	all, err := protocols()
	if err != nil {
		return "", err
	}
	other := ""
	for _, p := range all {
		if p.Name == word {
			return p.Service, nil
		}
		if p.Name == own {
			other = p.Service
		}
	}
	return other, nil
}
