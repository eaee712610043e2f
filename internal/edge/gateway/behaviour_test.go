package gateway_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/mqtt"
)

// A visit is a device that speaks one version at one door.
type visit struct {
	*house
	d device.Device
	v mqtt.Version
	// open opens a connection.
	open func(*testing.T) net.Conn
}

// behaviours are those that the interoperability tests of Eclipse Paho ask of a broker, as far as they concern a device.
var behaviours = []struct {
	name string
	only mqtt.Version // 0: both
	play func(*testing.T, *visit)
}{
	{"basic", 0, playBasic},
	{"zero length client id", 0, playNamelessClient},
	{"offline message queueing", 0, playOffline},
	{"redelivery on reconnect", 0, playRedelivery},
	{"overlapping subscriptions", 0, playOverlap},
	{"subscribe failure", 0, playForeignFilter},
	{"dollar topics", 0, playDollar},
	{"unsubscribe", 0, playUnsubscribe},
	{"retained messages", 0, playRetained},
	{"will message", 0, playWill},
	{"will delay", mqtt.V5, playWillDelay},
	{"keep alive", 0, playKeepAlive},
	{"server keep alive", mqtt.V5, playServerKeepAlive},
	{"second CONNECT", 0, playSecondConnect},
	{"protocol level", 0, playLevel},
	{"session expiry", mqtt.V5, playExpiry},
	{"shared subscriptions", mqtt.V5, playShared},
	{"user properties", mqtt.V5, playUserProperties},
	{"publication expiry, request and response", mqtt.V5, playRequest},
	{"client topic alias", mqtt.V5, playClientAlias},
	{"server topic alias", mqtt.V5, playServerAlias},
	{"maximum packet size", mqtt.V5, playPacketSize},
	{"subscribe options", mqtt.V5, playOptions},
	{"subscription identifiers", mqtt.V5, playIdentifiers},
	{"flow control of the client", mqtt.V5, playClientWindow},
	{"flow control of the server", mqtt.V5, playServerWindow},
	{"enhanced authentication", mqtt.V5, playAuth},
	{"subscription identifier 0", mqtt.V5, playNoIdentifier},
}

// TestBehaviours plays each of them in both versions, over TCP and over WebSocket.
func TestBehaviours(t *testing.T) {
	h := newHouse(t, 4, nil, gateway.Limits{Takeovers: 100_000})
	web := h.web(t, nil, nil)
	doors := map[string]func(*testing.T) net.Conn{
		"TCP": func(t *testing.T) net.Conn {
			nc, err := net.Dial("tcp", h.addr)
			if err != nil {
				t.Fatal(err)
			}
			return nc
		},
		"WebSocket": func(t *testing.T) net.Conn {
			nc, err := net.Dial("tcp", web)
			if err != nil {
				t.Fatal(err)
			}
			w := webOver(t, nc, "", nil)
			_ = nc.SetDeadline(time.Time{})
			return w
		},
	}
	lights := slices.Clone(h.Lights)
	for door, open := range doors {
		for _, v := range versions {
			p := &visit{h, lights[0], v, open}
			lights = lights[1:]
			t.Run(door+" "+v.String(), func(t *testing.T) {
				t.Parallel()
				for _, b := range behaviours {
					if b.only == 0 || b.only == v {
						t.Run(b.name, func(t *testing.T) { b.play(t, p) })
					}
				}
			})
		}
	}
}

// TestBehavioursAreTold holds the page about MQTT against the list, in both languages.
func TestBehavioursAreTold(t *testing.T) {
	for _, language := range []string{"en", "zh-CN"} {
		page, err := os.ReadFile("../../../docs/" + language + "/mqtt.md")
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for line := range strings.Lines(string(page)) {
			if name, is := strings.CutPrefix(line, "- `"); is {
				name, _, _ = strings.Cut(name, "`")
				told = append(told, name)
			}
		}
		var want []string
		for _, b := range behaviours {
			want = append(want, b.name)
		}
		if !slices.Equal(told, want) {
			t.Errorf("%s: the page lists %q, want %q", language, told, want)
		}
	}
}

