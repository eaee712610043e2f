package bench

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/virtual"
	"lampworks/mqtt"
)

// A caller is one device: how it signs in, where it listens and where it says what it has to say.
type caller struct {
	config  mqtt.ClientConfig
	hears   string // filter
	hearsOn string // a topic that fits it
	says    string
}

// dial connects and subscribes.
func (l *caller) dial(ctx context.Context, s *server, onMessage func(*mqtt.Client, mqtt.Message)) (*mqtt.Client, error) {
	c := l.config
	c.OnMessage = onMessage
	client, err := mqtt.Dial(ctx, s.mqtt, c)
	if err != nil {
		return nil, err
	}
	codes, err := client.Subscribe(ctx, l.hears)
	if err == nil && len(codes) == 1 && codes[0] > 2 {
		err = fmt.Errorf("subscribing to %s was refused", l.hears)
	}
	if err != nil {
		client.Kill()
		return nil, err
	}
	return client, nil
}

// signed is a device of another broker. Its names are as long as ours.
func signed(i int) caller {
	const key = "lw0bench0bench0"
	name := fmt.Sprintf("%012x", i)
	c := mqtt.ClientConfig{ClientID: key + "-" + name + "|securemode=3,signmethod=hmacsha256,_v=lampworks-virtual-1|", Username: name + "&" + key, KeepAlive: 10 * time.Minute, Clean: true}
	c.Password = sign(sign("lampworks bench", c.Username), c.ClientID+c.Username)
	return caller{config: c, hears: "/sys/" + key + "/" + name + "/thing/service/#", hearsOn: "/sys/" + key + "/" + name + "/thing/service/property/set", says: "/sys/" + key + "/" + name + "/thing/event/property/post"}
}

func sign(key, text string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// brokerPeer is another broker, started by the command that args gives for a directory and a port.
func (b *bench) brokerPeer(name, note string, args func(dir, port string) ([]string, error)) peer {
	return peer{name, note, 0, func(ctx context.Context, _ measure, n int) (*place, error) {
		dir, err := os.MkdirTemp("", "lampworks-bench-")
		if err != nil {
			return nil, fmt.Errorf("making a directory: %w", err)
		}
		at, err := b.startBroker(ctx, dir, args)
		if err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
		for i := range n + 1 {
			d := signed(i)
			d.config.Dial = at.dial
			at.devices = append(at.devices, d)
		}
		first := at.devices[n]
		at.devices = at.devices[:n]
		if err := at.ready(ctx, first); err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
		return at, nil
	}}
}

// startBroker starts it over TLS, too, if the bench is to measure that: then dir has a certificate.
func (b *bench) startBroker(ctx context.Context, dir string, args func(dir, port string) ([]string, error)) (*place, error) {
	addr, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	_, port, _ := strings.Cut(addr, ":")
	command, err := args(dir, port)
	if err != nil {
		return nil, fmt.Errorf("configuring a broker: %w", err)
	}
	if command[0], err = exec.LookPath(command[0]); err != nil {
		if command[0], err = exec.LookPath("/usr/sbin/mosquitto"); err != nil { // Debian keeps it out of PATH
			return nil, err
		}
	}
	s := &server{dir: dir, mqtt: addr, mqtts: addr, transport: b.Transport, exited: make(chan struct{})}
	if b.Transport == TLS {
		if _, err := s.secure(); err != nil {
			return nil, err
		}
	}
	if err := s.run(io.Discard, command[0], command[1:]...); err != nil {
		return nil, err
	}
	return &place{server: s, close: func() error {
		return errors.Join(s.end(syscall.SIGKILL), s.remove()) // mochi-mqtt does not always end when it is asked to
	}}, nil
}

// freeAddress is one that nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// openOwn starts this program for one measurement.
func (b *bench) openOwn(ctx context.Context, what measure, n int) (*place, error) {
	switch what {
	case echoing:
		st, err := b.stage(ctx)
		if err != nil {
			return nil, err
		}
		return &place{server: st.s, stage: st, close: st.close}, nil
	case posting:
		s, err := b.serve(ctx, "", "--no-consumers")
		if err != nil {
			return nil, err
		}
		m, err := s.sensors(ctx, n)
		if err != nil {
			return nil, errors.Join(err, s.stop())
		}
		return ownPlace(s, m)
	case idling:
	}
	s, m, err := b.crowd(ctx, n)
	if err != nil {
		return nil, err
	}
	time.Sleep(2 * time.Second) // what starting took is given back
	return ownPlace(s, m)
}

// thick is how many properties a post of 1 kB has.
const thick = 27

// thickly is a post of 1 kB.
func thickly(turn int) []byte {
	return alink.AppendRequest(nil, strconv.Itoa(turn), "thing.event.property.post", reportOf(thick, turn))
}

// thinly is a post of one property.
func thinly(turn int) []byte {
	return alink.AppendRequest(nil, strconv.Itoa(turn), "thing.event.property.post", fmt.Appendf(nil, `{"brightness":%d}`, 1+turn%100))
}

// sensors signs in and makes n triples of a device with many properties.
func (s *server) sensors(ctx context.Context, n int) (*maker, error) {
	if err := s.signIn(ctx); err != nil {
		return nil, err
	}
	return s.manufacture(ctx, "sensor", wideOf(thick), n)
}

func ownPlace(s *server, m *maker) (*place, error) {
	at := &place{server: s, close: s.stop, caughtUp: func(ctx context.Context) error { return s.caughtUp(ctx, time.Minute) }}
	for _, t := range m.triples {
		c, err := virtual.Options(m.ProductKey, t)
		if err != nil {
			return nil, errors.Join(err, s.stop())
		}
		c.KeepAlive, c.Dial = 10*time.Minute, s.dial
		branch := "/sys/" + m.ProductKey + "/" + t.MAC.String()
		at.devices = append(at.devices, caller{config: c, hears: branch + "/thing/service/#", says: branch + "/thing/event/property/post"})
	}
	return at, nil
}
