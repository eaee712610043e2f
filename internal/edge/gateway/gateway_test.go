package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lampworks/alink"
	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/config"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/fleet/session"
	"lampworks/internal/fleet/shadow"
	"lampworks/internal/household/home"
	"lampworks/internal/household/pairing"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
	"lampworks/mqtt"
)

const patience = 10 * time.Second

// A house is a gateway on a real listener, and all it works with.
type house struct {
	*devicetest.Works
	*gateway.Gateway
	commands *command.Commands
	shadows  *shadow.Service
	configs  *config.Service
	pairing  *pairing.Service
	addr     string
}

func newHouse(t testing.TB, lights int, log func(uplink.Log) uplink.Log, limits gateway.Limits) *house {
	t.Helper()
	h := &house{Works: devicetest.New(t, lights)}
	h.shadows = shadow.New(h.Store, h.Products, h.Quiet)
	h.configs = config.New(h.Store, h.Products, h.Keys, h.Bus)
	h.commands = command.New(h.Store, h.Products, h.shadows, h.Bus, h.Quiet)
	devicetest.Run(t, h.commands.Run)
	devicetest.Run(t, func(ctx context.Context) error { return h.commands.Follow(ctx, h.Log) })
	sessions := session.New(h.Store, h.Quiet)
	devicetest.Run(t, func(ctx context.Context) error { return sessions.Follow(ctx, h.Log) })
	h.pairing = pairing.New(pairing.Config{Store: h.Store, Homes: home.New(h.Store), Products: h.Products, Epoch: func(device string) (uint64, bool) { return h.Gateway.Epoch(device) }, Logger: h.Quiet})
	c := gateway.Config{Pairing: h.pairing, Sessions: sessions, Devices: h.Devices, Products: h.Products, Commands: h.commands, Shadows: h.shadows, Configs: h.configs, Orders: h.Orders, FileURL: func(link string) string { return "http://example.com/" + link }, Log: h.Log, Bus: h.Bus, Logger: h.Quiet, Limits: limits}
	if log != nil {
		c.Log = log(h.Log)
	}
	h.Gateway = gateway.New(c)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.addr = l.Addr().String()
	g := h.Gateway // a test may put another in its place
	devicetest.Run(t, g.Run)
	devicetest.Run(t, func(ctx context.Context) error { return g.Serve(ctx, l, false) })
	return h
}

// credentials is how a light signs in.
func (h *house) credentials(t testing.TB, d device.Device) mqtt.ClientConfig {
	t.Helper()
	who, err := h.Devices.Identify(t.Context(), h.Product.ProductKey, d.Name)
	if err != nil {
		t.Fatal(err)
	}
	id, err := alink.ParseClientID(h.Product.ProductKey + "." + d.Name + "|securemode=3,signmethod=hmacsha256|")
	if err != nil {
		t.Fatal(err)
	}
	password, err := alink.Sign(id.SignMethod, who.Secret.Reveal(), id, d.Name, h.Product.ProductKey)
	if err != nil {
		t.Fatal(err)
	}
	return mqtt.ClientConfig{ClientID: id.Raw, Username: d.Name + "&" + h.Product.ProductKey, Password: password, KeepAlive: time.Minute, Clean: true}
}

func (h *house) dial(t *testing.T, d device.Device) *mqtt.Client {
	t.Helper()
	c, err := mqtt.Dial(t.Context(), h.addr, h.credentials(t, d))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	return c
}

func (h *house) topic(d device.Device, tail string) string {
	return "/sys/" + h.Product.ProductKey + "/" + d.Name + "/" + tail
}

func (h *house) post(d device.Device) string { return h.topic(d, "thing/event/property/post") }

var brightness = []byte(`{"id":"1","version":"1.0","params":{"brightness":50}}`)

// A slowDisk is a Log whose answers wait until it is let go, and fail where it is broken.
type slowDisk struct {
	uplink.Log
	open   chan struct{}
	broken atomic.Bool
	held   atomic.Int32 // messages handed to it
}

func (l *slowDisk) Append(ctx context.Context, r uplink.Record, done func(uplink.Position, error)) error {
	if r.Kind != uplink.Message {
		return l.Log.Append(ctx, r, done)
	}
	if l.broken.Load() {
		go done(0, errors.New("the disk is full"))
		return nil
	}
	l.held.Add(1)
	return l.Log.Append(ctx, r, func(pos uplink.Position, err error) {
		<-l.open
		done(pos, err)
	})
}

