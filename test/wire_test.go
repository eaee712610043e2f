package test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"lampworks/mqtt"
)

const plain = "|securemode=3,signmethod=hmacsha256|"

// credentials is how a device signs in.
func credentials(t testing.TB, d triple, fields string) mqtt.ClientConfig {
	t.Helper()
	id, user, password := sign(t, d, fields)
	return mqtt.ClientConfig{ClientID: id, Username: user, Password: password, KeepAlive: time.Minute, Clean: true}
}

// dial connects a device, which ends with the test.
func dial(t testing.TB, addr string, c mqtt.ClientConfig) *mqtt.Client {
	t.Helper()
	client, err := mqtt.Dial(t.Context(), addr, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Kill)
	return client
}

// refusedWith fails unless the server answers a CONNECT with code.
func refusedWith(t testing.TB, addr string, c mqtt.ClientConfig, code byte) {
	t.Helper()
	client, err := mqtt.Dial(t.Context(), addr, c)
	if err == nil {
		client.Kill()
	}
	var refused *mqtt.Refused
	if !errors.As(err, &refused) || refused.Code != code {
		t.Errorf("connecting as %s %s gave %v, want code %d", c.ClientID, c.Username, err, code)
	}
}

// closed fails unless the server ends the connection.
func closed(t testing.TB, client *mqtt.Client) {
	t.Helper()
	select {
	case <-client.Done():
	case <-time.After(patience):
		t.Fatalf("the connection is open after %s", patience)
	}
}

// raw is a connection that writes what no client would.
func raw(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// login signs a raw connection in.
func login(t testing.TB, c net.Conn, a mqtt.ClientConfig) {
	t.Helper()
	hello := mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{
		Version: mqtt.V311, Clean: true, HasUsername: true, HasPassword: true, KeepAlive: 60,
		ClientID: []byte(a.ClientID), Username: []byte(a.Username), Password: []byte(a.Password),
	}}, mqtt.V311)
	if _, err := c.Write(hello); err != nil {
		t.Fatal(err)
	}
	var connack [4]byte
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, err := c.Read(connack[:]); err != nil || connack != [4]byte{0x20, 2, 0, 0} {
		t.Fatalf("CONNACK % x, %v", connack, err)
	}
}

// hungUp waits for the server to close c, and returns what it wrote before.
func hungUp(t testing.TB, c net.Conn) []byte {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	var all []byte
	for {
		var b [256]byte
		n, err := c.Read(b[:])
		all = append(all, b[:n]...)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			t.Fatalf("the connection is open after %s", patience)
		case err != nil:
			return all
		}
	}
}

// propertyPost is a post of one property.
func propertyPost(id int, property string, value any) []byte {
	return fmt.Appendf(nil, `{"id":"%d","version":"1.0","params":{"%s":%v}}`, id, property, value)
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
