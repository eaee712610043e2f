package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"go.uber.org/goleak"

	"lampworks/alink"
	"lampworks/mqtt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestConnSize holds what exists once a session to its size: 10,000 of them are 6 MB and their stacks.
func TestConnSize(t *testing.T) {
	const most = 640
	if got := unsafe.Sizeof(conn{}) + unsafe.Sizeof(mqtt.Session{}); got > most {
		t.Errorf("a connection and its session have %d bytes, want at most %d", got, most)
	}
}

// agreeable takes everything from everybody.
type agreeable struct{}

func (agreeable) Connect(*mqtt.Packet) mqtt.Welcome { return mqtt.Welcome{} }
func (agreeable) Publish(*mqtt.Packet) error        { return nil }
func (agreeable) Release(uint16)                    {}
func (agreeable) Subscribe(*mqtt.Packet, []byte)    {}
func (agreeable) Unsubscribe(*mqtt.Packet, []byte)  {}
func (agreeable) Puback(uint16, mqtt.Reason)        {}
func (agreeable) Disconnect(*mqtt.Packet)           {}

// watched is a connection in the wheel of a gateway of its own, whose peer reads and drops everything.
func watched(t *testing.T) *conn {
	t.Helper()
	near, far := net.Pipe()
	g := New(Config{Logger: slog.New(slog.DiscardHandler)})
	c := newConn(g, near, false)
	c.s = mqtt.NewSession(&c.cfg, agreeable{})
	g.wheel.put(c, c.due())
	go func() { _, _ = io.Copy(io.Discard, far) }()
	t.Cleanup(func() {
		c.close("end of the test")
		_ = far.Close()
		g.conns.Wait()
	})
	return c
}

// pass lets time go by, second by second, as Run does, and reports when the wheel closed the connection.
func (c *conn) pass(d time.Duration) (after time.Duration, closed bool) {
	began := time.Now()
	for time.Since(began) < d && !c.gone.Load() {
		time.Sleep(wheelTick)
		c.g.wheel.advance(time.Now())
	}
	return time.Since(began), c.gone.Load()
}

func (c *conn) get(t *testing.T, b []byte) {
	t.Helper()
	if err := c.receive(context.Background(), b); err != nil {
		t.Fatal(err)
	}
}

func hello(keepAlive uint16) []byte {
	return mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{Version: mqtt.V311, Clean: true, KeepAlive: keepAlive, ClientID: []byte("d")}}, mqtt.V311)
}

var ping = []byte{0xc0, 0}

func TestWheel(t *testing.T) {
	publish := mqtt.AppendPublish(nil, mqtt.V311, "t", make([]byte, 100), 0, 0, false, false)
	for _, tt := range []struct {
		name   string
		first  []byte
		again  []byte        // sent every ten seconds for the first minutes
		from   time.Duration // it is closed between from and to; to 0: not within an hour
		to     time.Duration
		reason string
	}{
		{"nothing comes", nil, nil, 10 * time.Second, 13 * time.Second, "no CONNECT"},
		{"half a CONNECT", hello(60)[:5], nil, 10 * time.Second, 13 * time.Second, "half a packet"},
		{"silence for one and a half keep-alives", hello(60), nil, 90 * time.Second, 93 * time.Second, "keep-alive timeout"},
		{"half a packet after CONNECT", append(hello(0), publish[:20]...), nil, 10 * time.Second, 13 * time.Second, "half a packet"},
		{"the longest keep-alive, many rounds of the wheel", hello(2000), nil, 3000 * time.Second, 3003 * time.Second, "keep-alive timeout"},
		{"no keep-alive", hello(0), nil, 0, 0, ""},
		{"pings in time", hello(15), ping, 322 * time.Second, 325 * time.Second, "keep-alive timeout"}, // 30 pings, then silence
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := watched(t)
				began := time.Now()
				if tt.first != nil {
					c.get(t, tt.first)
				}
				if tt.again != nil {
					for range 30 {
						c.pass(10 * time.Second)
						c.get(t, tt.again)
					}
				}
				_, closed := c.pass(time.Hour)
				after := time.Since(began)
				switch {
				case tt.to == 0 && closed:
					t.Errorf("closed after %s, want never", after)
				case tt.to > 0 && (!closed || after < tt.from || after > tt.to):
					t.Errorf("closed %v after %s, want between %s and %s", closed, after, tt.from, tt.to)
				case c.reason != tt.reason:
					t.Errorf("closed because %q, want %q", c.reason, tt.reason)
				}
			})
		})
	}
}

