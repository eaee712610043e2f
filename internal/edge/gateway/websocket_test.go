package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
	paho3 "github.com/eclipse/paho.mqtt.golang"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/mqtt"
)

// web serves the house's WebSocket as a node does, over TLS if c is not nil. as may change requests, as what stands before
// the gateway does.
func (h *house) web(t *testing.T, c *tls.Config, as func(*http.Request)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = l.Addr().String()
	if c != nil {
		l = h.Handshakes(l, c)
	}
	s := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if as != nil {
			as(r)
		}
		h.ServeHTTP(w, r)
	})}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-served
	})
	return addr
}

// A webLamp is a WebSocket client that does as it is told.
type webLamp struct {
	net.Conn
	r       *bufio.Reader
	frames  func(b []byte) []byte // how what is written is framed; nil: as one binary frame
	left    int                   // of the frame that is read
	control []string              // what came between
}

const webRequest = "GET /mqtt HTTP/1.1\r\nHost: lamps.example\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqttv3.1, mqtt\r\n"

// webOver opens a WebSocket on a connection. more are lines of the request, early what is sent without waiting.
func webOver(t *testing.T, nc net.Conn, more string, early []byte) *webLamp {
	t.Helper()
	t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(patience))
	if _, err := nc.Write(append([]byte(webRequest+more+"\r\n"), early...)); err != nil {
		t.Fatal(err)
	}
	w := &webLamp{Conn: nc, r: bufio.NewReader(nc)}
	res, err := http.ReadResponse(w.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha1.Sum([]byte("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if h := res.Header; res.StatusCode != 101 || h.Get("Sec-WebSocket-Protocol") != "mqtt" || h.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]) || h.Get("Sec-WebSocket-Extensions") != "" {
		t.Fatalf("the upgrade was answered %s %v", res.Status, h)
	}
	return w
}

// frame is one of a client. announced, if not 0, is its length, whatever follows.
func frame(first byte, payload []byte, announced uint64) []byte {
	n := uint64(len(payload))
	if announced > 0 {
		n = announced
	}
	b := []byte{first}
	switch {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0xfe), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0xff), n)
	}
	mask := make([]byte, 4)
	_, _ = rand.Read(mask)
	b = append(b, mask...)
	for i, c := range payload {
		b = append(b, c^mask[i%4])
	}
	return b
}

