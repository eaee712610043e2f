package wyoming

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"
)

// Limits of a server. Connections beyond them are closed unread.
const (
	MaxConnections = 64
	MaxEach        = 4                // of one address
	Idle           = 30 * time.Second // from one event to the end of the next

	answerWithin = 20 * time.Second // what a handler may take; whoever asks has given up before
	maxIgnored   = 256              // events in a row that ask for nothing
)

// A Handler understands sentences for a [Server], several at a time.
type Handler interface {
	// Handle does what a sentence says. An error that is a [*Refusal] is told to whoever asked; of any other they hear only
	// that something went wrong here.
	Handle(ctx context.Context, in Sentence) (Reply, error)
	// Meanings says what a sentence would do, without doing it. None is: not understood.
	Meanings(ctx context.Context, in Sentence) ([]Meaning, error)
}

// A Sentence is what somebody said to a peer.
type Sentence struct {
	Text         string
	Lang         string // as the peer names it, one of those that are offered, or empty
	Conversation string // id of the peer's, or empty
	From         string // host of the peer
}

// A Reply is what is said to a sentence.
type Reply struct {
	Text       string
	Understood bool // also of what could not be done, and of a question back
}

// A Meaning is one act of a sentence, under a name of the handler's own.
type Meaning struct {
	Name     string   `json:"name"`
	Entities []Entity `json:"entities"`
}

// An Entity is a part of a meaning.
type Entity struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}

// A Refusal is an error for whoever asked.
type Refusal struct {
	Code string
	Text string
}

func (r *Refusal) Error() string { return r.Text }

// ServerConfig says what a server is and who answers for it.
type ServerConfig struct {
	Handler     Handler
	Name        string // what it calls itself
	Description string
	By, URL     string // who makes it
	Version     string
	Languages   []string
	Logger      *slog.Logger
	Idle        time.Duration // default [Idle]
}

// A Server has sentences understood (handle and intent) for whoever connects: the protocol knows no passwords.
type Server struct {
	c     ServerConfig
	info  info
	stop  chan struct{} // closed by Shutdown
	once  sync.Once
	ended chan struct{} // closed when Serve has returned

	mu   sync.Mutex // guards the rest
	open int
	each map[netip.Addr]int
}

// NewServer starts nothing.
func NewServer(c ServerConfig) *Server {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Idle <= 0 {
		c.Idle = Idle
	}
	return &Server{c: c, info: describe(c), stop: make(chan struct{}), ended: make(chan struct{}), each: make(map[netip.Addr]int)}
}

// Serve takes connections of l, until [Server.Shutdown] or the end of ctx, which breaks off what is under way. It closes l
// and waits for everything it started. It is called once.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	defer close(s.ended)
	ctx, end := context.WithCancel(ctx)
	defer end()
	quiet, hush := context.WithCancel(ctx)
	defer hush()
	var all sync.WaitGroup
	all.Go(func() {
		select {
		case <-s.stop:
		case <-ctx.Done():
		}
		hush()
		l.Close()
	})
	err := s.accept(quiet, l, func(conn net.Conn) {
		all.Go(func() { s.hold(ctx, quiet, conn) })
	})
	if err != nil {
		end()
	}
	all.Wait()
	return err
}

// Shutdown takes no more connections, lets sentences under way end, and waits for that as long as ctx lets it. It is of
// use once Serve has been called.
func (s *Server) Shutdown(ctx context.Context) error {
	s.once.Do(func() { close(s.stop) })
	select {
	case <-s.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// acceptAgain is how long a listener that fails is left alone: the process may be out of files for a moment.
const acceptAgain = 100 * time.Millisecond

func (s *Server) accept(quiet context.Context, l net.Listener, take func(net.Conn)) error {
	for {
		conn, err := l.Accept()
		switch {
		case err == nil && s.enter(conn):
			take(conn)
			continue
		case err == nil:
			conn.Close()
			continue
		case quiet.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("taking connections of Wyoming: %w", err)
		}
		s.c.Logger.LogAttrs(quiet, slog.LevelWarn, "a connection of Wyoming was not taken", slog.Any("error", err))
		select {
		case <-quiet.Done():
		case <-time.After(acceptAgain):
		}
	}
}

// enter counts a connection in, if there is room.
func (s *Server) enter(conn net.Conn) bool {
	from := address(conn)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open >= MaxConnections || s.each[from] >= MaxEach {
		return false
	}
	s.open++
	s.each[from]++
	return true
}

func (s *Server) leave(conn net.Conn) {
	from := address(conn)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	if s.each[from]--; s.each[from] == 0 {
		delete(s.each, from)
	}
}

// address is that of the peer; of IPv6 the network that one customer has.
func address(conn net.Conn) netip.Addr {
	at, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	a := at.Addr().Unmap().WithZone("")
	if net64, err := a.Prefix(64); err == nil && a.Is6() && !a.IsLoopback() {
		return net64.Addr()
	}
	return a
}

// host is the peer itself: who speaks, where address is what connections are counted by.
func host(conn net.Conn) string {
	at, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return ""
	}
	return at.Addr().Unmap().String()
}

// hold answers the events of one connection. When quiet ends it finishes the one at hand.
func (s *Server) hold(ctx, quiet context.Context, conn net.Conn) {
	defer conn.Close()
	defer s.leave(conn) // before the peer sees the end, and comes again
	defer s.caught(ctx)
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer context.AfterFunc(quiet, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })()
	c := &caller{Server: s, conn: conn, from: host(conn)}
	r := NewReader(conn, MaxServerPayload)
	for ignored := 0; ignored < maxIgnored; ignored++ {
		if err := conn.SetReadDeadline(time.Now().Add(s.c.Idle)); err != nil || quiet.Err() != nil {
			return
		}
		e, err := r.Read()
		if err != nil {
			s.c.Logger.LogAttrs(ctx, slog.LevelDebug, "a connection of Wyoming ended", slog.String("address", c.from), slog.Any("reason", err))
			return
		}
		answered, err := c.answer(ctx, e)
		if err != nil {
			return
		}
		if answered {
			ignored = -1
		}
	}
}

// caught logs a panic: one sentence must not end the program.
func (s *Server) caught(ctx context.Context) {
	if v := recover(); v != nil {
		s.c.Logger.LogAttrs(ctx, slog.LevelError, "a connection of Wyoming panicked", slog.String("panic", fmt.Sprint(v)), slog.String("stack", string(debug.Stack())))
	}
}
