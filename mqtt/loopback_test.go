package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// An echo serves one connection: what is published comes back on the same topic, QoS 1 is acknowledged by another
// goroutine, "refused" is not granted.
type echo struct {
	nobody
	s    *Session
	wake chan struct{}
	acks chan uint16
}

func (e *echo) Publish(p *Packet) error {
	switch string(p.Topic) {
	case "forbidden":
		e.s.Refuse(p.ID, NotAuthorised, "not yours")
		return nil
	case "bye":
		e.s.Bye(Administrative, "go")
		return nil
	}
	if _, err := e.s.Publish(string(p.Topic), p.Payload, p.QoS); err != nil && !errors.Is(err, ErrWindow) {
		return err
	}
	if p.QoS > 0 {
		e.acks <- p.ID
	}
	return nil
}

func (e *echo) Release(id uint16) { e.s.Complete(id) }

func (e *echo) Subscribe(p *Packet, codes []byte) {
	for i, f := range p.Filters {
		if string(f.Topic) != "refused" {
			codes[i] = f.QoS
		}
	}
}

func (e *echo) Connect(p *Packet) Welcome {
	if string(p.Connect.Password) != "secret" {
		return Welcome{Code: BadLogin, Text: "the password is another"}
	}
	return Welcome{}
}

// listen serves echoes on a loopback address until the test ends.
func listen(tb testing.TB) (addr string) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { serveEcho(conn) })
		}
	})
	tb.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return l.Addr().String()
}

func serveEcho(conn net.Conn) {
	e := &echo{wake: make(chan struct{}, 1), acks: make(chan uint16, 1<<16)}
	e.s = NewSession(&Config{Inflight: 1000, MaxOut: 1 << 22, Wake: func() { e.wake <- struct{}{} }}, e)
	var acks, writer sync.WaitGroup
	acks.Go(func() {
		for id := range e.acks {
			e.s.Ack(id)
		}
	})
	writer.Go(func() {
		var out []byte
		for range e.wake {
			out = e.s.Take(out[:0])
			if _, err := conn.Write(out); err != nil {
				conn.Close()
			}
		}
		conn.Close() // after what was pending, as a refusal, is written
	})
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil || e.s.Receive(buf[:n]) != nil {
			break
		}
	}
	close(e.acks)
	acks.Wait()
	close(e.wake) // only Receive and Ack wake
	writer.Wait()
}

// TestPahoClient: a client of others, on a socket.
func TestPahoClient(t *testing.T) {
	got := make(chan string, 10)
	o := paho.NewClientOptions().AddBroker("tcp://" + listen(t)).SetClientID("paho").SetUsername("u").SetPassword("secret").
		SetProtocolVersion(4).SetAutoReconnect(false).SetKeepAlive(5 * time.Second).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { got <- fmt.Sprintf("%s=%s %d", m.Topic(), m.Payload(), m.Qos()) })
	c := paho.NewClient(o)
	step := func(name string, token paho.Token) {
		t.Helper()
		if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Fatalf("%s: %v", name, token.Error())
		}
	}
	step("connect", c.Connect())
	sub := c.SubscribeMultiple(map[string]byte{"a/#": 2, "refused": 1}, nil).(*paho.SubscribeToken)
	if !sub.WaitTimeout(10 * time.Second) {
		t.Fatal("no SUBACK")
	}
	if codes := fmt.Sprint(sub.Result()); codes != "map[a/#:2 refused:128]" {
		t.Errorf("granted %s, want a/# at 2 and refused not", codes)
	}
	for qos := range byte(3) {
		step("publish", c.Publish("a/b", qos, false, "客厅"))
		if m := <-got; m != fmt.Sprintf("a/b=客厅 %d", qos) {
			t.Errorf("came back as %s", m)
		}
	}
	step("unsubscribe", c.Unsubscribe("a/#"))
	c.Disconnect(100)
}