// comes connects with a clean session, unless ask says otherwise.
func (p *visit) comes(t *testing.T, ask func(*mqtt.Packet)) (*rawLamp, mqtt.Packet) {
	t.Helper()
	return p.speaks(t, p.open(t), p.d, func(c *mqtt.Packet) {
		c.Connect.Version = p.v
		if ask != nil {
			ask(c)
		}
	})
}

// stays asks for a session that outlives the connection.
func (p *visit) stays(c *mqtt.Packet) {
	c.Connect.Clean = false
	if p.v == mqtt.V5 {
		c.Properties = c.Properties.Append(mqtt.Property{ID: mqtt.SessionExpiry, Int: 3600})
	}
}

func (p *visit) subscribes(t *testing.T, r *rawLamp, tails ...string) (codes []byte) {
	t.Helper()
	topics := make([]string, len(tails))
	for i, tail := range tails {
		if topics[i] = tail; !strings.HasPrefix(tail, "$") {
			topics[i] = p.topic(p.d, tail)
		}
	}
	r.send(t, subscribe(77, p.v, topics...))
	return r.await(t, mqtt.SUBACK, 1).Codes
}

func (p *visit) says(t *testing.T, r *rawLamp, m *mqtt.Packet) {
	t.Helper()
	m.Type = mqtt.PUBLISH
	if m.Topic == nil {
		m.Topic = []byte(p.post(p.d))
	}
	if m.Payload == nil {
		m.Payload = brightness
	}
	r.send(t, mqtt.AppendPacket(nil, m, p.v))
}

func (p *visit) orders(t *testing.T, brightness int) command.Command {
	t.Helper()
	return p.submit(t, command.Request{Device: p.d.ID, Kind: command.PropertySet, Params: fmt.Appendf(nil, `{"brightness":%d}`, brightness)})
}

// ends waits for the end of the connection; MQTT 5 is told the reason.
func (p *visit) ends(t *testing.T, r *rawLamp, why mqtt.Reason) {
	t.Helper()
	if p.v == mqtt.V5 {
		if bye := r.await(t, mqtt.DISCONNECT, 1); mqtt.Reason(bye.Code) != why {
			t.Errorf("the connection ended because of %s, want %s", mqtt.Reason(bye.Code), why)
		}
	}
	_ = r.nc.SetReadDeadline(time.Now().Add(patience))
	for b := make([]byte, 512); ; {
		if _, err := r.nc.Read(b); err != nil {
			if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
				t.Error("the connection did not end")
			}
			return
		}
	}
}

func (p *visit) leaves(t *testing.T, r *rawLamp) {
	t.Helper()
	r.send(t, []byte{byte(mqtt.DISCONNECT) << 4, 0})
	devicetest.Eventually(t, "the session to end", func() (bool, any) { return !p.Live(p.d.ID), nil })
}

func playBasic(t *testing.T, p *visit) {
	r, ack := p.comes(t, nil)
	if ack.Code != 0 || ack.SessionPresent {
		t.Fatalf("CONNACK %+v", ack)
	}
	if codes := p.subscribes(t, r, "thing/event/property/post_reply"); fmt.Sprintf("%x", codes) != "01" {
		t.Errorf("SUBACK %x", codes)
	}
	for qos, answers := range [][]mqtt.Type{{}, {mqtt.PUBACK}, {mqtt.PUBREC}} {
		p.says(t, r, &mqtt.Packet{QoS: uint8(qos), ID: uint16(qos)})
		seen := map[mqtt.Type]bool{}
		for range len(answers) + 1 {
			seen[r.next(t).Type] = true
		}
		for _, want := range append(answers, mqtt.PUBLISH) {
			if !seen[want] {
				t.Errorf("QoS %d brought %v, want %s among them", qos, seen, want)
			}
		}
	}
	r.send(t, mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.PUBREL, ID: 2}, p.v))
	r.await(t, mqtt.PUBCOMP, 1)
	r.send(t, []byte{byte(mqtt.PINGREQ) << 4, 0})
	r.await(t, mqtt.PINGRESP, 1)
	p.leaves(t, r)
}

