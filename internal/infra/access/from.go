package access

import (
	"net/netip"
	"strings"
)

// Place is what one party has of an address "host:port" or "host": the IPv4 address or the IPv6 /64. What is no address is its
// own place.
func Place(from string) string {
	ip, err := netip.ParseAddr(from)
	if err != nil {
		ap, err := netip.ParseAddrPort(from)
		if err != nil {
			return from
		}
		ip = ap.Addr()
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	p, _ := ip.Prefix(64)
	return p.String()
}

// Agent keeps of a User-Agent what is worth showing in a list: 200 bytes of valid UTF-8 without control characters.
func Agent(agent string) string {
	const most = 200 // bytes
	if len(agent) > most {
		agent = agent[:most]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(agent, ""))
}
