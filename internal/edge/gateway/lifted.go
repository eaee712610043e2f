package gateway

import (
	"context"

	"lampworks/internal/partner/enforce"
)

// concerns reports whether something that a device belongs to, or the device, has changed.
func concerns(changed map[enforce.Subject]bool, of enforce.Chain) bool {
	return changed[enforce.Subject{Kind: enforce.KindOrganisation, ID: of.Organisation}] || changed[enforce.Subject{Kind: enforce.KindProduct, ID: of.Product}] ||
		changed[enforce.Subject{Kind: enforce.KindBatch, ID: of.Batch}] || changed[enforce.Subject{Kind: enforce.KindDevice, ID: of.Device}]
}

// shutOut remembers that a measure keeps a sub-device from this gateway, which is told when it may be there again.
func (c *conn) shutOut(of enforce.Chain) {
	b := c.ownBrood()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shut == nil {
		b.shut = make(map[string]enforce.Chain)
	}
	if len(b.shut) < maxKept { // who is beyond finds out by logging in
		b.shut[of.Device] = of
	}
}

// tellLifted tells the gateways here which sub-devices no measure keeps out any longer, of those that something has changed for, and
// reports whether it could look.
func (g *Gateway) tellLifted(ctx context.Context, changed map[enforce.Subject]bool) bool {
	if len(changed) == 0 {
		return true
	}
	for _, c := range g.sessions.all() {
		for _, of := range c.shutAmong(changed) {
			m, ok := g.refusal(ctx, of)
			if !ok {
				return false
			}
			if m == nil && c.letIn(of.Device) {
				g.tellBack(ctx, of.Device)
			}
		}
	}
	return true
}

// shutAmong is the sub-devices that are shut out of this gateway, and for which something has changed.
func (c *conn) shutAmong(changed map[enforce.Subject]bool) (all []enforce.Chain) {
	b := c.brood.Load()
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, of := range b.shut {
		if concerns(changed, of) {
			all = append(all, of)
		}
	}
	return all
}

// letIn forgets that a sub-device is shut out, and reports whether it was.
func (c *conn) letIn(id string) bool {
	b := c.brood.Load()
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	_, was := b.shut[id]
	delete(b.shut, id)
	return was
}