func playNamelessClient(t *testing.T, p *visit) {
	want := mqtt.RefusedClientID
	if p.v == mqtt.V5 {
		want = byte(mqtt.BadClientID)
	}
	if _, ack := p.comes(t, func(c *mqtt.Packet) { c.Connect.ClientID = nil }); ack.Code != want {
		t.Errorf("CONNACK %#x, want %#x: who a device is, its client id says", ack.Code, want)
	}
}

func playOffline(t *testing.T, p *visit) {
	r, _ := p.comes(t, p.stays)
	p.subscribes(t, r, "thing/service/#")
	p.leaves(t, r)
	sent := []command.Command{
		p.submit(t, command.Request{Device: p.d.ID, Kind: command.PropertySet, Params: json.RawMessage(`{"brightness":11}`)}),
		p.submit(t, command.Request{Device: p.d.ID, Kind: command.PropertySet, Params: json.RawMessage(`{"colorTemperature":3000}`)}),
	}
	r, ack := p.comes(t, p.stays)
	if !ack.SessionPresent {
		t.Error("the session was not there")
	}
	for _, c := range sent {
		if m := r.await(t, mqtt.PUBLISH, 1); m.Dup || !strings.Contains(string(m.Payload), fmt.Sprintf(`"id":"%d"`, c.Seq)) {
			t.Errorf("%s came, want command %d", m.Payload, c.Seq)
		}
	}
	p.forget(t)
}

// forget leaves nothing of the device's session.
func (p *visit) forget(t *testing.T) {
	t.Helper()
	r, _ := p.comes(t, nil)
	p.leaves(t, r)
}

func playRedelivery(t *testing.T, p *visit) {
	r, _ := p.comes(t, p.stays)
	p.subscribes(t, r, "thing/service/#")
	c := p.orders(t, 12)
	first := r.await(t, mqtt.PUBLISH, 1)
	_ = r.nc.Close()
	devicetest.Eventually(t, "the session to end", func() (bool, any) { return !p.Live(p.d.ID), nil })
	r, _ = p.comes(t, p.stays)
	if m := r.await(t, mqtt.PUBLISH, 1); !m.Dup || m.ID != first.ID || !strings.Contains(string(m.Payload), fmt.Sprintf(`"id":"%d"`, c.Seq)) {
		t.Errorf("%+v came, want command %d with DUP and identifier %d", m, c.Seq, first.ID)
	}
	p.forget(t)
}

func playOverlap(t *testing.T, p *visit) {
	r, _ := p.comes(t, nil)
	p.subscribes(t, r, "thing/service/#", "thing/service/property/set", "thing/service/+/set")
	p.orders(t, 13)
	r.await(t, mqtt.PUBLISH, 1)
	p.quiet(t, r)
}

// quiet reports what comes, until a ping is answered.
func (p *visit) quiet(t *testing.T, r *rawLamp) {
	t.Helper()
	r.send(t, []byte{byte(mqtt.PINGREQ) << 4, 0})
	for {
		m := r.next(t)
		if m.Type == mqtt.PINGRESP {
			return
		}
		t.Errorf("%s came, want nothing", m.Type)
	}
}

func playForeignFilter(t *testing.T, p *visit) {
	r, _ := p.comes(t, nil)
	r.send(t, subscribe(1, p.v, "#", "/sys/+/+/thing/#", p.topic(p.d, "thing/service/#"), "/nosubscribe"))
	want := "80800180"
	if p.v == mqtt.V5 {
		want = "87870187"
	}
	if m := r.await(t, mqtt.SUBACK, 1); fmt.Sprintf("%x", m.Codes) != want {
		t.Errorf("SUBACK %x, want %s", m.Codes, want)
	}
}

func playDollar(t *testing.T, p *visit) {
	r, _ := p.comes(t, nil)
	for _, code := range p.subscribes(t, r, "$SYS/#", "$SYS/broker/clients/total") {
		if code < 0x80 {
			t.Errorf("$SYS was granted with %#x", code)
		}
	}
	p.says(t, r, &mqtt.Packet{Topic: []byte("$SYS/broker/uptime")})
	p.ends(t, r, mqtt.NotAuthorised)
}

