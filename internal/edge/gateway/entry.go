package gateway

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"time"
)

// An Entry says what a listener asks of a connection before its first packet.
type Entry struct {
	TLS     *tls.Config    // nil: none
	Proxies []netip.Prefix // not empty: connections come from these addresses only, and begin with a PROXY header
}

// turnsAtOnce is how many handshakes compute at the same time: sessions that are there keep their share of the processors.
func turnsAtOnce() int { return 2 * runtime.GOMAXPROCS(0) }

// Enter is [Gateway.Serve] for a listener of plain TCP whose connections begin with what e says. Each of them does so on
// its own, within [Limits].Hello, and waits for no other.
func (g *Gateway) Enter(ctx context.Context, l net.Listener, e Entry) error {
	return g.accept(ctx, l, e.Proxies, func(nc net.Conn) {
		g.conns.Go(func() {
			ready, secure, err := g.prepare(ctx, nc, e, g.limits.Write)
			if err != nil {
				g.open.Add(-1)
				return
			}
			g.hold(ctx, ready, secure) // on a goroutine of its own, whose stack no handshake has made large
		})
	})
}

// prepare takes what stands before the first packet, and returns the connection behind it, or closes it.
func (g *Gateway) prepare(ctx context.Context, nc net.Conn, e Entry, patience time.Duration) (_ net.Conn, secure bool, err error) {
	stop := context.AfterFunc(ctx, func() { _ = nc.Close() })
	defer stop()
	_ = nc.SetDeadline(time.Now().Add(g.limits.Hello))
	l := &line{Conn: nc, patience: patience}
	if len(e.Proxies) > 0 {
		if err := g.announced(ctx, l); err != nil {
			return nil, false, err
		}
	}
	if e.TLS == nil {
		return l, l.over, nc.SetDeadline(time.Time{})
	}
	t := tls.Server(l, e.TLS)
	l.turns = g.turns
	l.turns <- struct{}{}
	err = t.HandshakeContext(context.Background()) // one that can end costs a goroutine; closing nc ends it
	<-l.turns
	l.turns = nil
	if err != nil {
		g.turnAway(ctx, l, unshaken, err.Error())
		return nil, false, err
	}
	return &secured{t, l}, true, nc.SetDeadline(time.Time{})
}

// A reason is why a connection was closed before its first packet.
type reason uint8

const (
	full      reason = iota // as many connections as there may be
	rushed                  // more a second than are taken
	crowded                 // more a second of one address than are taken
	strange                 // from an address that is no proxy
	misled                  // its PROXY header is none, or late
	unshaken                // its TLS handshake failed, or was late
	unfit                   // its WebSocket request is none
	anyReason               // how many there are
)

func (r reason) String() string {
	return [...]string{"full", "rate", "address_rate", "not_proxy", "proxy_header", "tls", "websocket"}[r]
}

// turnAway closes a connection and counts why.
func (g *Gateway) turnAway(ctx context.Context, nc net.Conn, r reason, what string) {
	socket := nc
	if l, ok := nc.(*line); ok {
		socket = l.Conn
	}
	if tcp, ok := socket.(*net.TCPConn); ok && r != unshaken { // whose peer is to hear why
		_ = tcp.SetLinger(0) // no port stays taken for it
	}
	_ = nc.Close()
	g.turned(ctx, nc.RemoteAddr(), r, what)
}

// turned counts why a connection was closed, and logs it for whoever looks closely: in a storm there are many.
func (g *Gateway) turned(ctx context.Context, from net.Addr, r reason, what string) {
	g.Stats.Refused.Add(1)
	g.Stats.Turned[r].Add(1)
	if g.c.Logger.Enabled(ctx, slog.LevelDebug) {
		g.c.Logger.LogAttrs(ctx, slog.LevelDebug, "connection turned away", slog.String("address", from.String()), slog.String("reason", r.String()), slog.String("detail", what))
	}
}

// atTheDoor is how many connections of people may be in their handshake at once.
const atTheDoor = 1024

// Handshakes is a listener that accepts those connections of l which have shaken hands: for HTTP, whose server would do it
// with no bound on how many at once. Its Close ends those under way.
func (g *Gateway) Handshakes(l net.Listener, c *tls.Config) net.Listener {
	ctx, stop := context.WithCancel(context.Background())
	h := &handshakes{Listener: l, g: g, c: c, came: make(chan net.Conn), failed: make(chan struct{}), done: ctx.Done(), stop: stop}
	h.begin = sync.OnceFunc(func() { h.all.Go(func() { h.accept(ctx) }) })
	return h
}

type handshakes struct {
	net.Listener
	g      *Gateway
	c      *tls.Config
	begin  func()
	came   chan net.Conn
	failed chan struct{} // closed when l fails for good
	err    error         // then
	done   <-chan struct{}
	stop   context.CancelFunc
	all    sync.WaitGroup
}

// Accept implements net.Listener. What it returns is a *tls.Conn, as the server of HTTP wants it.
func (h *handshakes) Accept() (net.Conn, error) {
	h.begin()
	select {
	case nc := <-h.came:
		return nc, nil
	case <-h.failed:
		return nil, h.err
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *handshakes) Close() error {
	h.stop()
	err := h.Listener.Close()
	h.all.Wait()
	return err
}

func (h *handshakes) accept(ctx context.Context) {
	places := make(chan struct{}, atTheDoor)
	for {
		nc, err := h.Listener.Accept()
		if err != nil {
			if ctx.Err() == nil && retryable(err) {
				time.Sleep(again)
				continue
			}
			h.err = err
			close(h.failed)
			return
		}
		select {
		case places <- struct{}{}:
		default:
			h.g.turnAway(ctx, nc, full, "too many handshakes at once")
			continue
		}
		h.all.Go(func() {
			defer func() { <-places }()
			h.shake(ctx, nc)
		})
	}
}

func (h *handshakes) shake(ctx context.Context, nc net.Conn) {
	ready, _, err := h.g.prepare(ctx, nc, Entry{TLS: h.c}, 0)
	if err != nil {
		return
	}
	select {
	case h.came <- ready.(*secured).Conn:
	case <-ctx.Done():
		_ = nc.Close()
	}
}
