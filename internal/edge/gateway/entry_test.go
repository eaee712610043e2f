package gateway_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/infra/uplink"
	"lampworks/mqtt"
)

// enter opens one more listener of the house.
func (h *house) enter(t *testing.T, e gateway.Entry) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	devicetest.Run(t, func(ctx context.Context) error { return h.Enter(ctx, l, e) })
	return l.Addr().String()
}

// over signs a light in on a connection, as ask completes it, and gives the answer.
func (h *house) over(t *testing.T, nc net.Conn, d device.Device, v mqtt.Version) (*rawLamp, mqtt.Packet) {
	t.Helper()
	t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(patience))
	r := &rawLamp{nc: nc, in: mqtt.Decoder{Version: v}}
	r.send(t, h.connect(t, d, v))
	return r, r.await(t, mqtt.CONNACK, 1)
}

// connect is the CONNECT of a light.
func (h *house) connect(t *testing.T, d device.Device, v mqtt.Version) []byte {
	t.Helper()
	a := h.credentials(t, d)
	return mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{
		Version: v, Clean: true, HasUsername: true, HasPassword: true, ClientID: []byte(a.ClientID), Username: []byte(a.Username), Password: []byte(a.Password),
	}}, v)
}

// works lets a light report, and hear that it was taken.
func (h *house) works(t *testing.T, r *rawLamp, d device.Device) {
	t.Helper()
	v := r.in.Version
	r.send(t, mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.SUBSCRIBE, ID: 1, Filters: []mqtt.Filter{{Topic: []byte(h.topic(d, "thing/event/property/post_reply"))}}}, v))
	r.await(t, mqtt.SUBACK, 1)
	r.send(t, mqtt.AppendPublish(nil, v, h.post(d), brightness, 1, 2, false, false))
	if p := r.await(t, mqtt.PUBLISH, 1); !bytes.Contains(p.Payload, []byte(`"code":200`)) {
		t.Errorf("the report was answered %s", p.Payload)
	}
}

func dialTCP(t *testing.T, addr string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc
}

// isClosed waits until the other side ends the connection.
func isClosed(t *testing.T, nc net.Conn) {
	t.Helper()
	_ = nc.SetReadDeadline(time.Now().Add(patience))
	if n, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the connection is open after %s, and %d bytes", patience, n)
	}
}

// turned waits until so many connections were turned away for a reason.
func (h *house) turned(t *testing.T, reason string, n int64) {
	t.Helper()
	devicetest.Eventually(t, "connections turned away for "+reason, func() (bool, any) {
		got := h.Counts()["connections_turned_away_"+reason+"_total"]
		return got == n, got
	})
}

func TestTLSVersions(t *testing.T) {
	h, ca := newHouse(t, 1, nil, gateway.Limits{Takeovers: 1000}), newAuthority(t, "ca")
	addr := h.enter(t, gateway.Entry{TLS: ca.server(t)})
	for _, tt := range []struct {
		version uint16
		taken   bool
	}{{tls.VersionTLS11, false}, {tls.VersionTLS12, true}, {tls.VersionTLS13, true}} {
		for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
			c := ca.client()
			c.MinVersion, c.MaxVersion = tt.version, tt.version
			nc, err := tls.Dial("tcp", addr, c)
			if taken := err == nil; taken != tt.taken {
				t.Errorf("TLS %#x: %v, want taken %v", tt.version, err, tt.taken)
			}
			if err == nil {
				r, _ := h.over(t, nc, h.Lights[0], v)
				h.works(t, r, h.Lights[0])
			}
		}
	}
	h.turned(t, "tls", 2)
}

// TestClientCertificates: a device need not show one, and one that does must show a good one.
func TestClientCertificates(t *testing.T) {
	h, ca, other := newHouse(t, 1, nil, gateway.Limits{Takeovers: 1000}), newAuthority(t, "ca"), newAuthority(t, "other")
	c := ca.server(t)
	c.ClientCAs, c.ClientAuth = ca.pool(), tls.VerifyClientCertIfGiven
	addr := h.enter(t, gateway.Entry{TLS: c})
	for _, tt := range []struct {
		name  string
		shown *tls.Certificate
		taken bool
	}{
		{"none", nil, true},
		{"a good one", ca.device(t, time.Hour), true},
		{"another authority's", other.device(t, time.Hour), false},
		{"one that has ended", ca.device(t, -time.Hour), false},
	} {
		c := ca.client()
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if tt.shown == nil {
				return new(tls.Certificate), nil
			}
			return tt.shown, nil
		}
		nc, err := tls.Dial("tcp", addr, c)
		if err != nil { // in TLS 1.3 the client is done before it is judged
			t.Fatal(err)
		}
		defer nc.Close()
		if !tt.taken {
			_ = nc.SetReadDeadline(time.Now().Add(patience))
			_, err = nc.Read(make([]byte, 1))
			if told := new(net.OpError); !errors.As(err, &told) || told.Op != "remote error" {
				t.Errorf("%s: %v, want to be told by an alert", tt.name, err)
			}
			continue
		}
		r, _ := h.over(t, nc, h.Lights[0], mqtt.V311)
		h.works(t, r, h.Lights[0])
	}
}