func playUnsubscribe(t *testing.T, p *visit) {
	r, _ := p.comes(t, nil)
	p.subscribes(t, r, "thing/event/property/post_reply", "thing/event/+/post_reply")
	r.send(t, mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.UNSUBSCRIBE, ID: 4, Filters: []mqtt.Filter{{Topic: []byte(p.topic(p.d, "thing/event/+/post_reply"))}}}, p.v))
	r.await(t, mqtt.UNSUBACK, 1)
	p.says(t, r, &mqtt.Packet{})
	r.await(t, mqtt.PUBLISH, 1)
	r.send(t, mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.UNSUBSCRIBE, ID: 5, Filters: []mqtt.Filter{{Topic: []byte(p.topic(p.d, "thing/event/property/post_reply"))}}}, p.v))
	r.await(t, mqtt.UNSUBACK, 1)
	p.says(t, r, &mqtt.Packet{QoS: 1, ID: 6})
	r.await(t, mqtt.PUBACK, 1)
	p.quiet(t, r)
}

func playRetained(t *testing.T, p *visit) {
	r, ack := p.comes(t, nil)
	if available, told := ack.Properties.Find(mqtt.RetainAvailable); p.v == mqtt.V5 && (!told || available.Int != 0) {
		t.Error("CONNACK does not say that nothing is retained")
	}
	p.says(t, r, &mqtt.Packet{QoS: 1, ID: 1, Retain: true})
	if p.v == mqtt.V5 {
		p.ends(t, r, mqtt.NoRetain)
		return
	}
	r.await(t, mqtt.PUBACK, 1)
	p.subscribes(t, r, "thing/#")
	p.quiet(t, r)
}

func playWill(t *testing.T, p *visit) {
	before := p.Log.Tail()
	r, _ := p.comes(t, func(c *mqtt.Packet) {
		c.Connect.Will = &mqtt.Will{Topic: []byte(p.post(p.d)), Payload: brightness, QoS: 1}
	})
	p.leaves(t, r)
	if n := p.messages(t, p.d, before); n != 0 {
		t.Errorf("%d wills were said after a goodbye", n)
	}
	r, _ = p.comes(t, func(c *mqtt.Packet) {
		c.Connect.Will = &mqtt.Will{Topic: []byte(p.post(p.d)), Payload: brightness, QoS: 1}
	})
	_ = r.nc.Close()
	devicetest.Eventually(t, "the will", func() (bool, any) { n := p.messages(t, p.d, before); return n == 1, n })
}

func playWillDelay(t *testing.T, p *visit) {
	before := p.Log.Tail()
	late := func(c *mqtt.Packet) {
		p.stays(c)
		c.Connect.Will = &mqtt.Will{Topic: []byte(p.post(p.d)), Payload: brightness, QoS: 1, Properties: mqtt.Properties{}.Append(mqtt.Property{ID: mqtt.WillDelay, Int: 3000})}
	}
	r, _ := p.comes(t, late)
	_ = r.nc.Close()
	devicetest.Eventually(t, "the session to end", func() (bool, any) { return !p.Live(p.d.ID), nil })
	r, ack := p.comes(t, p.stays)
	if !ack.SessionPresent {
		t.Error("the session was not there")
	}
	p.leaves(t, r)
	if n := p.messages(t, p.d, before); n != 0 {
		t.Errorf("%d wills were said of a device that came back in time", n)
	}
	p.forget(t)
}

func playKeepAlive(t *testing.T, p *visit) {
	r, _ := p.comes(t, func(c *mqtt.Packet) { c.Connect.KeepAlive = 1 })
	p.ends(t, r, mqtt.KeepAliveTimeout)
}

func playServerKeepAlive(t *testing.T, p *visit) {
	for asked, told := range map[uint16]uint32{0: 1200, 1201: 1200, 1200: 0, 60: 0} {
		r, ack := p.comes(t, func(c *mqtt.Packet) { c.Connect.KeepAlive = asked })
		if keep, _ := ack.Properties.Find(mqtt.ServerKeepAlive); keep.Int != told {
			t.Errorf("who asks for %d s is told %d, want %d", asked, keep.Int, told)
		}
		p.leaves(t, r)
	}
}

