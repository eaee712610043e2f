package gateway

import (
	"context"
	"slices"

	"lampworks/internal/fleet/device"
	"lampworks/internal/partner/enforce"
)

// origin is what a device belongs to. Sessions share one copy of equal ones.
type origin struct {
	organisation, product, batch, key string
	gateway                           bool // it may carry others
}

func (o *origin) chain() enforce.Chain {
	return enforce.Chain{Batch: o.batch, Product: o.product, Organisation: o.organisation}
}

// chainOf is what a measure against a device may be against.
func chainOf(who *device.Identity) enforce.Chain {
	return enforce.Chain{Device: who.ID, Batch: who.Order, Product: who.Product, Organisation: who.Organisation}
}

// chain is the same of the device of a session.
func (c *conn) chain() enforce.Chain {
	o := c.of.Value()
	chain := o.chain()
	chain.Device = c.device
	return chain
}

// followStandings ends the sessions whose standing has become worse since it was last asked. It needs no event.
func (g *Gateway) followStandings(ctx context.Context) {
	if g.c.Enforce == nil {
		return
	}
	of, next, err := g.c.Enforce.Changes(ctx, g.standing)
	if err != nil {
		g.missed(ctx, "asking for changed standings failed", err)
		return
	}
	g.judged.Store(next.Seq) // first, so that a session which enters from here on looks for itself
	changed := make(map[enforce.Subject]bool, len(of))
	for _, s := range of {
		changed[s] = true
	}
	if g.judge(ctx, g.concerned(changed)) && g.tellLifted(ctx, changed) {
		g.standing = next
	}
}

// concerned is the sessions that belong to one of the subjects.
func (g *Gateway) concerned(changed map[enforce.Subject]bool) []*conn {
	if len(changed) == 0 {
		return nil
	}
	var cs []*conn
	for _, c := range g.sessions.all() {
		if concerns(changed, c.chain()) {
			cs = append(cs, c)
		}
	}
	return cs
}

// devicesAtOnce is how many devices one query asks for.
const devicesAtOnce = 500

// judge ends the sessions that a measure refuses, and reports whether it could look at all. What devices share is asked
// for once; only where that refuses nothing are the devices asked for, many at once.
func (g *Gateway) judge(ctx context.Context, cs []*conn) bool {
	shared := make(map[enforce.Chain]*enforce.Measure)
	var left []*conn
	for _, c := range cs {
		o := c.of.Value()
		chain := o.chain()
		m, known := shared[chain]
		if !known {
			var ok bool
			if m, ok = g.refusal(ctx, chain); !ok {
				return false
			}
			shared[chain] = m
		}
		if m == nil {
			left = append(left, c)
		} else {
			g.refuse(c, m)
		}
	}
	for some := range slices.Chunk(left, devicesAtOnce) {
		if !g.judgeDevices(ctx, some) {
			return false
		}
	}
	return true
}

func (g *Gateway) judgeDevices(ctx context.Context, cs []*conn) bool {
	ids := make([]string, len(cs))
	for i, c := range cs {
		ids[i] = c.device
	}
	of, err := g.c.Enforce.Standings(ctx, ids)
	if err != nil {
		g.missed(ctx, "asking for the standings of devices failed", err)
		return false
	}
	for _, c := range cs {
		if m := of[c.device].Refusal(enforce.Connect); m != nil {
			g.refuse(c, m)
		}
	}
	return true
}

func (g *Gateway) refuse(c *conn, m *enforce.Measure) {
	g.Stats.Enforced.Add(1)
	c.farewell(noticeOf(m.Kind), because(m))
	if c.via != nil {
		c.via.shutOut(c.chain())
	}
}

func because(m *enforce.Measure) string {
	return byMeasure + m.ID + ": " + string(m.Kind) + " of the " + m.Subject.Kind
}

// refusal is the measure for which a chain may have no session; nil if it may. False: it could not be asked.
func (g *Gateway) refusal(ctx context.Context, chain enforce.Chain) (m *enforce.Measure, ok bool) {
	st, err := g.c.Enforce.Standing(ctx, chain)
	if err != nil {
		g.missed(ctx, "asking for a standing failed", err)
		return nil, false
	}
	return st.Refusal(enforce.Connect), true
}
