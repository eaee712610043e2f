package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"lampworks/internal/infra/access"
	"lampworks/internal/node"
	"lampworks/internal/partner/quota"
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

// allow gives the demo's organisation more triples for debugging than others have.
func (s *stage) allow(ctx context.Context, n *node.Node) error {
	limits := quota.New(quota.Config{Store: n.Store, Logger: slog.New(slog.DiscardHandler)})
	_, err := limits.Override(ctx, operator(), quota.NewOverride{
		Subject: quota.Organisation(s.Organisation), Limit: quota.DebugTriples, Purpose: quota.Set, Value: quota.DebugTriples.Spec().Max, Reason: "a demo",
	})
	if err != nil {
		return fmt.Errorf("raising the limit of triples: %w", err)
	}
	return nil
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
	if err := s.allow(ctx, n); err != nil {
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
