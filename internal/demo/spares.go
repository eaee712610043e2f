package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"lampworks/internal/infra/access"
	"lampworks/internal/node"
	"lampworks/triple"
)

// spare is an unused triple, as the devices file has it.
type spare struct {
	ProductKey   string           `json:"product_key"`
	DeviceName   string           `json:"device_name"`
	DeviceSecret string           `json:"device_secret"`
	ProductID    triple.ProductID `json:"product_id"`
	MAC          string           `json:"mac"`
}

// writeSpares sees that the devices file has at least count unused triples of the light, one JSON object a line, for its
// owner's eyes only. Those that are there stay.
func (s *stage) writeSpares(ctx context.Context, n *node.Node, who access.Actor, path string, count int) error {
	have, err := os.ReadFile(path)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return fmt.Errorf("reading the devices file: %w", err)
	}
	left := count - bytes.Count(have, []byte{'\n'})
	if left <= 0 && !missing {
		return nil
	}
	p, err := maker(ctx, n, who, "light")
	if err != nil {
		return err
	}
	all := bytes.NewBuffer(have)
	out := json.NewEncoder(all)
	for left > 0 {
		k := min(left, 500)
		ds, err := issue(ctx, n, who, p, k)
		if err != nil {
			return err
		}
		for _, d := range ds {
			id, err := n.Devices.Identify(ctx, p.ProductKey, d.Name)
			if err != nil {
				return err
			}
			if err := out.Encode(spare{p.ProductKey, d.Name, id.Secret.Reveal(), p.ProductID, d.Name}); err != nil {
				return fmt.Errorf("writing the devices file: %w", err)
			}
		}
		left -= k
	}
	return replace(path, all.Bytes())
}
