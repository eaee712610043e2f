package mqtt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// scripted is a ClientConfig.Dial whose server is a function on the other end of a pipe.
func scripted(t *testing.T, server func(net.Conn)) func(context.Context, string, string) (net.Conn, error) {
	t.Helper()
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		wg.Go(func() {
			defer theirs.Close()
			server(theirs)
		})
		return ours, nil
	}
}

// packets reads packets from a client and hands each to act until the connection ends.
func packetsFrom(conn net.Conn, act func(*Packet)) {
	var d Decoder
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil || d.Push(buf[:n], func(p *Packet) error { act(p); return nil }) != nil {
			return
		}
	}
}

// obliging is a server that accepts, acknowledges and answers pings; note is told of each packet.
func obliging(note func(net.Conn, *Packet)) func(net.Conn) {
	return func(conn net.Conn) {
		packetsFrom(conn, func(p *Packet) {
			note(conn, p)
			switch p.Type {
			case CONNECT:
				_, _ = conn.Write(wire("20020000"))
			case PUBLISH:
				if p.QoS == 1 {
					_, _ = conn.Write(AppendPuback(nil, p.ID))
				}
			case PINGREQ:
				_, _ = conn.Write(wire("d000"))
			default:
			}
		})
	}
}

// TestClientSees is what a client makes of a server's bytes, with the whole text of why the connection ended.
func TestClientSees(t *testing.T) {
	for _, tt := range []struct{ in, dial, err string }{
		{"20020000", "", "mqtt: connection is closed: EOF"},
		{"", "connecting to x: mqtt: connection is closed: EOF", ""},
		{"20020004", "connecting to x: mqtt: connection refused with code 4: bad user name or password", ""},
		{"d000", "connecting to x: mqtt: connection is closed: mqtt: PINGRESP comes first, want CONNACK [MQTT-3.2.0-1]", ""},
		{"20020009", "connecting to x: mqtt: connection is closed: mqtt: CONNACK: code 0x09 is not defined [§3.2.2.3]", ""},
		{"20020000 20020000", "", "mqtt: connection is closed: mqtt: CONNACK: comes a second time [§3.2]"},
		{"20020000 c000", "", "mqtt: connection is closed: mqtt: PINGREQ: only a client sends it [§2.2.1]"},
		{"20020000 40020001", "", "mqtt: connection is closed: EOF"},
		{"20020000 30 ffffff7f", "", "mqtt: connection is closed: mqtt: PUBLISH of 268435460 bytes is announced, the limit is 262144 [§2.2.3]"},
	} {
		t.Run(tt.in, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dial := scripted(t, func(conn net.Conn) {
					_, _ = conn.Read(make([]byte, 100))
					_, _ = conn.Write(wire(tt.in))
				})
				c, err := Dial(t.Context(), "x", ClientConfig{ClientID: "c", Clean: true, Dial: dial})
				if got := textOf(err); got != tt.dial {
					t.Errorf("Dial\n got %q\nwant %q", got, tt.dial)
				}
				if c == nil {
					return
				}
				<-c.Done()
				if got := textOf(c.Err()); got != tt.err || !errors.Is(c.Err(), ErrClosed) {
					t.Errorf("Err\n got %q\nwant %q", got, tt.err)
				}
				if err := c.Publish(t.Context(), "a", nil, 1); !errors.Is(err, ErrClosed) {
					t.Errorf("Publish afterwards: %v, want %v", err, ErrClosed)
				}
				if err := c.Close(); err != nil {
					t.Errorf("Close afterwards: %v", err)
				}
			})
		})
	}
}

func TestRefusedIsAnError(t *testing.T) {
	dial := scripted(t, func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 100))
		_, _ = conn.Write(wire("20020005"))
	})
	_, err := Dial(t.Context(), "x", ClientConfig{ClientID: "c", Dial: dial})
	if e, ok := errors.AsType[*Refused](err); !ok || e.Code != RefusedAuthorised {
		t.Errorf("%v, want a Refused with code 5", err)
	}
}

// TestClientConfig: what cannot stand in a CONNECT is refused before anything is dialled.
func TestClientConfig(t *testing.T) {
	for _, tt := range []struct {
		c    ClientConfig
		want string
	}{
		{ClientConfig{KeepAlive: 1500 * time.Millisecond}, "mqtt: keep alive is 1.5s, want whole seconds up to 65535"},
		{ClientConfig{KeepAlive: 65536 * time.Second}, "mqtt: keep alive is 18h12m16s, want whole seconds up to 65535"},
		{ClientConfig{ClientID: "\xff"}, "mqtt: CONNECT: client identifier is not UTF-8 at byte 0 [MQTT-1.5.3-1]"},
		{ClientConfig{Will: &Will{Topic: []byte("#")}}, "mqtt: CONNECT: will topic \"#\" holds a wildcard [MQTT-4.7.1-1]"},
		{ClientConfig{ClientID: strings.Repeat("a", 65536)}, "mqtt: CONNECT has a field of more than 65535 bytes"},
	} {
		tt.c.Dial = func(context.Context, string, string) (net.Conn, error) {
			t.Error("it dialled")
			return nil, io.EOF
		}
		if _, err := Dial(t.Context(), "x", tt.c); textOf(err) != tt.want {
			t.Errorf("got %q\nwant %q", textOf(err), tt.want)
		}
	}
}

