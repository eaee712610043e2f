package test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/uplink"
	uplinksqlite "lampworks/internal/infra/uplink/sqlite"
	"lampworks/mqtt"
)

// precise is a device that posts with QoS 2 in a session that stays. It remembers what the standard wants it to: which message
// has no PUBREC yet, and which no PUBCOMP. It subscribes in its first life only.
type precise struct {
	t  *testing.T
	d  triple
	id string // of the device on the platform
	v  mqtt.Version

	subscribed bool
	n          int  // the message under way
	received   bool // its PUBREC came
	again      bool // it may have gone before
	complete   []int
	lives      int
	present    int // lives that found their session
	commands   map[string]int
}

func (p *precise) packet() uint16 { return uint16(1 + p.n%5) } // identifiers come again soon

// step is what is to be sent for the message under way.
func (p *precise) step() []byte {
	if p.received {
		return []byte{byte(mqtt.PUBREL)<<4 | 2, 2, byte(p.packet() >> 8), byte(p.packet())}
	}
	body := fmt.Appendf(nil, `{"id":"%d","version":"1.0","params":{"brightness":%d}}`, p.n, 1+p.n%100)
	b := mqtt.AppendPublish(nil, p.v, p.d.topic("thing/event/property/post"), body, 2, p.packet(), p.again, false)
	p.again = true
	return b
}

// run is one life of the device, until the server is gone.
func (p *precise) run(ctx context.Context, addr string) {
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return
	}
	defer nc.Close()
	stop := context.AfterFunc(ctx, func() { _ = nc.Close() })
	defer stop()
	a := credentials(p.t, p.d, plain)
	hello := mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{
		Version: p.v, HasUsername: true, HasPassword: true, ClientID: []byte(a.ClientID), Username: []byte(a.Username), Password: []byte(a.Password),
	}}
	if p.v == mqtt.V5 {
		hello.Properties = hello.Properties.Append(mqtt.Property{ID: mqtt.SessionExpiry, Int: 3600})
	}
	out := mqtt.AppendPacket(nil, &hello, p.v)
	in, buf := mqtt.Decoder{Version: p.v}, make([]byte, 4096)
	for {
		if len(out) > 0 {
			if _, err := nc.Write(out); err != nil {
				return
			}
		}
		_ = nc.SetReadDeadline(time.Now().Add(patience))
		n, err := nc.Read(buf)
		if err != nil {
			return
		}
		out = out[:0]
		if err := in.Push(buf[:n], func(q *mqtt.Packet) error { out = append(out, p.hears(q)...); return nil }); err != nil {
			p.t.Errorf("the platform sent %x: %v", buf[:n], err)
			return
		}
	}
}

// hears acts on a packet and gives what is to be sent.
func (p *precise) hears(q *mqtt.Packet) []byte {
	switch {
	case q.Type == mqtt.CONNACK && q.Code != 0:
		p.t.Errorf("refused with %d", q.Code)
	case q.Type == mqtt.CONNACK:
		p.lives++
		if q.SessionPresent {
			p.present++
		}
		if p.subscribed {
			return p.step()
		}
		return mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.SUBSCRIBE, ID: 99, Filters: []mqtt.Filter{{Topic: []byte(p.d.topic("thing/service/#")), QoS: 1}}}, p.v)
	case q.Type == mqtt.SUBACK:
		p.subscribed = true
		return p.step()
	case q.Type == mqtt.PUBREC && q.ID == p.packet() && !p.received:
		p.received = true
		return p.step()
	case q.Type == mqtt.PUBCOMP && q.ID == p.packet() && p.received:
		p.complete = append(p.complete, p.n)
		p.n, p.received, p.again = p.n+1, false, false
		return p.step()
	case q.Type == mqtt.PUBLISH:
		return p.obeys(q)
	}
	return nil
}

func (p *precise) obeys(q *mqtt.Packet) []byte {
	req, err := alink.ParseRequest(q.Payload)
	if err != nil {
		p.t.Errorf("the platform sent %s: %v", q.Payload, err)
		return nil
	}
	p.commands[string(req.ID)]++
	out := mqtt.AppendPuback(nil, q.ID)
	return append(out, mqtt.AppendPublish(nil, p.v, p.d.topic("thing/service/property/set_reply"), alink.AppendReply(nil, req.ID, 200, "success", nil, ""), 0, 0, false, false)...)
}

// oncePrecisely looks for every message that was completed: it is in the Log once, and so is the one under way at most.
func oncePrecisely(t *testing.T, path string, devices []*precise) {
	log, err := uplinksqlite.Open(t.Context(), path, uplinksqlite.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	times := make(map[string]int)
	for after := uplink.Position(0); ; {
		batch, err := log.Read(t.Context(), after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			break
		}
		for _, r := range batch {
			m, err := device.DecodeMessage(r.Body)
			if r.Kind != uplink.Message || err != nil || m.Template != alink.PropertyPost {
				continue
			}
			if req, err := alink.ParseRequest(m.Payload); err == nil {
				times[r.Device+" "+string(req.ID)]++
			}
		}
		after = batch[len(batch)-1].Pos
	}
	for _, p := range devices {
		for _, n := range p.complete {
			if got := times[fmt.Sprint(p.id, " ", n)]; got != 1 {
				t.Errorf("%s: message %d is in the Log %d times", p.v, n, got)
			}
		}
		if got := times[fmt.Sprint(p.id, " ", p.n)]; got > 1 || got == 0 && p.received {
			t.Errorf("%s: the message under way, %d, is in the Log %d times; PUBREC came: %v", p.v, p.n, got, p.received)
		}
		if len(p.complete) == 0 || p.present < p.lives-1 {
			t.Errorf("%s: %d messages were completed; of %d lives %d found their session", p.v, len(p.complete), p.lives, p.present)
		}
		t.Logf("%s: %d messages of QoS 2 completed, %d lives, %d commands, some twice: %d", p.v, len(p.complete), p.lives, len(p.commands), twice(p.commands))
	}
}

func twice(of map[string]int) (n int) {
	for _, times := range of {
		if times > 1 {
			n++
		}
	}
	return n
}
