package gateway

import (
	"bytes"
	"context"
	"errors"

	"lampworks/alink"
	"lampworks/internal/infra/fault"
)

func unknownChild(in *alink.Child) *refusal {
	return &refusal{alink.CodeUnknown, in.Where + " is unknown, or not a device of the gateway's organisation"}
}

// noChild is the refusal for which a sub-device could not be found or let in; an error that is none stays one.
func (c *conn) noChild(in *alink.Child, err error) (*refusal, error) {
	switch {
	case fault.Is(err, fault.Missing):
		return unknownChild(in), nil
	case fault.Is(err, fault.Clash):
		return &refusal{alink.CodeSign, "the secret of " + in.Where + " is not in force any more"}, nil
	}
	return nil, err
}

// about names sub-devices in an answer.
func about(children []alink.Child) []byte {
	out := []byte("[")
	for i := range children {
		if i > 0 {
			out = append(out, ',')
		}
		out = alink.AppendChild(out, children[i].ProductKey, children[i].DeviceName)
	}
	return append(out, ']')
}

// addTopology has the gateway carry sub-devices that signed for it: all of them or none.
func (c *conn) addTopology(ctx context.Context, req *alink.Request) (told, *refusal, error) {
	children, err := alink.ParseChildren(req.Params, true)
	if err != nil {
		return told{}, &refusal{alink.CodeParam, err.Error()}, nil
	}
	ids := make([]string, len(children))
	for i := range children {
		who, _, r, err := c.prove(ctx, &children[i])
		if r != nil || err != nil {
			return told{data: about(children[i : i+1])}, r, err
		}
		if r, err := c.shut(ctx, &children[i], &who); r != nil || err != nil {
			return told{data: about(children[i : i+1])}, r, err
		}
		ids[i] = who.ID
	}
	r, err := topologyRefusal(c.g.c.Devices.Adopt(ctx, c.device, ids), alink.CodeElsewhere)
	return told{data: about(children)}, r, err
}

// topologyRefusal puts what the room of devices refuses into the codes of a gateway.
func topologyRefusal(err error, clash int) (*refusal, error) {
	f := fault.Of(err)
	switch {
	case f == nil:
		return nil, err
	case f.Code == fault.OverLimit:
		return &refusal{alink.CodeFull, f.Sentence()}, nil
	case f.Code == fault.Clash:
		return &refusal{clash, f.Sentence()}, nil
	case f.Code == fault.Missing:
		return &refusal{alink.CodeNoTopology, f.Sentence()}, nil
	}
	return nil, err
}

// dropTopology has the gateway carry sub-devices no longer: all of them or none. Their sessions end.
func (c *conn) dropTopology(ctx context.Context, req *alink.Request) (told, *refusal, error) {
	children, err := alink.ParseChildren(req.Params, false)
	if err != nil {
		return told{}, &refusal{alink.CodeParam, err.Error()}, nil
	}
	ids := make([]string, len(children))
	for i := range children {
		who, _, r, err := c.prove(ctx, &children[i])
		if r != nil || err != nil {
			return told{data: about(children[i : i+1])}, r, err
		}
		ids[i] = who.ID
	}
	if r, err := topologyRefusal(c.g.c.Devices.Part(ctx, c.device, ids), alink.CodeParam); r != nil || err != nil {
		return told{data: about(children)}, r, err
	}
	for i := range children {
		if k := c.adopted(&children[i]); k != nil {
			k.part(parted)
		}
	}
	return told{data: about(children)}, nil, nil
}

// askTopology names what the gateway carries.
func (c *conn) askTopology(ctx context.Context, _ *alink.Request) (told, *refusal, error) {
	list, err := c.g.c.Devices.Topology(ctx, c.device)
	if err != nil {
		return told{}, nil, err
	}
	out := []byte("[")
	for i, n := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = alink.AppendChild(out, n.ProductKey, n.DeviceName)
	}
	return told{data: append(out, ']')}, nil, nil
}

// logIn begins sessions of sub-devices through the gateway: all that are named, or none. One that has its session here keeps it.
func (c *conn) logIn(ctx context.Context, req *alink.Request) (told, *refusal, error) {
	children, err := alink.ParseChildren(req.Params, true)
	if err != nil {
		return told{}, &refusal{alink.CodeParam, err.Error()}, nil
	}
	before, judged := c.g.changes.Load(), c.g.judged.Load()
	var come []*conn
	for i := range children {
		if c.adopted(&children[i]) != nil {
			continue
		}
		k, r, err := c.admitChild(ctx, &children[i])
		if r != nil || err != nil {
			c.g.Stats.Refused.Add(1)
			return told{data: about(children[i : i+1])}, r, err
		}
		come = append(come, k)
	}
	for _, k := range come {
		c.enterChild(k)
	}
	if c.g.changes.Load() != before { // a round passed between the reading of their rights and their entry
		c.g.conns.Go(func() { c.g.recheck(context.Background(), come) })
	}
	if c.g.judged.Load() != judged {
		c.g.conns.Go(func() { c.g.judge(context.Background(), come) })
	}
	return told{data: inKind(req, children), after: func() {
		for _, k := range come {
			if k.listens() { // _ss=1 of its gateway
				k.deliver()
			}
		}
	}}, nil, nil
}

// logOut ends sessions of sub-devices through the gateway: all that are named, or none.
func (c *conn) logOut(_ context.Context, req *alink.Request) (told, *refusal, error) {
	children, err := alink.ParseChildren(req.Params, false)
	if err != nil {
		return told{}, &refusal{alink.CodeParam, err.Error()}, nil
	}
	going := make([]*conn, len(children))
	for i := range children {
		if going[i] = c.adopted(&children[i]); going[i] == nil {
			return told{data: about(children[i : i+1])}, &refusal{alink.CodeNoSession, children[i].Where + " has no session through this gateway"}, nil
		}
	}
	for _, k := range going {
		k.part(loggedOut)
	}
	return told{data: inKind(req, children)}, nil, nil
}

// inKind names sub-devices as the request did: one as an object, several as a list.
func inKind(req *alink.Request, children []alink.Child) []byte {
	if len(req.Params) > 0 && req.Params[0] == '{' && !bytes.Contains(req.Params, []byte(`"deviceList"`)) {
		return alink.AppendChild(nil, children[0].ProductKey, children[0].DeviceName)
	}
	return about(children)
}

// errNoGateway is why a device may not use the topics of gateways.
var errNoGateway = errors.New("the device is not a gateway: its product is not one")

// mayCarry reports whether the session may use the topics of gateways.
func (c *conn) mayCarry() bool { return c.via == nil && c.of.Value().gateway }