// TestClientOnSocket: our client and our session, many at once.
func TestClientOnSocket(t *testing.T) {
	addr := listen(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := Dial(ctx, addr, ClientConfig{ClientID: "c", Username: "u", Password: "wrong"}); textOf(err) !=
		"connecting to "+addr+": mqtt: connection refused with code 4: bad user name or password" {
		t.Errorf("wrong password: %v", err)
	}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			const n = 300
			came := make(chan string, n+1)
			c, err := Dial(ctx, addr, ClientConfig{
				ClientID: fmt.Sprint("c", i), Username: "u", Password: "secret", Clean: true, KeepAlive: 30 * time.Second,
				OnMessage: func(_ *Client, m Message) { came <- string(m.Payload) },
			})
			if err != nil {
				t.Error(err)
				return
			}
			codes, err := c.Subscribe(ctx, "a", "refused")
			if err != nil || string(codes) != "\x01\x80" {
				t.Errorf("Subscribe: %x, %v", codes, err)
			}
			acked := make(chan error, n)
			for k := range n {
				if err := c.PublishAsync("a", fmt.Append(nil, k), func(err error) { acked <- err }); err != nil {
					t.Error(err)
				}
			}
			for k := range n {
				if err := <-acked; err != nil {
					t.Error(err)
				}
				if m := <-came; m != fmt.Sprint(k) {
					t.Errorf("%d came back as %s", k, m)
				}
			}
			if err := c.Unsubscribe(ctx, "a"); err != nil {
				t.Error(err)
			}
			if err := c.Publish(ctx, "a", []byte("end"), 1); err != nil {
				t.Error(err)
			}
			closed(t, c)
		})
	}
	wg.Wait()
}

// TestClientOfMQTT5: our client and our session in MQTT 5, with every QoS.
func TestClientOfMQTT5(t *testing.T) {
	addr := listen(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	config := ClientConfig{Version: V5, ClientID: "c", Username: "u", Password: "wrong", Clean: true, SessionExpiry: time.Hour}
	if _, err := Dial(ctx, addr, config); textOf(err) != "connecting to "+addr+": mqtt: connection refused with code 134: bad user name or password: the password is another" {
		t.Errorf("wrong password: %v", err)
	}
	came := make(chan string, 10)
	config.Password = "secret"
	config.OnMessage = func(_ *Client, m Message) { came <- fmt.Sprint(string(m.Payload), " ", m.QoS) }
	c, err := Dial(ctx, addr, config)
	if err != nil {
		t.Fatal(err)
	}
	if c.SessionPresent() || c.window() != defaultReceiveMax {
		t.Errorf("a session is there: %v, the window is %d", c.SessionPresent(), c.window())
	}
	if codes, err := c.Subscribe(ctx, "a", "refused"); err != nil || string(codes) != "\x01\x80" {
		t.Errorf("Subscribe: %x, %v", codes, err)
	}
	for n := range 30 {
		if err := c.Publish(ctx, "a", fmt.Append(nil, n), uint8(n%3)); err != nil {
			t.Fatal(err)
		}
		if m := <-came; m != fmt.Sprint(n, " ", n%3) {
			t.Errorf("%d came back as %s", n, m)
		}
	}
	if err := c.Publish(ctx, "a", make([]byte, 300<<10), 1); err != ErrTooLarge {
		t.Errorf("a message larger than the server takes: %v", err)
	}
	refused, ok := errors.AsType[*Failed](c.Publish(ctx, "forbidden", nil, 2))
	if !ok || refused.Reason != NotAuthorised || refused.Text != "not yours" || refused.Type != PUBREC {
		t.Errorf("a refused message: %v", refused)
	}
	if err := c.Publish(ctx, "bye", nil, 1); !errors.Is(err, ErrClosed) || !strings.Contains(textOf(err), "DISCONNECT: administrative action: go") {
		t.Errorf("a session that the server ends: %v", err)
	}
	<-c.Done()
}

// BenchmarkLoopback is the whole road of a QoS 1 message on a socket: client, session, PUBACK, 256 in flight, and its echo.
func BenchmarkLoopback(b *testing.B) {
	c, err := Dial(b.Context(), listen(b), ClientConfig{ClientID: "c", Username: "u", Password: "secret", Clean: true, Inflight: 256})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var wg sync.WaitGroup
	done := func(error) { wg.Done() }
	for b.Loop() {
		wg.Add(1)
		if err := c.patiently(b.Context(), func() error { return c.PublishAsync(benchTopic, benchPayload, done) }); err != nil {
			b.Fatal(err)
		}
	}
	wg.Wait()
	if err := c.Close(); err != nil {
		b.Fatal(err)
	}
}
