package test

import (
	"net"
	"testing"

	"github.com/eclipse/paho.golang/paho"
	paho3 "github.com/eclipse/paho.mqtt.golang"

	"lampworks/alink"
)

// paho311 is Eclipse Paho's client for MQTT 3.1.1.
type paho311 struct {
	inbox
	s       *server
	client  paho3.Client
	filters []string
}

func startPaho3(t *testing.T, s *server, d triple, child ...triple) *paho311 {
	t.Helper()
	p := &paho311{inbox: newInbox(d, child), s: s}
	t.Cleanup(p.leaves)
	p.back(t)
	return p
}

func (p *paho311) back(t *testing.T) {
	t.Helper()
	id, user, password := sign(t, p.triple, plain)
	p.client = paho3.NewClient(paho3.NewClientOptions().AddBroker("tcp://" + p.s.mqtt).SetClientID(id).SetUsername(user).SetPassword(password).
		SetAutoReconnect(false).SetConnectTimeout(patience).
		SetDefaultPublishHandler(func(_ paho3.Client, m paho3.Message) { p.put(m.Topic(), m.Payload()) }).
		SetConnectionLostHandler(func(paho3.Client, error) { p.gone <- struct{}{} }))
	done(t, "connect", p.client.Connect())
	for _, f := range p.filters {
		p.subscribe(t, f)
	}
}

func (p *paho311) subscribe(t *testing.T, filter string) {
	t.Helper()
	done(t, "subscribe to "+filter, p.client.Subscribe(filter, 1, nil))
}

func (p *paho311) hears(t *testing.T, of alink.Template, arg string) {
	t.Helper()
	p.filters = append(p.filters, p.at(of, arg))
	p.subscribe(t, p.at(of, arg))
}

func (p *paho311) says(t *testing.T, of alink.Template, arg string, payload []byte) {
	t.Helper()
	done(t, "publish", p.client.Publish(p.at(of, arg), 1, false, payload))
}

func (p *paho311) asks(t *testing.T, of alink.Template, arg string, params any) alinkReply {
	t.Helper()
	return p.byHand(t, p, of, arg, params)
}

func (p *paho311) shadow(t *testing.T, method string, state any) {
	t.Helper()
	p.says(t, alink.ShadowUpdate, "", shadowMessage(t, method, state))
}

func (p *paho311) replies(t *testing.T, of alink.Template, to heard, code int, data any) {
	t.Helper()
	p.repliesByHand(t, p, of, to, code, data)
}

func (p *paho311) leaves() { p.client.Disconnect(0) }

// paho5 is Eclipse Paho's client for MQTT 5.
type paho5 struct {
	inbox
	s       *server
	client  *paho.Client
	filters []string
}

func startPaho5(t *testing.T, s *server, d triple, child ...triple) *paho5 {
	t.Helper()
	p := &paho5{inbox: newInbox(d, child), s: s}
	t.Cleanup(p.leaves)
	p.back(t)
	return p
}

func (p *paho5) back(t *testing.T) {
	t.Helper()
	nc, err := net.Dial("tcp", p.s.mqtt)
	if err != nil {
		t.Fatal(err)
	}
	p.client = paho.NewClient(paho.ClientConfig{
		Conn: nc, PacketTimeout: patience, OnServerDisconnect: func(*paho.Disconnect) { p.gone <- struct{}{} },
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(r paho.PublishReceived) (bool, error) {
			p.put(r.Packet.Topic, r.Packet.Payload)
			return true, nil
		}},
	})
	id, user, password := sign(t, p.triple, plain)
	if _, err := p.client.Connect(t.Context(), &paho.Connect{
		ClientID: id, CleanStart: true, KeepAlive: 60, UsernameFlag: true, Username: user, PasswordFlag: true, Password: []byte(password),
	}); err != nil {
		t.Fatal(err)
	}
	for _, f := range p.filters {
		p.subscribe(t, f)
	}
}

func (p *paho5) subscribe(t *testing.T, filter string) {
	t.Helper()
	if _, err := p.client.Subscribe(t.Context(), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: filter, QoS: 1}}}); err != nil {
		t.Fatalf("subscribe to %s: %v", filter, err)
	}
}

func (p *paho5) hears(t *testing.T, of alink.Template, arg string) {
	t.Helper()
	p.filters = append(p.filters, p.at(of, arg))
	p.subscribe(t, p.at(of, arg))
}

func (p *paho5) says(t *testing.T, of alink.Template, arg string, payload []byte) {
	t.Helper()
	if ack, err := p.client.Publish(t.Context(), &paho.Publish{Topic: p.at(of, arg), QoS: 1, Payload: payload}); ack == nil {
		t.Fatalf("publish on %s: %v", of, err)
	}
}

func (p *paho5) asks(t *testing.T, of alink.Template, arg string, params any) alinkReply {
	t.Helper()
	return p.byHand(t, p, of, arg, params)
}

func (p *paho5) shadow(t *testing.T, method string, state any) {
	t.Helper()
	p.says(t, alink.ShadowUpdate, "", shadowMessage(t, method, state))
}

func (p *paho5) replies(t *testing.T, of alink.Template, to heard, code int, data any) {
	t.Helper()
	p.repliesByHand(t, p, of, to, code, data)
}

func (p *paho5) leaves() { _ = p.client.Disconnect(&paho.Disconnect{}) }