func playSecondConnect(t *testing.T, p *visit) {
	r, _ := p.comes(t, nil)
	a := p.credentials(t, p.d)
	r.send(t, mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{Version: p.v, Clean: true, ClientID: []byte(a.ClientID)}}, p.v))
	p.ends(t, r, mqtt.ProtocolBroken)
}

func playLevel(t *testing.T, p *visit) {
	nc := p.open(t)
	defer nc.Close()
	if _, err := nc.Write([]byte("\x10\x0f\x00\x04MQTT\x09\x02\x00\x3c\x00\x03abc")); err != nil {
		t.Fatal(err)
	}
	_ = nc.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 4)
	if _, err := io.ReadFull(nc, b); err != nil || b[0] != byte(mqtt.CONNACK)<<4 || b[3] != mqtt.RefusedVersion && b[3] != byte(mqtt.BadVersion) {
		t.Errorf("level 9 was answered % x, %v", b, err)
	}
}

func playExpiry(t *testing.T, p *visit) {
	r, _ := p.comes(t, p.stays)
	r.send(t, mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.DISCONNECT, Properties: mqtt.Properties{}.Append(mqtt.Property{ID: mqtt.SessionExpiry, Int: 0})}, p.v))
	devicetest.Eventually(t, "the session to end", func() (bool, any) { return !p.Live(p.d.ID), nil })
	if r, ack := p.comes(t, p.stays); ack.SessionPresent {
		t.Error("a session that ended with its connection was there")
	} else {
		p.leaves(t, r)
	}
	r, ack := p.comes(t, func(c *mqtt.Packet) { c.Connect.Clean = false })
	if !ack.SessionPresent {
		t.Error("a session of an hour was not there")
	}
	r.send(t, mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.DISCONNECT, Properties: mqtt.Properties{}.Append(mqtt.Property{ID: mqtt.SessionExpiry, Int: 5})}, p.v))
	p.ends(t, r, mqtt.ProtocolBroken) // what was 0 stays 0
}

func playShared(t *testing.T, p *visit) {
	r, ack := p.comes(t, nil)
	if available, told := ack.Properties.Find(mqtt.SharedAvailable); !told || available.Int != 0 {
		t.Error("CONNACK does not say that there are none")
	}
	if codes := p.subscribes(t, r, "$share/group"+p.topic(p.d, "thing/#")); fmt.Sprintf("%x", codes) != "9e" {
		t.Errorf("SUBACK %x", codes)
	}
}

func playUserProperties(t *testing.T, p *visit) {
	r, _ := p.comes(t, func(c *mqtt.Packet) {
		c.Properties = c.Properties.Append(mqtt.Property{ID: mqtt.UserProperty, Key: []byte("a"), Value: []byte("2")})
	})
	p.says(t, r, &mqtt.Packet{QoS: 1, ID: 1, Properties: mqtt.Properties{}.
		Append(mqtt.Property{ID: mqtt.PayloadFormat, Int: 1}).Append(mqtt.Property{ID: mqtt.ContentType, Value: []byte("application/json")}).
		Append(mqtt.Property{ID: mqtt.UserProperty, Key: []byte("c"), Value: []byte("3")}).Append(mqtt.Property{ID: mqtt.UserProperty, Key: []byte("c"), Value: []byte("4")})})
	if ack := r.await(t, mqtt.PUBACK, 1); ack.Code != 0 {
		t.Errorf("PUBACK %+v", ack)
	}
}

func playRequest(t *testing.T, p *visit) {
	r, _ := p.comes(t, nil)
	p.subscribes(t, r, "thing/#")
	c := p.orders(t, 14)
	m := r.await(t, mqtt.PUBLISH, 1)
	expiry, _ := m.Properties.Find(mqtt.MessageExpiry)
	answer, _ := m.Properties.Find(mqtt.ResponseTopic)
	data, _ := m.Properties.Find(mqtt.CorrelationData)
	if expiry.Int == 0 || expiry.Int > 60 || string(answer.Value) != p.topic(p.d, "thing/service/property/set_reply") || string(data.Value) != fmt.Sprint(c.Seq) {
		t.Errorf("the command expires in %d s, is answered on %s with %s", expiry.Int, answer.Value, data.Value)
	}
	p.says(t, r, &mqtt.Packet{Properties: mqtt.Properties{}.Append(mqtt.Property{ID: mqtt.CorrelationData, Value: []byte("mine")})})
	m = r.await(t, mqtt.PUBLISH, 1)
	if data, _ = m.Properties.Find(mqtt.CorrelationData); string(data.Value) != "mine" {
		t.Errorf("the answer carries %q", data.Value)
	}
}

