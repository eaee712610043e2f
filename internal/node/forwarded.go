package node

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// parsePrefixes reads a list of networks; an address alone is a network of one.
func parsePrefixes(flag string, list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if addr, alone := netip.ParseAddr(text); alone == nil {
			p, err = addr.Prefix(addr.BitLen())
		}
		if err != nil || p != p.Masked() {
			return nil, fmt.Errorf("%s %s: want a network, for example 10.0.0.0/8 or 192.0.2.7", flag, text)
		}
		out = append(out, p)
	}
	return out, nil
}

func among(networks []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

const (
	forwardedFor   = "X-Forwarded-For"
	forwardedProto = "X-Forwarded-Proto"
)

// behind makes of a request that a trusted proxy passed on the one that came to that proxy: RemoteAddr is its client's,
// and TLS is set when it came over TLS. The headers that say so are taken off. From anybody else they mean nothing.
func behind(trusted []netip.Prefix, next http.Handler) http.Handler {
	if len(trusted) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && among(trusted, peer.Addr()) {
			r = passedOn(r, trusted)
		}
		next.ServeHTTP(w, r)
	})
}

func passedOn(r *http.Request, trusted []netip.Prefix) *http.Request {
	r = r.WithContext(r.Context())
	if from, ok := client(r.Header.Values(forwardedFor), trusted); ok {
		r.RemoteAddr = netip.AddrPortFrom(from, 0).String()
	}
	protos := strings.Split(strings.Join(r.Header.Values(forwardedProto), ","), ",")
	switch strings.ToLower(strings.TrimSpace(protos[len(protos)-1])) {
	case "https", "wss":
		if r.TLS == nil {
			r.TLS = new(tls.ConnectionState)
		}
	case "http", "ws":
		r.TLS = nil
	}
	r.Header = r.Header.Clone()
	r.Header.Del(forwardedFor)
	r.Header.Del(forwardedProto)
	return r
}

// client is the right-most address that is no trusted proxy's; if all are, the left-most. What stands left of something
// that is no address could be anybody's.
func client(headers []string, trusted []netip.Prefix) (from netip.Addr, ok bool) {
	hops := strings.Split(strings.Join(headers, ","), ",")
	for _, hop := range slices.Backward(hops) {
		a, err := parseHop(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		if from, ok = a, true; !among(trusted, a) {
			break
		}
	}
	return from, ok
}

// parseHop reads an address as proxies write it: with a port or without, in brackets or without.
func parseHop(s string) (netip.Addr, error) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), nil
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return a.Unmap().WithZone(""), err
}