// TestKeepAlivePings: a quiet client pings in time, a busy one does not, one whose server is silent gives up.
func TestKeepAlivePings(t *testing.T) {
	t.Run("quiet", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var pings []time.Duration
			begin := time.Now()
			c := dialled(t, ClientConfig{KeepAlive: time.Minute}, obliging(func(_ net.Conn, p *Packet) {
				if p.Type == PINGREQ {
					pings = append(pings, time.Since(begin))
				}
			}))
			time.Sleep(3*time.Minute + time.Second)
			synctest.Wait()
			if want := "[45s 1m30s 2m15s 3m0s]"; fmt.Sprint(pings) != want {
				t.Errorf("pings at %v, want %v", pings, want)
			}
			closed(t, c)
		})
	})
	t.Run("busy", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			pings := 0
			c := dialled(t, ClientConfig{KeepAlive: time.Minute}, obliging(func(_ net.Conn, p *Packet) {
				if p.Type == PINGREQ {
					pings++
				}
			}))
			for range 20 {
				time.Sleep(30 * time.Second)
				if err := c.Publish(t.Context(), "a", nil, 0); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			if pings != 0 {
				t.Errorf("%d pings, want none", pings)
			}
			closed(t, c)
		})
	})
	t.Run("silent server", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			c := dialled(t, ClientConfig{KeepAlive: time.Minute}, func(conn net.Conn) {
				packetsFrom(conn, func(p *Packet) {
					if p.Type == CONNECT {
						_, _ = conn.Write(wire("20020000"))
					}
				})
			})
			<-c.Done()
			if got, want := textOf(c.Err()), "mqtt: connection is closed: mqtt: nothing came for 1m0s after a PINGREQ"; got != want {
				t.Errorf("got %q\nwant %q", got, want)
			}
			if took := time.Since(begin); took != 105*time.Second {
				t.Errorf("it took %v, want 1m45s", took)
			}
		})
	})
}

// TestGoodbye: Close says DISCONNECT, Kill does not, also from OnMessage.
func TestGoodbye(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*Client)
		want string
	}{
		{"Close", func(c *Client) { _ = c.Close() }, "[CONNECT DISCONNECT]"},
		{"Kill", (*Client).Kill, "[CONNECT]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var seen []Type
				c := dialled(t, ClientConfig{}, obliging(func(_ net.Conn, p *Packet) { seen = append(seen, p.Type) }))
				tt.end(c)
				<-c.Done()
				synctest.Wait()
				if got := fmt.Sprint(seen); got != tt.want || c.Err() != ErrClosed {
					t.Errorf("the server saw %v, Err is %v, want %v, %v", got, c.Err(), tt.want, ErrClosed)
				}
			})
		})
	}
	t.Run("Kill in OnMessage", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := dialled(t, ClientConfig{OnMessage: func(c *Client, _ Message) { c.Kill() }}, func(conn net.Conn) {
				_, _ = conn.Read(make([]byte, 100))
				_, _ = conn.Write(wire("20020000 32050001'a'0001"))
				_, _ = io.Copy(io.Discard, conn)
			})
			<-c.Done()
		})
	})
}

// TestMessages: in order, acknowledged after the callback or by Ack.
func TestMessages(t *testing.T) {
	for _, tt := range []struct {
		name string
		c    ClientConfig
		want string
	}{
		{"by itself", ClientConfig{OnMessage: func(*Client, Message) {}}, "4002000140020002"},
		{"without a callback", ClientConfig{}, "4002000140020002"},
		{"never", ClientConfig{NoAutoAck: true}, ""},
		{"by Ack", ClientConfig{NoAutoAck: true, OnMessage: func(c *Client, m Message) {
			if m.QoS > 0 {
				_ = c.Ack(m.ID)
			}
		}}, "4002000140020002"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var answers bytes.Buffer
				c := dialled(t, tt.c, func(conn net.Conn) {
					_, _ = conn.Read(make([]byte, 100))
					_, _ = conn.Write(wire("20020000 32060001'a'0001'x' 30040001'b''y' 33060001'a'0002'z'"))
					_, _ = io.Copy(&answers, conn)
				})
				synctest.Wait()
				c.Kill()
				<-c.Done()
				synctest.Wait()
				if got := fmt.Sprintf("%x", answers.Bytes()); got != tt.want {
					t.Errorf("answers\n got %s\nwant %s", got, tt.want)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		var got []string
		c := dialled(t, ClientConfig{OnMessage: func(_ *Client, m Message) {
			got = append(got, fmt.Sprintf("%s=%s %d %v %v %d", m.Topic, m.Payload, m.QoS, m.Dup, m.Retain, m.ID))
		}}, func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 100))
			_, _ = conn.Write(wire("20020000 3a060001'a'0001'x' 31040001'b''y'"))
			_, _ = io.Copy(io.Discard, conn)
		})
		synctest.Wait()
		if want := "[a=x 1 true false 1 b=y 0 false true 0]"; fmt.Sprint(got) != want {
			t.Errorf("got %v, want %v", got, want)
		}
		c.Kill()
		<-c.Done()
	})
}

// dialled connects to a scripted server.
func dialled(t *testing.T, c ClientConfig, server func(net.Conn)) *Client {
	t.Helper()
	c.ClientID, c.Clean, c.Dial = "c", true, scripted(t, server)
	cl, err := Dial(t.Context(), "x", c)
	if err != nil {
		t.Fatal(err)
	}
	return cl
}

func closed(t *testing.T, c *Client) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}