func playClientAlias(t *testing.T, p *visit) {
	r, ack := p.comes(t, nil)
	most, _ := ack.Properties.Find(mqtt.TopicAliasMaximum)
	if most.Int == 0 {
		t.Fatal("CONNACK allows no topic alias")
	}
	alias := func(n uint32) mqtt.Properties {
		return mqtt.Properties{}.Append(mqtt.Property{ID: mqtt.TopicAlias, Int: n})
	}
	p.says(t, r, &mqtt.Packet{QoS: 1, ID: 1, Properties: alias(most.Int)})
	p.says(t, r, &mqtt.Packet{QoS: 1, ID: 2, Topic: []byte{}, Properties: alias(most.Int)})
	if m := r.await(t, mqtt.PUBACK, 2); m.ID != 2 || m.Code != 0 {
		t.Errorf("by alias: %+v", m)
	}
	p.says(t, r, &mqtt.Packet{QoS: 1, ID: 3, Properties: alias(most.Int + 1)})
	p.ends(t, r, mqtt.BadTopicAlias)
	r, _ = p.comes(t, nil)
	p.says(t, r, &mqtt.Packet{QoS: 1, ID: 1, Topic: []byte{}, Properties: alias(1)}) // aliases do not outlive their connection
	p.ends(t, r, mqtt.ProtocolBroken)
}

func playServerAlias(t *testing.T, p *visit) {
	r, _ := p.comes(t, func(c *mqtt.Packet) {
		c.Properties = c.Properties.Append(mqtt.Property{ID: mqtt.TopicAliasMaximum, Int: 1})
	})
	p.subscribes(t, r, "thing/#")
	for i := range 3 {
		p.says(t, r, &mqtt.Packet{})
		m := r.await(t, mqtt.PUBLISH, 1)
		alias, _ := m.Properties.Find(mqtt.TopicAlias)
		if alias.Int > 1 || i > 0 && (alias.Int != 1 || len(m.Topic) != 0) || i == 0 && len(m.Topic) == 0 {
			t.Errorf("message %d came on %q with alias %d", i+1, m.Topic, alias.Int)
		}
	}
}

func playPacketSize(t *testing.T, p *visit) {
	r, ack := p.comes(t, func(c *mqtt.Packet) {
		c.Properties = c.Properties.Append(mqtt.Property{ID: mqtt.MaximumPacketSize, Int: 100})
	})
	most, told := ack.Properties.Find(mqtt.MaximumPacketSize)
	if !told {
		t.Fatal("CONNACK does not say how large a packet may be")
	}
	p.subscribes(t, r, "thing/event/property/post_reply")
	p.says(t, r, &mqtt.Packet{QoS: 1, ID: 1}) // its reply has more than 100 bytes
	r.await(t, mqtt.PUBACK, 1)
	p.quiet(t, r)
	p.says(t, r, &mqtt.Packet{QoS: 1, ID: 2, Payload: make([]byte, most.Int)})
	if _, framed := r.nc.(*webLamp); !framed { // a WebSocket refuses the length of the frame, in its own words
		p.ends(t, r, mqtt.TooLarge)
	}
}

