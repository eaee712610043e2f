package gateway

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
	"time"
)

// A puller is a connection that can be read without waiting: pull takes what has come on the descriptor, and fails with
// EAGAIN when that is nothing. Only the callback of a [syscall.RawConn] calls it, so that the descriptor is open.
type puller interface {
	net.Conn
	syscall.Conn
	pull(fd int, p []byte) (int, error)
}

// A cutter is a connection that stands on another: cut closes the lowest, which waits for nobody.
type cutter interface{ cut() error }

// A parter has a last word of its own protocol to say, as err demands. Only the reader calls part, when it has stopped.
type parter interface{ part(err error) }

// line is a TCP connection with what was learnt of it before MQTT or HTTP began.
type line struct {
	net.Conn
	from     net.Addr      // of the device, as a proxy announced it; nil: as the socket has it
	over     bool          // it came to that proxy over TLS
	patience time.Duration // a peer that takes no byte for so long is dropped; 0: whoever writes says so
	fd       int           // one more than the descriptor while pull runs: reads do not wait then
	turns    chan struct{} // while its handshake runs: has a place of ours, except during reads and writes
}

var errNoTCP = errors.New("not a TCP connection")

// SyscallConn implements syscall.Conn.
func (l *line) SyscallConn() (syscall.RawConn, error) {
	if c, ok := l.Conn.(syscall.Conn); ok {
		return c.SyscallConn()
	}
	return nil, errNoTCP
}

// RemoteAddr is the device's.
func (l *line) RemoteAddr() net.Addr {
	if l.from != nil {
		return l.from
	}
	return l.Conn.RemoteAddr()
}

func (l *line) pull(fd int, p []byte) (int, error) { return readNow(fd, p) }

// readNow reads what is there.
func readNow(fd int, p []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, p)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// errNothing says that a read would wait. TLS takes it as it takes a deadline that passed: it keeps what it has of a
// record, and goes on with the next read.
var errNothing net.Error = nothing{}

type nothing struct{}

func (nothing) Error() string   { return "nothing has come" }
func (nothing) Timeout() bool   { return true }
func (nothing) Temporary() bool { return true }

// Read implements io.Reader.
func (l *line) Read(p []byte) (int, error) {
	if l.fd > 0 {
		n, err := readNow(l.fd-1, p)
		if errors.Is(err, syscall.EAGAIN) {
			err = errNothing
		}
		return n, err
	}
	if l.turns == nil {
		return l.Conn.Read(p)
	}
	<-l.turns
	defer func() { l.turns <- struct{}{} }()
	return l.Conn.Read(p)
}

// Write implements io.Writer.
func (l *line) Write(p []byte) (int, error) {
	if l.turns != nil {
		<-l.turns
		defer func() { l.turns <- struct{}{} }()
		return l.Conn.Write(p)
	}
	if l.patience > 0 {
		_ = l.SetWriteDeadline(time.Now().Add(l.patience))
	}
	return l.Conn.Write(p)
}

// secured is a line over TLS whose handshake is done. Between two records that came it holds no buffer but what
// crypto/tls keeps of the last.
type secured struct {
	*tls.Conn
	line *line
}

func (s *secured) SyscallConn() (syscall.RawConn, error) { return s.line.SyscallConn() }

func (s *secured) pull(fd int, p []byte) (int, error) {
	s.line.fd = fd + 1
	n, err := s.Read(p)
	s.line.fd = 0
	if n == 0 && errors.Is(err, errNothing) {
		err = syscall.EAGAIN
	}
	return n, err
}

// cut does without the goodbye of TLS, which waits for a peer that takes nothing.
func (s *secured) cut() error { return s.line.Close() }

func (s *secured) part(error) { _ = s.CloseWrite() } // a peer that is gone does not hear it