// TestSteadyStream sends for minutes so that each read ends within a packet. Packets end in time, so nothing is wrong;
// then one is left open, and that is.
func TestSteadyStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := watched(t)
		c.get(t, hello(0))
		publish := mqtt.AppendPublish(nil, mqtt.V311, "t", make([]byte, 100), 0, 0, false, false)
		head, rest := publish[:50], append(bytes.Clone(publish[50:]), publish[:50]...)
		c.get(t, head)
		for range 300 {
			if _, closed := c.pass(time.Second); closed {
				t.Fatalf("closed because %q", c.reason)
			}
			c.get(t, rest)
		}
		if after, closed := c.pass(time.Minute); !closed || after > 13*time.Second || c.reason != "half a packet" {
			t.Errorf("closed %v after %s because %q, want half a packet after ten seconds", closed, after, c.reason)
		}
	})
}

// TestLastWord ends a connection while somebody else writes: the peer still hears why.
func TestLastWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		g := New(Config{Logger: slog.New(slog.DiscardHandler)})
		c := newConn(g, near, false)
		c.s = mqtt.NewSession(&c.cfg, agreeable{})
		heard := make(chan []byte)
		go func() {
			b, _ := io.ReadAll(far)
			heard <- b
		}()
		c.get(t, mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{Version: mqtt.V5, Clean: true, ClientID: []byte("d")}}, mqtt.V5))
		c.writing.Store(true)
		c.s.Bye(mqtt.NotAuthorised, "a test")
		go c.end(context.Background(), errForeign)
		time.Sleep(goodbye / 2)
		c.write()
		bye := mqtt.Packet{}
		in := mqtt.Decoder{Version: mqtt.V5}
		if err := in.Push(<-heard, func(p *mqtt.Packet) error { bye = *p; return nil }); err != nil || bye.Type != mqtt.DISCONNECT {
			t.Errorf("the last that was heard is a %s, %v", bye.Type, err)
		}
		g.conns.Wait()
	})
}

// TestLateConnection enters a connection when the gateway has closed all others already.
func TestLateConnection(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	g := New(Config{Logger: slog.New(slog.DiscardHandler)})
	g.close()
	g.conns.Go(func() { newConn(g, near, false).serve(context.Background()) })
	g.conns.Wait() // would wait for ever
}

func TestEpochs(t *testing.T) {
	var r registry
	r.init()
	first, second, other := &conn{device: "d"}, &conn{device: "d"}, &conn{device: "e"}
	var given uint64
	next := func() uint64 { given++; return given }
	if old, _ := r.enter(first, next); old != nil {
		t.Errorf("the first session replaces %p", old)
	}
	r.enter(other, next)
	if old, _ := r.enter(second, next); old != first {
		t.Errorf("the second session replaces %p, want the first", old)
	}
	if second.epoch <= first.epoch {
		t.Errorf("the newer session has epoch %d, the older %d", second.epoch, first.epoch)
	}
	r.leave(first) // late: it is not there any more
	if r.find("d") != second || r.count() != 2 {
		t.Error("the end of a replaced session removed the one that replaced it")
	}
	r.leave(second)
	if r.find("d") != nil || r.count() != 1 || len(r.all()) != 1 {
		t.Error("an ended session is still found")
	}
}

// with and without are edits of one filter.
func (f subscriptions) with(add filter, key, name string) (subscriptions, mqtt.Reason) {
	e := f.edit(key, name)
	r := e.add(add)
	return *e.done(), r
}

func (f subscriptions) without(text []byte, key, name string) subscriptions {
	e := f.edit(key, name)
	e.drop(text)
	return *e.done()
}

// TestManyAtOnce: a packet that takes back or replaces as many filters as there may be costs as much as they are.
func TestManyAtOnce(t *testing.T) {
	var f subscriptions
	for n := range maxFilters {
		f, _ = f.with(filter{text: fmt.Appendf(nil, "/sys/pk/dn/thing/service/s%d", n), qos: 1}, "pk", "dn")
	}
	for name, act := range map[string]func(*edit, []byte){
		"taking back": func(e *edit, text []byte) { e.drop(text) },
		"replacing":   func(e *edit, text []byte) { e.add(filter{text: text}) },
	} {
		allocs := testing.AllocsPerRun(3, func() {
			e := f.edit("pk", "dn")
			for i := range f.filters {
				act(e, f.filters[i].text)
			}
			e.done()
		})
		if allocs > 10*maxFilters {
			t.Errorf("%s %d filters allocates %.0f times", name, maxFilters, allocs)
		}
	}
}

