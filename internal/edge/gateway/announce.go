package gateway

import (
	"context"

	"lampworks/alink"
)

// announce takes the bind token that a device drew, for who stands before it to claim it with.
func (c *conn) announce(ctx context.Context, req *alink.Request) (told, *refusal, error) {
	if c.g.c.Pairing == nil {
		return told{}, &refusal{alink.CodeBadRequest, "this topic is not served yet; the message was not stored"}, nil
	}
	return told{}, nil, c.g.c.Pairing.Announce(ctx, c.device, c.epoch, req.Params)
}

// Epoch is that of the session which a device has here; false: it has none.
func (g *Gateway) Epoch(device string) (epoch uint64, connected bool) {
	c := g.sessions.find(device)
	if c == nil || c.gone.Load() || !c.s.Connected() {
		return 0, false
	}
	return c.epoch, true
}
