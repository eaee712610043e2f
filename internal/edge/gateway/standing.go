package gateway

import (
	"context"

	"lampworks/internal/partner/enforce"
)

// origin is what a device belongs to. Sessions share one copy of equal ones.
type origin struct{ organisation, product, batch, key string }

func (o *origin) chain() enforce.Chain {
	return enforce.Chain{Batch: o.batch, Product: o.product, Organisation: o.organisation}
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
	if g.judge(ctx, g.concerned(of)) {
		g.standing = next
	}
}

// concerned is the sessions that belong to one of the subjects.
func (g *Gateway) concerned(of []enforce.Subject) []*conn {
	if len(of) == 0 {
		return nil
	}
	changed := make(map[enforce.Subject]bool, len(of))
	for _, s := range of {
		changed[s] = true
	}
	var cs []*conn
	for _, c := range g.sessions.all() {
		o := c.of.Value()
		if changed[enforce.Subject{Kind: enforce.KindOrganisation, ID: o.organisation}] || changed[enforce.Subject{Kind: enforce.KindProduct, ID: o.product}] ||
			changed[enforce.Subject{Kind: enforce.KindBatch, ID: o.batch}] || changed[enforce.Subject{Kind: enforce.KindDevice, ID: c.device}] {
			cs = append(cs, c)
		}
	}
	return cs
}

// judge ends the sessions that a measure refuses, and reports whether it could look at all. What devices share is asked
// for once; only where that refuses nothing is each device asked for.
func (g *Gateway) judge(ctx context.Context, cs []*conn) bool {
	shared := make(map[enforce.Chain]string)
	for _, c := range cs {
		o := c.of.Value()
		chain := o.chain()
		why, known := shared[chain]
		if !known {
			var ok bool
			if why, ok = g.refusal(ctx, chain); !ok {
				return false
			}
			shared[chain] = why
		}
		if why == "" {
			var ok bool
			if why, ok = g.refusal(ctx, enforce.Chain{Device: c.device}); !ok {
				return false
			}
		}
		if why != "" {
			g.Stats.Enforced.Add(1)
			c.close(why)
		}
	}
	return true
}

// refusal is why a chain may have no session; empty if it may. False: it could not be asked.
func (g *Gateway) refusal(ctx context.Context, chain enforce.Chain) (why string, ok bool) {
	st, err := g.c.Enforce.Standing(ctx, chain)
	if err != nil {
		g.missed(ctx, "asking for a standing failed", err)
		return "", false
	}
	if m := st.Refusal(enforce.Connect); m != nil {
		return "refused by measure " + m.ID + ": " + string(m.Kind) + " of the " + m.Subject.Kind, true
	}
	return "", true
}