// TestAcknowledgedWhenStored holds the disk back: nothing is acknowledged, and of a device that goes on sending only so
// much is taken. Others are not disturbed in connecting. Then the disk goes on, and all is acknowledged.
func TestAcknowledgedWhenStored(t *testing.T) {
	disk := &slowDisk{open: make(chan struct{})}
	h := newHouse(t, 2, func(l uplink.Log) uplink.Log { disk.Log = l; return disk }, gateway.Limits{MaxUnstored: 8})
	release := sync.OnceFunc(func() { close(disk.open) })
	defer release()
	d := h.Lights[0]
	c := h.dial(t, d)
	const n = 500
	var acked atomic.Int32
	for range n {
		if err := c.PublishAsync(h.post(d), brightness, func(err error) {
			if err == nil {
				acked.Add(1)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	devicetest.Eventually(t, "some to be handed to the Log", func() (bool, any) { return disk.held.Load() >= 8, disk.held.Load() })
	other, err := mqtt.Dial(t.Context(), h.addr, h.credentials(t, h.Lights[1]))
	if err != nil {
		t.Fatalf("another device cannot connect: %v", err)
	}
	other.Kill()
	const inOneRead = 4096/100 + 1
	if held := disk.held.Load(); acked.Load() != 0 || held > 8+inOneRead {
		t.Errorf("%d messages are acknowledged and %d in memory before one is stored; want 0 and at most %d", acked.Load(), held, 8+inOneRead)
	}
	release()
	devicetest.Eventually(t, "all to be acknowledged", func() (bool, any) { return acked.Load() == n, acked.Load() })
}

// TestNotStored breaks the disk: the device gets no acknowledgement, and its session ends, so that it sends again.
func TestNotStored(t *testing.T) {
	disk := &slowDisk{open: make(chan struct{})}
	h := newHouse(t, 1, func(l uplink.Log) uplink.Log { disk.Log = l; return disk }, gateway.Limits{})
	close(disk.open)
	d := h.Lights[0]
	c := h.dial(t, d)
	if err := c.Publish(t.Context(), h.post(d), brightness, 1); err != nil {
		t.Fatal(err)
	}
	disk.broken.Store(true)
	if err := c.Publish(t.Context(), h.post(d), brightness, 1); err == nil {
		t.Error("a message that is not stored was acknowledged")
	}
	select {
	case <-c.Done():
	case <-time.After(patience):
		t.Error("the session did not end")
	}
}

// TestFullOutput gives a device that takes QoS 0 more commands than its output holds at once. It gets each once.
func TestFullOutput(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{MaxOut: 400})
	d := h.Lights[0]
	const n = 60
	for range n {
		if _, err := h.commands.Submit(t.Context(), h.Maker, command.Request{
			Device: d.ID, Kind: command.Service, Service: "identify", Params: json.RawMessage(`{}`), Deadline: time.Minute,
		}); err != nil {
			t.Fatal(err)
		}
	}
	a := h.credentials(t, d)
	nc, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	out := mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{
		Version: mqtt.V311, Clean: true, HasUsername: true, HasPassword: true, ClientID: []byte(a.ClientID), Username: []byte(a.Username), Password: []byte(a.Password),
	}}, mqtt.V311)
	out = mqtt.AppendPacket(out, &mqtt.Packet{Type: mqtt.SUBSCRIBE, ID: 1, Filters: []mqtt.Filter{{Topic: []byte(h.topic(d, "thing/service/#"))}}}, mqtt.V311)
	if _, err := nc.Write(out); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]int)
	in := mqtt.Decoder{Limit: 4096, Version: mqtt.V311}
	b := make([]byte, 4096)
	for len(seen) < n {
		_ = nc.SetReadDeadline(time.Now().Add(patience))
		got, err := nc.Read(b)
		if err != nil {
			t.Fatalf("after %d commands of %d: %v", len(seen), n, err)
		}
		if err := in.Push(b[:got], func(p *mqtt.Packet) error {
			if p.Type != mqtt.PUBLISH {
				return nil
			}
			req, err := alink.ParseRequest(p.Payload)
			if seen[string(req.ID)]++; err == nil && seen[string(req.ID)] > 1 {
				err = fmt.Errorf("command %s came twice", req.ID)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMaxSessions turns away who is one too many, and takes it when another has gone.
func TestMaxSessions(t *testing.T) {
	h := newHouse(t, 3, nil, gateway.Limits{MaxSessions: 2})
	first := h.dial(t, h.Lights[0])
	h.dial(t, h.Lights[1])
	if c, err := mqtt.Dial(t.Context(), h.addr, h.credentials(t, h.Lights[2])); err == nil {
		c.Kill()
		t.Error("a third device was taken where two are the limit")
	}
	first.Kill()
	devicetest.Eventually(t, "a place for the third", func() (bool, any) {
		c, err := mqtt.Dial(t.Context(), h.addr, h.credentials(t, h.Lights[2]))
		if err == nil {
			c.Kill()
		}
		return err == nil, err
	})
}

// TestStoppedAtOnce tells a gateway to stop before it has begun: that is no failure.
func TestStoppedAtOnce(t *testing.T) {
	h := newHouse(t, 0, nil, gateway.Limits{})
	ctx, stop := context.WithCancel(t.Context())
	stop()
	g := gateway.New(gateway.Config{Devices: h.Devices, Products: h.Products, Commands: h.commands, Log: h.Log, Bus: h.Bus, Logger: h.Quiet})
	if err := g.Run(ctx); err != nil {
		t.Errorf("told to stop it ended with: %v", err)
	}
}

// TestNothingAcknowledgedIsLost sends with QoS 1 what is not taken as a message. After the PUBACK the device was told why,
// or the Log has it.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	h := newHouse(t, 2, nil, gateway.Limits{Takeovers: 1000})
	for _, tt := range []struct {
		name, topic, payload string
		hears                string // filter it subscribed to
		answers              int
		kept                 uplink.Kind // 0: nothing
	}{
		{"a wrong value, nobody listens", "thing/event/property/post", `{"id":"1","version":"1.0","params":{"brightness":5000}}`, "", 0, uplink.Fact},
		{"a wrong value", "thing/event/property/post", `{"id":"1","version":"1.0","params":{"brightness":5000}}`, "thing/event/property/post_reply", 1, 0},
		{"an answer that is none", "thing/service/property/set_reply", "\x00\xff", "", 0, uplink.Fact},
		{"a topic that is not served", "thing/cipher/get", `{"id":"1","version":"1.0","params":{}}`, "thing/cipher/get_reply", 1, 0},
		{"raw bytes, listening", "thing/model/up_raw", "\x00\xff", "thing/model/up_raw_reply", 0, uplink.Message},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := h.Lights[0]
			var answers atomic.Int32
			a := h.credentials(t, d)
			a.OnMessage = func(*mqtt.Client, mqtt.Message) { answers.Add(1) }
			c, err := mqtt.Dial(t.Context(), h.addr, a)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Kill()
			if tt.hears != "" {
				if _, err := c.Subscribe(t.Context(), h.topic(d, tt.hears)); err != nil {
					t.Fatal(err)
				}
			}
			before := h.Log.Tail()
			if err := c.Publish(t.Context(), h.topic(d, tt.topic), []byte(tt.payload), 1); err != nil {
				t.Fatal(err)
			}
			records, err := h.Log.Read(t.Context(), before, 10)
			records = slices.DeleteFunc(records, func(r uplink.Record) bool { return r.Kind == uplink.Presence })
			switch {
			case err != nil || int(answers.Load()) != tt.answers:
				t.Errorf("%d answers, %v; want %d", answers.Load(), err, tt.answers)
			case tt.kept == 0 && len(records) > 0 || tt.kept != 0 && (len(records) != 1 || records[0].Kind != tt.kept || records[0].Device != d.ID):
				t.Errorf("the Log has %+v, want a record of kind %d", records, tt.kept)
			case tt.kept == uplink.Fact:
				r, err := device.DecodeRefusal(records[0].Body)
				if err != nil || r.Topic != h.topic(d, tt.topic) || r.Why == "" || string(r.Payload) != tt.payload || records[0].Subject != device.RefusalFact {
					t.Errorf("the Log has %q, %v", r, err)
				}
			}
		})
	}
}

// lines counts what a logger says.
type lines struct{ n atomic.Int32 }

func (l *lines) Write(b []byte) (int, error) {
	l.n.Add(1)
	return len(b), nil
}

// TestCommandAfterFullDisk lets a command be marked as sent only after the event and the round that tell of it have tried
// in vain: it leaves when there is room again, with no further event.
func TestCommandAfterFullDisk(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	var failed lines
	g := gateway.New(gateway.Config{
		Devices: h.Devices, Products: h.Products, Commands: h.commands, Log: h.Log, Bus: h.Bus, Logger: slog.New(slog.NewTextHandler(&failed, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	devicetest.Run(t, g.Run)
	devicetest.Run(t, func(ctx context.Context) error { return g.Serve(ctx, l, false) })
	came := make(chan struct{}, 1)
	a := h.credentials(t, d)
	a.OnMessage = func(*mqtt.Client, mqtt.Message) { came <- struct{}{} }
	c, err := mqtt.Dial(t.Context(), l.Addr().String(), a)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Kill()
	if _, err := c.Subscribe(t.Context(), h.topic(d, "thing/service/#")); err != nil {
		t.Fatal(err)
	}
	exec := func(statement string) {
		t.Helper()
		err := h.Store.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), statement)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TRIGGER full BEFORE UPDATE OF state ON command WHEN NEW.state = 'sent' BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
	if _, err := h.commands.Submit(t.Context(), h.Maker, command.Request{
		Device: d.ID, Kind: command.Service, Service: "identify", Params: json.RawMessage(`{}`), Deadline: time.Minute,
	}); err != nil {
		t.Fatal(err)
	}
	devicetest.Eventually(t, "two deliveries to fail", func() (bool, any) { return failed.n.Load() >= 2, failed.n.Load() })
	exec("DROP TRIGGER full")
	select {
	case <-came:
	case <-time.After(patience):
		t.Errorf("after %d failures the command still waits", failed.n.Load())
	}
}
