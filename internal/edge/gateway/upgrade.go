package gateway

import (
	"bufio"
	"context"
	"crypto/sha1" //nolint:gosec // RFC 6455 wants it; nothing rests on it
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// WebSocketPath is where devices connect by WebSocket, beside the API.
const WebSocketPath = "/mqtt"

// ServeHTTP takes a device that comes by WebSocket. Who it is says its CONNECT alone: no cookie and no header of the request
// is looked at for that, and the page that opened the connection gains nothing by its origin. r.TLS and r.RemoteAddr are
// taken as they are: whoever believes a proxy sets them.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if no := unfitFor(r); no != nil {
		g.turned(r.Context(), addrOf(r), unfit, no.text)
		for name, value := range no.header {
			w.Header().Set(name, value)
		}
		http.Error(w, no.text, no.status)
		return
	}
	from := addrOf(r)
	if why, ok := g.welcomes(from, nil); !ok {
		g.turned(r.Context(), from, why, "")
		w.Header().Set("Retry-After", "10")
		http.Error(w, "there are too many connections now; come back later", http.StatusServiceUnavailable)
		return
	}
	g.open.Add(1)
	s, err := g.upgrade(w, r)
	if err != nil {
		g.open.Add(-1)
		g.turned(r.Context(), from, unfit, err.Error())
		return
	}
	s.from = from
	g.hold(context.Background(), s, r.TLS != nil) // the request ends now; closing all ends what waits
}

// A misfit is why a request is no device's, and how it is answered.
type misfit struct {
	status int
	text   string
	header map[string]string
}

// unfitFor holds a request to RFC 6455 §4.2.1 and MQTT 5 §6.
func unfitFor(r *http.Request) *misfit {
	key, err := base64.StdEncoding.DecodeString(r.Header.Get("Sec-WebSocket-Key"))
	switch {
	case r.Method != http.MethodGet:
		return &misfit{http.StatusMethodNotAllowed, "devices connect here by WebSocket, with GET", map[string]string{"Allow": http.MethodGet}}
	case !r.ProtoAtLeast(1, 1) || !listed(r.Header, "Connection", "upgrade") || !listed(r.Header, "Upgrade", "websocket"):
		return &misfit{http.StatusUpgradeRequired, "devices connect here by WebSocket: Connection: Upgrade, Upgrade: websocket", map[string]string{"Connection": "Upgrade", "Upgrade": "websocket"}}
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return &misfit{http.StatusUpgradeRequired, "Sec-WebSocket-Version must be 13", map[string]string{"Sec-WebSocket-Version": "13"}}
	case err != nil || len(key) != 16:
		return &misfit{http.StatusBadRequest, "Sec-WebSocket-Key must be 16 bytes in base64", nil}
	case !listed(r.Header, "Sec-WebSocket-Protocol", "mqtt"):
		return &misfit{http.StatusBadRequest, "Sec-WebSocket-Protocol must offer mqtt", nil}
	case r.ContentLength != 0:
		return &misfit{http.StatusBadRequest, "the request must have no body", map[string]string{"Connection": "close"}} // else the answer waits for it
	case passedOn(r):
		return &misfit{http.StatusForbidden, "a proxy on this machine passed this on that is not among --trusted-proxies", nil}
	}
	return nil
}

// passedOn tells a proxy on this machine that is not believed: what comes through it would look like this machine's own, and
// those need no TLS.
func passedOn(r *http.Request) bool {
	from := addressOf(addrOf(r))
	return from.IsLoopback() && (r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "")
}

// listed reports whether a header, of elements that commas part, has one.
func listed(h http.Header, name, want string) bool {
	for element := range strings.SplitSeq(strings.Join(h.Values(name), ","), ",") {
		if strings.EqualFold(strings.TrimSpace(element), want) {
			return true
		}
	}
	return false
}

func addrOf(r *http.Request) net.Addr {
	from, _ := netip.ParseAddrPort(r.RemoteAddr)
	return net.TCPAddrFromAddrPort(from)
}

// upgrade takes the connection from the server of HTTP and answers as WebSocket. No extension is agreed to.
func (g *Gateway) upgrade(w http.ResponseWriter, r *http.Request) (*socket, error) {
	nc, both, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "the connection cannot be taken over", http.StatusInternalServerError)
		return nil, fmt.Errorf("taking the connection over: %w", err)
	}
	below, err := g.below(nc)
	if err != nil {
		_ = nc.Close()
		return nil, err
	}
	s := &socket{puller: below, in: frames{most: int64(g.limits.MaxPacket)}}
	if s.early, err = early(both.Reader); err == nil {
		sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // as above
		_ = nc.SetDeadline(time.Now().Add(g.limits.Write))
		_, err = fmt.Fprintf(nc, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
			base64.StdEncoding.EncodeToString(sum[:]))
	}
	if err == nil {
		err = nc.SetDeadline(time.Time{})
	}
	if err != nil {
		_ = s.cut()
		return nil, fmt.Errorf("answering: %w", err)
	}
	return s, nil
}

// early is what a client sent without waiting for the answer; the reader of HTTP, which has it, is not kept.
func early(r *bufio.Reader) ([]byte, error) {
	if r.Buffered() == 0 {
		return nil, nil
	}
	b, err := r.Peek(r.Buffered())
	return append([]byte(nil), b...), err
}

// below is the connection of a request as one that can be read without waiting.
func (g *Gateway) below(nc net.Conn) (puller, error) {
	over, ok := nc.(*tls.Conn)
	if !ok {
		return &line{Conn: nc, patience: g.limits.Write}, nil
	}
	l, ok := over.NetConn().(*line)
	if !ok {
		return nil, errors.New("its listener is not one of Handshakes")
	}
	l.patience = g.limits.Write
	return &secured{over, l}, nil
}
