package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unique"

	"lampworks/internal/infra/fault"
	"lampworks/mqtt"
)

// maxAliases is how many topic aliases a device of MQTT 5 may set.
const maxAliases = 16

// conn is one connection. What every idle session costs is here: see TestConnSize and `lampworks bench sessions`.
type conn struct {
	g    *Gateway
	nc   net.Conn
	raw  syscall.RawConn // nil for what is no socket: then a buffer waits with the connection
	s    *mqtt.Session
	cfg  mqtt.Config
	from string // remote address

	// Set by Connect, before the session is in the registry.
	device, name string
	of           unique.Handle[origin]
	epoch        uint64

	via   *conn                 // the connection of the gateway that carries the session; nil: the session has its own
	brood atomic.Pointer[brood] // of a gateway; nil: nobody came through it

	newcomer  *newcomer // set by Connect; nil: it is no registration
	stay      *stay     // set by Connect; nil: nothing of the session is written down
	secure    bool
	ahead     time.Duration // how far it is ahead of a limit; the reader waits so long
	active    atomic.Int64  // tick of the last bytes read
	started   atomic.Int64  // tick of the first byte of an unfinished packet; 0: none
	gone      atomic.Bool
	cut       atomic.Bool   // the platform or a newer connection ended it: its will is not said
	receiving atomic.Bool   // the reader is inside Receive and writes what comes of it
	writing   atomic.Bool   // somebody writes
	barred    atomic.Bool   // the last session was kept from the device, and it was not told yet that this one is not
	refused   atomic.Bool   // a command found no room in the output: deliver when that is written
	words     atomic.Uint32 // of a child: what was said of its session, see said
	unstored  atomic.Int32  // messages handed to the Log and not yet on disk
	stalled   atomic.Pointer[chan struct{}]
	filters   atomic.Pointer[subscriptions] // what the device subscribed to

	prev, next *conn // in the wheel
	slot       int16
	streak     uint8 // reads within the current tick: see busy

	mu       sync.Mutex
	reason   string           // why it ends; the first reason stands
	flying   map[uint16]int64 // packet id → Seq of the command, until PUBACK
	over     chan struct{}    // closed by the end, if somebody waits for it
	ended    bool             // the reader has stopped
	giving   bool             // a delivery runs
	again    bool             // and shall look once more
	chunk    *[]byte          // from the pool, of the read in progress
	n        int
	err      error
	readable func(fd uintptr) bool // c.readNow as a value, made once
}

func newConn(g *Gateway, nc net.Conn, secure bool) *conn {
	c := &conn{g: g, nc: nc, secure: secure, from: nc.RemoteAddr().String()}
	c.cfg = mqtt.Config{MaxPacket: g.limits.MaxPacket, Inflight: g.limits.Inflight, MaxOut: g.limits.MaxOut, Aliases: maxAliases, Wake: c.wake}
	c.s = mqtt.NewSession(&c.cfg, c)
	if socket, ok := nc.(syscall.Conn); ok {
		if raw, err := socket.SyscallConn(); err == nil {
			c.raw = raw
			c.readable = c.readNow
		}
	}
	c.touch(time.Now())
	return c
}

func (c *conn) touch(now time.Time) { c.active.Store(c.g.wheel.tick(now)) }

// due is the tick in which the connection is overdue if nothing more comes.
func (c *conn) due() int64 {
	hello := int64(c.g.limits.Hello / wheelTick)
	if started := c.started.Load(); started > 0 {
		return started + hello + 1
	}
	if !c.s.Connected() {
		return c.active.Load() + hello + 1
	}
	keep := c.s.KeepAlive()
	if keep == 0 {
		return c.active.Load() + 1<<40
	}
	return c.active.Load() + int64((keep*3/2+wheelTick-1)/wheelTick) + 1 // MQTT-3.1.2-24
}

func (c *conn) overdueReason() string {
	switch {
	case c.started.Load() > 0:
		return "half a packet"
	case !c.s.Connected():
		return "no CONNECT"
	}
	return "keep-alive timeout"
}

// readSize is what one read takes at most; buffers of this size are pooled and held only while there are bytes.
const readSize = 4 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, readSize); return &b }}

// serve reads until the connection ends.
func (c *conn) serve(ctx context.Context) {
	c.g.wheel.put(c, c.due())
	if c.g.stopping.Load() { // whoever closes all may have looked before
		c.dismiss(mqtt.ShuttingDown, stopping)
	}
	err := c.loop(ctx)
	c.end(ctx, err)
}