// crumbs writes each byte by itself.
type crumbs struct{ net.Conn }

func (c crumbs) Write(b []byte) (int, error) {
	for i := range b {
		if _, err := c.Conn.Write(b[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

// TestCrumbs sends header, handshake and packets byte by byte.
func TestCrumbs(t *testing.T) {
	h, ca := newHouse(t, 1, nil, gateway.Limits{Takeovers: 1000}), newAuthority(t, "ca")
	addr := h.enter(t, gateway.Entry{TLS: ca.server(t), Proxies: local})
	nc := crumbs{dialTCP(t, addr)}
	if _, err := nc.Write(header{from: "192.0.2.1:4711"}.bytes()); err != nil {
		t.Fatal(err)
	}
	r, _ := h.over(t, tls.Client(nc, ca.client()), h.Lights[0], mqtt.V5)
	h.works(t, r, h.Lights[0])
}

// TestSlowHandshakes leaves more handshakes unfinished than may compute at once. Others pass; the slow are closed in time.
func TestSlowHandshakes(t *testing.T) {
	hello := clientHello(t)
	for _, tt := range []struct {
		name  string
		wait  time.Duration
		says  [][]byte
		e     gateway.Entry
		count string
	}{
		{"TLS", time.Hour, [][]byte{nil, hello[:1], hello[:len(hello)/2], hello}, gateway.Entry{}, ""},
		{"TLS, in time", 50 * time.Millisecond, [][]byte{nil, hello[:1], hello[:len(hello)/2], hello}, gateway.Entry{}, "tls"},
		{"PROXY", time.Hour, [][]byte{nil, header{}.bytes()[:1], header{}.bytes()[:17]}, gateway.Entry{Proxies: local}, ""},
		{"PROXY, in time", 50 * time.Millisecond, [][]byte{nil, header{}.bytes()[:1], header{}.bytes()[:17]}, gateway.Entry{Proxies: local}, "proxy_header"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, ca := newHouse(t, 1, nil, gateway.Limits{Hello: tt.wait}), newAuthority(t, "ca")
			tt.e.TLS = ca.server(t)
			addr := h.enter(t, tt.e)
			const rounds = 32
			var slow []net.Conn
			for range rounds {
				for _, b := range tt.says {
					nc := dialTCP(t, addr)
					if _, err := nc.Write(b); err != nil {
						t.Fatal(err)
					}
					slow = append(slow, nc)
				}
			}
			if tt.count == "" {
				nc := dialTCP(t, addr)
				if len(tt.e.Proxies) > 0 {
					if _, err := nc.Write(header{from: "192.0.2.1:1"}.bytes()); err != nil {
						t.Fatal(err)
					}
				}
				r, _ := h.over(t, tls.Client(nc, ca.client()), h.Lights[0], mqtt.V311)
				h.works(t, r, h.Lights[0])
				return // and what waits ends with the gateway
			}
			for _, nc := range slow {
				isClosed(t, nc)
			}
			h.turned(t, tt.count, int64(len(slow)))
		})
	}
}

// clientHello is the first flight of a client.
func clientHello(t *testing.T) []byte {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	go func() { _ = tls.Client(near, &tls.Config{ServerName: "127.0.0.1"}).Handshake() }()
	b := make([]byte, 16<<10)
	_ = far.SetReadDeadline(time.Now().Add(patience))
	n, err := far.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

var local = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// A header is one of PROXY protocol version 2. What is not set is that of a device's connection over IPv4.
type header struct {
	command, family byte
	from            string // address and port
	tlvs            []byte
	length          int // announced, if not what follows
}

func (p header) bytes() []byte {
	var body []byte
	if p.from != "" {
		from := netip.MustParseAddrPort(p.from)
		if p.family == 0 {
			p.family = 0x11
			if from.Addr().Is6() {
				p.family = 0x21
			}
		}
		body = append(body, from.Addr().AsSlice()...)
		body = append(body, make([]byte, from.Addr().BitLen()/8)...) // to where is not looked at
		body = binary.BigEndian.AppendUint16(body, from.Port())
		body = append(body, 0, 0)
	} else if p.family == 0 && p.command != 0x20 {
		p.family = 0x11
		body = make([]byte, 12)
	}
	body = append(body, p.tlvs...)
	if p.command == 0 {
		p.command = 0x21
	}
	if p.length == 0 {
		p.length = len(body)
	}
	b := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), p.command, p.family)
	return append(binary.BigEndian.AppendUint16(b, uint16(p.length)), body...)
}

func tlv(kind byte, value ...byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{kind}, uint16(len(value))), value...)
}

