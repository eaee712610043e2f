package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"lampworks/alink"
	"lampworks/internal/fleet/virtual"
	"lampworks/mqtt"
)

// TestDeviceHints: each code of CONNACK that has a remedy tells it, in both versions of MQTT, and only what may pass is tried again.
func TestDeviceHints(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	for _, c := range []struct {
		code byte
		hint string
		over bool
	}{
		{mqtt.RefusedLogin, "Check the triple", true},
		{byte(mqtt.BadLogin), "Check the triple", true},
		{mqtt.RefusedAuthorised, "disabled, or a measure", true},
		{byte(mqtt.NotAuthorised), "disabled, or a measure", true},
		{mqtt.RefusedServer, "in another place", false},
		{byte(mqtt.Busy), "in another place", false},
		{mqtt.RefusedVersion, "", false},
	} {
		hint, over := hintOf(&mqtt.Refused{Code: c.code}, false)
		if !strings.Contains(hint, c.hint) || (hint == "") != (c.hint == "") || over != c.over {
			t.Errorf("code %d: %q, over %v; want %q, %v", c.code, hint, over, c.hint, c.over)
		}
	}
	for code, want := range map[int]string{alink.CodeBadRequest: "no gateway", alink.CodeSign: "another secret", alink.CodeItself: "a gateway itself", alink.CodeUnknown: "no such device"} {
		if hint, over := hintOf(fmt.Errorf("a child: %w", &virtual.Denied{Code: code}), true); !strings.Contains(hint, want) || !over {
			t.Errorf("a child that was refused with %d: %q, over %v", code, hint, over)
		}
	}
	if hint, over := hintOf(fmt.Errorf("dialling: %w", &tls.CertificateVerificationError{}), false); !strings.Contains(hint, "--ca") || !over {
		t.Errorf("a certificate that is not trusted: %q, over %v", hint, over)
	}
	if hint, over := hintOf(&mqtt.ProtocolError{What: "x"}, true); hint != "" || over {
		t.Errorf("a server that was connected to is told not to be one: %q, %v", hint, over)
	}
}

// TestDeviceAtHTTP: a device that is sent to a web server says so, and ends.
func TestDeviceAtHTTP(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	web, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { web.Close() })
	go func() {
		for {
			nc, err := web.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(nc, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request")
			nc.Close()
		}
	}()
	silence(t)
	d := deviceCommand{
		Server: web.Addr().String(), Triple: "10004,82aab4000007,086c25813378092753ed1952bd0da2eb",
		Category: "colour_light", MQTT: "3.1.1", QoS: 1, Fault: "none", LogLevel: "error",
	}
	if err := d.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no MQTT server") {
		t.Errorf("it ended with %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := d.Run(ctx); err != nil {
		t.Errorf("a device that is stopped ended with %v", err)
	}
}
