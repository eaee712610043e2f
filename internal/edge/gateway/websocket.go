package gateway

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"

	"lampworks/mqtt"
)

// socket is a WebSocket connection as one of bytes: what it reads are the payloads of binary messages, wherever these begin
// and end, and what it writes goes out in such. Between two frames it holds nothing.
type socket struct {
	puller          // below: TCP, or TLS
	from   net.Addr // of the device
	early  []byte   // what came with the request
	in     frames
	ended  error // why nothing more is read

	mu     sync.Mutex // one frame at a time is written
	parted bool       // the last was written
}

func (s *socket) RemoteAddr() net.Addr { return s.from }

// Read implements io.Reader, for what is no socket of the system.
func (s *socket) Read(p []byte) (int, error) {
	for {
		if n, err := s.take(p, s.puller.Read); n > 0 || err != nil {
			return n, err
		}
	}
}

// pull returns 0 bytes and no error when only frames came, and not what is in them: whoever reads looks then whether the
// connection was closed meanwhile.
func (s *socket) pull(fd int, p []byte) (int, error) {
	return s.take(p, func(p []byte) (int, error) { return s.puller.pull(fd, p) })
}

// take reads once, and takes the frames off.
func (s *socket) take(p []byte, read func([]byte) (int, error)) (n int, err error) {
	if s.ended != nil {
		return 0, s.ended
	}
	if len(s.early) > 0 {
		n = copy(p, s.early)
		if s.early = s.early[n:]; len(s.early) == 0 {
			s.early = nil
		}
	} else if n, err = read(p); errors.Is(err, syscall.EAGAIN) {
		return 0, err
	}
	n, wrong := s.in.strip(p[:n], s.control)
	if wrong != nil {
		err = wrong
	}
	if s.ended = err; n > 0 {
		return n, nil
	}
	return 0, err
}

// control answers a control frame.
func (s *socket) control(kind byte, payload []byte) error {
	switch kind {
	case framePing:
		return s.frame(framePong, payload)
	case frameClose:
		if len(payload) == 1 {
			return &frameError{closeProtocol, "half a code of closing"}
		}
		return io.EOF // part answers it
	}
	return nil // nobody asked for a pong
}

// frame writes a small frame.
func (s *socket) frame(kind byte, payload []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parted {
		return net.ErrClosed
	}
	s.parted = kind == frameClose
	_, err := s.puller.Write(append(appendFrame(make([]byte, 0, 4+len(payload)), kind, len(payload)), payload...))
	return err
}

// Write implements io.Writer: binary messages, each of what fits into one write below.
func (s *socket) Write(b []byte) (sent int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parted {
		return 0, net.ErrClosed
	}
	const head = 4
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for sent < len(b) {
		part := b[sent:min(len(b), sent+readSize-head)]
		if _, err := s.puller.Write(append(appendFrame((*buf)[:0], frameBinary, len(part)), part...)); err != nil {
			return sent, err
		}
		sent += len(part)
	}
	return sent, nil
}

// part closes as the protocol wants it, with the code for what went wrong.
func (s *socket) part(err error) {
	code := uint16(closeNormal)
	if broken := new(frameError); errors.As(err, &broken) {
		code = broken.code
	} else if broken := new(mqtt.ProtocolError); errors.As(err, &broken) {
		code = closeProtocol
	}
	_ = s.frame(frameClose, binary.BigEndian.AppendUint16(nil, code)) // a peer that is gone does not hear it
	if below, ok := s.puller.(parter); ok {
		below.part(err)
	}
}

func (s *socket) cut() error {
	if below, ok := s.puller.(cutter); ok {
		return below.cut()
	}
	return s.Close()
}
