package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"lampworks/alink"
	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/infra/uplink"
	"lampworks/mqtt"
)

// A gate is a Log that holds records back, or loses them, as a test says.
type gate struct {
	uplink.Log
	mu    sync.Mutex
	holds func(uplink.Record) <-chan struct{} // nil: the record passes
	loses func(uplink.Record) bool
}

func (g *gate) set(holds func(uplink.Record) <-chan struct{}, loses func(uplink.Record) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.holds, g.loses = holds, loses
}

func (g *gate) Append(ctx context.Context, r uplink.Record, done func(uplink.Position, error)) error {
	g.mu.Lock()
	holds, loses := g.holds, g.loses
	g.mu.Unlock()
	if loses != nil && loses(r) {
		go done(0, errors.New("the disk is full"))
		return nil
	}
	if holds != nil {
		if until := holds(r); until != nil {
			<-until
		}
	}
	return g.Log.Append(ctx, r, done)
}

func newGated(t *testing.T, lights int, limits gateway.Limits) (*house, *gate) {
	t.Helper()
	g := &gate{}
	return newHouse(t, lights, func(l uplink.Log) uplink.Log { g.Log = l; return g }, limits), g
}

// TestWillNamesItsDevice: the will of a device that posts many values at once may say whose they are, as such a post may.
func TestWillNamesItsDevice(t *testing.T) {
	h := newHouse(t, 2, nil, gateway.Limits{})
	for i, named := range []int{0, 0} {
		d := h.Lights[i]
		post := fmt.Sprintf(`{"id":"1","version":"1.0","params":{"identity":{"productKey":%q,"deviceName":%q},"properties":{"brightness":7}}}`, h.Product.ProductKey, h.Lights[named].Name)
		r, _ := h.returns(t, d, mqtt.V311, &mqtt.Will{Topic: []byte(h.topic(d, "thing/event/property/pack/post")), Payload: []byte(post)})
		h.cut(t, d, r)
	}
	devicetest.Eventually(t, "the will to be said", func() (bool, any) { return h.messages(t, h.Lights[0], 0) == 1, nil })
	devicetest.Eventually(t, "that of another device to be refused", func() (bool, any) { return h.Stats.Rejected.Load() == 1, nil })
	if n := h.messages(t, h.Lights[1], 0); n != 0 {
		t.Errorf("the will that names another device was said %d times", n)
	}
}

// TestNoWillOfWhoIsBack: a device whose coming is not in the Log yet, but which is here, has no will said.
func TestNoWillOfWhoIsBack(t *testing.T) {
	h, log := newGated(t, 1, gateway.Limits{})
	d := h.Lights[0]
	const delay = 3 * time.Second
	will := mqtt.Will{Topic: []byte(h.post(d)), Payload: brightness, Properties: mqtt.Properties{}.Append(mqtt.Property{ID: mqtt.WillDelay, Int: uint32(delay / time.Second)})}
	r, _ := h.returns(t, d, mqtt.V5, &will)
	h.cut(t, d, r)
	back, came := make(chan struct{}), make(chan struct{}, 1)
	log.set(func(r uplink.Record) <-chan struct{} {
		if r.Kind != uplink.Session || r.Subject != "session.began" {
			return nil
		}
		came <- struct{}{}
		return back
	}, nil)
	defer close(back)
	a := h.credentials(t, d)
	hello := mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{
		Version: mqtt.V311, HasUsername: true, HasPassword: true, ClientID: []byte(a.ClientID), Username: []byte(a.Username), Password: []byte(a.Password),
	}}
	if _, err := dialTCP(t, h.addr).Write(mqtt.AppendPacket(nil, &hello, mqtt.V311)); err != nil {
		t.Fatal(err)
	}
	got(t, "record of its coming", came)
	time.Sleep(delay + 2*gateway.RoundEvery)
	if n := h.messages(t, d, 0); n != 0 {
		t.Errorf("the will of a device that is here was said %d times", n)
	}
}

// TestWillsDisturbNobody: while wills wait for the disk, who says nothing is closed in time, as ever.
func TestWillsDisturbNobody(t *testing.T) {
	h, log := newGated(t, 3, gateway.Limits{Hello: time.Second})
	free := make(chan struct{})
	said := make(chan struct{}, 10)
	log.set(func(r uplink.Record) <-chan struct{} {
		m, err := device.DecodeMessage(r.Body)
		if r.Kind == uplink.Message && err == nil && m.WillOf != 0 && m.Template == alink.PropertyPost {
			said <- struct{}{}
			return free
		}
		return nil
	}, nil)
	for _, d := range h.Lights {
		r, _ := h.returns(t, d, mqtt.V311, &mqtt.Will{Topic: []byte(h.post(d)), Payload: brightness})
		h.cut(t, d, r)
	}
	got(t, "will", said)
	isClosed(t, dialTCP(t, h.addr)) // it sent no CONNECT
	close(free)
	for _, d := range h.Lights {
		devicetest.Eventually(t, "the will to be said", func() (bool, any) { return h.messages(t, d, 0) == 1, nil })
	}
}

// TestCleanSessionIsWrittenDown: a clean session of which nothing can be written down ends: what an earlier connection left
// would outlive it. Where there is nothing it stays.
func TestCleanSessionIsWrittenDown(t *testing.T) {
	h, log := newGated(t, 2, gateway.Limits{Takeovers: 1000})
	d := h.Lights[0]
	for _, v := range versions {
		r, _ := h.returns(t, d, v, nil)
		r.send(t, subscribe(1, v, h.topic(d, "thing/service/#")))
		r.await(t, mqtt.SUBACK, 1)
		h.cut(t, d, r)
		log.set(nil, func(r uplink.Record) bool { return r.Kind == uplink.Presence })
		r, ack := h.rawAs(t, d, func(p *mqtt.Packet) { p.Connect.Version = v })
		if ack.Code == 0 && v == mqtt.V5 {
			if p := r.await(t, mqtt.DISCONNECT, 1); mqtt.Reason(p.Code) != mqtt.QuotaExceeded {
				t.Errorf("%s: DISCONNECT %s", v, mqtt.Reason(p.Code))
			}
		}
		isClosed(t, r.nc)
		other := h.raw(t, h.Lights[1], v)
		other.send(t, mqtt.AppendPublish(nil, v, h.post(h.Lights[1]), brightness, 1, 7, false, false))
		other.await(t, mqtt.PUBACK, 1)
		log.set(nil, nil)
		h.raw(t, d, v)
		if _, ack = h.returns(t, d, v, nil); ack.SessionPresent {
			t.Errorf("%s: a session was there after a clean one", v)
		}
		h.raw(t, d, v)
	}
}

// TestTakenOverHasNoWill: what is written down of the end of a connection that was taken over asks for no will, also when the
// newer one is clean and leaves at once.
func TestTakenOverHasNoWill(t *testing.T) {
	h, log := newGated(t, 1, gateway.Limits{})
	d := h.Lights[0]
	const said = 2 // flag of the record: see package session
	flags := make(chan byte, 1)
	log.set(func(r uplink.Record) <-chan struct{} {
		if r.Kind == uplink.Session && r.Subject == "session.ended" {
			flags <- r.Body[9]
		}
		return nil
	}, nil)
	h.returns(t, d, mqtt.V311, &mqtt.Will{Topic: []byte(h.post(d)), Payload: brightness})
	h.raw(t, d, mqtt.V311)
	if f := got(t, "record of the end", flags); f&said != 0 {
		t.Errorf("the end of the connection that was taken over asks for its will: flags %#x", f)
	}
}