func playOptions(t *testing.T, p *visit) {
	r, _ := p.comes(t, nil)
	s := mqtt.Packet{Type: mqtt.SUBSCRIBE, ID: 9, Filters: []mqtt.Filter{
		{Topic: []byte(p.topic(p.d, "thing/service/#")), QoS: 2, NoLocal: true, RetainAsPublished: true, RetainHandling: 2},
		{Topic: []byte("/" + p.Product.ProductKey + "/" + p.d.Name + "/user/#"), QoS: 0, RetainHandling: 1},
	}}
	r.send(t, mqtt.AppendPacket(nil, &s, p.v))
	if m := r.await(t, mqtt.SUBACK, 1); fmt.Sprintf("%x", m.Codes) != "0200" {
		t.Errorf("SUBACK %x", m.Codes)
	}
	p.says(t, r, &mqtt.Packet{QoS: 1, ID: 1, Topic: []byte("/" + p.Product.ProductKey + "/" + p.d.Name + "/user/a")})
	r.await(t, mqtt.PUBACK, 1)
	p.quiet(t, r) // nothing of a device comes back to it
}

func playIdentifiers(t *testing.T, p *visit) {
	r, _ := p.comes(t, nil)
	for i, tail := range []string{"thing/service/#", "thing/service/property/set", "thing/event/#"} {
		r.send(t, mqtt.AppendPacket(nil, &mqtt.Packet{
			Type: mqtt.SUBSCRIBE, ID: 1, Filters: []mqtt.Filter{{Topic: []byte(p.topic(p.d, tail)), QoS: 1}},
			Properties: mqtt.Properties{}.Append(mqtt.Property{ID: mqtt.SubscriptionID, Int: uint32(i + 1)}),
		}, p.v))
		r.await(t, mqtt.SUBACK, 1)
	}
	p.orders(t, 15)
	m := r.await(t, mqtt.PUBLISH, 1)
	var ids []uint32
	for q := range m.Properties.All() {
		if q.ID == mqtt.SubscriptionID {
			ids = append(ids, q.Int)
		}
	}
	if slices.Sort(ids); !slices.Equal(ids, []uint32{1, 2}) {
		t.Errorf("the command carries the identifiers %d, want 1 and 2", ids)
	}
}

// playClientWindow: of two commands that a device's window of one allows, the second comes when the first was acknowledged.
func playClientWindow(t *testing.T, p *visit) {
	r, _ := p.comes(t, func(c *mqtt.Packet) {
		c.Properties = c.Properties.Append(mqtt.Property{ID: mqtt.ReceiveMaximum, Int: 1})
	})
	p.subscribes(t, r, "thing/service/#")
	p.orders(t, 16)
	first := r.await(t, mqtt.PUBLISH, 1)
	p.submit(t, command.Request{Device: p.d.ID, Kind: command.PropertySet, Params: json.RawMessage(`{"colorTemperature":4000}`)})
	p.quiet(t, r)
	r.send(t, mqtt.AppendPuback(nil, first.ID))
	if second := r.await(t, mqtt.PUBLISH, 1); !strings.Contains(string(second.Payload), "colorTemperature") {
		t.Errorf("%s came", second.Payload)
	}
}

func playServerWindow(t *testing.T, p *visit) {
	r, ack := p.comes(t, nil)
	most, told := ack.Properties.Find(mqtt.ReceiveMaximum)
	if !told {
		t.Fatal("CONNACK does not say how many messages may be under way")
	}
	var all []byte
	for id := range uint16(most.Int) + 1 { // of QoS 2 and never released
		all = mqtt.AppendPublish(all, p.v, p.post(p.d), brightness, 2, id+1, false, false)
	}
	r.send(t, all)
	p.ends(t, r, mqtt.ReceiveMaxExceeded)
}

func playAuth(t *testing.T, p *visit) {
	if _, ack := p.comes(t, func(c *mqtt.Packet) {
		c.Properties = c.Properties.Append(mqtt.Property{ID: mqtt.AuthMethod, Value: []byte("SCRAM-SHA-256")})
	}); ack.Code != byte(mqtt.BadMethod) {
		t.Errorf("CONNACK %#x, want %s", ack.Code, mqtt.BadMethod)
	}
}

func playNoIdentifier(t *testing.T, p *visit) {
	r, _ := p.comes(t, nil)
	filter := p.topic(p.d, "thing/#")
	r.send(t, slices.Concat([]byte{0x82, byte(len(filter) + 8), 0, 1, 2, 0x0b, 0, 0, byte(len(filter))}, []byte(filter), []byte{1}))
	p.ends(t, r, mqtt.ProtocolBroken)
}