var overTLS = tlv(0x20, 1, 0, 0, 0, 0)

// TestProxyHeader: what a proxy announces is where a device is, and whether its connection was read by nobody.
func TestProxyHeader(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{Takeovers: 1000})
	addr := h.enter(t, gateway.Entry{Proxies: local})
	d := h.Lights[0]
	for _, tt := range []struct {
		name string
		h    header
		from string // where the device is shown; empty: it is refused, for it comes over plain TCP
	}{
		{"IPv4 over TLS", header{from: "192.0.2.1:4711", tlvs: overTLS}, "192.0.2.1:4711"},
		{"IPv6 over TLS", header{from: "[2001:db8::1]:4711", tlvs: overTLS}, "[2001:db8::1]:4711"},
		{"IPv4 written as IPv6", header{from: "[::ffff:192.0.2.1]:1", tlvs: overTLS}, "192.0.2.1:1"},
		{"other TLVs", header{from: "192.0.2.1:2", tlvs: slices.Concat(tlv(0x04), tlv(0xea, make([]byte, 900)...), overTLS, tlv(0x05, 1, 2))}, "192.0.2.1:2"},
		{"the largest", header{from: "192.0.2.1:3", tlvs: slices.Concat(overTLS, tlv(0x04, make([]byte, 4096-16-12-8-3)...))}, "192.0.2.1:3"},
		{"this machine", header{from: "127.0.0.9:5"}, "127.0.0.9:5"},
		{"plain", header{from: "192.0.2.1:4711"}, ""},
		{"plain, as it says", header{from: "192.0.2.1:4711", tlvs: tlv(0x20, 0, 0, 0, 0, 0)}, ""},
		{"the proxy itself", header{command: 0x20}, "127.0.0.1"},
		{"the proxy itself, with addresses", header{command: 0x20, from: "192.0.2.1:1", tlvs: []byte("no TLV")}, "127.0.0.1"},
	} {
		for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
			before := h.Log.Tail()
			nc := dialTCP(t, addr)
			if _, err := nc.Write(tt.h.bytes()); err != nil {
				t.Fatal(err)
			}
			r, ack := h.over(t, nc, d, v)
			if taken := ack.Code == 0; taken != (tt.from != "") {
				t.Errorf("%s: CONNACK %#x, want taken %v", tt.name, ack.Code, tt.from != "")
				continue
			}
			if tt.from == "" {
				continue
			}
			h.works(t, r, d)
			if got := h.address(t, before, d); got != tt.from && tt.from != "127.0.0.1" || !netip.MustParseAddrPort(got).IsValid() {
				t.Errorf("%s: the device is shown at %s, want %s", tt.name, got, tt.from)
			}
		}
	}
}

// address is where the presence of a device says that it is.
func (h *house) address(t *testing.T, after uplink.Position, d device.Device) (from string) {
	t.Helper()
	records, err := h.Log.Read(t.Context(), after, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if p, err := device.DecodePresence(r.Body); r.Kind == uplink.Presence && r.Device == d.ID && err == nil && p.Online {
			from = p.Address
		}
	}
	return from
}

