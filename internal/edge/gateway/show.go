package gateway

import (
	"regexp"
	"strings"

	"lampworks/internal/fleet/session"
)

var (
	signature = regexp.MustCompile(`("sign"\s*:\s*")[^"]*`)
	bindToken = regexp.MustCompile(`("token"\s*:\s*")[^"]*`)
)

// veiled is a payload as others may see it: without the signatures that a gateway has of its sub-devices, each of which is as good as a password
// for as long as the secret is in force, and without the token that a device is bound with.
func veiled(topic string, payload []byte) []byte {
	if strings.Contains(topic, "/awss/enrollee/match") {
		return bindToken.ReplaceAll(payload, []byte("${1}…"))
	}
	if !strings.Contains(topic, "/combine/") && !strings.Contains(topic, "/topo/") {
		return payload
	}
	return signature.ReplaceAll(payload, []byte("${1}…"))
}

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
