package virtual

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6455 wants it; nothing rests on it
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// Opcodes of RFC 6455, section 5.2.
const (
	continued = 0x0
	binaryOp  = 0x2
	closing   = 0x8
	pinging   = 0x9
	ponging   = 0xa
)

// socket is a WebSocket connection as a device has it: a frame a write.
type socket struct {
	net.Conn
	r    *bufio.Reader
	left uint64 // bytes of the frame that is read
}

// upgrade opens the WebSocket on a connection; ctx bounds it. On an error the connection is closed.
func upgrade(ctx context.Context, nc net.Conn, host, path string) (net.Conn, error) {
	stop := context.AfterFunc(ctx, func() { _ = nc.Close() })
	defer stop()
	s := &socket{Conn: nc, r: bufio.NewReaderSize(nc, 512)}
	if err := s.handshake(host, path); err != nil {
		return nil, errors.Join(fmt.Errorf("opening a WebSocket: %w", err), nc.Close())
	}
	return s, nil
}

func (s *socket) handshake(host, path string) error {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // it never fails
	key := base64.StdEncoding.EncodeToString(nonce[:])
	_, err := fmt.Fprintf(s.Conn, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n", path, host, key)
	if err != nil {
		return err
	}
	res, err := http.ReadResponse(s.r, nil)
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // as above
	switch {
	case res.StatusCode != http.StatusSwitchingProtocols:
		return fmt.Errorf("%s answers %s", path, res.Status)
	case res.Header.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]), res.Header.Get("Sec-WebSocket-Protocol") != "mqtt":
		return errors.New("the answer is not that of a WebSocket for MQTT")
	}
	return nil
}

// Write implements io.Writer.
func (s *socket) Write(b []byte) (int, error) {
	if err := s.frame(binaryOp, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// frame writes one whole frame, masked as RFC 6455 wants it of a client.
func (s *socket) frame(op byte, b []byte) error {
	out := make([]byte, 0, len(b)+14)
	switch {
	case len(b) < 126:
		out = append(out, 0x80|op, 0x80|byte(len(b)))
	case len(b) < 1<<16:
		out = binary.BigEndian.AppendUint16(append(out, 0x80|op, 0x80|126), uint16(len(b)))
	default:
		out = binary.BigEndian.AppendUint64(append(out, 0x80|op, 0x80|127), uint64(len(b)))
	}
	var mask [4]byte
	_, _ = rand.Read(mask[:])
	out = append(out, mask[:]...)
	for i, c := range b {
		out = append(out, c^mask[i%4])
	}
	_, err := s.Conn.Write(out)
	return err
}

// Read implements io.Reader. It answers a ping, and ends with the server's close.
func (s *socket) Read(b []byte) (int, error) {
	for s.left == 0 {
		op, n, err := s.head()
		if err != nil {
			return 0, err
		}
		switch op {
		case continued, binaryOp:
			s.left = n
		case pinging, ponging:
			text := make([]byte, min(n, 125))
			if _, err := io.ReadFull(s.r, text); err != nil {
				return 0, err
			}
			if op == ponging {
				continue
			}
			if err := s.frame(ponging, text); err != nil {
				return 0, err
			}
		case closing:
			return 0, io.EOF
		default:
			return 0, fmt.Errorf("a WebSocket frame of kind %d, want binary", op)
		}
	}
	n, err := s.r.Read(b[:min(uint64(len(b)), s.left)])
	s.left -= uint64(n) //nolint:gosec // n is no more than left
	return n, err
}

// head reads the beginning of a frame: its opcode and how long it is.
func (s *socket) head() (op byte, n uint64, err error) {
	var b [8]byte
	if _, err = io.ReadFull(s.r, b[:2]); err != nil {
		return 0, 0, err
	}
	op, n = b[0]&0xf, uint64(b[1]&0x7f)
	more := 0
	switch n {
	case 126:
		more = 2
	case 127:
		more = 8
	}
	if more == 0 {
		return op, n, nil
	}
	clear(b[:])
	_, err = io.ReadFull(s.r, b[8-more:])
	return op, binary.BigEndian.Uint64(b[:]), err
}