// loop waits for bytes and has them acted on. The stack that it waits on is kept as long as the session lives: nothing here may
// need much of it.
func (c *conn) loop(ctx context.Context) error {
	for {
		c.n, c.err = 0, nil
		if c.raw == nil {
			c.chunk = buffers.Get().(*[]byte)
			c.n, c.err = c.nc.Read(*c.chunk)
		} else if err := c.raw.Read(c.readable); err != nil {
			c.err = err
		}
		if c.n > 0 {
			c.err = c.act(ctx)
		}
		if c.chunk != nil {
			buffers.Put(c.chunk)
			c.chunk = nil
		}
		if c.err != nil {
			return c.err
		}
	}
}

// act has the bytes that were read acted on.
func (c *conn) act(ctx context.Context) error {
	if c.busy() {
		return c.receive(ctx, (*c.chunk)[:c.n])
	}
	return c.receiveByHand(ctx, (*c.chunk)[:c.n])
}

// readNow is called when the socket may have bytes. It takes a buffer only then.
func (c *conn) readNow(fd uintptr) bool {
	buf := buffers.Get().(*[]byte)
	if over, ok := c.nc.(puller); ok {
		c.n, c.err = over.pull(int(fd), *buf)
	} else {
		c.n, c.err = readNow(int(fd), *buf)
	}
	if errors.Is(c.err, syscall.EAGAIN) {
		buffers.Put(buf)
		c.n, c.err = 0, nil
		return false
	}
	c.chunk = buf
	return true
}

// receive acts on bytes and writes what comes of it.
func (c *conn) receive(ctx context.Context, b []byte) error {
	if err := c.throttle(ctx); err != nil {
		return err
	}
	if err := c.fallBack(ctx); err != nil {
		return err
	}
	now := time.Now()
	c.touch(now)
	greeted := c.s.Connected()
	c.receiving.Store(true)
	err := c.s.Receive(b)
	c.receiving.Store(false)
	c.watchPacket(len(b), now)
	c.flush()
	if c.newcomer != nil && c.newcomer.answer != nil && c.s.Connected() {
		return c.farewellNew()
	}
	if !greeted && c.s.Connected() {
		c.watchSoon()    // its keep-alive may end before the time that it had for CONNECT
		if c.listens() { // _ss=1: it subscribed by connecting
			c.deliver()
		}
	}
	return err
}

// watchPacket notes when the unfinished packet began, if there is one: with the n bytes just read, unless more are held
// than those.
func (c *conn) watchPacket(n int, now time.Time) {
	held, watched := c.s.Buffered(), c.started.Load() != 0
	switch {
	case held == 0:
		c.started.Store(0)
	case held <= n:
		c.started.Store(c.g.wheel.tick(now))
		if !watched { // its deadline is sooner than the one the wheel knows
			c.watchSoon()
		}
	}
}

// watchSoon moves the connection to where its new deadline is.
func (c *conn) watchSoon() {
	w := c.g.wheel
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unlink(c)
	w.link(c, c.due())
}

// throttle waits while the device has too much that is not on disk yet.
func (c *conn) throttle(ctx context.Context) error {
	for int(c.unstored.Load()) >= c.g.limits.MaxUnstored {
		room := make(chan struct{})
		c.stalled.Store(&room)
		if int(c.unstored.Load()) < c.g.limits.MaxUnstored {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-room:
		case <-time.After(time.Second): // looks whether the connection was closed meanwhile
			if c.gone.Load() {
				return mqtt.ErrClosed
			}
		}
	}
	return nil
}

// stored counts down what throttle waits for; called by the Log's committer.
func (c *conn) stored() {
	if int(c.unstored.Add(-1)) == c.g.limits.MaxUnstored-1 {
		if room := c.stalled.Swap(nil); room != nil {
			close(*room)
		}
	}
}

// wake is told that output is pending. The reader writes what it caused itself; for all else a goroutine runs as long
// as there is something to write.
func (c *conn) wake() {
	if c.receiving.Load() || c.gone.Load() {
		return
	}
	if c.writing.CompareAndSwap(false, true) {
		c.g.conns.Go(c.write)
	}
}

// flush writes what is pending, unless somebody does.
func (c *conn) flush() {
	if c.s.Pending() > 0 && c.writing.CompareAndSwap(false, true) {
		c.write()
	}
}

