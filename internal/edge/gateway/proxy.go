package gateway

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
)

// The PROXY protocol, version 2, as far as a proxy uses it that passes devices on: the binary header, TCP over IPv4 and
// IPv6, and LOCAL, by which a proxy looks whether we live. https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt, section 2.2.
const (
	proxySignature = "\r\n\r\n\x00\r\nQUIT\n"
	proxyFixed     = 16       // bytes before the addresses
	proxyMost      = readSize // the largest header that is taken, bytes: it may carry a client's certificate

	proxyLocal = 0x20 // version 2 and command
	proxyPass  = 0x21
	proxyTCP4  = 0x11 // family and transport
	proxyTCP6  = 0x21

	proxySSL       = 0x20 // type of the TLV that tells of TLS
	proxyClientSSL = 0x01 // bit in its first byte: the client came over it
)

var errNoHeader = errors.New("it does not begin with the header of PROXY protocol version 2")

// An announcement is what a proxy says of a connection.
type announcement struct {
	from netip.AddrPort // zero: the connection is the proxy's own
	over bool           // it came over TLS, which ended at the proxy
}

// proxyRest is how many bytes follow the fixed part of a header.
func proxyRest(fixed []byte) (int, error) {
	n := int(binary.BigEndian.Uint16(fixed[14:]))
	if n > proxyMost-proxyFixed {
		return 0, fmt.Errorf("the header has %d bytes, want at most %d", proxyFixed+n, proxyMost)
	}
	return n, nil
}

// parseProxy reads a whole header.
func parseProxy(b []byte) (a announcement, err error) {
	switch b[12] {
	case proxyLocal:
		return a, nil // its addresses mean nothing
	case proxyPass:
	default:
		return a, fmt.Errorf("version and command are %#x, want 0x20 (LOCAL) or 0x21 (PROXY)", b[12])
	}
	var size int
	switch b[13] {
	case proxyTCP4:
		size = 4
	case proxyTCP6:
		size = 16
	default:
		return a, fmt.Errorf("family and transport are %#x, want 0x11 (TCP over IPv4) or 0x21 (over IPv6)", b[13])
	}
	rest := b[proxyFixed:]
	if len(rest) < 2*size+4 {
		return a, fmt.Errorf("%d bytes of addresses, want %d", len(rest), 2*size+4)
	}
	from, _ := netip.AddrFromSlice(rest[:size])
	a.from = netip.AddrPortFrom(from.Unmap(), binary.BigEndian.Uint16(rest[2*size:]))
	a.over, err = proxyTLS(rest[2*size+4:])
	return a, err
}

// proxyTLS finds among the TLVs the one about TLS, and skips the others.
func proxyTLS(b []byte) (over bool, err error) {
	for len(b) > 0 {
		if len(b) < 3 {
			return false, errors.New("half a TLV")
		}
		n := 3 + int(binary.BigEndian.Uint16(b[1:]))
		if n > len(b) {
			return false, fmt.Errorf("a TLV of %d bytes where %d are left", n, len(b))
		}
		if b[0] == proxySSL {
			if n < 3+5 {
				return false, fmt.Errorf("the TLV of TLS has %d bytes, want 5", n-3)
			}
			over = b[3]&proxyClientSSL != 0
		}
		b = b[n:]
	}
	return over, nil
}

// announced reads the header of a proxy off l, and no byte more.
func (g *Gateway) announced(ctx context.Context, l *line) error {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	a, err := readProxy(l.Conn, *buf)
	if err != nil {
		g.turnAway(ctx, l, misled, err.Error())
		return err
	}
	if !a.from.IsValid() {
		return nil
	}
	l.from, l.over = net.TCPAddrFromAddrPort(a.from), a.over
	if g.door.crowd(a.from.Addr(), &g.limits) {
		g.turnAway(ctx, l, crowded, "")
		return errTurnedAway
	}
	return nil
}

var errTurnedAway = errors.New("turned away")

func readProxy(r io.Reader, buf []byte) (a announcement, err error) {
	fixed := buf[:proxyFixed]
	for have := 0; have < len(fixed); { // what is no header may be shorter than one
		n, err := r.Read(fixed[have:])
		if have += n; !strings.HasPrefix(proxySignature, string(fixed[:min(have, len(proxySignature))])) {
			return a, errNoHeader
		}
		if err != nil && have < len(fixed) {
			return a, err
		}
	}
	n, err := proxyRest(fixed)
	if err != nil {
		return a, err
	}
	if _, err := io.ReadFull(r, buf[proxyFixed:proxyFixed+n]); err != nil {
		return a, err
	}
	return parseProxy(buf[:proxyFixed+n])
}
