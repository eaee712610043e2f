package gateway

import "lampworks/internal/fleet/session"

// Session gives the session of a device as its connection here has it; false: it has none here.
func (g *Gateway) Session(device string) (session.Live, bool) {
	c := g.sessions.find(device)
	if c == nil || !c.s.Connected() {
		return session.Live{}, false
	}
	l := session.Live{
		Protocol: c.s.Version().String(), Secure: c.secure, KeepAlive: c.s.KeepAlive(), Inflight: c.s.Inflight(), Unacked: c.s.Unacked(),
	}
	if f := c.filters.Load(); f != nil {
		l.Filters = f.list()
	}
	return l, true
}

func (f *subscriptions) list() []session.Filter {
	list := make([]session.Filter, len(f.filters))
	for i, g := range f.filters {
		list[i] = session.Filter{Text: string(g.text), QoS: g.qos, ID: g.id}
	}
	return list
}