// TestSubscriptions subscribes and unsubscribes ("-") in order and asks what arrives then.
func TestSubscriptions(t *testing.T) {
	const set, identify, blink, reply = "property set", "service identify", "service blink", "event reply"
	for _, tt := range []struct {
		all   bool
		steps string // filters behind the names
		want  string
	}{
		{false, "thing/service/property/set", set},
		{false, "thing/service/property/set -thing/service/property/set", ""},
		{false, "thing/service/# -thing/service/#", ""},
		{false, "thing/service/property/set thing/service/# -thing/service/#", set},
		{false, "thing/service/# thing/service/property/set -thing/service/property/set", set + ", " + identify + ", " + blink},
		{false, "thing/service/identify", identify},
		{false, "thing/service/identify thing/service/+ -thing/service/+", identify},
		{false, "thing/service/identify thing/service/identify -thing/service/identify", ""},
		{false, "thing/service/blink -thing/service/identify", blink},
		{false, "thing/event/+/post_reply -thing/event/fault/post_reply", reply},
		{true, "-thing/service/property/set", set + ", " + identify + ", " + blink + ", " + reply},
		{true, "thing/service/property/set -thing/service/property/set", set + ", " + identify + ", " + blink + ", " + reply},
	} {
		var f subscriptions
		if tt.all {
			f = everything()
		}
		for step := range strings.FieldsSeq(tt.steps) {
			rest, off := strings.CutPrefix(step, "-")
			topic := []byte("/sys/pk/dn/" + rest)
			if off {
				f = f.without(topic, "pk", "dn")
				continue
			}
			before := f
			next, refused := f.with(filter{text: topic, qos: 1}, "pk", "dn")
			if refused != mqtt.Success {
				t.Fatalf("%s: %s was refused", tt.steps, step)
			}
			topic[len(topic)-1] = '!' // the packet's buffer is used again
			if len(before.filters) != len(f.filters) {
				t.Fatal("subscribing changed what others hold")
			}
			f = next
		}
		var got []string
		for _, m := range []struct {
			what string
			t    alink.Template
			arg  string
		}{{set, alink.PropertySet, ""}, {identify, alink.ServiceInvoke, "identify"}, {blink, alink.ServiceInvoke, "blink"}, {reply, alink.EventPostReply, "fault"}} {
			if f.has(m.t, m.arg) {
				got = append(got, m.what)
			}
		}
		if text := strings.Join(got, ", "); text != tt.want {
			t.Errorf("all=%v %s\n got %q\nwant %q", tt.all, tt.steps, text, tt.want)
		}
	}
}

// TestGrantedQoS subscribes with QoS 0 or 1, and unsubscribes ("-"), and asks with which QoS a property set, the service
// identify and the service blink are sent then.
func TestGrantedQoS(t *testing.T) {
	for _, tt := range []struct {
		all   bool
		steps string
		want  [3]uint8
	}{
		{false, "0thing/service/property/set 1thing/service/identify", [3]uint8{0, 1, 0}},
		{false, "1thing/service/property/set 0thing/service/#", [3]uint8{1, 0, 0}},
		{false, "0thing/service/property/set 1thing/service/#", [3]uint8{1, 1, 1}},
		{false, "0thing/service/# 1thing/service/blink", [3]uint8{0, 0, 1}},
		{false, "1thing/service/# 0thing/service/#", [3]uint8{0, 0, 0}}, // replaced
		{false, "0thing/service/# 1thing/service/#", [3]uint8{1, 1, 1}},
		{false, "0thing/service/# 1thing/service/property/set 1thing/service/blink -thing/service/property/set", [3]uint8{0, 0, 1}},
		{true, "0thing/service/property/set", [3]uint8{1, 1, 1}},
		{true, "0thing/service/property/set -thing/service/property/set", [3]uint8{1, 1, 1}},
	} {
		var f subscriptions
		if tt.all {
			f = everything()
		}
		for step := range strings.FieldsSeq(tt.steps) {
			topic := []byte("/sys/pk/dn/" + step[1:])
			if step[0] == '-' {
				f = f.without(topic, "pk", "dn")
				continue
			}
			var refused mqtt.Reason
			if f, refused = f.with(filter{text: topic, qos: step[0] - '0'}, "pk", "dn"); refused != mqtt.Success {
				t.Fatalf("%s: %s was refused", tt.steps, step)
			}
		}
		got := [3]uint8{f.qos(alink.PropertySet, ""), f.qos(alink.ServiceInvoke, "identify"), f.qos(alink.ServiceInvoke, "blink")}
		if got != tt.want {
			t.Errorf("all=%v %s: sent with QoS %v, want %v", tt.all, tt.steps, got, tt.want)
		}
	}
}

