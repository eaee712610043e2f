// Command mochi serves MQTT by github.com/mochi-mqtt/server on an address, to be measured beside Lampworks. Who connects shows the
// same signature as to mosquitto (see hmac.c).
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// signed lets in who has signed its names, and lets it do as it likes.
type signed struct{ mqtt.HookBase }

func (*signed) ID() string { return "signed" }

func (*signed) Provides(b byte) bool { return b == mqtt.OnConnectAuthenticate || b == mqtt.OnACLCheck }

func (*signed) OnConnectAuthenticate(_ *mqtt.Client, p packets.Packet) bool {
	secret := sign([]byte("lampworks bench"), p.Connect.Username)
	return hmac.Equal(p.Connect.Password, sign(secret, []byte(p.Connect.ClientIdentifier), p.Connect.Username))
}

func (*signed) OnACLCheck(*mqtt.Client, string, bool) bool { return true }

// sign is the hexadecimal HMAC-SHA256 of parts.
func sign(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return hex.AppendEncode(nil, h.Sum(nil))
}

func run(address string) error {
	server := mqtt.New(&mqtt.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := server.AddHook(new(signed), nil); err != nil {
		return err
	}
	if err := server.AddListener(listeners.NewTCP(listeners.Config{ID: "tcp", Address: address})); err != nil {
		return err
	}
	if err := server.Serve(); err != nil {
		return err
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	<-end
	return server.Close()
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "mochi:", err)
		os.Exit(1)
	}
}