// write writes until nothing is pending. The caller has set writing.
func (c *conn) write() {
	buf := buffers.Get().(*[]byte)
	defer func() { buffers.Put(buf) }()
	for {
		out := c.s.Take((*buf)[:0])
		if len(out) == 0 {
			c.writing.Store(false)
			if c.refused.Swap(false) {
				c.roomAgain()
			}
			if c.s.Pending() == 0 || !c.writing.CompareAndSwap(false, true) {
				return
			}
			continue
		}
		_ = c.nc.SetWriteDeadline(time.Now().Add(c.g.limits.Write))
		if _, err := c.nc.Write(out); err != nil {
			if errors.Is(err, syscall.ETIMEDOUT) || isTimeout(err) {
				c.close("slow reader")
			} else {
				c.close("connection lost")
			}
			c.writing.Store(false)
			return
		}
	}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// stopping is the reason of sessions that end with the program.
const stopping = "server stopping"

// goodbye is how long a peer may take to take the last word.
const goodbye = time.Second

// dismiss is close with a last word to a peer of MQTT 5; it does not wait either. Nothing that comes after it counts.
func (c *conn) dismiss(r mqtt.Reason, reason string) {
	if c.via != nil {
		c.part(reason)
		return
	}
	c.because(reason)
	if r == mqtt.Administrative || r == mqtt.TakenOver {
		c.cut.Store(true)
	}
	if c.s.Version() != mqtt.V5 || c.gone.Swap(true) {
		c.close(reason)
		return
	}
	c.s.Bye(r, reason)
	c.g.conns.Go(func() {
		c.finish()
		c.close(reason)
	})
}

// finish waits until what is pending is written, whoever writes it, for as long as a peer may take for the last word.
func (c *conn) finish() {
	for end := time.Now().Add(goodbye); (c.s.Pending() > 0 || c.writing.Load()) && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		c.flush()
	}
}

// because notes why the connection ends; the first reason stands.
func (c *conn) because(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason == "" {
		c.reason = reason
	}
}

// close ends the connection for a reason. It may be called from anywhere and does not wait.
func (c *conn) close(reason string) {
	c.because(reason)
	c.gone.Store(true)
	if over, ok := c.nc.(cutter); ok {
		_ = over.cut()
		return
	}
	_ = c.nc.Close()
}

// end cleans up after the reader has stopped.
func (c *conn) end(ctx context.Context, err error) {
	defer c.isOver()
	c.g.countBreach(err)
	if !c.gone.Load() {
		c.finish()
		if over, ok := c.nc.(parter); ok {
			over.part(err)
		}
	}
	c.close(reasonOf(err))
	c.g.wheel.remove(c)
	c.s.Close()
	c.mu.Lock()
	reason := c.reason
	c.mu.Unlock()
	level := slog.LevelDebug
	if makers(err) {
		level = slog.LevelInfo // the reason names the rule
	}
	if c.device == "" {
		c.g.c.Logger.LogAttrs(ctx, level, "connection ended", slog.String("address", c.from), slog.String("reason", reason))
		return
	}
	c.g.sessions.leave(c)
	c.g.offers.forget(c)
	c.orphan(reason)
	c.g.c.Logger.LogAttrs(ctx, level, "session ended", slog.String("device", c.device), slog.String("reason", reason), slog.Any("error", err))
	c.leave(context.WithoutCancel(ctx), reason)
	c.presence(context.WithoutCancel(ctx), false, reason)
}

// makers reports whether what ended a connection is for the device's maker to mend.
func makers(err error) bool {
	_, broken := errors.AsType[*mqtt.ProtocolError](err)
	_, frame := errors.AsType[*frameError](err)
	return broken || frame || errors.Is(err, errForeign) || fault.Is(err, fault.OverLimit)
}

func reasonOf(err error) string {
	if broken, ok := errors.AsType[*mqtt.ProtocolError](err); ok {
		return "protocol error: " + broken.Error()
	}
	if frame, ok := errors.AsType[*frameError](err); ok {
		return frame.Error()
	}
	switch {
	case errors.Is(err, mqtt.ErrClosed):
		return "disconnected"
	case errors.Is(err, errForeign):
		return errForeign.Error()
	case fault.Is(err, fault.OverLimit):
		return "over its limit: " + fault.Of(err).Sentence()
	case errors.Is(err, errRegistered):
		return errRegistered.Error()
	case errors.Is(err, errUnread):
		return errUnread.Error()
	case errors.Is(err, mqtt.ErrOut):
		return "output that it does not read has no room"
	case errors.Is(err, io.EOF):
		return "connection closed"
	}
	return "connection lost"
}