func TestBadProxyHeaders(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{Takeovers: 1000})
	addr := h.enter(t, gateway.Entry{Proxies: local})
	var n int64
	for _, tt := range []struct {
		name string
		b    []byte
	}{
		{"none", h.connect(t, h.Lights[0], mqtt.V311)},
		{"version 1", []byte("PROXY TCP4 192.0.2.1 192.0.2.2 4711 1883\r\n")},
		{"another signature", append([]byte("\r\n\r\n\x00\r\nQUIT\r"), header{from: "192.0.2.1:1"}.bytes()[12:]...)},
		{"another version", header{command: 0x31, from: "192.0.2.1:1"}.bytes()},
		{"another command", header{command: 0x22, from: "192.0.2.1:1"}.bytes()},
		{"no family", header{family: 0x01}.bytes()},
		{"UDP", header{family: 0x12, from: "192.0.2.1:1"}.bytes()},
		{"a path", header{family: 0x31, from: "192.0.2.1:1"}.bytes()},
		{"IPv6 with an IPv4 address", header{family: 0x21, from: "192.0.2.1:1"}.bytes()},
		{"half an address", header{from: "192.0.2.1:1", length: 11}.bytes()},
		{"half a TLV", header{from: "192.0.2.1:1", tlvs: []byte{1, 0}}.bytes()},
		{"a TLV longer than what is left", header{from: "192.0.2.1:1", tlvs: []byte{1, 0, 5, 1}}.bytes()},
		{"TLS told in four bytes", header{from: "192.0.2.1:1", tlvs: tlv(0x20, 1, 0, 0, 0)}.bytes()},
		{"one byte too large", header{from: "192.0.2.1:1", tlvs: tlv(0x04, make([]byte, 4096-16-12-3+1)...)}.bytes()},
		{"the largest that can be said", header{from: "192.0.2.1:1", length: 65535}.bytes()},
		{"the end in the middle", header{from: "192.0.2.1:1"}.bytes()[:20]},
	} {
		nc := dialTCP(t, addr)
		if _, err := nc.Write(tt.b); err != nil {
			t.Fatal(err)
		}
		if tt.name == "the end in the middle" {
			_ = nc.(*net.TCPConn).CloseWrite()
		}
		isClosed(t, nc)
		n++
		h.turned(t, "proxy_header", n)
	}
	strangers := h.enter(t, gateway.Entry{Proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	if nc, err := net.Dial("tcp", strangers); err == nil { // else it was closed as soon
		defer nc.Close()
		isClosed(t, nc)
	}
	h.turned(t, "not_proxy", 1)
}

// TestRushes turns connections away, before TLS, that are more than are taken of one address, or of all.
func TestRushes(t *testing.T) {
	ca := newAuthority(t, "ca")
	hello := clientHello(t)
	for _, tt := range []struct {
		name   string
		limits gateway.Limits
		from   []string // of each connection in turn
		reason string
		taken  int // of them, before the next is turned away
	}{
		{"of one address", gateway.Limits{AddressConnects: 1}, []string{"192.0.2.1:1"}, "address_rate", 10},
		{"of one network of IPv6", gateway.Limits{AddressConnects: 1}, []string{"[2001:db8::1]:1", "[2001:db8::2]:1"}, "address_rate", 10},
		{"of two networks of IPv6", gateway.Limits{AddressConnects: 1}, []string{"[2001:db8::1]:1", "[2001:db8:0:1::1]:1"}, "address_rate", 20},
		{"of all", gateway.Limits{Connects: 12}, []string{"192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1"}, "rate", 12},
		{"at once", gateway.Limits{MaxSessions: 7}, []string{"192.0.2.1:1"}, "full", 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, 0, nil, tt.limits)
			addr := h.enter(t, gateway.Entry{TLS: ca.server(t), Proxies: local})
			counted := func() int64 { return h.Counts()["connections_turned_away_"+tt.reason+"_total"] }
			answered := 0
			for i := 0; counted() == 0 && answered <= tt.taken; i++ {
				nc, err := net.Dial("tcp", addr)
				if err != nil {
					break // turned away
				}
				defer nc.Close()
				if _, err := nc.Write(append(header{from: tt.from[i%len(tt.from)]}.bytes(), hello...)); err != nil {
					break
				}
				_ = nc.SetReadDeadline(time.Now().Add(patience))
				if _, err := nc.Read(make([]byte, 1)); err == nil {
					answered++
				}
			}
			h.turned(t, tt.reason, 1)
			if answered < tt.taken || answered > tt.taken+tt.taken/2 { // time goes by meanwhile
				t.Errorf("%d were taken, want %d", answered, tt.taken)
			}
		})
	}
}

// TestLoopbackIsNoCrowd: what this machine runs is not held to the rate of an address.
func TestLoopbackIsNoCrowd(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{AddressConnects: 1, Takeovers: 1000})
	for range 30 {
		h.dial(t, h.Lights[0]).Kill()
	}
}