func (w *webLamp) Write(b []byte) (int, error) {
	out := frame(0x82, b, 0)
	if w.frames != nil {
		out = w.frames(b)
	}
	if _, err := w.Conn.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

var errClosing = errors.New("a close frame came")

func (w *webLamp) Read(b []byte) (int, error) {
	for w.left == 0 {
		head := make([]byte, 2)
		if _, err := io.ReadFull(w.r, head); err != nil {
			return 0, err
		}
		n := int(head[1])
		if n == 126 {
			if _, err := io.ReadFull(w.r, head); err != nil {
				return 0, err
			}
			n = int(binary.BigEndian.Uint16(head))
			head = []byte{0x82, 126}
		}
		if head[1]&0x80 != 0 || head[1] == 127 {
			return 0, fmt.Errorf("a server's frame begins % x", head)
		}
		if head[0] == 0x82 {
			w.left = n
			continue
		}
		payload := make([]byte, n)
		if _, err := io.ReadFull(w.r, payload); err != nil {
			return 0, err
		}
		w.control = append(w.control, fmt.Sprintf("%x %x", head[0], payload))
		if head[0] == 0x88 {
			return 0, errClosing
		}
	}
	n, err := w.r.Read(b[:min(len(b), w.left)])
	w.left -= n
	return n, err
}

// TestPahoEverywhere connects Eclipse Paho's clients of both versions by every way.
func TestPahoEverywhere(t *testing.T) {
	h, ca := newHouse(t, 1, nil, gateway.Limits{Takeovers: 1000}), newAuthority(t, "ca")
	d := h.Lights[0]
	c := ca.server(t)
	c.NextProtos = []string{"http/1.1"}
	for _, at := range []string{
		"tcp://" + h.addr, "ssl://" + h.enter(t, gateway.Entry{TLS: ca.server(t)}), "ws://" + h.web(t, nil, nil) + "/mqtt", "wss://" + h.web(t, c, nil) + "/mqtt",
	} {
		t.Run(at[:strings.IndexByte(at, ':')]+" MQTT 3.1.1", func(t *testing.T) { h.speaksPaho3(t, d, at, ca.client()) })
		t.Run(at[:strings.IndexByte(at, ':')]+" MQTT 5", func(t *testing.T) { h.speaksPaho5(t, d, at, ca.client()) })
	}
}

func (h *house) speaksPaho3(t *testing.T, d device.Device, at string, c *tls.Config) {
	a := h.credentials(t, d)
	came := make(chan string, 10)
	client := paho3.NewClient(paho3.NewClientOptions().AddBroker(at).SetClientID(a.ClientID).SetUsername(a.Username).SetPassword(a.Password).
		SetAutoReconnect(false).SetConnectTimeout(patience).SetTLSConfig(c).SetProtocolVersion(4).
		SetDefaultPublishHandler(func(_ paho3.Client, m paho3.Message) { came <- string(m.Payload()) }))
	done := func(token paho3.Token) {
		t.Helper()
		if !token.WaitTimeout(patience) || token.Error() != nil {
			t.Fatal(token.Error())
		}
	}
	done(client.Connect())
	defer client.Disconnect(0)
	done(client.Subscribe(h.topic(d, "thing/event/property/post_reply"), 1, nil))
	done(client.Publish(h.post(d), 1, false, brightness))
	if reply := got(t, "answer", came); !strings.Contains(reply, `"code":200`) {
		t.Errorf("the report was answered %s", reply)
	}
}

func (h *house) speaksPaho5(t *testing.T, d device.Device, at string, c *tls.Config) {
	a := h.credentials(t, d)
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	came := make(chan string, 10)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	client, err := autopaho.NewConnection(ctx, autopaho.ClientConfig{
		ServerUrls: []*url.URL{u}, TlsCfg: c, KeepAlive: 60, ConnectTimeout: patience, ConnectUsername: a.Username, ConnectPassword: []byte(a.Password), CleanStartOnInitialConnection: true,
		ClientConfig: paho.ClientConfig{ClientID: a.ClientID, OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(r paho.PublishReceived) (bool, error) {
			came <- string(r.Packet.Payload)
			return true, nil
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	waiting, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := client.AwaitConnection(waiting); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Subscribe(waiting, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: h.topic(d, "thing/event/property/post_reply"), QoS: 1}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Publish(waiting, &paho.Publish{Topic: h.post(d), QoS: 1, Payload: brightness}); err != nil {
		t.Fatal(err)
	}
	if reply := got(t, "answer", came); !strings.Contains(reply, `"code":200`) {
		t.Errorf("the report was answered %s", reply)
	}
	_ = client.Disconnect(waiting)
	<-client.Done()
}

// TestWebSocketParts parts frames and packets where it likes: each byte of the stream by itself, a frame a byte, two packets a
// frame, one message in many frames with pings between, and what comes before the upgrade was answered.
func TestWebSocketParts(t *testing.T) {
	h, ca := newHouse(t, 1, nil, gateway.Limits{Takeovers: 1000}), newAuthority(t, "ca")
	d := h.Lights[0]
	plain, secure := h.web(t, nil, nil), h.web(t, ca.server(t), nil)
	each := func(b []byte) (out []byte) {
		for i := range b {
			out = append(out, frame(0x82, b[i:i+1], 0)...)
		}
		return out
	}
	parted := func(b []byte) (out []byte) {
		for i := range b {
			out = append(out, frame([]byte{0x00, 0x02}[max(0, 1-i)], b[i:i+1], 0)...)
			out = append(out, frame(0x89, []byte("?"), 0)...)
		}
		return append(out, frame(0x80, nil, 0)...)
	}
	for _, tt := range []struct {
		name   string
		bytes  bool // each by itself
		frames func([]byte) []byte
	}{{"whole", false, nil}, {"bytes", true, nil}, {"a frame a byte", false, each}, {"a message of frames of a byte", false, parted}, {"bytes, a frame a byte", true, each}} {
		for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
			for _, over := range []bool{false, true} {
				nc := dialTCP(t, map[bool]string{false: plain, true: secure}[over])
				if tt.bytes {
					nc = crumbs{nc}
				}
				if over {
					nc = tls.Client(nc, ca.client())
				}
				w := webOver(t, nc, "", nil)
				w.frames = tt.frames
				r, ack := h.over(t, w, d, v)
				if ack.Code != 0 {
					t.Fatalf("%s: CONNACK %+v", tt.name, ack)
				}
				h.works(t, r, d)
				r.send(t, slices.Repeat([]byte{0xc0, 0}, 3)) // in one write
				r.await(t, mqtt.PINGRESP, 3)
			}
		}
	}
	w := webOver(t, dialTCP(t, plain), "", frame(0x82, h.connect(t, d, mqtt.V311), 0))
	r := &rawLamp{nc: w, in: mqtt.Decoder{Version: mqtt.V311}}
	r.await(t, mqtt.CONNACK, 1)
	h.works(t, r, d)
}

// TestWebSocketPing: a ping of the WebSocket is answered with what it carries, before CONNECT and after, and keeps no MQTT
// session alive.
func TestWebSocketPing(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{Hello: time.Second})
	addr := h.web(t, nil, nil)
	w := webOver(t, dialTCP(t, addr), "", nil)
	w.frames = func(b []byte) []byte {
		return slices.Concat(frame(0x89, nil, 0), frame(0x82, b, 0), frame(0x89, bytes.Repeat([]byte{'x'}, 125), 0), frame(0x8a, []byte("unasked"), 0))
	}
	r, _ := h.over(t, w, h.Lights[0], mqtt.V5)
	h.works(t, r, h.Lights[0])
	if got := w.control; len(got) < 2 || got[0] != "8a " || got[1] != "8a "+strings.Repeat("78", 125) {
		t.Errorf("the pings were answered %q", got)
	}
	idle := webOver(t, dialTCP(t, addr), "", nil)
	go func() {
		for {
			if _, err := idle.Conn.Write(frame(0x89, []byte("here"), 0)); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	isClosed(t, idle)
}

// TestWebSocketBreaches: what is against the protocol is told by its code, and ends that connection and no other.
func TestWebSocketBreaches(t *testing.T) {
	h := newHouse(t, 2, nil, gateway.Limits{MaxPacket: 4096, Takeovers: 1000})
	addr := h.web(t, nil, nil)
	other, _ := h.over(t, webOver(t, dialTCP(t, addr), "", nil), h.Lights[1], mqtt.V5)
	for _, tt := range []struct {
		name string
		b    []byte
		code string // of the close frame
	}{
		{"a text", frame(0x81, []byte("hello"), 0), "03eb"},
		{"a frame without mask", []byte{0x82, 2, 0xc0, 0}, "03ea"},
		{"a compressed frame", frame(0xc2, []byte{0xc0, 0}, 0), "03ea"},
		{"a huge frame", frame(0x82, nil, 1<<62), "03f1"},
		{"a frame beyond the largest packet", frame(0x82, nil, 4097), "03f1"},
		{"a message beyond it", slices.Concat(frame(0x02, nil, 0), frame(0x00, []byte{0x10}, 0), frame(0x80, nil, 4096)), "03f1"},
		{"a close", frame(0x88, []byte{3, 0xe8, 'b', 'y', 'e'}, 0), "03e8"},
		{"an empty close", frame(0x88, nil, 0), "03e8"},
		{"half a code", frame(0x88, []byte{3}, 0), "03ea"},
		{"MQTT's DISCONNECT", frame(0x82, []byte{0xe0, 0}, 0), "03e8"},
		{"no MQTT", frame(0x82, []byte{0xff, 0xff, 0xff, 0xff, 0xff}, 0), "03ea"},
	} {
		for _, signedIn := range []bool{true, false} {
			if !signedIn && strings.HasPrefix(tt.name, "MQTT") {
				continue
			}
			w := webOver(t, dialTCP(t, addr), "", nil)
			if signedIn {
				h.over(t, w, h.Lights[0], mqtt.V311)
			}
			if _, err := w.Conn.Write(tt.b); err != nil {
				t.Fatal(err)
			}
			_, err := io.Copy(io.Discard, w)
			if !errors.Is(err, errClosing) || w.control[len(w.control)-1] != "88 "+tt.code {
				t.Errorf("%s, signed in %v: %v, control %q, want a close of %s", tt.name, signedIn, err, w.control, tt.code)
			}
			isClosed(t, w.Conn)
		}
	}
	for _, cut := range []int{1, 3, 7, 20} { // the end in the middle of a frame
		w := webOver(t, dialTCP(t, addr), "", nil)
		h.over(t, w, h.Lights[0], mqtt.V311)
		b := frame(0x82, mqtt.AppendPublish(nil, mqtt.V311, h.post(h.Lights[0]), brightness, 1, 1, false, false), 0)
		if _, err := w.Conn.Write(b[:cut]); err != nil {
			t.Fatal(err)
		}
		_ = w.Conn.(*net.TCPConn).CloseWrite()
		isClosed(t, w.Conn)
	}
	devicetest.Eventually(t, "only the other light to be online", func() (bool, any) { return h.Sessions() == 1, h.Sessions() })
	h.works(t, other, h.Lights[1])
}

// TestWebSocketDeaf: a client that pings and takes no answer is dropped, and so is one that says nothing, or half a frame.
func TestWebSocketDeaf(t *testing.T) {
	h := newHouse(t, 0, nil, gateway.Limits{Hello: time.Second, Write: time.Second})
	addr := h.web(t, nil, nil)
	w := webOver(t, dialTCP(t, addr), "", nil)
	flood := bytes.Repeat(frame(0x89, bytes.Repeat([]byte{'x'}, 125), 0), 1000)
	_ = w.SetDeadline(time.Now().Add(2 * patience))
	for {
		if _, err := w.Conn.Write(flood); err != nil {
			if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
				t.Error("it is taken for ever")
			}
			break
		}
	}
	for _, n := range []int{0, 1, 2, 5, 9} { // bytes of a frame, and no more
		slow := webOver(t, dialTCP(t, addr), "", nil)
		if _, err := slow.Conn.Write(frame(0x82, []byte("\x10\x0c\x00\x04MQTT"), 0)[:n]); err != nil {
			t.Fatal(err)
		}
		isClosed(t, slow.Conn)
	}
}

// TestWebSocketRequests refuses what is no device's request, and says what is wanted.
func TestWebSocketRequests(t *testing.T) {
	h := newHouse(t, 0, nil, gateway.Limits{})
	addr := h.web(t, nil, nil)
	without := func(line string) string {
		at := strings.Index(webRequest, line)
		return webRequest[:at] + webRequest[at+strings.Index(webRequest[at:], "\n")+1:]
	}
	for n, tt := range []struct {
		name, request string
		status        int
		says, header  string
	}{
		{"a browser", "GET /mqtt HTTP/1.1\r\nHost: x\r\n", 426, "by WebSocket", "websocket"},
		{"HTTP 1.0", strings.Replace(webRequest, "HTTP/1.1", "HTTP/1.0", 1), 426, "by WebSocket", "websocket"},
		{"no Connection", without("Connection"), 426, "Connection: Upgrade", "websocket"},
		{"POST", strings.Replace(webRequest, "GET", "POST", 1) + "Content-Length: 0\r\n", 405, "with GET", "GET"},
		{"an old version", strings.Replace(webRequest, "Version: 13", "Version: 8", 1), 426, "must be 13", "13"},
		{"no key", without("Sec-WebSocket-Key"), 400, "Sec-WebSocket-Key must be 16 bytes", ""},
		{"a short key", strings.Replace(webRequest, "dGhlIHNhbXBsZSBub25jZQ==", "dGhl", 1), 400, "Sec-WebSocket-Key must be 16 bytes", ""},
		{"no subprotocol", without("Sec-WebSocket-Protocol"), 400, "Sec-WebSocket-Protocol must offer mqtt", ""},
		{"another subprotocol", strings.Replace(webRequest, "mqttv3.1, mqtt", "mqttv3.1, chat", 1), 400, "Sec-WebSocket-Protocol must offer mqtt", ""},
		{"a body", webRequest + "Content-Length: 5\r\n", 400, "no body", ""},
		{"through a proxy that is not believed", webRequest + "X-Forwarded-For: 203.0.113.5\r\n", 403, "--trusted-proxies", ""},
	} {
		nc := dialTCP(t, addr)
		if _, err := io.WriteString(nc, tt.request+"\r\n"); err != nil {
			t.Fatal(err)
		}
		_ = nc.SetDeadline(time.Now().Add(patience))
		res, err := http.ReadResponse(bufio.NewReader(nc), nil)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1000))
		shown := res.Header.Get("Allow") + res.Header.Get("Upgrade") + res.Header.Get("Sec-WebSocket-Version")
		if res.StatusCode != tt.status || !strings.Contains(string(text), tt.says) || shown != tt.header {
			t.Errorf("%s: %s %q %q, want %d %q %q", tt.name, res.Status, text, shown, tt.status, tt.says, tt.header)
		}
		h.turned(t, "websocket", int64(n+1))
	}
}

// TestWebSocketFull answers that there is no place, and takes the next when there is one.
func TestWebSocketFull(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{MaxSessions: 1})
	addr := h.web(t, nil, nil)
	first := h.dial(t, h.Lights[0])
	nc := dialTCP(t, addr)
	if _, err := io.WriteString(nc, webRequest+"\r\n"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil || res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
		t.Fatalf("%v, %v", res, err)
	}
	h.turned(t, "full", 1)
	first.Kill()
	devicetest.Eventually(t, "a place", func() (bool, any) {
		res, err := http.ReadResponse(bufio.NewReader(answer(t, addr)), nil)
		return err == nil && res.StatusCode == 101, err
	})
}

// answer is what a request for a WebSocket is answered.
func answer(t *testing.T, addr string) net.Conn {
	t.Helper()
	nc := dialTCP(t, addr)
	if _, err := io.WriteString(nc, webRequest+"\r\n"); err != nil {
		t.Fatal(err)
	}
	_ = nc.SetDeadline(time.Now().Add(patience))
	return nc
}

// TestWebSocketIsNobody: where a request comes from, and what it shows of a browser's, says nothing of who the device is; and
// from other machines it comes over TLS.
func TestWebSocketIsNobody(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{Takeovers: 1000})
	d := h.Lights[0]
	const shown = "Origin: https://evil.example\r\nCookie: lw_session=secret\r\nAuthorization: Bearer lw_secret\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
	for _, tt := range []struct {
		name, from string
		tls        bool
		code       mqtt.Reason
		wrong      bool // signature
	}{
		{"from this machine", "127.0.0.1:7", false, mqtt.Success, false},
		{"from another", "192.0.2.1:7", false, mqtt.NotAuthorised, false},
		{"from another over TLS", "192.0.2.1:7", true, mqtt.Success, false},
		{"from a network of IPv6 over TLS", "[2001:db8::1]:7", true, mqtt.Success, false},
		{"from another over TLS, with a wrong signature", "192.0.2.1:7", true, mqtt.BadLogin, true},
	} {
		addr := h.web(t, nil, func(r *http.Request) {
			if r.RemoteAddr = tt.from; tt.tls {
				r.TLS = new(tls.ConnectionState)
			}
		})
		before := h.Log.Tail()
		w := webOver(t, dialTCP(t, addr), shown, nil)
		connect := h.connect(t, d, mqtt.V5)
		if tt.wrong {
			connect[len(connect)-1] ^= 1
		}
		r := &rawLamp{nc: w, in: mqtt.Decoder{Version: mqtt.V5}}
		r.send(t, connect)
		if ack := r.await(t, mqtt.CONNACK, 1); mqtt.Reason(ack.Code) != tt.code {
			t.Errorf("%s: CONNACK %#x, want %#x", tt.name, ack.Code, byte(tt.code))
		} else if tt.code == mqtt.Success {
			devicetest.Eventually(t, tt.name+": to be shown at "+tt.from, func() (bool, any) {
				got := h.address(t, before, d)
				return got == tt.from, got
			})
		}
	}
}

// TestHandshakesEnd closes a listener of HTTP whose handshakes are under way.
func TestHandshakesEnd(t *testing.T) {
	h, ca := newHouse(t, 0, nil, gateway.Limits{Hello: time.Hour}), newAuthority(t, "ca")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l = h.Handshakes(l, ca.server(t))
	accepted := make(chan error, 1)
	go func() {
		_, err := l.Accept()
		accepted <- err
	}()
	var slow []net.Conn
	for range 5 {
		nc := dialTCP(t, l.Addr().String())
		if _, err := nc.Write(clientHello(t)); err != nil {
			t.Fatal(err)
		}
		_ = nc.SetReadDeadline(time.Now().Add(patience))
		if _, err := nc.Read(make([]byte, 1)); err != nil { // it is answered, and so under way
			t.Fatal(err)
		}
		slow = append(slow, nc)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if n := h.Counts()["connections_turned_away_tls_total"]; n != 5 {
		t.Errorf("when it is closed %d handshakes of 5 have ended", n)
	}
	if err := got(t, "end of Accept", accepted); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept ended with %v", err)
	}
	for _, nc := range slow {
		isClosed(t, nc)
	}
}
