package virtual_test

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"lampworks/internal/fleet/virtual"
)

func TestParseLine(t *testing.T) {
	for _, tt := range []struct {
		in string
		ok bool
	}{
		{"127.0.0.1:1883", true},
		{"[::1]:1883", true},
		{"lamps.example:1883", true},
		{"mqtt://127.0.0.1:1883", true},
		{"mqtts://127.0.0.1:8883", true},
		{"ws://127.0.0.1:8080", true},
		{"ws://127.0.0.1:8080/mqtt", true},
		{"wss://127.0.0.1:8443/elsewhere", true},
		{"", false},
		{"127.0.0.1", false},
		{"127.0.0.1:0", false},
		{"127.0.0.1:65536", false},
		{"127.0.0.1:mqtt", false},
		{"mqtt://127.0.0.1", false},
		{"mqtt://127.0.0.1:1883/mqtt", false},
		{"mqtts://name:word@127.0.0.1:8883", false},
		{"ws://127.0.0.1:8080?a=b", false},
		{"http://127.0.0.1:8080", false},
		{"ws://127.0.0.1:80\x7f", false},
	} {
		if _, err := virtual.ParseLine(tt.in, nil); (err == nil) != tt.ok {
			t.Errorf("ParseLine(%q): %v", tt.in, err)
		}
	}
}

// A host takes one WebSocket, as it is told to.
type host struct {
	answer func(key string) string // to the request
	then   func(nc net.Conn, r *bufio.Reader)
}

// dial opens a WebSocket to a host that ends with the test.
func (h host) dial(t *testing.T) (net.Conn, error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		r := bufio.NewReader(nc)
		q, err := http.ReadRequest(r)
		if err != nil {
			t.Error(err)
			return
		}
		if q.URL.Path != "/mqtt" || q.Header.Get("Sec-WebSocket-Protocol") != "mqtt" {
			t.Errorf("asked for %s with %v", q.URL, q.Header)
		}
		_, _ = io.WriteString(nc, h.answer(q.Header.Get("Sec-WebSocket-Key")))
		if h.then != nil {
			h.then(nc, r)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	line, err := virtual.ParseLine("ws://"+l.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return line.Dial(t.Context(), "tcp", "")
}

func welcome(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(sum[:]) + "\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
}

// TestWebSocketIsRefused gives answers that open nothing.
func TestWebSocketIsRefused(t *testing.T) {
	for name, tt := range map[string]struct{ answer, want string }{
		"not found":        {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "/mqtt answers 404 Not Found"},
		"another key":      {welcome("AAAA"), "not that of a WebSocket for MQTT"},
		"no HTTP":          {"\x20\x02\x00\x00\r\n\r\n", "reading the answer"},
		"cut in the midst": {"HTTP/1.1 101 Switching", "reading the answer"},
	} {
		_, err := host{answer: func(string) string { return tt.answer }}.dial(t)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, tt.want)
		}
	}
	other := func(key string) string {
		return strings.Replace(welcome(key), "Protocol: mqtt", "Protocol: chat", 1)
	}
	if _, err := (host{answer: other}).dial(t); err == nil {
		t.Error("another subprotocol was taken")
	}
}

// TestWebSocketFrames reads frames of all lengths, in pieces and with a ping between, and writes them masked.
func TestWebSocketFrames(t *testing.T) {
	long := bytes.Repeat([]byte("lamp"), 20_000)
	sizes := []int{0, 1, 125, 126, 65_535, 65_536}
	heard := make(chan string, len(sizes)+1)
	h := host{answer: welcome, then: func(nc net.Conn, r *bufio.Reader) {
		for _, f := range []struct {
			first byte
			b     []byte
		}{{0x02, long[:3]}, {0x89, []byte("there?")}, {0x80, long[3:200]}, {0x82, nil}, {0x82, long[200:]}, {0x88, nil}} {
			if _, err := nc.Write(append(lengthOf(f.first, len(f.b)), f.b...)); err != nil {
				t.Error(err)
			}
		}
		for range len(sizes) + 1 {
			op, b, err := unmask(r)
			if err != nil {
				t.Error(err)
			}
			if !bytes.Equal(b, long[:len(b)]) && op != 0x8a {
				t.Errorf("a frame of %d bytes came otherwise than it went", len(b))
			}
			heard <- fmt.Sprintf("%x %d", op, len(b))
		}
	}}
	nc, err := h.dial(t)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	got, err := io.ReadAll(nc)
	if err != nil || !bytes.Equal(got, long) {
		t.Errorf("read %d bytes, want %d: %v", len(got), len(long), err)
	}
	if got := <-heard; got != "8a 6" {
		t.Errorf("a ping is answered %s", got)
	}
	for _, n := range sizes {
		if _, err := nc.Write(long[:n]); err != nil {
			t.Fatal(err)
		}
		if got, want := <-heard, fmt.Sprintf("82 %d", n); got != want {
			t.Errorf("%d bytes came as %s", n, got)
		}
	}
}

// TestWebSocketText ends a connection on which a frame comes that is not binary.
func TestWebSocketText(t *testing.T) {
	nc, err := host{answer: welcome, then: func(nc net.Conn, _ *bufio.Reader) { _, _ = nc.Write([]byte{0x81, 1, 'a'}) }}.dial(t)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := nc.Read(make([]byte, 10)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("a text ends as %v", err)
	}
}

func lengthOf(first byte, n int) []byte {
	switch {
	case n < 126:
		return []byte{first, byte(n)}
	case n < 1<<16:
		return binary.BigEndian.AppendUint16([]byte{first, 126}, uint16(n))
	}
	return binary.BigEndian.AppendUint64([]byte{first, 127}, uint64(n))
}

// unmask reads a frame of a client.
func unmask(r *bufio.Reader) (first byte, b []byte, err error) {
	var head [14]byte
	if _, err = io.ReadFull(r, head[:2]); err != nil {
		return 0, nil, err
	}
	if head[1]&0x80 == 0 {
		return 0, nil, errors.New("a frame of a client is not masked")
	}
	n := uint64(head[1] & 0x7f)
	if more := map[uint64]int{126: 2, 127: 8}[n]; more > 0 {
		if _, err = io.ReadFull(r, head[10-more:10]); err != nil {
			return 0, nil, err
		}
		n = binary.BigEndian.Uint64(append(make([]byte, 8-more), head[10-more:10]...))
	}
	mask := head[10:]
	if _, err = io.ReadFull(r, mask); err != nil {
		return 0, nil, err
	}
	b = make([]byte, n)
	_, err = io.ReadFull(r, b)
	for i := range b {
		b[i] ^= mask[i%4]
	}
	return head[0], b, err
}
