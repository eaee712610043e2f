package mqtt

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestServerThatDoesNotRead: a write has its time, and so has the goodbye.
func TestServerThatDoesNotRead(t *testing.T) {
	deaf := func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 100))
		_, _ = conn.Write(wire("20020000"))
		time.Sleep(time.Hour)
	}
	synctest.Test(t, func(t *testing.T) {
		c := dialled(t, ClientConfig{}, deaf)
		begin := time.Now()
		if err := c.Publish(t.Context(), "a", nil, 0); !errors.Is(err, ErrClosed) || time.Since(begin) != clientPatience {
			t.Errorf("Publish: %v after %v, want ErrClosed after %v", err, time.Since(begin), clientPatience)
		}
		closed(t, c)
	})
	synctest.Test(t, func(t *testing.T) {
		c := dialled(t, ClientConfig{}, deaf)
		begin := time.Now()
		if err := c.Close(); err != nil || time.Since(begin) != clientGoodbye {
			t.Errorf("Close: %v after %v, want nil after %v", err, time.Since(begin), clientGoodbye)
		}
	})
}

// TestDialEndsWithContext: a server that accepts the connection and says nothing.
func TestDialEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		dial := scripted(t, func(conn net.Conn) { packetsFrom(conn, func(*Packet) {}) })
		_, err := Dial(ctx, "x", ClientConfig{ClientID: "c", Dial: dial})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Dial: %v, want %v", err, context.DeadlineExceeded)
		}
	})
}

// TestWindow: PublishAsync refuses beyond it, Publish waits for it or for its context.
func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan net.Conn, 1)
		c := dialled(t, ClientConfig{Inflight: 2}, func(conn net.Conn) {
			packetsFrom(conn, func(p *Packet) {
				if p.Type == CONNECT {
					_, _ = conn.Write(wire("20020000"))
					hold <- conn
				}
			})
		})
		conn := <-hold
		var outcomes []error
		for range 2 {
			if err := c.PublishAsync("a", nil, func(err error) { outcomes = append(outcomes, err) }); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.PublishAsync("a", nil, nil); err != ErrWindow {
			t.Errorf("the third: %v, want %v", err, ErrWindow)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Publish(ctx, "a", nil, 1); err != context.DeadlineExceeded {
			t.Errorf("Publish: %v, want %v", err, context.DeadlineExceeded)
		}
		waited := make(chan error)
		go func() { waited <- c.Publish(t.Context(), "a", nil, 1) }()
		synctest.Wait()
		_, _ = conn.Write(wire("40020001"))
		synctest.Wait()
		_, _ = conn.Write(wire("40020003"))
		if err := <-waited; err != nil {
			t.Errorf("Publish that waited: %v", err)
		}
		c.Kill()
		<-c.Done()
		if len(outcomes) != 2 || outcomes[0] != nil || outcomes[1] != ErrClosed {
			t.Errorf("outcomes are %v, want nil and %v", outcomes, ErrClosed)
		}
	})
}

// TestClientRefuses: what cannot be sent is refused by name, and nothing goes out.
func TestClientRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dialled(t, ClientConfig{}, obliging(func(conn net.Conn, p *Packet) {
			switch p.Type {
			case CONNECT, DISCONNECT:
			case SUBSCRIBE:
				_, _ = conn.Write(AppendPacket(nil, &Packet{Type: SUBACK, ID: p.ID, Codes: []byte{1}}, V311))
			case UNSUBSCRIBE:
				_, _ = conn.Write(AppendPuback(nil, p.ID))
			default:
				t.Errorf("%v was sent", p.Type)
			}
		}))
		ctx := t.Context()
		subscribe := func(filters ...string) error {
			_, err := c.Subscribe(ctx, filters...)
			return err
		}
		for _, tt := range []struct {
			err  error
			want string
		}{
			{c.Publish(ctx, "a", nil, 3), "mqtt: PUBLISH with QoS 3 cannot be sent"},
			{c.Publish(ctx, "a/#", nil, 0), `mqtt: PUBLISH of 0 bytes to "a/#" cannot be sent`},
			{c.PublishAsync("", []byte("x"), nil), `mqtt: PUBLISH of 1 bytes to "" cannot be sent`},
			{subscribe(), "mqtt: SUBSCRIBE of nothing cannot be sent"},
			{subscribe("a#"), `mqtt: SUBSCRIBE of "a#" cannot be sent`},
			{subscribe("a", "b"), "mqtt: SUBACK: has 1 codes for 2 topic filters [MQTT-3.8.4-5]"},
			{c.Unsubscribe(ctx, ""), `mqtt: UNSUBSCRIBE of "" cannot be sent`},
			{c.Unsubscribe(ctx, "a"), "mqtt: connection is closed: mqtt: PUBACK: packet identifier 2 waits for UNSUBACK [MQTT-2.3.1-6]"},
		} {
			if got := textOf(tt.err); got != tt.want {
				t.Errorf("got %q\nwant %q", got, tt.want)
			}
		}
		closed(t, c)
	})
	_, err := Dial(t.Context(), "x", ClientConfig{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, io.EOF }, Clean: true})
	if got, want := textOf(err), "dialling x: EOF"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOutputIsBounded: while one write is under way, others queue up to a limit; Publish waits, PublishAsync says so.
func TestOutputIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read := make(chan struct{})
		c := dialled(t, ClientConfig{}, func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 100))
			_, _ = conn.Write(wire("20020000"))
			<-read
			_, _ = io.Copy(io.Discard, conn)
		})
		payload := make([]byte, clientMaxOut/2)
		go func() { _ = c.Publish(t.Context(), "a", payload, 0) }() // writes, and is stuck
		synctest.Wait()
		if err := c.PublishAsync("a", payload, nil); err != nil {
			t.Errorf("queued behind it: %v", err)
		}
		if err := c.PublishAsync("a", payload, nil); err != ErrOut {
			t.Errorf("beyond the limit: %v, want %v", err, ErrOut)
		}
		waited := make(chan error)
		go func() { waited <- c.Publish(t.Context(), "a", payload, 0) }()
		synctest.Wait()
		close(read)
		if err := <-waited; err != nil {
			t.Errorf("Publish that waited: %v", err)
		}
		closed(t, c)
	})
}