// set is t as time.Now gives it after somebody has set the clock ahead by whole seconds: only its wall part is another.
func set(t time.Time, ahead time.Duration) time.Time {
	*(*uint64)(unsafe.Pointer(&t)) += uint64(ahead/time.Second) << 30 // there is no other way to such a time
	return t
}

// TestSetClock sets the clock by an hour while a device is connected: it is not closed for that, and its silence ends the
// session in time. The times are made here, for those of synctest have a wall part only.
func TestSetClock(t *testing.T) {
	for _, ahead := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			c, began := watched(t), time.Now()
			c.get(t, hello(60))
			if now := set(began, ahead); now.Sub(began) != 0 || now.Unix()-began.Unix() != int64(ahead/time.Second) {
				t.Fatal("the test cannot set the clock")
			}
			after := time.Duration(0)
			for after < 10*time.Minute && !c.gone.Load() {
				after += wheelTick
				c.g.wheel.advance(set(began.Add(after), ahead))
			}
			if after < 90*time.Second || after > 93*time.Second || c.reason != "keep-alive timeout" {
				t.Errorf("closed after %s because %q, want after 90 s of silence", after, c.reason)
			}
		})
	}
}

func TestSubscriptionsAreBounded(t *testing.T) {
	var f subscriptions
	for n := range maxFilters {
		var refused mqtt.Reason
		if f, refused = f.with(filter{text: fmt.Appendf(nil, "/sys/pk/dn/thing/service/s%d", n), qos: 1}, "pk", "dn"); refused != mqtt.Success {
			t.Fatalf("filter %d was refused, want %d taken", n+1, maxFilters)
		}
	}
	if f, refused := f.with(filter{text: []byte("/sys/pk/dn/thing/service/more"), qos: 1}, "pk", "dn"); refused != mqtt.QuotaExceeded || len(f.filters) != maxFilters {
		t.Errorf("%d filters were taken, want at most %d", len(f.filters), maxFilters)
	}
}

// lateListener accepts one connection when its caller has been told to stop already.
type lateListener struct {
	net.Listener
	stop context.CancelFunc
	nc   net.Conn
}

func (l *lateListener) Accept() (net.Conn, error) { l.stop(); return l.nc, nil }
func (l *lateListener) Close() error              { return nil }

// TestAcceptedWhileStopping takes a connection in the moment of the end: it is closed.
func TestAcceptedWhileStopping(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	ctx, stop := context.WithCancel(t.Context())
	g := New(Config{Logger: slog.New(slog.DiscardHandler)})
	if err := g.Serve(ctx, &lateListener{stop: stop, nc: near}, false); err != nil {
		t.Fatal(err)
	}
	_ = far.SetReadDeadline(time.Now().Add(time.Second))
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the peer reads %v, want the end of the connection", err)
	}
}

// TestCloseDoesNotWait closes a TLS connection whose peer takes no byte: nobody else waits for it.
func TestCloseDoesNotWait(t *testing.T) {
	web := httptest.NewTLSServer(nil)
	config := web.TLS.Clone()
	web.Close()
	config.NextProtos, config.SessionTicketsDisabled = nil, true
	near, far := net.Pipe()
	defer far.Close()
	hands := make(chan error, 1)
	go func() { hands <- tls.Client(far, &tls.Config{InsecureSkipVerify: true}).Handshake() }() // the test's own
	below := &line{Conn: near}
	server := tls.Server(below, config)
	go func() { hands <- server.Handshake() }()
	for range 2 {
		select {
		case err := <-hands:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("the handshake does not end")
		}
	}
	c := newConn(New(Config{Logger: slog.New(slog.DiscardHandler)}), &secured{server, below}, true)
	began := time.Now()
	c.close("a test")
	if took := time.Since(began); took > time.Second {
		t.Errorf("closing took %s", took)
	}
}
